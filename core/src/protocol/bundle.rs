//! Edits on their way up: packed, signed once, named by the hash of the sealed bytes. Owns the
//! device's word and the envelope; how edits are packed is [`super::packing`]'s.

use ed25519_dalek::{Signer, SigningKey};
use thiserror::Error;

use super::credential::read_ward;
use super::limits::{BUNDLE_BYTES_MAX, BUNDLE_EDITS_MAX};
use super::packing::{self, Effort, PACKED_BYTES_MAX, UnpackError};
use super::signature;
use crate::codec::{DecodeError, Reader, Writer};
use crate::edit::EncodedEdit;
use crate::model::{BundleId, DeviceId, EditId, Timestamp, WardCode};

/// First byte of a sealed bundle.
const LAYOUT: u8 = 1;
/// Keeps a bundle's signature from passing for one on anything else.
const SIGNATURE_PREFIX: &[u8] = b"gandan/1/bundle\0";

/// What remains of a bundle once its edits are stored: the device's word that it wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleProof {
    /// For which ward.
    pub ward: WardCode,
    /// Who signed.
    pub device: DeviceId,
    /// By the device's clock.
    pub sealed_at: Timestamp,
    /// In the order of the bundle.
    pub edits: Vec<EditId>,
    /// Ed25519 by the device over all of the above.
    pub signature: [u8; 64],
}

/// Why a bundle is refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenBundleError {
    /// Its bytes are not a bundle.
    #[error("the bundle does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Its content is not what zstd makes, or is too large.
    #[error("the bundle does not decompress within its limit")]
    Decompress,
    /// The signature is not the device's over these edits.
    #[error("the bundle's signature does not hold")]
    Signature,
}

impl From<UnpackError> for OpenBundleError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Decode(error) => Self::Decode(error),
            UnpackError::Decompress => Self::Decompress,
        }
    }
}

/// A bundle whose signature held. An edit that does not decode is kept as its error, so that the
/// others in the bundle go on.
#[derive(Debug, Clone)]
pub struct OpenedBundle {
    /// BLAKE3 of the sealed bytes.
    pub id: BundleId,
    /// The device's word.
    pub proof: BundleProof,
    /// In the order of the bundle, each under its own name.
    pub edits: Vec<(EditId, Result<EncodedEdit, DecodeError>)>,
}

/// Seals edits, in order, until a limit is reached; gives the bytes and how many edits went in.
/// At least one goes in: a single edit always fits.
#[must_use]
pub fn seal(
    key: &SigningKey,
    ward: WardCode,
    sealed_at: Timestamp,
    edits: &[EncodedEdit],
) -> (BundleId, Vec<u8>, usize) {
    let mut content = 0;
    let mut count = edits
        .iter()
        .take(BUNDLE_EDITS_MAX)
        .take_while(|edit| {
            content += edit.bytes().len();
            content <= PACKED_BYTES_MAX
        })
        .count();
    loop {
        let sealed = seal_all(
            key,
            ward,
            sealed_at,
            edits[..count].iter().map(|edit| (edit.id(), edit.bytes())),
        );
        if sealed.len() <= BUNDLE_BYTES_MAX || count <= 1 {
            let id = BundleId(blake3::hash(&sealed).into());
            return (id, sealed, count);
        }
        // Edits are about equally long; a tenth less spares most second attempts.
        count = (count * BUNDLE_BYTES_MAX / sealed.len() * 9 / 10).max(1);
    }
}

fn seal_all<'a>(
    key: &SigningKey,
    ward: WardCode,
    sealed_at: Timestamp,
    edits: impl Iterator<Item = (EditId, &'a [u8])>,
) -> Vec<u8> {
    let (ids, bytes): (Vec<EditId>, Vec<&[u8]>) = edits.unzip();
    let mut proof = BundleProof {
        ward,
        device: DeviceId::of(key),
        sealed_at,
        edits: ids,
        signature: [0; 64],
    };
    proof.signature = key.sign(&signed_bytes(&proof)).to_bytes();
    let mut writer = Writer::new();
    writer
        .byte(LAYOUT)
        .fixed(proof.ward.as_bytes())
        .fixed(proof.device.as_bytes())
        .signed(proof.sealed_at.0)
        .fixed(&proof.signature)
        .fixed(&packing::pack(Effort::Once, bytes));
    writer.finish()
}

/// Opens a sealed bundle and checks the signature.
///
/// # Errors
/// See [`OpenBundleError`].
pub fn open(sealed: &[u8]) -> Result<OpenedBundle, OpenBundleError> {
    if sealed.len() > BUNDLE_BYTES_MAX {
        return Err(DecodeError::OverLimit {
            limit: BUNDLE_BYTES_MAX,
        }
        .into());
    }
    let mut reader = Reader::new(sealed);
    let mut proof = read_head(&mut reader)?;
    let edits: Vec<(EditId, _)> = packing::unpack(reader.rest())?
        .iter()
        .map(|bytes| {
            let id = EditId(blake3::hash(bytes).into());
            (id, EncodedEdit::decode(bytes))
        })
        .collect();
    proof.edits = edits.iter().map(|(id, _)| *id).collect();
    if !verify_proof(&proof) {
        return Err(OpenBundleError::Signature);
    }
    Ok(OpenedBundle {
        id: BundleId(blake3::hash(sealed).into()),
        proof,
        edits,
    })
}

/// The device's word, still without the edits.
fn read_head(reader: &mut Reader<'_>) -> Result<BundleProof, DecodeError> {
    match reader.byte()? {
        LAYOUT => {}
        other => return Err(DecodeError::UnknownCode(other.into())),
    }
    Ok(BundleProof {
        ward: read_ward(reader)?,
        device: DeviceId(reader.fixed()?),
        sealed_at: Timestamp(reader.signed()?),
        edits: Vec::new(),
        signature: reader.fixed()?,
    })
}

/// The names of the edits in a bundle that this device sealed, in order; none if it is no bundle.
#[must_use]
pub fn edits_of_own(sealed: &[u8]) -> Vec<EditId> {
    let mut reader = Reader::new(sealed);
    let bodies = read_head(&mut reader)
        .ok()
        .and_then(|_| packing::unpack(reader.rest()).ok());
    let name = |bytes: Vec<u8>| EditId(blake3::hash(&bytes).into());
    bodies.into_iter().flatten().map(name).collect()
}

/// Checks the device's word on its own.
#[must_use]
pub fn verify_proof(proof: &BundleProof) -> bool {
    signature::holds(
        proof.device.as_bytes(),
        &signed_bytes(proof),
        &proof.signature,
    )
}

fn signed_bytes(proof: &BundleProof) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .fixed(SIGNATURE_PREFIX)
        .fixed(proof.ward.as_bytes())
        .fixed(proof.device.as_bytes())
        .signed(proof.sealed_at.0)
        .count(proof.edits.len());
    for edit in &proof.edits {
        writer.fixed(edit.as_bytes());
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
