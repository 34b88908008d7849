//! The ward's connections: one that writes, some that read. Every change is one immediate
//! transaction, so that an admin command in another process may write as well; what is kept in
//! memory is checked against the store before it is used. Knows nothing of what is written.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gandan_core::environment::Environment;
use gandan_core::model::{ActorId, Timestamp, WardCode};
use gandan_core::store::connection::{self, Migration};
use gandan_core::store::{StoreKey, rows};
use rusqlite::{Connection, TransactionBehavior};
use uuid::Uuid;

use super::audit::{Actor, Knocks};
use super::documents::DocumentCache;
use super::keys::Keys;
use super::news::{Happened, News};
use super::{WardError, feed};

/// How long a change waits for another process to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

/// A write-ahead log above this is emptied after a change. SQLite begins it anew by itself whenever
/// nobody reads from it at the end of a change; while conversations follow each other closely that
/// may be never.
const LOG_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How long the writer then waits for those who read: longer than any of them takes, and not long
/// enough for a phone to notice. Without success the next change tries again.
const LOG_WAIT: Duration = Duration::from_millis(250);

/// How many idle connections for reading are kept open; more are opened when they are needed.
const IDLE_READERS_MAX: usize = 8;

/// What all clones of a [`super::Ward`] share.
pub(super) struct Shared {
    path: PathBuf,
    store_key: StoreKey,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) keys: Keys,
    pub(super) code: WardCode,
    /// Under which the ward itself writes; fresh for every opening, as a phone's.
    pub(super) actor: ActorId,
    /// One password hash at a time: each takes 19 MiB.
    pub(super) hashing: Mutex<()>,
    pub(super) news: News,
    pub(super) knocks: Knocks,
}

struct Writer {
    connection: Connection,
    documents: DocumentCache,
    /// Tells whether another process has written since.
    version: i64,
}

/// Whether another process has written since `version` was noted; notes what it is now.
fn have_others_written(connection: &Connection, version: &mut i64) -> rusqlite::Result<bool> {
    let now = data_version(connection)?;
    Ok(std::mem::replace(version, now) != now)
}

/// Changes when another connection has written.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

/// One transaction at work.
pub(super) struct Work<'a> {
    pub(super) connection: &'a Connection,
    pub(super) documents: &'a mut DocumentCache,
    pub(super) shared: &'a Shared,
    /// For whom, as the audit trail tells it.
    pub(super) by: Actor,
    pub(super) now: Timestamp,
    /// Of what enters the feed in it.
    pub(super) salt: [u8; 16],
    /// What it does that connections of devices may want to hear.
    pub(super) happened: Happened,
}

impl Work<'_> {
    /// Runs a statement without parameters that comes again and again.
    pub(super) fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(statement)?
            .execute([])
            .map(drop)
    }
}

impl Shared {
    pub(super) fn new(
        path: PathBuf,
        store_key: StoreKey,
        writer: Connection,
        environment: Arc<dyn Environment>,
        keys: Keys,
        code: WardCode,
    ) -> Self {
        let mut actor = [0; 16];
        environment.fill_random(&mut actor);
        Self {
            path,
            store_key,
            writer: Mutex::new(Writer {
                // Nobody waits yet for what others do; the first look tells all the same.
                version: data_version(&writer).unwrap_or_default(),
                connection: writer,
                documents: DocumentCache::default(),
            }),
            readers: Mutex::default(),
            environment,
            keys,
            code,
            actor: ActorId(actor),
            hashing: Mutex::default(),
            news: News::default(),
            knocks: Knocks::default(),
        }
    }

