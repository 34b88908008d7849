//! Random histories: several openings of stores that write, and learn from each other now and then.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use uuid::Uuid;

use super::super::{DocumentState, FieldState, materialize, schema};
use crate::edit::{Edit, EncodedEdit, FieldName, Item, Operation, Value};
use crate::model::{
    ActorId, Case, Confidentiality, DocumentId, EditId, IntentId, OfficerId, ReportedKind, Source,
    Status, Timestamp, Urgency,
};

pub(super) const WRITERS: usize = 4;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// `to` learns all that `from` knows.
    Learn { from: usize, to: usize },
    /// A writer makes one edit on all that it knows.
    Write { writer: usize, changes: Vec<Change> },
}

/// One operation, before it is known what it meets.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Set(&'static str, Value),
    /// Position and length in parts of 256 of the text.
    Splice(&'static str, u8, u8, String),
    Append(&'static str, String),
    Increment(&'static str, i64),
}

/// A run of proptest whose seed is printed. `PROPTEST_RNG_SEED` gives it again, and a
/// `PROPTEST_CASES` above 256 makes all runs longer in proportion.
pub(crate) fn seeded(cases: u32) -> Config {
    use std::hash::{BuildHasher, RandomState};
    let given = Config::default();
    let seed = match given.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(0),
    };
    eprintln!("PROPTEST_RNG_SEED={seed}");
    Config {
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        cases: cases * given.cases.max(256) / 256,
        ..given
    }
}

pub(super) fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let learn = (0..WRITERS, 0..WRITERS).prop_map(|(from, to)| Step::Learn { from, to });
    let write = (0..WRITERS, prop::collection::vec(change(), 1..4))
        .prop_map(|(writer, changes)| Step::Write { writer, changes });
    prop::collection::vec(prop_oneof![1 => learn, 3 => write], 1..count)
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let status = prop::sample::select(vec!["accepted", "answered", "paused"]);
    let word = prop::sample::select(vec![
        "",
        "ngõ",
        "hẻm 12",
        "Đa Kao",
        "e\u{302}\u{301}",
        "👨‍👩‍👧",
        "a\r\n\0",
        "\u{fffc}",
    ]);
    prop_oneof![
        status.prop_map(|code| Change::Set("status", Value::Text(code.to_owned()))),
        value().prop_map(|value| Change::Set("place", value)),
        // Fields of a newer app: one that nobody knows yet, and one that was there from the start.
        value().prop_map(|value| Change::Set("newer_field", value)),
        value().prop_map(|value| Change::Set("newer_register", value)),
        (
            prop::sample::select(vec!["text", "newer_text"]),
            any::<u8>(),
            any::<u8>(),
            word.clone()
        )
            .prop_map(|(field, at, delete, word)| Change::Splice(
                field,
                at,
                delete,
                word.into()
            )),
        (prop::sample::select(vec!["notes", "newer_list"]), word)
            .prop_map(|(field, word)| Change::Append(field, word.into())),
        (
            prop::sample::select(vec!["households", "newer_counter"]),
            -3i64..4
        )
            .prop_map(|(field, by)| Change::Increment(field, by)),
    ]
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![-2i64..3, Just(i64::MIN), Just(i64::MAX)].prop_map(Value::Int),
        prop::sample::select(vec!["", "a", "khu phố 3"])
            .prop_map(|text| Value::Text(text.to_owned())),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::Bytes),
    ]
}

/// The edits of a plan in the order in which they were made.
pub(super) fn play(steps: &[Step]) -> Vec<EncodedEdit> {
    let mut edits = vec![creation()];
    // The indices of the edits that each writer knows, ascending.
    let mut known: Vec<Vec<usize>> = vec![vec![0]; WRITERS];
    for step in steps {
        match step {
            Step::Learn { from, to } => {
                let mut union = known[*from].clone();
                union.extend(&known[*to]);
                union.sort_unstable();
                union.dedup();
                known[*to] = union;
            }
            Step::Write { writer, changes } => {
                let view = materialize(known[*writer].iter().map(|index| &edits[*index])).unwrap();
                let operations = operations(&view.state, changes);
                let edit = next_edit(&view.state, view.heads, actor(*writer), operations);
                known[*writer].push(edits.len());
                edits.push(edit);
            }
        }
    }
    edits
}

/// The edits in another order in which each comes after what it depends on.
pub(super) fn reorder(edits: &[EncodedEdit], choices: &[u16]) -> Vec<EncodedEdit> {
    let mut waiting: Vec<&EncodedEdit> = edits.iter().collect();
    let mut given: Vec<EncodedEdit> = Vec::new();
    let mut choices = choices.iter().cycle();
    while !waiting.is_empty() {
        let is_ready = |edit: &EncodedEdit| {
            let dependencies = &edit.edit().dependencies;
            dependencies
                .iter()
                .all(|needed| given.iter().any(|edit| edit.id() == *needed))
        };
        let ready: Vec<usize> = (0..waiting.len())
            .filter(|index| is_ready(waiting[*index]))
            .collect();
        let choice = usize::from(*choices.next().unwrap_or(&0)) % ready.len();
        given.push(waiting.remove(ready[choice]).clone());
    }
    given
}

