//! What an edit is without its values: itself, blank. Many edits share one shape.

use crate::codec::DecodeError;
use crate::edit::{Edit, EncodedEdit, FieldName, InitialField, Item, Operation, Value};
use crate::model::{ActorId, EditId, IntentId, Timestamp};

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A value taken out of its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A blank edit: its head is zero, its values are empty, zero or nothing.
pub(super) struct Shape {
    /// Its canonical encoding.
    pub(super) bytes: Vec<u8>,
    /// Names and kinds of its slots, in order.
    pub(super) slots: Vec<(String, Kind)>,
    blank: Edit,
}

impl Shape {
    /// Takes the values out of an edit.
    pub(super) fn take(edit: &Edit) -> (Self, Vec<Taken>) {
        let kind = edit.document.kind.code();
        let mut blank = edit.clone();
        let mut values = Vec::new();
        let mut slots = Vec::new();
        each_slot(&mut blank, &mut |name, slot| {
            let value = slot.take();
            slots.push((format!("{kind}{name}"), value.kind()));
            values.push(value);
            Ok(())
        })
        .expect("taking never fails");
        blank_head(&mut blank);
        let encoded =
            EncodedEdit::encode(blank).expect("a blank edit keeps the rules that the edit kept");
        let shape = Self {
            bytes: encoded.bytes().to_vec(),
            slots,
            blank: encoded.edit().clone(),
        };
        (shape, values)
    }

    /// Reads a shape. Only a blank edit is one.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let encoded = EncodedEdit::decode(bytes)?;
        let (shape, _) = Self::take(encoded.edit());
        if shape.bytes != bytes {
            return Err(DecodeError::InvalidValue);
        }
        Ok(shape)
    }

    /// How many dependencies an edit of this shape has; 0 for a creation.
    pub(super) fn dependency_count(&self) -> usize {
        self.blank.dependencies.len()
    }

    /// The edit with these values in its slots, its head still blank.
    pub(super) fn fill(
        &self,
        mut values: impl Iterator<Item = Result<Taken, DecodeError>>,
    ) -> Result<Edit, DecodeError> {
        let mut edit = self.blank.clone();
        each_slot(&mut edit, &mut |_, slot| {
            slot.fill(values.next().ok_or(DecodeError::Truncated)??)
        })?;
        Ok(edit)
    }
}

impl Taken {
    /// About the bytes that the value has in its edit.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Int(_) => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }
}

enum Slot<'a> {
    Int(&'a mut i64),
    Count(&'a mut u32),
    Text(&'a mut String),
    Bytes(&'a mut Vec<u8>),
}

impl Slot<'_> {
    fn take(self) -> Taken {
        match self {
            Self::Int(value) => Taken::Int(std::mem::take(value)),
            Self::Count(value) => Taken::Int(std::mem::take(value).into()),
            Self::Text(value) => Taken::Text(std::mem::take(value)),
            Self::Bytes(value) => Taken::Bytes(std::mem::take(value)),
        }
    }

    fn fill(self, taken: Taken) -> Result<(), DecodeError> {
        match (self, taken) {
            (Self::Int(slot), Taken::Int(value)) => *slot = value,
            (Self::Count(slot), Taken::Int(value)) => {
                *slot = u32::try_from(value).map_err(|_| DecodeError::InvalidValue)?;
            }
            (Self::Text(slot), Taken::Text(value)) => *slot = value,
            (Self::Bytes(slot), Taken::Bytes(value)) => *slot = value,
            _ => return Err(DecodeError::InvalidValue),
        }
        Ok(())
    }
}

/// Names a slot: the field, and what within it.
struct SlotName<'a>(&'a FieldName, &'a str);

impl std::fmt::Display for SlotName<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0.as_str(), self.1)
    }
}

type Visit<'v> = dyn FnMut(SlotName<'_>, Slot<'_>) -> Result<(), DecodeError> + 'v;

fn blank_head(edit: &mut Edit) {
    edit.document.uuid = uuid::Uuid::nil();
    edit.intent = IntentId([0; 16]);
    edit.actor = ActorId([0; 16]);
    edit.sequence = 1;
    edit.device_time = Timestamp(0);
    // Dependencies ascend, so the blank ones do.
    for (number, dependency) in (0..).zip(&mut edit.dependencies) {
        *dependency = EditId([0; 32]);
        dependency.0[31] = number;
    }
}

fn each_slot(edit: &mut Edit, visit: &mut Visit<'_>) -> Result<(), DecodeError> {
    edit.operations
        .iter_mut()
        .try_for_each(|operation| match operation {
            Operation::Create { fields } => fields
                .iter_mut()
                .try_for_each(|(field, initial)| initial_slots(field, initial, visit)),
            Operation::SetRegister { field, value } => {
                value_slot(SlotName(field, ""), value, visit)
            }
            Operation::SpliceText {
                field,
                position,
                delete,
                insert,
                length,
            } => {
                visit(SlotName(field, "#position"), Slot::Count(position))?;
                visit(SlotName(field, "#delete"), Slot::Count(delete))?;
                visit(SlotName(field, "#length"), Slot::Count(length))?;
                visit(SlotName(field, ""), Slot::Text(insert))
            }
            Operation::AppendItem { field, item } => item_slots(field, item, visit),
            Operation::Increment { field, by } => visit(SlotName(field, ""), Slot::Int(by)),
        })
}

fn initial_slots(
    field: &FieldName,
    initial: &mut InitialField,
    visit: &mut Visit<'_>,
) -> Result<(), DecodeError> {
    match initial {
        InitialField::Register(value) => value_slot(SlotName(field, ""), value, visit),
        InitialField::Text(text) => visit(SlotName(field, ""), Slot::Text(text)),
        InitialField::List(items) => items
            .iter_mut()
            .try_for_each(|item| item_slots(field, item, visit)),
        InitialField::Counter(value) => visit(SlotName(field, ""), Slot::Int(value)),
    }
}

fn item_slots(
    field: &FieldName,
    item: &mut Item,
    visit: &mut Visit<'_>,
) -> Result<(), DecodeError> {
    item.iter_mut()
        .try_for_each(|(part, value)| value_slot(SlotName(field, part.as_str()), value, visit))
}

fn value_slot(
    name: SlotName<'_>,
    value: &mut Value,
    visit: &mut Visit<'_>,
) -> Result<(), DecodeError> {
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Int(value) => visit(name, Slot::Int(value)),
        Value::Text(text) => visit(name, Slot::Text(text)),
        Value::Bytes(bytes) => visit(name, Slot::Bytes(bytes)),
    }
}
