//! What revoked devices handed over: kept sealed and apart until somebody has looked into it and takes it or
//! throws it away. Whoever holds a lost phone can write to it, so none of it counts before.

use std::collections::BTreeMap;

use gandan_core::document::describe::{self, FieldChange};
use gandan_core::model::{DeviceId, DocumentId, Timestamp};
use gandan_core::protocol::bundle;
use gandan_core::protocol::hand_over::HandOverWord;
use gandan_core::protocol::limits::HAND_OVER_BYTES_MAX;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::verdict::{Tally, Verdict};
use gandan_core::rescue::{OpenRescueError, Opener, RescueItem};
use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{self, Actor, Entry, Kind};
use super::connections::{Shared, Work, from_sql, to_sql};
use super::{Ward, WardError, devices, rescue};

/// Files of one device that wait. It hands over again only what it recorded since, so there are few.
const FILES_PER_DEVICE_MAX: i64 = 8;

/// A file in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// By which people name it.
    pub number: u64,
    /// Which device handed it over.
    pub device: DeviceId,
    /// As it called itself.
    pub device_name: String,
    /// Whose it was.
    pub officer_name: String,
    /// When it began to come.
    pub begun_at: Timestamp,
    /// How many bytes came.
    pub bytes: u64,
    /// Whether all of it came.
    pub is_whole: bool,
}

/// What is in a file in quarantine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantinedFile {
    /// Every edit, by document, in the order in which they were made.
    pub documents: BTreeMap<DocumentId, Vec<QuarantinedEdit>>,
    /// How many files of images came with them.
    pub attachments: usize,
    /// Something of it cannot be read: it was cut off, or was damaged.
    pub is_damaged: bool,
}

/// An edit in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedEdit {
    /// By the device's clock.
    pub device_time: Timestamp,
    /// What it says, whole.
    pub content: Vec<FieldChange>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    Discarded,
    /// It was cut off, and the device handed over again.
    Replaced,
}

impl Outcome {
    fn code(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Discarded => "discarded",
            Self::Replaced => "replaced",
        }
    }
}

impl Ward {
    /// A revoked device offers what it has unsent, so many bytes. The number under which it is kept, or why
    /// it is not wanted.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn begin_hand_over(
        &self,
        device: DeviceId,
        bytes: Option<usize>,
    ) -> Result<Result<u64, HandOverWord>, WardError> {
        self.write(|work| work.begin_hand_over(device, bytes))
    }

    /// Keeps a piece of what is being handed over, durably.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn keep_handed_over(
        &self,
        number: u64,
        start: usize,
        bytes: &[u8],
    ) -> Result<(), WardError> {
        self.write(|work| work.keep_handed_over(number, start, bytes))
    }

    /// All of it has come.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn end_hand_over(&self, number: u64) -> Result<(), WardError> {
        self.write(|work| work.end_hand_over(number))
    }

    /// What waits in quarantine, oldest first.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn quarantine(&self) -> Result<Vec<Quarantined>, WardError> {
        self.shared.read(|connection| Ok(list(connection)?))
    }

    /// What is in a file in quarantine, for whoever decides about it; looking is told in the audit trail.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn look_into_quarantine(&self, number: u64) -> Result<QuarantinedFile, WardError> {
        look_into(&self.shared, self.by, number)
    }

    /// Lets a file in quarantine in: as [`Ward::import_rescue_of_revoked`]. If something of it waits or is
    /// refused, it stays in quarantine.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn take_from_quarantine(&self, number: u64) -> Result<Vec<Verdict>, WardError> {
        take(&self.shared, self.by, number)
    }

    /// Throws a file in quarantine away.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn discard_from_quarantine(&self, number: u64) -> Result<(), WardError> {
        self.write(|work| work.settle(number, Outcome::Discarded))
    }
}

