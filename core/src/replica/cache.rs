//! Documents as they stand, for those that are being worked on. Bounded: a phone's store holds more
//! documents than its memory should.

use crate::document::{KeepLimits, KeptDocuments, Materialized};
use crate::model::DocumentId;

/// A visit's worth of cases; at a few kilobytes each this is less than a photo, and if they are all
/// unusually long, it is still less than a screen.
const LIMITS: KeepLimits = KeepLimits {
    documents_max: 64,
    weight_max: 8 * 1024 * 1024,
};

/// The documents used last.
pub(super) struct DocumentCache(KeptDocuments<Materialized>);

impl Default for DocumentCache {
    fn default() -> Self {
        Self(KeptDocuments::new(LIMITS))
    }
}

impl DocumentCache {
    /// Takes a document out.
    pub(super) fn take(&mut self, document: DocumentId) -> Option<Materialized> {
        self.0.take(document)
    }

    /// Puts several documents in.
    pub(super) fn put_all(&mut self, documents: Vec<(DocumentId, Materialized)>) {
        // Those before the last ones would be put in only to go again.
        let passed_over = documents.len().saturating_sub(LIMITS.documents_max);
        for (document, materialized) in documents.into_iter().skip(passed_over) {
            let weight = materialized.state.weight();
            self.0.keep(document, materialized, weight);
        }
    }
}
