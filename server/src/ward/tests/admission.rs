//! Edits from phones: verdicts, and that nobody pays for another's mistake.

use gandan_core::document::schema::field;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{ActorId, DocumentId, EditId, IntentId, Role, Status};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;

use super::fixture::World;
use super::phone::Phone;

fn accepted(sequence: u64) -> Verdict {
    Verdict::Accepted { sequence }
}

fn duplicate(sequence: u64) -> Verdict {
    Verdict::Duplicate { sequence }
}

fn rejected(code: RejectionCode) -> Verdict {
    Verdict::Rejected { code }
}

fn note_count(world: &World, case: &EncodedEdit) -> usize {
    let case = world.ward.case(case.edit().document.uuid).unwrap().unwrap();
    case.notes.len()
}

#[test]
fn bundles_of_several_devices_are_admitted_together_each_with_its_own_verdicts() {
    let world = World::new();
    let mut phones: Vec<Phone> = (1..=4)
        .map(|number| Phone::enrol(&world, number, Role::Officer, &[]))
        .collect();
    let mut commands = Vec::new();
    for phone in &mut phones {
        let case = phone.case("Ồn", Some("26998"));
        let note = phone.note(&case, "thêm");
        commands.push((phone.device(), phone.admit(&[case, note])));
    }
    // A poisoned bundle in the middle, and one of a device that nobody knows.
    commands[2].1 = WardCommand::Admit(b"not a bundle".to_vec());
    commands[3].0.0[0] ^= 1;
    let answers = world.ward.execute_all(commands).unwrap();
    assert_eq!(
        answers[0],
        WardAnswer::Verdicts(vec![accepted(1), accepted(2)])
    );
    assert_eq!(
        answers[1],
        WardAnswer::Verdicts(vec![accepted(3), accepted(4)])
    );
    assert_eq!(answers[2], WardAnswer::Verdicts(Vec::new()));
    assert_eq!(answers[3], WardAnswer::Refused(Refusal::UnknownDevice));
}

#[test]
fn a_poisoned_edit_does_not_hold_up_the_others_of_its_bundle() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", Some("26998"));
    let forbidden = phone.set(&case, field::ANSWER, "tự trả lời");
    let on_forbidden = phone.note(&forbidden, "dựa trên câu trả lời");
    let other = phone.case("Rác", None);
    let verdicts = phone.send(
        &world.ward,
        &[case.clone(), forbidden.clone(), on_forbidden, other],
    );
    assert_eq!(
        verdicts,
        [
            accepted(1),
            rejected(RejectionCode::FieldNotAllowed),
            rejected(RejectionCode::DependsOnRejected),
            accepted(2),
        ]
    );
    // The word is final: the same bytes get the same word.
    let again = phone.send(&world.ward, &[case, forbidden]);
    assert_eq!(
        again,
        [duplicate(1), rejected(RejectionCode::FieldNotAllowed)]
    );
}

#[test]
fn an_edit_waits_for_what_it_depends_on() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let note = phone.note(&case, "một");
    let dependency = case.id();
    assert_eq!(
        phone.send(&world.ward, std::slice::from_ref(&note)),
        [Verdict::Waiting { dependency }]
    );
    assert_eq!(phone.send(&world.ward, &[case]), [accepted(1)]);
    assert_eq!(phone.send(&world.ward, &[note]), [accepted(2)]);
}

#[test]
fn an_intent_is_applied_once_after_a_lost_acknowledgement() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let intent = IntentId([77; 16]);
    let note = phone.note_with(intent, &case, "mười hai hộ cùng nói");
    phone.send(&world.ward, &[case.clone(), note]);
    // The phone never heard of it, was restored, and writes the same again under another actor.
    phone.reopen();
    let again = phone.note_with(intent, &case, "mười hai hộ cùng nói");
    assert_eq!(phone.send(&world.ward, &[again]), [duplicate(2)]);
    assert_eq!(note_count(&world, &case), 1);
}

#[test]
fn the_same_intent_of_another_officer_is_another_matter() {
    let world = World::new();
    let mut first = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut second = Phone::enrol(&world, 2, Role::Officer, &[]);
    let case = first.case("Ngập", None);
    let intent = IntentId([77; 16]);
    let mine = first.note_with(intent, &case, "a");
    first.send(&world.ward, &[case.clone(), mine]);
    let theirs = second.note_with(intent, &case, "b");
    assert_eq!(second.send(&world.ward, &[theirs]), [accepted(3)]);
    assert_eq!(note_count(&world, &case), 2);
}

