//! Whether the promises were kept: EDITS.md and the invariants, as assertions that name the seed.

use std::collections::{BTreeMap, BTreeSet};

use gandan_core::document::schema;
use gandan_core::model::{Case, Confidentiality, DocumentId, Role};
use gandan_core::protocol::limits::ATTACHMENT_CHUNK_BYTES;
use gandan_core::replica::{Agreement, RejectedItem, SyncState};
use gandan_core::store::rows::{self, CaseQuery, CaseRow};
use gandan_server::ward::Ward;
use uuid::Uuid;

use super::fleet::{Fleet, Phone};

/// Everything a ward shows, to compare.
#[must_use]
pub fn snapshot_of_ward(ward: &Ward) -> BTreeMap<Uuid, Case> {
    ward_rows(ward)
        .into_keys()
        .map(|id| {
            let case = ward
                .case(id)
                .expect("the ward answers")
                .expect("a case with a row has a document");
            (id, case)
        })
        .collect()
}

fn ward_rows(ward: &Ward) -> BTreeMap<Uuid, CaseRow> {
    ward.read(|connection| rows::cases(connection, &CaseQuery::default()))
        .expect("the ward answers")
        .into_iter()
        .map(|row| (row.case.id, row))
        .collect()
}

fn phone_rows(phone: &Phone) -> BTreeMap<Uuid, CaseRow> {
    phone
        .replica
        .cases(&CaseQuery::default())
        .expect("the store answers")
        .into_iter()
        .map(|summary| (summary.row.case.id, summary.row))
        .collect()
}

fn snapshot_of_phone(phone: &Phone) -> BTreeMap<Uuid, Case> {
    phone_rows(phone)
        .into_keys()
        .map(|id| {
            let detail = phone
                .replica
                .case(id)
                .expect("the store answers")
                .expect("a case with a row has a document");
            (id, detail.case)
        })
        .collect()
}

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

fn in_scope(fleet: &Fleet, phone: &Phone, ward: &BTreeMap<Uuid, Case>) -> BTreeMap<Uuid, Case> {
    ward.iter()
        .filter(|(_, case)| may_see(fleet, phone, case).0)
        .map(|(id, case)| (*id, case.clone()))
        .collect()
}

/// Nobody holds what is out of their scope, everybody holds what is in it, citizens included, down
/// to the tables of the phone's store.
fn scopes_are_kept(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    let ward = snapshot_of_ward(&fleet.ward);
    for phone in &fleet.phones {
        let name = &phone.name;
        let mut allowed = BTreeSet::new();
        for (id, case) in &ward {
            let (sees_case, sees_person) = may_see(fleet, phone, case);
            if !sees_case {
                continue;
            }
            allowed.insert(DocumentId::case(*id));
            let detail = phone
                .replica
                .case(*id)
                .expect("the store answers")
                .unwrap_or_else(|| panic!("seed {seed}: {name} lacks a case of its scope"));
            let person = fleet
                .ward
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
            .replica
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
        let files: Vec<[u8; 32]> = store
            .prepare("SELECT hash FROM attachments")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()
            })
            .expect("the store answers");
        for file in files {
            let is_of = |id: &Uuid| {
                let promised = fleet.ledger.cases.get(id);
                promised.is_some_and(|case| case.files.keys().any(|hash| hash.0 == file))
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
        let held: Vec<Vec<u8>> = store
            .prepare(
                "SELECT document FROM edits WHERE is_stranded = 0
                 UNION SELECT document FROM set_aside WHERE document IS NOT NULL
                 UNION SELECT document FROM doubtful",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()
            })
            .expect("the store answers");
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
    let rows: Vec<(Vec<u8>, [u8; 16])> = store
        .prepare("SELECT document, author FROM edits WHERE is_stranded = 1")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()
        })
        .expect("the store answers");
    let officer = phone.author.officer;
    let own = |author: &[u8; 16]| author == officer.0.as_bytes();
    let others = rows.iter().filter(|(_, author)| !own(author)).count();
    let record = |document: &[u8]| DocumentId::from_slice(document).map(|document| document.uuid);
    let records = rows.iter().filter_map(|(document, _)| record(document));
    (records.collect(), others)
}

/// After a whole conversation both sides hold the same, and so say their sums.
pub fn agrees(fleet: &Fleet, phone: usize) {
    let phone = &fleet.phones[phone];
    let agreement = phone.replica.agreement().expect("the store answers");
    assert!(
        matches!(agreement, Agreement::Synced { .. } | Agreement::Unsent),
        "seed {}: after a whole conversation {} and the ward do not hold the same: {agreement:?}",
        fleet.plan.seed,
        phone.name
    );
}

