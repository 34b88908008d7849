//! Cases that a device asks for by what somebody typed.

use gandan_core::document::schema::field;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{DocumentKind, EditId, Role, Status};
use gandan_core::protocol::feed::{Page, verify_proof};
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use uuid::Uuid;

use super::fixture::World;
use super::phone::Phone;

const MONTHS_MS: i64 = 183 * 24 * 60 * 60 * 1000;

fn look(world: &World, phone: &Phone, words: &str) -> Option<(Uuid, Box<Page>)> {
    match world
        .ward
        .execute(phone.device(), WardCommand::Look(words.to_owned()))
    {
        Ok(WardAnswer::Lent(lent)) => lent,
        other => panic!("{other:?}"),
    }
}

/// An old case of the desk with a citizen, and how it is asked for.
fn old_case(world: &World, desk: &mut Phone) -> (EncodedEdit, EncodedEdit, EncodedEdit, String) {
    let case = desk.case("Rác", Some("26995"));
    let person = desk.person(case.edit().document.uuid);
    let closed = desk.set(&case, field::STATUS, Status::Withdrawn.code());
    desk.send(&world.ward, &[case.clone(), person.clone(), closed.clone()]);
    world.environment.advance(MONTHS_MS);
    world.ward.set_months_held(Some(1)).unwrap();
    let name = case.edit().document.uuid.to_string();
    (case, person, closed, name)
}

fn ids(page: &Page) -> Vec<EditId> {
    page.proof.entries.iter().map(|entry| entry.edit).collect()
}

#[test]
fn an_old_case_comes_whole_with_what_the_officer_may_see_of_its_citizen() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut leader = Phone::enrol(&world, 2, Role::Leader, &[]);
    let officer = Phone::enrol(&world, 3, Role::Officer, &["26995"]);
    let (case, person, closed, name) = old_case(&world, &mut desk);
    assert_eq!(leader.read(&world.ward), [], "no phone holds it");
    let uuid = case.edit().document.uuid;
    let (found, page) = look(&world, &leader, &name).unwrap();
    assert_eq!(found, uuid);
    assert_eq!(ids(&page), [case.id(), person.id(), closed.id()]);
    assert!(verify_proof(world.ward.key(), &page.proof));
    assert!(page.cursor.is_none());
    assert!(page.bodies.iter().all(Option::is_some));
    let (_, page) = look(&world, &officer, &name).unwrap();
    assert_eq!(ids(&page), [case.id(), closed.id()]);
}

#[test]
fn what_may_not_be_seen_is_answered_as_what_does_not_exist() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let elsewhere = Phone::enrol(&world, 2, Role::Officer, &["27001"]);
    let (.., name) = old_case(&world, &mut desk);
    let nobody = Uuid::from_u128(7).to_string();
    for words in [
        name.as_str(),
        "K7P-2M9C",
        &nobody,
        "PA-2026-000001",
        "",
        "'; --",
    ] {
        assert_eq!(look(&world, &elsewhere, words), None, "{words}");
    }
}

#[test]
fn of_a_history_that_does_not_fit_the_newest_comes_and_the_rest_by_name() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let case = desk.case("Rác", Some("26995"));
    let mut all = vec![case.clone()];
    for _ in 0..40 {
        let last = all.last().unwrap().clone();
        let note = desk.note(&last, &"x".repeat(20_000));
        desk.send(&world.ward, std::slice::from_ref(&note));
        all.push(note);
        if all.len() == 2 {
            desk.send(&world.ward, &[case.clone(), all[1].clone()]);
        }
    }
    let newest = all.last().unwrap().id();
    let uuid = case.edit().document.uuid.to_string();
    let (_, page) = look(&world, &reader, &uuid).unwrap();
    assert_eq!(ids(&page).last(), Some(&newest));
    let first = page.bodies[0].as_ref().unwrap();
    let first = EncodedEdit::decode(first).unwrap();
    assert_eq!(first.edit().document.kind, DocumentKind::Case);
    let mut seen = page.proof.entries.len();
    let mut next = first.edit().dependencies.clone();
    while !next.is_empty() {
        let rest = reader.want(&world.ward, &next).unwrap();
        seen += rest.proof.entries.len();
        let first = rest.bodies[0].as_ref().unwrap();
        let first = EncodedEdit::decode(first).unwrap();
        next.clone_from(&first.edit().dependencies);
    }
    assert_eq!(seen, all.len());
}

#[test]
fn a_device_is_told_to_forget_what_was_lent_and_left_its_scope() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let (case, _, closed, name) = old_case(&world, &mut desk);
    reader.read(&world.ward);
    assert!(look(&world, &reader, &name).is_some());
    let moved = desk.set(&closed, field::AREA, "27001");
    desk.send(&world.ward, &[moved]);
    let page = reader.read_page(&world.ward).unwrap();
    assert!(page.scope.forgotten.contains(&case.edit().document));
    reader.read(&world.ward);

    world
        .ward
        .set_areas("Cán bộ 2", &["27001".to_owned()])
        .unwrap();
    let page = reader.read_page(&world.ward).unwrap();
    assert!(page.scope.ends_loans);
    reader.read(&world.ward);
    // Another month by itself takes nothing that was lent.
    world.environment.advance(MONTHS_MS);
    assert!(world.ward.move_floor().unwrap());
    let page = reader.read_page(&world.ward).unwrap();
    assert!(!page.scope.ends_loans);
}
