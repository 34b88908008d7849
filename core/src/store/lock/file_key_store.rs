//! A key store in a file, for the command line, which has no better one: it keeps the wrapped key from who
//! gets the folder without this file, not from who gets both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KeyStore, KeyStoreError, seal};
use crate::environment::{Environment, SystemEnvironment};
use crate::store::durable;

const NAME: &str = "phone.db-keystore";
const SECRET_BYTES: usize = 32;
const SALT_BYTES: usize = 32;
/// Keys derived from the secret are for this only.
const CONTEXT: &str = "gandan/1/file-key-store";

/// Its secret lies beside the store, readable by its owner alone.
pub struct FileKeyStore {
    path: PathBuf,
}

impl FileKeyStore {
    /// Of the store in `directory`.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            path: directory.join(NAME),
        }
    }

    fn secret(&self) -> io::Result<Zeroizing<[u8; SECRET_BYTES]>> {
        let bytes = Zeroizing::new(fs::read(&self.path)?);
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        if bytes.len() != SECRET_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        secret.copy_from_slice(&bytes);
        Ok(secret)
    }

    /// Only wrapping makes the secret: one that is made anew unwraps nothing.
    fn secret_or_new(&self) -> io::Result<Zeroizing<[u8; SECRET_BYTES]>> {
        match self.secret() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = Zeroizing::new([0; SECRET_BYTES]);
                SystemEnvironment.fill_random(secret.as_mut_slice());
                durable::write(&self.path, secret.as_slice())?;
                Ok(secret)
            }
            other => other,
        }
    }
}

impl KeyStore for FileKeyStore {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        let own = self.secret_or_new().map_err(|_| KeyStoreError)?;
        let mut salt = [0; SALT_BYTES];
        SystemEnvironment.fill_random(&mut salt);
        let mut wrapped = salt.to_vec();
        wrapped.extend(seal::seal(&derived(&own, &salt), secret));
        Ok(wrapped)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let own = self.secret().map_err(|_| KeyStoreError)?;
        let (salt, sealed) = wrapped.split_at_checked(SALT_BYTES).ok_or(KeyStoreError)?;
        seal::open(&derived(&own, salt), sealed).ok_or(KeyStoreError)
    }
}

fn derived(secret: &[u8; SECRET_BYTES], salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(secret);
    hasher.update(salt);
    Zeroizing::new(hasher.finalize().into())
}
