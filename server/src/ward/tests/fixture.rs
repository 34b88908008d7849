//! A ward with people and devices, and a clock that the test turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use gandan_core::environment::Environment;
use gandan_core::model::{Role, Timestamp, WardCode};
use gandan_core::policy::Author;
use tempfile::TempDir;

use crate::ward::{Staff, Ward};

/// 2 March 2026, 8 o'clock in Việt Nam.
pub(super) const START_MS: i64 = 1_772_413_200_000;

/// A clock that the test turns, and random bytes that are the same in every run.
pub(super) struct TestEnvironment {
    now: AtomicI64,
    stream: AtomicU64,
    seed: u64,
}

impl TestEnvironment {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(START_MS),
            stream: AtomicU64::new(0),
            seed,
        })
    }

    pub(super) fn advance(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Environment for TestEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let draw = self.stream.fetch_add(1, Ordering::SeqCst);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_be_bytes());
        hasher.update(&draw.to_be_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

/// A ward in a folder of its own.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) environment: Arc<TestEnvironment>,
    pub(super) ward: Ward,
}

pub(super) fn code() -> WardCode {
    "26995".parse().unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = TestEnvironment::new(1);
        let ward = Ward::init(folder.path(), code(), environment.clone()).unwrap();
        Self {
            folder,
            environment,
            ward,
        }
    }

    /// How much SQLite's log holds.
    pub(super) fn log_bytes(&self) -> u64 {
        let log = std::fs::metadata(self.folder.path().join("ward.db-wal"));
        log.map_or(0, |log| log.len())
    }

    /// The same ward in another folder, as it is now.
    pub(super) fn copy_of(other: &Self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        other.ward.shared.with_writer(|connection| {
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        });
        for name in [crate::ward::STORE_FILE, crate::ward::STORE_KEY_FILE] {
            std::fs::copy(other.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        let environment = TestEnvironment::new(3);
        let ward = Ward::open(folder.path(), environment.clone()).unwrap();
        Self {
            folder,
            environment,
            ward,
        }
    }

    /// Another opening of the same ward, as by an admin command.
    pub(super) fn reopen(&self, seed: u64) -> Ward {
        Ward::open(self.folder.path(), TestEnvironment::new(seed)).unwrap()
    }

    pub(super) fn clerk(&self, name: &str, role: Role) -> Staff {
        let officer = self.ward.officer(name, role, &[]).unwrap();
        Staff {
            author: Author { officer, role },
            login: String::new(),
            name: name.to_owned(),
        }
    }
}
