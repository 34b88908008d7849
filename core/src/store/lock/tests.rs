use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::model::Timestamp;

/// A clock that is put, and no need of chance.
struct Fixed(AtomicI64);

impl Environment for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

/// A phone's key store as an app gives it; its key can be lost.
#[derive(Default)]
struct Keys {
    is_lost: AtomicBool,
}

impl KeyStore for Keys {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        Ok(secret.iter().map(|byte| byte ^ 0x5a).collect())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Err(KeyStoreError);
        }
        Ok(Zeroizing::new(
            wrapped.iter().map(|byte| byte ^ 0x5a).collect(),
        ))
    }
}

const KEY: [u8; 32] = [7; 32];

fn clock() -> Fixed {
    Fixed(AtomicI64::new(1_000_000_000))
}

fn contains(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let content = fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn the_right_pin_gives_the_key_back_and_no_file_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, clock) = (FileKeyStore::new(folder.path()), clock());
    let lock = AppLock::new(folder.path(), &keys, &clock);
    assert!(matches!(lock.unlock("1234"), Err(LockError::NotSet)));
    lock.set(&StoreKey::new(KEY), "1234").unwrap();
    assert!(is_locked(folder.path()).unwrap());
    assert!(matches!(lock.key(), Err(LockError::Locked)));
    let key = lock.unlock("1234").unwrap();
    assert_eq!(key.0, KEY);
    lock.keep_open(&key).unwrap();
    assert_eq!(lock.key().unwrap().0, KEY);
    assert!(!contains(folder.path(), &KEY));
    lock.lock().unwrap();
    assert!(matches!(lock.key(), Err(LockError::Locked)));
    assert!(matches!(
        lock.set(&StoreKey::new([1; 32]), "9999"),
        Err(LockError::AlreadySet)
    ));
}

#[test]
fn whoever_guesses_waits_longer_each_time_also_over_a_restart_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, clock) = (Keys::default(), clock());
    let lock = || AppLock::new(folder.path(), &keys, &clock);
    lock().set(&StoreKey::new(KEY), "1234").unwrap();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let Err(LockError::WrongPin { wait_seconds }) = lock().unlock("0000") else {
            panic!("it is not the PIN, and the wait is over");
        };
        waits.push(wait_seconds);
        if wait_seconds > 0 {
            assert!(
                matches!(lock().unlock("1234"), Err(LockError::TooSoon { .. })),
                "not even the right one is looked at"
            );
        }
        let passed = i64::try_from(wait_seconds).unwrap() * 1_000;
        clock.0.fetch_add(passed, Ordering::Relaxed);
    }
    assert_eq!(
        waits,
        [0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    );
    assert_eq!(lock().unlock("1234").unwrap().0, KEY);
    assert!(
        matches!(
            lock().unlock("0000"),
            Err(LockError::WrongPin { wait_seconds: 0 })
        ),
        "the right one begins anew"
    );
}

#[test]
fn a_clock_put_back_makes_nobody_wait_longer_than_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, clock) = (Keys::default(), clock());
    let lock = AppLock::new(folder.path(), &keys, &clock);
    lock.set(&StoreKey::new(KEY), "1234").unwrap();
    for _ in 0..4 {
        assert!(lock.unlock("0000").is_err());
    }
    clock.0.store(5_000, Ordering::Relaxed);
    let Err(LockError::TooSoon { wait_seconds }) = lock.unlock("1234") else {
        panic!("the clock gives no attempt");
    };
    assert_eq!(wait_seconds, 30);
    clock.0.store(35_000, Ordering::Relaxed);
    assert_eq!(lock.unlock("1234").unwrap().0, KEY);
}

#[test]
fn a_key_store_that_fails_stops_and_changes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, clock) = (Keys::default(), clock());
    let lock = AppLock::new(folder.path(), &keys, &clock);
    lock.set(&StoreKey::new(KEY), "1234").unwrap();
    let before = fs::read(folder.path().join(LOCK_NAME)).unwrap();
    keys.is_lost.store(true, Ordering::Relaxed);
    for _ in 0..9 {
        assert!(matches!(lock.unlock("1234"), Err(LockError::KeyStore(_))));
    }
    assert_eq!(fs::read(folder.path().join(LOCK_NAME)).unwrap(), before);
    keys.is_lost.store(false, Ordering::Relaxed);
    assert_eq!(
        lock.unlock("1234").unwrap().0,
        KEY,
        "no attempt was used up"
    );
}

#[test]
fn a_damaged_lock_is_said_to_be_damaged_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, clock) = (Keys::default(), clock());
    let lock = AppLock::new(folder.path(), &keys, &clock);
    lock.set(&StoreKey::new(KEY), "1234").unwrap();
    fs::write(folder.path().join(LOCK_NAME), "torn").unwrap();
    for _ in 0..9 {
        assert!(matches!(lock.unlock("1234"), Err(LockError::Damaged)));
    }
    assert!(is_set(folder.path()).unwrap());
    assert!(matches!(
        AppLock::new(tempfile::tempdir().unwrap().path(), &keys, &clock)
            .set(&StoreKey::new(KEY), "123"),
        Err(LockError::UnfitPin)
    ));
}
