//! What a conversation asks of the ward's store.

use crate::model::{AttachmentHash, Directory, EditId, Timestamp};
use crate::protocol::agreement::HeldDigest;
use crate::protocol::checkpoint::Testimony;
use crate::protocol::directory::DirectoryVersion;
use crate::protocol::feed::{Cursor, Page};
use crate::protocol::file_tree::FileTree;
use crate::protocol::message::{FileWord, Refusal};
use crate::protocol::reconciliation::{Answer, Question};
use crate::protocol::verdict::Verdict;
use uuid::Uuid;

/// What the conversation asks of the ward. One is outstanding at a time; each is answered through
/// [`super::Responder::handle_answer`].
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
    /// Takes back a page that the ward once signed; the signature is not checked yet. One that is not
    /// the ward's is passed over. Answer: [`WardAnswer::Done`].
    TakeBack(Box<Page>),
    /// What follows `cursor` (empty: from the start) in the device's scope. Answer:
    /// [`WardAnswer::CaughtUp`], or [`WardAnswer::Page`], whose cursor moves on, or the ward would be asked for ever; within
    /// [`crate::protocol::limits::PAGE_BODY_BYTES_MAX`] and [`crate::protocol::limits::BUNDLE_EDITS_MAX`].
    ReadFeed(Cursor),
    /// Edits by name, as far as they are in the device's scope and fit into one page; the device asks
    /// again for the rest. Answer: [`WardAnswer::Page`] without a cursor.
    ReadEdits(Vec<EditId>),
    /// In what does the device differ from what its scope covers now? Nothing else may be told. Answer:
    /// [`WardAnswer::Compared`], with [`crate::protocol::reconciliation::answer`] to each question.
    Compare(Vec<Question>),
    /// The reference data. Answer: [`WardAnswer::Directory`].
    ReadDirectory,
    /// Is this attachment here, or so much of it, and may the device send it? Answer:
    /// [`WardAnswer::AttachmentKept`] or [`WardAnswer::AttachmentWord`].
    FindAttachment {
        /// What the device calls it.
        hash: AttachmentHash,
        /// How many bytes the device says that it has.
        size: usize,
    },
    /// By which the parts of a file are checked, if it is here and a case in the device's scope shows
    /// it. Answer: [`WardAnswer::AttachmentTree`].
    ReadAttachment(AttachmentHash),
    /// A part of such a file. Answer: [`WardAnswer::AttachmentPart`].
    ReadPart {
        /// Of which file.
        hash: AttachmentHash,
        /// Where it begins.
        offset: usize,
    },
    /// A case by what a person typed, if there is one that the device may see, though it need not hold
    /// it. Answer: [`WardAnswer::Lent`].
    Look(String),
    /// How far is the audit trail, in the ward's word, and what is its chain after this entry? Answer:
    /// [`WardAnswer::Witnessed`].
    Witness(u64),
    /// Keeps a part of an attachment, durably; its bytes were checked. A part that is there already is
    /// passed over. With the last one the whole is looked at. Answer: [`WardAnswer::AttachmentKept`],
    /// to the last part [`WardAnswer::AttachmentWord`].
    KeepPart {
        /// Of which file.
        hash: AttachmentHash,
        /// Of the whole file.
        size: usize,
        /// Where the part begins.
        offset: usize,
        /// The part.
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
        /// [`crate::protocol::directory::version`] of the reference data.
        directory_version: DirectoryVersion,
        /// Whether the device's cursor belongs to this feed; if not, the ward was restored. An empty
        /// cursor is always known.
        is_cursor_known: bool,
        /// Files that the device's edits refer to and that are not here; at most
        /// [`crate::protocol::limits::LACKED_ATTACHMENTS_MAX`].
        lacked: Vec<AttachmentHash>,
    },
    /// The conversation ends with this reason.
    Refused(Refusal),
    /// In the order of the bundle; empty if the bundle could not be opened.
    Verdicts(Vec<Verdict>),
    /// `None`: there is nothing of it.
    Page(Option<Box<Page>>),
    /// Nothing follows, and so the device holds what has this digest.
    CaughtUp(HeldDigest),
    /// In the order of the questions.
    Compared(Vec<Answer>),
    /// The reference data.
    Directory(Box<Directory>),
    /// So many bytes from the start are on the ward's disk, whole parts, fewer than the file has.
    AttachmentKept(usize),
    /// `None`: not here, or not for this device.
    AttachmentTree(Option<FileTree>),
    /// `None`: not here, not for this device, or no part begins there.
    AttachmentPart(Option<Vec<u8>>),
    /// Which case it is, and a page without a cursor of its newest edits; see
    /// [`crate::protocol::message::Loan`]. `None`: not here, or not for this device.
    Lent(Option<(Uuid, Box<Page>)>),
    /// As it was asked by a witness.
    Witnessed(Box<Testimony>),
    /// The ward's last word on a file.
    AttachmentWord(FileWord),
    /// Durable.
    Done,
}
