//! Whether values are of the type that the schema gives their field.

use crate::document::schema::field::{self, FieldDefinition, FieldShape, ValueShape};
use crate::edit::{InitialField, Operation, Value};
use crate::model::DocumentKind;

/// Whether a creation makes of a field what it is.
pub(super) fn has_shape(initial: &InitialField, definition: &FieldDefinition) -> bool {
    match (initial, definition.shape) {
        (InitialField::Register(value), FieldShape::Register(shape)) => {
            value_has_shape(value, shape, definition.is_optional)
        }
        (InitialField::Text(_), FieldShape::Text)
        | (InitialField::List(_), FieldShape::List)
        | (InitialField::Counter(_), FieldShape::Counter) => true,
        _ => false,
    }
}

/// Whether the operation is one for that field, where the field is known.
pub(super) fn suits(operation: &Operation, kind: DocumentKind) -> bool {
    let definition = operation
        .field()
        .and_then(|name| field::definition(kind, name.as_str()));
    let Some(definition) = definition else {
        return true;
    };
    match (operation, definition.shape) {
        (Operation::SetRegister { value, .. }, FieldShape::Register(shape)) => {
            value_has_shape(value, shape, definition.is_optional)
        }
        (Operation::SpliceText { .. }, FieldShape::Text)
        | (Operation::AppendItem { .. }, FieldShape::List)
        | (Operation::Increment { .. }, FieldShape::Counter) => true,
        _ => false,
    }
}

fn value_has_shape(value: &Value, shape: ValueShape, is_optional: bool) -> bool {
    match (value, shape) {
        (Value::Null, _) => is_optional,
        (Value::Text(_), ValueShape::Words | ValueShape::Code)
        | (Value::Int(_), ValueShape::Time) => true,
        (Value::Bytes(bytes), ValueShape::Uuid) => bytes.len() == 16,
        (Value::Bytes(bytes), ValueShape::Location) => bytes.len() == 8,
        _ => false,
    }
}
