//! What a document says, without its history: the common ground of the merge engine and of the
//! shortcut that needs none.

use std::collections::BTreeMap;

use super::ExecuteError;
use crate::edit::{Edit, FieldName, Item, Value};
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
}

impl DocumentState {
    /// The state after a creation.
    ///
    /// # Errors
    /// [`ExecuteError::NotACreation`].
    pub fn create(_edit: &Edit) -> Result<Self, ExecuteError> {
        todo!()
    }

    /// The state after an edit whose dependencies are all the heads; nothing changes on error.
    ///
    /// # Errors
    /// As the merge engine's.
    pub fn apply(&mut self, _edit: &Edit) -> Result<(), ExecuteError> {
        todo!()
    }
}
