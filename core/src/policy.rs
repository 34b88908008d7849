//! Who may change what: a pure function, asked on the phone before an edit is made and on the
//! server, which alone decides, before it is admitted. Applies the tables of [`rules`]; knows
//! nothing of areas (that is scope, and the server's) nor of whether an edit can be executed.

mod rejection;
pub mod rules;
mod shape;
mod standing;
mod stop_card;
#[cfg(test)]
mod tests;

use uuid::Uuid;

use crate::document::schema::field::{self, part};
use crate::document::{DocumentState, FieldState, schema};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::{DocumentKind, OfficerId, Role, Status};
use rules::{AtCreation, FieldRule, Leave, OnStopCard};
use shape::{has_shape, suits};
use standing::Standing;
use stop_card::is_denunciation;

pub use rejection::RejectionCode;
pub use stop_card::is_found_denunciation;

/// In whose name an edit is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub officer: OfficerId,
    /// As what.
    pub role: Role,
}

/// Whether `author` may make `edit` on a document that says `before` (`None`: it is created).
/// `case` is what the case of a person says, because only its recorder may set the person; it is
/// not asked for of other documents.
///
/// # Errors
/// The rule that stands against it.
pub fn check(
    author: Author,
    edit: &Edit,
    before: Option<&DocumentState>,
    case: Option<&DocumentState>,
) -> Result<(), RejectionCode> {
    if author.role == Role::Admin {
        return Err(RejectionCode::FieldNotAllowed);
    }
    match (edit.operations.as_slice(), before) {
        ([Operation::Create { fields }], None) => {
            let standing = Standing::of_creator(author, edit.document.kind, case)?;
            check_creation(author, standing, edit.document.kind, fields)
        }
        (operations, Some(before)) => {
            // Execution counts only what an edit builds on; the document itself has an end too.
            if before.is_full() {
                return Err(RejectionCode::Malformed);
            }
            let standing = Standing::of(author, before, case)?;
            check_change(author, standing, operations, before)
        }
        (_, None) => Err(RejectionCode::NotApplicable),
    }
}

/// The fields that `author` may change now, ascending; for the buttons of a screen. Not asked
/// where nothing may be changed: an unknown document is an empty list. `case` is as in [`check`].
#[must_use]
pub fn allowed_fields(
    author: Author,
    before: &DocumentState,
    case: Option<&DocumentState>,
) -> Vec<&'static str> {
    let Ok(standing) = Standing::of(author, before, case) else {
        return Vec::new();
    };
    if author.role == Role::Admin || before.is_full() {
        return Vec::new();
    }
    let statuses = statuses(before);
    let is_card = is_denunciation(before);
    rules::FIELDS
        .iter()
        .filter(|rule| rule.kind == before.document.kind)
        .filter(|rule| standing.has_leave(rule.recorder, rule.in_scope, rule.office, &statuses))
        .filter(|rule| !is_card || rule.on_stop_card == OnStopCard::Anything)
        .map(|rule| rule.field)
        .collect()
}

/// The states to which `author` may take a case now, without the one it is in, in the order of
/// screens; for the buttons of a screen.
#[must_use]
pub fn allowed_transitions(author: Author, before: &DocumentState) -> Vec<Status> {
    if author.role == Role::Admin || before.document.kind != DocumentKind::Case {
        return Vec::new();
    }
    let Ok(standing) = Standing::of(author, before, None) else {
        return Vec::new();
    };
    let now = statuses(before);
    let is_settled = now.len() == 1;
    Status::ALL
        .iter()
        .copied()
        .filter(|to| !(is_settled && now.contains(to)))
        .filter(|to| standing.may_take(&now, *to))
        .collect()
}

fn check_creation(
    author: Author,
    standing: Standing,
    kind: DocumentKind,
    fields: &[(FieldName, InitialField)],
) -> Result<(), RejectionCode> {
    let initial = |name: &str| {
        let found = fields.iter().find(|(known, _)| known.as_str() == name);
        found.map(|(_, initial)| initial)
    };
    for definition in field::definitions(kind) {
        match initial(definition.name) {
            Some(initial) if !has_shape(initial, definition) => {
                return Err(RejectionCode::Malformed);
            }
            None if !definition.is_optional => return Err(RejectionCode::Malformed),
            _ => {}
        }
    }
    if kind == DocumentKind::Person && !(standing.is_recorder || standing.is_office) {
        return Err(RejectionCode::NotYourRecord);
    }
    if kind == DocumentKind::Case {
        stop_card::check_creation(fields)?;
    }
    for (name, initial) in fields {
        let Some(rule) = rule_of(kind, name.as_str()) else {
            continue;
        };
        if !fits_creation(initial, rule.at_creation, author, standing) {
            return Err(match rule.at_creation {
                AtCreation::Author => RejectionCode::NotYourRecord,
                AtCreation::Only(_) => RejectionCode::TransitionNotAllowed,
                _ => RejectionCode::FieldNotAllowed,
            });
        }
        if let InitialField::List(items) = initial
            && rule.field == field::NOTES
            && !items.iter().all(|item| is_signed_by(item, author))
        {
            return Err(RejectionCode::FieldNotAllowed);
        }
    }
    Ok(())
}

