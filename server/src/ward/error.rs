//! Why the ward could not do what it was asked, as what the caller can do about it.

use gandan_core::policy::RejectionCode;
use gandan_core::rescue::OpenRescueError;
use gandan_core::store::OpenError;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the ward could not do what it was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum WardError {
    /// The data directory holds no ward.
    #[error("no ward in this folder; make one with: gandan-server init --data DIR --ward CODE")]
    NotInitialised,
    /// There is no key for the store.
    #[error(
        "there is no key for this store: put store.key back into the folder, or give it as the credential gandan-store-key or in GANDAN_STORE_KEY"
    )]
    NoStoreKey,
    /// Others than its user may read the key of the store.
    #[error("store.key may be read by others; make it its user's alone with: chmod 600 store.key")]
    StoreKeyOpenToOthers,
    /// The data directory holds a ward already.
    #[error("this folder holds a ward already; choose another --data")]
    AlreadyInitialised,
    /// The register has no such ward.
    #[error("the register has no ward with this code; codes have five digits, such as 26995")]
    UnknownWard,
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A login or a name is taken.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// A value breaks a rule.
    #[error("{0}")]
    Invalid(&'static str),
    /// The policy stands against it.
    #[error("{}", .0.label())]
    NotAllowed(RejectionCode),
    /// Numbering waits until phones have reported after a restore.
    #[error(
        "numbering is paused after a restore; wait for the phones or run: gandan-server resume-numbering"
    )]
    NumberingPaused,
    /// Too many failed sign-ins; a few seconds help.
    #[error("too many failed attempts; wait half a minute and try again")]
    TooManyAttempts,
    /// What the store holds makes no sense.
    #[error(
        "the store is damaged; stop the server and restore the last backup, the phones give back the rest"
    )]
    Damaged,
    /// A rescue file is not, or not wholly, opened.
    #[error(transparent)]
    Rescue(#[from] OpenRescueError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk is full.
    #[error("the disk is full; free space, nothing acknowledged is lost")]
    Full,
    /// SQLite says something else.
    #[error("the store failed")]
    Database(#[source] rusqlite::Error),
    /// A file cannot be read or written.
    #[error("a file cannot be read or written")]
    File(#[from] std::io::Error),
}

impl From<rusqlite::Error> for WardError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Open(OpenError::Busy)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            _ => Self::Database(error),
        }
    }
}
