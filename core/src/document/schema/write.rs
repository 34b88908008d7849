//! From typed values to the operations of an edit.

use uuid::Uuid;

use super::field::{field_name, part};
use crate::edit::{Item, Operation, Value};
use crate::model::{Attachment, Location, Note, Timestamp};

/// Sets a register of the schema.
///
/// # Panics
/// If `field` is no field name; use the constants of [`super::field`].
#[must_use]
pub fn set(field: &'static str, value: Value) -> Operation {
    Operation::SetRegister {
        field: field_name(field),
        value,
    }
}

/// Appends to a list of the schema.
///
/// # Panics
/// If `field` is no field name; use the constants of [`super::field`].
#[must_use]
pub fn append(field: &'static str, item: Item) -> Operation {
    Operation::AppendItem {
        field: field_name(field),
        item,
    }
}

/// Adds to a counter of the schema.
///
/// # Panics
/// If `field` is no field name; use the constants of [`super::field`].
#[must_use]
pub fn increment(field: &'static str, by: i64) -> Operation {
    Operation::Increment {
        field: field_name(field),
        by,
    }
}

/// The smallest splice that turns `old` into `new`; `None` if nothing differs. `old` must be the
/// text of the document itself, not of a typed record, which is normalised.
///
/// # Panics
/// If `field` is no field name; use the constants of [`super::field`].
#[must_use]
pub fn splice(field: &'static str, old: &str, new: &str) -> Option<Operation> {
    if old == new {
        return None;
    }
    let old: Vec<char> = old.chars().collect();
    let new: Vec<char> = new.chars().collect();
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    Some(Operation::SpliceText {
        field: field_name(field),
        position: u32::try_from(begin).ok()?,
        delete: u32::try_from(old_rest.len() - end).ok()?,
        insert: new_rest[..new_rest.len() - end].iter().collect(),
        length: u32::try_from(old.len()).ok()?,
    })
}

/// Words or a code; nothing for `None`.
#[must_use]
pub fn text_value(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

/// A moment; nothing for `None`.
#[must_use]
pub fn time_value(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| Value::Int(time.0))
}

/// A uuid; nothing for `None`.
#[must_use]
pub fn uuid_value(uuid: Option<Uuid>) -> Value {
    uuid.map_or(Value::Null, |uuid| Value::Bytes(uuid.as_bytes().to_vec()))
}

/// A place; nothing for `None`.
#[must_use]
pub fn location_value(location: Option<Location>) -> Value {
    location.map_or(Value::Null, |location| {
        let mut bytes = location.latitude_e6.to_be_bytes().to_vec();
        bytes.extend(location.longitude_e6.to_be_bytes());
        Value::Bytes(bytes)
    })
}

/// The item of the list of notes that reads back as `note`.
#[must_use]
pub fn note_item(note: &Note) -> Item {
    vec![
        (field_name(part::AT), Value::Int(note.at.0)),
        (field_name(part::AUTHOR), uuid_value(Some(note.author.0))),
        (field_name(part::ID), uuid_value(Some(note.id))),
        (field_name(part::TEXT), Value::Text(note.text.clone())),
        (
            field_name(part::VISIBILITY),
            text_value(Some(note.visibility.code())),
        ),
    ]
}

/// The item of the list of attachments that reads back as `attachment`.
#[must_use]
pub fn attachment_item(attachment: &Attachment) -> Item {
    let mut item = vec![
        (field_name(part::AT), Value::Int(attachment.at.0)),
        (
            field_name(part::BYTES),
            Value::Int(i64::try_from(attachment.bytes).unwrap_or(i64::MAX)),
        ),
        (
            field_name(part::HASH),
            Value::Bytes(attachment.hash.as_bytes().to_vec()),
        ),
        (field_name(part::MIME), Value::Text(attachment.mime.clone())),
        (field_name(part::NAME), Value::Text(attachment.name.clone())),
    ];
    if let Some(thumbnail) = attachment.thumbnail {
        let hash = Value::Bytes(thumbnail.as_bytes().to_vec());
        item.push((field_name(part::THUMBNAIL), hash));
    }
    item
}
