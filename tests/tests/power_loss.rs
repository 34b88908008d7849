//! A phone and a ward on disks that fail at every operation of a day: what either of them had promised
//! before is there afterwards, and both work on.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says where it is, and one that unwraps fails with a line number"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::model::{DeviceId, Role};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::initiator::Initiator;
use gandan_core::protocol::responder::Responder;
use gandan_core::replica::{NewCase, Replica, SyncState};
use gandan_core::store::rows::{self, CaseQuery};
use gandan_core::store::{OpenError, StoreKey};
use gandan_server::ward::Ward;
use gandan_tests::disk::{Disk, Fault};
use gandan_tests::folders;
use gandan_tests::simulation::world::{Clock, Dice, SimulatedEnvironment, Skew};
use uuid::Uuid;

/// Every so-manyth operation is one that fails; the rest is for `GANDAN_EVERY=1`.
const EVERY: u64 = 5;
const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xd9,
];

/// Which of the two stands on the failing disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Phone,
    Ward,
}

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn environment(seed: u64, purpose: u64) -> Arc<dyn Environment> {
    SimulatedEnvironment::new(Clock::default(), Skew::default(), Dice::new(seed, purpose))
}

/// A ward with one enrolled phone, in a folder to be copied.
fn enrolled(root: &Path) {
    let ward = Ward::init(
        &root.join("ward"),
        "26995".parse().unwrap(),
        environment(0, 1),
    )
    .unwrap();
    let phone = Replica::open(&root.join("phone"), &key(), environment(0, 2)).unwrap();
    let officer = ward.officer("Cán bộ", Role::Leader, &[]).unwrap();
    let invite = ward
        .invite(officer, &["127.0.0.1:1".to_owned()], 3_600_000)
        .unwrap();
    let request = EnrolmentRequest {
        token: invite.token,
        device_name: "phone".to_owned(),
    };
    let enrolment = ward.enrol(device(&phone), &request).unwrap().unwrap();
    phone.set_enrolment(&enrolment).unwrap();
    assert!(speak(&phone, &ward));
}

fn device(phone: &Replica) -> DeviceId {
    DeviceId::of(&phone.device_key())
}

/// One conversation; whether everything was said.
fn speak(phone: &Replica, ward: &Ward) -> bool {
    let Ok(Some(opening)) = phone.begin_conversation("test") else {
        return false;
    };
    let mut initiator = Initiator::new(opening);
    let mut responder = Responder::new();
    let mut up = Vec::new();
    while !initiator.is_finished() {
        let mut is_idle = true;
        while let Some(command) = initiator.poll_command() {
            let Ok(answer) = phone.execute(command) else {
                return false;
            };
            initiator.handle_answer(answer);
            is_idle = false;
        }
        while let Some(bytes) = initiator.poll_transmit() {
            up.extend(bytes);
        }
        if !up.is_empty() && !responder.is_busy() {
            responder.handle_bytes(&std::mem::take(&mut up)).unwrap();
            is_idle = false;
        }
        while let Some(command) = responder.poll_command() {
            let Ok(answer) = ward.execute(device(phone), command) else {
                return false;
            };
            responder.handle_answer(answer);
            is_idle = false;
        }
        while let Some(bytes) = responder.poll_transmit() {
            if initiator.handle_bytes(&bytes).is_err() {
                return false;
            }
            is_idle = false;
        }
        if is_idle && !initiator.is_finished() {
            return false;
        }
    }
    true
}

fn case(text: &str) -> NewCase {
    NewCase {
        text: text.to_owned(),
        ..NewCase::default()
    }
}

/// A day until something fails: what was promised to the officer, by the id of its case.
fn day(root: &Path, seed: u64) -> BTreeSet<Uuid> {
    let mut promised = BTreeSet::new();
    let Ok(phone) = Replica::open(&root.join("phone"), &key(), environment(seed, 3)) else {
        return promised;
    };
    let record = |text, promised: &mut BTreeSet<Uuid>| {
        let recorded = phone.record_case(case(text)).ok()?;
        promised.insert(recorded.id);
        Some(recorded.id)
    };
    let first = record("Cống tắc, nước tràn vào nhà", &mut promised);
    if let Some(first) = first {
        let _ = phone.attach(first, "a.jpg", JPEG);
        let _ = phone.add_note(first, "Đã xem tại chỗ");
    }
    record("Đèn đường hỏng", &mut promised);
    if let Ok(ward) = Ward::open(&root.join("ward"), environment(seed, 4)) {
        speak(&phone, &ward);
        record("Mất nước hai ngày", &mut promised);
        speak(&phone, &ward);
    }
    promised
}