#[test]
fn nobody_writes_under_the_actor_of_another_device() {
    let world = World::new();
    let mut first = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut second = Phone::enrol(&world, 2, Role::Officer, &[]);
    let case = first.case("Ngập", None);
    first.send(&world.ward, std::slice::from_ref(&case));
    second.actor = first.actor;
    // The number that the genuine device will use next.
    second.note(&case, "bỏ");
    let forged = second.note(&case, "giả");
    assert_eq!(forged.edit().sequence, 2);
    let verdicts = second.send(&world.ward, std::slice::from_ref(&forged));
    assert_eq!(verdicts, [rejected(RejectionCode::ForeignActor)]);
    // The genuine device is not refused for it.
    let note = first.note(&case, "thật");
    assert_eq!(first.send(&world.ward, &[note]), [accepted(2)]);
    assert_eq!(note_count(&world, &case), 1);
}

#[test]
fn one_actor_and_sequence_names_one_edit() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    phone.send(&world.ward, std::slice::from_ref(&case));
    // A cloned store that kept its actor: two edits with the second sequence.
    let mut clone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let one = phone.note(&case, "một");
    clone.note(&case, "một");
    let two = clone.note(&case, "hai");
    assert_eq!(one.edit().sequence, two.edit().sequence);
    assert_eq!(phone.send(&world.ward, &[one]), [accepted(2)]);
    assert_eq!(
        phone.send(&world.ward, &[two]),
        [rejected(RejectionCode::ForeignActor)]
    );
}

#[test]
fn an_edit_refused_to_one_device_is_not_refused_to_another() {
    let world = World::new();
    let mut first = Phone::enrol(&world, 1, Role::Officer, &[]);
    let second = Phone::enrol(&world, 2, Role::Officer, &[]);
    let case = first.case("Ngập", None);
    // Another officer's record, sent first by somebody who got hold of it.
    let verdicts = second.send(&world.ward, std::slice::from_ref(&case));
    assert!(matches!(verdicts[..], [Verdict::Rejected { .. }]));
    assert_eq!(first.send(&world.ward, &[case]), [accepted(1)]);
}

#[test]
fn concurrent_edits_of_two_phones_are_both_kept_and_shown() {
    let world = World::new();
    let mut first = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut second = Phone::enrol(&world, 2, Role::Triage, &[]);
    let case = first.case("Ngập", None);
    first.send(&world.ward, std::slice::from_ref(&case));
    let one = first.set(&case, field::URGENCY, "high");
    let two = second.set(&case, field::URGENCY, "urgent");
    assert_eq!(first.send(&world.ward, &[one]), [accepted(2)]);
    assert_eq!(second.send(&world.ward, &[two]), [accepted(3)]);
    let shown = world.ward.case(case.edit().document.uuid).unwrap().unwrap();
    assert_eq!(shown.conflicts.len(), 1);
    assert_eq!(shown.conflicts[0].values.len(), 2);
}

#[test]
fn a_triage_phone_that_accepts_gets_the_number_in_the_same_transaction() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Triage, &[]);
    let case = phone.case("Ngập", None);
    let accept = phone.set(&case, field::STATUS, Status::Accepted.code());
    // The number's edit takes the third place.
    assert_eq!(
        phone.send(&world.ward, &[case.clone(), accept]),
        [accepted(1), accepted(2)]
    );
    let shown = world.ward.case(case.edit().document.uuid).unwrap().unwrap();
    assert_eq!(
        shown.official_number.as_deref(),
        Some("PA-2026-000001/P26995")
    );
    assert_eq!(phone.read(&world.ward).len(), 3);
}

#[test]
fn nobody_numbers_a_case_but_the_ward() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Triage, &[]);
    let case = phone.case("Ngập", None);
    let forged = phone.set(&case, field::OFFICIAL_NUMBER, "PA-2026-000009/P26995");
    assert_eq!(
        phone.send(&world.ward, &[case, forged]),
        [accepted(1), rejected(RejectionCode::FieldNotAllowed)]
    );
}

