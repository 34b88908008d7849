//! The ward's store is put back from a backup: devices notice, give back what was lost, and every
//! number is issued once or void.

use std::path::Path;

use gandan_core::document::schema::field;
use gandan_core::model::{Role, Status};
use gandan_core::protocol::feed::Cursor;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use uuid::Uuid;

use super::desk::walk_in;
use super::fixture::{TestEnvironment, World};
use super::phone::Phone;
use crate::app;
use crate::ward::{Ward, WardError};

pub(super) fn backup(world: &World, to: &Path) {
    // The store's own log is folded in first, as an administrator's copy of a stopped server has it.
    world
        .ward
        .read(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .ok();
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

pub(super) fn restored(from: &Path) -> Ward {
    Ward::open(from, TestEnvironment::new(9)).unwrap()
}

fn number(ward: &Ward, case: Uuid) -> Option<String> {
    ward.case(case)
        .unwrap()
        .and_then(|case| case.official_number)
}

/// Every line of the register: number, case, reason.
fn register(ward: &Ward) -> Vec<(i64, bool)> {
    ward.read(|connection| {
        connection
            .prepare("SELECT number, uuid IS NOT NULL FROM official_numbers ORDER BY number")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    })
    .unwrap()
}

fn epoch(ward: &Ward) -> [u8; 16] {
    let current = "SELECT epoch FROM epochs WHERE is_current = 1";
    ward.read(|connection| connection.query_row(current, [], |row| row.get(0)))
        .unwrap()
}

#[test]
fn what_the_ward_lost_comes_back_with_the_ward_s_own_word_and_numbering_waits() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Triage, &[]);
    let old = tempfile::tempdir().unwrap();
    for phone in [&recorder, &reader] {
        assert!(phone.greet(&world.ward));
    }
    backup(&world, old.path());

    let case = recorder.case("Ngập", None);
    let uuid = case.edit().document.uuid;
    let note = recorder.note(&case, "sâu nửa mét");
    let own = [case.clone(), note.clone()];
    recorder.send(&world.ward, &own);
    let first = app::accept(&world.ward, &clerk, uuid).unwrap();
    recorder.read(&world.ward);
    reader.read(&world.ward);

    let ward = restored(old.path());
    assert!(ward.case(uuid).unwrap().is_none());
    assert!(!reader.greet(&ward), "a cursor from the future");
    assert!(ward.is_numbering_paused().unwrap());

    reader.give_back(&ward, &[]);
    assert_eq!(number(&ward, uuid).as_deref(), Some(&first[..]));
    let shown = ward.case(uuid).unwrap().unwrap();
    assert_eq!((shown.status, shown.notes.len()), (Status::Accepted, 1));
    assert_eq!(register(&ward), [(1, true)]);

    // The other phone has not reported: a new case gets no number yet.
    let desk = app::record(&ward, &clerk, walk_in("Mới")).unwrap().0;
    assert!(matches!(
        app::accept(&ward, &clerk, desk),
        Err(WardError::NumberingPaused)
    ));
    reader.cursor = Cursor::default();
    reader.read(&ward);
    assert!(ward.is_numbering_paused().unwrap());

    assert!(!recorder.greet(&ward));
    recorder.give_back(&ward, &own);
    assert_eq!(
        recorder.send(&ward, &own),
        [
            Verdict::Duplicate { sequence: 1 },
            Verdict::Duplicate { sequence: 2 }
        ]
    );
    recorder.cursor = Cursor::default();
    recorder.read(&ward);
    assert!(
        !ward.is_numbering_paused().unwrap(),
        "everybody has reported"
    );
    assert_eq!(
        app::accept(&ward, &clerk, desk).unwrap(),
        "PA-2026-000002/P26995"
    );
    assert!(recorder.greet(&ward));
}

#[test]
fn a_number_that_nobody_can_account_for_is_void() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut reader = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    assert!(reader.greet(&world.ward));
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    // Numbers 1 and 2 are seen by nobody but the ward, number 3 by the phone.
    let mut unplaced = walk_in("không ai thấy");
    unplaced.area = None;
    for _ in 0..2 {
        let id = app::record(&world.ward, &clerk, unplaced.clone())
            .unwrap()
            .0;
        app::accept(&world.ward, &clerk, id).unwrap();
    }
    let seen = app::record(&world.ward, &clerk, walk_in("thấy")).unwrap().0;
    let third = app::accept(&world.ward, &clerk, seen).unwrap();
    assert_eq!(third, "PA-2026-000003/P26995");
    assert_eq!(reader.read(&world.ward).len(), 3);

    let ward = restored(old.path());
    assert!(!reader.greet(&ward));
    reader.give_back(&ward, &[]);
    assert_eq!(number(&ward, seen).as_deref(), Some(&third[..]));
    ward.resume_numbering().unwrap();
    assert_eq!(register(&ward), [(1, false), (2, false), (3, true)]);
    let next = app::record(&ward, &clerk, walk_in("sau")).unwrap().0;
    assert_eq!(
        app::accept(&ward, &clerk, next).unwrap(),
        "PA-2026-000004/P26995"
    );
}

