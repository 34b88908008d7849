//! Every door by which a device may get at a case, and what each role gets through it: what may not be seen is
//! answered as what does not exist.

use std::collections::BTreeSet;

use gandan_core::document::schema::field;
use gandan_core::model::{Confidentiality, EditId, Role};
use gandan_core::protocol::file_tree::FileTree;
use gandan_core::protocol::reconciliation::Comparison;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::store::attachments;

use super::fixture::World;
use super::phone::Phone;

/// What somebody may see of a case with a person and a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    All,
    /// Everything but who told of it.
    CaseOnly,
    Nothing,
}

use Sees::{All, CaseOnly, Nothing};

/// Who asks, with which areas, and what they see of a normal case in area 26998 and of a restricted one.
const WHO: &[(Role, &[&str], [Sees; 2])] = &[
    (Role::Officer, &["26998"], [CaseOnly, Nothing]),
    (Role::Officer, &["27001"], [Nothing, Nothing]),
    (Role::Officer, &[], [CaseOnly, Nothing]),
    (Role::Leader, &[], [All, Nothing]),
    (Role::Triage, &[], [All, All]),
];

fn photo() -> Vec<u8> {
    let mut photo = b"\x89PNG\r\n\x1a\n".to_vec();
    photo.resize(40_000, 7);
    photo
}

struct Secret {
    name: String,
    case: Vec<EditId>,
    person: EditId,
}

impl Secret {
    fn seen(&self, sees: Sees) -> BTreeSet<EditId> {
        let case = self.case.iter().copied();
        match sees {
            All => case.chain([self.person]).collect(),
            CaseOnly => case.collect(),
            Nothing => BTreeSet::new(),
        }
    }
}

/// A case of an officer who keeps it, normal or restricted by triage.
fn secret(world: &World, confidentiality: Confidentiality) -> Secret {
    let mut recorder = Phone::enrol(world, 1, Role::Officer, &["26998"]);
    let mut triage = Phone::enrol(world, 2, Role::Triage, &[]);
    let case = recorder.case("DAUVET", Some("26998"));
    let person = recorder.person(case.edit().document.uuid);
    let shown = recorder.attach(&case, &photo());
    let all = [case.clone(), person.clone(), shown.clone()];
    recorder.send(&world.ward, &all);
    recorder.upload(&world.ward, &photo());
    let marked = triage.set(&shown, field::CONFIDENTIALITY, confidentiality.code());
    triage.send(&world.ward, std::slice::from_ref(&marked));
    Secret {
        name: case.edit().document.uuid.to_string(),
        case: vec![case.id(), shown.id(), marked.id()],
        person: person.id(),
    }
}

fn named(page: Option<gandan_core::protocol::feed::Page>) -> BTreeSet<EditId> {
    page.into_iter()
        .flat_map(|page| page.proof.entries)
        .map(|entry| entry.edit)
        .collect()
}

fn compared(world: &World, phone: &Phone) -> BTreeSet<EditId> {
    let mut comparison = Comparison::new(Vec::new());
    loop {
        let questions = comparison.ask();
        if questions.is_empty() {
            return comparison.finish().lacked_here.into_iter().collect();
        }
        let command = WardCommand::Compare(questions);
        match world.ward.execute(phone.device(), command).unwrap() {
            WardAnswer::Compared(answers) => assert!(comparison.hear(answers)),
            other => panic!("no comparison but {other:?}"),
        }
    }
}

fn looked_up(world: &World, phone: &Phone, name: &str) -> BTreeSet<EditId> {
    let command = WardCommand::Look(name.to_owned());
    match world.ward.execute(phone.device(), command).unwrap() {
        WardAnswer::Lent(lent) => named(lent.map(|(_, page)| *page)),
        other => panic!("no loan but {other:?}"),
    }
}

fn is_photo_given(world: &World, phone: &Phone) -> bool {
    let hash = attachments::hash(&photo());
    let tree = WardCommand::ReadAttachment(hash);
    let part = WardCommand::ReadPart { hash, offset: 0 };
    let tree = world.ward.execute(phone.device(), tree).unwrap();
    let part = world.ward.execute(phone.device(), part).unwrap();
    let is_given = tree == WardAnswer::AttachmentTree(Some(FileTree::of(&photo())));
    assert!(is_given || tree == WardAnswer::AttachmentTree(None));
    assert_eq!(is_given, part != WardAnswer::AttachmentPart(None));
    is_given
}

#[test]
fn each_role_gets_what_it_may_see_through_every_door_and_nothing_else() {
    for (index, confidentiality) in [Confidentiality::Normal, Confidentiality::Restricted]
        .into_iter()
        .enumerate()
    {
        for (role, areas, sees) in WHO {
            let world = World::new();
            let secret = secret(&world, confidentiality);
            let seen = secret.seen(sees[index]);
            let mut phone = Phone::enrol(&world, 3, *role, areas);
            let told = format!("{role:?} of {areas:?}, {confidentiality:?}");
            let everything: Vec<EditId> = secret.seen(All).into_iter().collect();
            let by_name = phone.want(&world.ward, &everything);
            assert_eq!(named(by_name), seen, "by name: {told}");
            assert_eq!(
                looked_up(&world, &phone, &secret.name),
                seen,
                "looked up: {told}"
            );
            assert_eq!(compared(&world, &phone), seen, "compared: {told}");
            assert_eq!(
                is_photo_given(&world, &phone),
                !seen.is_empty(),
                "photo: {told}"
            );
            let read: BTreeSet<EditId> = phone.read(&world.ward).into_iter().collect();
            assert_eq!(read, seen, "feed: {told}");
        }
    }
}

#[tokio::test]
async fn nobody_is_told_that_something_happened_to_what_they_may_not_see() {
    let world = World::new();
    let secret = secret(&world, Confidentiality::Restricted);
    let mut triage = Phone::enrol(&world, 3, Role::Triage, &[]);
    let officer = Phone::enrol(&world, 4, Role::Officer, &["26998"]);
    triage.read(&world.ward);
    let mut of_officer = world.ward.watch(officer.device());
    let mut of_triage = world.ward.watch(triage.device());
    let marked = triage
        .pages
        .iter()
        .flat_map(|page| page.bodies.iter().flatten());
    let marked: Vec<_> = marked
        .map(|bytes| gandan_core::edit::EncodedEdit::decode(bytes).unwrap())
        .collect();
    let last = marked
        .iter()
        .find(|edit| edit.id() == secret.case[2])
        .unwrap();
    let note = triage.note(last, "DAUVET nữa");
    triage.send(&world.ward, &[note]);
    assert!(of_triage.interest().unwrap().feed);
    assert!(!of_officer.interest().unwrap().feed);
}
