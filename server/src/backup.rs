//! Backups of a ward: written while it serves, sealed to the recovery key, signed by the ward, and each one
//! whole in itself. A backup is a *manifest*, which names every block of the ward's file, and *packs*, which
//! hold blocks; a later backup into the same folder writes the blocks that have changed. Owns both formats and
//! how they lie on a disk; of the ward it knows a frozen file. Normative: `docs/store.md`.

mod manifest;
mod pack;
mod place;
mod read;
mod restore;
pub(crate) mod rounds;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use gandan_core::model::{Timestamp, WardCode};
use thiserror::Error;

use crate::ward::WardError;

pub use read::verify;
pub use restore::restore;
pub use write::{Wishes, write};

/// Bytes of the ward's file that are compared and stored together: four pages. A smaller block makes the
/// manifest longer, a larger one takes more unchanged pages along.
const BLOCK_BYTES: usize = 16 * 1024;

/// Why there is no backup, or nothing was made of one. What was there before stays as it was.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is nothing of ours at that place.
    #[error("there is no backup at this place")]
    NotABackup,
    /// A newer program wrote it.
    #[error("a newer gandan-server wrote this backup; use that one")]
    Newer,
    /// Something else lies where the backup should go.
    #[error("this place holds something that is no backup; choose another")]
    Occupied,
    /// Backups of another ward lie there.
    #[error("this place holds backups of ward {0}; choose another")]
    OtherWard(WardCode),
    /// Another backup is being written into this folder.
    #[error("another backup is being written into this folder")]
    Busy,
    /// It is not what was written.
    #[error(
        "the backup is damaged: {0}; take an older one of the folder with --number, or another copy"
    )]
    Damaged(&'static str),
    /// The folder holds no backup of this number.
    #[error("this folder holds no backup of number {0}")]
    NoSuchNumber(u64),
    /// The key does not open it.
    #[error("this recovery key does not open this backup; it was printed when the ward was made")]
    WrongKey,
    /// There is a ward where it should be restored.
    #[error("this folder holds a ward already; restore into an empty one")]
    WardIsThere,
    /// The disk.
    #[error("a file cannot be read or written")]
    File(#[from] std::io::Error),
    /// The ward.
    #[error(transparent)]
    Ward(#[from] WardError),
}

/// What was written, or found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whose.
    pub ward: WardCode,
    /// The how many'th backup of its folder; 1 in a file.
    pub number: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Bytes of the ward's file.
    pub bytes: u64,
    /// Bytes that this backup had to add.
    pub added: u64,
    /// Newest entry of the feed that is in it.
    pub feed: u64,
    /// Newest entry of the audit trail that is in it.
    pub audit: u64,
    /// Where it lies.
    pub path: PathBuf,
}
