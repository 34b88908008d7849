//! How cases and visits were placed at an earlier place of the feed. Only changes are stored, with what
//! was before: a document that never moved costs nothing.

use gandan_core::model::{DocumentId, DocumentKind};
use rusqlite::{Connection, params};

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
            "INSERT INTO moves (sequence, kind, uuid, recorder, area, is_restricted, quiet_since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            to_sql(sequence),
            document.kind.code(),
            document.uuid.as_bytes(),
            before.recorder.as_ref().map(|officer| officer.0.as_bytes()),
            before.area,
            before.is_restricted,
            before.quiet_since.map(to_sql),
        ])
        .map(drop)
}

/// Whether anything was moved after this place of the feed.
pub(super) fn is_any_moved_after(connection: &Connection, sequence: u64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM moves WHERE sequence > ?1 LIMIT 1")?
        .exists([to_sql(sequence)])
}

/// How a document was placed from a place of the feed on.
pub(super) struct Placements {
    /// Whether the entry at that place moved it.
    pub(super) is_move: bool,
    /// Just before that entry, after each later one that moved it, and so last as it is now.
    pub(super) all: Vec<Placement>,
}

/// How a document was placed just before the entry at `sequence` and since; a person as its case.
pub(super) fn since(
    connection: &Connection,
    document: DocumentId,
    sequence: u64,
) -> rusqlite::Result<Placements> {
    let placed = placed(document);
    let mut all = Vec::new();
    let mut is_move = false;
    let mut statement = connection.prepare_cached(
        "SELECT recorder, area, is_restricted, quiet_since, sequence FROM moves
         WHERE kind = ?1 AND uuid = ?2 AND sequence >= ?3 ORDER BY sequence",
    )?;
    let mut rows = statement.query(params![
        placed.kind.code(),
        placed.uuid.as_bytes(),
        to_sql(sequence)
    ])?;
    while let Some(row) = rows.next()? {
        is_move |= row.get::<_, i64>(4)? == to_sql(sequence);
        all.push(placement_at(row, 0)?);
    }
    all.push(now(connection, document)?);
    Ok(Placements { is_move, all })
}

/// How a document is placed now; a person as its case.
pub(super) fn now(connection: &Connection, document: DocumentId) -> rusqlite::Result<Placement> {
    Ok(documents::placement(connection, placed(document))?.unwrap_or_default())
}

/// The documents that one placement decides about: a case and its person are held, and told of, together.
pub(super) fn placed_together(document: DocumentId) -> Vec<DocumentId> {
    match document.kind {
        DocumentKind::Case | DocumentKind::Person => vec![
            DocumentId::case(document.uuid),
            DocumentId::person_of(document.uuid),
        ],
        DocumentKind::Visit => vec![document],
    }
}

/// Whose placement decides about a document: a person's is its case's.
pub(super) fn placed(document: DocumentId) -> DocumentId {
    match document.kind {
        DocumentKind::Person => DocumentId::case(document.uuid),
        DocumentKind::Case | DocumentKind::Visit => document,
    }
}
