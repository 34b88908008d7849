//! What the ward holds of a person, for that person: everything recorded as theirs, nothing about others. Internal
//! notes stay inside: they are the officers' work and may name others.

use gandan_core::document::schema;
use gandan_core::model::{Case, DocumentId, NoteVisibility, Person};
use rusqlite::Connection;
use uuid::Uuid;

use super::audit::{Entry, Kind};
use super::{Ward, WardError, documents};

/// Everything of a person and their case, to be given to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectAccess {
    /// What identifies them; `None` if nothing does, or not any more.
    pub person: Option<Person>,
    /// What they said and what was answered, without internal notes.
    pub case: Case,
}

impl Ward {
    /// What is held of the person of a case, to be given to them; the audit trail tells that it was.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn subject_access(&self, case: Uuid) -> Result<SubjectAccess, WardError> {
        let held = self.shared.read(|connection| read(connection, case))?;
        let person = DocumentId::person_of(case);
        self.note(Entry::of(Kind::SubjectAccess).about(person))?;
        Ok(held)
    }
}

/// `case` is also the person's uuid.
fn read(connection: &Connection, case: Uuid) -> Result<SubjectAccess, WardError> {
    let read = |document| -> Result<_, WardError> {
        let found = documents::read(connection, document)?;
        Ok(found.map(|found| found.state))
    };
    let state = read(DocumentId::case(case))?.ok_or(WardError::NotFound("case"))?;
    let mut case_of = schema::case(&state).ok_or(WardError::Damaged)?;
    case_of
        .notes
        .retain(|note| note.visibility == NoteVisibility::Reply);
    let person = read(DocumentId::person_of(case))?;
    Ok(SubjectAccess {
        person: person.and_then(|state| schema::person(&state)),
        case: case_of,
    })
}
