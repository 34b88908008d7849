//! Opening an encrypted SQLite file the one way we do it: key, WAL, `synchronous=FULL`, numbered
//! migrations, refusal of newer files, damaged files set aside and named. Knows no table of the
//! schemas that it brings up to date.

mod key_check;
mod set_aside;

pub(crate) use set_aside::RESCUE_SUFFIX;

use std::path::{Path, PathBuf};
use std::sync::Once;

use data_encoding::HEXLOWER;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use zeroize::Zeroizing;

use super::{OpenError, StoreKey};

/// `GDAN` in the header of every store, so that an encrypted file of another program is not
/// migrated by mistake.
pub const APPLICATION_ID: i32 = 0x4744_414e;

/// How long a statement waits for another connection's transaction before the store is `Busy`.
/// A page of the feed with a thousand edits takes about a second on a cheap phone.
const BUSY_TIMEOUT_MS: u32 = 10_000;

/// A write-ahead log above this is cut back after its checkpoint, so that one long conversation
/// does not hold the phone's space for good.
const JOURNAL_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// Pages kept decrypted by each connection: the upper levels of every index of some 100,000 cases.
const CACHE_KIBIBYTES: u32 = 16 * 1024;

/// Prepared statements kept by each connection; the modules above use about sixty.
const STATEMENTS_CACHED: usize = 128;

/// One numbered step of a schema: its SQL is frozen at release.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Version that the file has afterwards; 1, 2, 3, …
    pub version: u32,
    /// Runs in one transaction.
    pub sql: &'static str,
}

/// Opens or makes `path` and brings it to the newest version. A file that is damaged is renamed.
///
/// Only what opening needs is read: the header and the schema. `SQLCipher` authenticates each page
/// when it is read, so damage elsewhere is noticed at first use and nothing wrong is ever returned;
/// [`check_whole`] reads everything. A store in which damage was noticed is checked whole at the
/// next opening; see [`suspect`].
///
/// # Errors
/// See [`OpenError`].
pub fn open(
    path: &Path,
    key: &StoreKey,
    migrations: &[Migration],
) -> Result<Connection, OpenError> {
    open_salvaging(path, key, migrations, &|_, _| ())
}

/// Opens a damaged store anew. After a page that does not authenticate `SQLCipher` gives nothing more
/// on the same connection.
pub(crate) type Reopen<'a> = dyn Fn() -> Result<Connection, OpenError> + 'a;

/// As [`open`]; before a store that still opens is set aside, `salvage` may write what can be read of
/// it into a file of the name that it is given, which goes aside with the store.
///
/// # Errors
/// See [`OpenError`].
pub(crate) fn open_salvaging(
    path: &Path,
    key: &StoreKey,
    migrations: &[Migration],
    salvage: &dyn Fn(&Reopen<'_>, &Path),
) -> Result<Connection, OpenError> {
    if set_aside::is_emptied(path).map_err(unusable)? {
        // SQLite would begin a new file and delete the log, with everything that was committed.
        return Err(set_aside::damaged(path));
    }
    let is_key_confirmed = key_check::is_confirmed(path, key).map_err(unusable)?;
    match open_and_migrate(path, key, migrations) {
        Ok(connection) => {
            // Only now: the value beside it says that the store was made whole once.
            if !is_key_confirmed {
                key_check::write(path, key).map_err(unusable)?;
            }
            if is_suspect(path) {
                if !check_whole(&connection).map_err(open_error)? {
                    drop(connection);
                    let reopen = || open_and_migrate(path, key, migrations);
                    salvage(&reopen, &beside(path, RESCUE_SUFFIX));
                    return Err(set_aside::damaged(path));
                }
                clear_suspicion(path).map_err(unusable)?;
            }
            Ok(connection)
        }
        Err(OpenError::Database(error)) if is_damage(&error) => Err(if is_key_confirmed {
            set_aside::damaged(path)
        } else {
            OpenError::WrongKey
        }),
        Err(error) => Err(error),
    }
}

/// Reads every page, checks its authentication code and the structure above it. Takes seconds for
/// a store of some hundred megabytes.
///
/// # Errors
/// SQLite's, other than those that mean damage.
pub fn check_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let complaints = |pragma: &str| -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(pragma)?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let is_sound = || -> rusqlite::Result<bool> {
        fold_log(connection)?;
        Ok(complaints("PRAGMA cipher_integrity_check")?.is_empty()
            && complaints("PRAGMA integrity_check(1)")? == ["ok"])
    };
    match is_sound() {
        Err(error) if is_damage(&error) => Ok(false),
        result => result,
    }
}

