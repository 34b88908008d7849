//! The ward's file as it is at one moment, byte for byte, while others go on writing: for backups. What
//! they write goes into the log meanwhile, and the log is not emptied until the look ends.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use gandan_core::model::WardCode;
use rusqlite::Connection;
use zeroize::Zeroizing;

use super::connections::{Shared, lock};
use super::{Ward, WardError, audit, feed, settings};

/// How often it is tried to empty the log while somebody reads.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// The file, frozen, and what goes with it into a backup.
pub(crate) struct Frozen {
    /// The encrypted file; nobody writes into it while this is looked at.
    pub(crate) file: Arc<File>,
    /// How much of it is the store.
    pub(crate) bytes: u64,
    pub(crate) ward: WardCode,
    /// Key of the store, 64 hexadecimal digits.
    pub(crate) store_key: Zeroizing<String>,
    pub(crate) recovery_public: [u8; 32],
    pub(crate) signing: SigningKey,
    /// What the backup will hold, so that this can be told without opening it.
    pub(crate) audit: (u64, [u8; 32]),
    pub(crate) feed: (u64, [u8; 32]),
}

impl Ward {
    /// Looks at the ward's file as it is now.
    pub(crate) fn frozen<T>(&self, look: impl FnOnce(&Frozen) -> T) -> Result<T, WardError> {
        let shared = &self.shared;
        let writer = shared.connect()?;
        let reader = shared.connect()?;
        let file = raw(shared.path())?;
        // Nobody writes while the log is emptied into the file. A reading that begins on an empty log reads
        // the file alone, and SQLite then lets nobody write into it.
        writer.execute_batch("BEGIN IMMEDIATE")?;
        empty_log(&reader)?;
        reader.execute_batch("BEGIN")?;
        let frozen = freeze(shared, &reader, file);
        writer.execute_batch("ROLLBACK")?;
        let looked = look(&frozen?);
        reader.execute_batch("ROLLBACK")?;
        Ok(looked)
    }
}

fn freeze(shared: &Shared, reader: &Connection, file: Arc<File>) -> Result<Frozen, WardError> {
    let pages: i64 = reader.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    // SQLCipher answers for SQLite, with its own word for it and as text.
    let page_bytes: String = reader.query_row("PRAGMA cipher_page_size", [], |row| row.get(0))?;
    let page_bytes: u64 = page_bytes.parse().map_err(|_| WardError::Damaged)?;
    let bytes = super::connections::from_sql(pages) * page_bytes;
    let recovery_public =
        settings::read(reader, settings::RECOVERY_PUBLIC)?.ok_or(WardError::Damaged)?;
    let seed: [u8; 32] =
        settings::read(reader, settings::BACKUP_SEED)?.ok_or(WardError::Damaged)?;
    let seed = Zeroizing::new(seed);
    let (sequence, chain) = feed::head(reader)?;
    Ok(Frozen {
        file,
        bytes,
        ward: shared.code,
        store_key: shared.store_key().to_hex(),
        recovery_public,
        signing: SigningKey::from_bytes(&seed),
        audit: audit::head(reader)?,
        feed: (sequence, chain.0),
    })
}

/// Puts all of the log into the file, while somebody keeps others from writing.
#[expect(
    clippy::disallowed_methods,
    reason = "readers end by themselves, and nothing tells when"
)]
fn empty_log(connection: &Connection) -> Result<(), WardError> {
    for _ in 0..TRIES {
        let (in_log, emptied): (i64, i64) =
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get(1)?, row.get(2)?))
            })?;
        if in_log == emptied {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(WardError::Open(gandan_core::store::OpenError::Busy))
}

/// The file beside SQLite's own handles. It stays open as long as the process lives: to close any handle of
/// a file takes away every lock that the process has on it, SQLite's too.
fn raw(path: &Path) -> std::io::Result<Arc<File>> {
    static OPEN: Mutex<Vec<Arc<File>>> = Mutex::new(Vec::new());
    let mut open = lock(&OPEN);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let named = std::fs::metadata(path)?;
        for file in open.iter() {
            let known = file.metadata()?;
            if (known.dev(), known.ino()) == (named.dev(), named.ino()) {
                return Ok(Arc::clone(file));
            }
        }
    }
    let file = Arc::new(File::open(path)?);
    open.push(Arc::clone(&file));
    Ok(file)
}
