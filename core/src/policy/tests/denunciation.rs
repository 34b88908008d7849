//! What may be kept of a denunciation.

use super::*;
use crate::model::{Attachment, AttachmentHash, Location};

fn card() -> Case {
    Case {
        reported_kind: ReportedKind::Denunciation,
        area: Some("kp3".to_owned()),
        paper_reference: Some("TC-07/2026".to_owned()),
        ..plain_case()
    }
}

/// A case with one thing in it that could tell who denounced whom.
fn with_content() -> Vec<Case> {
    let words = || Some("nhà ông Tám".to_owned());
    let note = Note {
        id: Uuid::from_u128(5),
        text: "a".to_owned(),
        author: RECORDER,
        at: Timestamp(1),
        visibility: NoteVisibility::Internal,
    };
    let attachment = Attachment {
        hash: AttachmentHash([1; 32]),
        name: "a.jpg".to_owned(),
        bytes: 1,
        mime: "image/jpeg".to_owned(),
        at: Timestamp(1),
        thumbnail: None,
    };
    let location = Some(Location {
        latitude_e6: 1,
        longitude_e6: 1,
    });
    vec![
        Case {
            text: "a".to_owned(),
            ..plain_case()
        },
        Case {
            place: words(),
            ..plain_case()
        },
        Case {
            location,
            ..plain_case()
        },
        Case {
            notes: vec![note],
            ..plain_case()
        },
        Case {
            attachments: vec![attachment],
            ..plain_case()
        },
        Case {
            category: "ông Tám".to_owned(),
            ..plain_case()
        },
        Case {
            external_ref: words(),
            ..plain_case()
        },
        Case {
            visit: Some(Uuid::from_u128(8)),
            ..plain_case()
        },
    ]
}

fn recorder() -> Author {
    author(RECORDER, Role::Officer)
}

fn denounce() -> Operation {
    set("reported_kind", words("denunciation"))
}

const REFUSED: Result<(), RejectionCode> = Err(RejectionCode::DenunciationContent);

#[test]
fn a_stop_card_is_recorded_with_date_area_officer_and_paper_reference() {
    let edit = create(DocumentId::case(card().id), schema::case_fields(&card()));
    assert_eq!(check(recorder(), &edit, None, None), Ok(()));
}

#[test]
fn a_stop_card_with_anything_else_is_refused() {
    for content in with_content() {
        let case = Case {
            reported_kind: ReportedKind::Denunciation,
            ..content
        };
        let edit = create(DocumentId::case(case.id), schema::case_fields(&case));
        assert_eq!(check(recorder(), &edit, None, None), REFUSED, "{case:?}");
    }
    let mut fields = schema::case_fields(&card());
    fields.push((name("newer_text"), InitialField::Text("a".to_owned())));
    let edit = create(DocumentId::case(card().id), fields);
    assert_eq!(check(recorder(), &edit, None, None), REFUSED);
}

#[test]
fn nothing_is_added_to_a_stop_card_afterwards() {
    let before = case_state(&card());
    let kind = DocumentKind::Case;
    for field in [
        "text",
        "place",
        "location",
        "notes",
        "attachments",
        "answer",
        UNKNOWN,
    ] {
        for author in [recorder(), author(SOMEBODY, Role::Triage)] {
            let edit = edit(before.document, vec![touch(kind, field, author)]);
            assert_eq!(
                check(author, &edit, Some(&before), None),
                REFUSED,
                "{field}"
            );
            assert!(!allowed_fields(author, &before, None).contains(&field));
        }
    }
    let change = edit(
        before.document,
        vec![set("paper_reference", words("TC-08"))],
    );
    assert_eq!(check(recorder(), &change, Some(&before), None), Ok(()));
    let accept = edit(before.document, vec![set("status", words("accepted"))]);
    let triage = author(SOMEBODY, Role::Triage);
    assert_eq!(check(triage, &accept, Some(&before), None), Ok(()));
}

#[test]
fn a_case_with_content_does_not_become_a_stop_card() {
    for case in with_content() {
        let before = case_state(&case);
        let edit = edit(before.document, vec![denounce()]);
        assert_eq!(check(recorder(), &edit, Some(&before), None), REFUSED);
    }
    let before = case_state(&plain_case());
    let turn = edit(before.document, vec![denounce()]);
    assert_eq!(check(recorder(), &turn, Some(&before), None), Ok(()));
    let turn = edit(before.document, vec![denounce(), set("place", words("a"))]);
    assert_eq!(check(recorder(), &turn, Some(&before), None), REFUSED);
    // Emptying it in the same breath does not help: the history keeps what was written.
    let before = case_state(&with_content()[1]);
    let turn = edit(before.document, vec![set("place", Value::Null), denounce()]);
    assert_eq!(check(recorder(), &turn, Some(&before), None), REFUSED);
}

#[test]
fn a_stop_card_chosen_by_mistake_becomes_a_report_again() {
    let before = case_state(&card());
    let report = set("reported_kind", words("report"));
    let turn = edit(before.document, vec![set("place", words("Hẻm 12")), report]);
    assert_eq!(check(recorder(), &turn, Some(&before), None), Ok(()));
}

#[test]
fn what_only_one_of_two_calls_a_denunciation_is_treated_as_one() {
    let mut before = case_state(&plain_case());
    let values = ["report", "denunciation"].map(|code| Concurrent {
        value: words(code),
        actor: ActorId([1; 16]),
    });
    before
        .fields
        .insert(name("reported_kind"), FieldState::Register(values.into()));
    let edit = edit(before.document, vec![note_by(RECORDER)]);
    assert_eq!(check(recorder(), &edit, Some(&before), None), REFUSED);
}

#[test]
fn a_stop_card_has_no_person() {
    let case = case_state(&card());
    let id = DocumentId::person_of(card().id);
    let creation = create(id, schema::person_fields(&Person::default()));
    assert_eq!(check(recorder(), &creation, None, Some(&case)), REFUSED);
    let before = person_state();
    let change = edit(id, vec![set("name", words("Nguyễn Văn A"))]);
    assert_eq!(
        check(recorder(), &change, Some(&before), Some(&case)),
        REFUSED
    );
    assert!(allowed_fields(recorder(), &before, Some(&case)).is_empty());
}