/// What must hold after every step: nobody is told 'on the server' of something that is not.
pub fn always(fleet: &Fleet) {
    if fleet.was_ward_restored {
        // A phone that was told before the restore learns of it at its next conversation.
        return;
    }
    let on_ward = ward_rows(&fleet.ward);
    for phone in &fleet.phones {
        for summary in phone
            .replica
            .cases(&CaseQuery::default())
            .expect("the store answers")
        {
            assert!(
                summary.sync != SyncState::OnServer || on_ward.contains_key(&summary.row.case.id),
                "seed {}: {} says 'on the server' of a case that the ward does not have",
                fleet.plan.seed,
                phone.name
            );
        }
    }
}

/// Whether every phone shows what the ward shows, with nothing unsent.
#[must_use]
pub fn is_converged(fleet: &Fleet) -> bool {
    let ward = snapshot_of_ward(&fleet.ward);
    fleet.phones.iter().all(|phone| {
        phone
            .replica
            .pending()
            .expect("the store answers")
            .is_empty()
            && snapshot_of_phone(phone) == in_scope(fleet, phone, &ward)
    })
}

/// Fails with what differs.
pub fn explain_divergence(fleet: &Fleet) {
    let ward = snapshot_of_ward(&fleet.ward);
    for phone in &fleet.phones {
        let pending = phone.replica.pending().expect("the store answers");
        assert!(
            pending.is_empty(),
            "seed {}: {} still has {} unsent items after the faults stopped",
            fleet.plan.seed,
            phone.name,
            pending.len()
        );
        let shown = snapshot_of_phone(phone);
        let due = in_scope(fleet, phone, &ward);
        let keys = |of: &BTreeMap<Uuid, Case>, but: &BTreeMap<Uuid, Case>| -> Vec<Uuid> {
            of.keys()
                .filter(|id| !but.contains_key(id))
                .copied()
                .collect()
        };
        let (too_many, missing) = (keys(&shown, &due), keys(&due, &shown));
        assert!(
            too_many.is_empty() && missing.is_empty(),
            "seed {}: after the faults stopped {} of {:?} holds {too_many:?} too many and lacks {missing:?}",
            fleet.plan.seed,
            phone.name,
            fleet.areas.get(&phone.officer),
        );
        for (id, case) in due {
            assert_eq!(
                shown[&id], case,
                "seed {}: {} and the ward differ after the faults stopped",
                fleet.plan.seed, phone.name
            );
        }
    }
}

/// What must hold once faults stopped and everybody talked.
pub fn healed(fleet: &Fleet) {
    nothing_is_lost(fleet);
    scopes_are_kept(fleet);
    files_are_there(fleet);
    assert!(
        fleet.ward.are_sums_right().expect("the ward answers"),
        "seed {}: the ward's sums are not what its edits say",
        fleet.plan.seed
    );
    rows_are_projections(fleet);
    numbers_are_unique(fleet);
    for phone in &fleet.phones {
        for (id, _) in phone_rows(phone) {
            let detail = phone
                .replica
                .case(id)
                .expect("the store answers")
                .expect("the case is there");
            assert!(
                matches!(detail.sync, SyncState::OnServer | SyncState::Rejected),
                "seed {}: {} says {:?} of a case although nothing is unsent",
                fleet.plan.seed,
                phone.name,
                detail.sync
            );
        }
    }
}

/// What the ward refused, each once, also what somebody took away by hand with an old copy of a phone.
fn refusals(fleet: &Fleet) -> Vec<RejectedItem> {
    fleet
        .phones
        .iter()
        .flat_map(|phone| phone.replica.rejected().expect("the store answers"))
        .chain(fleet.wiped_refusals.iter().cloned())
        .map(|item| (item.edit, item))
        .collect::<BTreeMap<_, _>>()
        .into_values()
        .collect()
}

