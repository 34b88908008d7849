//! Reading the feed: in scope, in order, signed, and no more than what is new.

use gandan_core::document::schema::field;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{Area, ChainHash, Confidentiality, DocumentId, EditId, Role};
use gandan_core::protocol::feed::FeedEntry;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};

use super::fixture::World;
use super::phone::Phone;

fn ids(edits: &[&EncodedEdit]) -> Vec<EditId> {
    edits.iter().map(|edit| edit.id()).collect()
}

#[test]
fn the_chain_of_the_feed_holds_from_the_first_entry_to_the_last() {
    let world = World::new();
    let mut writer = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Triage, &[]);
    let cases: Vec<_> = (0..5).map(|_| writer.case("Ngập", None)).collect();
    writer.send(&world.ward, &cases);
    assert_eq!(reader.read(&world.ward).len(), 5);
    let page = &reader.pages[0];
    let mut chain = ChainHash([0; 32]);
    for (index, entry) in page.proof.entries.iter().enumerate() {
        assert_eq!(entry.sequence, index as u64 + 1);
        chain = FeedEntry::extend(entry, chain);
    }
    assert_eq!(
        (page.proof.after, page.proof.up_to, page.proof.chain),
        (0, 5, chain)
    );
    // Nothing new costs nothing.
    assert!(reader.read_page(&world.ward).is_none());
}

#[test]
fn a_device_gets_its_own_edits_without_their_bodies() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &[]);
    let mine = phone.case("Của tôi", None);
    let theirs = other.case("Của người khác", None);
    phone.send(&world.ward, std::slice::from_ref(&mine));
    other.send(&world.ward, std::slice::from_ref(&theirs));
    let page = phone.read_page(&world.ward).unwrap();
    assert_eq!(page.bodies, [None, Some(theirs.bytes().to_vec())]);
    // A phone that was restored and lost its own asks for it by name.
    let page = phone.want(&world.ward, &[mine.id()]).unwrap();
    assert_eq!(page.bodies, [Some(mine.bytes().to_vec())]);
}

#[test]
fn officers_read_their_areas_only() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut colleague = Phone::enrol(&world, 2, Role::Officer, &["26998"]);
    let mut elsewhere = Phone::enrol(&world, 3, Role::Officer, &["27001"]);
    let mut leader = Phone::enrol(&world, 4, Role::Leader, &[]);
    let mut admin = Phone::enrol(&world, 5, Role::Admin, &[]);
    let case = recorder.case("Ngập", Some("26998"));
    let person = recorder.person(case.edit().document.uuid);
    recorder.send(&world.ward, &[case.clone(), person.clone()]);

    assert_eq!(recorder.read(&world.ward), ids(&[&case, &person]));
    assert_eq!(colleague.read(&world.ward), ids(&[&case]));
    assert!(elsewhere.read(&world.ward).is_empty());
    assert_eq!(leader.read(&world.ward), ids(&[&case, &person]));
    assert!(admin.read(&world.ward).is_empty());
    // By name neither.
    assert!(elsewhere.want(&world.ward, &[case.id()]).is_none());
    assert!(colleague.want(&world.ward, &[person.id()]).is_none());
}

#[test]
fn a_restricted_case_goes_to_triage_and_its_recorder_only() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut colleague = Phone::enrol(&world, 2, Role::Officer, &[]);
    let mut triage = Phone::enrol(&world, 3, Role::Triage, &[]);
    let mut leader = Phone::enrol(&world, 4, Role::Leader, &[]);
    let case = recorder.case("Bạo lực gia đình", None);
    recorder.send(&world.ward, std::slice::from_ref(&case));
    let restrict = triage.set(
        &case,
        field::CONFIDENTIALITY,
        Confidentiality::Restricted.code(),
    );
    triage.send(&world.ward, std::slice::from_ref(&restrict));
    let note = triage.note(&restrict, "kín");
    triage.send(&world.ward, std::slice::from_ref(&note));
    assert_eq!(recorder.read(&world.ward).len(), 3);
    assert_eq!(triage.read(&world.ward).len(), 3);
    assert!(colleague.read(&world.ward).is_empty());
    assert!(leader.read(&world.ward).is_empty());
}

#[test]
fn a_case_that_comes_into_scope_late_comes_whole_and_can_be_had_by_name() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut triage = Phone::enrol(&world, 2, Role::Triage, &[]);
    let mut other = Phone::enrol(&world, 3, Role::Officer, &["27001"]);
    let case = recorder.case("Ngập", Some("26998"));
    let first = recorder.note(&case, "một");
    let second = recorder.note(&first, "hai");
    recorder.send(&world.ward, &[case.clone(), first.clone(), second.clone()]);
    let filler: Vec<_> = (0..3)
        .map(|_| other.case("Của mình", Some("27001")))
        .collect();
    other.send(&world.ward, &filler);
    assert_eq!(other.read(&world.ward).len(), 3);

    let moved = triage.set(&second, field::AREA, "27001");
    triage.send(&world.ward, std::slice::from_ref(&moved));
    assert_eq!(
        other.read(&world.ward),
        ids(&[&case, &first, &second, &moved])
    );
    let page = other.want(&world.ward, &[second.id()]).unwrap();
    let found: Vec<_> = page.proof.entries.iter().map(|entry| entry.edit).collect();
    assert_eq!(found, ids(&[&case, &first, &second]));
    assert!(page.bodies.iter().all(Option::is_some));
    assert!(page.cursor.is_none());
}

