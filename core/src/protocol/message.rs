//! Every message of a conversation, and its bytes. Knows no order: which message may come when is
//! the business of [`super::initiator`] and [`super::responder`]. Normative text: `docs/wire.md`.

mod decode;
mod encode;
mod refusal;

pub use refusal::Refusal;

use super::agreement::HeldDigest;
use super::checkpoint::Testimony;
use super::feed::Cursor;
use super::file_tree::PartHash;
use super::limits;
use super::reconciliation::{ANSWER_BYTES_MAX, Answer, QUESTION_BYTES_MAX, Question};
use super::verdict::Verdict;
use crate::model::{AttachmentHash, BundleId, EditId, Timestamp};
use uuid::Uuid;

/// The minor versions of the protocol that a peer speaks; the major one is in the ALPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinorVersions {
    /// The oldest.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
}

impl MinorVersions {
    /// What this build speaks.
    pub const OURS: Self = Self {
        oldest: 0,
        newest: 0,
    };

    /// The version that both speak: the newest one. `self` is the ward's range.
    ///
    /// # Errors
    /// [`Refusal::DeviceTooOld`] or [`Refusal::DeviceTooNew`].
    pub fn agree(self, device: Self) -> Result<u16, Refusal> {
        if device.newest < self.oldest {
            Err(Refusal::DeviceTooOld)
        } else if device.oldest > self.newest {
            Err(Refusal::DeviceTooNew)
        } else {
            Ok(device.newest.min(self.newest))
        }
    }

    /// Whether a version is in the range.
    #[must_use]
    pub fn contains(self, minor: u16) -> bool {
        (self.oldest..=self.newest).contains(&minor)
    }
}

/// The device's first message. What it says in the same flight uses nothing that is newer than
/// `minor.oldest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What the device speaks.
    pub minor: MinorVersions,
    /// By the device's clock.
    pub device_time: Timestamp,
    /// Shown to the administrator.
    pub app_version: String,
    /// Where the last conversation ended; empty at first.
    pub cursor: Cursor,
    /// Of the directory that the device holds, if it holds one.
    pub directory_version: Option<[u8; 32]>,
}

/// What a device says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceMessage {
    /// Once, first.
    Hello(Hello),
    /// Sealed edits; answered by [`WardMessage::Verdicts`].
    Bundle(Vec<u8>),
    /// All bundles were said: the feed may come, at most `window` pages ahead of [`DeviceMessage::Taken`].
    Pull {
        /// How many pages the device can hold.
        window: usize,
    },
    /// A page of the feed is stored: one more may come.
    Taken,
    /// Edits by name; answered by [`WardMessage::Edits`].
    Want(Vec<EditId>),
    /// The device has read that its cursor is unknown and begins to give back; what it said before
    /// counts as not said.
    GiveBack,
    /// A page as it was once received, sealed; answered by [`WardMessage::Returned`].
    Return(Vec<u8>),
    /// A file that the ward may not have; answered by [`WardMessage::Need`] or [`WardMessage::Stored`].
    Offer {
        /// BLAKE3 of the file.
        hash: AttachmentHash,
        /// How many bytes it has.
        size: usize,
        /// By which its parts are checked; see [`super::file_tree`].
        parts: Vec<PartHash>,
    },
    /// A part of the oldest file that is needed; answered by [`WardMessage::Kept`], the last one by
    /// [`WardMessage::Stored`].
    Chunk {
        /// Where it begins.
        offset: usize,
        /// Never empty.
        bytes: Vec<u8>,
    },
    /// A file that a case in the device's scope shows; answered by [`WardMessage::Found`].
    Fetch {
        /// BLAKE3 of the file.
        hash: AttachmentHash,
    },
    /// A part of a file that was found; answered by [`WardMessage::Part`].
    FetchPart {
        /// Of which file.
        hash: AttachmentHash,
        /// Where the part begins.
        offset: usize,
    },
    /// The device has read the feed to its end and stays: what follows is to be sent by itself, at most
    /// `window` pages ahead of [`DeviceMessage::Taken`]. Answered by [`WardMessage::CaughtUp`]; said again,
    /// it only asks whether the ward is still there.
    Follow {
        /// How many pages the device can hold.
        window: usize,
    },
    /// A case that the feed does not bring, by what a person typed: a short code, an official number or a
    /// uuid; answered by [`WardMessage::Lent`].
    Look {
        /// At most [`limits::LOOK_BYTES_MAX`].
        words: String,
    },
    /// What is the chain of the ward's audit trail after this entry, and how far is the trail now? At most
    /// once; answered by [`WardMessage::Witnessed`].
    Witness {
        /// The newest entry of which the device holds a checkpoint; 0 for none.
        number: u64,
    },
    /// In what does the device differ from what the ward has for it? Answered by [`WardMessage::Compared`];
    /// pages may be given back after it.
    Compare(Vec<Question>),
    /// The device has nothing more to say.
    Done,
}

