//! Edits on their way up: compressed, signed once, named by the hash of the sealed bytes.

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::codec::DecodeError;
use crate::edit::EncodedEdit;
use crate::model::{BundleId, DeviceId, EditId, Timestamp, WardCode};

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
    _key: &SigningKey,
    _ward: WardCode,
    _sealed_at: Timestamp,
    _edits: &[EncodedEdit],
) -> (BundleId, Vec<u8>, usize) {
    todo!()
}

/// Opens a sealed bundle and checks the signature.
///
/// # Errors
/// See [`OpenBundleError`].
pub fn open(_sealed: &[u8]) -> Result<OpenedBundle, OpenBundleError> {
    todo!()
}

/// Checks the device's word on its own.
#[must_use]
pub fn verify_proof(_proof: &BundleProof) -> bool {
    todo!()
}
