//! The table of devices, asked before anything a device says is believed.

use gandan_core::model::{DeviceId, Epoch, OfficerId, Role, Timestamp};
use gandan_core::policy::Author;
use gandan_core::protocol::message::Refusal;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::attachments::TABLES_BY_DEVICE;
use super::audit::{Actor, Entry, Kind};
use super::connections::{Work, from_sql};
use super::scope::Scope;
use super::{Device, WardError, directory};

/// A device that may speak.
pub(super) struct Known {
    pub(super) id: DeviceId,
    pub(super) author: Author,
    pub(super) scope_version: u64,
    pub(super) seen_at: Option<Timestamp>,
    pub(super) reported_epoch: Epoch,
}

impl Known {
    pub(super) fn actor(&self) -> Actor {
        Actor::Device {
            device: self.id,
            officer: self.author.officer,
        }
    }

    pub(super) fn scope(&self, connection: &Connection) -> rusqlite::Result<Scope> {
        directory::scope(connection, self.author.officer, self.author.role)
    }
}

/// The device, or why it may not speak.
pub(super) fn find(
    connection: &Connection,
    id: DeviceId,
) -> rusqlite::Result<Result<Known, Refusal>> {
    Ok(match find_any(connection, id)? {
        None => Err(Refusal::UnknownDevice),
        Some((known, standing)) => standing.map(|()| known),
    })
}

/// The device, also one that may not speak any more, and why.
pub(super) fn find_any(
    connection: &Connection,
    id: DeviceId,
) -> rusqlite::Result<Option<(Known, Result<(), Refusal>)>> {
    connection
        .prepare_cached(
            "SELECT d.officer, o.role, o.scope_version, d.seen_at, d.reported_epoch, d.revoked_at,
                    d.wipe_ordered_at
             FROM devices d JOIN officers o ON o.id = d.officer WHERE d.id = ?1",
        )?
        .query_row([id.as_bytes()], |row| {
            let role: Role = directory::role(row, 1)?;
            let seen_at: Option<i64> = row.get(3)?;
            let revoked_at: Option<i64> = row.get(5)?;
            let wipe_ordered_at: Option<i64> = row.get(6)?;
            let standing = match (revoked_at, wipe_ordered_at) {
                (_, Some(_)) => Err(Refusal::Wipe),
                (Some(_), None) => Err(Refusal::Revoked),
                (None, None) => Ok(()),
            };
            let known = Known {
                id,
                author: Author {
                    officer: OfficerId(Uuid::from_bytes(row.get(0)?)),
                    role,
                },
                scope_version: from_sql(row.get(2)?),
                seen_at: seen_at.map(Timestamp),
                reported_epoch: Epoch(row.get(4)?),
            };
            Ok((known, standing))
        })
        .optional()
}

pub(super) fn list(connection: &Connection) -> rusqlite::Result<Vec<Device>> {
    connection
        .prepare(
            "SELECT d.id, d.officer, o.name, d.name, d.enrolled_at, d.seen_at, d.revoked_at,
                    d.wipe_ordered_at, d.wipe_told_at
             FROM devices d JOIN officers o ON o.id = d.officer ORDER BY d.enrolled_at DESC, d.id",
        )?
        .query_map([], |row| {
            let seen_at: Option<i64> = row.get(5)?;
            let revoked_at: Option<i64> = row.get(6)?;
            let wipe_ordered_at: Option<i64> = row.get(7)?;
            let wipe_told_at: Option<i64> = row.get(8)?;
            Ok(Device {
                id: DeviceId(row.get(0)?),
                officer: OfficerId(Uuid::from_bytes(row.get(1)?)),
                officer_name: row.get(2)?,
                name: row.get(3)?,
                enrolled_at: Timestamp(row.get(4)?),
                seen_at: seen_at.map(Timestamp),
                revoked_at: revoked_at.map(Timestamp),
                wipe_ordered_at: wipe_ordered_at.map(Timestamp),
                wipe_told_at: wipe_told_at.map(Timestamp),
            })
        })?
        .collect()
}

