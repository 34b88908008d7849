//! The phone's store as files: what a killed process leaves, and what each schema version is.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

use gandan_core::environment::SystemEnvironment;
use gandan_core::model::{DeviceId, OfficerId, Role, Timestamp, WardKey};
use gandan_core::protocol::credential::{DeviceCredential, Enrolment};
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::rows::CaseQuery;
use gandan_core::store::{StoreKey, connection, device};
use uuid::Uuid;

/// Where the child of a test finds its store.
const CHILD_STORE: &str = "GANDAN_TEST_CHILD_STORE";

/// Tells a child to open stores.
const CHILD_OPENINGS: &str = "GANDAN_TEST_CHILD_OPENINGS";
/// Each process has one first opening, and the race for it is not lost every time.
const PROCESSES: usize = 20;
const THREADS: usize = 8;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(folder: &Path) -> Replica {
    Replica::open(folder, &key(), Arc::new(SystemEnvironment)).expect("the store opens")
}

fn enrol(replica: &Replica) {
    let enrolment = Enrolment {
        ward_key: WardKey([1; 32]),
        rescue_key: [2; 32],
        addresses: Vec::new(),
        credential: DeviceCredential {
            ward: "26995".parse().expect("five digits"),
            device: DeviceId::of(&replica.device_key()),
            officer: OfficerId(Uuid::from_bytes([3; 16])),
            role: Role::Leader,
            issued_at: Timestamp(0),
            signature: [0; 64],
        },
    };
    replica
        .set_enrolment(&enrolment)
        .expect("the store answers");
}

/// Not a test by itself: the process that is killed in the next one.
#[test]
fn a_child_records_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD_STORE) else {
        return;
    };
    let replica = open(Path::new(&folder));
    let mut out = std::io::stdout();
    for number in 0.. {
        let case = NewCase {
            text: format!("Phản ánh số {number}: cống tắc, nước tràn vào hẻm"),
            ..NewCase::default()
        };
        let recorded = replica.record_case(case).expect("the case is recorded");
        writeln!(out, "recorded {}", recorded.id).expect("the parent reads");
        out.flush().expect("the parent reads");
    }
}

#[test]
fn what_a_killed_process_had_recorded_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    enrol(&open(folder.path()));
    let mut promised = Vec::new();
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "a_child_records_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD_STORE, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let ids = lines.by_ref().filter_map(|line| {
            let line = line.expect("text");
            let (_, id) = line.split_once("recorded ")?;
            Some(id.parse::<Uuid>().expect("an id"))
        });
        let before = promised.len();
        promised.extend(ids.take(3 * round));
        assert_eq!(
            promised.len() - before,
            3 * round,
            "the child opened the store"
        );
        // SIGKILL: nothing of the child's own runs any more.
        child.kill().expect("the child is there");
        child.wait().expect("the child is there");
    }
    let replica = open(folder.path());
    for id in &promised {
        assert!(replica.case(*id).expect("the store answers").is_some());
    }
    let count = replica
        .cases(&CaseQuery::default())
        .expect("the store answers")
        .len();
    assert!(count >= promised.len());
    assert_eq!(replica.pending().expect("the store answers").len(), count);
    assert_eq!(
        replica.check().expect("the store answers"),
        Vec::<Uuid>::new()
    );
}

/// Not a test by itself: the process whose first stores are opened by many threads at once.
#[test]
fn a_child_opens_its_first_stores_at_once() {
    if std::env::var_os(CHILD_OPENINGS).is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (path, together) = (folder.path().join(format!("{thread}.db")), &together);
            scope.spawn(move || {
                together.wait();
                connection::open(&path, &key(), device::MIGRATIONS).expect("the store opens");
            });
        }
    });
}

#[test]
fn the_first_stores_of_a_process_can_be_opened_at_once() {
    for _ in 0..PROCESSES {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "a_child_opens_its_first_stores_at_once"])
            .env(CHILD_OPENINGS, "1")
            .stdout(Stdio::null())
            .status()
            .expect("the child starts");
        assert!(child.success(), "a store did not open");
    }
}

#[test]
fn a_fresh_store_is_what_the_frozen_description_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("phone.db");
    let store = connection::open(&path, &key(), device::MIGRATIONS).expect("the store opens");
    let described = describe(&store);
    let frozen = include_str!("../vectors/store/phone-v1.sql");
    if described != frozen {
        let found = std::env::temp_dir().join("gandan-phone-schema.sql");
        std::fs::write(&found, &described).expect("a file can be written");
        panic!(
            "the schema differs from tests/vectors/store/phone-v1.sql; what a fresh file has is in {}",
            found.display()
        );
    }
}

/// Every table and index in SQL, without what only stands between the words.
fn describe(store: &rusqlite::Connection) -> String {
    let mut statement = store
        .prepare(
            "SELECT sql FROM sqlite_schema
             WHERE sql IS NOT NULL AND name NOT LIKE 'case_search_%' ORDER BY type DESC, name",
        )
        .expect("a schema");
    let statements = statement
        .query_map([], |row| row.get::<_, String>(0))
        .expect("a schema");
    let version: u32 = store
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    let mut described = format!("-- version {version}\n");
    for sql in statements {
        let sql = sql.expect("text");
        let words: Vec<&str> = sql.split_whitespace().collect();
        described.push_str(&words.join(" "));
        described.push_str(";\n");
    }
    described
}

#[test]
fn an_opening_waits_for_an_owner_that_is_letting_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let owner = open(folder.path());
    let both = Barrier::new(2);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| {
            both.wait();
            open(folder.path())
        });
        both.wait();
        drop(owner);
        next.join().expect("the next owner opens it");
    });
}
