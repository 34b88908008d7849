use super::*;
use crate::model::AttachmentHash;
use crate::protocol::agreement::HeldDigest;
use crate::store::rows::CaseQuery;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A phone whose clock can be put, opened anew each time.
struct Absent {
    folder: tempfile::TempDir,
    environment: Arc<TestEnvironment>,
}

impl Absent {
    fn new() -> Self {
        let (folder, replica) = phone();
        drop(replica);
        let environment = Arc::new(TestEnvironment {
            now: AtomicI64::new(MORNING.0),
        });
        Self {
            folder,
            environment,
        }
    }

    fn open(&self) -> Replica {
        Replica::open(self.folder.path(), &key(), self.environment.clone()).unwrap()
    }

    fn put_clock(&self, days: i64) {
        let now = MORNING.0 + days * DAY_MS;
        self.environment.now.store(now, Ordering::Relaxed);
    }
}

fn case() -> NewCase {
    NewCase {
        category: "noise".to_owned(),
        text: "Loa kẹo kéo".to_owned(),
        ..NewCase::default()
    }
}

fn is_shown(replica: &Replica) -> bool {
    let shown = replica.cases(&CaseQuery::default());
    assert!(matches!(shown, Ok(_) | Err(StoreError::OutOfTouch { .. })));
    shown.is_ok()
}

#[test]
fn a_phone_that_has_not_met_its_ward_for_long_shows_nothing_and_records_on() {
    let absent = Absent::new();
    let replica = absent.open();
    let before = replica.record_case(case()).unwrap();
    absent.put_clock(29);
    assert!(is_shown(&replica));
    absent.put_clock(30);
    assert!(!is_shown(&replica));
    let days = Some(30);
    assert_eq!(replica.standing().unwrap().days_out_of_touch, days);
    for refused in [
        replica.case(before.id).map(drop),
        replica.visits(9).map(drop),
        replica.rejected().map(drop),
        replica.export_case(before.id).map(drop),
        replica.attachment(AttachmentHash([0; 32])).map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::OutOfTouch { days: 30 })));
    }

    // What is said at the door is kept, also about a case that is not shown.
    let meanwhile = replica.record_case(case()).unwrap();
    replica.add_note(before.id, "bà đồng ý").unwrap();
    assert_eq!(replica.pending().unwrap().len(), 3);
    drop(replica);
    let replica = absent.open();
    assert!(!is_shown(&replica));

    let settle = DeviceCommand::Settle {
        ward_time: MORNING,
        held: HeldDigest([0; 16]),
    };
    replica.execute(settle).unwrap();
    assert!(is_shown(&replica));
    assert!(replica.case(meanwhile.id).unwrap().is_some());
    let notes = replica.case(before.id).unwrap().unwrap().case.notes;
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_clock_that_is_put_back_opens_nothing() {
    let absent = Absent::new();
    let replica = absent.open();
    absent.put_clock(31);
    assert!(!is_shown(&replica));
    absent.put_clock(1);
    assert!(!is_shown(&replica));
    drop(replica);
    assert!(!is_shown(&absent.open()));
}

#[test]
fn a_clock_that_was_years_behind_and_is_set_right_locks_nobody_out() {
    let absent = Absent::new();
    absent.put_clock(-4_000);
    let replica = absent.open();
    let settle = DeviceCommand::Settle {
        ward_time: MORNING,
        held: HeldDigest([0; 16]),
    };
    replica.execute(settle).unwrap();
    absent.put_clock(1);
    assert!(is_shown(&replica));
    absent.put_clock(30);
    assert!(!is_shown(&replica));
}

#[test]
fn a_phone_that_was_never_enrolled_shows_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Arc::new(TestEnvironment {
        now: AtomicI64::new(MORNING.0),
    });
    let replica = Replica::open(folder.path(), &key(), environment.clone()).unwrap();
    environment
        .now
        .store(MORNING.0 + 400 * DAY_MS, Ordering::Relaxed);
    assert!(is_shown(&replica));
}
