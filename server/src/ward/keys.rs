//! The ward's secrets: the key of its store in a file of its own, and the seeds inside the store.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use ed25519_dalek::SigningKey;
use gandan_core::model::WardKey;
use gandan_core::store::{OpenError, StoreKey};
use rusqlite::Connection;
use zeroize::Zeroizing;

use super::{WardError, settings};

/// What the ward signs and opens with.
pub(super) struct Keys {
    pub(super) signing: SigningKey,
    pub(super) rescue_seed: Zeroizing<[u8; 32]>,
    /// Marks the cursors that are our own, so that a device cannot pretend that the ward was restored.
    pub(super) cursor: Zeroizing<[u8; 32]>,
}

impl Keys {
    pub(super) fn read(connection: &Connection) -> Result<Self, WardError> {
        let seed = |name| -> Result<Zeroizing<[u8; 32]>, WardError> {
            let seed = settings::read(connection, name)?.ok_or(WardError::NotInitialised)?;
            Ok(Zeroizing::new(seed))
        };
        let ward_seed = seed(settings::WARD_SEED)?;
        Ok(Self {
            signing: SigningKey::from_bytes(&ward_seed),
            rescue_seed: seed(settings::RESCUE_SEED)?,
            cursor: Zeroizing::new(blake3::derive_key(
                "gandan 2026-11 ward feed cursor",
                &*ward_seed,
            )),
        })
    }

    /// The key to which phones seal rescue files.
    pub(super) fn rescue_public(&self) -> [u8; 32] {
        gandan_core::rescue::public_key(&self.rescue_seed)
    }

    pub(super) fn public(&self) -> WardKey {
        WardKey(self.signing.verifying_key().to_bytes())
    }
}

/// Reads the key of the store.
pub(super) fn read_store_key(path: &Path) -> Result<StoreKey, WardError> {
    let digits = Zeroizing::new(fs::read_to_string(path)?);
    StoreKey::from_hex(digits.trim()).ok_or(WardError::Open(OpenError::WrongKey))
}

/// Writes a new key, for the owner's eyes only. The file is complete or absent, whatever happens.
pub(super) fn write_store_key(path: &Path, key: &[u8; 32]) -> Result<(), WardError> {
    let unfinished = path.with_extension("key.unfinished");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&unfinished)?;
    let digits = Zeroizing::new(data_encoding::HEXLOWER.encode(key));
    file.write_all(digits.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
