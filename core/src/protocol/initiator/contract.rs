//! What a conversation begins with, asks of the device's store, shows, and how it may end.

use crate::model::{AttachmentHash, BundleId, Directory, EditId, Timestamp, WardKey};
use crate::protocol::agreement::HeldDigest;
use crate::protocol::checkpoint::Testimony;
use crate::protocol::directory::DirectoryVersion;
use crate::protocol::feed::{Cursor, Page};
use crate::protocol::message::Refusal;
use crate::protocol::reconciliation::{Answer, Question};
use crate::protocol::verdict::Verdict;
use crate::protocol::violation::Violation;
use uuid::Uuid;

/// What the device knows when a conversation begins.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Pinned at enrolment.
    pub ward_key: WardKey,
    /// Where the last conversation ended; empty at first.
    pub cursor: Cursor,
    /// Version of the directory that the device holds, as it came with it; zero if none.
    pub directory_version: DirectoryVersion,
    /// The device's clock now, so that the ward can show how far it is off.
    pub device_time: Timestamp,
    /// Version of the app, shown to the administrator.
    pub app_version: String,
    /// Edits that the feed named in an earlier conversation and that have not come yet: asked for
    /// once the feed was read.
    pub wanted: Vec<EditId>,
    /// Asks about the ward's audit trail, from this entry on, 0 for the beginning; `None`: not now.
    pub witness: Option<u64>,
}

/// A bundle on its way up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingBundle {
    /// Its name.
    pub id: BundleId,
    /// What travels.
    pub sealed: Vec<u8>,
    /// What is in it, in order: once they are accepted, a page of the feed does not name them.
    pub edits: Vec<EditId>,
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
/// answered by [`DeviceAnswer`] through [`super::Initiator::handle_answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCommand {
    /// The next sealed bundle without a final verdict, that was not given in this conversation.
    /// Seals what is unsealed. A bundle with a waiting edit may be given once more after something
    /// that it waits for was accepted. Asked again when the feed has been read: for what was recorded
    /// meanwhile, and for edits that the ward once accepted under a sequence that a page of the feed
    /// (one with a cursor) has covered without them, because the ward was restored in between. Answer:
    /// [`DeviceAnswer::Bundle`].
    NextBundle,
    /// Records the ward's word, durably. An empty list: the ward could not open the bundle, so its
    /// edits are to be sealed anew. Answer: [`DeviceAnswer::Done`].
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
    ApplyDirectory {
        /// What the ward says of itself.
        directory: Box<Directory>,
        /// To be kept beside it for [`Opening::directory_version`]; not to be computed again, since a
        /// later ward may have said more than this build could read.
        version: DirectoryVersion,
    },
    /// The ward was restored and does not know our cursor: give back what it lost through
    /// [`DeviceCommand::NextReturn`], every page from the first. What was given in this conversation
    /// counts as not given; bundles with accepted edits that no page proof covers are to be sent
    /// again. The old cursor stays until the first page of the new feed replaces it, so that a return
    /// that is interrupted begins again next time. Answer: [`DeviceAnswer::Done`].
    BeginReturn,
    /// Compares with the ward, from the beginning: everything with a proof if it was restored, else what the
    /// device holds. Answer: [`DeviceAnswer::Comparison`].
    BeginComparison {
        /// Whether the ward was restored.
        is_restored: bool,
    },
    /// What the ward said to the last questions. Answer: [`DeviceAnswer::Comparison`].
    Compare(Vec<Answer>),
    /// The next proof that names edits which the ward lacks, with these edits; after a comparison.
    /// Answer: [`DeviceAnswer::Return`].
    NextReturn,
    /// Everything was said about records; files may follow. Keeps what the ward says that the device
    /// holds, so that both can be compared, and drops what is kept no longer than until a time. Answer:
    /// [`DeviceAnswer::Settled`].
    Settle {
        /// By the ward's clock.
        ward_time: Timestamp,
        /// What the ward says that the device holds.
        held: HeldDigest,
    },
    /// The next attachment that the ward has not confirmed and was not given in this conversation,
    /// thumbnails first.
    /// Answer: [`DeviceAnswer::Attachment`].
    NextAttachment,
    /// What somebody typed to see a case that the feed does not bring, not given in this conversation.
    /// Answer: [`DeviceAnswer::Look`].
    NextLook,
    /// Keeps a case that the ward lends, or that it has none. Answer: [`DeviceAnswer::PageApplied`].
    KeepLent {
        /// What was typed.
        words: String,
        /// Which case it is, and a page of it.
        lent: Option<(Uuid, Box<Page>)>,
    },
    /// The next file that somebody wants to see and that is not here whole, not given in this
    /// conversation. Answer: [`DeviceAnswer::Fetch`].
    NextFetch,
    /// Keeps a part of a wanted file, durably; its bytes were checked. With the last one the file is
    /// here. Answer: [`DeviceAnswer::Done`].
    KeepFetched {
        /// Of which file.
        hash: AttachmentHash,
        /// Of the whole file.
        size: usize,
        /// Where the part begins.
        offset: usize,
        /// The part.
        bytes: Vec<u8>,
    },
    /// The ward has it, durably. Answer: [`DeviceAnswer::Done`].
    ConfirmAttachment(AttachmentHash),
    /// The ward keeps so much of a file; said once for each chunk, for whoever looks at the screen.
    /// Answer: [`DeviceAnswer::Done`].
    NoteKept {
        /// Which.
        hash: AttachmentHash,
        /// How many bytes from the start.
        bytes: u64,
    },
    /// Keeps the ward's word on its audit trail, and looks whether it goes through what was kept before.
    /// Answer: [`DeviceAnswer::Done`].
    KeepWitnessed(Box<Testimony>),
    /// The ward lacks these files, to which edits of this device refer: whoever believed that they
    /// were there gives them again. Answer: [`DeviceAnswer::Done`].
    DoubtAttachments(Vec<AttachmentHash>),
}

