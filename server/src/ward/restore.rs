//! What happens when the ward's store is older than what its devices have seen, because it was
//! restored from a backup: a new life of the feed begins, numbering pauses, and devices give back
//! what the ward once signed.

use gandan_core::edit::EncodedEdit;
use gandan_core::model::{DeviceId, DocumentId, DocumentKind, Epoch, OfficerId, Timestamp};
use gandan_core::protocol::feed::{Cursor, CursorFields, FeedEntry, Page, verify_proof};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::admission::NotAdmitted;
use super::audit::{Entry, Kind};
use super::connections::{Shared, Work};
use super::devices::Known;
use super::{WardError, feed, purge, settings};
use gandan_core::model::Status;

/// Devices seen within this time before a restore are waited for before numbering goes on.
const REPORT_WINDOW_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The life of the feed that goes on now.
pub(super) fn current_epoch(connection: &Connection) -> Result<Epoch, WardError> {
    connection
        .prepare_cached("SELECT epoch FROM epochs WHERE is_current = 1")?
        .query_row([], |row| row.get(0))
        .optional()?
        .map(Epoch)
        .ok_or(WardError::Damaged)
}

/// Where a cursor stands to our feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It belongs to the feed as it is.
    Known,
    /// The device has to give back what it has first.
    Stale,
    /// It is the first sign that the ward was restored.
    FromTheFuture,
}

pub(super) fn standing(
    connection: &Connection,
    shared: &Shared,
    cursor: &Cursor,
) -> Result<Standing, WardError> {
    let epoch = current_epoch(connection)?;
    let Some(fields) = feed::open_cursor(shared, cursor) else {
        // A cursor without our mark is no sign of a restore: a device cannot stop the numbering by inventing one.
        return Ok(if cursor.0.is_empty() {
            Standing::Known
        } else {
            Standing::Stale
        });
    };
    if fields.epoch == epoch {
        let is_ours = feed::chain_at(connection, fields.sequence)? == Some(fields.chain);
        return Ok(if is_ours {
            Standing::Known
        } else {
            Standing::FromTheFuture
        });
    }
    let is_past: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM epochs WHERE epoch = ?1)",
        [fields.epoch.as_bytes()],
        |row| row.get(0),
    )?;
    Ok(if is_past {
        Standing::Stale
    } else {
        Standing::FromTheFuture
    })
}

/// Begins the first life of a feed.
pub(super) fn begin_first_epoch(
    connection: &Connection,
    epoch: [u8; 16],
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO epochs (epoch, seen_at, is_current) VALUES (?1, ?2, 1)",
        params![epoch, now.0],
    )?;
    Ok(())
}

