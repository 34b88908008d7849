//! Typed records from documents and back.

use proptest::prelude::*;
use uuid::Uuid;

use super::super::schema::{self, field};
use super::super::{DocumentState, FieldState, materialize};
use super::plan::{actor, document, edit, name, next_edit, play, sample_case, seeded, steps};
use crate::edit::{Edit, EncodedEdit, FieldName, InitialField, Operation, Value};
use crate::model::{
    Attachment, AttachmentHash, Case, Confidentiality, DocumentId, DocumentKind, IntentId,
    LegalBasis, LegalKind, Location, Note, NoteVisibility, OfficerId, Person, ReportedKind,
    Satisfaction, Source, Status, Timestamp, Urgency, Visit,
};

/// A case in which no field is what it is by default.
fn full_case() -> Case {
    let uuid = |number: u128| Uuid::from_u128(0x0195_5d7a_0000_7000_8000_0000_0000_0100 + number);
    let words = |words: &str| Some(words.to_owned());
    Case {
        external_ref: words("c-17"),
        legal_kind: Some(LegalKind::Complaint),
        urgency: Urgency::Urgent,
        source: Source::Letter,
        reported_kind: ReportedKind::Complaint,
        status: Status::Answered,
        location: Some(Location {
            latitude_e6: -10_779_000,
            longitude_e6: 106_650_123,
        }),
        official_number: words("PA-2026-000123/P26995"),
        division: words("economy"),
        assignee: words("Trần Thị Thịnh"),
        due_at: Some(Timestamp(1_773_018_000_000)),
        answer: words("Đã sửa."),
        delivered_at: Some(Timestamp(-1)),
        satisfaction: Some(Satisfaction::NotSatisfied),
        void_reason: words("ghi nhầm"),
        paper_reference: words("TC-07"),
        confidentiality: Confidentiality::Restricted,
        notes: vec![Note {
            id: uuid(1),
            text: "Bà Thịnh nói đã gọi hai lần.".to_owned(),
            author: OfficerId(uuid(2)),
            at: Timestamp(1_772_420_000_000),
            visibility: NoteVisibility::Reply,
        }],
        attachments: vec![Attachment {
            hash: AttachmentHash([7; 32]),
            name: "đèn.jpg".to_owned(),
            bytes: 123_456,
            mime: "image/jpeg".to_owned(),
            at: Timestamp(1_772_420_000_001),
            thumbnail: None,
        }],
        ..sample_case()
    }
}

#[test]
fn the_head_of_a_case_is_the_case_without_its_notes_and_they_are_counted_as_they_are_read() {
    let mut state = created(
        DocumentId::case(full_case().id),
        schema::case_fields(&full_case()),
    );
    // What a newer app may have meant by a note without words is none here.
    if let Some(FieldState::List(items)) = state.fields.get_mut(&name(field::NOTES)) {
        items.push(Vec::new());
    }
    let whole = schema::case(&state).expect("a case");
    assert_eq!(whole.notes.len(), 1);
    assert_eq!(schema::note_count(&state), whole.notes.len());
    let head = Case {
        notes: Vec::new(),
        ..whole
    };
    assert_eq!(schema::case_head(&state), Some(head));
}

fn created(id: DocumentId, fields: Vec<(FieldName, InitialField)>) -> DocumentState {
    let create = Edit {
        document: id,
        intent: IntentId(*id.uuid.as_bytes()),
        ..edit(actor(0), vec![], vec![Operation::Create { fields }])
    };
    // Encoding refuses fields that are not in ascending order.
    let create = EncodedEdit::encode(create).unwrap();
    materialize([&create]).unwrap().state
}

fn with(state: &DocumentState, field: &str, value: FieldState) -> DocumentState {
    let mut state = state.clone();
    state.fields.insert(name(field), value);
    state
}

fn register(value: Value) -> FieldState {
    FieldState::Register(vec![super::super::Concurrent {
        value,
        actor: actor(0),
    }])
}

