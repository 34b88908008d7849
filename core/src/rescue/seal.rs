//! Writing a rescue file, item by item, so that only one photo is in memory beside the file.

use std::convert::Infallible;

use hpke::aead::AeadCtxS;
use hpke::{Deserializable as _, OpModeS, Serializable as _, setup_sender_with_rng};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize;

use super::{
    BadRescueKey, ITEM_BYTES_MAX, MAGIC, PIECE_BYTES, SealAead, SealKdf, SealKem, context,
    item_tag, piece,
};
use crate::codec::Writer;
use crate::protocol::credential::Enrolment;

/// Makes a rescue file.
pub struct Sealer {
    context: AeadCtxS<SealAead, SealKdf, SealKem>,
    file: Vec<u8>,
    /// Not sealed yet; less than a piece between calls.
    pub(super) plain: Vec<u8>,
}

impl Sealer {
    /// Begins a file of the phone of `enrolment`. `random` must be unpredictable and is used up.
    ///
    /// # Errors
    /// [`BadRescueKey`].
    pub fn new(enrolment: &Enrolment, random: [u8; 32]) -> Result<Self, BadRescueKey> {
        type PublicKey = <SealKem as hpke::Kem>::PublicKey;
        let ward = enrolment.credential.ward;
        let key = PublicKey::from_bytes(&enrolment.rescue_key).map_err(|_| BadRescueKey)?;
        let mut chance = Chance::new(CHANCE_CONTEXT, random);
        let (encapsulated, context) = setup_sender_with_rng::<SealAead, SealKdf, SealKem>(
            &OpModeS::Base,
            &key,
            &context(ward),
            &mut chance,
        )
        .map_err(|_| BadRescueKey)?;
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(ward.as_bytes());
        file.extend_from_slice(&encapsulated.to_bytes());
        let mut sealer = Self {
            context,
            file,
            plain: Vec::new(),
        };
        sealer.push(item_tag::CREDENTIAL, &enrolment.credential.encode());
        Ok(sealer)
    }

    /// Adds a sealed bundle.
    pub fn bundle(&mut self, sealed: &[u8]) {
        self.push(item_tag::BUNDLE, sealed);
    }

    /// Adds a file.
    ///
    /// # Panics
    /// If it is larger than an attachment can be.
    pub fn attachment(&mut self, bytes: &[u8]) {
        self.push(item_tag::ATTACHMENT, bytes);
    }

    /// The whole file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.write(&[item_tag::END]);
        let rest = std::mem::take(&mut self.plain);
        self.seal(&rest, piece::LAST);
        self.file
    }

    pub(super) fn push(&mut self, tag: u8, item: &[u8]) {
        assert!(item.len() <= ITEM_BYTES_MAX, "an item is over its limit");
        let mut head = Writer::new();
        head.byte(tag).count(item.len());
        self.write(&head.finish());
        self.write(item);
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.plain.extend_from_slice(bytes);
        // A full piece waits until something follows it: it might be the last.
        let mut plain = std::mem::take(&mut self.plain);
        let mut start = 0;
        while plain.len() - start > PIECE_BYTES {
            self.seal(&plain[start..start + PIECE_BYTES], piece::MORE);
            start += PIECE_BYTES;
        }
        plain.drain(..start);
        self.plain = plain;
    }

    fn seal(&mut self, plain: &[u8], position: &[u8]) {
        let sealed = self
            .context
            .seal(plain, position)
            .expect("a file has far fewer pieces than a key may seal");
        self.file.extend_from_slice(&sealed);
    }
}

const CHANCE_CONTEXT: &str = "gandan 2026-11 rescue file ephemeral key";

/// The caller's chance, drawn out as far as is asked for.
pub(crate) struct Chance(blake3::OutputReader);

impl Chance {
    pub(crate) fn new(context: &str, mut random: [u8; 32]) -> Self {
        let chance = blake3::Hasher::new_derive_key(context)
            .update(&random)
            .finalize_xof();
        random.zeroize();
        Self(chance)
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Chance {}
