//! Phones that were reported lost come back on the network: they hand over what they had unsent, somebody
//! takes it, and nothing that was promised is missing any more.

use std::collections::BTreeSet;

use gandan_core::model::DocumentId;
use gandan_core::protocol::verdict::Tally;

use super::checks;
use super::fleet::Fleet;

/// What waits in quarantine in the end, because the ward did not let it in: every value, and every document.
#[derive(Default)]
pub struct LeftApart {
    documents: BTreeSet<DocumentId>,
    values: BTreeSet<String>,
}

impl Fleet {
    /// Every lost phone hands over, and the office takes all of it. Gives what was not let in.
    pub fn hand_over(&mut self) -> LeftApart {
        let mut apart = LeftApart::default();
        for phone in 0..self.phones.len() {
            if self.phones[phone].is_revoked {
                self.hand_over_one(phone, &mut apart);
            }
        }
        apart
    }

    fn hand_over_one(&mut self, phone: usize, apart: &mut LeftApart) {
        let replica = self.phones[phone].replica().clone();
        let Some(unsent) = replica.unsent().expect("the store answers") else {
            return;
        };
        let device = self.phones[phone].device();
        let ward = self.ward();
        let begun = ward.begin_hand_over(device, Some(unsent.sealed.len()));
        let Ok(number) = begun.expect("the ward answers") else {
            assert!(
                self.was_ward_restored && !self.phones[phone].earlier_devices().is_empty(),
                "seed {}: a lost phone may not hand over",
                self.plan.seed
            );
            return;
        };
        let kept = ward.keep_handed_over(number, 0, &unsent.sealed);
        kept.and_then(|()| ward.end_hand_over(number))
            .expect("the ward answers");
        replica
            .note_handed_over(&unsent)
            .expect("the store answers");
        assert!(
            replica.unsent().expect("the store answers").is_none(),
            "seed {}: {} would hand over the same again",
            self.plan.seed,
            self.phones[phone].name
        );
        let content = ward.look_into_quarantine(number).expect("the ward answers");
        assert!(!content.is_damaged, "seed {}", self.plan.seed);
        let verdicts = ward.take_from_quarantine(number).expect("the ward answers");
        let tally = Tally::of(&verdicts);
        self.tally.handed_over += verdicts.len();
        if tally.waiting + tally.rejected > 0 {
            for (document, edits) in content.documents {
                apart.documents.insert(document);
                let values = edits.into_iter().flat_map(|edit| edit.content);
                apart
                    .values
                    .extend(values.filter_map(|change| change.value));
            }
        }
    }
}

impl LeftApart {
    /// Every promised case and note is on the ward, or was refused and is kept with its words.
    ///
    /// # Panics
    /// If it is not.
    pub fn completes_what_was_promised(&self, fleet: &Fleet) {
        let seed = fleet.plan.seed;
        let ward = checks::snapshot_of_ward(fleet.ward());
        let refused = checks::refusals(fleet);
        let refused_words: BTreeSet<&str> = refused
            .iter()
            .flat_map(|item| &item.content)
            .filter_map(|change| change.value.as_deref())
            .collect();
        for (id, promised) in fleet.ledger.kept() {
            let Some(case) = ward.get(id) else {
                let is_apart = self.documents.contains(&DocumentId::case(*id))
                    || fleet.tally.ward_restores > 0;
                assert!(
                    is_apart,
                    "seed {seed}: a case that was handed over is nowhere"
                );
                continue;
            };
            for words in &promised.notes {
                let is_there = case.notes.iter().any(|note| note.text == *words)
                    || self.values.contains(words)
                    || refused_words.contains(words.as_str())
                    // A lost phone hands over what is unsent, and gives nothing back to a restored ward.
                    || fleet.tally.ward_restores > 0;
                assert!(
                    is_there,
                    "seed {seed}: a note ({words}) that was handed over is nowhere"
                );
            }
        }
    }
}
