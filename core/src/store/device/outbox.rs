//! This device's edits on their way to the ward, and the bundles in which they go.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::edits;
use crate::edit::EncodedEdit;
use crate::model::{BundleId, DocumentId, EditId};
use crate::store::connection::is_damage;

/// Where an edit is on its way. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OutboxState {
    /// Durable here.
    Recorded = 1,
    /// In a bundle that is or was under way.
    Sealed = 2,
    /// The ward gave its word; a page that names it has not come yet.
    Accepted = 3,
    /// The ward gave its word, and no page will name it: its document has left the scope.
    Retained = 4,
}

impl OutboxState {
    fn from_number(number: i64) -> Self {
        match number {
            4 => Self::Retained,
            3 => Self::Accepted,
            2 => Self::Sealed,
            _ => Self::Recorded,
        }
    }
}

/// A bundle that may have to be sent.
#[derive(Debug, Clone)]
pub(crate) struct StoredBundle {
    pub(crate) number: i64,
    pub(crate) id: BundleId,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM outbox LIMIT 1")?
        .exists([])
}

pub(crate) fn insert(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO outbox (position, state) VALUES (?1, 1)")?
        .execute([position])
        .map(drop)
}

/// The next unsealed edits in order, until they weigh more than `bytes_max` or are `count_max`.
pub(crate) fn unsealed(
    connection: &Connection,
    count_max: usize,
    bytes_max: usize,
) -> rusqlite::Result<Vec<(i64, EncodedEdit)>> {
    let mut statement = connection.prepare_cached(
        "SELECT edits.position, edits.id, edits.bytes
         FROM outbox JOIN edits USING (position)
         WHERE outbox.state = 1 ORDER BY outbox.position",
    )?;
    let mut rows = statement.query([])?;
    let mut unsealed = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let edit = edits::encoded(row, 1, 2)?;
        bytes += edit.bytes().len();
        if !unsealed.is_empty() && (bytes > bytes_max || unsealed.len() == count_max) {
            break;
        }
        unsealed.push((row.get(0)?, edit));
    }
    Ok(unsealed)
}

/// Keeps a bundle and notes which edits are in it.
pub(crate) fn seal(
    connection: &Connection,
    id: BundleId,
    sealed: &[u8],
    positions: impl Iterator<Item = i64>,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO bundles (id, sealed) VALUES (?1, ?2)")?
        .execute(params![id.as_bytes(), sealed])?;
    let bundle = connection.last_insert_rowid();
    let mut update = connection
        .prepare_cached("UPDATE outbox SET state = 2, bundle = ?2 WHERE position = ?1")?;
    for position in positions {
        update.execute(params![position, bundle])?;
    }
    Ok(bundle)
}

/// Makes the edits of a bundle unsealed again and forgets it; those with a word of the ward keep it.
pub(crate) fn unseal(connection: &Connection, bundle: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE outbox SET state = 1, bundle = NULL WHERE bundle = ?1 AND state = 2",
        )?
        .execute([bundle])?;
    drop_finished(connection, bundle)
}

/// Makes every edit that is not known to be in the feed unsealed again: what was sealed is not what this device
/// signs any more.
pub(crate) fn unseal_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE outbox SET state = 1, bundle = NULL WHERE bundle IS NOT NULL AND state IN (2, 3)",
        [],
    )?;
    connection
        .execute(
            "DELETE FROM bundles WHERE number NOT IN (SELECT bundle FROM outbox WHERE bundle IS NOT NULL)",
            [],
        )
        .map(drop)
}

/// The numbers of the bundles that still have an edit to be sent, in order; with `with_accepted`
/// also those of which the ward said that it accepted them, and no page has named them.
pub(crate) fn open_bundles(
    connection: &Connection,
    with_accepted: bool,
) -> rusqlite::Result<Vec<i64>> {
    let state_max = if with_accepted { 3 } else { 2 };
    connection
        .prepare_cached(
            "SELECT DISTINCT bundle FROM outbox
             WHERE bundle IS NOT NULL AND state <= ?1 ORDER BY bundle",
        )?
        .query_map([state_max], |row| row.get(0))?
        .collect()
}

pub(crate) fn bundle(
    connection: &Connection,
    number: i64,
) -> rusqlite::Result<Option<StoredBundle>> {
    connection
        .prepare_cached("SELECT number, id, sealed FROM bundles WHERE number = ?1")?
        .query_row([number], stored_bundle)
        .optional()
}

pub(crate) fn bundle_by_id(
    connection: &Connection,
    id: BundleId,
) -> rusqlite::Result<Option<StoredBundle>> {
    connection
        .prepare_cached("SELECT number, id, sealed FROM bundles WHERE id = ?1")?
        .query_row([id.as_bytes()], stored_bundle)
        .optional()
}

/// Notes the ward's word.
pub(crate) fn accept(
    connection: &Connection,
    position: i64,
    sequence: u64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE outbox SET state = 3, sequence = ?2 WHERE position = ?1")?
        .execute(params![
            position,
            i64::try_from(sequence).unwrap_or(i64::MAX)
        ])
        .map(drop)
}

/// The feed went by `up_to`: what was accepted there and was not named is to be sent again.
pub(crate) fn doubt_up_to(connection: &Connection, up_to: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE outbox SET state = 2, sequence = NULL WHERE state = 3 AND sequence <= ?1",
        )?
        .execute([i64::try_from(up_to).unwrap_or(i64::MAX)])
        .map(drop)
}

/// The ward was restored: what it has accepted without naming it is to be sent again.
pub(crate) fn doubt_all(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE outbox SET state = 2, sequence = NULL WHERE state >= 3")?
        .execute([])
        .map(drop)
}

