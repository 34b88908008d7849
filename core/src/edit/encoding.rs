//! The canonical encoding of an edit: one edit has exactly one form.

use thiserror::Error;

use super::{Edit, EncodedEdit};
use crate::codec::DecodeError;

/// Why an edit cannot be encoded: it breaks a bound or a rule of its own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the edit breaks the rule of its form: {rule}")]
pub struct InvalidEdit {
    /// The rule, in words for a developer.
    pub rule: &'static str,
}

impl EncodedEdit {
    /// Encodes and names an edit.
    ///
    /// # Errors
    /// [`InvalidEdit`] if a bound or a rule of form is broken; decoding would refuse it too.
    pub fn encode(_edit: Edit) -> Result<Self, InvalidEdit> {
        todo!()
    }

    /// Decodes canonical bytes and names the edit.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`EncodedEdit::encode`] would not have written.
    pub fn decode(_bytes: &[u8]) -> Result<Self, DecodeError> {
        todo!()
    }
}