#[test]
fn a_creation_reads_back_as_the_record_it_was_made_from() {
    for case in [sample_case(), full_case()] {
        let state = created(document(), schema::case_fields(&case));
        assert_eq!(schema::case(&state), Some(case));
    }
    let visit = Visit {
        id: document().uuid,
        external_ref: Some("v1".to_owned()),
        area: Some("kp1".to_owned()),
        place: None,
        started_at: Timestamp(5),
        ended_at: Some(Timestamp(6)),
        officer: OfficerId(document().uuid),
        summary: "Thăm hộ khó khăn".to_owned(),
        conflicts: vec![],
    };
    let id = DocumentId::visit(visit.id);
    let state = created(id, schema::visit_fields(&visit));
    assert_eq!(schema::visit(&state), Some(visit));
    let person = Person {
        id: document().uuid,
        name: Some("Nguyễn Thị Hoa".to_owned()),
        phone: Some("0903343439".to_owned()),
        address: None,
        contact_name: Some("Nguyễn Văn Tám".to_owned()),
        contact_phone: None,
        legal_basis: Some(LegalBasis::Consent),
        consent_text: Some("2026-1".to_owned()),
        conflicts: vec![],
    };
    let id = DocumentId::person_of(person.id);
    let state = created(id, schema::person_fields(&person));
    assert_eq!(schema::person(&state), Some(person));
}

#[test]
fn a_creation_holds_every_field_of_the_schema() {
    let case = schema::case_fields(&sample_case());
    let visit = Visit {
        id: document().uuid,
        external_ref: None,
        area: None,
        place: None,
        started_at: Timestamp(0),
        ended_at: None,
        officer: OfficerId(document().uuid),
        summary: String::new(),
        conflicts: vec![],
    };
    for (kind, fields) in [
        (DocumentKind::Case, case),
        (DocumentKind::Visit, schema::visit_fields(&visit)),
        (
            DocumentKind::Person,
            schema::person_fields(&Person::default()),
        ),
    ] {
        let made: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let known: Vec<_> = field::definitions(kind)
            .iter()
            .map(|definition| definition.name)
            .collect();
        assert_eq!(made, known);
    }
}

#[test]
fn a_document_reads_only_as_what_it_is() {
    let state = created(document(), schema::case_fields(&sample_case()));
    assert_eq!(schema::visit(&state), None);
    assert_eq!(schema::person(&state), None);
}

#[test]
fn what_a_newer_app_means_by_an_unknown_code_reads_as_the_careful_default() {
    let state = created(document(), schema::case_fields(&full_case()));
    let unknown = || register(Value::Text("unheard_of".to_owned()));
    let read = |field| schema::case(&with(&state, field, unknown())).unwrap();
    assert_eq!(read(field::STATUS).status, Status::Recorded);
    assert_eq!(
        read(field::REPORTED_KIND).reported_kind,
        ReportedKind::Report
    );
    assert_eq!(read(field::LEGAL_KIND).legal_kind, None);
    assert_eq!(read(field::URGENCY).urgency, Urgency::Normal);
    assert_eq!(read(field::SOURCE).source, Source::HeardFromPerson);
    assert_eq!(read(field::SATISFACTION).satisfaction, None);
    // A word for a narrower circle must not widen it.
    assert_eq!(
        read(field::CONFIDENTIALITY).confidentiality,
        Confidentiality::Restricted
    );
}

#[test]
fn a_field_of_another_type_or_none_at_all_reads_as_its_default() {
    let empty = DocumentState {
        fields: Default::default(),
        ..created(document(), schema::case_fields(&full_case()))
    };
    let from_nothing = schema::case(&empty).unwrap();
    assert_eq!(from_nothing.category, "other");
    assert_eq!(from_nothing.confidentiality, Confidentiality::Normal);
    for definition in field::CASE {
        for wrong in [
            register(Value::Bool(true)),
            register(Value::Bytes(vec![1, 2, 3])),
            register(Value::Int(i64::MIN)),
            FieldState::Text("a".to_owned()),
            FieldState::Counter(-1),
            FieldState::List(vec![vec![], super::plan::item("a")]),
        ] {
            // Nothing to compare with: it must not panic, and says something.
            assert!(schema::case(&with(&empty, definition.name, wrong)).is_some());
        }
    }
}

#[test]
fn texts_are_shown_in_one_form_whatever_was_typed_and_merged() {
    let decomposed = "Ða\u{300}o  ";
    let case = Case {
        text: decomposed.to_owned(),
        place: Some(decomposed.to_owned()),
        ..sample_case()
    };
    let state = created(document(), schema::case_fields(&case));
    let read = schema::case(&state).unwrap();
    assert_eq!(read.text, "Đào");
    assert_eq!(read.place.as_deref(), Some("Đào"));
    // What a splice counts in is left alone.
    assert_eq!(schema::raw_text(&state, field::TEXT), Some(decomposed));
}

