//! How far back phones hold: what is quiet up to the *floor*, a place of the feed, is the ward's to keep
//! and a phone's to fetch. The floor moves with the months; every move is a new version of everybody's
//! scope, so phones are told by the steps of the feed what to forget. Knows nothing of pages.

use gandan_core::model::time::VIETNAM_OFFSET_HOURS;
use gandan_core::model::{DocumentId, OfficerId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::audit::{Entry, Kind};
use super::connections::{Work, from_sql, to_sql};
use super::scope::Placement;
use super::{WardError, documents, placements, settings};

/// A year: who comes again with the same matter mostly does so within it, and the yearly report is
/// about it.
pub(super) const MONTHS_HELD_DEFAULT: u16 = 12;

/// A hundred years is everything already.
pub(super) const MONTHS_HELD_MAX: u16 = 1_200;

/// What is quiet up to this place of the feed phones do not hold; 0 before the first move.
pub(super) fn current(connection: &Connection) -> rusqlite::Result<u64> {
    number(connection, settings::FLOOR)
}

/// The months that phones hold; `None`: everything.
pub(super) fn months(connection: &Connection) -> rusqlite::Result<Option<u16>> {
    let months: Option<[u8; 8]> = settings::read(connection, settings::MONTHS_HELD)?;
    let months = months.map_or(u64::from(MONTHS_HELD_DEFAULT), u64::from_be_bytes);
    Ok(u16::try_from(months).ok().filter(|&months| months > 0))
}

/// Whether the floor stands where months and clock want it.
pub(super) fn is_current(connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let moved_to: Option<[u8; 8]> = settings::read(connection, settings::FLOOR_CUTOFF)?;
    let cutoff = cutoff(now, months(connection)?);
    Ok(moved_to.map(i64::from_be_bytes) == Some(cutoff.0))
}

/// Whether a document was placed otherwise before an entry of the feed, for anybody who may have read up
/// to it. When a document became quiet matters only where some floor has passed it: then it was not held.
pub(super) fn is_move(
    connection: &Connection,
    before: &Placement,
    after: &Placement,
) -> rusqlite::Result<bool> {
    let place = |placement: &Placement| Placement {
        quiet_since: None,
        ..placement.clone()
    };
    if place(before) != place(after) {
        return Ok(true);
    }
    // What is open is past for nobody: the settings need not be asked.
    Ok(before.quiet_since.is_some()
        && before.is_quiet_at(number(connection, settings::FLOOR_HIGHEST)?))
}

/// The beginning of the month so many months before this one, in Việt Nam; the beginning of time for
/// everything. By months, so that a phone is told twelve times a year, and all its officers the same day.
fn cutoff(now: Timestamp, months: Option<u16>) -> Timestamp {
    let beginning = || {
        let offset = jiff::tz::Offset::constant(VIETNAM_OFFSET_HOURS);
        let today = offset.to_datetime(jiff::Timestamp::from_millisecond(now.0).ok()?);
        let first = today.date().first_of_month();
        let then = first.checked_sub(jiff::Span::new().months(i32::from(months?)));
        let then = offset.to_timestamp(then.ok()?.at(0, 0, 0, 0)).ok()?;
        Some(Timestamp(then.as_millisecond()))
    };
    beginning().unwrap_or(Timestamp(i64::MIN))
}

fn number(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let stored: Option<[u8; 8]> = settings::read(connection, name)?;
    Ok(stored.map_or(0, u64::from_be_bytes))
}

impl Work<'_> {
    /// Other months for phones to hold; `None`: everything. Phones follow at their next conversation.
    pub(super) fn set_months_held(&mut self, months: Option<u16>) -> Result<(), WardError> {
        if months.is_some_and(|months| months == 0 || months > MONTHS_HELD_MAX) {
            return Err(WardError::Invalid(
                "số tháng từ 1 đến 1.200 (months are 1 to 1,200)",
            ));
        }
        let months = u64::from(months.unwrap_or(0));
        settings::write(
            self.connection,
            settings::MONTHS_HELD,
            &months.to_be_bytes(),
        )?;
        self.audit(Entry::of(Kind::HoldChanged).counting("months", months))?;
        self.move_floor().map(drop)
    }

    /// Puts the floor where months and clock want it; whether it has moved. It may also go back, if the
    /// months are more now or the clock was wrong.
    pub(super) fn move_floor(&mut self) -> Result<bool, WardError> {
        let cutoff = cutoff(self.now, months(self.connection)?);
        settings::write(
            self.connection,
            settings::FLOOR_CUTOFF,
            &cutoff.0.to_be_bytes(),
        )?;
        // All up to the floor came before the cutoff. What came back after a restore stands later in
        // the feed with its old time, and is held a while longer.
        let first_recent: Option<u64> = self
            .connection
            .query_row(
                "SELECT sequence FROM feed WHERE received_at >= ?1 ORDER BY sequence LIMIT 1",
                [cutoff.0],
                |row| row.get(0).map(from_sql),
            )
            .optional()?;
        let floor = match first_recent {
            Some(sequence) => sequence.saturating_sub(1),
            None => super::feed::head(self.connection)?.0,
        };
        if floor == current(self.connection)? {
            return Ok(false);
        }
        let highest = number(self.connection, settings::FLOOR_HIGHEST)?.max(floor);
        for (name, value) in [(settings::FLOOR, floor), (settings::FLOOR_HIGHEST, highest)] {
            settings::write(self.connection, name, &value.to_be_bytes())?;
        }
        self.group_again()?;
        let officers: Vec<[u8; 16]> = self
            .connection
            .prepare_cached("SELECT id FROM officers")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for officer in officers {
            self.renew_scope(OfficerId(Uuid::from_bytes(officer)))?;
        }
        tracing::info!(floor, "phones hold less, or more, from now on");
        Ok(true)
    }

    /// A case is as quiet as its person: an entry of the person is news of the case.
    pub(super) fn wake_case(&self, case: DocumentId, sequence: u64) -> rusqlite::Result<()> {
        let Some(before) = documents::placement(self.connection, case)? else {
            return Ok(());
        };
        if before.quiet_since.is_none() {
            return Ok(());
        }
        let after = Placement {
            quiet_since: Some(sequence),
            ..before.clone()
        };
        if is_move(self.connection, &before, &after)? {
            placements::put_move(self.connection, sequence, case, &before)?;
        }
        self.connection
            .prepare_cached("UPDATE documents SET quiet_since = ?3 WHERE kind = ?1 AND uuid = ?2")?
            .execute(params![
                case.kind.code(),
                case.uuid.as_bytes(),
                to_sql(sequence)
            ])
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutoff_of(now: &str, months: Option<u16>) -> String {
        cutoff(Timestamp::parse_rfc3339(now).unwrap(), months).to_rfc3339()
    }

    #[test]
    fn phones_hold_whole_months_of_the_ward() {
        // The first minutes of November in Việt Nam are still October in UTC.
        for now in ["2026-10-31T17:05:00Z", "2026-11-30T16:59:00Z"] {
            assert_eq!(cutoff_of(now, Some(12)), "2025-10-31T17:00:00.000Z");
        }
        assert_eq!(
            cutoff_of("2026-03-31T05:00:00Z", Some(1)),
            "2026-01-31T17:00:00.000Z"
        );
    }

    #[test]
    fn everything_is_held_without_a_number_of_months() {
        let now = Timestamp::parse_rfc3339("2026-03-31T05:00:00Z").unwrap();
        assert_eq!(cutoff(now, None), Timestamp(i64::MIN));
        // A clock of nowhere, or more months than there were.
        assert_eq!(cutoff(Timestamp(i64::MAX), Some(1)), Timestamp(i64::MIN));
    }
}
