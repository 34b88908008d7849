//! The rules once more, told the other way round: here by who somebody is, in the tables by field.

mod creation;
mod denunciation;

use proptest::prelude::*;

use super::*;
use crate::document::schema::field::{FieldShape, ValueShape};
use crate::document::{Concurrent, schema};
use crate::edit::InitialField;
use crate::model::{
    ActorId, Case, Confidentiality, DocumentId, EditId, IntentId, Note, NoteVisibility, Person,
    ReportedKind, Source, Timestamp, Urgency, Visit,
};

const RECORDER: OfficerId = OfficerId(Uuid::from_u128(1));
const SOMEBODY: OfficerId = OfficerId(Uuid::from_u128(2));
const UNKNOWN: &str = "newer_field";

fn author(officer: OfficerId, role: Role) -> Author {
    Author { officer, role }
}

fn authors() -> impl Iterator<Item = Author> {
    [RECORDER, SOMEBODY]
        .into_iter()
        .flat_map(|officer| Role::ALL.iter().map(move |role| author(officer, *role)))
}

fn plain_case() -> Case {
    Case {
        id: Uuid::from_u128(9),
        code: "ABC-DEFG".to_owned(),
        external_ref: None,
        visit: None,
        area: None,
        place: None,
        reported_kind: ReportedKind::Report,
        legal_kind: None,
        category: "other".to_owned(),
        urgency: Urgency::Normal,
        source: Source::HeardFromPerson,
        status: Status::Recorded,
        recorded_at: Timestamp(1),
        recorded_by: RECORDER,
        text: String::new(),
        households: 1,
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

fn plain_visit() -> Visit {
    Visit {
        id: Uuid::from_u128(8),
        external_ref: None,
        area: None,
        place: None,
        started_at: Timestamp(1),
        ended_at: None,
        officer: RECORDER,
        summary: String::new(),
        conflicts: vec![],
    }
}

fn create(document: DocumentId, fields: Vec<(FieldName, InitialField)>) -> Edit {
    Edit {
        document,
        intent: IntentId(*document.uuid.as_bytes()),
        actor: ActorId([1; 16]),
        sequence: 1,
        dependencies: vec![],
        device_time: Timestamp(1),
        operations: vec![Operation::Create { fields }],
    }
}

fn case_state(case: &Case) -> DocumentState {
    let id = DocumentId::case(case.id);
    DocumentState::create(&create(id, schema::case_fields(case))).unwrap()
}

fn visit_state() -> DocumentState {
    let visit = plain_visit();
    let id = DocumentId::visit(visit.id);
    DocumentState::create(&create(id, schema::visit_fields(&visit))).unwrap()
}

fn person_state() -> DocumentState {
    let id = DocumentId::person_of(plain_case().id);
    DocumentState::create(&create(id, schema::person_fields(&Person::default()))).unwrap()
}

fn in_status(status: Status) -> DocumentState {
    case_state(&Case {
        status,
        ..plain_case()
    })
}

fn edit(document: DocumentId, operations: Vec<Operation>) -> Edit {
    Edit {
        intent: IntentId([7; 16]),
        sequence: 2,
        dependencies: vec![EditId([3; 32])],
        operations,
        ..create(document, vec![])
    }
}

fn name(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn set(field: &str, value: Value) -> Operation {
    let field = name(field);
    Operation::SetRegister { field, value }
}

fn words(words: &str) -> Value {
    Value::Text(words.to_owned())
}

fn note_by(officer: OfficerId) -> Operation {
    let note = Note {
        id: Uuid::from_u128(5),
        text: "đã gọi".to_owned(),
        author: officer,
        at: Timestamp(1),
        visibility: NoteVisibility::Internal,
    };
    schema::append(field::NOTES, schema::note_item(&note))
}

/// An operation of the right type for a field.
fn touch(kind: DocumentKind, field: &str, author: Author) -> Operation {
    let field_name = name(field);
    let shape = field::definition(kind, field).map(|definition| definition.shape);
    let value = match shape {
        None => return set(field, Value::Bool(true)),
        Some(FieldShape::Text) => {
            return Operation::SpliceText {
                field: field_name,
                position: 0,
                delete: 0,
                insert: "a".to_owned(),
                length: 0,
            };
        }
        Some(FieldShape::List) if field == field::NOTES => return note_by(author.officer),
        Some(FieldShape::List) => {
            let item = vec![];
            return Operation::AppendItem {
                field: field_name,
                item,
            };
        }
        Some(FieldShape::Counter) => {
            return Operation::Increment {
                field: field_name,
                by: 1,
            };
        }
        Some(FieldShape::Register(ValueShape::Words | ValueShape::Code)) => words("report"),
        Some(FieldShape::Register(ValueShape::Time)) => Value::Int(1),
        Some(FieldShape::Register(ValueShape::Uuid)) => Value::Bytes(vec![1; 16]),
        Some(FieldShape::Register(ValueShape::Location)) => Value::Bytes(vec![1; 8]),
    };
    set(field, value)
}

/// Who may touch which field of a case; the status has its own test.
fn may_touch(author: Author, field: &str, status: Status) -> bool {
    let is_answered = matches!(status, Status::Answered | Status::Closed);
    let as_recorder = author.officer == RECORDER
        && match field {
            "text" | "area" | "place" | "reported_kind" | "category" | "urgency" | "source"
            | "location" | "paper_reference" | "households" | "notes" | "attachments" | UNKNOWN => {
                true
            }
            "void_reason" => matches!(status, Status::Recorded | Status::Voided),
            _ => false,
        };
    let by_role = match author.role {
        Role::Officer | Role::Leader => match field {
            "notes" | "attachments" | "households" => true,
            "delivered_at" | "satisfaction" => is_answered,
            _ => false,
        },
        Role::Triage | Role::Chair => matches!(
            field,
            "category"
                | "area"
                | "place"
                | "urgency"
                | "legal_kind"
                | "division"
                | "assignee"
                | "due_at"
                | "answer"
                | "confidentiality"
                | "notes"
                | "attachments"
                | UNKNOWN
        ),
        Role::Admin => return false,
    };
    as_recorder || by_role
}

#[test]
fn every_role_touches_exactly_its_fields_of_a_case_in_every_state() {
    let mut asked = 0;
    for status in Status::ALL {
        let before = in_status(*status);
        let id = before.document;
        for author in authors() {
            let fields = field::CASE.iter().map(|definition| definition.name);
            for field in fields.chain([UNKNOWN]).filter(|field| *field != "status") {
                let edit = edit(id, vec![touch(id.kind, field, author)]);
                let allowed = check(author, &edit, Some(&before), None);
                let expected = may_touch(author, field, *status);
                assert_eq!(
                    allowed.is_ok(),
                    expected,
                    "{author:?} {field} {status:?}: {allowed:?}"
                );
                let offered = allowed_fields(author, &before, None).contains(&field);
                assert_eq!(offered, expected && field != UNKNOWN, "{author:?} {field}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 11 * 10 * 28);
}

/// Where a case may go, by the words of the design.
fn may_go(author: Author, from: Status, to: Status) -> bool {
    let next = match from.code() {
        "recorded" => "accepted transferred duplicate withdrawn",
        "accepted" => "in_progress waiting_citizen transferred answered duplicate withdrawn",
        "in_progress" => "waiting_citizen transferred answered duplicate withdrawn",
        "waiting_citizen" => "in_progress answered withdrawn transferred",
        "transferred" => "in_progress answered",
        "answered" => "closed reopened in_progress",
        "closed" | "duplicate" | "withdrawn" => "reopened",
        "reopened" => "in_progress waiting_citizen transferred answered",
        _ => "",
    };
    let is_office = matches!(author.role, Role::Triage | Role::Chair);
    let is_recorder = author.officer == RECORDER && author.role != Role::Admin;
    let stays = from == to && (is_office || is_recorder);
    let voids = is_recorder && from == Status::Recorded && to == Status::Voided;
    stays || voids || (is_office && next.split(' ').any(|code| code == to.code()))
}

#[test]
fn every_role_takes_a_case_exactly_where_it_may() {
    for from in Status::ALL {
        let before = in_status(*from);
        for author in authors() {
            for to in Status::ALL {
                let mut operations = vec![set("status", words(to.code()))];
                if *to == Status::Voided && from != to {
                    operations.push(set("void_reason", words("ghi nhầm")));
                }
                let edit = edit(before.document, operations);
                let allowed = check(author, &edit, Some(&before), None);
                let expected = may_go(author, *from, *to);
                assert_eq!(
                    allowed.is_ok(),
                    expected,
                    "{author:?} {from:?} {to:?} {allowed:?}"
                );
                let offered = allowed_transitions(author, &before).contains(to);
                assert_eq!(
                    offered,
                    expected && from != to,
                    "{author:?} {from:?} {to:?}"
                );
            }
        }
    }
}

#[test]
fn a_refusal_says_whether_it_is_the_role_the_state_or_somebody_elses_record() {
    let before = in_status(Status::Recorded);
    let refused = |officer, role, operation| {
        let edit = edit(before.document, vec![operation]);
        check(author(officer, role), &edit, Some(&before), None).unwrap_err()
    };
    let accept = || set("status", words("accepted"));
    use RejectionCode::{FieldNotAllowed, NotYourRecord, TransitionNotAllowed};
    for (officer, role, operation, code) in [
        (
            SOMEBODY,
            Role::Officer,
            set("place", words("a")),
            NotYourRecord,
        ),
        (
            SOMEBODY,
            Role::Leader,
            set("urgency", words("low")),
            NotYourRecord,
        ),
        (
            SOMEBODY,
            Role::Officer,
            set(UNKNOWN, Value::Null),
            NotYourRecord,
        ),
        (
            SOMEBODY,
            Role::Officer,
            set("status", words("voided")),
            NotYourRecord,
        ),
        (SOMEBODY, Role::Officer, accept(), TransitionNotAllowed),
        (RECORDER, Role::Officer, accept(), TransitionNotAllowed),
        (
            SOMEBODY,
            Role::Triage,
            set("status", words("closed")),
            TransitionNotAllowed,
        ),
        (
            SOMEBODY,
            Role::Triage,
            set("status", words("paused")),
            TransitionNotAllowed,
        ),
        (
            SOMEBODY,
            Role::Triage,
            set("status", Value::Int(1)),
            RejectionCode::Malformed,
        ),
        (
            RECORDER,
            Role::Officer,
            set("assignee", words("a")),
            FieldNotAllowed,
        ),
        (
            RECORDER,
            Role::Officer,
            set("delivered_at", Value::Int(1)),
            FieldNotAllowed,
        ),
        (
            SOMEBODY,
            Role::Chair,
            set("official_number", words("PA-1")),
            FieldNotAllowed,
        ),
        (
            SOMEBODY,
            Role::Triage,
            set("location", Value::Null),
            FieldNotAllowed,
        ),
        (RECORDER, Role::Admin, accept(), FieldNotAllowed),
    ] {
        assert_eq!(
            refused(officer, role, operation.clone()),
            code,
            "{operation:?}"
        );
    }
}

#[test]
fn a_case_is_voided_with_a_reason_only() {
    let before = in_status(Status::Recorded);
    let voids = |operations| {
        let edit = edit(before.document, operations);
        check(author(RECORDER, Role::Officer), &edit, Some(&before), None)
    };
    let status = || set("status", words("voided"));
    let refused = Err(RejectionCode::TransitionNotAllowed);
    assert_eq!(voids(vec![status()]), refused);
    assert_eq!(
        voids(vec![status(), set("void_reason", words("  "))]),
        refused
    );
    assert_eq!(
        voids(vec![status(), set("void_reason", words("thử máy"))]),
        Ok(())
    );
    assert_eq!(
        voids(vec![set("void_reason", words("thử máy")), status()]),
        Ok(())
    );
}

#[test]
fn several_steps_in_one_edit_are_asked_one_after_another() {
    let before = in_status(Status::Recorded);
    let goes = |codes: &[&str]| {
        let steps = codes.iter().map(|code| set("status", words(code)));
        let edit = edit(before.document, steps.collect());
        check(author(SOMEBODY, Role::Triage), &edit, Some(&before), None)
    };
    assert_eq!(
        goes(&["accepted", "in_progress", "answered", "closed"]),
        Ok(())
    );
    assert_eq!(
        goes(&["accepted", "closed"]),
        Err(RejectionCode::TransitionNotAllowed)
    );
}

#[test]
fn somebody_chooses_among_states_that_were_set_at_once() {
    let mut before = in_status(Status::Accepted);
    let at_once = |codes: &[&str]| {
        let values = codes.iter().map(|code| Concurrent {
            value: words(code),
            actor: ActorId([1; 16]),
        });
        FieldState::Register(values.collect())
    };
    let triage = author(SOMEBODY, Role::Triage);
    before
        .fields
        .insert(name("status"), at_once(&["closed", "in_progress"]));
    let offered = allowed_transitions(triage, &before);
    for to in ["closed", "in_progress", "reopened", "answered"] {
        let choose = edit(before.document, vec![set("status", words(to))]);
        assert_eq!(check(triage, &choose, Some(&before), None), Ok(()));
        assert!(offered.contains(&Status::from_code(to).unwrap()));
    }
    let accept = edit(before.document, vec![set("status", words("accepted"))]);
    assert_eq!(
        check(triage, &accept, Some(&before), None),
        Err(RejectionCode::TransitionNotAllowed)
    );
    // Nothing leads out of a state that only a newer app knows.
    before.fields.insert(name("status"), at_once(&["paused"]));
    assert_eq!(allowed_transitions(triage, &before), []);
}

#[test]
fn nobody_writes_a_note_in_anothers_name() {
    let before = in_status(Status::Accepted);
    for author in authors().filter(|author| author.role != Role::Admin) {
        for writer in [RECORDER, SOMEBODY] {
            let edit = edit(before.document, vec![note_by(writer)]);
            let allowed = check(author, &edit, Some(&before), None).is_ok();
            assert_eq!(allowed, author.officer == writer);
        }
    }
}

#[test]
fn a_visit_belongs_to_its_officer() {
    let before = visit_state();
    for author in authors() {
        let fields = field::VISIT_FIELDS.iter().map(|definition| definition.name);
        for field in fields.chain([UNKNOWN]) {
            let edit = edit(
                before.document,
                vec![touch(DocumentKind::Visit, field, author)],
            );
            let allowed = check(author, &edit, Some(&before), None);
            let is_open = !matches!(field, "officer" | "external_ref");
            let is_his = author.officer == RECORDER && author.role != Role::Admin;
            assert_eq!(
                allowed.is_ok(),
                is_his && is_open,
                "{author:?} {field} {allowed:?}"
            );
        }
        assert_eq!(allowed_transitions(author, &before), []);
    }
}

#[test]
fn a_person_is_set_by_the_recorder_of_the_case_and_by_the_office() {
    let before = person_state();
    let case = in_status(Status::Accepted);
    for author in authors() {
        let is_office = matches!(author.role, Role::Triage | Role::Chair);
        let may = author.role != Role::Admin && (is_office || author.officer == RECORDER);
        let fields = field::PERSON.iter().map(|definition| definition.name);
        for field in fields.chain([UNKNOWN]) {
            let edit = edit(
                before.document,
                vec![touch(DocumentKind::Person, field, author)],
            );
            let allowed = check(author, &edit, Some(&before), Some(&case));
            assert_eq!(allowed.is_ok(), may, "{author:?} {field} {allowed:?}");
            // Without the case nobody can tell.
            assert!(check(author, &edit, Some(&before), None).is_err());
        }
        let offered = allowed_fields(author, &before, Some(&case)).len();
        assert_eq!(offered, if may { field::PERSON.len() } else { 0 });
    }
}

#[test]
fn a_change_needs_a_document_and_a_creation_needs_none() {
    let before = in_status(Status::Recorded);
    let recorder = author(RECORDER, Role::Officer);
    let creation = create(before.document, schema::case_fields(&plain_case()));
    assert_eq!(check(recorder, &creation, None, None), Ok(()));
    let not_applicable = Err(RejectionCode::NotApplicable);
    assert_eq!(
        check(recorder, &creation, Some(&before), None),
        not_applicable
    );
    let change = edit(before.document, vec![note_by(RECORDER)]);
    assert_eq!(check(recorder, &change, None, None), not_applicable);
}

#[test]
fn nothing_more_is_taken_into_a_document_that_is_full() {
    let mut before = in_status(Status::Recorded);
    let recorder = author(RECORDER, Role::Officer);
    let more = edit(before.document, vec![note_by(RECORDER)]);
    while !before.is_full() {
        let grow = Edit {
            sequence: before.next_sequence(ActorId([1; 16])),
            ..edit(before.document, vec![set("place", Value::Null)])
        };
        assert_eq!(check(recorder, &more, Some(&before), None), Ok(()));
        before.apply(&grow).unwrap();
    }
    assert_eq!(
        check(recorder, &more, Some(&before), None),
        Err(RejectionCode::Malformed)
    );
    assert!(allowed_fields(recorder, &before, None).is_empty());
}

proptest! {
    #![proptest_config(crate::document::seeded(500))]

    /// An edit is allowed exactly if each of its operations is, one after another; nothing that is
    /// not allowed alone becomes so in company.
    #[test]
    fn company_makes_nothing_allowed(
        fields in prop::collection::vec(prop::sample::select(
            field::CASE.iter().map(|definition| definition.name).filter(|name| *name != "status").chain([UNKNOWN]).collect::<Vec<_>>()
        ), 1..6),
        status in prop::sample::select(Status::ALL.to_vec()),
        role in prop::sample::select(Role::ALL.to_vec()),
        is_recorder in any::<bool>(),
    ) {
        let before = in_status(status);
        let author = author(if is_recorder { RECORDER } else { SOMEBODY }, role);
        let operations: Vec<_> = fields.iter().map(|field| touch(DocumentKind::Case, field, author)).collect();
        let alone = operations.iter().all(|operation| {
            check(author, &edit(before.document, vec![operation.clone()]), Some(&before), None).is_ok()
        });
        let together = check(author, &edit(before.document, operations), Some(&before), None);
        prop_assert_eq!(together.is_ok(), alone);
    }

    /// Whatever is sent: no panic, nothing for the administrator, no official number, no change of
    /// who recorded a case or when.
    #[test]
    fn no_edit_whatever_passes_what_nobody_may(
        operations in prop::collection::vec(anything(), 1..5),
        status in prop::sample::select(Status::ALL.to_vec()),
        role in prop::sample::select(Role::ALL.to_vec()),
        is_recorder in any::<bool>(),
    ) {
        let author = author(if is_recorder { RECORDER } else { SOMEBODY }, role);
        let case = in_status(status);
        for before in [Some(&case), Some(&visit_state()), Some(&person_state()), None] {
            let id = before.map_or(case.document, |before| before.document);
            let edit = edit(id, operations.clone());
            let allowed = check(author, &edit, before, Some(&case)).is_ok();
            let forbidden = ["official_number", "recorded_by", "recorded_at", "code"];
            let touches = operations.iter().any(|operation| {
                operation.field().is_some_and(|field| forbidden.contains(&field.as_str()))
            });
            let is_case = id.kind == DocumentKind::Case;
            prop_assert!(!(allowed && (role == Role::Admin || before.is_none() || (is_case && touches))));
        }
    }
}

fn anything() -> impl Strategy<Value = Operation> {
    let field = || {
        let known = field::CASE
            .iter()
            .chain(field::VISIT_FIELDS)
            .chain(field::PERSON);
        let names: Vec<_> = known
            .map(|definition| definition.name)
            .chain([UNKNOWN])
            .collect();
        prop::sample::select(names)
    };
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::sample::select(vec!["", "accepted", "voided", "denunciation", "chữ"]).prop_map(words),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    prop_oneof![
        6 => (field(), value).prop_map(|(field, value)| set(field, value)),
        1 => (field(), any::<u32>(), any::<u32>()).prop_map(|(field, position, length)| {
            Operation::SpliceText { field: name(field), position, delete: length, insert: "a".to_owned(), length }
        }),
        1 => field().prop_map(|field| Operation::AppendItem { field: name(field), item: vec![] }),
        1 => (field(), any::<i64>()).prop_map(|(field, by)| Operation::Increment { field: name(field), by }),
        1 => Just(Operation::Create { fields: vec![] }),
    ]
}
