//! What may be kept of a denunciation. A denouncer's identity is a state secret, which may not lie on
//! a networked device: here is only the trace of a form on paper.

use super::rules::{FieldRule, OnStopCard};
use super::{RejectionCode, rule_of, values};
use crate::document::schema::field;
use crate::document::{DocumentState, FieldState};
use crate::edit::{FieldName, InitialField, Operation, Value};
use crate::model::{DocumentKind, ReportedKind};

/// Whether a creation of a case makes a stop card, and holds what one may not hold.
pub(super) fn check_creation(fields: &[(FieldName, InitialField)]) -> Result<(), RejectionCode> {
    let chooses = |(name, initial): &(FieldName, InitialField)| {
        name.as_str() == field::REPORTED_KIND
            && matches!(initial, InitialField::Register(value) if is_denunciation_code(value))
    };
    let fits = |(name, initial): &(FieldName, InitialField)| {
        let rule = rule_of(DocumentKind::Case, name.as_str());
        match initial {
            InitialField::Register(value) => value_fits(value, rule),
            InitialField::Text(text) => text.is_empty() || is_free(rule),
            InitialField::List(items) => items.is_empty() || is_free(rule),
            InitialField::Counter(_) => is_free(rule),
        }
    };
    if fields.iter().any(chooses) && !fields.iter().all(fits) {
        return Err(RejectionCode::DenunciationContent);
    }
    Ok(())
}

/// A denunciation may hold only what a stop card may. What was written once stays in the history,
/// so a case that has content can no longer become a stop card; staff purge it.
pub(super) fn check_change(
    operations: &[Operation],
    before: &DocumentState,
) -> Result<(), RejectionCode> {
    let chosen = operations
        .iter()
        .rev()
        .find_map(|operation| match operation {
            Operation::SetRegister { field, value } if field.as_str() == field::REPORTED_KIND => {
                Some(value)
            }
            _ => None,
        });
    let was_card = is_denunciation(before);
    let is_card = chosen.map_or(was_card, is_denunciation_code);
    if !is_card {
        return Ok(());
    }
    let has_content = |(name, state): (&FieldName, &FieldState)| {
        let rule = rule_of(DocumentKind::Case, name.as_str());
        match state {
            FieldState::Register(values) => values
                .iter()
                .any(|concurrent| !value_fits(&concurrent.value, rule)),
            FieldState::Text(text) => !text.is_empty() && !is_free(rule),
            FieldState::List(items) => !items.is_empty() && !is_free(rule),
            FieldState::Counter(_) => !is_free(rule),
        }
    };
    if chosen.is_some() && before.fields.iter().any(has_content) {
        return Err(RejectionCode::DenunciationContent);
    }
    let adds_content = |operation: &Operation| {
        let rule = operation
            .field()
            .and_then(|name| rule_of(DocumentKind::Case, name.as_str()));
        match operation {
            Operation::SetRegister { value, .. } => !value_fits(value, rule),
            Operation::SpliceText { insert, .. } => !insert.is_empty() && !is_free(rule),
            Operation::AppendItem { .. } | Operation::Increment { .. } => !is_free(rule),
            Operation::Create { .. } => true,
        }
    };
    if operations.iter().any(adds_content) {
        return Err(RejectionCode::DenunciationContent);
    }
    Ok(())
}

fn value_fits(value: &Value, rule: Option<&FieldRule>) -> bool {
    match rule.map_or(OnStopCard::Nothing, |rule| rule.on_stop_card) {
        OnStopCard::Anything => true,
        OnStopCard::Only(code) => matches!(value, Value::Text(text) if text == code),
        OnStopCard::Nothing => *value == Value::Null,
    }
}

/// Fields that only a newer app knows could hold anything, so a stop card has none.
fn is_free(rule: Option<&FieldRule>) -> bool {
    rule.is_some_and(|rule| rule.on_stop_card == OnStopCard::Anything)
}

/// Whether anybody says that the case is a denunciation, be it against another.
pub(super) fn is_denunciation(state: &DocumentState) -> bool {
    values(state, field::REPORTED_KIND).any(is_denunciation_code)
}

/// Whether the office found that the case is a denunciation. [`LegalKind`](crate::model::LegalKind) has no such
/// word, because no such case may stay: the ward purges it when it admits the edit that says so.
#[must_use]
pub fn is_found_denunciation(state: &DocumentState) -> bool {
    values(state, field::LEGAL_KIND).any(is_denunciation_code)
}

fn is_denunciation_code(value: &Value) -> bool {
    matches!(value, Value::Text(code) if code == ReportedKind::Denunciation.code())
}