/// How a comparison goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComparisonStep {
    /// To ask the ward.
    Ask(Vec<Question>),
    /// It is over.
    Found {
        /// Edits that the ward has and the device has not: to ask for.
        missing: Vec<EditId>,
        /// Whether the device has what the ward has not.
        is_anything_lacked_there: bool,
    },
}

/// The store's answer to a [`DeviceCommand`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// The command is durable.
    Done,
    /// The sealed bytes, or none left.
    Bundle(Option<OutgoingBundle>),
    /// Edits that the page refers to but that are not here; asked for by name.
    PageApplied {
        /// To ask for.
        missing: Vec<EditId>,
    },
    /// What was typed, or nothing left.
    Look(Option<String>),
    /// How the comparison goes on.
    Comparison(ComparisonStep),
    /// Whether both sides hold the same.
    Settled {
        /// As the digests say.
        is_agreed: bool,
    },
    /// A page as once received, all bodies present that the device holds, or none left.
    Return(Option<Box<Page>>),
    /// A file to fetch and how many bytes of it are here, whole parts; or none left.
    Fetch(Option<(AttachmentHash, usize)>),
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
    /// So much of a file is on the ward's disk.
    AttachmentKept {
        /// Which.
        hash: AttachmentHash,
        /// How many bytes from the start.
        bytes: u64,
        /// How many bytes it has.
        of: u64,
    },
    /// The ward does not take a file yet: no case that it admitted refers to it, or this device has
    /// sent much today. It is offered again in the next conversation.
    AttachmentPostponed(AttachmentHash),
    /// The ward does not have a file that was asked for.
    AttachmentMissing(AttachmentHash),
    /// A file is on the ward's disk.
    AttachmentStored(AttachmentHash),
    /// The ward does not take a file (its type, its size, or its hash); it stays on the device.
    AttachmentRefused(AttachmentHash),
    /// Everything was said by both sides.
    CaughtUp,
}

/// Why a conversation ended before everything was said. Nothing recorded is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// The peer sent what no ward would send.
    #[error(
        "Máy chủ trả lời sai giao thức: dữ liệu vẫn an toàn trên máy. Hãy báo văn phòng (the other side broke the protocol: {0}. Everything is kept, tell the office)"
    )]
    Violation(#[from] Violation),
    /// The ward refused us.
    #[error("{0}")]
    Refused(Refusal),
    /// The connection ended early.
    #[error(
        "Kết nối bị đứt giữa chừng: phần đã xác nhận được giữ, hãy đồng bộ lại (the connection ended before everything was said; what was confirmed stays, synchronise again)"
    )]
    Interrupted,
}
