//! Edit to bytes. Refuses what `read` refuses.

use super::{InvalidEdit, LAYOUT, field_tag, form, operation_tag, value_tag};
use crate::codec::Writer;
use crate::edit::limits::{
    DEPENDENCIES_MAX, EDIT_BYTES_MAX, FIELDS_MAX, INITIAL_ITEMS_MAX, ITEM_PARTS_MAX,
    OPERATIONS_MAX, VALUE_BYTES_MAX,
};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};

type Written = Result<(), InvalidEdit>;

pub(super) fn edit(writer: &mut Writer, edit: &Edit) -> Written {
    writer.byte(LAYOUT);
    match edit.operations.as_slice() {
        [Operation::Create { fields }] => creation(writer, edit, fields)?,
        operations => change(writer, edit, operations)?,
    }
    require(
        writer.len() <= EDIT_BYTES_MAX,
        "an edit is at most EDIT_BYTES_MAX long",
    )
}

fn creation(writer: &mut Writer, edit: &Edit, fields: &[(FieldName, InitialField)]) -> Written {
    // What follows from being a creation is not written, so it must be as it follows.
    require(
        edit.intent.as_bytes() == edit.document.uuid.as_bytes(),
        "a creation's intent is its document's uuid",
    )?;
    require(edit.sequence == 1, "a creation has sequence 1")?;
    require(
        edit.dependencies.is_empty(),
        "a creation has no dependencies",
    )?;
    require(
        fields.len() <= FIELDS_MAX,
        "a creation has at most FIELDS_MAX fields",
    )?;
    require(
        fields.is_sorted_by(|(first, _), (second, _)| first < second),
        "fields ascend by name",
    )?;
    writer
        .byte(form::CREATION)
        .fixed(&edit.document.to_bytes())
        .fixed(edit.actor.as_bytes())
        .signed(edit.device_time.0)
        .count(fields.len());
    for (name, initial) in fields {
        writer.text(name.as_str());
        initial_field(writer, initial)?;
    }
    Ok(())
}

fn change(writer: &mut Writer, edit: &Edit, operations: &[Operation]) -> Written {
    require(edit.sequence > 0, "sequences count from 1")?;
    require(
        (1..=DEPENDENCIES_MAX).contains(&edit.dependencies.len()),
        "a change has 1 to DEPENDENCIES_MAX dependencies",
    )?;
    require(
        edit.dependencies
            .is_sorted_by(|first, second| first < second),
        "dependencies ascend",
    )?;
    require(
        (1..=OPERATIONS_MAX).contains(&operations.len()),
        "a change has 1 to OPERATIONS_MAX operations",
    )?;
    writer
        .byte(form::CHANGE)
        .fixed(&edit.document.to_bytes())
        .fixed(edit.intent.as_bytes())
        .fixed(edit.actor.as_bytes())
        .unsigned(edit.sequence)
        .count(edit.dependencies.len());
    for dependency in &edit.dependencies {
        writer.fixed(dependency.as_bytes());
    }
    writer.signed(edit.device_time.0).count(operations.len());
    operations
        .iter()
        .try_for_each(|operation| write_operation(writer, operation))
}

fn write_operation(writer: &mut Writer, operation: &Operation) -> Written {
    match operation {
        Operation::Create { .. } => Err(InvalidEdit {
            rule: "a creation is the only operation of its edit",
        }),
        Operation::SetRegister { field, value } => {
            writer
                .byte(operation_tag::SET_REGISTER)
                .text(field.as_str());
            write_value(writer, value)
        }
        Operation::SpliceText {
            field,
            position,
            delete,
            insert,
            length,
        } => {
            writer
                .byte(operation_tag::SPLICE_TEXT)
                .text(field.as_str())
                .unsigned(u64::from(*position))
                .unsigned(u64::from(*delete));
            write_text(writer, insert)?;
            writer.unsigned(u64::from(*length));
            Ok(())
        }
        Operation::AppendItem { field, item } => {
            writer.byte(operation_tag::APPEND_ITEM).text(field.as_str());
            write_item(writer, item)
        }
        Operation::Increment { field, by } => {
            writer
                .byte(operation_tag::INCREMENT)
                .text(field.as_str())
                .signed(*by);
            Ok(())
        }
    }
}

fn initial_field(writer: &mut Writer, initial: &InitialField) -> Written {
    match initial {
        InitialField::Register(value) => {
            writer.byte(field_tag::REGISTER);
            write_value(writer, value)
        }
        InitialField::Text(text) => {
            writer.byte(field_tag::TEXT);
            write_text(writer, text)
        }
        InitialField::List(items) => {
            require(
                items.len() <= INITIAL_ITEMS_MAX,
                "a list begins with at most INITIAL_ITEMS_MAX items",
            )?;
            writer.byte(field_tag::LIST).count(items.len());
            items.iter().try_for_each(|item| write_item(writer, item))
        }
        InitialField::Counter(value) => {
            writer.byte(field_tag::COUNTER).signed(*value);
            Ok(())
        }
    }
}

fn write_item(writer: &mut Writer, item: &Item) -> Written {
    require(
        item.len() <= ITEM_PARTS_MAX,
        "an item has at most ITEM_PARTS_MAX parts",
    )?;
    require(
        item.is_sorted_by(|(first, _), (second, _)| first < second),
        "parts ascend by name",
    )?;
    writer.count(item.len());
    for (name, value) in item {
        writer.text(name.as_str());
        write_value(writer, value)?;
    }
    Ok(())
}

fn write_value(writer: &mut Writer, value: &Value) -> Written {
    match value {
        Value::Null => {
            writer.byte(value_tag::NULL);
        }
        Value::Bool(false) => {
            writer.byte(value_tag::FALSE);
        }
        Value::Bool(true) => {
            writer.byte(value_tag::TRUE);
        }
        Value::Int(number) => {
            writer.byte(value_tag::INT).signed(*number);
        }
        Value::Text(text) => {
            writer.byte(value_tag::TEXT);
            write_text(writer, text)?;
        }
        Value::Bytes(bytes) => {
            require(
                bytes.len() <= VALUE_BYTES_MAX,
                "a byte string is at most VALUE_BYTES_MAX long",
            )?;
            writer.byte(value_tag::BYTES).bytes(bytes);
        }
    }
    Ok(())
}

fn write_text(writer: &mut Writer, text: &str) -> Written {
    require(
        text.len() <= VALUE_BYTES_MAX,
        "a text is at most VALUE_BYTES_MAX long",
    )?;
    writer.text(text);
    Ok(())
}

fn require(holds: bool, rule: &'static str) -> Written {
    if holds {
        Ok(())
    } else {
        Err(InvalidEdit { rule })
    }
}
