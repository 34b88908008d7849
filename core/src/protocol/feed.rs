//! The ward's append-only feed on its way down: signed pages, and the cursor between them.

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::codec::DecodeError;
use crate::model::{ChainHash, DeviceId, EditId, Epoch, OfficerId, Timestamp, WardCode, WardKey};

/// How far a device has read. Opaque to the device, which only gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(pub Vec<u8>);

/// What the ward itself reads in a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorFields {
    /// The feed's life.
    pub epoch: Epoch,
    /// The last sequence read; 0 before the first.
    pub sequence: u64,
    /// The chain at that sequence.
    pub chain: ChainHash,
    /// Version of the device's scope.
    pub scope_version: u64,
}

impl CursorFields {
    /// As a device keeps it.
    #[must_use]
    pub fn to_cursor(self) -> Cursor {
        todo!()
    }

    /// `None` for an empty cursor or one that is not ours: the device then reads from the start.
    #[must_use]
    pub fn from_cursor(_cursor: &Cursor) -> Option<Self> {
        todo!()
    }
}

/// What the ward says of one admitted edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Place in the feed.
    pub sequence: u64,
    /// The edit.
    pub edit: EditId,
    /// Who wrote it.
    pub author: OfficerId,
    /// On which device; the ward's own key for the console.
    pub device: DeviceId,
    /// By the ward's clock.
    pub received_at: Timestamp,
    /// Salt of the chain entry, so that the chain still holds when content and salt are purged.
    pub nonce: [u8; 16],
}

impl FeedEntry {
    /// BLAKE3 over everything above: what the chain commits to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        todo!()
    }

    /// The chain after this entry.
    #[must_use]
    pub fn extend(&self, _previous: ChainHash) -> ChainHash {
        todo!()
    }
}

/// The ward's word that it admitted these edits; kept by devices, given back after a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageProof {
    /// Which ward.
    pub ward: WardCode,
    /// Which life of the feed.
    pub epoch: Epoch,
    /// The page covers what follows this sequence.
    pub after: u64,
    /// And goes up to here.
    pub up_to: u64,
    /// The chain at `up_to`.
    pub chain: ChainHash,
    /// Those in the device's scope, ascending by sequence.
    pub entries: Vec<FeedEntry>,
    /// Ed25519 by the ward over all of the above.
    pub signature: [u8; 64],
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The ward's word.
    pub proof: PageProof,
    /// For each entry the edit's bytes, or `None` if the receiving device wrote it and has it.
    pub bodies: Vec<Option<Vec<u8>>>,
    /// Where to go on; `None` for edits that were asked for by name.
    pub cursor: Option<Cursor>,
}

/// Why a page is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenPageError {
    /// Its bytes are not a page.
    #[error("the page does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Its content is not what zstd makes, or is too large.
    #[error("the page does not decompress within its limit")]
    Decompress,
    /// The signature is not the pinned ward's.
    #[error("the page's signature does not hold")]
    Signature,
}

/// Signs a page's entries.
#[must_use]
pub fn sign(_key: &SigningKey, _unsigned: PageProof) -> PageProof {
    todo!()
}

/// Checks the ward's word on its own.
#[must_use]
pub fn verify_proof(_ward_key: WardKey, _proof: &PageProof) -> bool {
    todo!()
}

impl Page {
    /// The bytes of the page's frame, compressed.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        todo!()
    }

    /// Opens a page and checks that the pinned ward signed it. Bodies are not decoded: a poisoned
    /// one must not block the rest.
    ///
    /// # Errors
    /// See [`OpenPageError`].
    pub fn open(_ward_key: WardKey, _bytes: &[u8]) -> Result<Self, OpenPageError> {
        todo!()
    }
}