#[test]
fn values_set_at_once_are_listed_with_who_set_them_and_the_shown_one_first() {
    let first = EncodedEdit::encode(Edit {
        intent: IntentId(*document().uuid.as_bytes()),
        ..edit(
            actor(0),
            vec![],
            vec![Operation::Create {
                fields: schema::case_fields(&sample_case()),
            }],
        )
    })
    .unwrap();
    let by = |writer, field, value| {
        let operations = vec![schema::set(field, value)];
        EncodedEdit::encode(edit(actor(writer), vec![first.id()], operations)).unwrap()
    };
    let due = |time| schema::time_value(Some(Timestamp(time)));
    let text = |words| schema::text_value(Some(words));
    let edits = [
        by(1, field::DUE_AT, due(0)),
        by(2, field::DUE_AT, due(1000)),
        // The same words in two forms are no conflict.
        by(3, field::PLACE, text("Chợ cũ")),
        by(4, field::PLACE, text("Cho\u{323}\u{31b} cũ")),
    ];
    let state = materialize([&first].into_iter().chain(&edits))
        .unwrap()
        .state;
    let conflicts = schema::case(&state).unwrap().conflicts;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].field, "due_at");
    let shown: Vec<_> = conflicts[0]
        .values
        .iter()
        .map(|one| (one.value.as_str(), one.actor))
        .collect();
    assert_eq!(
        shown,
        [
            ("1970-01-01T00:00:01.000Z", actor(2)),
            ("1970-01-01T00:00:00.000Z", actor(1)),
        ]
    );
}

#[test]
fn values_are_shown_as_people_and_machines_read_them() {
    use field::ValueShape;
    let place = schema::location_value(Some(Location {
        latitude_e6: -5,
        longitude_e6: 106_650_123,
    }));
    for (value, shape, shown) in [
        (place, ValueShape::Location, "-0.000005,106.650123"),
        (Value::Null, ValueShape::Words, ""),
        (Value::Bool(true), ValueShape::Code, "true"),
        (
            Value::Int(i64::MAX),
            ValueShape::Time,
            "9223372036854775807",
        ),
        (Value::Bytes(vec![1, 255]), ValueShape::Uuid, "01ff"),
        (
            schema::uuid_value(Some(document().uuid)),
            ValueShape::Uuid,
            "01955d7a-0000-7000-8000-000000000001",
        ),
    ] {
        assert_eq!(schema::shown_as(&value, shape), shown);
    }
}

#[test]
fn an_edit_of_this_build_keeps_what_a_newer_app_wrote() {
    let first = super::plan::creation();
    let before = materialize([&first]).unwrap();
    let operations = field::CASE
        .iter()
        .filter_map(|definition| match definition.shape {
            field::FieldShape::Register(_) => Some(schema::set(definition.name, Value::Null)),
            field::FieldShape::Text => {
                let old = schema::raw_text(&before.state, definition.name).unwrap();
                schema::splice(definition.name, old, "")
            }
            field::FieldShape::List => Some(schema::append(definition.name, vec![])),
            field::FieldShape::Counter => Some(schema::increment(definition.name, 1)),
        })
        .collect();
    let change = next_edit(&before.state, before.heads, actor(1), operations);
    let after = materialize([&first, &change]).unwrap().state;
    let newer: Vec<_> = after
        .fields
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("newer_"))
        .collect();
    assert_eq!(newer.len(), 4);
    for (name, field) in newer {
        assert_eq!(Some(field), before.state.fields.get(name));
    }
}

proptest! {
    #![proptest_config(seeded(300))]

    #[test]
    fn the_smallest_splice_turns_the_old_text_into_the_new(
        prefix in ".{0,6}", old in ".{0,6}", new in ".{0,6}", suffix in ".{0,6}",
    ) {
        let before = format!("{prefix}{old}{suffix}");
        let after = format!("{prefix}{new}{suffix}");
        let case = Case { text: before.clone(), ..sample_case() };
        let mut state = created(document(), schema::case_fields(&case));
        match schema::splice(field::TEXT, &before, &after) {
            None => prop_assert_eq!(before, after),
            Some(operation) => {
                let Operation::SpliceText { delete, insert, .. } = &operation else { panic!() };
                prop_assert!(*delete as usize <= old.chars().count());
                prop_assert!(insert.chars().count() <= new.chars().count());
                let head = crate::model::EditId([0; 32]);
                let change = next_edit(&state, vec![head], actor(1), vec![operation]);
                state.apply(change.edit()).unwrap();
                prop_assert_eq!(schema::raw_text(&state, field::TEXT), Some(after.as_str()));
            }
        }
    }

    #[test]
    fn reading_a_record_never_fails(plan in steps(12)) {
        let state = materialize(&play(&plan)).unwrap().state;
        prop_assert!(schema::case(&state).is_some());
    }
}