#[test]
fn a_revoked_device_is_refused_at_its_next_message() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    world.ward.revoke(phone.device()).unwrap();
    for command in [
        phone.admit(&[case]),
        WardCommand::ReadFeed(phone.cursor.clone()),
        WardCommand::ReadDirectory,
    ] {
        let answer = world.ward.execute(phone.device(), command).unwrap();
        assert_eq!(answer, WardAnswer::Refused(Refusal::Revoked));
    }
}

#[test]
fn an_edit_outside_the_scope_is_refused() {
    let world = World::new();
    let mut here = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut elsewhere = Phone::enrol(&world, 2, Role::Officer, &["27001"]);
    let case = here.case("Ngập", Some("26998"));
    here.send(&world.ward, std::slice::from_ref(&case));
    let note = elsewhere.note(&case, "không thấy");
    assert_eq!(
        elsewhere.send(&world.ward, &[note]),
        [rejected(RejectionCode::OutOfScope)]
    );
}

#[test]
fn a_citizen_belongs_to_a_case_that_is_here() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let uuid = case.edit().document.uuid;
    let person = phone.person(uuid);
    let early = other.person(uuid);
    assert_eq!(
        other.send(&world.ward, &[early]),
        [rejected(RejectionCode::DependsOnRejected)]
    );
    assert_eq!(
        phone.send(&world.ward, &[case, person]),
        [accepted(1), accepted(2)]
    );
    other.reopen();
    let foreign = other.person(uuid);
    assert_eq!(
        other.send(&world.ward, &[foreign]),
        [rejected(RejectionCode::OutOfScope)]
    );
    assert_eq!(
        world
            .ward
            .history(DocumentId::person_of(uuid))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_dependency_of_another_document_is_not_one() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let one = phone.case("Một", None);
    let two = phone.case("Hai", None);
    let crossed = {
        let note = phone.note(&one, "x");
        let operations = note.edit().operations.clone();
        phone.edit(
            two.edit().document,
            IntentId([9; 16]),
            &[one.id()],
            operations,
        )
    };
    assert_eq!(
        phone.send(&world.ward, &[one, two, crossed]),
        [
            accepted(1),
            accepted(2),
            rejected(RejectionCode::NotApplicable)
        ]
    );
}

#[test]
fn a_document_is_created_once() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Một", None);
    let mut edit = case.edit().clone();
    edit.actor = ActorId([44; 16]);
    edit.intent = IntentId([45; 16]);
    let twin = EncodedEdit::encode(edit);
    phone.send(&world.ward, &[case]);
    // The form itself forbids another intent for a creation; with the same intent it is the same creation.
    if let Ok(twin) = twin {
        assert!(matches!(
            phone.send(&world.ward, &[twin])[..],
            [Verdict::Rejected { .. }]
        ));
    }
}

#[test]
fn a_forged_sequence_is_refused_without_harm() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Một", None);
    let note = phone.note(&case, "x");
    let mut edit = note.edit().clone();
    edit.sequence = u64::MAX;
    let other = phone.case("Hai", None);
    let mut edits = vec![case];
    edits.extend(EncodedEdit::encode(edit));
    edits.push(other);
    let verdicts = phone.send(&world.ward, &edits);
    assert_eq!(verdicts.first(), Some(&accepted(1)));
    assert_eq!(verdicts.last(), Some(&accepted(2)));
}

#[test]
fn a_bundle_signed_by_another_device_is_not_taken_as_this_ones() {
    let world = World::new();
    let mut first = Phone::enrol(&world, 1, Role::Officer, &[]);
    let second = Phone::enrol(&world, 2, Role::Officer, &[]);
    let case = first.case("Ngập", None);
    let command = first.admit(std::slice::from_ref(&case));
    let answer = world.ward.execute(second.device(), command).unwrap();
    let foreign = rejected(RejectionCode::ForeignActor);
    assert_eq!(answer, WardAnswer::Verdicts(vec![foreign]));
    assert_eq!(first.send(&world.ward, &[case]), [accepted(1)]);
}

#[test]
fn an_edit_that_does_not_exist_is_waited_for_by_its_name() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    phone.send(&world.ward, std::slice::from_ref(&case));
    let operations = phone.note(&case, "x").edit().operations.clone();
    let unknown = EditId([0xee; 32]);
    let edit = phone.edit(
        case.edit().document,
        IntentId([3; 16]),
        &[unknown],
        operations,
    );
    assert_eq!(
        phone.send(&world.ward, &[edit]),
        [Verdict::Waiting {
            dependency: unknown
        }]
    );
}
