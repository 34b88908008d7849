//! Which files a case refers to: what a ward takes, what a phone may fetch, and what may be forgotten.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::model::{Attachment, AttachmentHash};

/// Whether any case refers to a file.
///
/// # Errors
/// SQLite's.
pub fn is_attachment_referenced(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM case_attachments WHERE hash = ?1 LIMIT 1")?
        .exists([hash.as_bytes()])
}

/// The files of a case, each with whether it is a thumbnail.
///
/// # Errors
/// SQLite's.
pub fn attachments_of_case(
    connection: &Connection,
    case: Uuid,
) -> rusqlite::Result<BTreeMap<AttachmentHash, bool>> {
    connection
        .prepare_cached("SELECT hash, is_thumbnail FROM case_attachments WHERE record = ?1")?
        .query_map([case.as_bytes()], |row| {
            Ok((AttachmentHash(row.get(0)?), row.get(1)?))
        })?
        .collect()
}

/// Whether a case other than this one refers to a file.
///
/// # Errors
/// SQLite's.
pub fn is_attachment_of_another(
    connection: &Connection,
    hash: AttachmentHash,
    case: Uuid,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM case_attachments WHERE hash = ?1 AND record <> ?2 LIMIT 1")?
        .exists(params![hash.as_bytes(), case.as_bytes()])
}

/// What the table holds for a case with these attachments. A file that is both counts as original.
pub(super) fn files(attachments: &[Attachment]) -> BTreeMap<AttachmentHash, bool> {
    let thumbnails = attachments
        .iter()
        .filter_map(|file| file.thumbnail)
        .map(|hash| (hash, true));
    let originals = attachments.iter().map(|file| (file.hash, false));
    thumbnails.chain(originals).collect()
}

/// Writes the files of a case. An edit that was taken back takes its file along.
pub(super) fn write(
    connection: &Connection,
    case: Uuid,
    attachments: &[Attachment],
) -> rusqlite::Result<()> {
    let wanted = files(attachments);
    if attachments_of_case(connection, case)? == wanted {
        return Ok(());
    }
    remove(connection, case)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO case_attachments (record, hash, is_thumbnail) VALUES (?1, ?2, ?3)",
    )?;
    for (hash, is_thumbnail) in wanted {
        insert.execute(params![case.as_bytes(), hash.as_bytes(), is_thumbnail])?;
    }
    Ok(())
}

pub(super) fn remove(connection: &Connection, case: Uuid) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM case_attachments WHERE record = ?1")?
        .execute([case.as_bytes()])
        .map(drop)
}