/// What a ward says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WardMessage {
    /// Answers [`Hello`].
    Welcome {
        /// The version that both speak from now on.
        minor: u16,
        /// By the ward's clock.
        ward_time: Timestamp,
        /// Whether the device's cursor belongs to the ward's feed; if not, the ward was restored and
        /// waits for [`DeviceMessage::GiveBack`]. An empty cursor is always known.
        is_cursor_known: bool,
        /// Files that this device's edits refer to and that are not here. Usually none: the device
        /// knows what it has not sent yet; what it believes to be here was lost by a restore.
        lacked: Vec<AttachmentHash>,
    },
    /// Ends the conversation.
    Refuse(Refusal),
    /// Answers one bundle.
    Verdicts {
        /// Which.
        bundle: BundleId,
        /// In the order of the bundle; empty if the bundle could not be opened.
        verdicts: Vec<Verdict>,
    },
    /// A sealed page of the feed.
    Page(Vec<u8>),
    /// Nothing follows in the feed.
    CaughtUp {
        /// Of every edit that the device now holds, if it took everything; see
        /// [`super::agreement::EditSum`].
        held: HeldDigest,
    },
    /// Answers one [`DeviceMessage::Want`]: a sealed page of what there is of it, or nothing.
    Edits(Option<Vec<u8>>),
    /// The sealed reference data; sent unasked when the device has another version.
    Directory(Vec<u8>),
    /// Answers one [`DeviceMessage::Return`].
    Returned,
    /// The file is not here: send it from `from` on.
    Need {
        /// Which.
        hash: AttachmentHash,
        /// How many bytes the ward has already.
        from: usize,
    },
    /// So much of a file is durable; the device may send more.
    Kept {
        /// Which.
        hash: AttachmentHash,
        /// How many bytes from the start.
        up_to: usize,
    },
    /// Answers [`DeviceMessage::Fetch`].
    Found {
        /// Which.
        hash: AttachmentHash,
        /// How many bytes it has; 0: it is not here, or not for this device.
        size: usize,
        /// By which its parts are checked.
        parts: Vec<PartHash>,
    },
    /// Answers [`DeviceMessage::FetchPart`].
    Part {
        /// Where it begins.
        offset: usize,
        /// Never empty.
        bytes: Vec<u8>,
    },
    /// Answers [`DeviceMessage::Look`]; `None`: there is no such case, or not for this device.
    Lent(Option<Loan>),
    /// Answers [`DeviceMessage::Witness`].
    Witnessed(Testimony),
    /// Answers one [`DeviceMessage::Compare`], in its order.
    Compared(Vec<Answer>),
    /// The ward's last word on an offer.
    Stored {
        /// Which.
        hash: AttachmentHash,
        /// What became of it.
        word: FileWord,
    },
}

/// A case for a device that does not hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    /// Which.
    pub case: Uuid,
    /// A sealed page without a cursor: its newest edits, its person's and its visit's, as far as the
    /// device may see them and one page holds. What they build on is asked for by name.
    pub page: Vec<u8>,
}

/// The ward's last word on a file in this conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWord {
    /// Its content is not what the ward takes.
    Refused,
    /// It is on the ward's disk.
    Stored,
    /// No case that the ward has admitted refers to it; offered again later.
    Unreferenced,
    /// The device has sent more than it may in a day; offered again later.
    OverQuota,
}

impl FileWord {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Refused => 0,
            Self::Stored => 1,
            Self::Unreferenced => 2,
            Self::OverQuota => 3,
        }
    }

    /// A code that this build does not know is a refusal all the same.
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        match code {
            1 => Self::Stored,
            2 => Self::Unreferenced,
            3 => Self::OverQuota,
            _ => Self::Refused,
        }
    }
}

/// Room for a length before a long field, and for fields that a later version appends.
const SPARE_BYTES: usize = 1024;

