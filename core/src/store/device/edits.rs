//! Edits, the truth about every document on this device.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::malformed;
use crate::edit::EncodedEdit;
use crate::model::{DocumentId, EditId, OfficerId, Timestamp};
use crate::protocol::agreement::EditSum;

/// The document of an edit that is here, as a query for other statements.
pub(super) const DOCUMENT_OF_EDIT: &str = "SELECT document FROM edits WHERE id = ?1
     UNION SELECT document FROM set_aside WHERE id = ?1";

/// What the device holds as far as the ward knows: a page of the feed named it, and its document is here.
/// The functions below that change it keep up `held`, the sum of all such edits and those set aside.
const HELD: &str = "proof IS NOT NULL AND is_stranded = 0";

/// An edit as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredEdit {
    pub(crate) position: i64,
    pub(crate) edit: EncodedEdit,
    pub(crate) author: OfficerId,
    pub(crate) received_at: Option<Timestamp>,
}

/// Where an edit is, without its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located {
    pub(crate) position: i64,
    pub(crate) document: DocumentId,
    /// The page that named it last.
    pub(crate) proof: Option<i64>,
    /// Whether its document has left the scope.
    pub(crate) is_stranded: bool,
    /// Whether it is stranded with the ward's word.
    pub(crate) is_retained: bool,
}

/// What a page of the feed says of an edit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    pub(crate) proof: i64,
    pub(crate) author: OfficerId,
    pub(crate) received_at: Timestamp,
}

/// Adds an edit after all others and gives its position. `admission` is `None` for this device's own.
pub(crate) fn insert(
    connection: &Connection,
    held: &mut EditSum,
    edit: &EncodedEdit,
    author: OfficerId,
    admission: Option<Admission>,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO edits (id, document, bytes, author, received_at, proof)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            edit.id().as_bytes(),
            edit.edit().document.to_bytes(),
            edit.bytes(),
            author.0.as_bytes(),
            admission.map(|admission| admission.received_at.0),
            admission.map(|admission| admission.proof),
        ])?;
    if admission.is_some() {
        held.add(edit.id());
    }
    Ok(connection.last_insert_rowid())
}

