//! Whether the promises were kept: EDITS.md and the invariants, as assertions that name the seed.

mod scope;

use std::collections::{BTreeMap, BTreeSet};

use gandan_core::model::Case;
use gandan_core::protocol::limits::ATTACHMENT_CHUNK_BYTES;
use gandan_core::replica::{Agreement, RejectedItem, SyncState};
use gandan_core::store::StoreError;
use gandan_core::store::rows::{self, CaseQuery, CaseRow};
use gandan_server::ward::Ward;
use uuid::Uuid;

use super::fleet::{Fleet, Phone};
use super::purging;
use scope::{in_scope, scopes_are_kept};
pub use scope::{loans_are_right, recent_is_held};

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

/// What may change nothing has changed nothing.
///
/// # Panics
/// With the seed, if it has.
pub fn is_unchanged(fleet: &Fleet, before: &BTreeMap<Uuid, Case>, what: &str) {
    assert_eq!(
        *before,
        snapshot_of_ward(fleet.ward()),
        "seed {}: {what} changed the ward",
        fleet.plan.seed
    );
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
        .cases()
        .into_iter()
        .map(|summary| (summary.row.case.id, summary.row))
        .collect()
}

fn snapshot_of_phone(phone: &Phone) -> BTreeMap<Uuid, Case> {
    phone_rows(phone)
        .into_keys()
        .map(|id| {
            let detail = phone
                .replica()
                .case(id)
                .expect("the store answers")
                .expect("a case with a row has a document");
            (id, detail.case)
        })
        .collect()
}

/// What a store must answer after a power cut: its tables and references are sound.
///
/// # Panics
/// With the seed, if they are not.
pub fn is_sound(connection: &rusqlite::Connection, seed: u64) {
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("the store answers");
    assert_eq!(integrity, "ok", "seed {seed}: after a power cut");
    says_nothing(connection, "PRAGMA foreign_key_check", seed);
}

/// In the end every page of the file itself is what was enciphered; before, a torn one may stand
/// in the file while the log has it whole.
fn is_sound_to_the_page(connection: &rusqlite::Connection, seed: u64) {
    is_sound(connection, seed);
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("the store answers");
    says_nothing(connection, "PRAGMA cipher_integrity_check", seed);
}

fn says_nothing(connection: &rusqlite::Connection, check: &str, seed: u64) {
    let mut statement = connection.prepare(check).expect("SQLCipher knows it");
    let mut faults = statement.query([]).expect("the store answers");
    let fault = faults.next().expect("the store answers");
    assert!(fault.is_none(), "seed {seed}: {check}");
}

/// After a whole conversation both sides hold the same, and so say their sums.
pub fn agrees(fleet: &Fleet, phone: usize) {
    let phone = &fleet.phones[phone];
    let agreement = phone.replica().agreement().expect("the store answers");
    // What a restored ward was given back may wait for an edit that only another phone holds, here as there. In
    // the end nothing may wait.
    if fleet.was_ward_restored && phone.waits_for_others() {
        return;
    }
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
    let on_ward = ward_rows(fleet.ward());
    for phone in in_hand(fleet) {
        let shown = match phone.replica().cases(&CaseQuery::default()) {
            // It says nothing.
            Err(StoreError::OutOfTouch { .. }) => continue,
            shown => shown.expect("the store answers"),
        };
        for summary in shown {
            let id = summary.row.case.id;
            // The phone has not heard of it yet.
            let is_purged = fleet.ledger.is_purged(id);
            assert!(
                summary.sync != SyncState::OnServer || on_ward.contains_key(&id) || is_purged,
                "seed {}: {} says 'on the server' of a case that the ward does not have",
                fleet.plan.seed,
                phone.name
            );
        }
    }
}

/// Phones that were not reported lost.
fn in_hand(fleet: &Fleet) -> impl Iterator<Item = &Phone> {
    fleet.phones.iter().filter(|phone| !phone.is_revoked)
}

