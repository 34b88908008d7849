//! Edits from the feed that cannot be used, or not yet. One of them never blocks the rest.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::edits::{self, Admission};
use crate::edit::EncodedEdit;
use crate::model::{DocumentId, EditId, OfficerId, Timestamp};
use crate::protocol::agreement::EditSum;

/// Why an edit cannot be used. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsideReason {
    /// Its bytes are no edit to this build.
    Undecodable,
    /// It does not fit the document at its dependencies.
    Inapplicable,
    /// An edit that it depends on is not here.
    Waiting,
}

impl AsideReason {
    fn word(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Inapplicable => "inapplicable",
            Self::Waiting => "waiting",
        }
    }
}

/// Keeps an edit aside, or notes what is known of it now.
pub(crate) fn put(
    connection: &Connection,
    held: &mut EditSum,
    id: EditId,
    document: Option<DocumentId>,
    bytes: &[u8],
    admission: Admission,
    reason: AsideReason,
) -> rusqlite::Result<()> {
    remove(connection, held, id)?;
    connection
        .prepare_cached(
            "INSERT INTO set_aside (id, document, bytes, author, received_at, proof, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            id.as_bytes(),
            document.map(DocumentId::to_bytes),
            bytes,
            admission.author.0.as_bytes(),
            admission.received_at.0,
            admission.proof,
            reason.word(),
        ])?;
    held.add(id);
    Ok(())
}

pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM set_aside LIMIT 1")?
        .exists([])
}

pub(crate) fn bytes(connection: &Connection, id: EditId) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT bytes FROM set_aside WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

pub(crate) fn remove(
    connection: &Connection,
    held: &mut EditSum,
    id: EditId,
) -> rusqlite::Result<()> {
    let removed = connection
        .prepare_cached("DELETE FROM set_aside WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    if removed > 0 {
        held.remove(id);
    }
    Ok(())
}

/// Removes all of a document, and gives the proofs that named it and what it waited for.
pub(crate) fn remove_document(
    connection: &Connection,
    held: &mut EditSum,
    document: DocumentId,
) -> rusqlite::Result<(Vec<i64>, Vec<EditId>)> {
    let removed: Vec<(i64, Vec<u8>, EditId)> = connection
        .prepare_cached("DELETE FROM set_aside WHERE document = ?1 RETURNING proof, bytes, id")?
        .query_map([document.to_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, edits::edit_id(row, 2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut proofs = Vec::new();
    let mut dependencies = Vec::new();
    for (proof, bytes, id) in removed {
        held.remove(id);
        proofs.push(proof);
        if let Ok(edit) = EncodedEdit::decode(&bytes) {
            dependencies.extend_from_slice(&edit.edit().dependencies);
        }
    }
    Ok((proofs, dependencies))
}

/// The edits of a document that wait for another.
pub(crate) fn waiting(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Vec<(EncodedEdit, Admission)>> {
    connection
        .prepare_cached(
            "SELECT id, bytes, author, received_at, proof FROM set_aside
             WHERE document = ?1 AND reason = 'waiting'",
        )?
        .query_map([document.to_bytes()], |row| {
            Ok((edits::encoded(row, 0, 1)?, admission(row)?))
        })?
        .collect()
}

fn admission(row: &Row<'_>) -> rusqlite::Result<Admission> {
    Ok(Admission {
        author: OfficerId(Uuid::from_bytes(row.get(2)?)),
        received_at: Timestamp(row.get(3)?),
        proof: row.get(4)?,
    })
}
