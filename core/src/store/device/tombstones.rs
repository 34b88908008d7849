//! What the ward has purged, each with its signed word.

use rusqlite::{Connection, params};

use super::edits;
use crate::model::{DocumentId, Timestamp};
use crate::protocol::feed::{PurgeReason, Tombstone};

pub(crate) fn put(connection: &Connection, tombstone: &Tombstone) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO tombstones (document, reason, at, signature) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            tombstone.document.to_bytes(),
            tombstone.reason.code(),
            tombstone.at.0,
            tombstone.signature
        ])
        .map(drop)
}

pub(crate) fn is_purged(connection: &Connection, document: DocumentId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM tombstones WHERE document = ?1")?
        .exists([document.to_bytes()])
}

/// At most `count_max` of them, after so many others.
pub(crate) fn some(
    connection: &Connection,
    after: usize,
    count_max: usize,
) -> rusqlite::Result<Vec<Tombstone>> {
    connection
        .prepare_cached(
            "SELECT document, reason, at, signature FROM tombstones ORDER BY document LIMIT ?2 OFFSET ?1",
        )?
        .query_map(params![after as i64, count_max as i64], |row| {
            let reason = PurgeReason::from_code(row.get(1)?);
            Ok(Tombstone {
                document: edits::document(row, 0)?,
                reason: reason.ok_or_else(|| super::malformed("tombstone"))?,
                at: Timestamp(row.get(2)?),
                signature: row.get(3)?,
            })
        })?
        .collect()
}
