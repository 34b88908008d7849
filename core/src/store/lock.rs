//! The app lock: the store's key lies beside the store, sealed with a PIN and wrapped by the phone's key
//! store. Opens no store. Nothing here ever deletes a record: whoever types wrong PINs waits, and what cannot
//! be unwrapped is kept as it is.

mod attempts;
mod file_key_store;
mod seal;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

pub use file_key_store::FileKeyStore;

use super::{StoreKey, durable};
use crate::environment::Environment;
use attempts::Attempts;

/// The wrapped key. Beginning like the store's name, a wipe destroys it with the store.
const LOCK_NAME: &str = "phone.db-lock";
/// The key since the lock was opened, wrapped by the key store alone: for synchronising in the background.
const SESSION_NAME: &str = "phone.db-session";

/// Shortest and longest PIN, in characters and bytes.
const PIN_CHARACTERS_MIN: usize = 4;
const PIN_BYTES_MAX: usize = 256;

/// The phone's own key store (Android Keystore, iOS Keychain), given by the app. What it wraps can be
/// unwrapped on this phone only.
pub trait KeyStore: Send + Sync {
    /// Wraps a secret.
    ///
    /// # Errors
    /// The key store cannot now.
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeyStoreError>;

    /// Gives a secret back.
    ///
    /// # Errors
    /// The key store cannot now, or never again: its key is gone.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyStoreError>;
}

/// The phone's key store did not answer. It says no more than that: its words may name secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the phone's key store does not answer")]
pub struct KeyStoreError;

/// Why the lock was not set or opened. Whatever the reason: the store and its wrapped key are kept.
#[derive(Debug, Error)]
pub enum LockError {
    /// The PIN is too short or too long.
    #[error(
        "Mã PIN cần từ {PIN_CHARACTERS_MIN} ký tự (a PIN has at least {PIN_CHARACTERS_MIN} characters)"
    )]
    UnfitPin,
    /// There is no lock.
    #[error("Máy này chưa đặt khoá ứng dụng (no lock was set on this phone)")]
    NotSet,
    /// There is one already.
    #[error(
        "Máy này đã đặt khoá ứng dụng; muốn khoá thì không cần PIN (this phone has a lock already)"
    )]
    AlreadySet,
    /// It has to be opened first.
    #[error("Ứng dụng đang khoá: hãy mở khoá bằng PIN (locked; unlock with the PIN first)")]
    Locked,
    /// It is not the PIN.
    #[error(
        "PIN không đúng; dữ liệu vẫn còn nguyên, được thử lại sau {wait_seconds} giây (wrong PIN; nothing was lost, try again in {wait_seconds} s)"
    )]
    WrongPin {
        /// How long the next attempt has to wait.
        wait_seconds: u64,
    },
    /// After wrong PINs nobody is asked for a while.
    #[error(
        "Đã nhập sai PIN nhiều lần: hãy chờ {wait_seconds} giây rồi thử lại; dữ liệu vẫn còn nguyên (too many wrong PINs; wait {wait_seconds} s, nothing was lost)"
    )]
    TooSoon {
        /// How long still.
        wait_seconds: u64,
    },
    /// The phone's key store failed.
    #[error(
        "Kho khoá của máy không mở được khoá này; dữ liệu được giữ nguyên, đừng cài lại ứng dụng, hãy mang máy đến văn phòng (the phone's key store cannot unwrap the key; everything was kept, do not reinstall, bring the phone to the office)"
    )]
    KeyStore(#[from] KeyStoreError),
    /// The wrapped key is no longer what was written.
    #[error(
        "Tệp khoá của ứng dụng bị hỏng; dữ liệu được giữ nguyên, hãy mang máy đến văn phòng (the lock's file is damaged; everything was kept, bring the phone to the office)"
    )]
    Damaged,
    /// A file cannot be read or written.
    #[error(
        "Không đọc hoặc ghi được thư mục của kho (the store's folder cannot be read or written: {0})"
    )]
    File(#[from] io::Error),
}

/// The lock of the store in one folder.
pub struct AppLock<'a> {
    directory: &'a Path,
    key_store: &'a dyn KeyStore,
    environment: &'a dyn Environment,
}

