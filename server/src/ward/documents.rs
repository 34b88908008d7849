//! Documents as the ward has them: read from their edits, or from a bounded cache. The store says
//! which edits there are; a cached document counts only while its heads are the store's, so that
//! neither another process nor a transaction that was rolled back can make it stale.

use gandan_core::document::{
    Document, DocumentState, ExecuteError, KeepLimits, KeptDocuments, Materialized, materialize,
    merge_independent,
};
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{DocumentId, EditId, OfficerId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::WardError;
use super::connections::{Work, from_sql};
use super::scope::Placement;

/// How many documents stay in memory: a busy morning's. A document may weigh 4 MiB, so their weight is
/// bounded as well, well below what the smallest server has.
const LIMITS: KeepLimits = KeepLimits {
    documents_max: 512,
    weight_max: 64 * 1024 * 1024,
};

/// Documents that were used last.
pub(super) struct DocumentCache(KeptDocuments<Loaded>);

impl Default for DocumentCache {
    fn default() -> Self {
        Self(KeptDocuments::new(LIMITS))
    }
}

impl DocumentCache {
    pub(super) fn take(&mut self, id: DocumentId) -> Option<Loaded> {
        self.0.take(id)
    }

    /// Keeps a document for the next edit.
    pub(super) fn keep(&mut self, loaded: Loaded) {
        // A merge engine holds everything once more.
        let times = if loaded.engine.is_some() { 4 } else { 1 };
        let weight = loaded.state.weight().saturating_mul(times);
        self.0.keep(loaded.state.document, loaded, weight);
    }
}

/// A document in memory.
pub(super) struct Loaded {
    pub(super) state: DocumentState,
    pub(super) heads: Vec<EditId>,
    /// Built when an edit comes that does not follow the heads and meets another on one field.
    engine: Option<Document>,
}

impl Loaded {
    /// The document that a creation makes.
    pub(super) fn create(edit: &EncodedEdit) -> Result<Self, ExecuteError> {
        Ok(Self {
            state: DocumentState::create(edit.edit())?,
            heads: vec![edit.id()],
            engine: None,
        })
    }

    /// Executes an edit. If it fails, the document is as before.
    pub(super) fn execute(
        &mut self,
        connection: &Connection,
        edit: &EncodedEdit,
    ) -> Result<Result<(), ExecuteError>, WardError> {
        if self.engine.is_none() && edit.edit().dependencies == self.heads {
            let result = self.state.apply(edit.edit());
            if result.is_ok() {
                self.heads = vec![edit.id()];
            }
            return Ok(result);
        }
        let engine = match &mut self.engine {
            Some(engine) => engine,
            empty => {
                let edits = edits_of(connection, self.state.document)?;
                if let Some(merged) = merge_independent(edits.iter().chain([edit])) {
                    self.state = merged.state;
                    self.heads = merged.heads;
                    return Ok(Ok(()));
                }
                match Document::replay(&edits) {
                    Ok(document) => empty.insert(document),
                    Err(error) => return Ok(Err(error)),
                }
            }
        };
        if let Err(error) = engine.execute(edit) {
            return Ok(Err(error));
        }
        self.state = engine.state();
        self.heads = engine.heads();
        Ok(Ok(()))
    }
}

impl Work<'_> {
    /// The document as it is in this transaction, taken out of the cache; give it back with
    /// [`DocumentCache::keep`].
    pub(super) fn load(&mut self, id: DocumentId) -> Result<Option<Loaded>, WardError> {
        let cached = self.documents.take(id);
        let Some(heads) = heads(self.connection, id)? else {
            return Ok(None);
        };
        if let Some(cached) = cached
            && cached.heads == heads
        {
            return Ok(Some(cached));
        }
        let loaded = read(self.connection, id)?.map(|Materialized { state, heads }| Loaded {
            state,
            heads,
            engine: None,
        });
        Ok(loaded)
    }
}

/// A document, read from its edits.
pub(super) fn read(
    connection: &Connection,
    id: DocumentId,
) -> Result<Option<Materialized>, WardError> {
    let edits = edits_of(connection, id)?;
    if edits.is_empty() {
        return Ok(None);
    }
    materialize(&edits)
        .map(Some)
        .map_err(|_| WardError::Damaged)
}

/// Every edit of a document in the order of admission.
pub(super) fn edits_of(
    connection: &Connection,
    id: DocumentId,
) -> Result<Vec<EncodedEdit>, WardError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.bytes FROM feed f JOIN edits e ON e.id = f.edit
         WHERE f.kind = ?1 AND f.uuid = ?2 ORDER BY f.sequence",
    )?;
    let mut rows = statement.query(params![id.kind.code(), id.uuid.as_bytes()])?;
    let mut edits = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| WardError::Damaged)?;
        edits.push(EncodedEdit::decode(bytes).map_err(|_| WardError::Damaged)?);
    }
    Ok(edits)
}

/// The edits on which nothing else of the document builds yet.
pub(super) fn heads(
    connection: &Connection,
    id: DocumentId,
) -> Result<Option<Vec<EditId>>, WardError> {
    let heads: Option<Vec<u8>> = connection
        .prepare_cached("SELECT heads FROM documents WHERE kind = ?1 AND uuid = ?2")?
        .query_row(params![id.kind.code(), id.uuid.as_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(heads.map(|heads| {
        heads
            .chunks_exact(32)
            .filter_map(EditId::from_slice)
            .collect()
    }))
}

/// What decides who may see a case or visit; `None` if it is not here.
pub(super) fn placement(
    connection: &Connection,
    id: DocumentId,
) -> rusqlite::Result<Option<Placement>> {
    connection
        .prepare_cached(
            "SELECT recorder, area, is_restricted, quiet_since FROM documents
             WHERE kind = ?1 AND uuid = ?2",
        )?
        .query_row(params![id.kind.code(), id.uuid.as_bytes()], |row| {
            placement_at(row, 0)
        })
        .optional()
}

/// Reads recorder, area, restriction and since when it is quiet from four columns.
pub(super) fn placement_at(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Placement> {
    let recorder: Option<[u8; 16]> = row.get(column)?;
    Ok(Placement {
        recorder: recorder.map(|id| OfficerId(Uuid::from_bytes(id))),
        area: row.get(column + 1)?,
        is_restricted: row.get(column + 2)?,
        quiet_since: row.get::<_, Option<i64>>(column + 3)?.map(from_sql),
    })
}
