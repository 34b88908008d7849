//! What is executed and what is refused. An edit comes from a device that may be hostile.

use automerge::Automerge;
use proptest::prelude::*;

use super::super::{Document, DocumentState, ExecuteError, FieldState, materialize, schema};
use super::plan::{
    actor, creation, document, edit, item, name, next_edit, operations, seeded, value,
};
use crate::edit::limits::{
    COUNTER_MAX, COUNTER_STEP_MAX, DOCUMENT_EDITS_MAX, DOCUMENT_FIELDS_MAX, LIST_ITEMS_MAX,
    TEXT_SCALARS_MAX,
};
use crate::edit::{Edit, EncodedEdit, InitialField, Operation, Value};
use crate::model::{DocumentId, EditId, Timestamp};

/// Unicode scalars of the text of the case.
const LENGTH: u32 = 47;

fn set(field: &str, value: Value) -> Operation {
    let field = name(field);
    Operation::SetRegister { field, value }
}

fn text(words: &str) -> Value {
    Value::Text(words.to_owned())
}

fn splice(field: &str, position: u32, delete: u32, insert: &str, length: u32) -> Operation {
    Operation::SpliceText {
        field: name(field),
        position,
        delete,
        insert: insert.to_owned(),
        length,
    }
}

fn append(field: &str) -> Operation {
    Operation::AppendItem {
        field: name(field),
        item: item("ghi chú"),
    }
}

fn increment(field: &str, by: i64) -> Operation {
    let field = name(field);
    Operation::Increment { field, by }
}

/// A document made of `edits`, and its state by the shortcut.
struct Pair {
    engine: Document,
    shortcut: DocumentState,
    edits: Vec<EncodedEdit>,
}

impl Pair {
    fn new() -> Self {
        let edits = vec![creation()];
        Self {
            engine: Document::replay(&edits).unwrap(),
            shortcut: DocumentState::create(edits[0].edit()).unwrap(),
            edits,
        }
    }

    fn head(&self) -> EditId {
        self.edits[self.edits.len() - 1].id()
    }

    /// Executes on both sides and on neither of them if either refuses.
    fn execute(&mut self, edit: Edit) -> Result<(), ExecuteError> {
        let edit = EncodedEdit::encode(edit).unwrap();
        let before = (self.engine.state(), self.engine.heads(), self.engine.save());
        let by_engine = self.engine.execute(&edit);
        let by_shortcut = self.shortcut.apply(edit.edit());
        assert_eq!(by_engine, by_shortcut);
        let read = materialize(self.edits.iter().chain([&edit]));
        assert_eq!(read.as_ref().err(), by_engine.as_ref().err());
        assert_eq!(self.engine.state(), self.shortcut);
        if by_engine.is_err() {
            let after = (self.engine.state(), self.engine.heads(), self.engine.save());
            assert!(before == after, "an error leaves the document as it was");
        } else {
            self.edits.push(edit);
        }
        by_engine
    }

    fn change(&mut self, operations: Vec<Operation>) -> Result<(), ExecuteError> {
        let edit = next_edit(&self.shortcut, vec![self.head()], actor(1), operations);
        self.execute(edit.edit().clone())
    }
}

fn wrong_field(field: &str) -> Result<(), ExecuteError> {
    let field = field.to_owned();
    Err(ExecuteError::WrongField { field })
}

fn misplaced(field: &str) -> Result<(), ExecuteError> {
    let field = field.to_owned();
    Err(ExecuteError::MisplacedSplice { field })
}

#[test]
fn each_operation_fits_only_the_field_of_its_type() {
    let fields = ["status", "text", "notes", "households", "absent"];
    for (fits, operation) in [
        (0, set as fn(&str, Value) -> Operation),
        (1, |field, _| splice(field, 0, 0, "a", LENGTH)),
        (2, |field, _| append(field)),
        (3, |field, _| increment(field, 1)),
    ]
    .into_iter()
    {
        for (index, field) in fields.into_iter().enumerate() {
            let mut pair = Pair::new();
            let result = pair.change(vec![operation(field, text("a"))]);
            // Setting a field that is absent makes it a register.
            if index == fits || (fits == 0 && field == "absent") {
                assert_eq!(result, Ok(()), "{fits} {field}");
            } else {
                assert_eq!(result, wrong_field(field));
            }
        }
    }
}