/// Whether the store in this folder has a lock.
///
/// # Errors
/// The operating system's.
pub fn is_set(directory: &Path) -> io::Result<bool> {
    directory.join(LOCK_NAME).try_exists()
}

/// Whether the lock is there and nobody has opened it.
///
/// # Errors
/// The operating system's.
pub fn is_locked(directory: &Path) -> io::Result<bool> {
    Ok(is_set(directory)? && !directory.join(SESSION_NAME).try_exists()?)
}

impl<'a> AppLock<'a> {
    /// Of the store in `directory`.
    pub fn new(
        directory: &'a Path,
        key_store: &'a dyn KeyStore,
        environment: &'a dyn Environment,
    ) -> Self {
        Self {
            directory,
            key_store,
            environment,
        }
    }

    /// Sets a lock; it is locked from then on. The caller has opened the store with `key`: a lock around
    /// another key would never open it.
    ///
    /// # Errors
    /// See [`LockError`]; then there is no lock.
    pub fn set(&self, key: &StoreKey, pin: &str) -> Result<(), LockError> {
        if is_set(self.directory)? {
            return Err(LockError::AlreadySet);
        }
        if pin.chars().count() < PIN_CHARACTERS_MIN || pin.len() > PIN_BYTES_MAX {
            return Err(LockError::UnfitPin);
        }
        let sealed = seal::with_pin(&key.0, pin, self.environment);
        let wrapped = self.key_store.wrap(&sealed)?;
        // What cannot be unwrapped must not be trusted with the only way to the key.
        if *self.key_store.unwrap(&wrapped)? != sealed {
            return Err(LockError::KeyStore(KeyStoreError));
        }
        durable::remove(&self.path(SESSION_NAME))?;
        durable::write(&self.path(LOCK_NAME), &wrapped)?;
        Ok(())
    }

    /// Locks what was unlocked; needs no PIN.
    ///
    /// # Errors
    /// There is no lock, or the folder cannot be written.
    pub fn lock(&self) -> Result<(), LockError> {
        if !is_set(self.directory)? {
            return Err(LockError::NotSet);
        }
        Ok(durable::remove(&self.path(SESSION_NAME))?)
    }

    /// Gives the key to who knows the PIN. An attempt is counted before it is looked at, so that ending the
    /// program does not give it back.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn unlock(&self, pin: &str) -> Result<StoreKey, LockError> {
        let wrapped = match fs::read(self.path(LOCK_NAME)) {
            Ok(wrapped) => wrapped,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LockError::NotSet),
            Err(error) => return Err(error.into()),
        };
        let now = self.environment.now();
        let before = Attempts::read(self.directory, now)?;
        let wait_seconds = before.wait_seconds(now);
        if wait_seconds > 0 {
            return Err(LockError::TooSoon { wait_seconds });
        }
        // The key store first: it does not tell whether the PIN is right, and its failure is no attempt.
        let sealed = self.key_store.unwrap(&wrapped)?;
        let counted = before.failed(now);
        counted.write(self.directory)?;
        match seal::open_with_pin(&sealed, pin) {
            Ok(Some(key)) => {
                Attempts::forget(self.directory)?;
                Ok(StoreKey::new(*key))
            }
            Ok(None) => Err(LockError::WrongPin {
                wait_seconds: counted.wait_seconds(now),
            }),
            Err(seal::Malformed) => {
                before.write(self.directory)?;
                Err(LockError::Damaged)
            }
        }
    }

    /// Lets programs that follow have the key without the PIN, until [`AppLock::lock`].
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn keep_open(&self, key: &StoreKey) -> Result<(), LockError> {
        let wrapped = self.key_store.wrap(&key.0)?;
        Ok(durable::write(&self.path(SESSION_NAME), &wrapped)?)
    }

    /// The key, if the lock was opened.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn key(&self) -> Result<StoreKey, LockError> {
        if !is_set(self.directory)? {
            return Err(LockError::NotSet);
        }
        let wrapped = match fs::read(self.path(SESSION_NAME)) {
            Ok(wrapped) => wrapped,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LockError::Locked),
            Err(error) => return Err(error.into()),
        };
        let key = self.key_store.unwrap(&wrapped)?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| LockError::Damaged)?;
        Ok(StoreKey::new(key))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

#[cfg(test)]
mod tests;
