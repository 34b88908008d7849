//! From a document to typed records. Reading never fails: what is missing, of another type or a
//! code of a newer app reads as its default, because a screen must show the rest all the same.

use uuid::Uuid;

use super::field::{self, FieldShape, ValueShape, part};
use crate::document::{DocumentState, FieldState};
use crate::edit::{Edit, InitialField, Item, Operation, Value};
use crate::model::records::ConcurrentValue;
use crate::model::{
    Attachment, AttachmentHash, Concurrency, Location, Note, NoteVisibility, OfficerId, Timestamp,
    text,
};

/// Looks fields up by name.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a DocumentState);

impl<'a> Fields<'a> {
    fn field(self, name: &str) -> Option<&'a FieldState> {
        self.0.fields.get(name)
    }

    /// The value of a register that is shown everywhere.
    fn shown(self, name: &str) -> Option<&'a Value> {
        match self.field(name)? {
            FieldState::Register(values) => values.first().map(|concurrent| &concurrent.value),
            _ => None,
        }
    }

    pub(super) fn code(self, name: &str) -> Option<&'a str> {
        match self.shown(name)? {
            Value::Text(code) => Some(code),
            _ => None,
        }
    }

    pub(super) fn words(self, name: &str) -> Option<String> {
        self.code(name).map(text::normalize)
    }

    /// A text as it was typed, before anything is normalised.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        match self.field(name)? {
            FieldState::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn time(self, name: &str) -> Option<Timestamp> {
        match self.shown(name)? {
            Value::Int(milliseconds) => Some(Timestamp(*milliseconds)),
            _ => None,
        }
    }

    pub(super) fn uuid(self, name: &str) -> Option<Uuid> {
        self.shown(name).and_then(as_uuid)
    }

    pub(super) fn location(self, name: &str) -> Option<Location> {
        self.shown(name).and_then(as_location)
    }

    pub(super) fn counter(self, name: &str) -> Option<i64> {
        match self.field(name)? {
            FieldState::Counter(value) => Some(*value),
            _ => None,
        }
    }

    fn items(self, name: &str) -> &'a [Item] {
        match self.field(name) {
            Some(FieldState::List(items)) => items,
            _ => &[],
        }
    }

    pub(super) fn notes(self) -> Vec<Note> {
        let items = self.items(field::NOTES);
        items.iter().filter_map(note).collect()
    }

    pub(super) fn note_count(self) -> usize {
        let items = self.items(field::NOTES);
        let is_note = |item: &&Item| value(item, part::TEXT).and_then(as_text).is_some();
        items.iter().filter(is_note).count()
    }

    pub(super) fn attachments(self) -> Vec<Attachment> {
        let items = self.items(field::ATTACHMENTS);
        items.iter().filter_map(attachment).collect()
    }

    /// Registers of the schema that have several values at once. Who set the same value at the
    /// same time agrees, so that is nothing to choose from.
    pub(super) fn conflicts(self) -> Vec<Concurrency> {
        let definitions = field::definitions(self.0.document.kind);
        let conflict = |definition: &field::FieldDefinition| {
            let FieldShape::Register(shape) = definition.shape else {
                return None;
            };
            let Some(FieldState::Register(concurrent)) = self.field(definition.name) else {
                return None;
            };
            let mut values: Vec<ConcurrentValue> = Vec::new();
            for one in concurrent {
                let value = shown_as(&one.value, shape);
                if values.iter().all(|known| known.value != value) {
                    let actor = one.actor;
                    values.push(ConcurrentValue { value, actor });
                }
            }
            (values.len() > 1).then(|| Concurrency {
                field: definition.name.to_owned(),
                values,
            })
        };
        definitions.iter().filter_map(conflict).collect()
    }
}

/// The note that an item of the list of notes says; `None` if it has no text.
#[must_use]
pub fn note(item: &Item) -> Option<Note> {
    let written = as_text(value(item, part::TEXT)?)?;
    Some(Note {
        id: value(item, part::ID).and_then(as_uuid).unwrap_or_default(),
        text: text::normalize(written),
        author: OfficerId(
            value(item, part::AUTHOR)
                .and_then(as_uuid)
                .unwrap_or_default(),
        ),
        at: time(item),
        // What a newer app meant by another word, this one must not show to the citizen.
        visibility: value(item, part::VISIBILITY)
            .and_then(as_text)
            .and_then(NoteVisibility::from_code)
            .unwrap_or(NoteVisibility::Internal),
    })
}

