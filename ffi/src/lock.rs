//! The app lock: a PIN before the store, around it the phone's own key store. The key of the store itself
//! never reaches the app again once a lock is set.
//!
//! Two things are called locked. An app that hides its screens holds on to its [`Replica`]: what it records and
//! synchronises goes on, and [`AppLock::unlock`] or the key store's own fingerprint lifts the curtain. After
//! [`AppLock::lock`] whoever opens the store anew needs the PIN, the app in the background too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_core::replica::Replica as CoreReplica;
use gandan_core::store::StoreKey;
use gandan_core::store::device::wipe;
use gandan_core::store::lock::{self, AppLock as CoreLock, KeyStore, KeyStoreError};
use zeroize::Zeroizing;

use crate::error::GandanError;
use crate::replica::{self, Replica};

/// Implemented by the app over Android Keystore or the iOS Keychain. What it wraps can be unwrapped on this
/// phone only, and, if its key asks for a fingerprint or a face, only after that.
#[uniffi::export(with_foreign)]
pub trait PhoneKeyStore: Send + Sync {
    /// Wraps a secret.
    fn wrap(&self, secret: Vec<u8>) -> Result<Vec<u8>, KeyStoreFailure>;
    /// Gives a secret back.
    fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, KeyStoreFailure>;
}

/// Why the phone's key store did not do it. Nothing is lost by it; it may be asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyStoreFailure {
    /// It cannot now: the finger was not recognised, the phone is not unlocked yet, its key is gone.
    #[error("the phone's key store does not answer")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyStoreFailure {
    /// What the app threw may name secrets: it is not kept.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

struct Adapter(Arc<dyn PhoneKeyStore>);

impl KeyStore for Adapter {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        self.0.wrap(secret.to_vec()).map_err(|_| KeyStoreError)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let secret = self.0.unwrap(wrapped.to_vec());
        secret.map(Zeroizing::new).map_err(|_| KeyStoreError)
    }
}

/// The lock of the store in one folder.
#[derive(uniffi::Object)]
pub struct AppLock {
    directory: PathBuf,
    key_store: Adapter,
}

#[uniffi::export]
impl AppLock {
    /// Of the store in `directory`.
    #[uniffi::constructor]
    pub fn new(directory: String, key_store: Arc<dyn PhoneKeyStore>) -> Arc<Self> {
        Arc::new(Self {
            directory: directory.into(),
            key_store: Adapter(key_store),
        })
    }

    /// Whether there is a lock.
    pub fn is_set(&self) -> Result<bool, GandanError> {
        Ok(lock::is_set(&self.directory).map_err(lock::LockError::from)?)
    }

    /// Whether there is a lock that nobody has opened since it was locked.
    pub fn is_locked(&self) -> Result<bool, GandanError> {
        Ok(lock::is_locked(&self.directory).map_err(lock::LockError::from)?)
    }

    /// Sets a lock; it is locked from then on, and [`Replica::open`] takes no key any more. `key` is the key
    /// of the store, which the app then forgets. Call it while no [`Replica`] is open.
    pub fn set(&self, key: Vec<u8>, pin: String) -> Result<(), GandanError> {
        let (key, pin) = (replica::store_key(key)?, Zeroizing::new(pin));
        // Opened first: a lock around a key that does not open the store would shut it for good.
        drop(self.open_core(&key)?);
        Ok(self.core().set(&key, &pin)?)
    }

    /// Opens the store with the PIN. From then on [`AppLock::open`] does without, also after the app was
    /// ended, until [`AppLock::lock`]. Wrong PINs have to wait, longer each time; nothing is ever deleted
    /// for them. It takes half a second on a cheap phone: call it off the main thread.
    pub fn unlock(&self, pin: String) -> Result<Arc<Replica>, GandanError> {
        let key = self.key_for(pin)?;
        let opened = Replica::of(self.open_core(&key)?);
        self.core().keep_open(&key)?;
        Ok(opened)
    }

    /// Whether it is the PIN, for an app that has the store open and only hid its screens. Counts as
    /// [`AppLock::unlock`] does.
    pub fn check_pin(&self, pin: String) -> Result<(), GandanError> {
        self.key_for(pin).map(drop)
    }

    /// Opens the store without the PIN, if it was unlocked before: to synchronise in the background, or
    /// after the finger that the key store asks for.
    pub fn open(&self) -> Result<Arc<Replica>, GandanError> {
        wipe::refuse_wiped(&self.directory)?;
        let key = self.core().key()?;
        Ok(Replica::of(self.open_core(&key)?))
    }

    /// Whoever opens the store from now on needs the PIN. What is open stays open.
    pub fn lock(&self) -> Result<(), GandanError> {
        Ok(self.core().lock()?)
    }
}

impl AppLock {
    fn core(&self) -> CoreLock<'_> {
        CoreLock::new(&self.directory, &self.key_store, &SystemEnvironment)
    }

    fn key_for(&self, pin: String) -> Result<StoreKey, GandanError> {
        let pin = Zeroizing::new(pin);
        wipe::refuse_wiped(&self.directory)?;
        Ok(self.core().unlock(&pin)?)
    }

    fn open_core(&self, key: &StoreKey) -> Result<CoreReplica, GandanError> {
        let opened = CoreReplica::open(&self.directory, key, Arc::new(SystemEnvironment));
        Ok(opened?)
    }
}

/// A store with a lock opens through the lock alone.
pub(crate) fn refuse_locked(directory: &Path) -> Result<(), GandanError> {
    match lock::is_set(directory) {
        Ok(false) => Ok(()),
        Ok(true) => Err(lock::LockError::Locked.into()),
        Err(error) => Err(lock::LockError::from(error).into()),
    }
}