/// No page will name the edit at this position: its bundle stays with it.
pub(crate) fn retain(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE outbox SET state = 4, sequence = NULL WHERE position = ?1")?
        .execute([position])
        .map(drop)
}

/// Whether anything of a document is on its way.
pub(crate) fn has_any_of(connection: &Connection, document: DocumentId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM edits e JOIN outbox o ON o.position = e.position WHERE e.document = ?1",
        )?
        .exists([document.to_bytes()])
}

/// How far the edit at this position is, if it is this device's and on its way.
pub(crate) fn state(
    connection: &Connection,
    position: i64,
) -> rusqlite::Result<Option<OutboxState>> {
    connection
        .prepare_cached("SELECT state FROM outbox WHERE position = ?1")?
        .query_row([position], |row| row.get(0).map(OutboxState::from_number))
        .optional()
}

/// What the outbox says of an edit, to be put back under another position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboxLine {
    state: i64,
    bundle: Option<i64>,
    sequence: Option<i64>,
}

/// Takes an edit off the outbox for a moment: its bundle stays.
pub(crate) fn lift(connection: &Connection, position: i64) -> rusqlite::Result<Option<OutboxLine>> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE position = ?1 RETURNING state, bundle, sequence")?
        .query_row([position], |row| {
            Ok(OutboxLine {
                state: row.get(0)?,
                bundle: row.get(1)?,
                sequence: row.get(2)?,
            })
        })
        .optional()
}

/// Puts back what was lifted, for the edit at `position` now.
pub(crate) fn put_back(
    connection: &Connection,
    position: i64,
    line: OutboxLine,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO outbox (position, state, bundle, sequence)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![position, line.state, line.bundle, line.sequence])
        .map(drop)
}

/// Unseals the bundle in which the edit is, if it is in one.
pub(crate) fn unseal_around(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    let bundle: Option<Option<i64>> = connection
        .prepare_cached("SELECT bundle FROM outbox WHERE position = ?1")?
        .query_row([position], |row| row.get(0))
        .optional()?;
    match bundle.flatten() {
        Some(bundle) => {
            // What the ward has accepted is said again, and is a duplicate there.
            connection
                .prepare_cached(
                    "UPDATE outbox SET state = 1, bundle = NULL, sequence = NULL WHERE bundle = ?1",
                )?
                .execute([bundle])?;
            drop_finished(connection, bundle)
        }
        None => Ok(()),
    }
}

/// Takes an edit off the outbox, and its bundle with the last one.
pub(crate) fn remove(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    let bundle: Option<Option<i64>> = connection
        .prepare_cached("DELETE FROM outbox WHERE position = ?1 RETURNING bundle")?
        .query_row([position], |row| row.get(0))
        .optional()?;
    match bundle.flatten() {
        Some(bundle) => drop_finished(connection, bundle),
        None => Ok(()),
    }
}

fn drop_finished(connection: &Connection, bundle: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM bundles WHERE number = ?1
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE bundle = ?1)",
        )?
        .execute([bundle])
        .map(drop)
}

/// Every row `(position, bundle)` before the first that a damaged page hides, from one end.
pub(crate) fn as_far_as_readable(
    connection: &Connection,
    from: End,
) -> rusqlite::Result<Vec<(i64, Option<i64>)>> {
    let order = match from {
        End::Oldest => "ASC",
        End::Newest => "DESC",
    };
    let mut found = Vec::new();
    let sql = format!("SELECT position, bundle FROM outbox ORDER BY position {order}");
    let mut statement = connection.prepare_cached(&sql)?;
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        match row {
            Ok(row) => found.push(row),
            Err(error) if is_damage(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// With what was recorded first.
    Oldest,
    /// With what was recorded last.
    Newest,
}

/// Every edit without a final word, in order: `(record, edit, state)`.
pub(crate) fn pending(
    connection: &Connection,
) -> rusqlite::Result<Vec<(Uuid, EditId, OutboxState)>> {
    connection
        .prepare_cached(
            "SELECT edits.document, edits.id, outbox.state
             FROM outbox JOIN edits USING (position)
             WHERE outbox.state < 3 ORDER BY outbox.position",
        )?
        .query_map([], |row| {
            Ok((
                edits::document(row, 0)?.uuid,
                edits::edit_id(row, 1)?,
                OutboxState::from_number(row.get(2)?),
            ))
        })?
        .collect()
}

/// Every edit that the ward may not have: also those that it accepted without a page that names them, since it
/// may have been restored.
pub(crate) fn doubtful(connection: &Connection) -> rusqlite::Result<Vec<EditId>> {
    connection
        .prepare_cached("SELECT edits.id FROM outbox JOIN edits USING (position)")?
        .query_map([], |row| edits::edit_id(row, 0))?
        .collect()
}

/// The state of the edit of a document that is least far on its way; `None` if nothing is under way.
pub(crate) fn least_state(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Option<OutboxState>> {
    connection
        .prepare_cached(
            "SELECT min(state) FROM outbox
             WHERE position IN (SELECT position FROM edits WHERE document = ?1)",
        )?
        .query_row([document.to_bytes()], |row| {
            Ok(row.get::<_, Option<i64>>(0)?.map(OutboxState::from_number))
        })
}

fn stored_bundle(row: &Row<'_>) -> rusqlite::Result<StoredBundle> {
    Ok(StoredBundle {
        number: row.get(0)?,
        id: BundleId(row.get(1)?),
        sealed: row.get(2)?,
    })
}
