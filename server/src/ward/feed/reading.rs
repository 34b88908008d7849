//! What a device gets of the feed: what its scope covers, what its scope gained, and the names of the
//! documents that left it. Remembers nothing per device. A cursor says what the device holds: the
//! documents that its scope of that version covered at that place of the feed, each as it was there.
//!
//! From there the ward goes on in two ways. If the scope has another version now, the device first
//! takes a *step* to it without moving in the feed: documents that only the new version covers are
//! read to it from their creation, documents that it no longer covers are to be forgotten. Then it
//! *reads on*: at an entry that moves a document into the scope the whole history comes, at one that
//! moves it out the document is to be forgotten. Nothing that the officer may not see now is sent,
//! whatever was so at an earlier place of the feed.

use gandan_core::model::{ChainHash, DocumentId, DocumentKind, Epoch};
use gandan_core::protocol::feed::{Cursor, CursorFields, FeedEntry, Page, ScopeStep};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::super::connections::{Shared, from_sql, to_sql};
use super::super::devices::Known;
use super::super::documents::placement_at;
use super::super::scope::{Placement, Scope};
use super::super::{WardError, placements, purge, restore, scopes};
use super::page::PageBuilder;
use super::{ENTRY_COLUMNS, chain_at, entry_at, head, open_cursor, seal_cursor};

/// How many entries outside the scope are passed over before the device gets an empty page, only to
/// move its cursor on: without it every later reading would pass over them again.
const UNSEEN_ENTRIES_MAX: u64 = 1_000;

/// How many entries one reading looks at: a few hundredths of a second, so that a device with a small
/// scope that comes for the first time does not hold up others.
const SCANNED_ENTRIES_MAX: u64 = 20_000;

/// What follows `cursor`, which is of this life of the feed or empty, for a device with this scope; `None`
/// if it has read everything.
pub(in super::super) fn read(
    connection: &Connection,
    shared: &Shared,
    device: &Known,
    scope: &Scope,
    cursor: &Cursor,
) -> Result<Option<Page>, WardError> {
    let epoch = restore::current_epoch(connection)?;
    let reading = Reading {
        connection,
        shared,
        device,
        scope,
        epoch,
    };
    let known = reading.known(cursor)?;
    // From an empty cursor (a new device, or one that has given back), or one of a scope that is not
    // remembered, nothing follows: the device reads from the start, and what is not named until the
    // end it may not hold.
    let is_beginning = known.is_none();
    let from = known.unwrap_or(CursorFields {
        epoch,
        sequence: 0,
        chain: ChainHash([0; 32]),
        scope_version: device.scope_version,
        is_whole: is_beginning,
        step: None,
        filled: 0,
    });
    let mut page = PageBuilder::default();
    let told = purge::told_after(connection, from.sequence)?;
    page.tell(told.tombstones);
    if is_beginning {
        page.begin();
    }
    if from.scope_version != device.scope_version {
        return reading.step(from, page).map(Some);
    }
    reading.read_on(from, told.up_to, page)
}

struct Reading<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    device: &'a Known,
    /// What the officer may see now.
    scope: &'a Scope,
    epoch: Epoch,
}

/// An entry on its way into a page, with its body.
type Line = (DocumentId, FeedEntry, Option<Vec<u8>>);

/// What becomes of a document at an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The entry is the device's business.
    Stays,
    /// The whole document is, from now on.
    Comes,
    /// It is not any more.
    Goes,
    /// It is none of the device's business, or not yet.
    Elsewhere,
}

