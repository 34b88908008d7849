//! The ward's append-only feed on its way down: signed pages, and the cursor between them. Knows
//! neither who may see an edit nor what is in it. Normative text: `docs/wire.md`.

mod cursor;
mod page;
mod tombstone;

use ed25519_dalek::{Signer, SigningKey};

pub use cursor::{Cursor, CursorFields, ScopeStep};
pub use page::{OpenPageError, Page, ScopeDelta};
pub use tombstone::{PurgeReason, Tombstone};

use super::{limits, signature};
use crate::model::{ChainHash, DeviceId, EditId, Epoch, OfficerId, Timestamp, WardCode, WardKey};

/// Domains of the feed's hashes and signatures, so that none can stand for another.
const ENTRY_CONTEXT: &str = "gandan/1/feed-entry";
const CHAIN_CONTEXT: &str = "gandan/1/feed-chain";
const SALT_CONTEXT: &str = "gandan/1/feed-salt";
const SIGNATURE_PREFIX: &[u8] = b"gandan/1/page\0";

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
    /// So that the chain still holds when content and salt are purged.
    pub salt: Salt,
}

/// Keeps the digest of a purged entry from telling what was purged: random, and purged with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Salt {
    /// Of one entry alone.
    Own([u8; 16]),
    /// What the salts of many entries are derived from, because chance does not compress. Before one
    /// of them is purged, the others get theirs as their own.
    Shared([u8; 16]),
}

impl Salt {
    /// The salt of the entry at `sequence`.
    #[must_use]
    pub fn of(self, sequence: u64) -> [u8; 16] {
        match self {
            Self::Own(salt) => salt,
            Self::Shared(root) => {
                let mut hasher = blake3::Hasher::new_derive_key(SALT_CONTEXT);
                hasher.update(&root).update(&sequence.to_be_bytes());
                let mut salt = [0; 16];
                hasher.finalize_xof().fill(&mut salt);
                salt
            }
        }
    }

    /// As a ward's table keeps it: what it is, and its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 17] {
        let (kind, salt) = match self {
            Self::Own(salt) => (0, salt),
            Self::Shared(root) => (1, root),
        };
        let mut bytes = [kind; 17];
        bytes[1..].copy_from_slice(&salt);
        bytes
    }

    /// What [`Salt::to_bytes`] made; anything else is nobody's.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 17]) -> Option<Self> {
        let [kind, salt @ ..] = bytes;
        match kind {
            0 => Some(Self::Own(salt)),
            1 => Some(Self::Shared(salt)),
            _ => None,
        }
    }
}

impl FeedEntry {
    /// BLAKE3 over everything above: what the chain commits to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(ENTRY_CONTEXT);
        hasher
            .update(&self.sequence.to_be_bytes())
            .update(self.edit.as_bytes())
            .update(self.author.0.as_bytes())
            .update(self.device.as_bytes())
            .update(&self.received_at.0.to_be_bytes())
            .update(&self.salt.of(self.sequence));
        hasher.finalize().into()
    }

    /// The chain after this entry.
    #[must_use]
    pub fn extend(&self, previous: ChainHash) -> ChainHash {
        extend_chain(previous, &self.digest())
    }
}

/// The chain after an entry of which only the digest is left, as after a purge.
#[must_use]
pub fn extend_chain(previous: ChainHash, digest: &[u8; 32]) -> ChainHash {
    let mut hasher = blake3::Hasher::new_derive_key(CHAIN_CONTEXT);
    hasher.update(previous.as_bytes()).update(digest);
    ChainHash(hasher.finalize().into())
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

impl PageProof {
    /// What is signed. An entry is there by its digest, so that a proof can outlive a purge.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE_PREFIX.to_vec();
        bytes.extend_from_slice(self.ward.as_bytes());
        bytes.extend_from_slice(self.epoch.as_bytes());
        bytes.extend_from_slice(&self.after.to_be_bytes());
        bytes.extend_from_slice(&self.up_to.to_be_bytes());
        bytes.extend_from_slice(self.chain.as_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.digest());
        }
        bytes
    }

    /// Whether the entries ascend within the range that the page covers.
    fn is_well_formed(&self) -> bool {
        let mut previous = self.after;
        for entry in &self.entries {
            if entry.sequence <= previous || entry.sequence > self.up_to {
                return false;
            }
            previous = entry.sequence;
        }
        self.after <= self.up_to && self.entries.len() <= limits::BUNDLE_EDITS_MAX
    }
}

/// Signs a page's entries.
#[must_use]
pub fn sign(key: &SigningKey, unsigned: PageProof) -> PageProof {
    let signature = key.sign(&unsigned.signed_bytes()).to_bytes();
    PageProof {
        signature,
        ..unsigned
    }
}

/// Checks the ward's word on its own: the form of the entries, and the signature.
#[must_use]
pub fn verify_proof(ward_key: WardKey, proof: &PageProof) -> bool {
    proof.is_well_formed()
        && signature::holds(ward_key.as_bytes(), &proof.signed_bytes(), &proof.signature)
}

#[cfg(test)]
mod tests;
