//! Who may create what.

use super::*;
use crate::model::{LegalKind, Satisfaction};

fn creates(author: Author, case: &Case) -> Result<(), RejectionCode> {
    let edit = create(DocumentId::case(case.id), schema::case_fields(case));
    check(author, &edit, None, None)
}

/// The creation of a plain case with one field replaced.
fn creates_with(field: &str, initial: InitialField) -> Result<(), RejectionCode> {
    let mut fields = schema::case_fields(&plain_case());
    fields.retain(|(name, _)| name.as_str() != field);
    fields.push((name(field), initial));
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    let edit = create(DocumentId::case(plain_case().id), fields);
    check(author(RECORDER, Role::Officer), &edit, None, None)
}

#[test]
fn everybody_but_the_administrator_records_in_their_own_name() {
    for author in authors() {
        let expected = match (author.role, author.officer) {
            (Role::Admin, _) => Err(RejectionCode::FieldNotAllowed),
            (_, RECORDER) => Ok(()),
            _ => Err(RejectionCode::NotYourRecord),
        };
        assert_eq!(creates(author, &plain_case()), expected);
        let visit = plain_visit();
        let visit = create(DocumentId::visit(visit.id), schema::visit_fields(&visit));
        assert_eq!(check(author, &visit, None, None), expected);
    }
}

#[test]
fn a_case_begins_as_recorded_and_without_number() {
    for status in Status::ALL {
        let case = Case {
            status: *status,
            ..plain_case()
        };
        for role in [Role::Officer, Role::Triage, Role::Chair] {
            let expected = if *status == Status::Recorded {
                Ok(())
            } else {
                Err(RejectionCode::TransitionNotAllowed)
            };
            assert_eq!(creates(author(RECORDER, role), &case), expected);
        }
    }
    let numbered = Case {
        official_number: Some("PA-2026-000001/P26995".to_owned()),
        ..plain_case()
    };
    for role in [Role::Officer, Role::Triage, Role::Chair] {
        let refused = Err(RejectionCode::FieldNotAllowed);
        assert_eq!(creates(author(RECORDER, role), &numbered), refused);
    }
}

#[test]
fn what_the_office_decides_is_decided_at_creation_by_the_office_only() {
    let words = || Some("a".to_owned());
    let decisions = [
        Case {
            legal_kind: Some(LegalKind::Complaint),
            ..plain_case()
        },
        Case {
            division: words(),
            ..plain_case()
        },
        Case {
            assignee: words(),
            ..plain_case()
        },
        Case {
            due_at: Some(Timestamp(1)),
            ..plain_case()
        },
        Case {
            answer: words(),
            ..plain_case()
        },
        Case {
            confidentiality: Confidentiality::Restricted,
            ..plain_case()
        },
    ];
    let refused = Err(RejectionCode::FieldNotAllowed);
    for case in decisions {
        for role in [Role::Officer, Role::Leader] {
            assert_eq!(creates(author(RECORDER, role), &case), refused);
        }
        for role in [Role::Triage, Role::Chair] {
            assert_eq!(creates(author(RECORDER, role), &case), Ok(()));
        }
    }
    let nobodys = [
        Case {
            delivered_at: Some(Timestamp(1)),
            ..plain_case()
        },
        Case {
            satisfaction: Some(Satisfaction::Satisfied),
            ..plain_case()
        },
        Case {
            void_reason: words(),
            ..plain_case()
        },
    ];
    for case in nobodys {
        for role in [Role::Officer, Role::Triage] {
            assert_eq!(creates(author(RECORDER, role), &case), refused);
        }
    }
}

#[test]
fn a_creation_makes_every_field_of_its_type() {
    let malformed = Err(RejectionCode::Malformed);
    for definition in field::CASE {
        let wrong = match definition.shape {
            FieldShape::List => InitialField::Counter(0),
            _ => InitialField::List(vec![]),
        };
        assert_eq!(creates_with(definition.name, wrong), malformed);
        let mut fields = schema::case_fields(&plain_case());
        fields.retain(|(name, _)| name.as_str() != definition.name);
        let edit = create(DocumentId::case(plain_case().id), fields);
        let result = check(author(RECORDER, Role::Officer), &edit, None, None);
        // An older or newer app may lack a register that can hold nothing, but not a list or a
        // text, which nobody could make later.
        let expected = if definition.is_optional {
            Ok(())
        } else {
            malformed
        };
        assert_eq!(result, expected, "{}", definition.name);
    }
}

#[test]
fn an_app_that_knows_more_fields_may_create_them() {
    let newer = InitialField::List(vec![vec![]]);
    assert_eq!(creates_with("newer_list", newer), Ok(()));
}

#[test]
fn notes_of_a_creation_are_its_authors() {
    let Operation::AppendItem { item, .. } = note_by(SOMEBODY) else {
        panic!("a note is appended");
    };
    assert_eq!(
        creates_with(field::NOTES, InitialField::List(vec![item])),
        Err(RejectionCode::FieldNotAllowed)
    );
}

#[test]
fn a_person_is_created_by_who_recorded_its_case() {
    let case = in_status(Status::Recorded);
    let id = DocumentId::person_of(plain_case().id);
    let edit = create(id, schema::person_fields(&Person::default()));
    for author in authors() {
        let expected = match (author.role, author.officer) {
            (Role::Admin, _) => Err(RejectionCode::FieldNotAllowed),
            (Role::Triage | Role::Chair, _) | (_, RECORDER) => Ok(()),
            _ => Err(RejectionCode::NotYourRecord),
        };
        assert_eq!(check(author, &edit, None, Some(&case)), expected);
    }
}
