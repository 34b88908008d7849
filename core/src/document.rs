//! How edits become a document. The only importer of automerge, which serves as a deterministic
//! merge engine: its documents are caches that can be thrown away and rebuilt from edits.

mod check;
pub mod describe;
mod engine;
mod independent;
mod kept;
pub mod schema;
mod state;
#[cfg(test)]
mod tests;

pub use engine::Document;
pub use independent::merge_independent;
pub use kept::{KeepLimits, KeptDocuments};
pub use state::{Concurrent, DocumentState, FieldState};
#[cfg(test)]
pub(crate) use tests::seeded;

use thiserror::Error;

use crate::edit::EncodedEdit;
use crate::model::EditId;

/// Why an edit cannot be executed on the document at its dependencies. The same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExecuteError {
    /// A dependency is not among the edits that were executed.
    #[error("an edit that it depends on is not here")]
    MissingDependency(EditId),
    /// The document exists already, or does not exist yet.
    #[error("the document is created exactly once")]
    NotACreation,
    /// The sequence does not follow the actor's last one among the dependencies' ancestors.
    #[error("the actor's sequence is broken")]
    BrokenSequence,
    /// The field is missing or is of another type.
    #[error("the field {field} is not of that type")]
    WrongField {
        /// Name of the field.
        field: String,
    },
    /// A splice does not fit the text at the dependencies.
    #[error("the splice of {field} does not fit the text")]
    MisplacedSplice {
        /// Name of the field.
        field: String,
    },
    /// The document would grow over a bound.
    #[error("the document would grow too large")]
    TooLarge,
    /// The edit names another document; a mistake of the caller's.
    #[error("the edit belongs to another document")]
    AnotherDocument,
    /// automerge refused what the rules let through; a mistake of this program's.
    #[error("the merge engine failed; the edit was not executed")]
    EngineFailed,
}

/// A document as one reads it, and the edits that nothing else builds on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Materialized {
    /// What it says.
    pub state: DocumentState,
    /// Ascending; what the next edit depends on.
    pub heads: Vec<EditId>,
}

/// Reads a document from its edits, given in any order in which each comes after what it depends
/// on. It needs no automerge document unless concurrent edits touch the same field.
///
/// # Errors
/// The first edit that cannot be executed.
pub fn materialize<'a>(
    edits: impl IntoIterator<Item = &'a EncodedEdit>,
) -> Result<Materialized, ExecuteError> {
    let edits: Vec<&EncodedEdit> = edits.into_iter().collect();
    let (first, rest) = edits.split_first().ok_or(ExecuteError::NotACreation)?;
    let mut state = DocumentState::create(first.edit())?;
    let mut head = first.id();
    for edit in rest {
        if edit.edit().dependencies != [head] {
            if let Some(merged) = merge_independent(edits.iter().copied()) {
                return Ok(merged);
            }
            // Concurrent, repeated or wrong: the engine tells which.
            let document = Document::replay(edits.iter().copied())?;
            return Ok(Materialized {
                state: document.state(),
                heads: document.heads(),
            });
        }
        state.apply(edit.edit())?;
        head = edit.id();
    }
    Ok(Materialized {
        state,
        heads: vec![head],
    })
}
