//! One transaction on the device's store: documents are opened, edits are executed, and edits, rows
//! and outbox are written together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use uuid::Uuid;

use super::Change;
use super::cache::DocumentCache;
use crate::document::{DocumentState, ExecuteError, Materialized, materialize};
use crate::edit::EncodedEdit;
use crate::environment::Environment;
use crate::model::{ActorId, DocumentId, DocumentKind, OfficerId};
use crate::protocol::agreement::EditSum;
use crate::store::device::edits::{self, Admission};
use crate::store::device::{malformed, outbox, rejected, settings};
use crate::store::rows;

/// What a transaction has at hand.
pub(super) struct Work<'a> {
    pub(super) connection: &'a Connection,
    pub(super) environment: &'a dyn Environment,
    /// Under which this opening writes; renewed once an edit of it was taken back.
    pub(super) actor: ActorId,
    cache: &'a mut DocumentCache,
    /// Documents opened in this transaction. They leave the cache for its time, so that a
    /// transaction that fails leaves nothing there that is not in the file.
    open: BTreeMap<DocumentId, OpenDocument>,
    /// To be told once all is durable.
    pub(super) changes: BTreeSet<Change>,
    /// What is held after this transaction, less what was held before.
    pub(super) held: EditSum,
}

/// What remains of a transaction.
pub(super) struct FinishedWork {
    pub(super) actor: ActorId,
    pub(super) documents: Vec<(DocumentId, Materialized)>,
    pub(super) changes: BTreeSet<Change>,
}

struct OpenDocument {
    /// `None`: there is no such document.
    materialized: Option<Materialized>,
    is_row_due: bool,
}

/// Why an edit was not executed.
#[derive(Debug)]
pub(super) enum Refused {
    Execute(ExecuteError),
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        environment: &'a dyn Environment,
        actor: ActorId,
        cache: &'a mut DocumentCache,
    ) -> Self {
        Self {
            connection,
            environment,
            actor,
            cache,
            open: BTreeMap::new(),
            changes: BTreeSet::new(),
            held: EditSum::default(),
        }
    }

    /// A document as it stands: what the ward admitted and this device's own pending edits.
    pub(super) fn document(
        &mut self,
        document: DocumentId,
    ) -> rusqlite::Result<Option<&Materialized>> {
        let open = self.open(document)?;
        Ok(open.materialized.as_ref())
    }

    /// Executes an edit and stores it; its row follows at the end. Nothing is stored if it is refused.
    pub(super) fn execute(
        &mut self,
        edit: &EncodedEdit,
        author: OfficerId,
        admission: Option<Admission>,
    ) -> Result<(), Refused> {
        let document = edit.edit().document;
        let connection = self.connection;
        let open = self.open(document)?;
        match &mut open.materialized {
            Some(materialized) if edit.edit().dependencies == materialized.heads => {
                materialized
                    .state
                    .apply(edit.edit())
                    .map_err(Refused::Execute)?;
                materialized.heads = vec![edit.id()];
            }
            None if edit.edit().dependencies.is_empty() => {
                open.materialized = Some(Materialized {
                    state: DocumentState::create(edit.edit()).map_err(Refused::Execute)?,
                    heads: vec![edit.id()],
                });
            }
            _ => {
                let stored = edits::of_document(connection, document)?;
                let all = stored.iter().map(|stored| &stored.edit).chain([edit]);
                open.materialized = Some(materialize(all).map_err(Refused::Execute)?);
            }
        }
        open.is_row_due = true;
        let position = edits::insert(connection, &mut self.held, edit, author, admission)?;
        if admission.is_none() {
            outbox::insert(connection, position)?;
        }
        self.note_change(document);
        Ok(())
    }

    /// Reads a document anew, because edits were taken out of it.
    pub(super) fn rebuild(&mut self, document: DocumentId) -> rusqlite::Result<()> {
        self.cache.take(document);
        let materialized = read(self.connection, document)?;
        self.open.insert(
            document,
            OpenDocument {
                materialized,
                is_row_due: true,
            },
        );
        self.note_change(document);
        Ok(())
    }

    pub(super) fn note_change(&mut self, document: DocumentId) {
        self.changes.insert(Change::of(document));
    }

    /// Random bytes.
    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.environment.fill_random(&mut bytes);
        bytes
    }

    /// A new UUIDv7.
    pub(super) fn new_uuid(&self) -> Uuid {
        let milliseconds = u64::try_from(self.environment.now().0).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &self.random()).into_uuid()
    }

    /// Writes the rows that are due, and what is held. The transaction may be committed then.
    pub(super) fn write_rows(&mut self) -> rusqlite::Result<()> {
        let change = std::mem::take(&mut self.held);
        if change != EditSum::default() {
            let held = settings::held(self.connection)?.plus(change);
            settings::write(self.connection, settings::HELD, &held.to_bytes())?;
        }
        let mut is_any_due = false;
        let mut is_any_removed = false;
        for (document, open) in &mut self.open {
            if !std::mem::take(&mut open.is_row_due) {
                continue;
            }
            is_any_due = true;
            match &open.materialized {
                Some(materialized) => rows::write_unindexed(self.connection, &materialized.state)?,
                None => match read_refused(self.connection, *document)? {
                    Some(state) => rows::write_unindexed(self.connection, &state)?,
                    None => {
                        rows::remove(self.connection, *document)?;
                        is_any_removed = true;
                    }
                },
            }
        }
        if is_any_removed {
            rows::forget_words(self.connection)?;
        } else if is_any_due {
            rows::index_much_due(self.connection)?;
        }
        Ok(())
    }

    /// Ends the work; what it gives is true once the transaction is committed.
    pub(super) fn stop(self) -> FinishedWork {
        FinishedWork {
            actor: self.actor,
            documents: self
                .open
                .into_iter()
                .filter_map(|(document, open)| Some((document, open.materialized?)))
                .collect(),
            changes: self.changes,
        }
    }

    fn open(&mut self, document: DocumentId) -> rusqlite::Result<&mut OpenDocument> {
        match self.open.entry(document) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let materialized = match self.cache.take(document) {
                    Some(materialized) => Some(materialized),
                    None => read(self.connection, document)?,
                };
                Ok(entry.insert(OpenDocument {
                    materialized,
                    is_row_due: false,
                }))
            }
        }
    }
}

/// A document from its edits.
pub(super) fn read(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Option<Materialized>> {
    let stored = edits::of_document(connection, document)?;
    if stored.is_empty() {
        return Ok(None);
    }
    materialize(stored.iter().map(|stored| &stored.edit))
        .map(Some)
        .map_err(|_| malformed("edits"))
}

/// What a document said of which the ward refused everything: it stays readable, though nothing can
/// be built on it.
pub(super) fn read_refused(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<Option<DocumentState>> {
    let refused = rejected::of_document(connection, document)?;
    // Without its creation it is one that has left the scope: each edit is listed, there is no whole.
    let is_whole = refused
        .first()
        .is_some_and(|first| first.edit.edit().dependencies.is_empty());
    if !is_whole {
        return Ok(None);
    }
    materialize(refused.iter().map(|refused| &refused.edit))
        .map(|materialized| Some(materialized.state))
        .map_err(|_| malformed("rejected"))
}

impl Change {
    fn of(document: DocumentId) -> Self {
        match document.kind {
            DocumentKind::Case | DocumentKind::Person => Self::Case(document.uuid),
            DocumentKind::Visit => Self::Visit(document.uuid),
        }
    }
}
