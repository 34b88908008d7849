//! The canonical encoding of an edit: one edit has exactly one form. Owns the layout and the rules
//! of form (bounds, orders); knows nothing of what a field means or whether an edit fits a document.

mod read;
#[cfg(test)]
mod tests;
mod write;

use thiserror::Error;

use super::{Edit, EncodedEdit};
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::EditId;

/// First byte of every edit. A later layout takes another number.
const LAYOUT: u8 = 1;

/// Second byte: whether the edit makes its document or changes it.
mod form {
    pub(super) const CREATION: u8 = 0;
    pub(super) const CHANGE: u8 = 1;
}

mod operation_tag {
    pub(super) const SET_REGISTER: u8 = 1;
    pub(super) const SPLICE_TEXT: u8 = 2;
    pub(super) const APPEND_ITEM: u8 = 3;
    pub(super) const INCREMENT: u8 = 4;
}

mod field_tag {
    pub(super) const REGISTER: u8 = 1;
    pub(super) const TEXT: u8 = 2;
    pub(super) const LIST: u8 = 3;
    pub(super) const COUNTER: u8 = 4;
}

mod value_tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const TEXT: u8 = 4;
    pub(super) const BYTES: u8 = 5;
}

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
    pub fn encode(edit: Edit) -> Result<Self, InvalidEdit> {
        let mut writer = Writer::new();
        write::edit(&mut writer, &edit)?;
        Ok(Self::named(writer.finish(), edit))
    }

    /// Decodes canonical bytes and names the edit.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`EncodedEdit::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let edit = read::edit(Reader::new(bytes))?;
        Ok(Self::named(bytes.to_vec(), edit))
    }

    fn named(bytes: Vec<u8>, edit: Edit) -> Self {
        let id = EditId(blake3::hash(&bytes).into());
        Self { id, bytes, edit }
    }
}