#[test]
fn an_officer_who_gains_areas_gets_what_is_in_them_and_nothing_else() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &["27001"]);
    let case = recorder.case("Ngập", Some("26998"));
    recorder.send(&world.ward, std::slice::from_ref(&case));
    let own = other.case("Của mình", Some("27001"));
    other.send(&world.ward, std::slice::from_ref(&own));
    assert_eq!(other.read(&world.ward), ids(&[&own]));

    let areas = ["27001".to_owned(), "26998".to_owned()];
    world
        .ward
        .officer("Cán bộ 2", Role::Officer, &areas)
        .unwrap();
    assert!(other.greet(&world.ward), "a wider scope is no restore");
    assert_eq!(other.read(&world.ward), ids(&[&case]));
}

#[test]
fn a_khu_pho_that_is_added_later_belongs_to_whoever_has_the_area_above() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &["26998"]);
    let case = recorder.case("Ngập", Some("26998-kp1"));
    recorder.send(&world.ward, std::slice::from_ref(&case));
    let above = other.case("Của mình", Some("26998"));
    other.send(&world.ward, std::slice::from_ref(&above));
    assert_eq!(other.read(&world.ward), ids(&[&above]));
    let area = Area {
        code: "26998-kp1".to_owned(),
        name: "Khu phố 1".to_owned(),
        type_label: "khu phố".to_owned(),
        parent: Some("26998".to_owned()),
        old_names: Vec::new(),
        valid_from: "2026-03-01".to_owned(),
        valid_to: None,
    };
    world.ward.add_area(&area).unwrap();
    assert_eq!(other.read(&world.ward), ids(&[&case]));
}

#[test]
fn a_long_feed_comes_in_pages_and_every_entry_once() {
    let world = World::new();
    let mut writer = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Triage, &[]);
    let mut sent = Vec::new();
    // Texts that fill a page before its number of entries does.
    for round in 0..20 {
        let text: String = (0..25_000)
            .map(|index| char::from(b'a' + (index * round % 26) as u8))
            .collect();
        let case = writer.case(&text, None);
        sent.push(case.id());
        writer.send(&world.ward, &[case]);
    }
    let seen = reader.read(&world.ward);
    assert_eq!(seen, sent);
    assert!(reader.pages.len() > 1);
    assert!(
        reader
            .pages
            .iter()
            .all(|page| page.seal().len() <= 512 * 1024)
    );
}

#[test]
fn a_long_ancestry_comes_nearest_first_so_that_asking_again_ends() {
    let world = World::new();
    let mut writer = Phone::enrol(&world, 1, Role::Officer, &[]);
    let reader = Phone::enrol(&world, 2, Role::Triage, &[]);
    let mut last = writer.case("Ngập", None);
    let mut all = vec![last.id()];
    writer.send(&world.ward, std::slice::from_ref(&last));
    for _ in 0..40 {
        last = writer.set(&last, field::PLACE, &"x".repeat(20_000));
        all.push(last.id());
        writer.send(&world.ward, std::slice::from_ref(&last));
    }
    let mut wanted = vec![last.id()];
    let mut found = std::collections::BTreeSet::new();
    let mut rounds = 0;
    while !wanted.is_empty() {
        rounds += 1;
        let page = reader.want(&world.ward, &wanted).unwrap();
        let mut missing = Vec::new();
        for body in page.bodies.iter().flatten() {
            let edit = EncodedEdit::decode(body).unwrap();
            found.insert(edit.id());
            missing.extend(edit.edit().dependencies.iter().copied());
        }
        wanted = missing
            .into_iter()
            .filter(|edit| !found.contains(edit))
            .collect();
        assert!(rounds < 10, "no progress");
    }
    assert_eq!(found.len(), all.len());
    assert!(rounds > 1);
}

#[test]
fn entries_that_a_device_may_not_see_are_not_passed_over_for_ever() {
    let world = World::new();
    let mut writer = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &["27001"]);
    let before = other.cursor.clone();
    for _ in 0..10 {
        // Bodies do not matter here, their number does.
        let cases: Vec<_> = (0..25)
            .map(|_| writer.case("Ngập", Some("26998")))
            .collect();
        let mut edits = Vec::new();
        for case in cases {
            let mut last = case;
            for _ in 0..4 {
                let next = writer.note(&last, "x");
                edits.push(last);
                last = next;
            }
        }
        writer.send(&world.ward, &edits);
    }
    assert!(other.read(&world.ward).is_empty());
    assert_ne!(other.cursor, before, "the cursor moved on without an entry");
    assert!(other.read_page(&world.ward).is_none());
}

#[test]
fn the_directory_that_devices_get_is_the_wards() {
    let world = World::new();
    let phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let answer = world
        .ward
        .execute(phone.device(), WardCommand::ReadDirectory)
        .unwrap();
    let directory = world.ward.directory().unwrap();
    assert_eq!(answer, WardAnswer::Directory(Box::new(directory)));
}

#[test]
fn history_names_the_device_of_a_phones_edit() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    phone.send(&world.ward, std::slice::from_ref(&case));
    let document = DocumentId::case(case.edit().document.uuid);
    let history = world.ward.history(document).unwrap();
    assert_eq!(history[0].device_name.as_deref(), Some("máy 1"));
    assert_eq!(history[0].author_name, "Cán bộ 1");
}
