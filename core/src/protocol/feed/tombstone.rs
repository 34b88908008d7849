//! What is left of a document that was purged: its id, why, when, and the ward's word for it. Says
//! nothing of what was in it.

use ed25519_dalek::{Signer, SigningKey};

use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{ChainHash, DocumentId, Timestamp, WardKey};
use crate::protocol::signature;

const SIGNATURE_PREFIX: &[u8] = b"gandan/1/tombstone\0";
const DIGEST_CONTEXT: &str = "gandan/1/feed-tombstone";

/// Why a document was purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum PurgeReason {
    /// It was found to be a denunciation.
    Denunciation = 1,
    /// A person asked to be erased.
    Erasure = 2,
}

impl PurgeReason {
    /// The number on the wire and in SQL.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The reason of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Denunciation, Self::Erasure]
            .into_iter()
            .find(|reason| reason.code() == code)
    }
}

/// The ward's word that a document is not to be kept by anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// What was purged.
    pub document: DocumentId,
    /// Why.
    pub reason: PurgeReason,
    /// When, by the ward's clock.
    pub at: Timestamp,
    /// Ed25519 by the ward over all of the above.
    pub signature: [u8; 64],
}

impl Tombstone {
    /// Signs one.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        document: DocumentId,
        reason: PurgeReason,
        at: Timestamp,
    ) -> Self {
        let unsigned = Self {
            document,
            reason,
            at,
            signature: [0; 64],
        };
        let signature = key.sign(&unsigned.signed_bytes()).to_bytes();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Whether the ward said it.
    #[must_use]
    pub fn verify(&self, ward_key: WardKey) -> bool {
        signature::holds(ward_key.as_bytes(), &self.signed_bytes(), &self.signature)
    }

    /// What its place in the feed commits to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
        hasher.update(&self.signed_bytes());
        hasher.finalize().into()
    }

    /// The chain after its place in the feed.
    #[must_use]
    pub fn extend(&self, previous: ChainHash) -> ChainHash {
        super::extend_chain(previous, &self.digest())
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE_PREFIX.to_vec();
        bytes.extend_from_slice(&self.document.to_bytes());
        bytes.push(self.reason.code());
        bytes.extend_from_slice(&self.at.0.to_be_bytes());
        bytes
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .fixed(&self.document.to_bytes())
            .byte(self.reason.code())
            .signed(self.at.0)
            .fixed(&self.signature);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let document: [u8; 17] = reader.fixed()?;
        let document = DocumentId::from_slice(&document).ok_or(DecodeError::InvalidValue)?;
        let reason = PurgeReason::from_code(reader.byte()?).ok_or(DecodeError::InvalidValue)?;
        Ok(Self {
            document,
            reason,
            at: Timestamp(reader.signed()?),
            signature: reader.fixed()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_is_the_wards_word_and_of_one_document() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let ward = WardKey(key.verifying_key().to_bytes());
        let document = DocumentId::case(uuid::Uuid::from_bytes([3; 16]));
        let told = Tombstone::sign(&key, document, PurgeReason::Erasure, Timestamp(5));
        assert!(told.verify(ward));
        let mut other = told.clone();
        other.reason = PurgeReason::Denunciation;
        assert!(!other.verify(ward));
        let mut writer = Writer::new();
        told.write(&mut writer);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(Tombstone::read(&mut reader), Ok(told));
    }
}
