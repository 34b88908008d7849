//! Attachment bytes, kept encrypted in chunks beside the documents; for the device's and the ward's
//! file alike. Knows content and hash only: which case shows a file, and whether the ward has it, is
//! others' business.

pub mod parts;

use rusqlite::{Connection, OptionalExtension, params};
use thiserror::Error;

use crate::model::AttachmentHash;
use crate::protocol::limits::{
    ATTACHMENT_BYTES_MAX, ATTACHMENT_CHUNK_BYTES, ATTACHMENT_PART_BYTES,
};

/// The tables; both files' first migrations include it.
pub const ATTACHMENTS_SQL: &str = include_str!("attachments.sql");

/// The bytes are no image that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("neither JPEG, PNG nor WebP, or larger than 10 MiB")]
pub struct UnsupportedAttachment;

/// The media type, found by content and never by name, of a file that may be kept.
///
/// # Errors
/// [`UnsupportedAttachment`] for another type, an empty file or one over the limit.
pub fn media_type(bytes: &[u8]) -> Result<&'static str, UnsupportedAttachment> {
    if bytes.len() > ATTACHMENT_BYTES_MAX {
        return Err(UnsupportedAttachment);
    }
    if infer::image::is_jpeg(bytes) {
        Ok("image/jpeg")
    } else if infer::image::is_png(bytes) {
        Ok("image/png")
    } else if infer::image::is_webp(bytes) {
        Ok("image/webp")
    } else {
        Err(UnsupportedAttachment)
    }
}

/// The name of a file's content.
#[must_use]
pub fn hash(bytes: &[u8]) -> AttachmentHash {
    AttachmentHash(*blake3::hash(bytes).as_bytes())
}

