//! Page proofs, and the edits of a page that the ward said are there but whose bytes are not here.

use rusqlite::{Connection, OptionalExtension};

use super::edits;
use crate::model::EditId;

/// After so many conversations the ward has shown that it does not give an edit to this device.
const TRIES_MAX: i64 = 5;

pub(crate) fn insert(connection: &Connection, page: &[u8]) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO proofs (page) VALUES (?1)")?
        .execute([page])?;
    Ok(connection.last_insert_rowid())
}

/// The next proof after `number`.
pub(crate) fn next(
    connection: &Connection,
    after: i64,
) -> rusqlite::Result<Option<(i64, Vec<u8>)>> {
    connection
        .prepare_cached(
            "SELECT number, page FROM proofs WHERE number > ?1 ORDER BY number LIMIT 1",
        )?
        .query_row([after], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Forgets a proof to which nothing refers any more: a newer page has taken its place.
pub(crate) fn drop_unused(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM proofs WHERE number = ?1
             AND NOT EXISTS (SELECT 1 FROM edits WHERE proof = ?1)
             AND NOT EXISTS (SELECT 1 FROM set_aside WHERE proof = ?1)",
        )?
        .execute([number])
        .map(drop)
}

pub(crate) fn want(connection: &Connection, edit: EditId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO wanted (id, tries) VALUES (?1, 0) ON CONFLICT DO NOTHING")?
        .execute([edit.as_bytes()])
        .map(drop)
}

pub(crate) fn is_any_wanted(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM wanted LIMIT 1")?
        .exists([])
}

pub(crate) fn want_no_more(connection: &Connection, edit: EditId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM wanted WHERE id = ?1")?
        .execute([edit.as_bytes()])
        .map(drop)
}

pub(crate) fn wanted(connection: &Connection, count_max: usize) -> rusqlite::Result<Vec<EditId>> {
    connection
        .prepare_cached("SELECT id FROM wanted LIMIT ?1")?
        .query_map([count_max as i64], |row| edits::edit_id(row, 0))?
        .collect()
}

/// Counts one more conversation, and gives up what was asked for in vain too often.
pub(crate) fn count_try(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE wanted SET tries = tries + 1")?
        .execute([])?;
    connection
        .prepare_cached("DELETE FROM wanted WHERE tries > ?1")?
        .execute([TRIES_MAX])
        .map(drop)
}
