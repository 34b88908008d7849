//! This device's files on their way to the ward. A file that several cases show has a row for each and
//! travels once.

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::model::AttachmentHash;
use crate::store::attachments;

/// How far a file of a record is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutgoingFile {
    pub(crate) record: Uuid,
    pub(crate) hash: AttachmentHash,
    pub(crate) is_confirmed: bool,
    /// How many bytes the ward said last that it keeps.
    pub(crate) kept: u64,
    pub(crate) is_thumbnail: bool,
}

/// A small picture of a file, or the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Original,
    Thumbnail,
}

pub(crate) fn insert(
    connection: &Connection,
    hash: AttachmentHash,
    record: Uuid,
    kind: FileKind,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attachment_outbox (hash, record, is_thumbnail, is_confirmed, kept)
             VALUES (?1, ?2, ?3, 0, 0)
             ON CONFLICT (hash, record) DO NOTHING",
        )?
        .execute(params![
            hash.as_bytes(),
            record.as_bytes(),
            kind == FileKind::Thumbnail
        ])
        .map(drop)
}

/// Files that the ward has not confirmed, in the order in which they go: thumbnails first.
pub(crate) fn unconfirmed(connection: &Connection) -> rusqlite::Result<Vec<OutgoingFile>> {
    connection
        .prepare_cached(
            "SELECT record, hash, is_confirmed, kept, is_thumbnail FROM attachment_outbox
             WHERE is_confirmed = 0 ORDER BY is_thumbnail DESC, number",
        )?
        .query_map([], outgoing_file)?
        .collect()
}

/// The ward keeps so much of a file; gives the records that show it.
pub(crate) fn note_kept(
    connection: &Connection,
    hash: AttachmentHash,
    kept: u64,
) -> rusqlite::Result<Vec<Uuid>> {
    connection
        .prepare_cached("UPDATE attachment_outbox SET kept = ?2 WHERE hash = ?1 RETURNING record")?
        .query_map(
            params![hash.as_bytes(), i64::try_from(kept).unwrap_or(i64::MAX)],
            |row| row.get(0).map(Uuid::from_bytes),
        )?
        .collect()
}

/// The ward has a file, durably; gives the records that show it.
pub(crate) fn confirm(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<Vec<Uuid>> {
    connection
        .prepare_cached(
            "UPDATE attachment_outbox SET is_confirmed = 1 WHERE hash = ?1 RETURNING record",
        )?
        .query_map([hash.as_bytes()], |row| row.get(0).map(Uuid::from_bytes))?
        .collect()
}

/// The ward was restored: whether it still has a file must be asked again, of every file that is here
/// and that a case shows, whoever attached it. Of one that is not here nobody knows.
pub(crate) fn doubt_all(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM attachment_outbox WHERE hash NOT IN (SELECT hash FROM attachments)",
        )?
        .execute([])?;
    connection
        .prepare_cached("UPDATE attachment_outbox SET is_confirmed = 0, kept = 0")?
        .execute([])?;
    connection
        .prepare_cached(
            "INSERT INTO attachment_outbox (hash, record, is_thumbnail, is_confirmed, kept)
             SELECT hash, record, is_thumbnail, 0, 0 FROM case_attachments
             WHERE hash IN (SELECT hash FROM attachments)
             ON CONFLICT (hash, record) DO NOTHING",
        )?
        .execute([])
        .map(drop)
}