#[test]
fn a_splice_outside_the_text_or_made_for_another_text_is_refused() {
    let mut pair = Pair::new();
    let length = LENGTH;
    assert_eq!(
        schema::raw_text(&pair.shortcut, "text").map(|text| text.chars().count()),
        Some(length as usize)
    );
    for operation in [
        splice("text", 0, 0, "a", length - 1),
        splice("text", 0, 0, "a", length + 1),
        splice("text", length + 1, 0, "a", length),
        splice("text", length, 1, "", length),
        splice("text", u32::MAX, u32::MAX, "", length),
        splice("text", 0, u32::MAX, "", u32::MAX),
    ] {
        assert_eq!(pair.change(vec![operation]), misplaced("text"));
    }
    assert_eq!(
        pair.change(vec![splice("text", length, 0, "!", length)]),
        Ok(())
    );
}

#[test]
fn positions_count_unicode_scalars_after_the_edits_earlier_operations() {
    let mut pair = Pair::new();
    pair.change(vec![
        splice("newer_text", 0, 8, "Đ👨‍👩‍👧e\u{301}x", 8),
        splice("newer_text", 6, 2, "é", 9),
    ])
    .unwrap();
    let shown = schema::raw_text(&pair.shortcut, "newer_text");
    assert_eq!(shown, Some("Đ👨‍👩‍👧éx"));
}

#[test]
fn an_edit_is_executed_whole_or_not_at_all() {
    let mut pair = Pair::new();
    let half = vec![
        set("status", text("accepted")),
        append("notes"),
        increment("absent", 1),
    ];
    assert_eq!(pair.change(half), wrong_field("absent"));
    assert_eq!(pair.change(vec![append("notes")]), Ok(()));
}

#[test]
fn an_edit_that_changes_nothing_is_an_edit_all_the_same() {
    let mut pair = Pair::new();
    pair.change(vec![splice("text", 3, 0, "", LENGTH)]).unwrap();
    pair.change(vec![increment("households", 0)]).unwrap();
    pair.change(vec![set("status", text("recorded"))]).unwrap();
    assert_eq!(pair.shortcut.next_sequence(actor(1)), 4);
    assert_eq!(pair.engine.heads(), [pair.head()]);
}

#[test]
fn sequence_numbers_follow_one_another() {
    let mut pair = Pair::new();
    for sequence in [2, 3, u64::MAX] {
        let operations = vec![append("notes")];
        let edit = Edit {
            sequence,
            ..edit(actor(1), vec![pair.head()], operations)
        };
        assert_eq!(pair.execute(edit), Err(ExecuteError::BrokenSequence));
    }
    // The creator's next one is its second.
    let operations = vec![append("notes")];
    let again = edit(actor(0), vec![pair.head()], operations);
    assert_eq!(pair.execute(again), Err(ExecuteError::BrokenSequence));
}

#[test]
fn an_actor_cannot_contradict_itself() {
    let first = creation();
    let one = EncodedEdit::encode(edit(actor(1), vec![first.id()], vec![append("notes")])).unwrap();
    let other = vec![set("status", text("closed"))];
    let other = EncodedEdit::encode(edit(actor(1), vec![first.id()], other)).unwrap();
    for edits in [[&first, &one, &other], [&first, &other, &one]] {
        assert_eq!(materialize(edits), Err(ExecuteError::BrokenSequence));
        let mut engine = Document::replay(edits[..2].iter().copied()).unwrap();
        let before = engine.state();
        assert_eq!(engine.execute(edits[2]), Err(ExecuteError::BrokenSequence));
        assert_eq!(engine.state(), before);
    }
}

#[test]
fn an_edit_builds_on_its_actors_last_one() {
    let first = creation();
    let by = |sequence, dependency: &EncodedEdit, operation| {
        EncodedEdit::encode(Edit {
            sequence,
            ..edit(actor(1), vec![dependency.id()], vec![operation])
        })
        .unwrap()
    };
    let one = by(1, &first, append("notes"));
    let two = by(2, &first, increment("households", 1));
    assert_eq!(
        materialize([&first, &one, &two]),
        Err(ExecuteError::BrokenSequence)
    );
    let two = by(2, &one, increment("households", 1));
    assert!(materialize([&first, &one, &two]).is_ok());
}

