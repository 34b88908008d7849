//! What staff do with cases, as verbs; knows no HTTP. The console and the demo call the same.

use gandan_core::model::{Person, ReportedKind, Source, Urgency};
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
pub fn record(_ward: &Ward, _staff: &Staff, _case: DeskCase) -> Result<(Uuid, String), WardError> {
    todo!()
}

/// Accepts a case; gives its official number.
///
/// # Errors
/// See [`WardError`].
pub fn accept(_ward: &Ward, _staff: &Staff, _case: Uuid) -> Result<String, WardError> {
    todo!()
}

/// Assigns a case to a division and maybe a person; the case is in progress from then on.
///
/// # Errors
/// See [`WardError`].
pub fn assign(
    _ward: &Ward,
    _staff: &Staff,
    _case: Uuid,
    _division: &str,
    _assignee: Option<&str>,
) -> Result<(), WardError> {
    todo!()
}

/// Writes the answer that will be brought to the citizen.
///
/// # Errors
/// See [`WardError`].
pub fn answer(_ward: &Ward, _staff: &Staff, _case: Uuid, _answer: &str) -> Result<(), WardError> {
    todo!()
}

/// Closes a case.
///
/// # Errors
/// See [`WardError`].
pub fn close(_ward: &Ward, _staff: &Staff, _case: Uuid) -> Result<(), WardError> {
    todo!()
}

/// Adds an internal note or a reply.
///
/// # Errors
/// See [`WardError`].
pub fn note(
    _ward: &Ward,
    _staff: &Staff,
    _case: Uuid,
    _text: &str,
    _visibility: gandan_core::model::NoteVisibility,
) -> Result<(), WardError> {
    todo!()
}
