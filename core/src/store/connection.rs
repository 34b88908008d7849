//! Opening an encrypted SQLite file the one way we do it: key, WAL, `synchronous=FULL`, numbered
//! migrations, refusal of newer files, damaged files set aside and named.

use std::path::Path;

use rusqlite::Connection;

use super::{OpenError, StoreKey};

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
/// # Errors
/// See [`OpenError`].
pub fn open(
    _path: &Path,
    _key: &StoreKey,
    _migrations: &[Migration],
) -> Result<Connection, OpenError> {
    todo!()
}
