//! Cases on loan: here for a while, and never in the way of the feed.

use super::ward::*;
use super::*;
use crate::model::EditId;
use crate::protocol::agreement::HeldDigest;
use crate::protocol::feed::{Cursor, Page, ScopeDelta};
use crate::store::rows::CaseQuery;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A phone whose clock a test turns, and a closed case of the desk that the phone does not hold.
struct Scene {
    _folders: [tempfile::TempDir; 2],
    clock: Arc<TestEnvironment>,
    phone: Replica,
    ward: TestWard,
    case: Uuid,
    code: String,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestEnvironment {
            now: AtomicI64::new(MORNING.0),
        });
        let phone = Replica::open(folder.path(), &key(), clock.clone()).unwrap();
        enrol(&phone, officer(), Role::Officer);
        let (desk_folder, desk) = desk();
        let mut ward = TestWard::new();
        let recorded = desk.record_case(case("Cây đổ chắn hẻm")).unwrap();
        let withdrawn = status(Status::Withdrawn);
        desk.edit_case(recorded.id, withdrawn).unwrap();
        begin(&desk);
        ward.hear(&desk);
        begin(&phone);
        Self {
            _folders: [folder, desk_folder],
            clock,
            phone,
            ward,
            case: recorded.id,
            code: recorded.code,
        }
    }

    fn lend(&self) -> Vec<EditId> {
        assert_eq!(self.phone.look_up(&self.code).unwrap(), Look::Waiting);
        self.lend_page(self.ward.named(&self.all()))
    }

    fn lend_page(&self, page: Page) -> Vec<EditId> {
        let next = self.phone.execute(DeviceCommand::NextLook).unwrap();
        let DeviceAnswer::Look(Some(words)) = next else {
            panic!("{next:?}");
        };
        let lent = Some((self.case, Box::new(page)));
        match self.phone.execute(DeviceCommand::KeepLent { words, lent }) {
            Ok(DeviceAnswer::PageApplied { missing }) => missing,
            other => panic!("{other:?}"),
        }
    }

    fn all(&self) -> Vec<EditId> {
        self.ward.feed.iter().map(|admitted| admitted.id).collect()
    }

    fn days_later(&self, days: i64) {
        self.clock.now.fetch_add(days * DAY_MS, Ordering::Relaxed);
        begin(&self.phone);
        let settle = DeviceCommand::Settle {
            ward_time: MORNING,
            held: HeldDigest([0; 16]),
        };
        self.phone.execute(settle).unwrap();
    }

    fn is_here(&self) -> bool {
        let is_listed = !self.phone.cases(&CaseQuery::default()).unwrap().is_empty();
        assert_eq!(self.phone.case(self.case).unwrap().is_some(), is_listed);
        is_listed
    }
}

#[test]
fn a_case_that_was_lent_is_shown_and_searched_and_goes_after_a_month() {
    let scene = Scene::new();
    assert_eq!(scene.lend(), []);
    assert_eq!(
        scene.phone.look(&scene.code).unwrap(),
        Look::Here(scene.case)
    );
    assert!(scene.phone.is_borrowed(scene.case).unwrap());
    let query = CaseQuery {
        search: Some("cây đổ".to_owned()),
        ..CaseQuery::default()
    };
    assert_eq!(scene.phone.cases(&query).unwrap().len(), 1);
    scene.days_later(29);
    assert!(scene.is_here());
    assert_eq!(
        scene.phone.look_up(&scene.code).unwrap(),
        Look::Here(scene.case)
    );
    scene.days_later(29);
    assert!(scene.is_here(), "somebody looked at it meanwhile");
    scene.days_later(1);
    assert!(!scene.is_here());
    for table in ["edits", "proofs", "borrowed", "looks", "case_rows"] {
        assert_eq!(count(&scene.phone, table), 0, "{table}");
    }
}

#[test]
fn what_the_ward_does_not_lend_is_known_to_be_missing_until_it_is_asked_for_again() {
    let scene = Scene::new();
    assert_eq!(scene.phone.look("K7P-2M9C").unwrap(), Look::NotAsked);
    assert_eq!(scene.phone.look_up("K7P-2M9C").unwrap(), Look::Waiting);
    let next = || scene.phone.execute(DeviceCommand::NextLook).unwrap();
    assert_eq!(next(), DeviceAnswer::Look(Some("K7P-2M9C".to_owned())));
    assert_eq!(next(), DeviceAnswer::Look(None), "once a conversation");
    let words = "K7P-2M9C".to_owned();
    let none = DeviceCommand::KeepLent { words, lent: None };
    scene.phone.execute(none).unwrap();
    assert_eq!(scene.phone.look("K7P-2M9C").unwrap(), Look::Missing);
    begin(&scene.phone);
    assert_eq!(next(), DeviceAnswer::Look(None));
    assert_eq!(scene.phone.look_up("K7P-2M9C").unwrap(), Look::Waiting);
    begin(&scene.phone);
    assert_ne!(next(), DeviceAnswer::Look(None));
}

#[test]
fn what_is_unsent_on_a_case_on_loan_keeps_it_and_the_feed_makes_it_held() {
    let mut scene = Scene::new();
    assert_eq!(scene.lend(), []);
    scene.phone.add_note(scene.case, "lại đổ nữa").unwrap();
    scene.days_later(90);
    assert!(scene.is_here());
    scene.ward.hear(&scene.phone);
    scene.days_later(90);
    assert!(scene.is_here(), "the page that names the note has not come");
    // The note woke it: the feed brings it whole.
    assert_eq!(scene.ward.tell(&scene.phone, 0), []);
    assert!(!scene.phone.is_borrowed(scene.case).unwrap());
    scene.days_later(90);
    assert!(scene.is_here());
    assert_sound(&scene.phone);
}

#[test]
fn a_case_that_the_feed_brought_is_not_on_loan_whoever_looks_for_it() {
    let scene = Scene::new();
    assert_eq!(scene.phone.look_up(&scene.code).unwrap(), Look::Waiting);
    assert_eq!(scene.ward.tell(&scene.phone, 0), []);
    assert_eq!(scene.lend_page(scene.ward.named(&scene.all())), []);
    scene.days_later(90);
    assert!(scene.is_here());
}

#[test]
fn of_a_long_history_the_rest_is_asked_for_by_name() {
    let scene = Scene::new();
    assert_eq!(scene.phone.look_up(&scene.code).unwrap(), Look::Waiting);
    let all = scene.all();
    let missing = scene.lend_page(scene.ward.named(&all[1..]));
    assert_eq!(missing, all[..1]);
    assert!(!scene.is_here());
    apply(&scene.phone, scene.ward.named(&missing));
    assert!(scene.is_here());
    scene.days_later(30);
    assert_eq!(count(&scene.phone, "edits"), 0);
}

#[test]
fn loans_end_with_the_scope_in_which_they_began() {
    let scene = Scene::new();
    assert_eq!(scene.lend(), []);
    let page = Page {
        scope: ScopeDelta {
            ends_loans: true,
            ..ScopeDelta::default()
        },
        cursor: Some(Cursor(vec![9, 9])),
        ..scene.ward.page_of(&[], 2)
    };
    assert_eq!(apply(&scene.phone, page), []);
    assert!(!scene.is_here());
    assert_eq!(count(&scene.phone, "borrowed"), 0);
}