fn list(connection: &Connection) -> rusqlite::Result<Vec<Quarantined>> {
    connection
        .prepare(
            "SELECT q.number, q.device, d.name, o.name, q.begun_at, q.ended_at IS NOT NULL,
                    (SELECT COALESCE(sum(length(bytes)), 0) FROM quarantine_pieces p WHERE p.number = q.number)
             FROM quarantine q JOIN devices d ON d.id = q.device JOIN officers o ON o.id = d.officer
             WHERE q.settled_at IS NULL ORDER BY q.number",
        )?
        .query_map([], |row| {
            Ok(Quarantined {
                number: from_sql(row.get(0)?),
                device: DeviceId(row.get(1)?),
                device_name: row.get(2)?,
                officer_name: row.get(3)?,
                begun_at: Timestamp(row.get(4)?),
                is_whole: row.get(5)?,
                bytes: from_sql(row.get(6)?),
            })
        })?
        .collect()
}

fn look_into(shared: &Shared, by: Actor, number: u64) -> Result<QuarantinedFile, WardError> {
    let (device, sealed) = shared.read(|connection| file(connection, number))?;
    let mut found = QuarantinedFile::default();
    match Opener::new(&shared.keys.rescue_seed, shared.code, &sealed) {
        Ok(items) => items.for_each(|item| found.add(item)),
        Err(_) => found.is_damaged = true,
    }
    for edits in found.documents.values_mut() {
        edits.sort_by_key(|edit| edit.device_time);
    }
    let entry = Entry::of(Kind::Quarantine).about(device).ending("read");
    audit::note(shared, by, entry)?;
    Ok(found)
}

impl QuarantinedFile {
    fn add(&mut self, item: Result<RescueItem, OpenRescueError>) {
        match item {
            Ok(RescueItem::Bundle(sealed)) => self.add_bundle(&sealed),
            Ok(RescueItem::Attachment(_)) => self.attachments += 1,
            Err(_) => self.is_damaged = true,
        }
    }

    fn add_bundle(&mut self, sealed: &[u8]) {
        let Ok(opened) = bundle::open(sealed) else {
            self.is_damaged = true;
            return;
        };
        for (_, edit) in &opened.edits {
            let Ok(edit) = edit else {
                self.is_damaged = true;
                continue;
            };
            let edit = edit.edit();
            self.documents
                .entry(edit.document)
                .or_default()
                .push(QuarantinedEdit {
                    device_time: edit.device_time,
                    content: describe::whole(edit),
                });
        }
    }
}

fn take(shared: &Shared, by: Actor, number: u64) -> Result<Vec<Verdict>, WardError> {
    let (_, sealed) = shared.read(|connection| file(connection, number))?;
    let verdicts = rescue::import(shared, by, &sealed, rescue::Revoked::Taken)?;
    let tally = Tally::of(&verdicts);
    if tally.waiting + tally.rejected == 0 {
        shared.write(by, |work| work.settle(number, Outcome::Taken))?;
    }
    Ok(verdicts)
}

/// The device that handed a file over, and the file.
fn file(connection: &Connection, number: u64) -> Result<(DeviceId, Vec<u8>), WardError> {
    let device: Option<[u8; 32]> = connection
        .prepare_cached("SELECT device FROM quarantine WHERE number = ?1 AND settled_at IS NULL")?
        .query_row([to_sql(number)], |row| row.get(0))
        .optional()?;
    let device = DeviceId(device.ok_or(WardError::NotFound("file in quarantine"))?);
    let mut sealed = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT bytes FROM quarantine_pieces WHERE number = ?1 ORDER BY start")?;
    let mut rows = statement.query([to_sql(number)])?;
    while let Some(row) = rows.next()? {
        sealed.extend_from_slice(row.get_ref(0)?.as_blob().map_err(|_| WardError::Damaged)?);
    }
    Ok((device, sealed))
}