#[test]
fn a_number_that_was_voided_and_comes_back_late_is_the_case_s_again() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut early = Phone::enrol(&world, 1, Role::Officer, &["27001"]);
    let mut late = Phone::enrol(&world, 2, Role::Officer, &["26998"]);
    for phone in [&early, &late] {
        assert!(phone.greet(&world.ward));
    }
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let first = app::record(&world.ward, &clerk, walk_in("một")).unwrap().0;
    let lost = app::accept(&world.ward, &clerk, first).unwrap();
    let mut elsewhere = walk_in("hai");
    elsewhere.area = Some("27001".to_owned());
    let second = app::record(&world.ward, &clerk, elsewhere).unwrap().0;
    app::accept(&world.ward, &clerk, second).unwrap();
    early.read(&world.ward);
    late.read(&world.ward);

    let ward = restored(old.path());
    assert!(!early.greet(&ward));
    early.give_back(&ward, &[]);
    ward.resume_numbering().unwrap();
    assert_eq!(register(&ward), [(1, false), (2, true)]);
    assert!(!late.greet(&ward));
    late.give_back(&ward, &[]);
    assert_eq!(number(&ward, first), Some(lost));
    assert_eq!(register(&ward), [(1, true), (2, true)]);
}

#[test]
fn a_number_that_was_issued_again_meanwhile_is_not_held_by_two_cases() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut late = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    assert!(late.greet(&world.ward));
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let first = app::record(&world.ward, &clerk, walk_in("một")).unwrap().0;
    app::accept(&world.ward, &clerk, first).unwrap();
    late.read(&world.ward);

    // Nobody notices the restore until number 1 has been issued again.
    let ward = restored(old.path());
    let other = app::record(&ward, &clerk, walk_in("khác")).unwrap().0;
    assert_eq!(
        app::accept(&ward, &clerk, other).unwrap(),
        "PA-2026-000001/P26995"
    );
    assert!(!late.greet(&ward));
    late.give_back(&ward, &[]);
    late.cursor = Cursor::default();
    late.read(&ward);
    assert_eq!(
        number(&ward, other).as_deref(),
        Some("PA-2026-000001/P26995")
    );
    assert_eq!(
        number(&ward, first).as_deref(),
        Some("PA-2026-000002/P26995")
    );
    assert_eq!(register(&ward), [(1, true), (2, true)]);
}

#[test]
fn what_depends_on_another_s_edit_waits_until_that_is_given_back() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut triage = Phone::enrol(&world, 2, Role::Triage, &[]);
    let mut other = Phone::enrol(&world, 3, Role::Officer, &["27001"]);
    for phone in [&recorder, &triage, &other] {
        assert!(phone.greet(&world.ward));
    }
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let case = recorder.case("Ngập", Some("26998"));
    recorder.send(&world.ward, std::slice::from_ref(&case));
    let own = other.case("Rác", Some("27001"));
    other.send(&world.ward, &[own]);
    other.read(&world.ward);
    let moved = triage.set(&case, field::AREA, "27001");
    triage.send(&world.ward, std::slice::from_ref(&moved));
    other.read(&world.ward);
    recorder.read(&world.ward);

    let ward = restored(old.path());
    // This phone gives back the edit that moved the case, but not the case.
    for page in &mut other.pages {
        for (entry, body) in page.proof.entries.iter().zip(&mut page.bodies) {
            if entry.edit == case.id() {
                *body = None;
            }
        }
    }
    assert!(!other.greet(&ward));
    other.give_back(&ward, &[]);
    assert!(ward.case(case.edit().document.uuid).unwrap().is_none());
    assert!(!recorder.greet(&ward));
    // The recorder's own word is enough: the bundle, sent again.
    assert_eq!(
        recorder.send(&ward, std::slice::from_ref(&case)),
        [Verdict::Accepted { sequence: 1 }]
    );
    let shown = ward.case(case.edit().document.uuid).unwrap().unwrap();
    assert_eq!(shown.area.as_deref(), Some("27001"));
}

#[test]
fn what_the_ward_did_not_sign_is_not_taken_back() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut forger = Phone::enrol(&world, 2, Role::Officer, &[]);
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let case = recorder.case("Ngập", None);
    recorder.send(&world.ward, std::slice::from_ref(&case));
    forger.read(&world.ward);
    let ward = restored(old.path());
    let genuine = forger.pages[0].clone();
    forger.pages[0].proof.entries[0].author = forger.author.officer;
    forger.give_back(&ward, &[]);
    assert!(ward.case(case.edit().document.uuid).unwrap().is_none());
    // Another body under a signed name neither.
    let other = forger.case("Giả", None);
    forger.pages[0] = genuine;
    forger.pages[0].bodies[0] = Some(other.bytes().to_vec());
    forger.give_back(&ward, &[]);
    assert!(ward.case(other.edit().document.uuid).unwrap().is_none());
}

