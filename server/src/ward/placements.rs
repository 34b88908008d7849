//! How cases and visits were placed at an earlier place of the feed. Only changes are stored, with what
//! was before: a document that never moved costs nothing.

use gandan_core::model::{DocumentId, DocumentKind};
use rusqlite::{Connection, OptionalExtension, params};

use super::connections::to_sql;
use super::documents::{self, placement_at};
use super::scope::Placement;

/// Notes that an entry of the feed changed how a document is placed.
pub(super) fn put_move(
    connection: &Connection,
    sequence: u64,
    document: DocumentId,
    before: &Placement,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO moves (sequence, kind, uuid, recorder, area, is_restricted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            to_sql(sequence),
            document.kind.code(),
            document.uuid.as_bytes(),
            before.recorder.as_ref().map(|officer| officer.0.as_bytes()),
            before.area,
            before.is_restricted,
        ])
        .map(drop)
}

/// Whether anything was moved after this place of the feed.
pub(super) fn is_any_moved_after(connection: &Connection, sequence: u64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM moves WHERE sequence > ?1 LIMIT 1")?
        .exists([to_sql(sequence)])
}

/// Whether the entry at this place moved its document.
pub(super) fn is_move(connection: &Connection, sequence: u64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM moves WHERE sequence = ?1")?
        .exists([to_sql(sequence)])
}

/// How a document was placed just before the entry at `sequence`; a person as its case.
pub(super) fn before(
    connection: &Connection,
    document: DocumentId,
    sequence: u64,
) -> rusqlite::Result<Placement> {
    let placed = placed(document);
    let moved = connection
        .prepare_cached(
            "SELECT recorder, area, is_restricted FROM moves
             WHERE kind = ?1 AND uuid = ?2 AND sequence >= ?3 ORDER BY sequence LIMIT 1",
        )?
        .query_row(
            params![placed.kind.code(), placed.uuid.as_bytes(), to_sql(sequence)],
            |row| placement_at(row, 0),
        )
        .optional()?;
    match moved {
        Some(placement) => Ok(placement),
        None => now(connection, document),
    }
}

/// How a document is placed now; a person as its case.
pub(super) fn now(connection: &Connection, document: DocumentId) -> rusqlite::Result<Placement> {
    Ok(documents::placement(connection, placed(document))?.unwrap_or_default())
}

fn placed(document: DocumentId) -> DocumentId {
    match document.kind {
        DocumentKind::Person => DocumentId::case(document.uuid),
        DocumentKind::Case | DocumentKind::Visit => document,
    }
}