/// Where an edit is that is part of its document.
pub(crate) fn position(connection: &Connection, id: EditId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT position FROM edits WHERE id = ?1 AND is_stranded = 0")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

pub(crate) fn locate(connection: &Connection, id: EditId) -> rusqlite::Result<Option<Located>> {
    connection
        .prepare_cached(
            "SELECT position, document, proof, is_stranded, retained_since IS NOT NULL
             FROM edits WHERE id = ?1",
        )?
        .query_row([id.as_bytes()], located)
        .optional()
}

fn located(row: &Row<'_>) -> rusqlite::Result<Located> {
    Ok(Located {
        position: row.get(0)?,
        document: document(row, 1)?,
        proof: row.get(2)?,
        is_stranded: row.get(3)?,
        is_retained: row.get(4)?,
    })
}

pub(crate) fn read(connection: &Connection, id: EditId) -> rusqlite::Result<Option<StoredEdit>> {
    connection
        .prepare_cached("SELECT position, id, bytes, author, received_at FROM edits WHERE id = ?1")?
        .query_row([id.as_bytes()], stored)
        .optional()
}

/// The edit at a position.
pub(crate) fn at(connection: &Connection, position: i64) -> rusqlite::Result<Option<StoredEdit>> {
    connection
        .prepare_cached(
            "SELECT position, id, bytes, author, received_at FROM edits WHERE position = ?1",
        )?
        .query_row([position], stored)
        .optional()
}

/// The canonical bytes alone.
pub(crate) fn bytes(connection: &Connection, id: EditId) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT bytes FROM edits WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

/// The edits of a document, each after what it depends on.
pub(crate) fn of_document(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Vec<StoredEdit>> {
    connection
        .prepare_cached(
            "SELECT position, id, bytes, author, received_at FROM edits
             WHERE document = ?1 AND is_stranded = 0 ORDER BY position",
        )?
        .query_map([document.to_bytes()], stored)?
        .collect()
}

/// Every edit of a document that is here, stranded ones included, each after what it depends on.
pub(crate) fn all_of_document(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Vec<StoredEdit>> {
    connection
        .prepare_cached(
            "SELECT position, id, bytes, author, received_at FROM edits
             WHERE document = ?1 ORDER BY position",
        )?
        .query_map([document.to_bytes()], stored)?
        .collect()
}

/// The unsent stranded edits of a document, oldest first.
pub(crate) fn stranded_of(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Vec<StoredEdit>> {
    connection
        .prepare_cached(
            "SELECT position, id, bytes, author, received_at FROM edits
             WHERE document = ?1 AND is_stranded = 1 AND retained_since IS NULL ORDER BY position",
        )?
        .query_map([document.to_bytes()], stored)?
        .collect()
}

/// Documents with unsent stranded edits.
pub(crate) fn stranded_documents(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT document FROM edits WHERE is_stranded = 1 AND retained_since IS NULL",
        )?
        .query_map([], |row| document(row, 0))?
        .collect()
}

/// Takes an edit out of its document without losing it.
pub(crate) fn strand(
    connection: &Connection,
    held: &mut EditSum,
    position: i64,
) -> rusqlite::Result<()> {
    let strand = "UPDATE edits SET is_stranded = 1, proof = NULL WHERE position = ?1";
    let_go(connection, held, position, strand)
}

/// Does something with the edit at a position after which it is not held any more.
fn let_go(
    connection: &Connection,
    held: &mut EditSum,
    position: i64,
    statement: &str,
) -> rusqlite::Result<()> {
    uncount(connection, held, position)?;
    connection
        .prepare_cached(statement)?
        .execute([position])
        .map(drop)
}

/// Takes the edit at a position out of the sum, if it is held.
fn uncount(connection: &Connection, held: &mut EditSum, position: i64) -> rusqlite::Result<()> {
    let edit = connection
        .prepare_cached(&format!(
            "SELECT id FROM edits WHERE position = ?1 AND {HELD}"
        ))?
        .query_row([position], |row| edit_id(row, 0))
        .optional()?;
    if let Some(edit) = edit {
        held.remove(edit);
    }
    Ok(())
}

/// The ids of all edits of which a proof is here.
pub(crate) fn proven(connection: &Connection) -> rusqlite::Result<Vec<EditId>> {
    ids(
        connection,
        "SELECT id FROM edits WHERE proof IS NOT NULL UNION SELECT id FROM set_aside",
    )
}

/// The ids of all edits that are held, in order of ids; lent ones are among them.
pub(crate) fn held(connection: &Connection) -> rusqlite::Result<Vec<EditId>> {
    ids(
        connection,
        &format!("SELECT id FROM edits WHERE {HELD} UNION SELECT id FROM set_aside ORDER BY id"),
    )
}

/// Those of them that are of a document on loan, which the ward does not count.
///
/// Neither `UNION` nor `ORDER BY`, and a join in this order: SQLite would rather walk through all edits in
/// the order of their ids than sort the few that are lent.
pub(crate) fn lent(connection: &Connection) -> rusqlite::Result<BTreeSet<EditId>> {
    let lent = ids(
        connection,
        &format!(
            "SELECT id FROM borrowed CROSS JOIN edits USING (document) WHERE {HELD}
             UNION ALL SELECT id FROM borrowed CROSS JOIN set_aside USING (document)"
        ),
    )?;
    Ok(lent.into_iter().collect())
}

fn ids(connection: &Connection, query: &str) -> rusqlite::Result<Vec<EditId>> {
    connection
        .prepare_cached(query)?
        .query_map([], |row| edit_id(row, 0))?
        .collect()
}

/// Takes an edit that the ward accepted out of its document, and keeps it with its proof.
pub(crate) fn retain(
    connection: &Connection,
    held: &mut EditSum,
    position: i64,
) -> rusqlite::Result<()> {
    let retain = "UPDATE edits SET is_stranded = 1, retained_since = 0 WHERE position = ?1";
    let_go(connection, held, position, retain)
}

/// What was retained since the last time counts from `now` on; gives what was retained before `until`.
pub(crate) fn retained_before(
    connection: &Connection,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Vec<Located>> {
    connection
        .prepare_cached("UPDATE edits SET retained_since = max(?1, 1) WHERE retained_since = 0")?
        .execute([now.0])?;
    connection
        .prepare_cached(
            "SELECT position, document, proof, 1, 1 FROM edits WHERE retained_since < ?1",
        )?
        .query_map([until.0], located)?
        .collect()
}

/// Whether anything is retained.
pub(crate) fn is_any_retained(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM edits WHERE retained_since IS NOT NULL LIMIT 1")?
        .exists([])
}

/// Notes that a page of the feed named the edit; a newer page takes the place of an older one.
pub(crate) fn admit(
    connection: &Connection,
    held: &mut EditSum,
    position: i64,
    admission: Admission,
) -> rusqlite::Result<()> {
    uncount(connection, held, position)?;
    let edit = connection
        .prepare_cached(
            "UPDATE edits SET proof = ?2, author = ?3, received_at = ?4 WHERE position = ?1
             RETURNING id",
        )?
        .query_row(
            params![
                position,
                admission.proof,
                admission.author.0.as_bytes(),
                admission.received_at.0,
            ],
            |row| edit_id(row, 0),
        )?;
    held.add(edit);
    Ok(())
}

pub(crate) fn remove(
    connection: &Connection,
    held: &mut EditSum,
    position: i64,
) -> rusqlite::Result<()> {
    let_go(
        connection,
        held,
        position,
        "DELETE FROM edits WHERE position = ?1",
    )
}

/// Every document of which edits are here.
pub(crate) fn documents(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    connection
        .prepare_cached("SELECT DISTINCT document FROM edits WHERE is_stranded = 0")?
        .query_map([], |row| document(row, 0))?
        .collect()
}

pub(super) fn document(row: &Row<'_>, column: usize) -> rusqlite::Result<DocumentId> {
    let bytes = row.get_ref(column)?.as_blob()?;
    DocumentId::from_slice(bytes).ok_or_else(|| malformed("document"))
}

pub(super) fn edit_id(row: &Row<'_>, column: usize) -> rusqlite::Result<EditId> {
    row.get(column).map(EditId)
}

/// Decodes what we encoded; the name is checked against the stored one, so that an edit is never
/// anything else than what was stored under it.
pub(super) fn encoded(row: &Row<'_>, id: usize, bytes: usize) -> rusqlite::Result<EncodedEdit> {
    EncodedEdit::decode(row.get_ref(bytes)?.as_blob()?)
        .ok()
        .filter(|edit| {
            row.get_ref(id)
                .is_ok_and(|id| id.as_blob() == Ok(edit.id().as_bytes()))
        })
        .ok_or_else(|| malformed("bytes"))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEdit> {
    Ok(StoredEdit {
        position: row.get(0)?,
        edit: encoded(row, 1, 2)?,
        author: OfficerId(Uuid::from_bytes(row.get(3)?)),
        received_at: row.get::<_, Option<_>>(4)?.map(Timestamp),
    })
}
