//! The append-only feed: one sequence and one hash chain for the whole ward. [`reading`] gives each
//! device what its scope covers of it, in signed pages.

mod page;
mod reading;

use gandan_core::edit::EncodedEdit;
use gandan_core::model::{
    ChainHash, DeviceId, DocumentId, DocumentKind, EditId, OfficerId, Timestamp,
};
use gandan_core::protocol::feed::{Cursor, CursorFields, FeedEntry, Page, Salt};
use gandan_core::protocol::limits::{BUNDLE_EDITS_MAX, LISTED_EDITS_MAX, PAGE_BODY_BYTES_MAX};
use gandan_core::protocol::reconciliation::{self, Answer, Question};
use gandan_core::store::rows;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

use super::connections::{Shared, Work, from_sql, to_sql};
use super::devices::Known;
use super::documents::{self, placement_at};
use super::scope::Scope;
use super::{WardError, restore};
use page::PageBuilder;
pub(super) use reading::read;

/// Bytes of the mark that a cursor is ours.
const CURSOR_MARK_BYTES: usize = 16;

/// The last entry of the feed: sequence and chain; zero before the first.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<(u64, ChainHash)> {
    let last_of = |table| {
        connection
            .prepare_cached(table)?
            .query_row([], |row| {
                Ok((from_sql(row.get(0)?), ChainHash(row.get(1)?)))
            })
            .optional()
    };
    let here = last_of("SELECT sequence, chain FROM feed ORDER BY sequence DESC LIMIT 1")?;
    let purged =
        last_of("SELECT sequence, chain FROM purged_entries ORDER BY sequence DESC LIMIT 1")?;
    let last = here.into_iter().chain(purged).max_by_key(|last| last.0);
    Ok(last.unwrap_or((0, ChainHash([0; 32]))))
}

/// The chain at a sequence; `None` if the feed does not reach that far.
pub(super) fn chain_at(
    connection: &Connection,
    sequence: u64,
) -> rusqlite::Result<Option<ChainHash>> {
    if sequence == 0 {
        return Ok(Some(ChainHash([0; 32])));
    }
    connection
        .prepare_cached(
            "SELECT chain FROM feed WHERE sequence = ?1
             UNION ALL SELECT chain FROM purged_entries WHERE sequence = ?1",
        )?
        .query_row([to_sql(sequence)], |row| row.get(0).map(ChainHash))
        .optional()
}

pub(super) fn sequence_of(connection: &Connection, edit: EditId) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT sequence FROM feed WHERE edit = ?1")?
        .query_row([edit.as_bytes()], |row| row.get(0).map(from_sql))
        .optional()
}

impl Work<'_> {
    pub(super) fn put_entry(
        &mut self,
        document: DocumentId,
        device: DeviceId,
        author: OfficerId,
        received_at: Timestamp,
        edit: EditId,
    ) -> Result<FeedEntry, WardError> {
        let (last, chain) = head(self.connection)?;
        let entry = FeedEntry {
            sequence: last + 1,
            edit,
            author,
            device,
            received_at,
            salt: Salt::Shared(self.salt),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO feed (sequence, edit, kind, uuid, author, device, received_at, salt, chain)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                to_sql(entry.sequence),
                edit.as_bytes(),
                document.kind.code(),
                document.uuid.as_bytes(),
                author.0.as_bytes(),
                device.as_bytes(),
                received_at.0,
                entry.salt.to_bytes(),
                entry.extend(chain).as_bytes(),
            ])?;
        Ok(entry)
    }
}

/// A cursor of this ward, marked as its own.
pub(super) fn seal_cursor(shared: &Shared, fields: CursorFields) -> Cursor {
    let Cursor(mut bytes) = fields.to_cursor();
    let mark = cursor_mark(shared, &bytes);
    bytes.extend_from_slice(&mark);
    Cursor(bytes)
}

/// Reads a cursor; `None` if it is empty or was not made by this ward.
pub(super) fn open_cursor(shared: &Shared, cursor: &Cursor) -> Option<CursorFields> {
    let length = cursor.0.len().checked_sub(CURSOR_MARK_BYTES)?;
    let (bytes, mark) = cursor.0.split_at(length);
    if cursor_mark(shared, bytes) != mark {
        return None;
    }
    CursorFields::from_cursor(&Cursor(bytes.to_vec()))
}

fn cursor_mark(shared: &Shared, bytes: &[u8]) -> [u8; CURSOR_MARK_BYTES] {
    let hash = blake3::keyed_hash(&shared.keys.cursor, bytes);
    let mut mark = [0; CURSOR_MARK_BYTES];
    mark.copy_from_slice(&hash.as_bytes()[..CURSOR_MARK_BYTES]);
    mark
}

