//! How often a wrong PIN was typed, kept in a file, and how long the next attempt has to wait. A phone whose
//! clock is put forward waits less; one whose clock is put back waits from then on.

use std::fs;
use std::io;
use std::path::Path;

use crate::model::Timestamp;
use crate::store::durable;

const NAME: &str = "phone.db-attempts";

/// How many wrong PINs cost nothing: fingers are wet and gloves are thick.
const FREE_ATTEMPTS: u32 = 3;
/// How long the first that costs has to wait; each further one waits twice as long.
const FIRST_WAIT_MS: i64 = 30_000;
/// An officer whose child played with the phone works on within the hour.
const WAIT_MS_MAX: i64 = 60 * 60 * 1_000;

/// Wrong PINs since the last right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts {
    failures: u32,
    last_at: Timestamp,
}

impl Attempts {
    pub(super) fn read(directory: &Path, now: Timestamp) -> io::Result<Self> {
        let text = match fs::read_to_string(directory.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    failures: 0,
                    last_at: now,
                });
            }
            Err(error) => return Err(error),
        };
        let numbers = text.trim().split_once(' ').and_then(|(failures, last_at)| {
            Some((failures.parse().ok()?, Timestamp(last_at.parse().ok()?)))
        });
        // Whoever damages the file gains nothing by it.
        let (failures, last_at) = numbers.unwrap_or((FREE_ATTEMPTS + 1, now));
        let read = Self { failures, last_at };
        if last_at > now || numbers.is_none() {
            let restarted = Self {
                last_at: now,
                ..read
            };
            restarted.write(directory)?;
            return Ok(restarted);
        }
        Ok(read)
    }

    pub(super) fn failed(self, now: Timestamp) -> Self {
        Self {
            failures: self.failures.saturating_add(1),
            last_at: now,
        }
    }

    pub(super) fn write(self, directory: &Path) -> io::Result<()> {
        let text = format!("{} {}", self.failures, self.last_at.0);
        durable::write(&directory.join(NAME), text.as_bytes())
    }

    pub(super) fn forget(directory: &Path) -> io::Result<()> {
        durable::remove(&directory.join(NAME))
    }

    /// Rounded up; 0: now.
    pub(super) fn wait_seconds(self, now: Timestamp) -> u64 {
        let wait = match self.failures.checked_sub(FREE_ATTEMPTS) {
            None | Some(0) => 0,
            // Beyond some ten doublings it is the longest anyway.
            Some(over) => (FIRST_WAIT_MS << (over - 1).min(10)).min(WAIT_MS_MAX),
        };
        let left = wait - now.0.saturating_sub(self.last_at.0);
        u64::try_from(left).map_or(0, |left| left.div_ceil(1_000))
    }
}
