//! How a later minor version speaks: fields that nobody knows yet behind each message's own, and
//! messages that may be passed over.

use gandan_core::codec::Writer;
use gandan_core::protocol::frame::{FrameDecoder, PayloadLimit};

/// What this build writes, plus one.
const LATER_VERSION: u8 = 2;
/// Of a message that whoever does not know it passes over.
const UNKNOWN_KIND: u8 = 0xfe;
/// Fields that a later version appends.
const APPENDED: &[u8] = b"\x05later";

/// Makes today's bytes into those of a later version.
#[derive(Debug)]
pub(super) struct NewerVoice {
    frames: FrameDecoder,
}

impl NewerVoice {
    /// For one direction of a conversation.
    #[must_use]
    pub(super) fn new(payload_limit: PayloadLimit) -> Self {
        Self {
            frames: FrameDecoder::new(payload_limit),
        }
    }

    /// What is said in the place of `bytes`, which are whole frames.
    ///
    /// # Panics
    /// If they are not.
    pub(super) fn say(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        while let Some(frame) = self.frames.next(&mut bytes).expect("our own frames") {
            let mut payload = frame.payload;
            payload.extend_from_slice(APPENDED);
            writer.byte(frame.kind).byte(LATER_VERSION).bytes(&payload);
            writer.byte(UNKNOWN_KIND).byte(1).bytes(APPENDED);
        }
        assert!(self.frames.is_between_frames(), "frames are said whole");
        writer.finish()
    }
}
