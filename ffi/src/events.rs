//! News on its way to the app.

use gandan_core::model::AttachmentHash;
use gandan_core::protocol::initiator::Progress;
use gandan_core::replica::Change;

/// Implemented by the app; called after a change is durable, on the thread that made it.
#[uniffi::export(with_foreign)]
pub trait ChangeObserver: Send + Sync {
    /// Something changed that a screen may show.
    fn on_change(&self, change: Change);
}

/// Implemented by the app; called while a synchronisation goes on.
#[uniffi::export(with_foreign)]
pub trait ProgressObserver: Send + Sync {
    /// The next thing happened.
    fn on_progress(&self, progress: SyncProgress);
}

/// What happened during a synchronisation.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncProgress {
    /// The ward answered.
    Welcomed,
    /// The ward gave its word on edits of ours.
    Verdicts {
        /// Accepted or already there.
        accepted: u64,
        /// Refused.
        rejected: u64,
        /// To be sent again.
        waiting: u64,
    },
    /// Edits of others arrived.
    Received {
        /// How many.
        edits: u64,
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
    /// The ward does not take a file yet; it is offered again at the next synchronisation.
    AttachmentPostponed {
        /// Which.
        hash: AttachmentHash,
    },
    /// The ward does not have a file that was asked for.
    AttachmentMissing {
        /// Which.
        hash: AttachmentHash,
    },
    /// A file is on the ward's disk.
    AttachmentStored {
        /// Which.
        hash: AttachmentHash,
    },
    /// The ward does not take a file; it stays on the device.
    AttachmentRefused {
        /// Which.
        hash: AttachmentHash,
    },
    /// Everything was said by both sides.
    CaughtUp,
    /// Only while staying: the connection was lost, or there is none. It is tried again by itself.
    Waiting {
        /// After so many milliseconds, or as soon as the network changes.
        milliseconds: u64,
    },
}

impl From<&Progress> for SyncProgress {
    fn from(progress: &Progress) -> Self {
        match progress {
            Progress::Welcomed => Self::Welcomed,
            Progress::Verdicts {
                accepted,
                rejected,
                waiting,
            } => Self::Verdicts {
                accepted: *accepted as u64,
                rejected: *rejected as u64,
                waiting: *waiting as u64,
            },
            Progress::Received { edits } => Self::Received {
                edits: *edits as u64,
            },
            Progress::AttachmentKept { hash, bytes, of } => Self::AttachmentKept {
                hash: *hash,
                bytes: *bytes,
                of: *of,
            },
            Progress::AttachmentPostponed(hash) => Self::AttachmentPostponed { hash: *hash },
            Progress::AttachmentMissing(hash) => Self::AttachmentMissing { hash: *hash },
            Progress::AttachmentStored(hash) => Self::AttachmentStored { hash: *hash },
            Progress::AttachmentRefused(hash) => Self::AttachmentRefused { hash: *hash },
            Progress::CaughtUp => Self::CaughtUp,
        }
    }
}