    /// Runs `change` in one transaction for `by`: all of it is durable afterwards, or nothing of it.
    pub(super) fn write<T>(
        &self,
        by: Actor,
        change: impl FnOnce(&mut Work<'_>) -> Result<T, WardError>,
    ) -> Result<T, WardError> {
        let mut writer = lock(&self.writer);
        let Writer {
            connection,
            documents,
            version,
        } = &mut *writer;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let have_others_written = have_others_written(&transaction, version)?;
        let mut work = Work {
            connection: &transaction,
            documents,
            shared: self,
            by,
            now: self.environment.now(),
            salt: self.random(),
            happened: Happened::default(),
        };
        let result = change(&mut work).and_then(|result| {
            work.audit_what_grew()?;
            Ok(result)
        });
        let mut happened = work.happened;
        happened.have_others_written = have_others_written;
        // Once for all, and outside of any savepoint: FTS5 makes a segment at each. Readers do not
        // write, so nothing may be due after the commit.
        let finished = result.and_then(|result| {
            rows::index_due(&transaction)?;
            if happened.has_entries() {
                happened.keep_up_to(feed::head(&transaction)?.0);
            }
            transaction.commit()?;
            Ok(result)
        });
        if finished.is_err() {
            // Nothing of it happened, but what others did did.
            happened = Happened::by_others(have_others_written);
        }
        let has_purged = happened.has_purged;
        // Within the lock, so that it is told in the order in which it happened.
        self.news.tell(happened);
        self.keep_log_short(connection, if has_purged { 0 } else { LOG_BYTES_MAX });
        finished
    }

    /// Tells devices that stay if another process has written: it cannot tell them itself.
    pub(super) fn look_for_others(&self) -> Result<(), WardError> {
        let mut writer = lock(&self.writer);
        let Writer {
            connection,
            version,
            ..
        } = &mut *writer;
        let have_others_written = have_others_written(connection, version)?;
        self.news.tell(Happened::by_others(have_others_written));
        Ok(())
    }

    /// Best effort: what is in the log is as durable as what is in the file.
    fn keep_log_short(&self, connection: &Connection, bytes_max: u64) {
        let log = self.path.with_extension("db-wal");
        if !std::fs::metadata(log).is_ok_and(|log| log.len() > bytes_max) {
            return;
        }
        let emptied = connection.busy_timeout(LOG_WAIT).and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, bool>(0)
            })
        });
        match emptied {
            Ok(false) => {}
            Ok(true) => tracing::debug!("somebody reads for long: the log stays as it is"),
            Err(error) => tracing::warn!(%error, "the log was not emptied"),
        }
        if let Err(error) = connection.busy_timeout(BUSY_TIMEOUT) {
            tracing::warn!(%error, "waiting for other processes is not as it should be");
        }
    }

    /// Another connection to the same file.
    pub(super) fn connect(&self) -> Result<Connection, WardError> {
        open(&self.path, &self.store_key)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn store_key(&self) -> &StoreKey {
        &self.store_key
    }

    /// Gives the writing connection to a test that counts what it does.
    #[cfg(test)]
    pub(super) fn with_writer<T>(&self, look: impl FnOnce(&mut Connection) -> T) -> T {
        look(&mut lock(&self.writer).connection)
    }

    /// Runs `query` on a connection that cannot write, as of one moment.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, WardError>,
    ) -> Result<T, WardError> {
        let idle = lock(&self.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = open(&self.path, &self.store_key)?;
                reader.pragma_update(None, "query_only", true)?;
                reader
            }
        };
        let transaction = reader.transaction()?;
        let result = query(&transaction);
        drop(transaction);
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS_MAX {
            readers.push(reader);
        }
        result
    }

    /// A UUIDv7 of this moment.
    pub(super) fn uuid(&self, now: Timestamp) -> Uuid {
        let millis = now.0.try_into().unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random()).into_uuid()
    }

    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.environment.fill_random(&mut bytes);
        bytes
    }
}

/// Opens the ward's file, made or brought to the newest version if need be.
pub(super) fn open(path: &Path, key: &StoreKey) -> Result<Connection, WardError> {
    let connection = connection::open(path, key, MIGRATIONS)?;
    // Longer than a phone's: a group of admissions with attachments takes its time.
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sql: gandan_core::store::rows::ROWS_SQL,
    },
    Migration {
        version: 2,
        sql: gandan_core::store::attachments::ATTACHMENTS_SQL,
    },
    Migration {
        version: 3,
        sql: include_str!("schema.sql"),
    },
];

// A panic while a lock was held left no transaction behind: it was rolled back when it was dropped.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sequence as SQLite holds it. No feed and no actor gets near the end of either range; a forged
/// sequence meets nothing there.
pub(super) fn to_sql(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// A sequence from SQLite.
pub(super) fn from_sql(sequence: i64) -> u64 {
    u64::try_from(sequence).unwrap_or_default()
}
