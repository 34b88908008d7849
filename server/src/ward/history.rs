//! Who did what to a document, read from the feed.

use gandan_core::edit::EncodedEdit;
use gandan_core::model::{DocumentId, EditId, OfficerId, Timestamp};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::connections::from_sql;
use super::{HistoryEntry, WardError};

pub(super) fn read(
    connection: &Connection,
    document: DocumentId,
) -> Result<Vec<HistoryEntry>, WardError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.sequence, f.edit, f.author, f.received_at, e.bytes, o.name, d.name
         FROM feed f JOIN edits e ON e.id = f.edit
         LEFT JOIN officers o ON o.id = f.author LEFT JOIN devices d ON d.id = f.device
         WHERE f.kind = ?1 AND f.uuid = ?2 ORDER BY f.sequence",
    )?;
    let mut rows = statement.query(params![document.kind.code(), document.uuid.as_bytes()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(4)?.as_blob().map_err(|_| WardError::Damaged)?;
        let edit = EncodedEdit::decode(bytes).map_err(|_| WardError::Damaged)?;
        let author_name: Option<String> = row.get(5)?;
        entries.push(HistoryEntry {
            sequence: from_sql(row.get(0)?),
            edit: EditId(row.get(1)?),
            device_time: edit.edit().device_time,
            received_at: Timestamp(row.get(3)?),
            author: OfficerId(Uuid::from_bytes(row.get(2)?)),
            author_name: author_name.unwrap_or_default(),
            device_name: row.get(6)?,
            operations: edit.edit().operations.clone(),
        });
    }
    Ok(entries)
}