#[test]
fn what_an_edit_does_not_build_on_does_not_count_against_its_bound() {
    let first = creation();
    let large = "a".repeat(30 * 1024);
    let edits: Vec<EncodedEdit> = (0..75u8)
        .map(|number| {
            let operations = vec![set("place", text(&large)), set("answer", text(&large))];
            let actor = crate::model::ActorId([number; 16]);
            EncodedEdit::encode(edit(actor, vec![first.id()], operations)).unwrap()
        })
        .collect();
    let merged = materialize([&first].into_iter().chain(&edits)).unwrap();
    // Each fits alone, so every replica takes them in any order; whoever admits edits sees that
    // they are too much together.
    assert_eq!(merged.heads.len(), 75);
    assert!(merged.state.is_full());
}

#[test]
fn an_edit_waits_for_what_it_depends_on() {
    let absent = EditId([0xee; 32]);
    let mut engine = Document::replay([&creation()]).unwrap();
    for dependencies in [vec![absent], vec![creation().id(), absent]] {
        let mut dependencies = dependencies;
        dependencies.sort();
        let edit =
            EncodedEdit::encode(edit(actor(1), dependencies, vec![append("notes")])).unwrap();
        let missing = ExecuteError::MissingDependency(absent);
        assert_eq!(engine.execute(&edit), Err(missing.clone()));
        assert_eq!(materialize([&creation(), &edit]), Err(missing));
    }
}

#[test]
fn a_document_is_created_once_and_first() {
    let change = edit(actor(1), vec![creation().id()], vec![append("notes")]);
    let change = EncodedEdit::encode(change).unwrap();
    assert_eq!(materialize([&change]), Err(ExecuteError::NotACreation));
    assert_eq!(materialize([]), Err(ExecuteError::NotACreation));
    assert!(matches!(
        DocumentState::create(change.edit()),
        Err(ExecuteError::NotACreation)
    ));
    let fields = vec![(name("status"), InitialField::Register(Value::Null))];
    let mut pair = Pair::new();
    let again = Edit {
        intent: creation().edit().intent,
        ..edit(actor(1), vec![], vec![Operation::Create { fields }])
    };
    assert_eq!(pair.execute(again), Err(ExecuteError::NotACreation));
}

#[test]
fn an_edit_of_another_document_is_refused() {
    let mut pair = Pair::new();
    let other = Edit {
        document: DocumentId::visit(document().uuid),
        ..edit(actor(1), vec![pair.head()], vec![append("notes")])
    };
    assert_eq!(pair.execute(other), Err(ExecuteError::AnotherDocument));
}

#[test]
fn an_edit_executed_twice_counts_once() {
    let mut pair = Pair::new();
    pair.change(vec![append("notes"), increment("households", 2)])
        .unwrap();
    let state = pair.engine.state();
    let again = pair.edits[1].clone();
    pair.engine.execute(&again).unwrap();
    assert_eq!(pair.engine.state(), state);
    pair.edits.push(again);
    assert_eq!(materialize(&pair.edits).unwrap().state, state);
}

#[test]
fn a_clock_that_claims_anything_does_no_harm() {
    let mut pair = Pair::new();
    for time in [i64::MIN, i64::MAX, 0, -1, i64::MIN + 1] {
        let edit = Edit {
            device_time: Timestamp(time),
            sequence: pair.shortcut.next_sequence(actor(1)),
            ..edit(actor(1), vec![pair.head()], vec![append("notes")])
        };
        pair.execute(edit).unwrap();
    }
    Automerge::load(&pair.engine.save()).unwrap();
}

#[test]
fn a_text_grows_to_its_bound_and_can_then_be_shortened() {
    let mut pair = Pair::new();
    let chunk = "a".repeat(32 * 1024);
    let mut length = LENGTH as usize;
    while length + chunk.len() <= TEXT_SCALARS_MAX {
        pair.change(vec![splice("text", 0, 0, &chunk, length as u32)])
            .unwrap();
        length += chunk.len();
    }
    let length = length as u32;
    let over = splice("text", 0, 0, &chunk, length);
    assert_eq!(pair.change(vec![over]), Err(ExecuteError::TooLarge));
    assert_eq!(
        pair.change(vec![splice("text", 0, length, "", length)]),
        Ok(())
    );
}