/// Every acknowledged record is on the ward, each note once, or listed as refused with its content.
fn nothing_is_lost(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    let ward = snapshot_of_ward(&fleet.ward);
    let refused = refusals(fleet);
    for (id, promised) in &fleet.ledger.cases {
        let case = ward
            .get(id)
            .unwrap_or_else(|| panic!("seed {seed}: a recorded case is nowhere"));
        if !promised.text.is_empty() {
            assert_eq!(case.text, promised.text, "seed {seed}: the words changed");
        }
        for words in &promised.notes {
            let times = case.notes.iter().filter(|note| note.text == *words).count();
            let is_refused = refused.iter().any(|item| {
                item.content.iter().any(|change| {
                    change
                        .value
                        .as_deref()
                        .is_some_and(|value| value.contains(words.as_str()))
                })
            });
            assert!(
                times == 1 || (times == 0 && is_refused),
                "seed {seed}: a note ({words}) of {id} is there {times} times"
            );
        }
        let refused_counts = refused
            .iter()
            .filter(|item| item.record == *id)
            .flat_map(|item| &item.content)
            .filter(|change| change.operation == "increment")
            .count();
        let refused_counts = i64::try_from(refused_counts).expect("few");
        assert!(
            case.households <= 1 + promised.households
                && case.households >= 1 + promised.households - refused_counts,
            "seed {seed}: {} households were counted and {} are shown",
            promised.households + 1,
            case.households
        );
    }
}

/// Every file to which an accepted case refers is on the ward with the bytes that were attached, and
/// no more travelled twice than a chunk for each time that a connection broke off.
fn files_are_there(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    for (id, case) in snapshot_of_ward(&fleet.ward) {
        let promised = fleet.ledger.cases.get(&id);
        for attachment in &case.attachments {
            let stored = fleet
                .ward
                .attachment(attachment.hash)
                .expect("the ward answers");
            let expected = promised.and_then(|promised| promised.files.get(&attachment.hash));
            assert_eq!(
                stored.as_ref().map(|(bytes, _)| bytes),
                expected,
                "seed {seed}: a file to which a case refers is not what was attached"
            );
        }
        let refused = refusals(fleet)
            .iter()
            .filter(|item| item.record == id)
            .count();
        let shown: BTreeSet<_> = case.attachments.iter().map(|file| file.hash).collect();
        let promised = promised.map_or(0, |promised| promised.files.len());
        assert!(
            shown.len() + refused >= promised,
            "seed {seed}: {promised} files were attached and {} are shown",
            shown.len()
        );
    }
    let _ = held_files(fleet);
    let tally = fleet.tally();
    // A clone may send at the same time as its twin, and a restored ward has lost what it had.
    if tally.clones == 0 && tally.ward_restores == 0 {
        assert!(
            tally.resent_bytes <= tally.file_cuts * ATTACHMENT_CHUNK_BYTES,
            "seed {seed}: {} bytes of files travelled twice in {} cuts",
            tally.resent_bytes,
            tally.file_cuts
        );
    }
}

/// How many files phones hold; each is what was attached.
pub fn held_files(fleet: &Fleet) -> usize {
    let mut held = 0;
    for phone in &fleet.phones {
        for (id, promised) in &fleet.ledger.cases {
            for (hash, bytes) in &promised.files {
                let here = phone.replica.attachment(*hash).expect("the store answers");
                assert!(
                    here.as_ref().is_none_or(|here| here == bytes),
                    "seed {}: {} holds other bytes of a file of {id}",
                    fleet.plan.seed,
                    phone.name
                );
                held += usize::from(here.is_some());
            }
        }
    }
    held
}

/// Rows are what their documents say, on both sides.
fn rows_are_projections(fleet: &Fleet) {
    for phone in &fleet.phones {
        assert_eq!(
            phone.replica.check().expect("the store answers"),
            Vec::<Uuid>::new(),
            "seed {}: rows of {} differ from their documents",
            fleet.plan.seed,
            phone.name
        );
    }
    for (id, row) in ward_rows(&fleet.ward) {
        let case = fleet
            .ward
            .case(id)
            .expect("the ward answers")
            .expect("a case with a row has a document");
        let expected = Case {
            notes: Vec::new(),
            attachments: Vec::new(),
            conflicts: Vec::new(),
            ..case.clone()
        };
        assert_eq!(
            row.case, expected,
            "seed {}: a row differs",
            fleet.plan.seed
        );
        assert_eq!(usize::try_from(row.note_count), Ok(case.notes.len()));
        assert_eq!(
            usize::try_from(row.conflict_count),
            Ok(case.conflicts.len())
        );
    }
}

/// No official number is given to two cases.
fn numbers_are_unique(fleet: &Fleet) {
    let mut seen = BTreeSet::new();
    for case in snapshot_of_ward(&fleet.ward).into_values() {
        if let Some(number) = case.official_number {
            assert!(
                seen.insert(number),
                "seed {}: two cases have one official number",
                fleet.plan.seed
            );
        }
    }
}
