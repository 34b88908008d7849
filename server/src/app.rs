//! What staff do with cases, as verbs; knows no HTTP. The console and the demo call the same. Every
//! verb ends in the admission that a phone's edits go through; nothing here asks what is allowed.

use gandan_core::document::schema::{self, field};
use gandan_core::edit::{Operation, Value};
use gandan_core::model::text::normalize;
use gandan_core::model::{
    Case, Confidentiality, DocumentId, Note, NoteVisibility, Person, ReportedKind, ShortCode,
    Source, Status, Urgency, phone_number,
};
use gandan_core::store::rows;
use uuid::Uuid;

use crate::ward::{Staff, Ward, WardError};

/// A walk-in, a call or a letter.
#[derive(Debug, Clone)]
pub struct DeskCase {
    /// Walk-in, phone or letter.
    pub source: Source,
    /// What was understood.
    pub kind: ReportedKind,
    /// Code of a category.
    pub category: String,
    /// Code of an area; `None` is unplaced.
    pub area: Option<String>,
    /// Free words for the place.
    pub place: Option<String>,
    /// How soon.
    pub urgency: Urgency,
    /// What was said.
    pub text: String,
    /// `None`: anonymous.
    pub citizen: Option<Person>,
}

/// Records a case at the desk; gives its id and short code.
///
/// # Errors
/// See [`WardError`].
pub fn record(ward: &Ward, staff: &Staff, case: DeskCase) -> Result<(Uuid, String), WardError> {
    if let Some(area) = &case.area {
        let directory = ward.directory()?;
        if !directory.areas.iter().any(|known| known.code == *area) {
            return Err(WardError::NotFound("area"));
        }
    }
    let id = ward.new_uuid();
    let code = free_code(ward)?;
    let citizen = case.citizen.clone();
    let case = from_desk(ward, staff, id, &code, case);
    let creation = |fields| vec![Operation::Create { fields }];
    let mut edits = vec![(DocumentId::case(id), creation(schema::case_fields(&case)))];
    if let Some(person) = citizen.map(|person| normalized(id, person))
        && !is_anonymous(&person)
    {
        let fields = schema::person_fields(&person);
        edits.push((DocumentId::person_of(id), creation(fields)));
    }
    ward.author_all(staff.author, edits)?;
    Ok((id, code))
}

/// Accepts a case; gives its official number.
///
/// # Errors
/// See [`WardError`].
pub fn accept(ward: &Ward, staff: &Staff, case: Uuid) -> Result<String, WardError> {
    ward.accept(staff.author, case)
}

/// Assigns a case to a division and maybe a person; the case is in progress from then on.
///
/// # Errors
/// See [`WardError`].
pub fn assign(
    ward: &Ward,
    staff: &Staff,
    case: Uuid,
    division: &str,
    assignee: Option<&str>,
) -> Result<(), WardError> {
    let directory = ward.directory()?;
    if !directory
        .divisions
        .iter()
        .any(|known| known.code == division)
    {
        return Err(WardError::NotFound("division"));
    }
    let assignee = assignee.map(normalize).filter(|name| !name.is_empty());
    let operations = vec![
        schema::set(field::DIVISION, schema::text_value(Some(division))),
        schema::set(field::ASSIGNEE, schema::text_value(assignee.as_deref())),
        set_status(Status::InProgress),
    ];
    author(ward, staff, case, operations)
}

/// Writes the answer that will be brought to the citizen.
///
/// # Errors
/// See [`WardError`].
pub fn answer(ward: &Ward, staff: &Staff, case: Uuid, answer: &str) -> Result<(), WardError> {
    let answer = normalize(answer);
    if answer.is_empty() {
        return Err(WardError::Invalid(
            "câu trả lời đang trống, hãy ghi điều người dân sẽ nghe (the answer is empty; write what the citizen will hear)",
        ));
    }
    let operations = vec![
        schema::set(field::ANSWER, Value::Text(answer)),
        set_status(Status::Answered),
    ];
    author(ward, staff, case, operations)
}

