//! The page of a case, rendered from plain values.

use super::*;
use crate::console::names::tests::sample;
use gandan_core::document::schema::{case_fields, set};
use gandan_core::edit::{Edit, EncodedEdit, Operation, Value};
use gandan_core::model::records::ConcurrentValue;
use gandan_core::model::{
    ActorId, Attachment, DocumentId, EditId, IntentId, Note, OfficerId, Source, Urgency,
};
use gandan_core::policy::Author;

const MORNING: i64 = 1_772_413_200_000;

fn case() -> Case {
    Case {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        code: "K7M-2QXD".to_owned(),
        external_ref: None,
        visit: None,
        area: Some("6-9".to_owned()),
        place: Some("hẻm 12, gần chùa".to_owned()),
        reported_kind: ReportedKind::Report,
        legal_kind: None,
        category: "road".to_owned(),
        urgency: Urgency::High,
        source: Source::HeardFromPerson,
        status: Status::Recorded,
        recorded_at: Timestamp(MORNING),
        recorded_by: OfficerId(Uuid::from_u128(1)),
        text: "Nắp cống vỡ <script>alert(1)</script>".to_owned(),
        households: 4,
        location: Some(Location {
            latitude_e6: 10_780_923,
            longitude_e6: 106_655_008,
        }),
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
        notes: vec![
            note(NoteVisibility::Internal, "Đã báo công ty thoát nước"),
            note(NoteVisibility::Reply, "Phường đang xử lý"),
        ],
        attachments: vec![Attachment {
            hash: AttachmentHash([7; 32]),
            name: "anh\"><img src=x>.jpg".to_owned(),
            bytes: 10,
            mime: "image/jpeg".to_owned(),
            at: Timestamp(MORNING),
            thumbnail: None,
        }],
        conflicts: Vec::new(),
    }
}

fn note(visibility: NoteVisibility, text: &str) -> Note {
    Note {
        id: Uuid::from_u128(9),
        text: text.to_owned(),
        author: OfficerId(Uuid::from_u128(2)),
        at: Timestamp(MORNING),
        visibility,
    }
}

fn state(case: &Case) -> DocumentState {
    let edit = EncodedEdit::encode(Edit {
        document: DocumentId::case(case.id),
        intent: IntentId(*case.id.as_bytes()),
        actor: ActorId([1; 16]),
        sequence: 1,
        dependencies: Vec::new(),
        device_time: case.recorded_at,
        operations: vec![Operation::Create {
            fields: case_fields(case),
        }],
    })
    .unwrap();
    DocumentState::create(edit.edit()).unwrap()
}

fn dossier(case: Case) -> Dossier {
    Dossier {
        state: state(&case),
        person: Some(Person {
            name: Some("Nguyễn Thị Thịnh".to_owned()),
            phone: Some("0903343439".to_owned()),
            ..Person::default()
        }),
        visit: None,
        case_history: vec![HistoryEntry {
            sequence: 1,
            edit: EditId([0; 32]),
            device_time: Timestamp(MORNING),
            received_at: Timestamp(MORNING + 3_600_000),
            author: case.recorded_by,
            author_name: "Trần Văn Đạt".to_owned(),
            device_name: Some("Điện thoại của Đạt".to_owned()),
            operations: vec![Operation::Create { fields: Vec::new() }],
        }],
        person_history: Vec::new(),
        here: vec![AttachmentHash([7; 32])],
        names: sample(),
        now: Timestamp(MORNING),
        case,
    }
}

fn staff(role: Role) -> Staff {
    Staff {
        author: Author {
            officer: OfficerId(Uuid::from_u128(2)),
            role,
        },
        login: "dung".to_owned(),
        name: "Nguyễn Thị Dung".to_owned(),
    }
}

fn render(case: Case, role: Role) -> String {
    CasePage::new(&dossier(case), &staff(role), String::new(), None, None)
        .render()
        .unwrap()
}

