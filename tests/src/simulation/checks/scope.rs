//! Who may hold what: the rule as people would say it, asked of every table of a phone's store.

use std::collections::{BTreeMap, BTreeSet};

use gandan_core::document::schema;
use gandan_core::model::{AttachmentHash, Case, Confidentiality, DocumentId, Role};
use uuid::Uuid;

use super::{in_hand, snapshot_of_ward};
use crate::simulation::fleet::{Fleet, Phone};

/// Whether the officer of a phone may see a case, and whether they may see its citizen: the rule as
/// people would say it, not as the ward computes it.
fn may_see(fleet: &Fleet, phone: &Phone, case: &Case) -> (bool, bool) {
    if case.recorded_by == phone.author.officer {
        return (true, true);
    }
    if case.confidentiality == Confidentiality::Restricted {
        return (false, false);
    }
    if phone.author.role == Role::Leader {
        return (true, true);
    }
    let areas = &fleet.areas[&phone.officer];
    let is_theirs = areas.is_empty() || case.area.as_ref().is_some_and(|area| areas.contains(area));
    (is_theirs, false)
}

pub(super) fn in_scope(
    fleet: &Fleet,
    phone: &Phone,
    ward: &BTreeMap<Uuid, Case>,
) -> BTreeMap<Uuid, Case> {
    ward.iter()
        .filter(|(_, case)| may_see(fleet, phone, case).0)
        .map(|(id, case)| (*id, case.clone()))
        .collect()
}

/// What is open, and what an officer recorded, is on their phone however old it is; without a bound on
/// months everything is. Gives how many cases of their scopes phones do not hold.
pub fn recent_is_held(fleet: &Fleet, months: Option<u16>) -> usize {
    let ward = snapshot_of_ward(fleet.ward());
    let mut let_go = 0;
    for phone in in_hand(fleet) {
        for (id, case) in in_scope(fleet, phone, &ward) {
            let held = phone.replica().case(id).expect("the store answers");
            let may_be_past = months.is_some()
                && case.status.is_finished()
                && case.recorded_by != phone.author.officer;
            assert!(
                held.is_some() || may_be_past,
                "seed {}: after a season {} lacks a case",
                fleet.plan.seed,
                phone.name
            );
            let_go += usize::from(held.is_none());
        }
    }
    let_go
}

/// Of a phone that looked for every case: what its officer may see is shown, the rest is not there. Gives
/// how many cases are on loan.
pub fn loans_are_right(fleet: &Fleet, phone: usize, ward: &BTreeMap<Uuid, Case>) -> usize {
    let phone = &fleet.phones[phone];
    let mut lent = 0;
    for (id, case) in ward {
        let shown = phone.replica().case(*id).expect("the store answers");
        let shown = shown.map(|detail| detail.case);
        let due = may_see(fleet, phone, case).0.then_some(case);
        assert!(
            shown.as_ref() == due,
            "seed {}: {} looked for {id} and was shown {shown:?}",
            fleet.plan.seed,
            phone.name
        );
        lent += usize::from(phone.replica().is_borrowed(*id).expect("the store answers"));
    }
    lent
}

/// Nobody holds what is out of their scope, everybody holds what is in it, citizens included, down
/// to the tables of the phone's store.
pub(super) fn scopes_are_kept(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    let ward = snapshot_of_ward(fleet.ward());
    for phone in in_hand(fleet) {
        let name = &phone.name;
        let mut allowed = BTreeSet::new();
        for (id, case) in &ward {
            let (sees_case, sees_person) = may_see(fleet, phone, case);
            if !sees_case {
                continue;
            }
            allowed.insert(DocumentId::case(*id));
            let detail = phone
                .replica()
                .case(*id)
                .expect("the store answers")
                .unwrap_or_else(|| panic!("seed {seed}: {name} lacks a case of its scope"));
            let person = fleet
                .ward()
                .document(DocumentId::person_of(*id))
                .expect("the ward answers")
                .and_then(|state| schema::person(&state));
            if sees_person {
                allowed.insert(DocumentId::person_of(*id));
                assert_eq!(detail.citizen, person, "seed {seed}: a citizen on {name}");
            } else {
                assert_eq!(
                    detail.citizen, None,
                    "seed {seed}: {name} shows a citizen out of its scope"
                );
            }
        }
        let store = phone.store();
        let refused: BTreeSet<Uuid> = phone
            .replica()
            .rejected()
            .expect("the store answers")
            .into_iter()
            .map(|item| item.record)
            .collect();
        // What the officer wrote outlives its document a while, for a ward that loses it.
        let (retained, others) = retained(&store, phone);
        assert_eq!(
            others, 0,
            "seed {seed}: {name} retains what others wrote out of its scope"
        );
        let files = rows(&store, "SELECT hash FROM attachments", |row| row.get(0));
        for file in files {
            let is_of = |id: &Uuid| {
                let promised = fleet.ledger.cases.get(id);
                promised.is_some_and(|case| case.file(AttachmentHash(file)).is_some())
            };
            assert!(
                refused.iter().chain(&retained).any(is_of)
                    || ward
                        .keys()
                        .filter(|id| allowed.contains(&DocumentId::case(**id)))
                        .any(is_of),
                "seed {seed}: {name} holds a file out of its scope"
            );
        }
        let held: Vec<Vec<u8>> = rows(
            &store,
            "SELECT document FROM edits WHERE is_stranded = 0
             UNION SELECT document FROM set_aside WHERE document IS NOT NULL
             UNION SELECT document FROM doubtful",
            |row| row.get(0),
        );
        for document in held {
            let document = DocumentId::from_slice(&document).expect("a document's name");
            assert!(
                allowed.contains(&document),
                "seed {seed}: {name} holds edits of a {:?} out of its scope",
                document.kind
            );
        }
    }
}

/// The records of stranded edits of this phone's officer, and how many are another's.
fn retained(store: &rusqlite::Connection, phone: &Phone) -> (BTreeSet<Uuid>, usize) {
    let stranded: Vec<(Vec<u8>, [u8; 16])> = rows(
        store,
        "SELECT document, author FROM edits WHERE is_stranded = 1",
        |row| Ok((row.get(0)?, row.get(1)?)),
    );
    let officer = phone.author.officer;
    let own = |author: &[u8; 16]| author == officer.0.as_bytes();
    let others = stranded.iter().filter(|(_, author)| !own(author)).count();
    let record = |document: &[u8]| DocumentId::from_slice(document).map(|document| document.uuid);
    let records = stranded.iter().filter_map(|(document, _)| record(document));
    (records.collect(), others)
}

/// What a store answers.
fn rows<T>(
    store: &rusqlite::Connection,
    query: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    store
        .prepare(query)
        .and_then(|mut statement| statement.query_map([], read)?.collect())
        .expect("the store answers")
}
