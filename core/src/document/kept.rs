//! Documents that were used last, kept in memory within bounds of number and weight. Whose they are and
//! whether they are still true is for others to say.

use std::collections::{BTreeMap, HashMap};

use crate::model::DocumentId;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepLimits {
    /// Most documents.
    pub documents_max: usize,
    /// Most bytes of all together, as [`super::DocumentState::weight`] counts them; one document is
    /// kept whatever it weighs.
    pub weight_max: u64,
}

/// Documents by name, the one that was used longest ago first to go.
#[derive(Debug)]
pub struct KeptDocuments<T> {
    limits: KeepLimits,
    documents: HashMap<DocumentId, Kept<T>>,
    by_use: BTreeMap<u64, DocumentId>,
    uses: u64,
    weight: u64,
}

#[derive(Debug)]
struct Kept<T> {
    document: T,
    used: u64,
    weight: u64,
}

impl<T> KeptDocuments<T> {
    /// Nothing yet.
    #[must_use]
    pub fn new(limits: KeepLimits) -> Self {
        Self {
            limits,
            documents: HashMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            weight: 0,
        }
    }

    /// Takes a document out.
    pub fn take(&mut self, id: DocumentId) -> Option<T> {
        let kept = self.documents.remove(&id)?;
        self.by_use.remove(&kept.used);
        self.weight -= kept.weight;
        Some(kept.document)
    }

    /// Keeps a document; others may go for it.
    pub fn keep(&mut self, id: DocumentId, document: T, weight: u64) {
        self.take(id);
        self.uses += 1;
        let used = self.uses;
        self.by_use.insert(used, id);
        self.weight = self.weight.saturating_add(weight);
        let kept = Kept {
            document,
            used,
            weight,
        };
        self.documents.insert(id, kept);
        while self.documents.len() > 1
            && (self.documents.len() > self.limits.documents_max
                || self.weight > self.limits.weight_max)
        {
            let oldest = self.by_use.first_key_value().map(|(_, id)| *id);
            oldest.and_then(|oldest| self.take(oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn document(number: u128) -> DocumentId {
        DocumentId::case(Uuid::from_u128(number))
    }

    #[test]
    fn what_was_used_longest_ago_goes_when_there_are_too_many_or_they_are_too_heavy() {
        let limits = KeepLimits {
            documents_max: 3,
            weight_max: 100,
        };
        let mut kept = KeptDocuments::new(limits);
        for number in 0..1_000 {
            kept.keep(document(number), number, 10);
            assert!(kept.documents.len() <= 3 && kept.by_use.len() == kept.documents.len());
        }
        assert_eq!(kept.take(document(997)), Some(997));
        kept.keep(document(997), 997, 10);
        kept.keep(document(1), 1, 85);
        assert_eq!(kept.take(document(998)), None);
        assert_eq!(
            kept.take(document(999)),
            None,
            "the third in use, but too heavy beside"
        );
        assert_eq!(kept.take(document(997)), Some(997));
        kept.keep(document(2), 2, 5_000);
        assert_eq!(kept.documents.len(), 1, "one is kept whatever it weighs");
        assert_eq!(kept.take(document(2)), Some(2));
        assert_eq!(kept.weight, 0);
    }
}
