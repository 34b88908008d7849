use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn id(number: u32) -> EditId {
    EditId(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

fn set(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<EditId> {
    numbers.into_iter().map(id).collect()
}

/// What a comparison found, and what it cost.
#[derive(Debug, Default)]
struct Outcome {
    found: Difference,
    exchanges: usize,
    bytes: usize,
}

fn compare(device: &BTreeSet<EditId>, ward: &BTreeSet<EditId>) -> Outcome {
    let mut comparison = Comparison::new(device.iter().copied().collect());
    let mut outcome = Outcome::default();
    loop {
        let questions = comparison.ask();
        if questions.is_empty() {
            break;
        }
        outcome.exchanges += 1;
        let mut writer = Writer::new();
        write_questions(&mut writer, &questions);
        let sent = writer.finish();
        let mut reader = Reader::new(&sent);
        assert_eq!(read_questions(&mut reader), Ok(questions.clone()));
        reader.finish().unwrap();
        let mut room = LISTED_EDITS_MAX;
        let answers: Vec<Answer> = questions
            .iter()
            .map(|question| {
                let (first, last) = question.prefix.bounds();
                answer(question, ward.range(first..=last).copied(), &mut room)
            })
            .collect();
        let mut writer = Writer::new();
        write_answers(&mut writer, &answers);
        let said = writer.finish();
        outcome.bytes += sent.len() + said.len();
        let mut reader = Reader::new(&said);
        let answers = read_answers(&mut reader).unwrap();
        reader.finish().unwrap();
        assert!(comparison.hear(answers));
    }
    outcome.found = comparison.finish();
    outcome.found.lacked_here.sort_unstable();
    outcome.found.lacked_there.sort_unstable();
    outcome
}

fn difference(device: &BTreeSet<EditId>, ward: &BTreeSet<EditId>) -> Difference {
    Difference {
        lacked_here: ward.difference(device).copied().collect(),
        lacked_there: device.difference(ward).copied().collect(),
    }
}

#[test]
fn ten_differences_among_twenty_thousand_edits_cost_ten_kilobytes_and_four_exchanges() {
    let device = set((0..20_000).filter(|number| number % 4_000 != 7));
    let ward = set((0..20_000).filter(|number| number % 4_000 != 1_009));
    let outcome = compare(&device, &ward);
    assert_eq!(outcome.found, difference(&device, &ward));
    assert_eq!(outcome.found.lacked_here.len(), 5);
    assert_eq!(outcome.found.lacked_there.len(), 5);
    println!("{} bytes, {} exchanges", outcome.bytes, outcome.exchanges);
    assert!(outcome.bytes < 10_000, "{} bytes", outcome.bytes);
    assert!(outcome.exchanges <= 4, "{} exchanges", outcome.exchanges);
}

#[test]
fn sets_that_are_the_same_cost_one_question() {
    let both = set(0..3_000);
    let outcome = compare(&both, &both);
    assert_eq!(outcome.found, Difference::default());
    assert_eq!(outcome.exchanges, 1);
    assert!(outcome.bytes < 150, "{} bytes", outcome.bytes);
}

#[test]
fn a_ward_that_lost_half_is_told_of_that_half() {
    let device = set(0..6_000);
    let ward = set(0..3_000);
    let outcome = compare(&device, &ward);
    assert_eq!(outcome.found, difference(&device, &ward));
    println!("{} bytes, {} exchanges", outcome.bytes, outcome.exchanges);
    assert!(outcome.bytes < 40 * 6_000, "{} bytes", outcome.bytes);
}

#[test]
fn an_empty_side_is_found_from_either_side() {
    let (none, some) = (BTreeSet::new(), set(0..500));
    assert_eq!(compare(&none, &some).found, difference(&none, &some));
    assert_eq!(compare(&some, &none).found, difference(&some, &none));
    assert_eq!(compare(&some, &none).exchanges, 1);
    assert_eq!(compare(&none, &none).found, Difference::default());
}

#[test]
fn a_ward_that_always_wants_to_look_deeper_is_left_after_a_while() {
    let mut comparison = Comparison::new(set(0..50).into_iter().collect());
    let mut asked = 0;
    loop {
        let questions = comparison.ask();
        if questions.is_empty() {
            break;
        }
        asked += questions.len();
        let deeper = || std::array::from_fn(|_| PartAnswer::Deeper);
        if !comparison.hear(questions.iter().map(|_| deeper()).collect()) {
            break;
        }
        assert!(comparison.open.len() <= COMPARED_PREFIXES_MAX);
    }
    assert!(asked <= COMPARISONS_MAX * QUESTIONS_MAX);
}

#[test]
fn answers_to_nothing_are_wrong() {
    let begun = || {
        let mut comparison = Comparison::new(set(0..50).into_iter().collect());
        assert_eq!(comparison.ask().len(), 1);
        comparison
    };
    let named = |place: usize, edits: &[EditId]| -> Vec<Answer> {
        let mut answer: Answer = std::array::from_fn(|_| PartAnswer::Same);
        answer[place] = PartAnswer::Named(edits.to_vec());
        vec![answer]
    };
    let low = EditId([0x01; 32]);
    let lower = EditId([0x00; 32]);
    assert!(begun().hear(named(0, &[lower, low])));
    assert!(!begun().hear(named(1, &[low])), "of another part");
    assert!(!begun().hear(named(0, &[low, lower])), "not ascending");
    assert!(!begun().hear(named(0, &[low, low])), "twice");
    assert!(!begun().hear(Vec::new()));
}

#[test]
fn questions_that_overlap_are_refused() {
    let question = |prefix| Question {
        prefix,
        parts: [[1; FINGERPRINT_BYTES]; PARTS],
    };
    let whole = Prefix::default();
    let third = whole.part(3).unwrap();
    for (questions, is_right) in [
        (vec![third, third.part(0).unwrap()], false),
        (vec![whole, third], false),
        (vec![third, third], false),
        (vec![whole.part(4).unwrap(), third], false),
        (vec![third.part(15).unwrap(), whole.part(4).unwrap()], true),
    ] {
        let mut writer = Writer::new();
        let questions: Vec<Question> = questions.into_iter().map(question).collect();
        write_questions(&mut writer, &questions);
        let bytes = writer.finish();
        let read = read_questions(&mut Reader::new(&bytes));
        assert_eq!(read.is_ok(), is_right, "{questions:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_differs_is_found(
        common in 0_u32..1_500,
        device in 0_u32..200,
        ward in 0_u32..200,
    ) {
        let theirs = set((0..common).chain(10_000..10_000 + device));
        let ours = set((0..common).chain(20_000..20_000 + ward));
        prop_assert_eq!(compare(&theirs, &ours).found, difference(&theirs, &ours));
    }
}
