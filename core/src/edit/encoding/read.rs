//! Bytes to edit. Takes exactly what `write` makes: no length is believed before its limit was
//! looked at, and vectors grow as items are really there.

use super::{LAYOUT, field_tag, form, operation_tag, value_tag};
use crate::codec::{DecodeError, Reader};
use crate::edit::limits::{
    DEPENDENCIES_MAX, EDIT_BYTES_MAX, FIELD_NAME_BYTES_MAX, FIELDS_MAX, INITIAL_ITEMS_MAX,
    ITEM_PARTS_MAX, OPERATIONS_MAX, VALUE_BYTES_MAX,
};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::{ActorId, DocumentId, EditId, IntentId, Timestamp};

pub(super) fn edit(mut reader: Reader<'_>) -> Result<Edit, DecodeError> {
    if reader.rest().len() > EDIT_BYTES_MAX {
        return Err(DecodeError::OverLimit {
            limit: EDIT_BYTES_MAX,
        });
    }
    known(reader.byte()?, LAYOUT)?;
    let edit = match reader.byte()? {
        form::CREATION => creation(&mut reader)?,
        form::CHANGE => change(&mut reader)?,
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    reader.finish()?;
    Ok(edit)
}

fn creation(reader: &mut Reader<'_>) -> Result<Edit, DecodeError> {
    let document = document(reader)?;
    let actor = ActorId(reader.fixed()?);
    let device_time = Timestamp(reader.signed()?);
    let fields = ascending_names(reader, FIELDS_MAX, initial_field)?;
    Ok(Edit {
        document,
        intent: IntentId(document.uuid.into_bytes()),
        actor,
        sequence: 1,
        dependencies: Vec::new(),
        device_time,
        operations: vec![Operation::Create { fields }],
    })
}

fn change(reader: &mut Reader<'_>) -> Result<Edit, DecodeError> {
    let document = document(reader)?;
    let intent = IntentId(reader.fixed()?);
    let actor = ActorId(reader.fixed()?);
    let sequence = reader.unsigned()?;
    if sequence == 0 {
        return Err(DecodeError::InvalidValue);
    }
    Ok(Edit {
        document,
        intent,
        actor,
        sequence,
        dependencies: dependencies(reader)?,
        device_time: Timestamp(reader.signed()?),
        operations: operations(reader)?,
    })
}

fn document(reader: &mut Reader<'_>) -> Result<DocumentId, DecodeError> {
    let bytes: [u8; 17] = reader.fixed()?;
    DocumentId::from_slice(&bytes).ok_or(DecodeError::UnknownCode(bytes[0].into()))
}

fn dependencies(reader: &mut Reader<'_>) -> Result<Vec<EditId>, DecodeError> {
    let count = at_least_one(reader, DEPENDENCIES_MAX)?;
    let mut dependencies = Vec::new();
    for _ in 0..count {
        let dependency = EditId(reader.fixed()?);
        if dependencies.last().is_some_and(|last| *last >= dependency) {
            return Err(DecodeError::NonCanonicalOrder);
        }
        dependencies.push(dependency);
    }
    Ok(dependencies)
}

fn operations(reader: &mut Reader<'_>) -> Result<Vec<Operation>, DecodeError> {
    let count = at_least_one(reader, OPERATIONS_MAX)?;
    (0..count).map(|_| operation(reader)).collect()
}

fn operation(reader: &mut Reader<'_>) -> Result<Operation, DecodeError> {
    let tag = reader.byte()?;
    if !(operation_tag::SET_REGISTER..=operation_tag::INCREMENT).contains(&tag) {
        return Err(DecodeError::UnknownCode(tag.into()));
    }
    let field = field_name(reader)?;
    Ok(match tag {
        operation_tag::SET_REGISTER => Operation::SetRegister {
            field,
            value: value(reader)?,
        },
        operation_tag::SPLICE_TEXT => Operation::SpliceText {
            field,
            position: unsigned_32(reader)?,
            delete: unsigned_32(reader)?,
            insert: reader.text(VALUE_BYTES_MAX)?.to_owned(),
            length: unsigned_32(reader)?,
        },
        operation_tag::APPEND_ITEM => Operation::AppendItem {
            field,
            item: item(reader)?,
        },
        _ => Operation::Increment {
            field,
            by: reader.signed()?,
        },
    })
}

fn initial_field(reader: &mut Reader<'_>) -> Result<InitialField, DecodeError> {
    match reader.byte()? {
        field_tag::REGISTER => value(reader).map(InitialField::Register),
        field_tag::TEXT => Ok(InitialField::Text(reader.text(VALUE_BYTES_MAX)?.to_owned())),
        field_tag::LIST => {
            let count = reader.count(INITIAL_ITEMS_MAX)?;
            let items: Result<_, _> = (0..count).map(|_| item(reader)).collect();
            items.map(InitialField::List)
        }
        field_tag::COUNTER => reader.signed().map(InitialField::Counter),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

fn item(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    ascending_names(reader, ITEM_PARTS_MAX, value)
}

fn value(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
    match reader.byte()? {
        value_tag::NULL => Ok(Value::Null),
        value_tag::FALSE => Ok(Value::Bool(false)),
        value_tag::TRUE => Ok(Value::Bool(true)),
        value_tag::INT => reader.signed().map(Value::Int),
        value_tag::TEXT => Ok(Value::Text(reader.text(VALUE_BYTES_MAX)?.to_owned())),
        value_tag::BYTES => Ok(Value::Bytes(reader.bytes(VALUE_BYTES_MAX)?.to_vec())),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

/// A count, then so many names, each with what `read` gives, strictly ascending.
fn ascending_names<T>(
    reader: &mut Reader<'_>,
    limit: usize,
    read: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<(FieldName, T)>, DecodeError> {
    let count = reader.count(limit)?;
    let mut named: Vec<(FieldName, T)> = Vec::new();
    for _ in 0..count {
        let name = field_name(reader)?;
        if named.last().is_some_and(|(last, _)| *last >= name) {
            return Err(DecodeError::NonCanonicalOrder);
        }
        named.push((name, read(reader)?));
    }
    Ok(named)
}

fn field_name(reader: &mut Reader<'_>) -> Result<FieldName, DecodeError> {
    FieldName::new(reader.text(FIELD_NAME_BYTES_MAX)?).ok_or(DecodeError::InvalidValue)
}

fn at_least_one(reader: &mut Reader<'_>, limit: usize) -> Result<usize, DecodeError> {
    match reader.count(limit)? {
        0 => Err(DecodeError::InvalidValue),
        count => Ok(count),
    }
}

fn unsigned_32(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(reader.unsigned()?).map_err(|_| DecodeError::NonCanonicalInteger)
}

fn known(found: u8, expected: u8) -> Result<(), DecodeError> {
    if found == expected {
        Ok(())
    } else {
        Err(DecodeError::UnknownCode(found.into()))
    }
}
