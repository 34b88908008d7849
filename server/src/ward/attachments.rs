//! Files of cases, kept in the ward's encrypted store. A file is taken only if it is what it is
//! called: its hash, its size and its type by content are checked here again, whatever the device says.

use gandan_core::model::AttachmentHash;
use gandan_core::store::attachments;

use super::WardError;
use super::connections::Work;

impl Work<'_> {
    /// Whether the file is here afterwards; `false` means that it was refused.
    pub(super) fn store_attachment(
        &mut self,
        hash: AttachmentHash,
        bytes: &[u8],
    ) -> Result<bool, WardError> {
        let Ok(mime) = attachments::media_type(bytes) else {
            return Ok(false);
        };
        if attachments::hash(bytes) != hash {
            return Ok(false);
        }
        attachments::write(self.connection, bytes, mime)?;
        Ok(true)
    }
}
