//! Everything that the ward does not have for certain, for the day a phone will not connect.

use super::{RecordError, Replica};

impl Replica {
    /// Everything unsent or refused, attachments included, sealed to the ward's rescue key.
    ///
    /// # Errors
    /// The store's, or [`RecordError::NotEnrolled`].
    pub fn rescue_file(&self) -> Result<Vec<u8>, RecordError> {
        todo!("once crate::rescue is there")
    }
}
