//! What an automerge document says, in our own words.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

use super::super::check::{Base, Shape};
use super::super::{Concurrent, FieldState};
use crate::edit::{FieldName, Item, Value};
use crate::model::ActorId;

/// An automerge document as the rules of execution see it.
pub(super) struct Reading<'a>(pub(super) &'a Automerge);

impl Base for Reading<'_> {
    fn field_count(&self) -> usize {
        self.0.length(ROOT)
    }

    fn shape(&self, field: &FieldName) -> Option<Shape> {
        let (value, object) = self.0.get(ROOT, field.as_str()).ok().flatten()?;
        Some(match value {
            automerge::Value::Object(ObjType::Text) => Shape::Text(self.0.length(object)),
            automerge::Value::Object(_) => Shape::List(self.0.length(object)),
            automerge::Value::Scalar(scalar) => match scalar.as_ref() {
                ScalarValue::Counter(counter) => Shape::Counter(counter.into()),
                _ => Shape::Register,
            },
        })
    }
}

/// Every field.
pub(super) fn fields(document: &Automerge) -> BTreeMap<FieldName, FieldState> {
    document
        .keys(ROOT)
        .filter_map(|key| {
            let name = FieldName::new(&key)?;
            let field = field(document, &key)?;
            Some((name, field))
        })
        .collect()
}

fn field(document: &Automerge, key: &str) -> Option<FieldState> {
    let (shown, object) = document.get(ROOT, key).ok().flatten()?;
    Some(match shown {
        automerge::Value::Object(ObjType::Text) => {
            FieldState::Text(document.text(object).unwrap_or_default())
        }
        automerge::Value::Object(_) => FieldState::List(items(document, &object)),
        automerge::Value::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Counter(counter) => FieldState::Counter(counter.into()),
            _ => FieldState::Register(concurrent(document, key)),
        },
    })
}

/// The winner first, which is the last to be numbered; the others follow in falling order.
fn concurrent(document: &Automerge, key: &str) -> Vec<Concurrent> {
    let all = document.get_all(ROOT, key).unwrap_or_default();
    all.into_iter()
        .rev()
        .filter_map(|(found, operation)| {
            let ObjId::Id(_, actor, _) = operation else {
                return None;
            };
            Some(Concurrent {
                value: value(found.as_scalar()?)?,
                actor: ActorId::from_slice(actor.to_bytes())?,
            })
        })
        .collect()
}

fn items(document: &Automerge, list: &ObjId) -> Vec<Item> {
    (0..document.length(list))
        .filter_map(|index| document.get(list, index).ok().flatten())
        .map(|(_, item)| {
            let mut parts: Item = document
                .map_range(&item, ..)
                .filter_map(|part| {
                    let name = FieldName::new(&part.key)?;
                    let part = automerge::Value::from(part.value);
                    Some((name, value(part.as_scalar()?)?))
                })
                .collect();
            parts.sort_by(|(left, _), (right, _)| left.cmp(right));
            parts
        })
        .collect()
}

fn value(scalar: &ScalarValue) -> Option<Value> {
    match scalar {
        ScalarValue::Null => Some(Value::Null),
        ScalarValue::Boolean(value) => Some(Value::Bool(*value)),
        ScalarValue::Int(value) => Some(Value::Int(*value)),
        ScalarValue::Str(text) => Some(Value::Text(text.to_string())),
        ScalarValue::Bytes(bytes) => Some(Value::Bytes(bytes.clone())),
        // Only this module writes documents, and it writes none of the others.
        _ => None,
    }
}