#[test]
fn concurrent_splices_may_outgrow_a_text_but_not_lock_it() {
    let chunk = "a".repeat(32 * 1024);
    let first = creation();
    let mut edits = vec![first.clone()];
    for writer in 0..3 {
        let sequence = if writer == 0 { 2 } else { 1 };
        let grow = Edit {
            sequence,
            ..edit(
                actor(writer),
                vec![first.id()],
                vec![splice("text", LENGTH, 0, &chunk, LENGTH)],
            )
        };
        edits.push(EncodedEdit::encode(grow).unwrap());
    }
    let merged = materialize(&edits).unwrap();
    let length = LENGTH + 3 * 32 * 1024;
    assert!(length as usize > TEXT_SCALARS_MAX);
    let mut shortcut = merged.state;
    let longer = vec![splice("text", 0, 0, "a", length)];
    let longer = next_edit(&shortcut, merged.heads.clone(), actor(3), longer);
    assert_eq!(shortcut.apply(longer.edit()), Err(ExecuteError::TooLarge));
    let shorter = vec![splice("text", 0, 10, "a", length)];
    let shorter = next_edit(&shortcut, merged.heads, actor(3), shorter);
    assert_eq!(shortcut.apply(shorter.edit()), Ok(()));
}

#[test]
fn a_list_takes_no_more_items_than_its_bound() {
    let mut pair = Pair::new();
    for _ in 0..LIST_ITEMS_MAX / 64 {
        pair.change((0..64).map(|_| append("notes")).collect())
            .unwrap();
    }
    assert_eq!(
        pair.change(vec![append("notes")]),
        Err(ExecuteError::TooLarge)
    );
}

#[test]
fn a_document_takes_no_more_fields_than_its_bound() {
    let mut pair = Pair::new();
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        set(&format!("field_{number}"), Value::Null)
    };
    let result = (0..4).try_for_each(|_| pair.change((0..64).map(|_| fresh()).collect()));
    assert_eq!(result, Err(ExecuteError::TooLarge));
    assert!(pair.shortcut.fields.len() <= DOCUMENT_FIELDS_MAX);
    assert_eq!(pair.change(vec![set("status", Value::Null)]), Ok(()));
}

#[test]
fn a_counter_never_leaves_its_range() {
    let mut pair = Pair::new();
    for by in [
        i64::MAX,
        i64::MIN,
        COUNTER_STEP_MAX + 1,
        -COUNTER_STEP_MAX - 1,
    ] {
        let result = pair.change(vec![increment("households", by)]);
        assert_eq!(result, Err(ExecuteError::TooLarge));
    }
    let steps = || (0..64).map(|_| increment("households", COUNTER_STEP_MAX));
    let result = (0..8).try_for_each(|_| pair.change(steps().collect()));
    assert_eq!(result, Err(ExecuteError::TooLarge));
    let FieldState::Counter(value) = pair.shortcut.fields[&name("households")] else {
        panic!("households is a counter");
    };
    assert!(value <= COUNTER_MAX);
    assert_eq!(pair.change(vec![increment("households", -1)]), Ok(()));
}

#[test]
fn a_creation_over_a_bound_is_refused() {
    let fields = vec![(name("households"), InitialField::Counter(i64::MAX))];
    let create = Edit {
        intent: creation().edit().intent,
        ..edit(actor(0), vec![], vec![Operation::Create { fields }])
    };
    let create = EncodedEdit::encode(create).unwrap();
    assert_eq!(materialize([&create]), Err(ExecuteError::TooLarge));
    assert_eq!(
        Document::replay([&create]).err(),
        Some(ExecuteError::TooLarge)
    );
}

#[test]
fn a_history_has_an_end() {
    let first = creation();
    let mut state = DocumentState::create(first.edit()).unwrap();
    for _ in 1..DOCUMENT_EDITS_MAX {
        assert!(!state.is_full());
        let edit = next_edit(
            &state,
            vec![first.id()],
            actor(1),
            vec![increment("households", 1)],
        );
        state.apply(edit.edit()).unwrap();
    }
    assert!(state.is_full());
    let edit = next_edit(
        &state,
        vec![first.id()],
        actor(1),
        vec![increment("households", 1)],
    );
    assert_eq!(state.apply(edit.edit()), Err(ExecuteError::TooLarge));
}

#[test]
fn a_history_of_large_edits_ends_sooner() {
    let first = creation();
    let mut state = DocumentState::create(first.edit()).unwrap();
    let large = "a".repeat(30 * 1024);
    let result = (0..DOCUMENT_EDITS_MAX).try_for_each(|_| {
        let operations = vec![set("place", text(&large)), set("answer", text(&large))];
        let edit = next_edit(&state, vec![first.id()], actor(1), operations);
        state.apply(edit.edit())
    });
    assert_eq!(result, Err(ExecuteError::TooLarge));
    assert_eq!(state.next_sequence(actor(1)), 69);
}

