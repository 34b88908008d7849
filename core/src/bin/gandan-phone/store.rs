//! Opens the phone's store with the key from the environment, and finds records in it.

use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_core::replica::Replica;
use gandan_core::store::device::{FILE_NAME, wipe};
use gandan_core::store::lock::{self, AppLock, FileKeyStore, LockError};
use gandan_core::store::{OpenError, StoreKey};
use uuid::Uuid;

use crate::arguments::Store;
use crate::failure::Failure;

/// Where the key of the store comes from: not from the command line, which others on the machine
/// can read.
const KEY_VARIABLE: &str = "GANDAN_STORE_KEY";

/// Opens the store of an enrolled phone. A mistyped folder is not made into an empty store.
pub(crate) fn open(store: &Store) -> Result<Replica, Failure> {
    let is_wiped = matches!(wipe::wiped_at(&store.directory), Ok(Some(_)));
    // Opening a wiped store says that it was.
    if is_wiped || store.directory.join(FILE_NAME).exists() {
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

/// Says that the store was wiped, if it was.
pub(crate) fn refuse_wiped(directory: &Path) -> Result<(), Failure> {
    match wipe::wiped_at(directory) {
        Ok(Some(_)) => Err(OpenError::Wiped.into()),
        _ => Ok(()),
    }
}

/// Of a store with a lock only its own: whoever has the environment's may not go round the PIN.
fn key(directory: &Path) -> Result<StoreKey, Failure> {
    let is_wiped = matches!(wipe::wiped_at(directory), Ok(Some(_)));
    if !is_wiped && lock::is_set(directory).map_err(LockError::from)? {
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
