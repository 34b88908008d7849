//! The field names of each kind of document, and the way between documents and typed records.
//! The only projector: rows, screens and exports are all made from what it gives.

use super::DocumentState;
use crate::edit::{FieldName, InitialField};
use crate::model::{Case, Person, Visit};

/// Reads a case. Fields of a newer app are passed over, unknown codes read as their default.
#[must_use]
pub fn case(_state: &DocumentState) -> Option<Case> {
    todo!()
}

/// Reads a visit.
#[must_use]
pub fn visit(_state: &DocumentState) -> Option<Visit> {
    todo!()
}

/// Reads the identifying data of a citizen.
#[must_use]
pub fn person(_state: &DocumentState) -> Option<Person> {
    todo!()
}

/// The fields of a creation that reads back as `case`.
#[must_use]
pub fn case_fields(_case: &Case) -> Vec<(FieldName, InitialField)> {
    todo!()
}

/// The fields of a creation that reads back as `visit`.
#[must_use]
pub fn visit_fields(_visit: &Visit) -> Vec<(FieldName, InitialField)> {
    todo!()
}

/// The fields of a creation that reads back as `person`.
#[must_use]
pub fn person_fields(_person: &Person) -> Vec<(FieldName, InitialField)> {
    todo!()
}