/// Whether these phones show what the ward shows, with nothing unsent.
#[must_use]
pub fn is_converged(fleet: &Fleet, phones: &[usize]) -> bool {
    let ward = snapshot_of_ward(fleet.ward());
    phones.iter().all(|&phone| {
        let phone = &fleet.phones[phone];
        phone
            .replica()
            .pending()
            .expect("the store answers")
            .is_empty()
            && snapshot_of_phone(phone) == in_scope(fleet, phone, &ward)
    })
}

/// Fails with what differs.
pub fn explain_divergence(fleet: &Fleet, phones: &[usize]) {
    let ward = snapshot_of_ward(fleet.ward());
    for &phone in phones {
        let phone = &fleet.phones[phone];
        let pending = phone.replica().pending().expect("the store answers");
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
    purging::nothing_is_left(fleet);
    scopes_are_kept(fleet);
    files_are_there(fleet);
    assert!(
        fleet
            .ward
            .process()
            .are_sums_right()
            .expect("the ward answers"),
        "seed {}: the ward's sums are not what its edits say",
        fleet.plan.seed
    );
    the_ward_is_whole(fleet);
    rows_are_projections(fleet);
    numbers_are_unique_and_gapless(fleet);
    no_queue_is_stuck(fleet);
    for phone in &fleet.phones {
        is_sound_to_the_page(&phone.store(), fleet.plan.seed);
    }
    for phone in in_hand(fleet) {
        for (id, _) in phone_rows(phone) {
            let detail = phone
                .replica()
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

/// Chains, signatures, rows, files, sums, numbers and audit trail agree, and the trail goes through what phones
/// witnessed; a restore by copying folders is not told to it.
fn the_ward_is_whole(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    let checked = fleet.ward().check().expect("the ward answers");
    assert!(checked.is_sound(), "seed {seed}: {:?}", checked.problems);
    if fleet.was_ward_restored {
        return;
    }
    for phone in &fleet.phones {
        let witnessed = phone.replica().witnessed().expect("the store answers");
        assert_eq!(
            witnessed.broken_by, None,
            "seed {seed}: {} thinks that the audit trail was written anew",
            phone.name
        );
        let verified = fleet
            .ward()
            .verify_audit_against(&witnessed.checkpoints)
            .expect("the ward answers");
        assert!(verified.is_sound(), "seed {seed}: {:?}", verified.findings);
    }
}

/// What the ward refused, each once, also what somebody took away by hand with an old copy of a phone.
pub(super) fn refusals(fleet: &Fleet) -> Vec<RejectedItem> {
    fleet
        .phones
        .iter()
        .flat_map(Phone::refused)
        .chain(fleet.wiped_refusals.iter().cloned())
        .map(|item| (item.edit, item))
        .collect::<BTreeMap<_, _>>()
        .into_values()
        .collect()
}

/// Every acknowledged record is on the ward, each note once, or listed as refused with its content.
fn nothing_is_lost(fleet: &Fleet) {
    let seed = fleet.plan.seed;
    let ward = snapshot_of_ward(fleet.ward());
    let refused = refusals(fleet);
    // What only a lost phone holds stays there.
    let lost: Vec<_> = fleet
        .phones
        .iter()
        .filter(|phone| phone.is_revoked)
        .map(snapshot_of_phone)
        .collect();
    for (id, promised) in fleet.ledger.kept() {
        let Some(case) = ward.get(id) else {
            assert!(
                lost.iter().any(|cases| cases.contains_key(id)),
                "seed {seed}: a recorded case is nowhere"
            );
            continue;
        };
        assert!(
            !promised.is_of_lost_phone,
            "seed {seed}: what a lost phone recorded afterwards is on the ward"
        );
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
            let is_on_lost_phone = lost.iter().any(|cases| {
                let notes = cases.get(id).map(|case| &case.notes);
                notes.is_some_and(|notes| notes.iter().any(|note| note.text == *words))
            });
            // Of a case that had left its scope it is part of no document, and goes with a rescue file.
            let is_unsent_there = || {
                let mut phones = fleet.phones.iter().filter(|phone| phone.is_revoked);
                phones.any(|phone| phone.has_unsent(words))
            };
            assert!(
                times == 1 || (times == 0 && (is_refused || is_on_lost_phone || is_unsent_there())),
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
            case.households <= 1 + promised.households + promised.possible_households
                && (!lost.is_empty()
                    || case.households >= 1 + promised.households - refused_counts),
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
    for (id, case) in snapshot_of_ward(fleet.ward()) {
        let promised = fleet.ledger.cases.get(&id);
        for attachment in &case.attachments {
            let stored = fleet
                .ward()
                .attachment(attachment.hash)
                .expect("the ward answers");
            let Some((bytes, _)) = stored else {
                // The record was sent, and then the phone with the file was lost.
                let is_on_lost_phone = fleet.phones.iter().any(|phone| {
                    let file = phone.replica().attachment(attachment.hash);
                    phone.is_revoked && file.expect("the store answers").is_some()
                });
                assert!(is_on_lost_phone, "seed {seed}: a file of {id} is nowhere");
                continue;
            };
            assert!(
                promised.and_then(|promised| promised.file(attachment.hash)) == Some(&bytes),
                "seed {seed}: a file of {id} is not what was attached"
            );
        }
        let refused = refusals(fleet)
            .iter()
            .filter(|item| item.record == id)
            .count();
        let shown: BTreeSet<_> = case.attachments.iter().map(|file| file.hash).collect();
        let promised = promised.map_or(0, |promised| promised.files.len());
        assert!(
            shown.len() + refused >= promised || fleet.phones.iter().any(|phone| phone.is_revoked),
            "seed {seed}: {promised} files were attached and {} are shown",
            shown.len()
        );
    }
    let _ = held_files(fleet);
    let tally = fleet.tally();
    // A clone may send at the same time as its twin, a restored ward has lost what it had, and so has one that
    // purged the first case that showed a file.
    if tally.clones == 0 && tally.purges == 0 && tally.ward_restores == 0 {
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
    for phone in in_hand(fleet) {
        for (id, promised) in &fleet.ledger.cases {
            for (hash, bytes) in &promised.files {
                let here = phone
                    .replica()
                    .attachment(*hash)
                    .expect("the store answers");
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
    for phone in in_hand(fleet) {
        assert_eq!(
            phone.replica().check().expect("the store answers"),
            Vec::<Uuid>::new(),
            "seed {}: rows of {} differ from their documents",
            fleet.plan.seed,
            phone.name
        );
    }
    for (id, row) in ward_rows(fleet.ward()) {
        let case = fleet
            .ward()
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

/// Nothing waits for ever: no edit that is set aside, no reading half done. What is asked for by name and
/// is not in the scope any more is given up after five conversations; what is in it, the digests show.
fn no_queue_is_stuck(fleet: &Fleet) {
    for phone in in_hand(fleet) {
        let store = phone.store();
        for queue in ["set_aside", "doubtful"] {
            let waiting: i64 = store
                .query_row(&format!("SELECT count(*) FROM {queue}"), [], |row| {
                    row.get(0)
                })
                .expect("the store answers");
            assert_eq!(
                waiting, 0,
                "seed {}: {queue} of {} is never done",
                fleet.plan.seed, phone.name
            );
        }
    }
}

/// No official number is given to two cases, and none is left out: each was issued or is void.
fn numbers_are_unique_and_gapless(fleet: &Fleet) {
    let gaps: i64 = fleet
        .ward()
        .read(|connection| {
            connection.query_row(
                "SELECT coalesce(sum(gaps), 0) FROM (SELECT max(number) - count(*) AS gaps
                 FROM official_numbers GROUP BY register, year)",
                [],
                |row| row.get(0),
            )
        })
        .expect("the ward answers");
    assert_eq!(
        gaps, 0,
        "seed {}: official numbers have gaps",
        fleet.plan.seed
    );
    let mut seen = BTreeSet::new();
    for case in snapshot_of_ward(fleet.ward()).into_values() {
        if let Some(number) = case.official_number {
            assert!(
                seen.insert(number),
                "seed {}: two cases have one official number",
                fleet.plan.seed
            );
        }
    }
}