/// Brings what is in the log into the file. Until then a page of the file may be torn, by a power cut while it was
/// being brought there, and nothing is lost: the log has it whole. Somebody who reads meanwhile may hold it up.
///
/// # Errors
/// SQLite's.
pub fn fold_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Leaves a mark beside the store that a page could not be read, so that the next opening checks
/// it whole and, if it is damaged, sets it aside.
///
/// # Errors
/// The file system's; the damage will be noticed again.
pub fn suspect(path: &Path) -> std::io::Result<()> {
    std::fs::write(beside(path, "-suspect"), b"")
}

/// Whether an error of SQLite says that the file is damaged (or the key is wrong).
#[must_use]
pub fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Whether an error of SQLite says that there is no space left.
#[must_use]
pub fn is_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    // A full disk shows as an I/O error when it is the shared memory of the log that cannot grow.
    failure.code == ErrorCode::DiskFull
        || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

fn open_and_migrate(
    path: &Path,
    key: &StoreKey,
    migrations: &[Migration],
) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    initialise_sqlcipher();
    let mut connection = Connection::open_with_flags(path, flags).map_err(open_error)?;
    give_key(&connection, key).map_err(open_error)?;
    refuse_strangers(&connection, migrations)?;
    configure(&connection).map_err(open_error)?;
    for migration in migrations {
        migrate(&mut connection, migration).map_err(open_error)?;
    }
    Ok(connection)
}

/// SQLite calls itself initialised before SQLCipher's own initialisation has ended; a second thread
/// that opens its first file in between is told that its key is wrong in form. So the first opening
/// of a process is made here, alone, while all others wait.
fn initialise_sqlcipher() {
    static FIRST_OPENING: Once = Once::new();
    FIRST_OPENING.call_once(|| {
        // Nothing is done with it; a real failure shows again at the real opening.
        drop(Connection::open_in_memory());
    });
}

fn give_key(connection: &Connection, key: &StoreKey) -> rusqlite::Result<()> {
    // SQLCipher writes on stderr whenever a page does not authenticate; we return an error instead.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let digits = Zeroizing::new(HEXLOWER.encode(&key.0));
    let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", *digits));
    connection.execute_batch(&pragma)?;
    // The format is pinned: a later SQLCipher with other defaults must still read our files.
    connection.execute_batch("PRAGMA cipher_compatibility = 4")
}

/// Looks at the header before anything is written.
fn refuse_strangers(connection: &Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    let header = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let version = header("user_version").map_err(open_error)?;
    let application = header("application_id").map_err(open_error)?;
    if version == 0 && application == 0 {
        return Ok(());
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign);
    }
    let known = migrations.last().map_or(0, |newest| newest.version);
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS.into()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // Otherwise a statement for which a partial index comes into question is compiled anew whenever its
    // parameters change: half the time of reading a document's edits.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // fullfsync reaches the flash itself on Apple's systems and means nothing elsewhere. Temporary
    // tables stay in memory, because SQLCipher does not encrypt them.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX};
         PRAGMA cache_size = -{CACHE_KIBIBYTES};
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;"
    ))
}

/// Takes one step, unless the file has it already. The version is read inside the transaction,
/// because another process may take the same step.
fn migrate(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let version = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
    };
    if version(connection)? >= migration.version {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version(&transaction)? < migration.version {
        transaction.execute_batch(migration.sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", migration.version)?;
    }
    transaction.commit()
}

fn is_suspect(path: &Path) -> bool {
    beside(path, "-suspect").exists()
}

fn clear_suspicion(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(beside(path, "-suspect"))
}

/// The path of a file that belongs to the store at `path`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn open_error(error: rusqlite::Error) -> OpenError {
    if is_full(&error) {
        return OpenError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Busy,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            OpenError::Unusable(std::io::Error::other(error))
        }
        _ => OpenError::Database(error),
    }
}

pub(super) fn unusable(error: std::io::Error) -> OpenError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        OpenError::Full
    } else {
        OpenError::Unusable(error)
    }
}

#[cfg(test)]
mod tests;
