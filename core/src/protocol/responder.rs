//! The ward's side of a conversation. Who the device is was settled by TLS; what it may do is
//! asked of the ward's store at every step.

use super::feed::{Cursor, Page};
use super::initiator::Violation;
use super::message::Refusal;
use super::verdict::Verdict;
use crate::model::{AttachmentHash, Directory, EditId, Timestamp};

/// What the conversation asks of the ward. One is outstanding at a time; each is answered through
/// [`Responder::handle_answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WardCommand {
    /// May this device speak, and does its cursor belong to our feed? Answer: [`WardAnswer::Greeted`] or
    /// [`WardAnswer::Refused`].
    Greet {
        /// As the device gave it.
        cursor: Cursor,
        /// The device's clock.
        device_time: Timestamp,
        /// The device's app.
        app_version: String,
    },
    /// Admits a sealed bundle, durably. Answer: [`WardAnswer::Verdicts`], or `Refused` if the device was revoked.
    Admit(Vec<u8>),
    /// Takes back a page that the ward once signed. Answer: [`WardAnswer::Done`].
    TakeBack(Box<Page>),
    /// What follows `cursor` in the device's scope. Answer: [`WardAnswer::Page`].
    ReadFeed(Cursor),
    /// Edits by name, as far as they are in the device's scope. Answer: [`WardAnswer::Page`].
    ReadEdits(Vec<EditId>),
    /// The reference data. Answer: [`WardAnswer::Directory`].
    ReadDirectory,
    /// Is this attachment here? Answer: [`WardAnswer::AttachmentKnown`].
    FindAttachment(AttachmentHash),
    /// Stores an attachment, durably, after checking hash, size and type. Answer:
    /// [`WardAnswer::AttachmentKnown`] (`false`: refused).
    StoreAttachment {
        /// What the device called it.
        hash: AttachmentHash,
        /// All of it.
        bytes: Vec<u8>,
    },
}

/// The ward's answer to a [`WardCommand`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WardAnswer {
    /// The device may speak.
    Greeted {
        /// The ward's clock.
        ward_time: Timestamp,
        /// BLAKE3 of the encoded directory.
        directory_version: [u8; 32],
        /// Whether the device's cursor belongs to this feed; if not, the ward was restored.
        is_cursor_known: bool,
    },
    /// The conversation ends with this reason.
    Refused(Refusal),
    /// In the order of the bundle.
    Verdicts(Vec<Verdict>),
    /// `None`: nothing follows.
    Page(Option<Box<Page>>),
    /// The reference data.
    Directory(Box<Directory>),
    /// Whether the attachment is on the ward's disk.
    AttachmentKnown(bool),
    /// Durable.
    Done,
}

/// The ward's state machine for one conversation.
pub struct Responder {
    // filled by the protocol work
}

impl Responder {
    /// Waits for the greeting.
    #[must_use]
    pub fn new() -> Self {
        todo!()
    }

    /// Takes bytes from the device, in any portions. The caller stops reading while
    /// [`Responder::is_busy`], so that a fast device cannot fill memory.
    ///
    /// # Errors
    /// Close the connection with [`Violation::wire_code`].
    pub fn handle_bytes(&mut self, _bytes: &[u8]) -> Result<(), Violation> {
        todo!()
    }

    /// Takes the ward's answer to the last command.
    pub fn handle_answer(&mut self, _answer: WardAnswer) {
        todo!()
    }

    /// What the ward should do next, if it is not busy.
    pub fn poll_command(&mut self) -> Option<WardCommand> {
        todo!()
    }

    /// Bytes for the device, if there are any now.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        todo!()
    }

    /// Whether messages wait for the ward's answer.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        todo!()
    }

    /// Whether both sides have said everything.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        todo!()
    }
}
