//! Edits in words, for history and for what was not let in.

use super::schema;
use super::schema::field::{self, FieldShape, ValueShape};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::DocumentKind;

/// One operation of an edit, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// `create`, `set`, `splice`, `append` or `increment`.
    pub operation: String,
    /// Name of the field; empty for a creation.
    pub field: String,
    /// The new value as text, where there is one.
    pub value: Option<String>,
}

/// What an edit did, in order; a creation is one line.
#[must_use]
pub fn history(edit: &Edit) -> Vec<FieldChange> {
    let kind = edit.document.kind;
    let described = edit.operations.iter().map(|operation| match operation {
        Operation::Create { .. } => change("create", "", None),
        other => describe(kind, other),
    });
    described.collect()
}

/// What an edit would have done, whole; a creation is one line for each field that says something.
#[must_use]
pub fn whole(edit: &Edit) -> Vec<FieldChange> {
    let kind = edit.document.kind;
    let mut content = Vec::new();
    for operation in &edit.operations {
        match operation {
            Operation::Create { fields } => {
                content.push(change("create", "", None));
                for (name, initial) in fields {
                    describe_initial(kind, name, initial, &mut content);
                }
            }
            other => content.push(describe(kind, other)),
        }
    }
    content
}

fn describe(kind: DocumentKind, operation: &Operation) -> FieldChange {
    match operation {
        Operation::Create { .. } => change("create", "", None),
        Operation::SetRegister { field, value } => set(kind, field, value),
        Operation::SpliceText { field, insert, .. } => {
            change("splice", field.as_str(), Some(insert.clone()))
        }
        Operation::AppendItem { field, item } => {
            change("append", field.as_str(), item_words(field.as_str(), item))
        }
        Operation::Increment { field, by } => {
            change("increment", field.as_str(), Some(format!("{by:+}")))
        }
    }
}

fn describe_initial(
    kind: DocumentKind,
    name: &FieldName,
    initial: &InitialField,
    content: &mut Vec<FieldChange>,
) {
    match initial {
        InitialField::Register(Value::Null) => {}
        InitialField::Register(value) => content.push(set(kind, name, value)),
        InitialField::Text(text) if text.is_empty() => {}
        InitialField::Text(text) => {
            content.push(change("set", name.as_str(), Some(text.clone())));
        }
        InitialField::List(items) => content.extend(
            items
                .iter()
                .map(|item| change("append", name.as_str(), item_words(name.as_str(), item))),
        ),
        InitialField::Counter(value) => {
            content.push(change("set", name.as_str(), Some(value.to_string())));
        }
    }
}

fn set(kind: DocumentKind, name: &FieldName, value: &Value) -> FieldChange {
    let definition = field::definitions(kind)
        .iter()
        .find(|definition| definition.name == name.as_str());
    let shape = match definition.map(|definition| definition.shape) {
        Some(FieldShape::Register(shape)) => shape,
        // Of a newer app: shown as it is.
        _ => ValueShape::Code,
    };
    let words = (*value != Value::Null).then(|| schema::shown_as(value, shape));
    change("set", name.as_str(), words)
}

fn item_words(field: &str, item: &Item) -> Option<String> {
    match field {
        field::NOTES => schema::note(item).map(|note| note.text),
        field::ATTACHMENTS => schema::attachment(item).map(|attachment| attachment.name),
        _ => None,
    }
}

fn change(operation: &str, field: &str, value: Option<String>) -> FieldChange {
    FieldChange {
        operation: operation.to_owned(),
        field: field.to_owned(),
        value,
    }
}