/// Whether `device` is `earlier`, under the same key or under another, whichever came between.
pub(super) fn is_or_was(
    connection: &Connection,
    device: DeviceId,
    earlier: DeviceId,
) -> rusqlite::Result<bool> {
    if device == earlier {
        return Ok(true);
    }
    connection
        .prepare_cached(
            "WITH RECURSIVE been (id) AS (
                 SELECT replaces FROM devices WHERE id = ?1
                 UNION SELECT d.replaces FROM devices d JOIN been ON d.id = been.id)
             SELECT EXISTS (SELECT 1 FROM been WHERE id = ?2)",
        )?
        .query_row([device.as_bytes(), earlier.as_bytes()], |row| row.get(0))
}

/// The device that this one is to be, or is, in the place of.
pub(super) fn replaces(
    connection: &Connection,
    device: DeviceId,
) -> rusqlite::Result<Option<DeviceId>> {
    let replaced: Option<Option<[u8; 32]>> = connection
        .prepare_cached("SELECT replaces FROM devices WHERE id = ?1")?
        .query_row([device.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(replaced.flatten().map(DeviceId))
}

impl Work<'_> {
    /// A device that asked for another key uses it for the first time: it is the one that it was, and the keys
    /// before are of no use to anybody.
    pub(super) fn take_over(&mut self, device: DeviceId) -> Result<(), WardError> {
        let mut newer = device;
        while let Some(earlier) = replaces(self.connection, newer)? {
            newer = earlier;
            let revoked = self.connection.execute(
                "UPDATE devices SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                params![earlier.as_bytes(), self.now.0],
            )?;
            if revoked == 0 {
                continue;
            }
            for table in TABLES_BY_DEVICE {
                self.connection.execute(
                    &format!("UPDATE OR IGNORE {table} SET device = ?2 WHERE device = ?1"),
                    params![earlier.as_bytes(), device.as_bytes()],
                )?;
            }
            self.connection.execute(
                "UPDATE invites SET used_by = ?2 WHERE used_by = ?1",
                params![earlier.as_bytes(), device.as_bytes()],
            )?;
            self.happened.has_changed_rights = true;
            let entry = Entry::of(Kind::KeyRotated).about(earlier);
            self.audit(entry.about(device))?;
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, device: DeviceId, wipe: bool) -> Result<(), WardError> {
        let changed = self.connection.execute(
            "UPDATE devices SET revoked_at = COALESCE(revoked_at, ?2),
                                wipe_ordered_at = COALESCE(wipe_ordered_at, CASE WHEN ?3 THEN ?2 END)
             WHERE id IN (
                 WITH RECURSIVE asked (id) AS (
                     SELECT ?1
                     UNION SELECT d.id FROM devices d JOIN asked ON d.replaces = asked.id
                     WHERE d.seen_at IS NULL)
                 SELECT id FROM asked)",
            params![device.as_bytes(), self.now.0, wipe],
        )?;
        if changed == 0 {
            return Err(WardError::NotFound("device"));
        }
        self.happened.has_changed_rights = true;
        let entry = Entry::of(Kind::DeviceRevoked).about(device);
        self.audit(if wipe {
            entry.ending("to_be_wiped")
        } else {
            entry
        })
    }

    pub(super) fn refuse_unsent(&mut self, device: DeviceId) -> Result<(), WardError> {
        let changed = self.connection.execute(
            "UPDATE devices SET unsent_refused = 1 WHERE id = ?1",
            [device.as_bytes()],
        )?;
        match changed {
            0 => Err(WardError::NotFound("device")),
            _ => Ok(()),
        }
    }

    /// A device has been told to wipe itself.
    pub(super) fn note_wipe_told(&mut self, device: DeviceId) -> Result<(), WardError> {
        let changed = self.connection.execute(
            "UPDATE devices SET wipe_told_at = ?2 WHERE id = ?1 AND wipe_told_at IS NULL",
            params![device.as_bytes(), self.now.0],
        )?;
        if changed > 0 {
            self.audit(Entry::of(Kind::DeviceWiped).about(device).ending("told"))?;
        }
        Ok(())
    }
}
