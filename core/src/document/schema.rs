//! The field names of each kind of document, and the way between documents and typed records.
//! The only projector: rows, screens and exports are all made from what it gives. Knows nothing of
//! who may change what; see [`crate::policy`].

pub mod field;
mod read;
mod write;

use super::DocumentState;
use crate::edit::{FieldName, InitialField, Value};
use crate::model::{
    Case, Confidentiality, DocumentKind, LegalBasis, LegalKind, OfficerId, Person, ReportedKind,
    Satisfaction, Source, Status, Urgency, Visit, text,
};
use field::field_name;
use read::Fields;

pub use read::{attached_by, attachment, note, shown_as, value};
pub use write::{
    append, attachment_item, increment, location_value, note_item, set, splice, text_value,
    time_value, uuid_value,
};

/// The category of what fits no other.
pub const CATEGORY_OTHER: &str = "other";

/// Reads a case. Fields of a newer app are passed over, unknown codes read as their default.
#[must_use]
pub fn case(state: &DocumentState) -> Option<Case> {
    let head = case_head(state)?;
    Some(Case {
        notes: Fields(state).notes(),
        ..head
    })
}

/// A case without its notes: what most questions are about, and what costs the same however much was
/// said since.
#[must_use]
pub fn case_head(state: &DocumentState) -> Option<Case> {
    if state.document.kind != DocumentKind::Case {
        return None;
    }
    let fields = Fields(state);
    Some(Case {
        id: state.document.uuid,
        code: fields.code(field::CODE).unwrap_or_default().to_owned(),
        external_ref: fields.code(field::EXTERNAL_REF).map(str::to_owned),
        visit: fields.uuid(field::VISIT),
        area: fields.code(field::AREA).map(str::to_owned),
        place: fields.words(field::PLACE),
        reported_kind: fields
            .code(field::REPORTED_KIND)
            .and_then(ReportedKind::from_code)
            .unwrap_or(ReportedKind::Report),
        legal_kind: fields
            .code(field::LEGAL_KIND)
            .and_then(LegalKind::from_code),
        category: fields
            .words(field::CATEGORY)
            .unwrap_or_else(|| CATEGORY_OTHER.to_owned()),
        urgency: fields
            .code(field::URGENCY)
            .and_then(Urgency::from_code)
            .unwrap_or(Urgency::Normal),
        source: fields
            .code(field::SOURCE)
            .and_then(Source::from_code)
            .unwrap_or(Source::HeardFromPerson),
        status: fields
            .code(field::STATUS)
            .and_then(Status::from_code)
            .unwrap_or(Status::Recorded),
        recorded_at: fields.time(field::RECORDED_AT).unwrap_or_default(),
        recorded_by: OfficerId(fields.uuid(field::RECORDED_BY).unwrap_or_default()),
        text: text::normalize(fields.text(field::TEXT).unwrap_or_default()),
        households: fields.counter(field::HOUSEHOLDS).unwrap_or(1),
        location: fields.location(field::LOCATION),
        official_number: fields.code(field::OFFICIAL_NUMBER).map(str::to_owned),
        division: fields.code(field::DIVISION).map(str::to_owned),
        assignee: fields.words(field::ASSIGNEE),
        due_at: fields.time(field::DUE_AT),
        answer: fields.words(field::ANSWER),
        delivered_at: fields.time(field::DELIVERED_AT),
        satisfaction: fields
            .code(field::SATISFACTION)
            .and_then(Satisfaction::from_code),
        void_reason: fields.words(field::VOID_REASON),
        paper_reference: fields.words(field::PAPER_REFERENCE),
        confidentiality: confidentiality(fields),
        notes: Vec::new(),
        attachments: fields.attachments(),
        conflicts: fields.conflicts(),
    })
}

/// How many notes a case has, without reading them.
#[must_use]
pub fn note_count(state: &DocumentState) -> usize {
    Fields(state).note_count()
}

/// Reads a visit.
#[must_use]
pub fn visit(state: &DocumentState) -> Option<Visit> {
    if state.document.kind != DocumentKind::Visit {
        return None;
    }
    let fields = Fields(state);
    Some(Visit {
        id: state.document.uuid,
        external_ref: fields.code(field::EXTERNAL_REF).map(str::to_owned),
        area: fields.code(field::AREA).map(str::to_owned),
        place: fields.words(field::PLACE),
        started_at: fields.time(field::STARTED_AT).unwrap_or_default(),
        ended_at: fields.time(field::ENDED_AT),
        officer: OfficerId(fields.uuid(field::OFFICER).unwrap_or_default()),
        summary: text::normalize(fields.text(field::SUMMARY).unwrap_or_default()),
        conflicts: fields.conflicts(),
    })
}

/// Reads the identifying data of a citizen.
#[must_use]
pub fn person(state: &DocumentState) -> Option<Person> {
    if state.document.kind != DocumentKind::Person {
        return None;
    }
    let fields = Fields(state);
    Some(Person {
        id: state.document.uuid,
        name: fields.words(field::NAME),
        phone: fields.words(field::PHONE),
        address: fields.words(field::ADDRESS),
        contact_name: fields.words(field::CONTACT_NAME),
        contact_phone: fields.words(field::CONTACT_PHONE),
        legal_basis: fields
            .code(field::LEGAL_BASIS)
            .and_then(LegalBasis::from_code),
        consent_text: fields.words(field::CONSENT_TEXT),
        conflicts: fields.conflicts(),
    })
}

