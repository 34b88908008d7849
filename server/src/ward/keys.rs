//! The ward's secrets: the key of its store in a file of its own, and the seeds inside the store.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use gandan_core::environment::Environment;
use gandan_core::model::WardKey;
use gandan_core::recovery::RecoveryKey;
use gandan_core::store::{OpenError, StoreKey};
use rusqlite::Connection;
use zeroize::Zeroizing;

use super::{STORE_KEY_FILE, WardError, settings};

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

/// Makes a recovery key in the place of any before, and the first time the key that signs backups.
pub(super) fn put_recovery_key(
    connection: &Connection,
    environment: &dyn Environment,
) -> Result<RecoveryKey, WardError> {
    let mut random = Zeroizing::new([[0; 32]; 2]);
    for seed in random.iter_mut() {
        environment.fill_random(seed);
    }
    let [recovery, fresh] = *random;
    let kept: Option<[u8; 32]> = settings::read(connection, settings::BACKUP_SEED)?;
    let backup = kept.unwrap_or(fresh);
    let signer = SigningKey::from_bytes(&backup).verifying_key().to_bytes();
    let key = RecoveryKey::new(recovery, &signer);
    settings::write(connection, settings::RECOVERY_PUBLIC, &key.public())?;
    settings::write(connection, settings::BACKUP_SEED, &backup)?;
    Ok(key)
}

/// Where a service manager puts what is secret, by systemd's word for it, and the name of ours there.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
const CREDENTIAL: &str = "gandan-store-key";
/// The key itself, in the environment.
const VARIABLE: &str = "GANDAN_STORE_KEY";

/// Reads the key of the store of the ward in `directory`: from the file there, which must be its user's
/// alone, or else from the service manager, or else from the environment. The file comes first, because
/// a variable may be meant for a phone's store.
pub(super) fn read_store_key(directory: &Path) -> Result<StoreKey, WardError> {
    let path = directory.join(STORE_KEY_FILE);
    if path.exists() {
        return read_key_file(&path, true);
    }
    if let Some(credentials) = std::env::var_os(CREDENTIALS) {
        let path = Path::new(&credentials).join(CREDENTIAL);
        if path.exists() {
            // Its rights are the service manager's.
            return read_key_file(&path, false);
        }
    }
    match std::env::var(VARIABLE) {
        Ok(digits) => parse_key(&Zeroizing::new(digits)),
        Err(_) => Err(WardError::NoStoreKey),
    }
}

fn read_key_file(path: &Path, must_be_private: bool) -> Result<StoreKey, WardError> {
    let mut file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of the open file, so that it is the one that is read.
        if must_be_private && file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(WardError::StoreKeyOpenToOthers);
        }
    }
    let mut digits = Zeroizing::new(String::new());
    file.read_to_string(&mut digits)?;
    parse_key(&digits)
}

fn parse_key(digits: &str) -> Result<StoreKey, WardError> {
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
