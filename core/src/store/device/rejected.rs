//! Edits that the ward refused, kept with reason and content.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::edits::{self, StoredEdit};
use crate::edit::EncodedEdit;
use crate::model::{DocumentId, EditId, OfficerId};
use crate::policy::RejectionCode;

/// A refused edit as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredRejection {
    pub(crate) position: i64,
    pub(crate) edit: EncodedEdit,
    pub(crate) author: OfficerId,
    pub(crate) reason: RejectionCode,
}

const COLUMNS: &str = "id, bytes, author, reason, position";

pub(crate) fn insert(
    connection: &Connection,
    stored: &StoredEdit,
    reason: RejectionCode,
) -> rusqlite::Result<()> {
    let document = stored.edit.edit().document;
    connection
        .prepare_cached(
            "INSERT INTO rejected (position, id, document, record, bytes, author, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            stored.position,
            stored.edit.id().as_bytes(),
            document.to_bytes(),
            document.uuid.as_bytes(),
            stored.edit.bytes(),
            stored.author.0.as_bytes(),
            reason.code(),
        ])
        .map(drop)
}

pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM rejected LIMIT 1")?
        .exists([])
}

pub(crate) fn read(
    connection: &Connection,
    id: EditId,
) -> rusqlite::Result<Option<StoredRejection>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM rejected WHERE id = ?1"))?
        .query_row([id.as_bytes()], stored)
        .optional()
}

/// Gives a refused edit another reason; nothing if it is not here.
pub(crate) fn set_reason(
    connection: &Connection,
    id: EditId,
    reason: RejectionCode,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rejected SET reason = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), reason.code()])
        .map(drop)
}

pub(crate) fn remove(connection: &Connection, id: EditId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM rejected WHERE id = ?1")?
        .execute([id.as_bytes()])
        .map(drop)
}

pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<StoredRejection>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM rejected ORDER BY number"))?
        .query_map([], stored)?
        .collect()
}

/// The refused edits of a document in the order in which they were made.
pub(crate) fn of_document(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Vec<StoredRejection>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM rejected WHERE document = ?1 ORDER BY position, number"
        ))?
        .query_map([document.to_bytes()], stored)?
        .collect()
}

/// Documents of which refused edits are here.
pub(crate) fn documents(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    connection
        .prepare_cached("SELECT DISTINCT document FROM rejected")?
        .query_map([], |row| edits::document(row, 0))?
        .collect()
}

pub(crate) fn has_record(connection: &Connection, record: Uuid) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM rejected WHERE record = ?1")?
        .exists([record.as_bytes()])
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRejection> {
    Ok(StoredRejection {
        position: row.get(4)?,
        edit: edits::encoded(row, 0, 1)?,
        author: OfficerId(Uuid::from_bytes(row.get(2)?)),
        // A number of a newer app that has gone back to this one.
        reason: RejectionCode::from_code(row.get(3)?).unwrap_or(RejectionCode::NotApplicable),
    })
}