/// A text of the document as it is, which is what a splice counts in; typed records are normalised.
#[must_use]
pub fn raw_text<'a>(state: &'a DocumentState, field: &str) -> Option<&'a str> {
    Fields(state).text(field)
}

/// The fields of a creation that reads back as `case`. Every field of the schema is there, so that
/// no two replicas ever have to make the same text or list.
#[must_use]
pub fn case_fields(case: &Case) -> Vec<(FieldName, InitialField)> {
    let words = |words: &Option<String>| register(text_value(words.as_deref()));
    let code = |code: Option<&str>| register(text_value(code));
    ascending([
        (field::ANSWER, words(&case.answer)),
        (field::AREA, words(&case.area)),
        (field::ASSIGNEE, words(&case.assignee)),
        (
            field::ATTACHMENTS,
            InitialField::List(case.attachments.iter().map(attachment_item).collect()),
        ),
        (field::CATEGORY, code(Some(&case.category))),
        (field::CODE, code(Some(&case.code))),
        (
            field::CONFIDENTIALITY,
            code(Some(case.confidentiality.code())),
        ),
        (field::DELIVERED_AT, register(time_value(case.delivered_at))),
        (field::DIVISION, words(&case.division)),
        (field::DUE_AT, register(time_value(case.due_at))),
        (field::EXTERNAL_REF, words(&case.external_ref)),
        (field::HOUSEHOLDS, InitialField::Counter(case.households)),
        (
            field::LEGAL_KIND,
            code(case.legal_kind.map(LegalKind::code)),
        ),
        (field::LOCATION, register(location_value(case.location))),
        (
            field::NOTES,
            InitialField::List(case.notes.iter().map(note_item).collect()),
        ),
        (field::OFFICIAL_NUMBER, words(&case.official_number)),
        (field::PAPER_REFERENCE, words(&case.paper_reference)),
        (field::PLACE, words(&case.place)),
        (
            field::RECORDED_AT,
            register(time_value(Some(case.recorded_at))),
        ),
        (
            field::RECORDED_BY,
            register(uuid_value(Some(case.recorded_by.0))),
        ),
        (field::REPORTED_KIND, code(Some(case.reported_kind.code()))),
        (
            field::SATISFACTION,
            code(case.satisfaction.map(Satisfaction::code)),
        ),
        (field::SOURCE, code(Some(case.source.code()))),
        (field::STATUS, code(Some(case.status.code()))),
        (field::TEXT, InitialField::Text(case.text.clone())),
        (field::URGENCY, code(Some(case.urgency.code()))),
        (field::VISIT, register(uuid_value(case.visit))),
        (field::VOID_REASON, words(&case.void_reason)),
    ])
}

/// The fields of a creation that reads back as `visit`.
#[must_use]
pub fn visit_fields(visit: &Visit) -> Vec<(FieldName, InitialField)> {
    let words = |words: &Option<String>| register(text_value(words.as_deref()));
    ascending([
        (field::AREA, words(&visit.area)),
        (field::ENDED_AT, register(time_value(visit.ended_at))),
        (field::EXTERNAL_REF, words(&visit.external_ref)),
        (field::OFFICER, register(uuid_value(Some(visit.officer.0)))),
        (field::PLACE, words(&visit.place)),
        (
            field::STARTED_AT,
            register(time_value(Some(visit.started_at))),
        ),
        (field::SUMMARY, InitialField::Text(visit.summary.clone())),
    ])
}

/// The fields of a creation that reads back as `person`.
#[must_use]
pub fn person_fields(person: &Person) -> Vec<(FieldName, InitialField)> {
    let words = |words: &Option<String>| register(text_value(words.as_deref()));
    ascending([
        (field::ADDRESS, words(&person.address)),
        (field::CONTACT_NAME, words(&person.contact_name)),
        (field::CONTACT_PHONE, words(&person.contact_phone)),
        (
            field::LEGAL_BASIS,
            register(text_value(person.legal_basis.map(LegalBasis::code))),
        ),
        (field::CONSENT_TEXT, words(&person.consent_text)),
        (field::NAME, words(&person.name)),
        (field::PHONE, words(&person.phone)),
    ])
}

/// What a newer app means by a word that this one does not know can only be narrower than normal.
fn confidentiality(fields: Fields<'_>) -> Confidentiality {
    fields
        .code(field::CONFIDENTIALITY)
        .map_or(Confidentiality::Normal, |code| {
            Confidentiality::from_code(code).unwrap_or(Confidentiality::Restricted)
        })
}

fn register(value: Value) -> InitialField {
    InitialField::Register(value)
}

fn ascending<const N: usize>(
    mut fields: [(&'static str, InitialField); N],
) -> Vec<(FieldName, InitialField)> {
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
        .into_iter()
        .map(|(name, initial)| (field_name(name), initial))
        .collect()
}
