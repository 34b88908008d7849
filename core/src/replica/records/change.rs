//! A correction as operations: only what differs from what the case says.

use super::{CaseChange, RecordError, placed};
use crate::document::schema::{self, field};
use crate::document::{DocumentState, FieldState};
use crate::edit::{Operation, Value};
use crate::model::{Directory, ReportedKind, Status, Urgency};
use crate::replica::{area, input};

pub(super) fn operations(
    state: &DocumentState,
    directory: Option<&Directory>,
    change: &CaseChange,
) -> Result<Vec<Operation>, RecordError> {
    let mut operations = Vec::new();
    let mut set = |field, value: Value| {
        if !says(state, field, &value) {
            operations.push(schema::set(field, value));
        }
    };
    let words = |field, typed: &str| -> Result<Value, RecordError> {
        let words = input::optional_words(field, Some(typed))?;
        Ok(schema::text_value(words.as_deref()))
    };
    let code = |code: &'static str| schema::text_value(Some(code));

    if change.area.is_some() || change.place.is_some() {
        let (code, place) = placed(directory, change.area.as_deref(), change.place.as_deref())?;
        if change.area.is_some() {
            set(field::AREA, schema::text_value(code.as_deref()));
        }
        if change.place.is_some() || place.is_some() {
            set(field::PLACE, schema::text_value(place.as_deref()));
        }
    }
    if let Some(kind) = change.kind {
        set(field::REPORTED_KIND, code(ReportedKind::code(kind)));
    }
    if let Some(typed) = &change.category {
        let category = area::category(directory, &input::words("category", typed)?);
        set(field::CATEGORY, schema::text_value(Some(&category)));
    }
    if let Some(urgency) = change.urgency {
        set(field::URGENCY, code(Urgency::code(urgency)));
    }
    if let Some(assignee) = &change.assignee {
        set(field::ASSIGNEE, words(field::ASSIGNEE, assignee)?);
    }
    if let Some(division) = &change.division {
        set(field::DIVISION, words(field::DIVISION, division)?);
    }
    if let Some(answer) = &change.answer {
        let answer = input::text(field::ANSWER, answer)?;
        let answer = Some(answer.as_str()).filter(|answer| !answer.is_empty());
        set(field::ANSWER, schema::text_value(answer));
    }
    if let Some(location) = change.location {
        set(field::LOCATION, schema::location_value(Some(location)));
    }
    if let Some(status) = change.status {
        set(field::STATUS, code(Status::code(status)));
    }
    if let Some(typed) = &change.text {
        let new = input::text(field::TEXT, typed)?;
        let old = schema::raw_text(state, field::TEXT).unwrap_or_default();
        operations.extend(schema::splice(field::TEXT, old, &new));
    }
    if let Some(by) = change.households_by.filter(|by| *by != 0) {
        operations.push(schema::increment(field::HOUSEHOLDS, by.into()));
    }
    Ok(operations)
}

/// Whether a register has this value and no other beside it.
fn says(state: &DocumentState, field: &str, value: &Value) -> bool {
    let register = state.fields.get(field);
    matches!(register, Some(FieldState::Register(values))
        if matches!(values.as_slice(), [only] if only.value == *value))
}
