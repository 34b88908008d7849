//! Documents that may have left the scope while the ward could not know what this device holds.

use rusqlite::Connection;

use super::edits::{self, DOCUMENT_OF_EDIT};
use crate::model::{DocumentId, EditId};

/// Everything that the ward once gave or admitted is doubtful now.
pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM doubtful;
         INSERT INTO doubtful (document)
             SELECT DISTINCT document FROM edits WHERE proof IS NOT NULL AND is_stranded = 0
             UNION SELECT DISTINCT document FROM set_aside WHERE document IS NOT NULL;",
    )
}

pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM doubtful LIMIT 1")?
        .exists([])
}

/// The ward named an edit of it.
pub(crate) fn confirm(connection: &Connection, edit: EditId) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "DELETE FROM doubtful WHERE document IN ({DOCUMENT_OF_EDIT})"
        ))?
        .execute([edit.as_bytes()])
        .map(drop)
}

/// There is no such document any more.
pub(crate) fn remove(connection: &Connection, document: DocumentId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM doubtful WHERE document = ?1")?
        .execute([document.to_bytes()])
        .map(drop)
}

/// What was not named; nothing is doubtful any more.
pub(crate) fn end(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    connection
        .prepare_cached("DELETE FROM doubtful RETURNING document")?
        .query_map([], |row| edits::document(row, 0))?
        .collect()
}
