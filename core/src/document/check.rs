//! Whether an edit fits the document at its dependencies. Asked once, here, for the merge engine
//! and for the shortcut alike, before anything is changed: so both refuse the same edits for the
//! same reason, and neither has to undo half an edit.
//!
//! Every rule looks only at the edit and at what it builds on. A rule that looked at concurrent
//! edits would accept an edit on one replica and refuse it on another.

use std::collections::BTreeMap;

use super::ExecuteError;
use crate::edit::limits::{
    COUNTER_MAX, COUNTER_STEP_MAX, DOCUMENT_EDITS_MAX, DOCUMENT_FIELDS_MAX, DOCUMENT_WEIGHT_MAX,
    FIELDS_MAX, INITIAL_ITEMS_MAX, LIST_ITEMS_MAX, TEXT_SCALARS_MAX,
};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::ActorId;

/// What the bounds and the sequence numbers need to know of the edits that were executed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct History {
    /// The last sequence number of each actor.
    pub(super) sequences: BTreeMap<ActorId, u64>,
    /// How many edits.
    pub(super) edits: u64,
    /// What they weigh together; see [`weight`].
    pub(super) weight: u64,
}

impl History {
    /// Adds one edit.
    pub(super) fn push(&mut self, actor: ActorId, sequence: u64, weight: u64) {
        let last = self.sequences.entry(actor).or_default();
        *last = sequence.max(*last);
        self.edits = self.edits.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
    }

    /// The number that the next edit of `actor` must have.
    pub(super) fn next_sequence(&self, actor: ActorId) -> u64 {
        self.sequences
            .get(&actor)
            .map_or(1, |last| last.saturating_add(1))
    }
}

/// What a field is and how large, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A register.
    Register,
    /// A text of so many Unicode scalars.
    Text(usize),
    /// A list of so many items.
    List(usize),
    /// A counter at this value.
    Counter(i64),
}

/// The document at an edit's dependencies, as far as the rules ask.
pub(super) trait Base {
    /// How many fields there are.
    fn field_count(&self) -> usize;
    /// The shape of one.
    fn shape(&self, field: &FieldName) -> Option<Shape>;
}

