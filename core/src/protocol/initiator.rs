//! The device's side of a conversation. Owns the message order; knows neither socket nor store.

use super::feed::{Cursor, Page};
use super::message::Refusal;
use super::verdict::Verdict;
use crate::codec::DecodeError;
use crate::model::{AttachmentHash, BundleId, Directory, EditId, Timestamp, WardKey};

/// What the device knows when a conversation begins.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Pinned at enrolment.
    pub ward_key: WardKey,
    /// Where the last conversation ended; empty at first.
    pub cursor: Cursor,
    /// BLAKE3 of the encoded directory that the device holds; zero if none.
    pub directory_version: [u8; 32],
    /// The device's clock now, so that the ward can show how far it is off.
    pub device_time: Timestamp,
    /// Version of the app, shown to the administrator.
    pub app_version: String,
}

/// A file on its way up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingAttachment {
    /// BLAKE3 of the bytes.
    pub hash: AttachmentHash,
    /// The bytes, whole.
    pub bytes: Vec<u8>,
}

/// What the conversation asks of the device's store. Exactly one is outstanding at a time; each is
/// answered by [`DeviceAnswer`] through [`Initiator::handle_answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCommand {
    /// The next sealed bundle without a final verdict, that was not given in this conversation.
    /// Seals what is unsealed. Answer: [`DeviceAnswer::Bundle`].
    NextBundle,
    /// Records the ward's word, durably. Answer: [`DeviceAnswer::Done`].
    RecordVerdicts {
        /// Which bundle.
        bundle: BundleId,
        /// In the order of the bundle.
        verdicts: Vec<Verdict>,
    },
    /// Stores a page's edits, rows, proof and cursor in one transaction; an edit that cannot be
    /// used is set aside with a reason. Answer: [`DeviceAnswer::PageApplied`].
    ApplyPage(Box<Page>),
    /// Stores the ward's reference data. Answer: [`DeviceAnswer::Done`].
    ApplyDirectory(Box<Directory>),
    /// The ward was restored and does not know our cursor: forget the cursor, and give back what
    /// it lost through [`DeviceCommand::NextReturn`]. Answer: [`DeviceAnswer::Done`].
    BeginReturn,
    /// The next proof with the edits that belong to it. Answer: [`DeviceAnswer::Return`].
    NextReturn,
    /// The next attachment that the ward has not confirmed and was not given in this conversation.
    /// Answer: [`DeviceAnswer::Attachment`].
    NextAttachment,
    /// The ward has it, durably. Answer: [`DeviceAnswer::Done`].
    ConfirmAttachment(AttachmentHash),
}

/// The store's answer to a [`DeviceCommand`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// The command is durable.
    Done,
    /// The sealed bytes, or none left.
    Bundle(Option<(BundleId, Vec<u8>)>),
    /// Edits that the page refers to but that are not here; asked for by name.
    PageApplied {
        /// To ask for.
        missing: Vec<EditId>,
    },
    /// A page as once received, all bodies present that the device holds, or none left.
    Return(Option<Box<Page>>),
    /// A file, or none left.
    Attachment(Option<OutgoingAttachment>),
}

/// What an app may want to show meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The ward answered.
    Welcomed,
    /// The ward gave its word on a bundle.
    Verdicts {
        /// Accepted or already there.
        accepted: usize,
        /// Refused.
        rejected: usize,
        /// To be sent again.
        waiting: usize,
    },
    /// Edits of others arrived.
    Received {
        /// How many.
        edits: usize,
    },
    /// A file is on the ward's disk.
    AttachmentStored(AttachmentHash),
    /// Everything was said by both sides.
    CaughtUp,
}

/// Why a conversation ended before everything was said. Nothing recorded is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// The peer sent what no ward would send.
    #[error("the other side broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The ward refused us.
    #[error("the ward refused the conversation: {0}")]
    Refused(Refusal),
    /// The connection ended early.
    #[error("the connection ended before everything was said")]
    Interrupted,
}

/// What a peer did that no peer may do: close with its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Bytes that do not decode.
    #[error("bytes that do not decode: {0}")]
    Decode(#[from] DecodeError),
    /// A frame over its limit.
    #[error("a frame over its limit")]
    FrameTooLarge,
    /// A message out of order.
    #[error("a message out of order")]
    Unexpected,
    /// A signature that does not hold.
    #[error("a signature that does not hold")]
    Signature,
}

impl Violation {
    /// The QUIC application error code with which the connection is closed.
    #[must_use]
    pub fn wire_code(self) -> u32 {
        todo!()
    }
}

/// The device's state machine.
pub struct Initiator {
    // filled by the protocol work
}

impl Initiator {
    /// Begins; the greeting is ready to be transmitted.
    #[must_use]
    pub fn new(_opening: Opening) -> Self {
        todo!()
    }

    /// Takes bytes from the ward, in any portions.
    ///
    /// # Errors
    /// The conversation is over; nothing more is to be handled.
    pub fn handle_bytes(&mut self, _bytes: &[u8]) -> Result<(), ConversationError> {
        todo!()
    }

    /// Takes the store's answer to the last command.
    pub fn handle_answer(&mut self, _answer: DeviceAnswer) {
        todo!()
    }

    /// What the store should do next, if it is not busy.
    pub fn poll_command(&mut self) -> Option<DeviceCommand> {
        todo!()
    }

    /// Bytes for the ward, if there are any now.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        todo!()
    }

    /// What to show, if anything happened.
    pub fn poll_progress(&mut self) -> Option<Progress> {
        todo!()
    }

    /// Whether both sides have said everything.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        todo!()
    }

    /// How often the device had to wait for the ward before it could go on.
    #[must_use]
    pub fn round_trips(&self) -> u32 {
        todo!()
    }
}
