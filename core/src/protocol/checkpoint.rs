//! A checkpoint of the ward's audit trail: how far it was and what its chain was there, in the ward's own
//! word. Phones keep the newest ones and so are the witnesses: a trail that was cut or written anew does not
//! go through what they hold. Normative text: `docs/wire.md`.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use thiserror::Error;

use super::credential::read_ward;
use super::signature;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{ChainHash, Epoch, Timestamp, WardCode, WardKey};

const SIGNATURE_PREFIX: &[u8] = b"gandan/1/checkpoint\0";
const LAYOUT: u8 = 1;
/// How a checkpoint begins that is shown as text.
const SCHEME: &str = "GDCP-";
/// Longest encoding.
pub const CHECKPOINT_BYTES_MAX: usize = 256;

/// The ward's word on its audit trail at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ward.
    pub ward: WardCode,
    /// Which life of the feed.
    pub epoch: Epoch,
    /// The newest entry of the trail.
    pub number: u64,
    /// The trail's chain after it.
    pub chain: [u8; 32],
    /// The newest entry of the feed.
    pub feed_sequence: u64,
    /// The feed's chain after it.
    pub feed_chain: ChainHash,
    /// By the ward's clock.
    pub at: Timestamp,
    /// Ed25519 by the ward over all of the above.
    pub signature: [u8; 64],
}

/// What a ward answers to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// The trail as it is now.
    pub checkpoint: Checkpoint,
    /// Its chain after the entry that the witness asked about; `None` if it does not reach that far.
    pub then: Option<[u8; 32]>,
}

/// A line that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "dòng này không phải điểm kiểm chứng (this line is no checkpoint; gandan-phone checkpoint prints them)"
)]
pub struct ParseCheckpointError;

impl Checkpoint {
    /// Gives the ward's word.
    #[must_use]
    pub fn sign(key: &SigningKey, unsigned: Self) -> Self {
        let signature = key.sign(&unsigned.signed_bytes()).to_bytes();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Whether the ward of `ward_key` gave this word.
    #[must_use]
    pub fn verify(&self, ward_key: WardKey) -> bool {
        signature::holds(ward_key.as_bytes(), &self.signed_bytes(), &self.signature)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.fixed(SIGNATURE_PREFIX);
        self.write_claims(&mut writer);
        writer.finish()
    }

    fn write_claims(&self, writer: &mut Writer) {
        writer
            .fixed(self.ward.as_bytes())
            .fixed(self.epoch.as_bytes())
            .unsigned(self.number)
            .fixed(&self.chain)
            .unsigned(self.feed_sequence)
            .fixed(self.feed_chain.as_bytes())
            .signed(self.at.0);
    }

    /// The bytes that are stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(LAYOUT);
        self.write_claims(&mut writer);
        writer.fixed(&self.signature);
        writer.finish()
    }

    /// Reads a whole checkpoint; whether its signature holds is another question.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            LAYOUT => {}
            other => return Err(DecodeError::UnknownCode(other.into())),
        }
        let checkpoint = Self {
            ward: read_ward(&mut reader)?,
            epoch: Epoch(reader.fixed()?),
            number: reader.unsigned()?,
            chain: reader.fixed()?,
            feed_sequence: reader.unsigned()?,
            feed_chain: ChainHash(reader.fixed()?),
            at: Timestamp(reader.signed()?),
            signature: reader.fixed()?,
        };
        reader.finish()?;
        Ok(checkpoint)
    }
}

/// One line, to be kept in a file or on paper.
impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{SCHEME}{}",
            BASE64URL_NOPAD.encode(&self.encode())
        )
    }
}

impl FromStr for Checkpoint {
    type Err = ParseCheckpointError;

    fn from_str(line: &str) -> Result<Self, ParseCheckpointError> {
        let letters = line
            .trim()
            .strip_prefix(SCHEME)
            .ok_or(ParseCheckpointError)?;
        let bytes = BASE64URL_NOPAD
            .decode(letters.as_bytes())
            .map_err(|_| ParseCheckpointError)?;
        Self::decode(&bytes).map_err(|_| ParseCheckpointError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(key: &SigningKey) -> Checkpoint {
        Checkpoint::sign(
            key,
            Checkpoint {
                ward: "26995".parse().unwrap(),
                epoch: Epoch([1; 16]),
                number: 300,
                chain: [2; 32],
                feed_sequence: 200,
                feed_chain: ChainHash([3; 32]),
                at: Timestamp(1_772_413_200_000),
                signature: [0; 64],
            },
        )
    }

    #[test]
    fn a_checkpoint_survives_a_line_of_text_and_no_change() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let ward_key = WardKey(key.verifying_key().to_bytes());
        let signed = checkpoint(&key);
        assert!(signed.verify(ward_key));
        assert_eq!(signed.to_string().parse(), Ok(signed.clone()));
        let bytes = signed.encode();
        assert!(bytes.len() <= CHECKPOINT_BYTES_MAX);
        for place in 0..bytes.len() {
            assert!(Checkpoint::decode(&bytes[..place]).is_err());
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(
                !Checkpoint::decode(&changed).is_ok_and(|changed| changed.verify(ward_key)),
                "{place}"
            );
        }
        for line in ["", "GDCP-", "GDCP-AAAA", "xyz"] {
            assert_eq!(line.parse::<Checkpoint>(), Err(ParseCheckpointError));
        }
    }
}