/// The attachment that an item of the list of attachments says; `None` if it names no bytes.
#[must_use]
pub fn attachment(item: &Item) -> Option<Attachment> {
    let Some(Value::Bytes(hash)) = value(item, part::HASH) else {
        return None;
    };
    let words = |name| {
        let words = value(item, name).and_then(as_text).unwrap_or_default();
        words.to_owned()
    };
    Some(Attachment {
        hash: AttachmentHash::from_slice(hash)?,
        name: text::normalize(&words(part::NAME)),
        bytes: match value(item, part::BYTES) {
            Some(Value::Int(bytes)) => u64::try_from(*bytes).unwrap_or_default(),
            _ => 0,
        },
        mime: words(part::MIME),
        at: time(item),
        thumbnail: match value(item, part::THUMBNAIL) {
            Some(Value::Bytes(hash)) => AttachmentHash::from_slice(hash),
            _ => None,
        },
    })
}

/// The files that an edit attaches, thumbnails too.
#[must_use]
pub fn attached_by(edit: &Edit) -> Vec<AttachmentHash> {
    let mut attached: Vec<Attachment> = Vec::new();
    for operation in &edit.operations {
        match operation {
            Operation::AppendItem { field, item } if field.as_str() == field::ATTACHMENTS => {
                attached.extend(attachment(item));
            }
            Operation::Create { fields } => {
                for (name, initial) in fields {
                    if let (field::ATTACHMENTS, InitialField::List(items)) =
                        (name.as_str(), initial)
                    {
                        attached.extend(items.iter().filter_map(attachment));
                    }
                }
            }
            _ => {}
        }
    }
    attached
        .iter()
        .flat_map(|file| file.thumbnail.into_iter().chain([file.hash]))
        .collect()
}

/// The part of an item that has this name.
#[must_use]
pub fn value<'a>(item: &'a Item, name: &str) -> Option<&'a Value> {
    item.iter()
        .find(|(part, _)| part.as_str() == name)
        .map(|(_, value)| value)
}

/// A value as history and lists of conflicts show it: words and codes as they are, moments in RFC
/// 3339, places in degrees. Nothing is the empty text.
#[must_use]
pub fn shown_as(value: &Value, shape: ValueShape) -> String {
    match (value, shape) {
        (Value::Null, _) => String::new(),
        (Value::Text(words), ValueShape::Words) => text::normalize(words),
        (Value::Text(code), _) => code.clone(),
        (Value::Int(milliseconds), ValueShape::Time) => Timestamp(*milliseconds).to_rfc3339(),
        (Value::Int(number), _) => number.to_string(),
        (Value::Bool(claim), _) => claim.to_string(),
        (Value::Bytes(bytes), ValueShape::Location) if bytes.len() == 8 => as_location(value)
            .map(|place| {
                format!(
                    "{},{}",
                    degrees(place.latitude_e6),
                    degrees(place.longitude_e6)
                )
            })
            .unwrap_or_default(),
        (Value::Bytes(bytes), _) => as_uuid(value).map_or_else(
            || data_encoding::HEXLOWER.encode(bytes),
            |uuid| uuid.to_string(),
        ),
    }
}

fn degrees(millionths: i32) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

fn time(item: &Item) -> Timestamp {
    match value(item, part::AT) {
        Some(Value::Int(milliseconds)) => Timestamp(*milliseconds),
        _ => Timestamp::default(),
    }
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn as_uuid(value: &Value) -> Option<Uuid> {
    match value {
        Value::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}

pub(super) fn as_location(value: &Value) -> Option<Location> {
    let Value::Bytes(bytes) = value else {
        return None;
    };
    let (latitude, longitude) = bytes.split_at_checked(4)?;
    Some(Location {
        latitude_e6: i32::from_be_bytes(latitude.try_into().ok()?),
        longitude_e6: i32::from_be_bytes(longitude.try_into().ok()?),
    })
}
