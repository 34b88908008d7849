//! `lock` and `unlock`: the app lock, as an app sets it with the phone's key store.

use std::io;

use gandan_core::environment::SystemEnvironment;
use gandan_core::store::device::wipe;
use gandan_core::store::lock::{self, AppLock, FileKeyStore};
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Locking;
use crate::failure::Failure;
use crate::store;

/// Sets the lock, or locks what is unlocked.
pub(super) fn lock(arguments: &Locking) -> Result<Outcome, Failure> {
    let directory = &arguments.store.directory;
    let key_store = FileKeyStore::new(directory);
    let lock = AppLock::new(directory, &key_store, &SystemEnvironment);
    wipe::refuse_wiped(directory)?;
    if lock::is_set(directory).map_err(lock::LockError::from)? {
        lock.lock()?;
    } else {
        // Opened first: a lock around a key that does not open the store would shut it for good.
        drop(store::open(&arguments.store)?);
        lock.set(&store::key_from_environment()?, &pin()?)?;
    }
    eprintln!("Đã khoá ứng dụng; mở bằng gandan-phone unlock (locked)");
    Ok(Outcome::Complete)
}

/// Opens the lock until it is locked again.
pub(super) fn unlock(arguments: &Locking) -> Result<Outcome, Failure> {
    let directory = &arguments.store.directory;
    let key_store = FileKeyStore::new(directory);
    let lock = AppLock::new(directory, &key_store, &SystemEnvironment);
    wipe::refuse_wiped(directory)?;
    let key = lock.unlock(&pin()?)?;
    lock.keep_open(&key)?;
    eprintln!("Đã mở khoá ứng dụng (unlocked)");
    Ok(Outcome::Complete)
}

/// The first line of standard input; not from the command line, which others on the machine can read.
fn pin() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::with_capacity(512));
    io::stdin().read_line(&mut line).map_err(Failure::Stream)?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\n', '\r']).to_owned(),
    ))
}