/// Plays days in which the victim's disk fails later and later, until one passes without.
fn every_operation(victim: Victim, fault: impl Fn(u64) -> Fault) {
    let template = tempfile::tempdir().unwrap();
    enrolled(template.path());
    let every = std::env::var("GANDAN_EVERY").map_or(EVERY, |every| every.parse().unwrap());
    let mut at = 1;
    loop {
        println!("{victim:?} {:?}", fault(at));
        let root = tempfile::tempdir().unwrap();
        folders::copy(template.path(), root.path());
        let folder = match victim {
            Victim::Phone => "phone",
            Victim::Ward => "ward",
        };
        let disk = Disk::under(&root.path().join(folder));
        disk.plan(Some(fault(at)));
        let promised = day(root.path(), at);
        let has_failed = disk.has_failed();
        disk.power_on(&mut Dice::new(at, 9));
        everything_is_there(root.path(), at, &promised);
        if !has_failed {
            println!("{} operations", disk.operations());
            assert_eq!(promised.len(), 3);
            return;
        }
        at += every;
    }
}

fn on_phone(phone: &Replica) -> BTreeSet<Uuid> {
    let cases = phone.cases(&CaseQuery::default()).unwrap();
    cases
        .into_iter()
        .map(|summary| summary.row.case.id)
        .collect()
}

fn on_ward(ward: &Ward) -> BTreeSet<Uuid> {
    let cases = ward.read(|connection| rows::cases(connection, &CaseQuery::default()));
    cases.unwrap().into_iter().map(|row| row.case.id).collect()
}

fn everything_is_there(root: &Path, seed: u64, promised: &BTreeSet<Uuid>) {
    let phone = Replica::open(&root.join("phone"), &key(), environment(seed, 5)).unwrap();
    assert!(on_phone(&phone).is_superset(promised));
    assert_eq!(phone.check().unwrap(), Vec::<Uuid>::new());

    let ward = Ward::open(&root.join("ward"), environment(seed, 6)).unwrap();
    let acknowledged: BTreeSet<Uuid> = phone
        .cases(&CaseQuery::default())
        .unwrap()
        .into_iter()
        .filter(|summary| summary.sync == SyncState::OnServer)
        .map(|summary| summary.row.case.id)
        .collect();
    assert!(on_ward(&ward).is_superset(&acknowledged));

    assert!(speak(&phone, &ward), "both work on");
    assert_eq!(phone.pending().unwrap(), []);
    assert_eq!(phone.rejected().unwrap(), []);
    assert_eq!(on_ward(&ward), on_phone(&phone));
    assert!(on_ward(&ward).is_superset(promised));
    for id in promised {
        let detail = phone.case(*id).unwrap().unwrap();
        let on_ward = ward.case(*id).unwrap().unwrap();
        assert_eq!(detail.case.text, on_ward.text);
        assert_eq!(detail.case.notes, on_ward.notes);
    }
}

#[test]
fn a_phone_that_loses_power_at_any_operation_keeps_what_it_promised() {
    every_operation(Victim::Phone, |at| Fault::PowerLoss { at });
}

#[test]
fn a_phone_whose_disk_is_full_at_any_operation_keeps_what_it_promised() {
    every_operation(Victim::Phone, |at| Fault::Full { at });
}

#[test]
fn a_phone_whose_disk_fails_once_at_any_operation_keeps_what_it_promised() {
    every_operation(Victim::Phone, |at| Fault::Error { at });
}

#[test]
fn a_ward_that_loses_power_at_any_operation_keeps_what_it_acknowledged() {
    every_operation(Victim::Ward, |at| Fault::PowerLoss { at });
}

#[test]
fn a_ward_whose_disk_is_full_at_any_operation_keeps_what_it_acknowledged() {
    every_operation(Victim::Ward, |at| Fault::Full { at });
}

#[test]
fn a_store_that_loses_power_while_it_is_made_can_be_made_again() {
    let mut at = 1;
    loop {
        println!("power loss at operation {at}");
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("phone");
        let disk = Disk::under(&folder);
        disk.plan(Some(Fault::PowerLoss { at }));
        let made = Replica::open(&folder, &key(), environment(at, 1)).map(drop);
        let has_failed = disk.has_failed();
        disk.power_on(&mut Dice::new(at, 9));
        assert!(made.is_ok() || has_failed, "{made:?}");
        let again = Replica::open(&folder, &key(), environment(at, 2)).map(drop);
        let again = match again {
            // Nothing was in it, but that cannot be known: it is set aside and the next begins anew.
            Err(OpenError::Damaged { .. }) => {
                Replica::open(&folder, &key(), environment(at, 3)).map(drop)
            }
            other => other,
        };
        assert!(again.is_ok(), "{again:?}");
        if !has_failed {
            return;
        }
        at += 1;
    }
}