/// Closes a case.
///
/// # Errors
/// See [`WardError`].
pub fn close(ward: &Ward, staff: &Staff, case: Uuid) -> Result<(), WardError> {
    author(ward, staff, case, vec![set_status(Status::Closed)])
}

/// Finds that a case is a denunciation: what was said and by whom goes, here and on every phone, and a
/// reference is sealed. Cannot be undone.
///
/// # Errors
/// See [`WardError`].
pub fn reclassify(ward: &Ward, staff: &Staff, case: Uuid) -> Result<(), WardError> {
    let denunciation = schema::text_value(Some(ReportedKind::Denunciation.code()));
    let operations = vec![schema::set(field::LEGAL_KIND, denunciation)];
    author(ward, staff, case, operations)
}

/// Adds an internal note or a reply.
///
/// # Errors
/// See [`WardError`].
pub fn note(
    ward: &Ward,
    staff: &Staff,
    case: Uuid,
    text: &str,
    visibility: NoteVisibility,
) -> Result<(), WardError> {
    let text = normalize(text);
    if text.is_empty() {
        return Err(WardError::Invalid("ghi chú đang trống (the note is empty)"));
    }
    let note = Note {
        id: ward.new_uuid(),
        text,
        author: staff.author.officer,
        at: ward.now(),
        visibility,
    };
    let operations = vec![schema::append(field::NOTES, schema::note_item(&note))];
    author(ward, staff, case, operations)
}

fn author(
    ward: &Ward,
    staff: &Staff,
    case: Uuid,
    operations: Vec<Operation>,
) -> Result<(), WardError> {
    ward.author(staff.author, DocumentId::case(case), operations)
        .map(drop)
        .map_err(|error| match error {
            WardError::NotFound(_) => WardError::NotFound("case"),
            other => other,
        })
}

fn set_status(status: Status) -> Operation {
    schema::set(field::STATUS, schema::text_value(Some(status.code())))
}

/// A short code that no case of this ward has. Phones make theirs offline and may, once in many
/// years, make the same one; then both are found.
fn free_code(ward: &Ward) -> Result<String, WardError> {
    loop {
        let code = ShortCode::from_random(ward.random()).to_string();
        if ward
            .read(|connection| rows::case_by_code(connection, &code))?
            .is_none()
        {
            return Ok(code);
        }
    }
}

fn from_desk(ward: &Ward, staff: &Staff, id: Uuid, code: &str, case: DeskCase) -> Case {
    let category = normalize(&case.category);
    Case {
        id,
        code: code.to_owned(),
        external_ref: None,
        visit: None,
        area: case.area,
        place: words(case.place.as_deref()),
        reported_kind: case.kind,
        legal_kind: None,
        category: if category.is_empty() {
            schema::CATEGORY_OTHER.to_owned()
        } else {
            category
        },
        urgency: case.urgency,
        source: case.source,
        status: Status::Recorded,
        recorded_at: ward.now(),
        recorded_by: staff.author.officer,
        text: normalize(&case.text),
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
        notes: Vec::new(),
        attachments: Vec::new(),
        conflicts: Vec::new(),
    }
}

fn normalized(case: Uuid, person: Person) -> Person {
    // A number that is none we know is kept as it was said.
    let phone = |typed: Option<String>| {
        words(typed.as_deref()).map(|typed| phone_number::parse(&typed).unwrap_or(typed))
    };
    Person {
        id: case,
        name: words(person.name.as_deref()),
        phone: phone(person.phone),
        address: words(person.address.as_deref()),
        contact_name: words(person.contact_name.as_deref()),
        contact_phone: phone(person.contact_phone),
        legal_basis: person.legal_basis,
        consent_text: person.consent_text,
        conflicts: Vec::new(),
    }
}

fn is_anonymous(person: &Person) -> bool {
    let said = [
        &person.name,
        &person.phone,
        &person.address,
        &person.contact_name,
        &person.contact_phone,
    ];
    said.iter().all(|said| said.is_none())
}

fn words(typed: Option<&str>) -> Option<String> {
    typed.map(normalize).filter(|words| !words.is_empty())
}