/// Edits by name, as far as the device may see them, with what they build on as far as one page
/// holds: nearest first, so that asking again always brings something new.
pub(super) fn read_edits(
    connection: &Connection,
    shared: &Shared,
    device: &Known,
    wanted: &[EditId],
) -> Result<Option<Page>, WardError> {
    let scope = device.scope(connection)?;
    let mut statement = connection.prepare_cached(&format!("{ENTRY_COLUMNS} WHERE f.edit = ?1"))?;
    let mut open: VecDeque<EditId> = wanted.iter().copied().collect();
    let mut seen: BTreeSet<EditId> = wanted.iter().copied().collect();
    let mut found: BTreeMap<u64, (FeedEntry, Vec<u8>)> = BTreeMap::new();
    let mut size = 0;
    while let Some(edit) = open.pop_front() {
        let mut rows = statement.query([edit.as_bytes()])?;
        let Some(row) = rows.next()? else { continue };
        if !may_see(&scope, row)? {
            continue;
        }
        let body: Vec<u8> = row.get(7)?;
        size += body.len();
        if size > PAGE_BODY_BYTES_MAX || found.len() == BUNDLE_EDITS_MAX {
            break;
        }
        let decoded = EncodedEdit::decode(&body).map_err(|_| WardError::Damaged)?;
        for dependency in &decoded.edit().dependencies {
            if seen.insert(*dependency) {
                open.push_back(*dependency);
            }
        }
        let entry = entry_at(row)?;
        found.insert(entry.sequence, (entry, body));
    }
    let (Some((&first, _)), Some((&last, _))) = (found.first_key_value(), found.last_key_value())
    else {
        return Ok(None);
    };
    let chain = chain_at(connection, last)?.ok_or(WardError::Damaged)?;
    let mut builder = PageBuilder::default();
    for (entry, body) in found.into_values() {
        builder.push(None, entry, Some(body));
    }
    let epoch = restore::current_epoch(connection)?;
    let position = (first - 1, last, chain);
    Ok(Some(builder.finish(shared, epoch, position, None)))
}

/// A case by what a person typed, with its person and its visit, as far as the device may see them,
/// whether or not it holds them: their newest edits, as [`read_edits`] gives them.
pub(super) fn look(
    connection: &Connection,
    shared: &Shared,
    device: &Known,
    words: &str,
) -> Result<Option<(Uuid, Page)>, WardError> {
    let named = rows::case_as_typed(connection, words)?;
    // What may not be seen is not here: both are answered by the same few reads.
    let Some(uuid) = named else { return Ok(None) };
    let case = DocumentId::case(uuid);
    let Some(placement) = documents::placement(connection, case)? else {
        return Ok(None);
    };
    let scope = device.scope(connection)?;
    if !scope.may_see(DocumentKind::Case, &placement) {
        return Ok(None);
    }
    let visit = rows::case(connection, uuid)?.and_then(|row| row.case.visit);
    let person = DocumentId::person_of(uuid);
    let together = [Some(case), Some(person), visit.map(DocumentId::visit)];
    let mut newest = Vec::new();
    for document in together.into_iter().flatten() {
        newest.extend(documents::heads(connection, document)?.unwrap_or_default());
    }
    let page = read_edits(connection, shared, device, &newest)?;
    Ok(page.map(|page| (uuid, page)))
}

/// In what a device differs from what its scope covers now; of anything else nothing is told.
pub(super) fn compare(
    connection: &Connection,
    device: &Known,
    questions: &[Question],
) -> Result<Vec<Answer>, WardError> {
    let scope = device.scope(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT f.edit, f.kind, d.recorder, d.area, COALESCE(d.is_restricted, 0), d.quiet_since
         FROM feed f
         LEFT JOIN documents d ON d.uuid = f.uuid AND d.kind = CASE f.kind WHEN 3 THEN 2 ELSE f.kind END
         WHERE f.edit BETWEEN ?1 AND ?2 ORDER BY f.edit",
    )?;
    let mut room = LISTED_EDITS_MAX;
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        let (first, last) = question.prefix.bounds();
        let mut rows = statement.query([first.as_bytes(), last.as_bytes()])?;
        let mut covered = Vec::new();
        while let Some(row) = rows.next()? {
            let kind = DocumentKind::from_code(row.get(1)?).ok_or(WardError::Damaged)?;
            if scope.covers(kind, &placement_at(row, 2)?) {
                covered.push(EditId(row.get(0)?));
            }
        }
        answers.push(reconciliation::answer(question, covered, &mut room));
    }
    Ok(answers)
}

// The placement of a person is its case's.
const ENTRY_COLUMNS: &str = "SELECT f.sequence, f.edit, f.author, f.device, f.received_at, f.salt, f.chain,
       e.bytes, f.kind, d.recorder, d.area, COALESCE(d.is_restricted, 0), d.quiet_since, f.uuid
     FROM feed f JOIN edits e ON e.id = f.edit
     LEFT JOIN documents d ON d.uuid = f.uuid AND d.kind = CASE f.kind WHEN 3 THEN 2 ELSE f.kind END";

fn entry_at(row: &Row<'_>) -> rusqlite::Result<FeedEntry> {
    Ok(FeedEntry {
        sequence: from_sql(row.get(0)?),
        edit: EditId(row.get(1)?),
        author: OfficerId(Uuid::from_bytes(row.get(2)?)),
        device: DeviceId(row.get(3)?),
        received_at: Timestamp(row.get(4)?),
        salt: Salt::from_bytes(row.get(5)?).ok_or(rusqlite::Error::InvalidQuery)?,
    })
}

fn may_see(scope: &Scope, row: &Row<'_>) -> rusqlite::Result<bool> {
    let placement = placement_at(row, 9)?;
    Ok(DocumentKind::from_code(row.get(8)?).is_some_and(|kind| scope.may_see(kind, &placement)))
}
