//! The device's store: edits, rows, outbox, proofs, cursor. Statements only: what belongs together
//! in one transaction, and what follows from it, is the replica's business.

pub(crate) mod borrowed;
pub(crate) mod doubtful;
pub(crate) mod edits;
pub(crate) mod files;
pub(crate) mod outbox;
pub(crate) mod proofs;
pub(crate) mod rejected;
pub(crate) mod set_aside;
pub(crate) mod settings;
pub(crate) mod tombstones;
pub mod wipe;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::connection::{self, Migration};
use super::{OpenError, StoreKey};

/// The store's file in its folder.
pub const FILE_NAME: &str = "phone.db";

/// Locked as long as the store is open: a phone's store has one owner, whose caches would not see
/// what another writes.
const LOCK_NAME: &str = "phone.lock";

/// How often, and how far apart, a lock that is taken is tried again: whoever held it may be dying, or
/// have just started a process that has not let go of its copy yet.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The steps of the device's schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    sql: concat!(
        include_str!("rows.sql"),
        include_str!("attachments.sql"),
        include_str!("device.sql")
    ),
}];

/// The open file, and the lock that is released with it.
pub(crate) struct OpenStore {
    pub(crate) connection: Connection,
    _lock: File,
}

/// Opens or makes the store in `directory`, which is made too. `salvage` is as in
/// [`connection::open_salvaging`].
pub(crate) fn open(
    directory: &Path,
    key: &StoreKey,
    salvage: &dyn Fn(&connection::Reopen<'_>, &Path),
) -> Result<OpenStore, OpenError> {
    std::fs::create_dir_all(directory).map_err(connection::unusable)?;
    let lock = File::create(directory.join(LOCK_NAME)).map_err(connection::unusable)?;
    take(&lock)?;
    let path = directory.join(FILE_NAME);
    let connection = connection::open_salvaging(&path, key, MIGRATIONS, salvage)?;
    Ok(OpenStore {
        connection,
        _lock: lock,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "no call waits for a file's lock up to a limit"
)]
fn take(lock: &File) -> Result<(), OpenError> {
    for _ in 0..LOCK_ATTEMPTS {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(connection::unusable(error)),
        }
    }
    Err(OpenError::Busy)
}

/// A stored value that is not what we wrote. To whoever reads it is the same as a damaged page.
pub(crate) fn malformed(what: &'static str) -> rusqlite::Error {
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(corrupt, Some(what.to_owned()))
}