impl Work<'_> {
    fn begin_hand_over(
        &mut self,
        device: DeviceId,
        bytes: Option<usize>,
    ) -> Result<Result<u64, HandOverWord>, WardError> {
        let standing = devices::find_any(self.connection, device)?.map(|(_, standing)| standing);
        if !matches!(standing, Some(Err(Refusal::Revoked | Refusal::Wipe)))
            || self.is_unsent_refused(device)?
        {
            return Ok(Err(HandOverWord::NotWanted));
        }
        // What was cut off before comes whole now.
        let cut: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT number FROM quarantine
                 WHERE device = ?1 AND settled_at IS NULL AND ended_at IS NULL",
            )?
            .query_map([device.as_bytes()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for number in cut {
            self.close(number, Outcome::Replaced)?;
        }
        match bytes {
            Some(bytes) if self.has_room_for(device, bytes)? => {}
            _ => return Ok(Err(HandOverWord::TooMuch)),
        }
        self.connection.execute(
            "INSERT INTO quarantine (device, begun_at) VALUES (?1, ?2)",
            params![device.as_bytes(), self.now.0],
        )?;
        Ok(Ok(from_sql(self.connection.last_insert_rowid())))
    }

    fn is_unsent_refused(&self, device: DeviceId) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT unsent_refused FROM devices WHERE id = ?1")?
            .query_row([device.as_bytes()], |row| row.get(0))
    }

    fn has_room_for(&self, device: DeviceId, bytes: usize) -> rusqlite::Result<bool> {
        let (files, kept): (i64, i64) = self
            .connection
            .prepare_cached(
                "SELECT count(DISTINCT q.number), COALESCE(sum(length(p.bytes)), 0)
                 FROM quarantine q LEFT JOIN quarantine_pieces p USING (number)
                 WHERE q.device = ?1 AND q.settled_at IS NULL",
            )?
            .query_row([device.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        Ok(files < FILES_PER_DEVICE_MAX && kept.saturating_add(bytes) <= HAND_OVER_BYTES_MAX)
    }

    fn keep_handed_over(
        &mut self,
        number: u64,
        start: usize,
        bytes: &[u8],
    ) -> Result<(), WardError> {
        self.connection
            .prepare_cached(
                "INSERT INTO quarantine_pieces (number, start, bytes) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![to_sql(number), to_sql(start as u64), bytes])?;
        Ok(())
    }

    fn end_hand_over(&mut self, number: u64) -> Result<(), WardError> {
        let device: [u8; 32] = self.connection.query_row(
            "UPDATE quarantine SET ended_at = ?2 WHERE number = ?1 RETURNING device",
            params![to_sql(number), self.now.0],
            |row| row.get(0),
        )?;
        let device = DeviceId(device);
        let known = devices::find_any(self.connection, device)?;
        let by = known.map_or(Actor::Ward, |(known, _)| known.actor());
        self.audit(
            Entry::of(Kind::Quarantine)
                .by(by)
                .about(device)
                .ending("received"),
        )
    }

    fn settle(&mut self, number: u64, outcome: Outcome) -> Result<(), WardError> {
        let device = self.close(to_sql(number), outcome)?;
        let device = device.ok_or(WardError::NotFound("file in quarantine"))?;
        self.audit(
            Entry::of(Kind::Quarantine)
                .about(device)
                .ending(outcome.code()),
        )
    }

    /// Notes what became of a file that waits, and drops its bytes; gives the device that it came from.
    fn close(&self, number: i64, outcome: Outcome) -> rusqlite::Result<Option<DeviceId>> {
        let device: Option<[u8; 32]> = self
            .connection
            .query_row(
                "UPDATE quarantine SET settled_at = ?2, outcome = ?3
                 WHERE number = ?1 AND settled_at IS NULL RETURNING device",
                params![number, self.now.0, outcome.code()],
                |row| row.get(0),
            )
            .optional()?;
        self.connection
            .execute("DELETE FROM quarantine_pieces WHERE number = ?1", [number])?;
        Ok(device.map(DeviceId))
    }
}
