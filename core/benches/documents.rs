//! How long it takes to read a case from its edits: by automerge, and by the shortcut that needs
//! none while nothing is concurrent. Both in one run on one machine, so that the ratio counts.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures durations and reports on standard output"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gandan_core::document::schema::{self, field};
use gandan_core::document::{Document, DocumentState, materialize};
use gandan_core::edit::limits::DOCUMENT_EDITS_MAX;
use gandan_core::edit::{Edit, EncodedEdit, Operation};
use gandan_core::model::{
    ActorId, Case, Confidentiality, DocumentId, EditId, IntentId, OfficerId, ReportedKind, Source,
    Status, Timestamp, Urgency,
};
use uuid::Uuid;

const REPEATS: usize = 300;

fn main() {
    let created = vec![creation()];
    compare("a creation of 28 fields", &created);
    compare("a creation and 9 edits", &life(&created, 9));
    compare("a creation and 99 edits", &life(&created, 99));

    let concurrent = concurrent(&created[0], 4);
    let time = median(REPEATS, || drop(materialize(&concurrent)));
    println!("a creation and 4 concurrent edits: {time:?}");

    // What the largest history costs that a device can force upon the ward.
    let flood = self::concurrent(&created[0], DOCUMENT_EDITS_MAX as usize);
    let time = median(1, || drop(materialize(&flood)));
    println!(
        "{} edits that do not know of each other: {time:?}",
        flood.len()
    );
    let comb = comb(&created[0], DOCUMENT_EDITS_MAX as usize / 2);
    let time = median(1, || drop(materialize(&comb)));
    println!(
        "{} edits, each second one on another of the first: {time:?}",
        comb.len()
    );
    let document = Document::replay(&flood).expect("the flood can be executed");
    let time = median(5, || drop(black_box(document.state())));
    println!("reading them from the engine: {time:?}");
}

fn compare(name: &str, edits: &[EncodedEdit]) {
    let engine = median(REPEATS, || {
        let document = Document::replay(edits).expect("the edits can be executed");
        black_box(schema::case(&document.state()));
    });
    let shortcut = median(REPEATS, || {
        let read = materialize(edits).expect("the edits can be executed");
        black_box(schema::case(&read.state));
    });
    let ratio = engine.as_secs_f64() / shortcut.as_secs_f64();
    println!("{name}: automerge {engine:?}, shortcut {shortcut:?}, ratio {ratio:.1}");
}

fn median(repeats: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..repeats)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// What becomes of a case: states, notes, corrections.
fn life(created: &[EncodedEdit], edits: usize) -> Vec<EncodedEdit> {
    let mut all = created.to_vec();
    let mut state = DocumentState::create(created[0].edit()).expect("a proper creation");
    for index in 0..edits {
        let operation = match index % 3 {
            0 => schema::set(field::STATUS, schema::text_value(Some("in_progress"))),
            1 => {
                let old = schema::raw_text(&state, field::TEXT).unwrap_or_default();
                let new = format!("{old} Dân nói thêm: đã báo hai lần.");
                schema::splice(field::TEXT, old, &new).expect("the text changes")
            }
            _ => schema::append(field::NOTES, vec![]),
        };
        let actor = ActorId([(index % 5) as u8; 16]);
        let head = all[all.len() - 1].id();
        let edit = change(actor, state.next_sequence(actor), head, operation);
        state.apply(edit.edit()).expect("the edit fits");
        all.push(edit);
    }
    all
}

fn concurrent(first: &EncodedEdit, edits: usize) -> Vec<EncodedEdit> {
    let writes = (1..=edits).map(|writer| {
        let mut actor = [0; 16];
        actor[..8].copy_from_slice(&(writer as u64).to_be_bytes());
        let operation = schema::increment(field::HOUSEHOLDS, 1);
        change(ActorId(actor), 1, first.id(), operation)
    });
    [first.clone()].into_iter().chain(writes).collect()
}

/// A long chain, and from each of its edits, the last first, a branch of its own.
fn comb(first: &EncodedEdit, teeth: usize) -> Vec<EncodedEdit> {
    let mut all = vec![first.clone()];
    let mut state = DocumentState::create(first.edit()).expect("a proper creation");
    for _ in 0..teeth {
        let actor = ActorId([0xcc; 16]);
        let head = all[all.len() - 1].id();
        let operation = schema::increment(field::HOUSEHOLDS, 1);
        let edit = change(actor, state.next_sequence(actor), head, operation);
        state.apply(edit.edit()).expect("the edit fits");
        all.push(edit);
    }
    for tooth in (1..teeth).rev() {
        let mut actor = [0; 16];
        actor[..8].copy_from_slice(&(tooth as u64).to_be_bytes());
        let operation = schema::increment(field::HOUSEHOLDS, 1);
        all.push(change(ActorId(actor), 1, all[tooth].id(), operation));
    }
    all
}

fn change(actor: ActorId, sequence: u64, head: EditId, operation: Operation) -> EncodedEdit {
    EncodedEdit::encode(Edit {
        document: document(),
        intent: IntentId([9; 16]),
        actor,
        sequence,
        dependencies: vec![head],
        device_time: Timestamp(1_772_413_200_000),
        operations: vec![operation],
    })
    .expect("the edit is well formed")
}

fn creation() -> EncodedEdit {
    let words = |words: &str| Some(words.to_owned());
    let case = Case {
        id: document().uuid,
        code: "ABC-DEFG".to_owned(),
        external_ref: words("c-17"),
        visit: Some(Uuid::from_u128(2)),
        area: words("kp3"),
        place: words("Hẻm 12, gần chùa"),
        reported_kind: ReportedKind::Report,
        legal_kind: None,
        category: "lighting".to_owned(),
        urgency: Urgency::High,
        source: Source::HeardFromPerson,
        status: Status::Recorded,
        recorded_at: Timestamp(1_772_413_200_000),
        recorded_by: OfficerId(Uuid::from_u128(3)),
        text: "Đèn đường đầu hẻm hư đã hai tháng, trẻ em đi học về tối rất nguy hiểm. Bà con đã \
               báo tổ trưởng nhưng chưa thấy ai sửa. Kính đề nghị phường xem xét."
            .to_owned(),
        households: 3,
        location: None,
        official_number: None,
        division: None,
        assignee: None,
        due_at: None,
        answer: None,
        delivered_at: None,
        satisfaction: None,
        void_reason: None,
        paper_reference: None,
        confidentiality: Confidentiality::Normal,
        notes: vec![],
        attachments: vec![],
        conflicts: vec![],
    };
    let fields = schema::case_fields(&case);
    EncodedEdit::encode(Edit {
        document: document(),
        intent: IntentId(*document().uuid.as_bytes()),
        actor: ActorId([0xee; 16]),
        sequence: 1,
        dependencies: vec![],
        device_time: Timestamp(1_772_413_200_000),
        operations: vec![Operation::Create { fields }],
    })
    .expect("the creation is well formed")
}

fn document() -> DocumentId {
    DocumentId::case(Uuid::from_u128(0x0195_5d7a_0000_7000_8000_0000_0000_0001))
}