/// About the bytes that an edit adds to a document for good.
pub(super) fn weight(edit: &Edit) -> u64 {
    /// What an operation, a field or a part costs whatever it holds.
    const OVERHEAD: usize = 16;
    let value = |value: &Value| {
        OVERHEAD
            + match value {
                Value::Null | Value::Bool(_) | Value::Int(_) => 0,
                Value::Text(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
            }
    };
    let item = |item: &Item| OVERHEAD + item.iter().map(|(_, part)| value(part)).sum::<usize>();
    let operation = |operation: &Operation| match operation {
        Operation::Create { fields } => fields
            .iter()
            .map(|(_, initial)| match initial {
                InitialField::Register(initial) => value(initial),
                InitialField::Text(text) => OVERHEAD + text.len(),
                InitialField::List(items) => OVERHEAD + items.iter().map(item).sum::<usize>(),
                InitialField::Counter(_) => OVERHEAD,
            })
            .sum(),
        Operation::SetRegister { value: set, .. } => value(set),
        Operation::SpliceText { insert, .. } => OVERHEAD + insert.len(),
        Operation::AppendItem { item: appended, .. } => item(appended),
        Operation::Increment { .. } => OVERHEAD,
    };
    (OVERHEAD + edit.operations.iter().map(operation).sum::<usize>()) as u64
}

/// The fields of a creation, if `edit` is a proper one.
pub(super) fn check_creation(edit: &Edit) -> Result<&[(FieldName, InitialField)], ExecuteError> {
    let [Operation::Create { fields }] = edit.operations.as_slice() else {
        return Err(ExecuteError::NotACreation);
    };
    if !edit.dependencies.is_empty() {
        return Err(ExecuteError::NotACreation);
    }
    if edit.sequence != 1 {
        return Err(ExecuteError::BrokenSequence);
    }
    if fields.len() > FIELDS_MAX || weight(edit) > DOCUMENT_WEIGHT_MAX {
        return Err(ExecuteError::TooLarge);
    }
    for (_, initial) in fields {
        let is_too_large = match initial {
            InitialField::Register(_) => false,
            InitialField::Text(text) => text.chars().count() > TEXT_SCALARS_MAX,
            InitialField::List(items) => items.len() > INITIAL_ITEMS_MAX,
            InitialField::Counter(value) => !(-COUNTER_MAX..=COUNTER_MAX).contains(value),
        };
        if is_too_large {
            return Err(ExecuteError::TooLarge);
        }
    }
    Ok(fields)
}

/// Whether `edit`, which creates nothing, fits `base` after the edits of `history`.
pub(super) fn check_change(
    edit: &Edit,
    history: &History,
    base: &impl Base,
) -> Result<(), ExecuteError> {
    let creates = |operation: &Operation| matches!(operation, Operation::Create { .. });
    if edit.dependencies.is_empty() || edit.operations.iter().any(creates) {
        return Err(ExecuteError::NotACreation);
    }
    // The number after the last possible one is none, so it cannot be equal either.
    if edit.sequence != history.next_sequence(edit.actor)
        || history.sequences.get(&edit.actor) == Some(&u64::MAX)
    {
        return Err(ExecuteError::BrokenSequence);
    }
    if history.edits >= DOCUMENT_EDITS_MAX
        || history.weight.saturating_add(weight(edit)) > DOCUMENT_WEIGHT_MAX
    {
        return Err(ExecuteError::TooLarge);
    }
    // Later operations of the edit meet what its earlier ones left.
    let mut touched: BTreeMap<&FieldName, Shape> = BTreeMap::new();
    let mut field_count = base.field_count();
    for operation in &edit.operations {
        let Some(field) = operation.field() else {
            continue;
        };
        let before = touched.get(field).copied().or_else(|| base.shape(field));
        if before.is_none() {
            field_count += 1;
        }
        let after = shape_after(operation, field, before)?;
        if field_count > DOCUMENT_FIELDS_MAX {
            return Err(ExecuteError::TooLarge);
        }
        touched.insert(field, after);
    }
    Ok(())
}

fn shape_after(
    operation: &Operation,
    field: &FieldName,
    before: Option<Shape>,
) -> Result<Shape, ExecuteError> {
    match (operation, before) {
        (Operation::SetRegister { .. }, None | Some(Shape::Register)) => Ok(Shape::Register),
        (
            Operation::SpliceText {
                position,
                delete,
                insert,
                length,
                ..
            },
            Some(Shape::Text(scalars)),
        ) => {
            let end = u64::from(*position) + u64::from(*delete);
            if u64::from(*length) != scalars as u64 || end > scalars as u64 {
                return Err(ExecuteError::MisplacedSplice {
                    field: field.as_str().to_owned(),
                });
            }
            let grown = scalars - *delete as usize + insert.chars().count();
            // Concurrent splices may have outgrown the bound; then it must still be possible to shorten.
            if grown > TEXT_SCALARS_MAX && grown > scalars {
                return Err(ExecuteError::TooLarge);
            }
            Ok(Shape::Text(grown))
        }
        (Operation::AppendItem { .. }, Some(Shape::List(items))) => {
            if items >= LIST_ITEMS_MAX {
                return Err(ExecuteError::TooLarge);
            }
            Ok(Shape::List(items + 1))
        }
        (Operation::Increment { by, .. }, Some(Shape::Counter(value))) => {
            let sum = value.saturating_add(*by);
            let is_small = (-COUNTER_STEP_MAX..=COUNTER_STEP_MAX).contains(by);
            // As with texts: back towards zero is always possible.
            let is_bounded = (-COUNTER_MAX..=COUNTER_MAX).contains(&sum)
                || sum.unsigned_abs() < value.unsigned_abs();
            if !(is_small && is_bounded) {
                return Err(ExecuteError::TooLarge);
            }
            Ok(Shape::Counter(sum))
        }
        _ => Err(ExecuteError::WrongField {
            field: field.as_str().to_owned(),
        }),
    }
}
