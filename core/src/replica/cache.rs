//! Documents as they stand, for those that are being worked on. Bounded: a phone's store holds more
//! documents than its memory should.

use std::collections::HashMap;

use crate::document::Materialized;
use crate::model::DocumentId;

/// A visit's worth of cases. At a few kilobytes each this is less than a photo.
const DOCUMENTS_MAX: usize = 64;

/// The documents used last.
#[derive(Default)]
pub(super) struct DocumentCache {
    documents: HashMap<DocumentId, (u64, Materialized)>,
    uses: u64,
}

impl DocumentCache {
    /// Takes a document out.
    pub(super) fn take(&mut self, document: DocumentId) -> Option<Materialized> {
        self.documents
            .remove(&document)
            .map(|(_, materialized)| materialized)
    }

    /// Puts several documents in.
    pub(super) fn put_all(&mut self, documents: Vec<(DocumentId, Materialized)>) {
        // Those before the last ones would be put in only to go again.
        let passed_over = documents.len().saturating_sub(DOCUMENTS_MAX);
        for (document, materialized) in documents.into_iter().skip(passed_over) {
            self.put(document, materialized);
        }
    }

    /// Puts a document in; the one that was used longest ago may go for it.
    fn put(&mut self, document: DocumentId, materialized: Materialized) {
        if self.documents.len() >= DOCUMENTS_MAX {
            let oldest = self.documents.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(document, _)| *document) {
                self.documents.remove(&oldest);
            }
        }
        self.uses += 1;
        self.documents.insert(document, (self.uses, materialized));
    }
}
