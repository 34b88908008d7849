//! Opens the phone's store with the key from the environment, and finds records in it.

use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_core::replica::Replica;
use gandan_core::store::StoreKey;
use gandan_core::store::device::{FILE_NAME, wipe};
use gandan_core::store::lock::{self, AppLock, FileKeyStore, LockError};
use uuid::Uuid;

use crate::arguments::Store;
use crate::failure::Failure;

/// Where the key of the store comes from: not from the command line, which others on the machine
/// can read.
const KEY_VARIABLE: &str = "GANDAN_STORE_KEY";

/// Opens the store of an enrolled phone. A mistyped folder is not made into an empty store.
pub(crate) fn open(store: &Store) -> Result<Replica, Failure> {
    wipe::refuse_wiped(&store.directory)?;
    if store.directory.join(FILE_NAME).exists() {
        open_or_make(store)
    } else {
        Err(Failure::NoStore)
    }
}

/// Opens the store, making it if there is none.
pub(crate) fn open_or_make(store: &Store) -> Result<Replica, Failure> {
    let key = key(&store.directory)?;
    Ok(Replica::open(
        &store.directory,
        &key,
        Arc::new(SystemEnvironment),
    )?)
}

/// Of a store with a lock only its own: whoever has the environment's may not go round the PIN.
fn key(directory: &Path) -> Result<StoreKey, Failure> {
    wipe::refuse_wiped(directory)?;
    if lock::is_set(directory).map_err(LockError::from)? {
        let key_store = FileKeyStore::new(directory);
        return Ok(AppLock::new(directory, &key_store, &SystemEnvironment).key()?);
    }
    key_from_environment()
}

/// The key of a store without a lock.
pub(crate) fn key_from_environment() -> Result<StoreKey, Failure> {
    let digits = std::env::var_os(KEY_VARIABLE)
        .filter(|digits| !digits.is_empty())
        .ok_or(Failure::KeyMissing)?;
    digits
        .to_str()
        .and_then(StoreKey::from_hex)
        .ok_or(Failure::KeyMalformed)
}

/// The case that a person means.
pub(crate) fn find_case(replica: &Replica, typed: &str) -> Result<Uuid, Failure> {
    replica.find_case(typed)?.ok_or(Failure::UnknownRecord)
}

/// The visit that a person means.
pub(crate) fn find_visit(replica: &Replica, typed: &str) -> Result<Uuid, Failure> {
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    replica
        .visit_by_external_ref(typed)?
        .ok_or(Failure::UnknownVisit)
}