pub(super) fn operations(state: &DocumentState, changes: &[Change]) -> Vec<Operation> {
    let mut state = state.clone();
    let mut operations = Vec::new();
    for change in changes {
        let operation = match change {
            Change::Set(field, value) => Operation::SetRegister {
                field: name(field),
                value: value.clone(),
            },
            Change::Splice(field, position, delete, insert) => {
                let Some(FieldState::Text(text)) = state.fields.get(&name(field)) else {
                    panic!("{field} is no text");
                };
                let length = text.chars().count();
                let position = length * usize::from(*position) / 256;
                let delete = (length - position) * usize::from(*delete) / 256;
                Operation::SpliceText {
                    field: name(field),
                    position: position as u32,
                    delete: delete as u32,
                    insert: insert.clone(),
                    length: length as u32,
                }
            }
            Change::Append(field, text) => Operation::AppendItem {
                field: name(field),
                item: vec![(name("text"), Value::Text(text.clone()))],
            },
            Change::Increment(field, by) => Operation::Increment {
                field: name(field),
                by: *by,
            },
        };
        // What the next change meets; a splice counts after the edit's earlier operations.
        let step = Edit {
            sequence: state.next_sequence(actor(0)),
            ..edit(actor(0), vec![EditId([0; 32])], vec![operation.clone()])
        };
        state.apply(&step).unwrap();
        operations.push(operation);
    }
    operations
}

pub(super) fn next_edit(
    state: &DocumentState,
    heads: Vec<EditId>,
    actor: ActorId,
    operations: Vec<Operation>,
) -> EncodedEdit {
    let sequence = state.next_sequence(actor);
    EncodedEdit::encode(Edit {
        sequence,
        ..edit(actor, heads, operations)
    })
    .unwrap()
}

/// The creation of a case, by an app that knows more fields than this one.
pub(super) fn creation() -> EncodedEdit {
    use crate::edit::InitialField::{Counter, List, Register, Text};
    let mut fields = schema::case_fields(&sample_case());
    fields.extend([
        (name("newer_counter"), Counter(7)),
        (name("newer_list"), List(vec![item("mới")])),
        (name("newer_register"), Register(Value::Bool(true))),
        (name("newer_text"), Text("xin chào".to_owned())),
    ]);
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    let create = Edit {
        intent: IntentId(*document().uuid.as_bytes()),
        ..edit(actor(0), vec![], vec![Operation::Create { fields }])
    };
    EncodedEdit::encode(create).unwrap()
}

pub(super) fn edit(actor: ActorId, dependencies: Vec<EditId>, operations: Vec<Operation>) -> Edit {
    Edit {
        document: document(),
        intent: IntentId([9; 16]),
        actor,
        sequence: 1,
        dependencies,
        device_time: Timestamp(1_772_413_200_000),
        operations,
    }
}

pub(super) fn item(text: &str) -> Item {
    vec![(name("text"), Value::Text(text.to_owned()))]
}

pub(super) fn name(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub(super) fn actor(writer: usize) -> ActorId {
    // Not in the order in which writers begin, so that the order of actors shows.
    ActorId([[0x70, 0x20, 0xf0, 0x10, 0xaa][writer]; 16])
}

pub(super) fn document() -> DocumentId {
    DocumentId::case(Uuid::from_u128(0x0195_5d7a_0000_7000_8000_0000_0000_0001))
}

pub(super) fn sample_case() -> Case {
    Case {
        id: document().uuid,
        code: "ABC-DEFG".to_owned(),
        external_ref: None,
        visit: Some(Uuid::from_u128(0x0195_5d7a_0000_7000_8000_0000_0000_0002)),
        area: Some("kp3".to_owned()),
        place: Some("Hẻm 12, gần chùa".to_owned()),
        reported_kind: ReportedKind::Petition,
        legal_kind: None,
        category: "lighting".to_owned(),
        urgency: Urgency::High,
        source: Source::HeardFromRepresentative,
        status: Status::Recorded,
        recorded_at: Timestamp(1_772_413_200_000),
        recorded_by: OfficerId(Uuid::from_u128(0x0195_5d7a_0000_7000_8000_0000_0000_0003)),
        text: "Đèn đường đầu hẻm hư 2 tháng. Kính đề nghị sửa.".to_owned(),
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
    }
}
