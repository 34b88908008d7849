//! How long this device has not met its ward. After [`DAYS_MAX`] it shows nothing of what it holds until it
//! does: a phone that is gone for good keeps no secrets open. What is said to it is recorded all the same, and
//! sent: a citizen at the door must not pay for it. ADR 0017.

use super::{Core, Replica};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::device::settings::{self, Contact};

/// So many days without the ward are an absence; a leave or a stay in hospital is shorter.
const DAYS_MAX: i64 = 30;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Contact {
    /// A clock that was put back does not shorten the absence.
    pub(super) fn seen(self, now: Timestamp) -> Self {
        Self {
            latest: self.latest.max(now),
            ..self
        }
    }

    /// Whole days since the ward was met, if it is too long ago by either clock: one that was wrong by
    /// years when they met and was set right since must not lock anybody out.
    pub(super) fn days_out_of_touch(self) -> Option<u32> {
        let since = |met: Timestamp| self.latest.0.saturating_sub(met.0) / DAY_MS;
        let days = since(self.met_at).min(since(self.ward_time));
        (days >= DAYS_MAX).then(|| u32::try_from(days).unwrap_or(u32::MAX))
    }
}

impl Replica {
    /// The ward was met; it said what its clock shows, if it did.
    pub(super) fn contact_now(&self, ward_time: Option<Timestamp>) -> Contact {
        let now = self.inner.environment.now();
        Contact {
            met_at: now,
            ward_time: ward_time.unwrap_or(now),
            latest: now,
        }
    }

    /// Whole days since the ward was met, if that is too long ago to show anything.
    pub(super) fn days_out_of_touch(&self, core: &Core) -> rusqlite::Result<Option<u32>> {
        let connection = &core.store.connection;
        let Some(kept) = settings::contact(connection)? else {
            return Ok(None);
        };
        let seen = kept.seen(self.inner.environment.now());
        let days = seen.days_out_of_touch();
        // Kept only then, so that looking writes nothing: whoever puts the clock back finds it locked.
        if days.is_some()
            && seen != kept
            && let Err(error) = settings::write_contact(connection, seen)
        {
            tracing::warn!(%error, "that the phone is locked is not kept");
        }
        Ok(days)
    }

    /// Reads what somebody wants to see.
    pub(super) fn show<T>(
        &self,
        read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let core = self.core();
        let days = self.days_out_of_touch(&core);
        match days.map_err(|error| self.store_error(error))? {
            Some(days) => Err(StoreError::OutOfTouch { days }),
            None => read(&core.store.connection).map_err(|error| self.store_error(error)),
        }
    }
}