/// The ward lacks a file that it may have had; gives the records that show it.
pub(crate) fn doubt(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<Vec<Uuid>> {
    let sql = if attachments::is_here(connection, hash)? {
        "UPDATE attachment_outbox SET is_confirmed = 0, kept = 0
         WHERE hash = ?1 AND is_confirmed = 1 RETURNING record"
    } else {
        "DELETE FROM attachment_outbox WHERE hash = ?1 RETURNING record"
    };
    connection
        .prepare_cached(sql)?
        .query_map([hash.as_bytes()], |row| row.get(0).map(Uuid::from_bytes))?
        .collect()
}

/// Somebody wants to see a file.
pub(crate) fn want(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO attachment_wanted (hash) VALUES (?1)")?
        .execute([hash.as_bytes()])
        .map(drop)
}

/// Nobody may see a file any more.
pub(crate) fn want_no_more(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM attachment_wanted WHERE hash = ?1")?
        .execute([hash.as_bytes()])
        .map(drop)
}

/// Files that somebody wants to see; with `with_thumbnails` then those small pictures that are not here.
pub(crate) fn wanted(
    connection: &Connection,
    with_thumbnails: bool,
) -> rusqlite::Result<Vec<AttachmentHash>> {
    let mut wanted: Vec<AttachmentHash> = connection
        .prepare_cached("SELECT hash FROM attachment_wanted ORDER BY number")?
        .query_map([], |row| row.get(0).map(AttachmentHash))?
        .collect::<rusqlite::Result<_>>()?;
    if with_thumbnails {
        let thumbnails = connection
            .prepare_cached(
                "SELECT DISTINCT hash FROM case_attachments
                 WHERE is_thumbnail = 1 AND hash NOT IN (SELECT hash FROM attachments)",
            )?
            .query_map([], |row| row.get(0).map(AttachmentHash))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        wanted.extend(thumbnails);
    }
    Ok(wanted)
}

/// A file came whole: the ward has it, which is as good as its word. Gives the records that show it.
pub(crate) fn fetched(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<Vec<Uuid>> {
    connection
        .prepare_cached("DELETE FROM attachment_wanted WHERE hash = ?1")?
        .execute([hash.as_bytes()])?;
    connection
        .prepare_cached(
            "INSERT INTO attachment_outbox (hash, record, is_thumbnail, is_confirmed, kept)
             SELECT hash, record, is_thumbnail, 1, 0 FROM case_attachments WHERE hash = ?1
             ON CONFLICT (hash, record) DO UPDATE SET is_confirmed = 1",
        )?
        .execute([hash.as_bytes()])?;
    records_of(connection, hash)
}

/// Originals of which the ward has said that it has them, with their sizes.
pub(crate) fn freeable(connection: &Connection) -> rusqlite::Result<Vec<(AttachmentHash, u64)>> {
    connection
        .prepare_cached(
            "SELECT hash, bytes FROM attachments a
             WHERE EXISTS (SELECT 1 FROM attachment_outbox o
                           WHERE o.hash = a.hash AND o.is_confirmed = 1)
             AND NOT EXISTS (SELECT 1 FROM attachment_outbox o
                             WHERE o.hash = a.hash
                             AND (o.is_confirmed = 0 OR o.is_thumbnail = 1))",
        )?
        .query_map([], |row| {
            let bytes: i64 = row.get(1)?;
            Ok((
                AttachmentHash(row.get(0)?),
                bytes.try_into().unwrap_or_default(),
            ))
        })?
        .collect()
}

/// The records that show a file which goes up or came down.
pub(crate) fn records_of(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<Vec<Uuid>> {
    connection
        .prepare_cached("SELECT record FROM attachment_outbox WHERE hash = ?1")?
        .query_map([hash.as_bytes()], |row| row.get(0).map(Uuid::from_bytes))?
        .collect()
}

/// A file need not go up any more; its bytes stay.
pub(crate) fn remove(
    connection: &Connection,
    hash: AttachmentHash,
    record: Uuid,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM attachment_outbox WHERE hash = ?1 AND record = ?2")?
        .execute(params![hash.as_bytes(), record.as_bytes()])
        .map(drop)
}

/// A file of a record that is forgotten need not be remembered if the ward has it.
pub(crate) fn remove_confirmed(
    connection: &Connection,
    hash: AttachmentHash,
    record: Uuid,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM attachment_outbox WHERE hash = ?1 AND record = ?2 AND is_confirmed = 1",
        )?
        .execute(params![hash.as_bytes(), record.as_bytes()])
        .map(drop)
}

/// Whether a file goes up, or went up for a record that is here.
pub(crate) fn is_under_way(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM attachment_outbox WHERE hash = ?1")?
        .exists([hash.as_bytes()])
}

/// This device's files of a record.
pub(crate) fn of_record(
    connection: &Connection,
    record: Uuid,
) -> rusqlite::Result<Vec<OutgoingFile>> {
    connection
        .prepare_cached(
            "SELECT record, hash, is_confirmed, kept, is_thumbnail FROM attachment_outbox
             WHERE record = ?1 ORDER BY number",
        )?
        .query_map([record.as_bytes()], outgoing_file)?
        .collect()
}

fn outgoing_file(row: &Row<'_>) -> rusqlite::Result<OutgoingFile> {
    Ok(OutgoingFile {
        record: Uuid::from_bytes(row.get(0)?),
        hash: AttachmentHash(row.get(1)?),
        is_confirmed: row.get(2)?,
        kept: row.get::<_, i64>(3)?.try_into().unwrap_or_default(),
        is_thumbnail: row.get(4)?,
    })
}
