//! A file that comes in parts, until it is here whole. Whoever calls has checked each part against the
//! file's hash, so parts of several senders fit together and nothing here need be checked again.

use rusqlite::{Connection, params};

use crate::model::AttachmentHash;

/// How many bytes from the start are here.
///
/// # Errors
/// SQLite's.
pub fn kept(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(offset + length(bytes)), 0) FROM attachment_parts WHERE hash = ?1",
        )?
        .query_row([hash.as_bytes()], |row| row.get::<_, i64>(0))
        .map(|kept| usize::try_from(kept).unwrap_or_default())
}

/// Keeps a part and tells how many bytes from the start are here then. A part that is here is passed
/// over; one that would leave a gap is an error of the caller's, or what is before it was dropped.
///
/// # Errors
/// SQLite's.
pub fn keep(
    connection: &Connection,
    hash: AttachmentHash,
    offset: usize,
    bytes: &[u8],
) -> rusqlite::Result<usize> {
    let before = kept(connection, hash)?;
    if offset > before {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    // The last part of a file that another sender gave another size: the first one was a lie.
    let is_replaced = offset < before && offset + bytes.len() > before;
    if offset == before || is_replaced {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO attachment_parts (hash, offset, bytes) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![hash.as_bytes(), offset as i64, bytes])?;
    }
    kept(connection, hash)
}

/// Takes the whole file out of its parts.
///
/// # Errors
/// SQLite's.
pub fn take(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<Vec<u8>> {
    let mut whole = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT bytes FROM attachment_parts WHERE hash = ?1 ORDER BY offset")?;
    let mut rows = statement.query([hash.as_bytes()])?;
    while let Some(row) = rows.next()? {
        whole.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    drop(rows);
    remove(connection, hash)?;
    Ok(whole)
}

/// Forgets what came of a file.
///
/// # Errors
/// SQLite's.
pub fn remove(connection: &Connection, hash: AttachmentHash) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM attachment_parts WHERE hash = ?1")?
        .execute([hash.as_bytes()])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_order_and_twice_without_harm_and_a_gap_is_told() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(super::super::ATTACHMENTS_SQL)
            .unwrap();
        let hash = AttachmentHash([1; 32]);
        assert_eq!(kept(&connection, hash).unwrap(), 0);
        assert_eq!(keep(&connection, hash, 0, b"abcd").unwrap(), 4);
        assert_eq!(keep(&connection, hash, 0, b"abcd").unwrap(), 4);
        assert!(keep(&connection, hash, 8, b"ijkl").is_err());
        assert_eq!(keep(&connection, hash, 4, b"efgh").unwrap(), 8);
        assert_eq!(kept(&connection, AttachmentHash([2; 32])).unwrap(), 0);
        assert_eq!(take(&connection, hash).unwrap(), b"abcdefgh");
        assert_eq!(kept(&connection, hash).unwrap(), 0);
    }
}
