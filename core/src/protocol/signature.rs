//! Whether a signature holds, as everybody here asks it: strictly, so that all implementations agree.

use ed25519_dalek::{Signature, VerifyingKey};

/// Whether `signer`, an Ed25519 public key, signed `bytes`. A key that is none has signed nothing.
#[must_use]
pub fn holds(signer: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(signer).is_ok_and(|key| {
        let signature = Signature::from_bytes(signature);
        key.verify_strict(bytes, &signature).is_ok()
    })
}
