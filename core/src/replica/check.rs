//! Truth against projection: every row is compared with what its document says, and written anew
//! where it differs. The sum of what is held is counted again, too.

use std::collections::BTreeSet;

use rusqlite::Connection;
use uuid::Uuid;

use super::work::{self, Work};
use super::{Replica, agreement};
use crate::model::DocumentId;
use crate::store::device::{edits, rejected};
use crate::store::{StoreError, rows};

impl Replica {
    /// Rebuilds every row from its document and gives the records whose stored row differed.
    ///
    /// # Errors
    /// The store's.
    pub fn check(&self) -> Result<Vec<Uuid>, StoreError> {
        self.transact(|work| check(work).map_err(StoreError::from))
    }
}

fn check(work: &mut Work<'_>) -> rusqlite::Result<Vec<Uuid>> {
    let connection = work.connection;
    if !agreement::recount(work)? {
        tracing::warn!("the sum of what is held was wrong");
    }
    rows::index_due(connection)?;
    let mut documents: BTreeSet<DocumentId> = edits::documents(connection)?.into_iter().collect();
    documents.extend(rejected::documents(connection)?);
    let mut differing = BTreeSet::new();
    for document in &documents {
        let state = match work::read(connection, *document)? {
            Some(materialized) => Some(materialized.state),
            None => work::read_refused(connection, *document)?,
        };
        if let Some(state) = state
            && !rows::is_current(connection, &state)?
        {
            differing.insert(document.uuid);
            work.rebuild(*document)?;
        }
    }
    let mut is_any_removed = false;
    for stray in stored_rows(connection)? {
        if !documents.contains(&stray) {
            differing.insert(stray.uuid);
            rows::remove(connection, stray)?;
            is_any_removed = true;
        }
    }
    if is_any_removed {
        rows::forget_words(connection)?;
    }
    Ok(differing.into_iter().collect())
}

fn stored_rows(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    let mut documents = Vec::new();
    for (table, name) in [
        ("case_rows", DocumentId::case as fn(Uuid) -> DocumentId),
        ("visit_rows", DocumentId::visit),
        ("person_rows", DocumentId::person_of),
    ] {
        let mut statement = connection.prepare(&format!("SELECT id FROM {table}"))?;
        let rows = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes))?;
        for uuid in rows {
            documents.push(name(uuid?));
        }
    }
    Ok(documents)
}