fn check_change(
    author: Author,
    standing: Standing,
    operations: &[Operation],
    before: &DocumentState,
) -> Result<(), RejectionCode> {
    let kind = before.document.kind;
    if kind == DocumentKind::Case {
        stop_card::check_change(operations, before)?;
    }
    let mut statuses = statuses(before);
    for operation in operations {
        let Some(name) = operation.field().map(FieldName::as_str) else {
            return Err(RejectionCode::NotApplicable);
        };
        let Some(rule) = rule_of(kind, name) else {
            let unknown = rules::UNKNOWN_FIELDS.iter().find(|rule| rule.kind == kind);
            let (recorder, office) = unknown.map_or((Leave::Never, Leave::Never), |rule| {
                (rule.recorder, rule.office)
            });
            if !standing.has_leave(recorder, Leave::Never, office, &statuses) {
                return Err(standing.refusal(recorder));
            }
            continue;
        };
        if !suits(operation, kind) {
            return Err(RejectionCode::Malformed);
        }
        if rule.field == field::STATUS && kind == DocumentKind::Case {
            statuses = vec![check_transition(
                standing, operation, operations, &statuses,
            )?];
            continue;
        }
        if !standing.has_leave(rule.recorder, rule.in_scope, rule.office, &statuses) {
            return Err(standing.refusal(rule.recorder));
        }
        if let Operation::AppendItem { item, .. } = operation
            && rule.field == field::NOTES
            && !is_signed_by(item, author)
        {
            return Err(RejectionCode::FieldNotAllowed);
        }
    }
    Ok(())
}

/// The state after an operation that sets one.
fn check_transition(
    standing: Standing,
    operation: &Operation,
    operations: &[Operation],
    now: &[Status],
) -> Result<Status, RejectionCode> {
    let to = match operation {
        Operation::SetRegister {
            value: Value::Text(code),
            ..
        } => Status::from_code(code),
        _ => None,
    };
    let to = to.ok_or(RejectionCode::TransitionNotAllowed)?;
    let is_new = !now.contains(&to);
    if !standing.may_take(now, to) {
        let is_his_matter = !is_new || to == Status::Voided;
        return Err(
            if is_his_matter && !standing.is_recorder && !standing.is_office {
                RejectionCode::NotYourRecord
            } else {
                RejectionCode::TransitionNotAllowed
            },
        );
    }
    let gives_reason = |operation: &Operation| {
        matches!(operation, Operation::SetRegister { field, value: Value::Text(reason) }
            if field.as_str() == field::VOID_REASON && !reason.trim().is_empty())
    };
    if to == Status::Voided && is_new && !operations.iter().any(gives_reason) {
        return Err(RejectionCode::TransitionNotAllowed);
    }
    Ok(to)
}

fn fits_creation(
    initial: &InitialField,
    rule: AtCreation,
    author: Author,
    standing: Standing,
) -> bool {
    let InitialField::Register(value) = initial else {
        return true;
    };
    let is_code = |code: &str| matches!(value, Value::Text(text) if text == code);
    match rule {
        AtCreation::Anything => true,
        AtCreation::Author => is_uuid(value, author.officer.0),
        AtCreation::Only(code) => is_code(code),
        AtCreation::NothingUnlessOffice => standing.is_office || *value == Value::Null,
        AtCreation::OnlyUnlessOffice(code) => standing.is_office || is_code(code),
        AtCreation::Nothing => *value == Value::Null,
    }
}

fn rule_of(kind: DocumentKind, name: &str) -> Option<&'static FieldRule> {
    rules::FIELDS
        .iter()
        .find(|rule| rule.kind == kind && rule.field == name)
}

/// A note says who wrote it, and nobody may write in another's name.
fn is_signed_by(item: &Item, author: Author) -> bool {
    schema::value(item, part::AUTHOR).is_some_and(|value| is_uuid(value, author.officer.0))
}

fn is_uuid(value: &Value, uuid: Uuid) -> bool {
    matches!(value, Value::Bytes(bytes) if bytes == uuid.as_bytes())
}

/// Every state that the case is in now. A state of a newer app is none of ours, and nothing leads
/// out of it here.
fn statuses(state: &DocumentState) -> Vec<Status> {
    values(state, field::STATUS)
        .filter_map(|value| match value {
            Value::Text(code) => Status::from_code(code),
            _ => None,
        })
        .collect()
}

fn values<'a>(state: &'a DocumentState, name: &str) -> impl Iterator<Item = &'a Value> {
    let register = match state.fields.get(name) {
        Some(FieldState::Register(values)) => values.as_slice(),
        _ => &[],
    };
    register.iter().map(|concurrent| &concurrent.value)
}
