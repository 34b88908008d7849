//! One edit as one automerge change. The edit was checked; an error here is one of this program.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, AutomergeError, ChangeHash, ObjType, ROOT, ReadDoc, ScalarValue};

use super::super::ExecuteError;
use crate::edit::{Edit, InitialField, Item, Operation, Value};
use crate::model::Timestamp;

/// Executes `edit` on `document`, which must be the document at its dependencies.
pub(super) fn execute(document: &mut Automerge, edit: &Edit) -> Result<ChangeHash, ExecuteError> {
    document.set_actor(automerge::ActorId::from(edit.actor.as_bytes().as_slice()));
    let mut transaction = document.transaction();
    for operation in &edit.operations {
        if write_operation(&mut transaction, operation).is_err() {
            transaction.rollback();
            return Err(ExecuteError::EngineFailed);
        }
    }
    let time = unix_seconds(edit.device_time);
    let (change, _) = transaction.commit_with(CommitOptions::default().with_time(time));
    // An edit that changes nothing is an edit all the same: others may build on it, and the next
    // one of its actor has the next number.
    Ok(change.unwrap_or_else(|| document.empty_commit(CommitOptions::default().with_time(time))))
}

fn write_operation(
    transaction: &mut Transaction<'_>,
    operation: &Operation,
) -> Result<(), AutomergeError> {
    match operation {
        Operation::Create { fields } => {
            for (name, initial) in fields {
                write_initial(transaction, name.as_str(), initial)?;
            }
            Ok(())
        }
        Operation::SetRegister { field, value } => {
            let value = scalar(value);
            // automerge drops an assignment of the value that is there. But somebody who chose it
            // again meant it, and that must stand beside what others set at the same time.
            if let Some((current, _)) = transaction.get(ROOT, field.as_str())?
                && current.as_scalar() == Some(&value)
            {
                transaction.delete(ROOT, field.as_str())?;
            }
            transaction.put(ROOT, field.as_str(), value)
        }
        Operation::SpliceText {
            field,
            position,
            delete,
            insert,
            ..
        } => {
            let text = object(transaction, field.as_str())?;
            transaction.splice_text(text, *position as usize, *delete as isize, insert)
        }
        Operation::AppendItem { field, item } => {
            let list = object(transaction, field.as_str())?;
            append(transaction, &list, item)
        }
        Operation::Increment { field, by } => transaction.increment(ROOT, field.as_str(), *by),
    }
}

fn write_initial(
    transaction: &mut Transaction<'_>,
    name: &str,
    initial: &InitialField,
) -> Result<(), AutomergeError> {
    match initial {
        InitialField::Register(value) => transaction.put(ROOT, name, scalar(value)),
        InitialField::Counter(value) => transaction.put(ROOT, name, ScalarValue::counter(*value)),
        InitialField::Text(content) => {
            let text = transaction.put_object(ROOT, name, ObjType::Text)?;
            transaction.splice_text(text, 0, 0, content)
        }
        InitialField::List(items) => {
            let list = transaction.put_object(ROOT, name, ObjType::List)?;
            for item in items {
                append(transaction, &list, item)?;
            }
            Ok(())
        }
    }
}

fn append(
    transaction: &mut Transaction<'_>,
    list: &automerge::ObjId,
    item: &Item,
) -> Result<(), AutomergeError> {
    let end = transaction.length(list);
    let map = transaction.insert_object(list, end, ObjType::Map)?;
    for (name, value) in item {
        transaction.put(&map, name.as_str(), scalar(value))?;
    }
    Ok(())
}

fn object(transaction: &Transaction<'_>, name: &str) -> Result<automerge::ObjId, AutomergeError> {
    transaction
        .get(ROOT, name)?
        .map(|(_, object)| object)
        .ok_or(AutomergeError::Fail)
}

fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(value) => ScalarValue::Boolean(*value),
        Value::Int(value) => ScalarValue::Int(*value),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
        Value::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
    }
}

/// The convention of automerge files. Clamped to the years 1970 to 9999: a phone's clock may claim
/// anything, and an exported file is opened by programs that do not expect that.
fn unix_seconds(time: Timestamp) -> i64 {
    const YEAR_9999_ENDS: i64 = 253_402_300_799;
    time.0.div_euclid(1000).clamp(0, YEAR_9999_ENDS)
}
