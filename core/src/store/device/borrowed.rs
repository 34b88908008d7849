//! Cases that the ward lends: what somebody typed to see one, and which documents are here on loan.

use rusqlite::{Connection, OptionalExtension, params};

use super::edits::{self, DOCUMENT_OF_EDIT};
use crate::model::{DocumentId, EditId, Timestamp};

/// Notes what somebody wants to see. Of too many wishes the oldest goes.
pub(crate) fn look(connection: &Connection, words: &str, count_max: usize) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO looks (words, is_missing) VALUES (?1, 0)
             ON CONFLICT (words) DO UPDATE SET is_missing = 0",
        )?
        .execute([words])?;
    connection
        .prepare_cached(
            "DELETE FROM looks WHERE number NOT IN (
                 SELECT number FROM looks ORDER BY number DESC LIMIT ?1)",
        )?
        .execute([count_max as i64])
        .map(drop)
}

/// What somebody wants to see and the ward has not been asked, oldest first.
pub(crate) fn looks(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT words FROM looks WHERE is_missing = 0 ORDER BY number")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Whether the ward was asked and has none; `None` if nobody asks for it.
pub(crate) fn is_missing(connection: &Connection, words: &str) -> rusqlite::Result<Option<bool>> {
    connection
        .prepare_cached("SELECT is_missing FROM looks WHERE words = ?1")?
        .query_row([words], |row| row.get(0))
        .optional()
}

/// The ward has lent it.
pub(crate) fn is_found(connection: &Connection, words: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM looks WHERE words = ?1")?
        .execute([words])
        .map(drop)
}

/// The ward has none, or not for this device.
pub(crate) fn is_not_found(connection: &Connection, words: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE looks SET is_missing = 1 WHERE words = ?1")?
        .execute([words])
        .map(drop)
}

/// Begins a loan, or begins it anew.
pub(crate) fn put(
    connection: &Connection,
    document: DocumentId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO borrowed (document, at) VALUES (?1, ?2)")?
        .execute(params![document.to_bytes(), at.0])
        .map(drop)
}

/// Since when a document is on loan.
pub(crate) fn since(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT at FROM borrowed WHERE document = ?1")?
        .query_row([document.to_bytes()], |row| row.get(0).map(Timestamp))
        .optional()
}

/// Everything on loan, with the moment when it was lent.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<(DocumentId, Timestamp)>> {
    connection
        .prepare_cached("SELECT document, at FROM borrowed")?
        .query_map([], |row| {
            Ok((edits::document(row, 0)?, Timestamp(row.get(1)?)))
        })?
        .collect()
}

pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM borrowed LIMIT 1")?
        .exists([])
}

/// A page of the feed names an edit of it: from now on it is held.
pub(crate) fn hold(connection: &Connection, edit: EditId) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "DELETE FROM borrowed WHERE document IN ({DOCUMENT_OF_EDIT})"
        ))?
        .execute([edit.as_bytes()])
        .map(drop)
}

/// It is not here any more.
pub(crate) fn remove(connection: &Connection, document: DocumentId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM borrowed WHERE document = ?1")?
        .execute([document.to_bytes()])
        .map(drop)
}