#[test]
fn one_restore_begins_one_epoch_however_many_devices_notice() {
    let world = World::new();
    let mut phones: Vec<Phone> = (1..=3)
        .map(|number| Phone::enrol(&world, number, Role::Triage, &[]))
        .collect();
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let case = phones[0].case("Ngập", None);
    phones[0].send(&world.ward, &[case]);
    for phone in &mut phones {
        phone.read(&world.ward);
    }
    let ward = restored(old.path());
    assert!(!phones[0].greet(&ward));
    let begun = epoch(&ward);
    assert_ne!(begun, epoch(&world.ward));
    for phone in &phones {
        assert!(!phone.greet(&ward));
    }
    assert_eq!(epoch(&ward), begun);
}

#[test]
fn a_restore_to_before_a_new_epoch_begins_one_more_and_only_one() {
    let world = World::new();
    let mut phones: Vec<Phone> = (1..=2)
        .map(|number| Phone::enrol(&world, number, Role::Triage, &[]))
        .collect();
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let again = tempfile::tempdir().unwrap();
    backup(&world, again.path());
    let case = phones[0].case("Ngập", None);
    phones[0].send(&world.ward, std::slice::from_ref(&case));
    for phone in &mut phones {
        phone.read(&world.ward);
    }
    let first = restored(old.path());
    for phone in &mut phones {
        assert!(!phone.greet(&first));
        phone.send(&first, std::slice::from_ref(&case));
        phone.cursor = Cursor::default();
        phone.read(&first);
    }
    // The same old backup once more: it has never heard of the epoch of the phones' cursors.
    let second = Ward::open(again.path(), TestEnvironment::new(10)).unwrap();
    assert!(!phones[0].greet(&second));
    let begun = epoch(&second);
    assert_ne!(begun, epoch(&world.ward));
    assert!(!phones[1].greet(&second));
    assert_eq!(epoch(&second), begun);
    assert!(second.is_numbering_paused().unwrap());
}

#[test]
fn an_invented_cursor_is_no_restore() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    phone.send(&world.ward, &[case]);
    phone.read(&world.ward);
    for byte in 0..phone.cursor.0.len() {
        let genuine = phone.cursor.clone();
        phone.cursor.0[byte] ^= 1;
        phone.greet(&world.ward);
        assert!(!world.ward.is_numbering_paused().unwrap(), "byte {byte}");
        phone.cursor = genuine;
    }
    assert!(phone.greet(&world.ward));
}

#[test]
fn a_case_accepted_while_numbering_is_paused_gets_its_number_afterwards() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut other = Phone::enrol(&world, 2, Role::Triage, &[]);
    for phone in [&phone, &other] {
        assert!(phone.greet(&world.ward));
    }
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let lost = other.case("Mất", None);
    other.send(&world.ward, &[lost]);
    other.read(&world.ward);
    let ward = restored(old.path());
    assert!(!other.greet(&ward));
    let case = phone.case("Ngập", None);
    let uuid = case.edit().document.uuid;
    let accept = phone.set(&case, field::STATUS, Status::Accepted.code());
    phone.send(&ward, &[case, accept]);
    assert_eq!(number(&ward, uuid), None);
    ward.resume_numbering().unwrap();
    assert_eq!(
        number(&ward, uuid).as_deref(),
        Some("PA-2026-000001/P26995")
    );
}

#[test]
fn a_device_that_stays_is_sent_away_to_give_back_when_a_restore_is_found() {
    let world = World::new();
    let staying = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Triage, &[]);
    let old = tempfile::tempdir().unwrap();
    let mut recorder = Phone::enrol(&world, 3, Role::Officer, &[]);
    backup(&world, old.path());
    let case = recorder.case("Ngập", None);
    recorder.send(&world.ward, &[case]);
    reader.read(&world.ward);

    let ward = restored(old.path());
    let mut staying = staying;
    staying.read(&ward);
    let mut watching = ward.watch(staying.device());
    let read = || WardCommand::ReadFeed(staying.cursor.clone());
    assert!(matches!(
        ward.execute(staying.device(), read()).unwrap(),
        WardAnswer::CaughtUp(_)
    ));
    assert!(!reader.greet(&ward), "a cursor from the future");
    assert!(watching.interest().unwrap().feed);
    assert_eq!(
        ward.execute(staying.device(), read()).unwrap(),
        WardAnswer::Refused(Refusal::Unavailable)
    );
    assert!(!staying.greet(&ward), "it hears why when it comes again");
}
