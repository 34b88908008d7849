//! The store's key sealed with a PIN: argon2id of it, then ChaCha20-Poly1305, whose tag tells a wrong PIN.
//! A short PIN can be tried out by who has the bytes; the key store around them is what keeps them away.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::environment::Environment;

const LAYOUT: u8 = 1;
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What the Password Storage Cheat Sheet of OWASP asks of argon2id; a cheap phone needs half a second.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const PARALLELISM: u32 = 1;

/// It is not what was sealed, whatever the PIN.
#[derive(Debug)]
pub(super) struct Malformed;

/// Layout, salt, sealed key.
pub(super) fn with_pin(key: &[u8; KEY_BYTES], pin: &str, environment: &dyn Environment) -> Vec<u8> {
    let mut salt = [0; SALT_BYTES];
    environment.fill_random(&mut salt);
    let mut sealed = vec![LAYOUT];
    sealed.extend(salt);
    sealed.extend(seal(&stretched(pin, &salt), key));
    sealed
}

/// `None`: it is another PIN.
pub(super) fn open_with_pin(
    sealed: &[u8],
    pin: &str,
) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, Malformed> {
    if sealed.len() != 1 + SALT_BYTES + KEY_BYTES + TAG_BYTES || sealed[0] != LAYOUT {
        return Err(Malformed);
    }
    let (salt, sealed) = sealed[1..].split_at(SALT_BYTES);
    let Some(opened) = open(&stretched(pin, salt), sealed) else {
        return Ok(None);
    };
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    key.copy_from_slice(&opened);
    Ok(Some(key))
}

fn stretched(pin: &str, salt: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let parameters = Params::new(MEMORY_KIB, ITERATIONS, PARALLELISM, Some(KEY_BYTES))
        .expect("the parameters are within argon2's bounds");
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(pin.as_bytes(), salt, key.as_mut_slice())
        .expect("salt and output have lengths that argon2 takes");
    key
}

/// Seals with a key that is used for this one text only: hence the nonce may be zero.
pub(super) fn seal(key: &[u8; KEY_BYTES], secret: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(secret.len() + TAG_BYTES);
    bytes.extend_from_slice(secret);
    aead(key)
        .seal_in_place_append_tag(nonce(), Aad::empty(), &mut bytes)
        .expect("a secret is shorter than what the cipher takes");
    bytes
}

/// `None`: another key, or other bytes.
pub(super) fn open(key: &[u8; KEY_BYTES], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let length = aead(key)
        .open_in_place(nonce(), Aad::empty(), &mut bytes)
        .ok()?
        .len();
    bytes.truncate(length);
    Some(bytes)
}

fn aead(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has the cipher's length");
    LessSafeKey::new(key)
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