#[test]
fn the_order_of_concurrent_values_is_the_same_however_they_arrive() {
    let first = creation();
    let edits: Vec<EncodedEdit> = (1..5)
        .map(|writer| {
            let operations = vec![set("status", text(["", "a", "b", "c", "d"][writer]))];
            EncodedEdit::encode(edit(actor(writer), vec![first.id()], operations)).unwrap()
        })
        .collect();
    let forth = materialize([&first].into_iter().chain(&edits)).unwrap();
    let back = materialize([&first].into_iter().chain(edits.iter().rev())).unwrap();
    assert_eq!(forth, back);
    let FieldState::Register(values) = &forth.state.fields[&name("status")] else {
        panic!("status is a register");
    };
    // All were the first operation after the same creation, so the highest actor wins.
    let actors: Vec<_> = values.iter().map(|concurrent| concurrent.actor).collect();
    assert_eq!(actors, [actor(2), actor(4), actor(1), actor(3)]);
}

#[test]
fn who_chooses_among_concurrent_values_is_not_overruled_in_silence() {
    let first = creation();
    let by = |writer, words| {
        let operations = vec![set("status", text(words))];
        EncodedEdit::encode(edit(actor(writer), vec![first.id()], operations)).unwrap()
    };
    let (one, other) = (by(1, "accepted"), by(2, "transferred"));
    let merged = materialize([&first, &one, &other]).unwrap();
    // Writer 3 confirms the value shown, which automerge alone would take for nothing; writer 4
    // decides for the one beneath it at the same time.
    let confirm = vec![set("status", text("transferred"))];
    let confirm = next_edit(&merged.state, merged.heads.clone(), actor(3), confirm);
    let decide = vec![set("status", text("accepted"))];
    let decide = next_edit(&merged.state, merged.heads, actor(4), decide);
    let read = materialize([&first, &one, &other, &confirm, &decide]).unwrap();
    let FieldState::Register(values) = &read.state.fields[&name("status")] else {
        panic!("status is a register");
    };
    let mut words: Vec<_> = values.iter().map(|concurrent| &concurrent.value).collect();
    words.sort_by_key(|value| format!("{value:?}"));
    assert_eq!(words, [&text("accepted"), &text("transferred")]);
}

proptest! {
    #![proptest_config(seeded(400))]

    #[test]
    fn no_edit_that_decodes_makes_engine_and_shortcut_disagree(
        good in prop::collection::vec(super::plan::change(), 0..4),
        hostile in prop::collection::vec(hostile(), 1..8),
        sequence in prop_oneof![8 => Just(None), 1 => any::<u64>().prop_map(Some)],
        time in any::<i64>(),
        writer in 0..5usize,
    ) {
        let mut pair = Pair::new();
        if !good.is_empty() {
            let operations = operations(&pair.shortcut, &good);
            pair.change(operations).unwrap();
        }
        let sequence = sequence.unwrap_or_else(|| pair.shortcut.next_sequence(actor(writer)));
        let edit = Edit {
            sequence: sequence.max(1),
            device_time: Timestamp(time),
            ..edit(actor(writer), vec![pair.head()], hostile)
        };
        // The comparison is inside.
        let _ = pair.execute(edit);
        prop_assert_eq!(pair.change(vec![append("notes")]), Ok(()));
        Automerge::load(&pair.engine.save()).unwrap();
    }
}

fn hostile() -> impl Strategy<Value = Operation> {
    let field = || {
        prop::sample::select(vec![
            "status",
            "text",
            "notes",
            "households",
            "newer_text",
            "absent",
            "other",
        ])
    };
    let number = || prop_oneof![0u32..50, any::<u32>(), Just(LENGTH), Just(8)];
    let words = prop::sample::select(vec!["", "a", "\u{301}", "👍🏽", "\0", "\u{fffc}\u{fffd}"]);
    prop_oneof![
        (field(), value()).prop_map(|(field, value)| set(field, value)),
        (field(), number(), number(), words, number()).prop_map(
            |(field, position, delete, insert, length)| {
                splice(field, position, delete, insert, length)
            }
        ),
        field().prop_map(append),
        (field(), prop_oneof![-3i64..3, any::<i64>()]).prop_map(|(field, by)| increment(field, by)),
    ]
}