impl Work<'_> {
    /// The ward was restored: a new life of the feed begins, and numbering pauses until the devices
    /// that were seen lately have reported.
    pub(super) fn begin_epoch(&mut self, unknown: Option<CursorFields>) -> Result<(), WardError> {
        tracing::warn!("the ward was restored from a backup: a new epoch begins, numbering pauses");
        self.happened.has_changed_rights = true;
        self.connection
            .execute("UPDATE epochs SET is_current = 0 WHERE is_current = 1", [])?;
        if let Some(fields) = unknown {
            // Others come with cursors of the same lost life; they must not begin one more.
            self.connection.execute(
                "INSERT OR IGNORE INTO epochs (epoch, seen_at, is_current) VALUES (?1, ?2, 0)",
                params![fields.epoch.as_bytes(), self.now.0],
            )?;
        }
        begin_first_epoch(self.connection, self.shared.random(), self.now)?;
        settings::write(
            self.connection,
            settings::NUMBERING_PAUSED_AT,
            &self.now.0.to_be_bytes(),
        )?;
        self.audit(Entry::of(Kind::EpochBegan))
    }

    /// The device has given back everything and read the feed to its end.
    pub(super) fn device_reported(&mut self, device: DeviceId) -> Result<(), WardError> {
        let epoch = current_epoch(self.connection)?;
        self.connection.execute(
            "UPDATE devices SET reported_epoch = ?2 WHERE id = ?1",
            params![device.as_bytes(), epoch.as_bytes()],
        )?;
        let paused: Option<[u8; 8]> =
            settings::read(self.connection, settings::NUMBERING_PAUSED_AT)?;
        let Some(paused) = paused else {
            // A late one may have brought accepted cases whose numbers are taken.
            return self.issue_awaited_numbers();
        };
        let since = i64::from_be_bytes(paused).saturating_sub(REPORT_WINDOW_MS);
        let is_waited_for: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM devices
             WHERE revoked_at IS NULL AND reported_epoch <> ?1 AND COALESCE(seen_at, enrolled_at) >= ?2)",
            params![epoch.as_bytes(), since],
            |row| row.get(0),
        )?;
        if is_waited_for {
            return Ok(());
        }
        self.resume_numbering()
    }

    /// Takes back a page that the ward once signed. Its word stands: the policy is not asked again.
    pub(super) fn take_back(&mut self, known: &Known, page: &Page) -> Result<(), WardError> {
        let before = feed::head(self.connection)?.0;
        for tombstone in &page.scope.tombstones {
            self.take_back_tombstone(tombstone)?;
        }
        // A page of tombstones alone is signed by them.
        let ending = if page.proof.entries.is_empty() && !page.scope.tombstones.is_empty() {
            "done"
        } else {
            self.take_back_page(page)?
        };
        let taken = feed::head(self.connection)?.0 - before;
        let mut entry = Entry::of(Kind::TakenBack).by(known.actor()).ending(ending);
        if taken == 0 {
            entry = entry.without_change();
        }
        self.audit(entry.counting("edits", taken))
    }

    fn take_back_page(&mut self, page: &Page) -> Result<&'static str, WardError> {
        if page.proof.ward != self.shared.code
            || !verify_proof(self.shared.keys.public(), &page.proof)
        {
            tracing::warn!("a page given back does not carry the ward's signature");
            return Ok("forged");
        }
        for (entry, body) in page.proof.entries.iter().zip(&page.bodies) {
            let Some(body) = body else { continue };
            // A body that is not what was signed is the device's fault and harms nobody else.
            let Ok(edit) = EncodedEdit::decode(body) else {
                continue;
            };
            if edit.id() == entry.edit {
                self.take_back_entry(entry, &edit)?;
            }
        }
        Ok("done")
    }

    fn take_back_entry(&mut self, entry: &FeedEntry, edit: &EncodedEdit) -> Result<(), WardError> {
        if feed::sequence_of(self.connection, edit.id())?.is_some() {
            return Ok(());
        }
        let document = edit.edit().document;
        if purge::is_purged(self.connection, document)? {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO returned_edits (edit, kind, uuid, author, device, received_at, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                entry.edit.as_bytes(),
                document.kind.code(),
                document.uuid.as_bytes(),
                entry.author.0.as_bytes(),
                entry.device.as_bytes(),
                entry.received_at.0,
                edit.bytes()
            ])?;
        self.place_returned(document)
    }

    /// Puts returned edits of a document into the feed as far as what they depend on is here.
    pub(super) fn place_returned(&mut self, document: DocumentId) -> Result<(), WardError> {
        loop {
            let mut has_placed = false;
            for returned in self.returned_edits(document)? {
                let is_here = feed::sequence_of(self.connection, returned.edit.id())?.is_some();
                if is_here || self.place(document, &returned)? {
                    has_placed |= !is_here;
                    self.connection.execute(
                        "DELETE FROM returned_edits WHERE edit = ?1",
                        [returned.edit.id().as_bytes()],
                    )?;
                }
            }
            if !has_placed {
                return Ok(());
            }
        }
    }

    fn returned_edits(&self, document: DocumentId) -> Result<Vec<Returned>, WardError> {
        self.connection
            .prepare_cached(
                "SELECT bytes, author, device, received_at FROM returned_edits
                 WHERE kind = ?1 AND uuid = ?2",
            )?
            .query_map(
                params![document.kind.code(), document.uuid.as_bytes()],
                |row| {
                    let bytes: Vec<u8> = row.get(0)?;
                    let author = OfficerId(Uuid::from_bytes(row.get(1)?));
                    Ok((bytes, author, DeviceId(row.get(2)?), Timestamp(row.get(3)?)))
                },
            )?
            .map(|row| {
                let (bytes, author, device, received_at) = row?;
                Ok(Returned {
                    edit: EncodedEdit::decode(&bytes).map_err(|_| WardError::Damaged)?,
                    author,
                    device,
                    received_at,
                })
            })
            .collect()
    }

    /// Whether the edit is settled: in the feed, or never to be.
    fn place(&mut self, document: DocumentId, returned: &Returned) -> Result<bool, WardError> {
        let edit = &returned.edit;
        match self.missing_dependency(edit.edit()) {
            Ok(Some(_)) => return Ok(false),
            Ok(None) => {}
            Err(NotAdmitted::Failed(error)) => return Err(error),
            Err(NotAdmitted::Rejected(_)) => return Ok(true),
        }
        let placed = self
            .check_actor(returned.device, edit.edit())
            .and_then(|()| {
                let loaded = self.load(document)?;
                let loaded = self.execute_edit(loaded, edit)?;
                self.append(
                    returned.device,
                    returned.author,
                    returned.received_at,
                    edit,
                    loaded,
                )
            });
        match placed {
            Ok(_) => {}
            Err(NotAdmitted::Failed(error)) => return Err(error),
            Err(NotAdmitted::Rejected(code)) => {
                tracing::error!(edit = %edit.id(), ?code, "an edit that the ward signed once does not fit");
                return Ok(true);
            }
        }
        if document.kind == DocumentKind::Case {
            if returned.device.0 == self.shared.keys.public().0 {
                self.take_back_number(document, &edit.edit().operations)?;
            }
            self.await_number_if_accepted(document)?;
        }
        Ok(true)
    }

    // The edit that numbers the case usually comes right behind; whoever gets none of it until the device has
    // given back everything is numbered anew.
    fn await_number_if_accepted(&mut self, case: DocumentId) -> Result<(), WardError> {
        let Some(loaded) = self.load(case)? else {
            return Ok(());
        };
        let is_accepted = gandan_core::document::schema::case_head(&loaded.state)
            .is_some_and(|case| case.status == Status::Accepted);
        self.documents.keep(loaded);
        if is_accepted && self.number_of(case)?.is_none() {
            self.await_number(case)?;
        }
        Ok(())
    }
}

struct Returned {
    edit: EncodedEdit,
    author: OfficerId,
    device: DeviceId,
    received_at: Timestamp,
}