/// The types of message. Device and ward use different ones, so that nothing can be reflected.
mod kind {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const BUNDLE: u8 = 0x02;
    pub(super) const PULL: u8 = 0x03;
    pub(super) const TAKEN: u8 = 0x04;
    pub(super) const WANT: u8 = 0x05;
    pub(super) const GIVE_BACK: u8 = 0x06;
    pub(super) const RETURN: u8 = 0x07;
    pub(super) const OFFER: u8 = 0x08;
    pub(super) const CHUNK: u8 = 0x09;
    pub(super) const DONE: u8 = 0x0a;
    pub(super) const FETCH: u8 = 0x0b;
    pub(super) const FETCH_PART: u8 = 0x0c;
    pub(super) const FOLLOW: u8 = 0x0d;
    pub(super) const COMPARE: u8 = 0x0e;
    pub(super) const LOOK: u8 = 0x0f;
    pub(super) const WITNESS: u8 = 0x13;

    pub(super) const WELCOME: u8 = 0x41;
    pub(super) const REFUSE: u8 = 0x42;
    pub(super) const VERDICTS: u8 = 0x43;
    pub(super) const PAGE: u8 = 0x44;
    pub(super) const CAUGHT_UP: u8 = 0x45;
    pub(super) const EDITS: u8 = 0x46;
    pub(super) const DIRECTORY: u8 = 0x47;
    pub(super) const RETURNED: u8 = 0x48;
    pub(super) const NEED: u8 = 0x49;
    pub(super) const STORED: u8 = 0x4a;
    pub(super) const KEPT: u8 = 0x4b;
    pub(super) const FOUND: u8 = 0x4c;
    pub(super) const PART: u8 = 0x4d;
    pub(super) const COMPARED: u8 = 0x4f;
    pub(super) const LENT: u8 = 0x50;
    pub(super) const WITNESSED: u8 = 0x54;
}

impl DeviceMessage {
    /// Most bytes of fields that a device's message of this type may have.
    #[must_use]
    pub fn payload_limit(kind: u8) -> Option<usize> {
        Some(match kind {
            kind::HELLO
            | kind::PULL
            | kind::TAKEN
            | kind::GIVE_BACK
            | kind::FETCH
            | kind::FETCH_PART
            | kind::FOLLOW
            | kind::LOOK
            | kind::WITNESS
            | kind::DONE => SPARE_BYTES,
            kind::OFFER => limits::ATTACHMENT_PARTS_MAX * 32 + SPARE_BYTES,
            kind::BUNDLE => limits::BUNDLE_BYTES_MAX + SPARE_BYTES,
            kind::COMPARE => limits::QUESTIONS_MAX * QUESTION_BYTES_MAX + SPARE_BYTES,
            kind::WANT => limits::WANTED_EDITS_MAX * 32 + SPARE_BYTES,
            kind::RETURN => limits::PAGE_BYTES_MAX + SPARE_BYTES,
            kind::CHUNK => limits::ATTACHMENT_PART_BYTES + SPARE_BYTES,
            _ => return None,
        })
    }
}

impl WardMessage {
    /// Most bytes of fields that a ward's message of this type may have.
    #[must_use]
    pub fn payload_limit(kind: u8) -> Option<usize> {
        Some(match kind {
            kind::WELCOME => limits::LACKED_ATTACHMENTS_MAX * 32 + SPARE_BYTES,
            kind::REFUSE
            | kind::CAUGHT_UP
            | kind::RETURNED
            | kind::NEED
            | kind::STORED
            | kind::KEPT
            | kind::WITNESSED => SPARE_BYTES,
            kind::FOUND => limits::ATTACHMENT_PARTS_MAX * 32 + SPARE_BYTES,
            kind::PART => limits::ATTACHMENT_PART_BYTES + SPARE_BYTES,
            kind::COMPARED => {
                limits::QUESTIONS_MAX * ANSWER_BYTES_MAX
                    + limits::LISTED_EDITS_MAX * 32
                    + SPARE_BYTES
            }
            kind::VERDICTS => limits::BUNDLE_EDITS_MAX * 33 + SPARE_BYTES,
            kind::PAGE | kind::EDITS | kind::LENT => limits::PAGE_BYTES_MAX + SPARE_BYTES,
            kind::DIRECTORY => limits::DIRECTORY_BYTES_MAX + SPARE_BYTES,
            _ => return None,
        })
    }
}
