//! Behaviours of one replica. Those with a ward or a second process are in the tests crate.

mod contact;
mod download;
mod giving_back;
mod growth;
mod looking;
mod property;
mod records;
mod rejection;
mod scope;
mod upload;
mod ward;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use uuid::Uuid;

use super::*;
use crate::model::{
    Area, Category, DeviceId, Directory, OfficerId, Role, Status, Timestamp, WardKey,
};
use crate::protocol::credential::DeviceCredential;
use crate::protocol::initiator::{DeviceAnswer, DeviceCommand};

/// 2 March 2026, 08:00 in Việt Nam.
const MORNING: Timestamp = Timestamp(1_772_413_200_000);

/// A clock that stands still until it is told, and chance that never repeats within a test run.
struct TestEnvironment {
    now: AtomicI64,
}

/// Shared by all, as chance is: two openings never draw the same.
static DRAWN: AtomicU64 = AtomicU64::new(1);

impl Environment for TestEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
        let mut reader = blake3::Hasher::new()
            .update(&drawn.to_le_bytes())
            .finalize_xof();
        reader.fill(bytes);
    }
}

fn environment() -> Arc<dyn Environment> {
    Arc::new(TestEnvironment {
        now: AtomicI64::new(MORNING.0),
    })
}

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(directory: &Path) -> Replica {
    Replica::open(directory, &key(), environment()).unwrap()
}

fn ward_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn officer() -> OfficerId {
    OfficerId(Uuid::from_bytes([1; 16]))
}

fn enrol(replica: &Replica, officer: OfficerId, role: Role) {
    let enrolment = Enrolment {
        ward_key: WardKey(ward_key().verifying_key().to_bytes()),
        rescue_key: [9; 32],
        addresses: vec!["127.0.0.1:4433".to_owned()],
        credential: DeviceCredential {
            ward: "26995".parse().unwrap(),
            device: DeviceId::of(&replica.device_key()),
            officer,
            role,
            issued_at: MORNING,
            signature: [0; 64],
        },
    };
    replica.set_enrolment(&enrolment).unwrap();
}

/// An enrolled replica in a folder of its own, with the ward's directory.
fn phone() -> (tempfile::TempDir, Replica) {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path());
    enrol(&replica, officer(), Role::Officer);
    apply_directory(&replica);
    (folder, replica)
}

fn apply_directory(replica: &Replica) {
    let directory = directory();
    let version = crate::protocol::directory::version(&directory);
    let command = DeviceCommand::ApplyDirectory {
        directory: Box::new(directory),
        version,
    };
    assert_eq!(replica.execute(command).unwrap(), DeviceAnswer::Done);
}

fn directory() -> Directory {
    let area = |code: &str, name: &str| Area {
        code: code.to_owned(),
        name: name.to_owned(),
        type_label: "khu phố".to_owned(),
        parent: None,
        old_names: Vec::new(),
        valid_from: "2025-07-01".to_owned(),
        valid_to: None,
    };
    Directory {
        ward: "26995".parse().unwrap(),
        ward_name: "Phường Tân Hòa".to_owned(),
        province: "Thành phố Hồ Chí Minh".to_owned(),
        old_wards: Vec::new(),
        areas: vec![
            area("p6-kp1", "Khu phố 1"),
            area("p8-kp1", "Khu phố 1"),
            area("p6-kp3", "Khu phố 3"),
        ],
        officers: Vec::new(),
        divisions: Vec::new(),
        categories: vec![Category {
            code: "noise".to_owned(),
            name: "Tiếng ồn".to_owned(),
            parent: None,
        }],
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn case(text: &str) -> NewCase {
    NewCase {
        text: text.to_owned(),
        ..NewCase::default()
    }
}

/// A second phone, of the triage desk.
fn desk() -> (tempfile::TempDir, Replica) {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path());
    enrol(&replica, OfficerId(Uuid::from_bytes([2; 16])), Role::Triage);
    (folder, replica)
}

fn status(status: Status) -> CaseChange {
    CaseChange {
        status: Some(status),
        ..CaseChange::default()
    }
}

fn sync_of(phone: &Replica, id: Uuid) -> SyncState {
    phone.case(id).unwrap().unwrap().sync
}

fn assert_sound(phone: &Replica) {
    assert_eq!(phone.check().unwrap(), Vec::<Uuid>::new());
}

fn count(phone: &Replica, table: &str) -> i64 {
    let count = |connection: &rusqlite::Connection| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
    };
    phone.read(count).unwrap()
}