#[test]
fn what_people_said_is_shown_and_never_run() {
    let html = render(case(), Role::Triage);
    assert!(html.contains("Nắp cống vỡ &#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(!html.contains("<script>alert"));
    assert!(!html.contains("<img src=x>"));
    assert_eq!(html.matches("<script").count(), 1, "only the embedded one");
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
}

#[test]
fn a_new_case_is_accepted_first_and_names_its_old_ward() {
    let html = render(case(), Role::Triage);
    assert!(html.contains("Tiếp nhận, cấp số"));
    assert!(!html.contains("action=\"/cases/01900000-0000-7000-8000-000000000001/answer\""));
    assert!(html.contains("Phường 6 cũ (Quận Tân Bình)"));
    assert!(html.contains("10,78092; 106,65501"));
    assert!(html.contains("0903 343 439"));
    assert!(html.contains("về phường 02/03/2026 09:00"));
}

#[test]
fn the_next_thing_to_do_follows_the_state() {
    for (status, expected) in [
        (Status::Recorded, vec![Action::Accept]),
        (Status::Accepted, vec![Action::Assign, Action::Answer]),
        (Status::InProgress, vec![Action::Answer, Action::Assign]),
        (
            Status::Answered,
            vec![Action::Close, Action::Answer, Action::Assign],
        ),
        (Status::Closed, vec![]),
        (Status::Voided, vec![]),
    ] {
        let case = Case { status, ..case() };
        let author = staff(Role::Chair).author;
        let permitted = Permitted::of(author, &state(&case), status);
        assert_eq!(permitted.ordered, expected, "{status:?}");
    }
}

#[test]
fn notes_for_the_citizen_look_unlike_internal_ones() {
    let html = render(case(), Role::Triage);
    assert!(html.contains("class=\"note internal\"") && html.contains("class=\"note reply\""));
    assert!(html.contains("Nội bộ") && html.contains("Trả lời người dân"));
}

#[test]
fn an_officer_who_did_not_record_the_case_does_not_see_the_citizen() {
    let html = render(case(), Role::Officer);
    assert!(!html.contains("Thịnh") && !html.contains("0903"));
    assert!(html.contains("Vai trò của bạn không xem"));
}

#[test]
fn concurrent_values_stand_side_by_side_with_whoever_set_them() {
    let mut case = case();
    let value = |value: &str, actor| ConcurrentValue {
        value: value.to_owned(),
        actor: ActorId([actor; 16]),
    };
    case.conflicts = vec![Concurrency {
        field: field::URGENCY.to_owned(),
        values: vec![value("high", 1), value("low", 2)],
    }];
    let mut dossier = dossier(case);
    dossier.case_history.push(HistoryEntry {
        sequence: 2,
        author_name: "Lê Thị Hạnh".to_owned(),
        operations: vec![set(field::URGENCY, Value::Text("low".to_owned()))],
        ..dossier.case_history[0].clone()
    });
    let html = CasePage::new(&dossier, &staff(Role::Triage), String::new(), None, None)
        .render()
        .unwrap();
    assert!(html.contains("Mức khẩn: 2 người ghi khác nhau"));
    assert!(html.contains("Cao") && html.contains("Thấp"));
    assert!(html.contains("Lê Thị Hạnh, 02/03/2026 08:00"));
}

#[test]
fn two_numbers_of_one_citizen_are_shown_to_those_who_may_see_one() {
    let mut dossier = dossier(case());
    let value = |value: &str, actor| ConcurrentValue {
        value: value.to_owned(),
        actor: ActorId([actor; 16]),
    };
    if let Some(person) = &mut dossier.person {
        person.conflicts = vec![Concurrency {
            field: field::PHONE.to_owned(),
            values: vec![value("0903343439", 1), value("0903343440", 2)],
        }];
    }
    let render = |role| {
        CasePage::new(&dossier, &staff(role), String::new(), None, None)
            .render()
            .unwrap()
    };
    assert!(render(Role::Triage).contains("0903 343 440"));
    assert!(!render(Role::Officer).contains("343"));
}

#[test]
fn a_decision_of_a_colleague_changes_what_was_seen() {
    let before = case();
    let noted = Case {
        notes: Vec::new(),
        ..before.clone()
    };
    let assigned = Case {
        division: Some("police".to_owned()),
        ..before.clone()
    };
    assert_eq!(seen(&before), seen(&noted));
    assert_ne!(seen(&before), seen(&assigned));
}

#[test]
fn degrees_are_rounded_on_both_sides_of_zero() {
    let location = Location {
        latitude_e6: -10_780_925,
        longitude_e6: 4,
    };
    assert_eq!(degrees(location), "−10,78093; 0,00000");
}
