//! Executes edits on an automerge document.

use super::{DocumentState, ExecuteError};
use crate::edit::EncodedEdit;
use crate::model::EditId;

/// An automerge document, built from edits alone.
pub struct Document {
    // filled by the documents work
}

impl Document {
    /// Executes edits in the order given.
    ///
    /// # Errors
    /// The first edit that cannot be executed.
    pub fn replay<'a>(
        _edits: impl IntoIterator<Item = &'a EncodedEdit>,
    ) -> Result<Self, ExecuteError> {
        todo!()
    }

    /// Executes one more edit at its dependencies, which need not be the heads. Nothing changes on error.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn execute(&mut self, _edit: &EncodedEdit) -> Result<(), ExecuteError> {
        todo!()
    }

    /// The edits that nothing else builds on, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<EditId> {
        todo!()
    }

    /// What the document says.
    #[must_use]
    pub fn state(&self) -> DocumentState {
        todo!()
    }

    /// A standard automerge file.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        todo!()
    }
}