/// Keeps a file once, however often it is given. Call it in the transaction of what refers to it.
///
/// # Errors
/// SQLite's.
pub fn write(
    connection: &Connection,
    bytes: &[u8],
    mime: &str,
) -> rusqlite::Result<AttachmentHash> {
    let hash = hash(bytes);
    let inserted = connection
        .prepare_cached(
            "INSERT INTO attachments (hash, bytes, mime) VALUES (?1, ?2, ?3)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![hash.as_bytes(), bytes.len() as i64, mime])?;
    if inserted == 0 {
        return Ok(hash);
    }
    let attachment = connection.last_insert_rowid();
    let mut insert = connection.prepare_cached(
        "INSERT INTO attachment_chunks (attachment, position, bytes) VALUES (?1, ?2, ?3)",
    )?;
    for (position, chunk) in (0i64..).zip(bytes.chunks(ATTACHMENT_CHUNK_BYTES)) {
        insert.execute(params![attachment, position, chunk])?;
    }
    Ok(hash)
}

/// Whether the file is here.
///
/// # Errors
/// SQLite's.
pub fn is_here(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM attachments WHERE hash = ?1")?
        .exists([hash.as_bytes()])
}

/// The bytes of a file and its media type, if it is here. They are what they were: a file that does
/// not match its hash is an error, as a damaged page is.
///
/// # Errors
/// SQLite's.
pub fn read(
    connection: &Connection,
    hash: AttachmentHash,
) -> rusqlite::Result<Option<(Vec<u8>, String)>> {
    let found = connection
        .prepare_cached("SELECT number, bytes, mime FROM attachments WHERE hash = ?1")?
        .query_row([hash.as_bytes()], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    let Some((attachment, length, mime)) = found else {
        return Ok(None);
    };
    let mut bytes = Vec::with_capacity(
        usize::try_from(length)
            .unwrap_or(0)
            .min(ATTACHMENT_BYTES_MAX),
    );
    let mut statement = connection.prepare_cached(
        "SELECT bytes FROM attachment_chunks WHERE attachment = ?1 ORDER BY position",
    )?;
    let mut chunks = statement.query([attachment])?;
    while let Some(chunk) = chunks.next()? {
        bytes.extend_from_slice(chunk.get_ref(0)?.as_blob()?);
    }
    if self::hash(&bytes) != hash {
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(corrupt, None));
    }
    Ok(Some((bytes, mime)))
}

/// The part of a file that begins at `offset`, if the file is here and a part begins there.
///
/// # Errors
/// SQLite's.
pub fn read_part(
    connection: &Connection,
    hash: AttachmentHash,
    offset: usize,
) -> rusqlite::Result<Option<Vec<u8>>> {
    if !offset.is_multiple_of(ATTACHMENT_PART_BYTES) {
        return Ok(None);
    }
    let position = offset / ATTACHMENT_CHUNK_BYTES;
    let within = offset % ATTACHMENT_CHUNK_BYTES;
    let part: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT substr(c.bytes, ?3 + 1, ?4)
             FROM attachment_chunks c JOIN attachments a ON a.number = c.attachment
             WHERE a.hash = ?1 AND c.position = ?2",
        )?
        .query_row(
            params![
                hash.as_bytes(),
                position as i64,
                within as i64,
                ATTACHMENT_PART_BYTES as i64
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(part.filter(|part| !part.is_empty()))
}

/// Removes a file for good.
///
/// # Errors
/// SQLite's.
pub fn remove(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM attachments WHERE hash = ?1")?
        .execute([hash.as_bytes()])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", 1).unwrap();
        connection.execute_batch(ATTACHMENTS_SQL).unwrap();
        connection
    }

    fn image(length: usize) -> Vec<u8> {
        let mut bytes = PNG.to_vec();
        bytes.extend((PNG.len()..length).map(|index| (index % 251) as u8));
        bytes
    }

    fn chunk_count(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM attachment_chunks", [], |row| {
                row.get(0)
            })
            .unwrap()
    }

    #[test]
    fn a_file_comes_back_whole_whatever_its_length() {
        let connection = store();
        for length in [8, 65_535, 65_536, 65_537, 300_000] {
            let bytes = image(length);
            let hash = write(&connection, &bytes, "image/png").unwrap();
            assert!(is_here(&connection, hash).unwrap());
            let read = read(&connection, hash).unwrap();
            assert_eq!(read, Some((bytes, "image/png".to_owned())), "{length}");
        }
        assert_eq!(read(&connection, AttachmentHash([9; 32])).unwrap(), None);
    }

    #[test]
    fn the_same_file_is_kept_once_and_removed_whole() {
        let connection = store();
        let hash = write(&connection, &image(100_000), "image/png").unwrap();
        assert_eq!(
            write(&connection, &image(100_000), "image/png").unwrap(),
            hash
        );
        assert_eq!(chunk_count(&connection), 2);
        remove(&connection, hash).unwrap();
        assert_eq!(chunk_count(&connection), 0);
        assert!(!is_here(&connection, hash).unwrap());
    }

    #[test]
    fn bytes_that_do_not_match_their_hash_are_never_given() {
        let connection = store();
        let hash = write(&connection, &image(100_000), "image/png").unwrap();
        connection
            .execute("DELETE FROM attachment_chunks WHERE position = 1", [])
            .unwrap();
        let error = read(&connection, hash).unwrap_err();
        assert!(crate::store::connection::is_damage(&error));
    }

    #[test]
    fn only_images_of_a_bounded_size_are_taken() {
        assert_eq!(media_type(PNG), Ok("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0\0\x10JFIF"), Ok("image/jpeg"));
        assert_eq!(media_type(b"RIFF\x10\0\0\0WEBPVP8 "), Ok("image/webp"));
        for other in [
            &b""[..],
            b"%PDF-1.7",
            b"<svg xmlns",
            b"GIF89a....",
            b"\x89PN",
        ] {
            assert_eq!(media_type(other), Err(UnsupportedAttachment));
        }
        assert!(media_type(&image(ATTACHMENT_BYTES_MAX)).is_ok());
        assert!(media_type(&image(ATTACHMENT_BYTES_MAX + 1)).is_err());
    }
}