impl Reading<'_> {
    /// What the cursor says, if it says anything and is of a scope that is remembered.
    fn known(&self, cursor: &Cursor) -> Result<Option<CursorFields>, WardError> {
        let Some(fields) = open_cursor(self.shared, cursor) else {
            return Ok(None);
        };
        let is_known = fields.scope_version == self.device.scope_version
            || self.scopes(fields.scope_version, false)?.is_some();
        Ok(is_known.then_some(fields))
    }

    fn scopes(&self, version: u64, and_all_since: bool) -> Result<Option<Vec<Scope>>, WardError> {
        let author = self.device.author;
        Ok(scopes::read(
            self.connection,
            author,
            version,
            and_all_since,
        )?)
    }

    /// From one version of the scope to the present one, at one place of the feed.
    fn step(&self, from: CursorFields, mut page: PageBuilder) -> Result<Page, WardError> {
        let to = self.device.scope_version;
        let (mut done, is_begun_again) = match from.step {
            Some(step) if step.to == to => (step.done, step.is_begun_again),
            // What the version between has brought already must go too, and what it took must come.
            Some(_) => (0, true),
            None => (0, false),
        };
        let before = self
            .scopes(from.scope_version, is_begun_again)?
            .ok_or(WardError::Damaged)?;
        // What was lent is named by no cursor. It need not go when only the floor has moved.
        if done == 0
            && before
                .iter()
                .any(|scope| scope.areas() != self.scope.areas())
        {
            page.end_loans();
        }
        if from.filled > 0 {
            for document in self.documents_at(from.sequence + 1)? {
                page.forget(document);
            }
        }
        let has_moved = placements::is_any_moved_after(self.connection, from.sequence)?;
        let mut statement = self.connection.prepare_cached(&format!(
            "{ENTRY_COLUMNS} WHERE f.sequence > ?1 AND f.sequence <= ?2 ORDER BY f.sequence"
        ))?;
        let mut rows = statement.query([to_sql(done), to_sql(from.sequence)])?;
        let mut scanned = 0;
        let mut is_over = true;
        while let Some(row) = rows.next()? {
            let entry = entry_at(row)?;
            let sequence = entry.sequence;
            let document = document_at(row)?;
            let then = if has_moved {
                placements::since(self.connection, document, from.sequence + 1)?.all
            } else {
                vec![placement_at(row, 9)?]
            };
            let covers = |scope: &Scope, placement| scope.covers(document.kind, placement);
            let stays = |scope: &Scope| then.iter().all(|placement| covers(scope, placement));
            // Of a document that leaves a scope later in the feed the device may hold anything.
            let fate = if stays(self.scope) && !before.iter().all(stays) {
                Fate::Comes
            } else if !covers(self.scope, &then[0])
                && before.iter().any(|scope| covers(scope, &then[0]))
            {
                Fate::Goes
            } else {
                Fate::Elsewhere
            };
            let has_room = match fate {
                Fate::Comes => page.push(Some(document), entry, row.get(7)?),
                Fate::Goes => {
                    let has_room = page.has_room(0, 0, 1);
                    if has_room {
                        page.forget(document);
                    }
                    has_room
                }
                Fate::Stays | Fate::Elsewhere => true,
            };
            scanned += 1;
            if !has_room || scanned > SCANNED_ENTRIES_MAX {
                is_over = false;
                break;
            }
            done = sequence;
        }
        let fields = CursorFields { filled: 0, ..from };
        let fields = if is_over {
            CursorFields {
                scope_version: to,
                step: None,
                ..fields
            }
        } else {
            CursorFields {
                step: Some(ScopeStep {
                    to,
                    done,
                    is_begun_again,
                }),
                ..fields
            }
        };
        Ok(self.finish(page, from.sequence, fields))
    }

    /// What follows in the feed, at most up to this place.
    fn read_on(
        &self,
        from: CursorFields,
        up_to: Option<u64>,
        mut page: PageBuilder,
    ) -> Result<Option<Page>, WardError> {
        let has_moved = placements::is_any_moved_after(self.connection, from.sequence)?;
        let mut statement = self.connection.prepare_cached(&format!(
            "{ENTRY_COLUMNS} WHERE f.sequence > ?1 AND f.sequence <= ?2 ORDER BY f.sequence"
        ))?;
        let last = up_to.unwrap_or(u64::MAX);
        let mut rows = statement.query([to_sql(from.sequence), to_sql(last)])?;
        let mut fields = CursorFields { step: None, ..from };
        let mut unseen = 0;
        let mut is_end = true;
        while let Some(row) = rows.next()? {
            if unseen >= SCANNED_ENTRIES_MAX {
                is_end = false;
                break;
            }
            let sequence = from_sql(row.get(0)?);
            let filled = std::mem::take(&mut fields.filled);
            let is_taken = if has_moved {
                match self.take(&mut page, row, filled)? {
                    Taken::Whole => true,
                    Taken::Nothing => false,
                    Taken::UpTo(filled) => {
                        fields.filled = filled;
                        is_end = false;
                        break;
                    }
                    Taken::Unseen => {
                        unseen += 1;
                        true
                    }
                }
            } else if self.is_covered_now(row)? {
                self.push(&mut page, row)?
            } else {
                unseen += 1;
                true
            };
            if !is_taken {
                // Nothing was read of this entry; what was read of its document before stays said.
                fields.filled = filled;
                is_end = false;
                break;
            }
            fields.sequence = sequence;
            fields.chain = ChainHash(row.get(6)?);
        }
        if let Some(up_to) = up_to.filter(|_| is_end) {
            // It is the place of a tombstone, and more follow.
            fields.sequence = up_to;
            fields.chain = chain_at(self.connection, up_to)?.ok_or(WardError::Damaged)?;
        } else if is_end {
            if fields.is_whole {
                page.end();
            } else if page.is_empty() && unseen < UNSEEN_ENTRIES_MAX {
                return Ok(None);
            }
            fields.is_whole = false;
            // Behind the last entry there may be places of what was purged.
            (fields.sequence, fields.chain) = head(self.connection)?;
        }
        Ok(Some(self.finish(page, from.sequence, fields)))
    }

    /// One entry of a feed in which something has moved since.
    fn take(&self, page: &mut PageBuilder, row: &Row<'_>, filled: u64) -> Result<Taken, WardError> {
        let document = document_at(row)?;
        let sequence = from_sql(row.get(0)?);
        let placements = placements::since(self.connection, document, sequence)?;
        let all = &placements.all;
        if !placements.is_move {
            return match self.fate(document.kind, &all[0], all) {
                Fate::Stays if self.push(page, row)? => Ok(Taken::Whole),
                Fate::Stays => Ok(Taken::Nothing),
                _ => Ok(Taken::Unseen),
            };
        }
        let mut gone = Vec::new();
        let mut coming = Vec::new();
        let mut is_seen = false;
        for moved in placements::placed_together(document) {
            match self.fate(moved.kind, &all[0], &all[1..]) {
                Fate::Stays if moved == document => {
                    is_seen = true;
                    coming.push((moved, entry_at(row)?, self.body(row)?));
                }
                Fate::Comes => {
                    is_seen = true;
                    coming.extend(self.history(moved, filled, sequence)?);
                }
                Fate::Goes => gone.push(moved),
                // What was read of it before the officer might not see it any more must go.
                _ if filled > 0 => gone.push(moved),
                Fate::Stays | Fate::Elsewhere => {}
            }
        }
        let size = |body: &Option<Vec<u8>>| body.as_ref().map_or(0, Vec::len);
        let bytes = coming.iter().map(|(_, _, body)| size(body)).sum();
        let is_fitting = page.has_room(coming.len(), bytes, gone.len());
        if !is_fitting && page.moves_on() {
            return Ok(Taken::Nothing);
        }
        for document in &gone {
            page.forget(*document);
        }
        coming.sort_by_key(|(_, entry, _)| entry.sequence);
        let mut last = filled;
        for (document, entry, body) in coming {
            let sequence = entry.sequence;
            if !page.push(Some(document), entry, body) {
                return Ok(Taken::UpTo(last));
            }
            last = sequence;
        }
        Ok(if is_seen || !gone.is_empty() {
            Taken::Whole
        } else {
            Taken::Unseen
        })
    }

    /// `since` are the placements after the entry, the present one last. A document that leaves the scope
    /// later in the feed is passed over until then: should it come back, it comes whole.
    fn fate(&self, kind: DocumentKind, before: &Placement, since: &[Placement]) -> Fate {
        let covers = |placement| self.scope.covers(kind, placement);
        let may_see = |placement| self.scope.may_see(kind, placement);
        let after = since.first();
        let is_lost = covers(before) && !after.is_some_and(covers)
            // The device may have fetched it, though it is past.
            || may_see(before) && !after.is_some_and(may_see);
        match (covers(before), since.iter().all(covers)) {
            (true, true) => Fate::Stays,
            (false, true) => Fate::Comes,
            _ if is_lost => Fate::Goes,
            _ => Fate::Elsewhere,
        }
    }

    fn is_covered_now(&self, row: &Row<'_>) -> Result<bool, WardError> {
        let placement = placement_at(row, 9)?;
        Ok(self.scope.covers(document_at(row)?.kind, &placement))
    }

    fn push(&self, page: &mut PageBuilder, row: &Row<'_>) -> Result<bool, WardError> {
        let body = self.body(row)?;
        Ok(page.push(Some(document_at(row)?), entry_at(row)?, body))
    }

    /// `None` for what the device wrote itself.
    fn body(&self, row: &Row<'_>) -> Result<Option<Vec<u8>>, WardError> {
        let is_own = entry_at(row)?.device == self.device.id;
        Ok((!is_own).then(|| row.get(7)).transpose()?)
    }

    /// All entries of a document after and up to places of the feed, each with its body.
    fn history(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
    ) -> Result<Vec<Line>, WardError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{ENTRY_COLUMNS} WHERE f.kind = ?1 AND f.uuid = ?2 AND f.sequence > ?3 AND f.sequence <= ?4"
        ))?;
        let rows = statement.query_map(
            params![
                document.kind.code(),
                document.uuid.as_bytes(),
                to_sql(after),
                to_sql(up_to)
            ],
            |row| Ok((document, entry_at(row)?, Some(row.get(7)?))),
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The document of an entry, and what moves with it.
    fn documents_at(&self, sequence: u64) -> Result<Vec<DocumentId>, WardError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{ENTRY_COLUMNS} WHERE f.sequence = ?1"))?;
        let mut rows = statement.query([to_sql(sequence)])?;
        match rows.next()? {
            Some(row) => Ok(placements::placed_together(document_at(row)?)),
            None => Ok(Vec::new()),
        }
    }

    fn finish(&self, page: PageBuilder, after: u64, fields: CursorFields) -> Page {
        let cursor = seal_cursor(self.shared, fields);
        let position = (after, fields.sequence, fields.chain);
        page.finish(self.shared, self.epoch, position, Some(cursor))
    }
}

/// How much of an entry went into a page.
enum Taken {
    Whole,
    /// No room: it is for the next page.
    Nothing,
    /// The history of its document up to this place; more than one page holds.
    UpTo(u64),
    /// It is none of the device's business.
    Unseen,
}

fn document_at(row: &Row<'_>) -> Result<DocumentId, WardError> {
    let kind = DocumentKind::from_code(row.get(8)?).ok_or(WardError::Damaged)?;
    Ok(DocumentId {
        kind,
        uuid: Uuid::from_bytes(row.get(13)?),
    })
}
