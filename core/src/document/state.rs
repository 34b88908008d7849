//! What a document says, without its history: the common ground of the merge engine and of the
//! shortcut that needs none.

use std::collections::BTreeMap;

use super::ExecuteError;
use super::check::{self, Base, History, Shape};
use crate::edit::limits::{DOCUMENT_EDITS_MAX, DOCUMENT_WEIGHT_MAX};
use crate::edit::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::{ActorId, DocumentId};

/// One of the values that a register has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrent {
    /// The value.
    pub value: Value,
    /// Whose edit set it.
    pub actor: ActorId,
}

/// A field as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldState {
    /// The value shown everywhere first; more than one if they were set concurrently.
    Register(Vec<Concurrent>),
    /// A text.
    Text(String),
    /// Items in the order that every replica shows.
    List(Vec<Item>),
    /// A sum.
    Counter(i64),
}

/// Every field of a document, those of a newer app included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentState {
    /// Which document.
    pub document: DocumentId,
    /// By name.
    pub fields: BTreeMap<FieldName, FieldState>,
    pub(super) history: History,
}

impl DocumentState {
    /// The state after a creation in canonical form.
    ///
    /// # Errors
    /// [`ExecuteError::NotACreation`], [`ExecuteError::BrokenSequence`] or [`ExecuteError::TooLarge`].
    pub fn create(edit: &Edit) -> Result<Self, ExecuteError> {
        let fields = check::check_creation(edit)?
            .iter()
            .map(|(name, initial)| {
                let field = match initial.clone() {
                    InitialField::Register(value) => FieldState::Register(vec![Concurrent {
                        value,
                        actor: edit.actor,
                    }]),
                    InitialField::Text(text) => FieldState::Text(text),
                    InitialField::List(items) => FieldState::List(items),
                    InitialField::Counter(value) => FieldState::Counter(value),
                };
                (name.clone(), field)
            })
            .collect();
        let mut history = History::default();
        history.push(edit.actor, edit.sequence, check::weight(edit));
        Ok(Self {
            document: edit.document,
            fields,
            history,
        })
    }

    /// The state after an edit in canonical form whose dependencies are all the heads, which the
    /// caller knows; nothing changes on error.
    ///
    /// # Errors
    /// As the merge engine's, but for [`ExecuteError::MissingDependency`].
    pub fn apply(&mut self, edit: &Edit) -> Result<(), ExecuteError> {
        if edit.document != self.document {
            return Err(ExecuteError::AnotherDocument);
        }
        check::check_change(edit, &self.history, self)?;
        self.execute(edit);
        Ok(())
    }

    /// The same for an edit that does not know all edits, if none of those touched a field that it
    /// touches; `history` is of what it builds on.
    pub(super) fn apply_after(
        &mut self,
        edit: &Edit,
        history: &History,
    ) -> Result<(), ExecuteError> {
        if edit.document != self.document {
            return Err(ExecuteError::AnotherDocument);
        }
        check::check_change(edit, history, self)?;
        self.execute(edit);
        Ok(())
    }

    fn execute(&mut self, edit: &Edit) {
        for operation in &edit.operations {
            self.apply_operation(operation, edit.actor);
        }
        self.history
            .push(edit.actor, edit.sequence, check::weight(edit));
    }

    /// The sequence number that the next edit of `actor` on this document must have.
    #[must_use]
    pub fn next_sequence(&self, actor: ActorId) -> u64 {
        self.history.next_sequence(actor)
    }

    /// Whether so much was executed already that nothing more should be taken. Execution itself
    /// counts only what an edit builds on; whoever admits edits asks this too, so that a device
    /// cannot grow a document for ever by edits that do not know of each other.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.history.edits >= DOCUMENT_EDITS_MAX || self.history.weight >= DOCUMENT_WEIGHT_MAX
    }

    /// About how many bytes it takes in memory: everything that was ever set, appended or typed.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.history.weight
    }

    fn apply_operation(&mut self, operation: &Operation, actor: ActorId) {
        match operation {
            Operation::Create { .. } => {}
            Operation::SetRegister { field, value } => {
                let register = FieldState::Register(vec![Concurrent {
                    value: value.clone(),
                    actor,
                }]);
                self.fields.insert(field.clone(), register);
            }
            Operation::SpliceText {
                field,
                position,
                delete,
                insert,
                ..
            } => {
                if let Some(FieldState::Text(text)) = self.fields.get_mut(field) {
                    let begin = byte_of_scalar(text, *position as usize);
                    let end = begin + byte_of_scalar(&text[begin..], *delete as usize);
                    text.replace_range(begin..end, insert);
                }
            }
            Operation::AppendItem { field, item } => {
                if let Some(FieldState::List(items)) = self.fields.get_mut(field) {
                    items.push(item.clone());
                }
            }
            Operation::Increment { field, by } => {
                if let Some(FieldState::Counter(value)) = self.fields.get_mut(field) {
                    *value = value.saturating_add(*by);
                }
            }
        }
    }
}

impl Base for DocumentState {
    fn field_count(&self) -> usize {
        self.fields.len()
    }

    fn shape(&self, field: &FieldName) -> Option<Shape> {
        self.fields.get(field).map(|state| match state {
            FieldState::Register(_) => Shape::Register,
            FieldState::Text(text) => Shape::Text(text.chars().count()),
            FieldState::List(items) => Shape::List(items.len()),
            FieldState::Counter(value) => Shape::Counter(*value),
        })
    }
}

/// Where the scalar with this index begins; the end if there are fewer.
fn byte_of_scalar(text: &str, index: usize) -> usize {
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(byte, _)| byte)
}
