//! What is personal goes when the ward says, and not before.

use gandan_core::model::{DocumentId, Role};

use super::fixture::World;
use super::phone::Phone;
use crate::app;
use crate::ward::{RequestKind, RequestOutcome, RetainedClass, RetentionRule};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn rules(days: Option<u32>) -> [RetentionRule; 2] {
    [RetainedClass::Person, RetainedClass::CitizenRequest]
        .map(|class| RetentionRule { class, days })
}

fn counts(of: Vec<(RetentionRule, usize)>) -> Vec<usize> {
    of.into_iter().map(|(_, count)| count).collect()
}

#[test]
fn the_person_of_a_case_that_ended_long_ago_goes_and_nothing_else() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let [ended, open] = ["Ngập", "Đèn tắt"].map(|text| phone.case(text, None));
    let [ended_id, open_id] = [&ended, &open].map(|case| case.edit().document.uuid);
    let persons = [ended_id, open_id].map(|case| phone.person(case));
    phone.send(&world.ward, &[ended, open]);
    phone.send(&world.ward, &persons);
    app::accept(&world.ward, &clerk, ended_id).unwrap();
    app::assign(&world.ward, &clerk, ended_id, "economy", None).unwrap();
    app::answer(&world.ward, &clerk, ended_id, "Đã nạo vét").unwrap();
    app::close(&world.ward, &clerk, ended_id).unwrap();
    let number = world
        .ward
        .add_request(RequestKind::Access, None, "Bà Thịnh")
        .unwrap();
    world
        .ward
        .close_request(number, &RequestOutcome::Done)
        .unwrap();

    world.environment.advance(30 * DAY_MS - 1);
    assert_eq!(counts(world.ward.let_go(&rules(Some(30))).unwrap()), [0, 0]);
    world.environment.advance(1);
    assert_eq!(counts(world.ward.due_to_go(&rules(None)).unwrap()), [0, 0]);
    assert_eq!(
        counts(world.ward.due_to_go(&rules(Some(30))).unwrap()),
        [1, 1]
    );
    assert_eq!(counts(world.ward.let_go(&rules(Some(30))).unwrap()), [1, 1]);
    assert_eq!(world.log_bytes(), 0, "nothing of it is left there");

    let named = |case| {
        world
            .ward
            .document(DocumentId::person_of(case))
            .unwrap()
            .is_some()
    };
    assert!(!named(ended_id));
    assert!(named(open_id));
    assert!(world.ward.case(ended_id).unwrap().is_some());
    assert!(world.ward.requests().unwrap().is_empty());
    // What the audit trail says of a number, it says of one request.
    let next = world
        .ward
        .add_request(RequestKind::Access, None, "Ông Tám")
        .unwrap();
    assert_eq!(next, number + 1);
    world.ward.assert_sound();
}
