//! A case turns out to be a denunciation, or a person wants to be forgotten, while phones are away: what was
//! said goes everywhere and does not come back.

use gandan_core::model::{DocumentId, DocumentKind};
use gandan_server::ward::{Ward, WardError};

use super::fleet::{Fleet, Phone};

/// Where a phone keeps what somebody wrote.
const KEPT_BY_DOCUMENT: [&str; 4] = ["edits", "rejected", "set_aside", "doubtful"];

impl Fleet {
    /// The ward purges a document that it has.
    pub fn purge(&mut self, document: DocumentId) {
        if !self.is_on_ward(document) {
            return;
        }
        self.insist(|ward| purge_at(ward, document));
        self.ledger.purged.insert(document);
        self.tally.purges += 1;
    }

    /// Says again what a restored ward has forgotten and no phone has told it. Whether there was any.
    pub fn purge_again(&mut self) -> bool {
        let forgotten: Vec<DocumentId> = self
            .ledger
            .purged
            .iter()
            .copied()
            .filter(|document| self.is_on_ward(*document))
            .collect();
        assert!(
            forgotten.is_empty() || self.was_ward_restored,
            "seed {}: what was purged came back: {forgotten:?}",
            self.plan.seed
        );
        for document in &forgotten {
            self.insist(|ward| purge_at(ward, *document));
        }
        !forgotten.is_empty()
    }

    fn is_on_ward(&self, document: DocumentId) -> bool {
        let found = self.ward().document(document);
        found.expect("the ward answers").is_some()
    }
}

/// A ward whose disk failed when it said that it was done has done it.
fn purge_at(ward: &Ward, document: DocumentId) -> Result<(), WardError> {
    let done = match document.kind {
        DocumentKind::Person => ward.erase(document.uuid),
        DocumentKind::Case | DocumentKind::Visit => ward.reclassify(document.uuid),
    };
    match done {
        Err(WardError::NotFound(_)) => Ok(()),
        done => done,
    }
}

/// Nothing of it is on the ward, nor on a phone in hand.
///
/// # Panics
/// If something is.
pub(super) fn nothing_is_left(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    for document in &fleet.ledger.purged {
        assert!(
            !fleet.is_on_ward(*document),
            "seed {seed}: {document:?} was purged and is on the ward"
        );
        for phone in fleet.phones.iter().filter(|phone| !phone.is_revoked) {
            for table in KEPT_BY_DOCUMENT {
                assert!(
                    !is_kept(phone, table, *document),
                    "seed {seed}: {document:?} was purged and is in {table} of {}",
                    phone.name
                );
            }
        }
    }
}

fn is_kept(phone: &Phone, table: &str, document: DocumentId) -> bool {
    let kept = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE document = ?1)");
    let kept = phone
        .store()
        .query_row(&kept, [document.to_bytes()], |row| row.get(0));
    kept.expect("the store answers")
}
