//! Documents that leave the officer's scope: nothing of them stays, and nothing unsent is lost.

use super::ward::*;
use super::*;
use crate::model::{DocumentId, Person};
use crate::policy::RejectionCode;
use crate::protocol::agreement::HeldDigest;
use crate::protocol::feed::{Cursor, Page, ScopeDelta};
use crate::protocol::verdict::Verdict;
use crate::store::rows::CaseQuery;

/// Words that stand nowhere else.
const MARKS: [&str; 3] = ["khoảnhsânbịlấn", "bàlêthịquýnh", "đãnhắctổtrưởng"];

fn leaving(ward: &TestWard, forgotten: &[DocumentId]) -> Page {
    let after = ward.feed.len();
    Page {
        scope: ScopeDelta {
            forgotten: forgotten.to_vec(),
            ..ScopeDelta::default()
        },
        cursor: Some(Cursor(vec![9, 9])),
        ..ward.page_of(&[], after)
    }
}

/// The ward says its time, so many days after the morning.
fn settle(phone: &Replica, days: i64) {
    let ward_time = Timestamp(MORNING.0 + days * 24 * 60 * 60 * 1000);
    let command = DeviceCommand::Settle {
        ward_time,
        held: HeldDigest::default(),
    };
    assert!(matches!(
        phone.execute(command).unwrap(),
        DeviceAnswer::Settled { .. }
    ));
}

fn forget(phone: &Replica, ward: &TestWard, case: Uuid) {
    let documents = [DocumentId::case(case), DocumentId::person_of(case)];
    assert_eq!(apply(phone, leaving(ward, &documents)), []);
}

/// A case of the desk, known to the phone.
fn known_case(ward: &mut TestWard, desk: &Replica, phone: &Replica) -> Uuid {
    let citizen = Person {
        name: Some(MARKS[1].to_owned()),
        ..Person::default()
    };
    let new = NewCase {
        citizen: Some(citizen),
        ..case(&format!("{} ", MARKS[0]).repeat(400))
    };
    let id = desk.record_case(new).unwrap().id;
    begin(desk);
    ward.hear(desk);
    ward.tell(phone, 0);
    id
}

/// Every byte of the store as SQLite sees it, pages that are free included.
fn decrypted(phone: &Replica) -> Vec<u8> {
    let mut core = phone.core();
    let pages = core.store.connection.serialize(rusqlite::MAIN_DB).unwrap();
    assert!(pages.starts_with(b"SQLite format 3\0"));
    pages.to_vec()
}

fn holds(pages: &[u8], mark: &str) -> bool {
    let folded = crate::model::text::fold(mark);
    [mark, folded.as_str()].iter().any(|mark| {
        pages
            .windows(mark.len())
            .any(|bytes| bytes == mark.as_bytes())
    })
}

fn photo() -> Vec<u8> {
    let mut photo = PNG.to_vec();
    photo.extend_from_slice(&MARKS[2].as_bytes().repeat(300));
    photo
}

#[test]
fn no_byte_stays_of_a_case_that_leaves_the_scope() {
    let (folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    phone.add_note(id, MARKS[2]).unwrap();
    let attachment = phone.attach(id, "a.png", &photo()).unwrap();
    let read = ward.feed.len();
    begin(&phone);
    ward.hear(&phone);
    let confirm = DeviceCommand::ConfirmAttachment(attachment.hash);
    phone.execute(confirm).unwrap();
    ward.tell(&phone, read);
    let search = |text: &str| {
        let query = CaseQuery {
            search: Some(text.to_owned()),
            ..CaseQuery::default()
        };
        phone.cases(&query).unwrap().len()
    };
    assert_eq!(search(MARKS[0]), 1);
    let before = decrypted(&phone);
    for mark in MARKS {
        assert!(holds(&before, mark), "the test sees {mark}");
    }

    forget(&phone, &ward, id);
    let after = decrypted(&phone);
    for mark in &MARKS[..2] {
        assert!(!holds(&after, mark), "{mark} is still there");
    }
    assert!(
        holds(&after, MARKS[2]),
        "the officer's own words, for a month"
    );
    settle(&phone, 0);
    settle(&phone, 30);
    assert!(holds(&decrypted(&phone), MARKS[2]));
    settle(&phone, 31);
    let after = decrypted(&phone);
    assert!(!holds(&after, MARKS[2]), "not longer");
    let log = folder.path().join("phone.db-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
    assert!(phone.case(id).unwrap().is_none());
    assert_eq!(search(MARKS[0]), 0);
    for table in [
        "edits",
        "proofs",
        "outbox",
        "bundles",
        "attachments",
        "attachment_outbox",
        "case_rows",
        "person_rows",
    ] {
        assert_eq!(count(&phone, table), 0, "{table}");
    }
    assert_eq!(phone.pending().unwrap(), []);
    assert_eq!(begin(&phone), [9, 9]);
    assert_sound(&phone);
    // It can be said again.
    forget(&phone, &ward, id);
}

#[test]
fn an_unsent_edit_outlives_its_document_until_it_is_refused_and_then_stays_readable() {
    let (folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    phone.add_note(id, "một").unwrap();
    phone.add_note(id, "hai").unwrap();
    forget(&phone, &ward, id);
    assert!(phone.case(id).unwrap().is_none());
    assert_eq!(count(&phone, "edits"), 2, "exactly what is unsent");
    assert_sound(&phone);
    drop(phone);

    let phone = open(folder.path());
    assert_eq!(phone.pending().unwrap().len(), 2);
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    assert_eq!(opened(&sealed).edits.len(), 2);
    let refused = Verdict::Rejected {
        code: RejectionCode::OutOfScope,
    };
    record(&phone, bundle, vec![refused, refused]);
    assert_eq!(phone.pending().unwrap(), []);
    let rejected = phone.rejected().unwrap();
    assert_eq!(rejected.len(), 2);
    for (item, words) in rejected.iter().zip(["một", "hai"]) {
        let shown = item
            .content
            .iter()
            .filter_map(|change| change.value.as_deref());
        assert!(shown.into_iter().any(|value| value.contains(words)));
        assert_eq!(item.record, id);
    }
    assert_eq!(count(&phone, "edits"), 0);
    assert_eq!(phone.cases(&CaseQuery::default()).unwrap().len(), 0);
    assert_sound(&phone);
    // Forgetting the document once more does not take what is listed.
    forget(&phone, &ward, id);
    assert_eq!(phone.rejected().unwrap().len(), 2);
}

#[test]
fn an_unsent_edit_takes_its_place_again_when_its_document_comes_back() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    phone.add_note(id, "một").unwrap();
    begin(&phone);
    // Under way, and the answer is lost.
    let (_, sealed) = next_bundle(&phone).unwrap();
    ward.admit(&phone, &opened(&sealed));
    phone.add_note(id, "hai").unwrap();
    forget(&phone, &ward, id);

    // With bodies, as what is gained comes.
    assert_eq!(apply(&phone, ward.page_of(&[0, 1, 2], 0)), []);
    let notes = |phone: &Replica| -> Vec<String> {
        let detail = phone.case(id).unwrap().unwrap();
        detail
            .case
            .notes
            .into_iter()
            .map(|note| note.text)
            .collect()
    };
    assert_eq!(notes(&phone), ["một", "hai"]);
    assert_eq!(phone.pending().unwrap().len(), 1);
    phone.add_note(id, "ba").unwrap();
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 3);
    assert_eq!(notes(&phone), ["một", "hai", "ba"]);
    assert_eq!(phone.pending().unwrap(), []);
    assert_eq!(count(&phone, "outbox"), 0);
    assert_sound(&phone);
}

#[test]
fn what_the_ward_accepted_before_the_document_left_is_settled_by_its_word() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    phone.add_note(id, "một").unwrap();
    begin(&phone);
    let (_, sealed) = next_bundle(&phone).unwrap();
    ward.admit(&phone, &opened(&sealed));
    forget(&phone, &ward, id);
    assert_eq!(phone.pending().unwrap().len(), 1);
    begin(&phone);
    ward.hear(&phone);
    assert_eq!(phone.pending().unwrap(), []);
    settle(&phone, 0);
    assert_eq!(count(&phone, "edits"), 1, "should the ward lose it");
    begin(&phone);
    assert_eq!(next_bundle(&phone), None);
    settle(&phone, 31);
    for table in ["edits", "outbox", "bundles", "rejected"] {
        assert_eq!(count(&phone, table), 0, "{table}");
    }
    assert_sound(&phone);
}

#[test]
fn a_file_that_the_ward_does_not_have_is_sent_before_it_goes() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    let attachment = phone.attach(id, "a.png", &photo()).unwrap();
    begin(&phone);
    ward.hear(&phone);
    forget(&phone, &ward, id);
    assert_eq!(count(&phone, "edits"), 1, "should the ward lose it");
    settle(&phone, 0);
    settle(&phone, 31);
    assert_eq!(count(&phone, "edits"), 0);
    let DeviceAnswer::Attachment(Some(file)) =
        phone.execute(DeviceCommand::NextAttachment).unwrap()
    else {
        panic!("the file is still to be sent");
    };
    assert_eq!(file.hash, attachment.hash);
    phone
        .execute(DeviceCommand::ConfirmAttachment(file.hash))
        .unwrap();
    assert_eq!(count(&phone, "attachments"), 0);
    assert_eq!(count(&phone, "attachment_outbox"), 0);
}

#[test]
fn a_file_of_two_cases_stays_with_the_one_that_stays() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    let own = phone.record_case(case("của mình")).unwrap().id;
    for case in [id, own] {
        phone.attach(case, "a.png", PNG).unwrap();
    }
    begin(&phone);
    ward.hear(&phone);
    let hash = crate::store::attachments::hash(PNG);
    phone
        .execute(DeviceCommand::ConfirmAttachment(hash))
        .unwrap();
    forget(&phone, &ward, id);
    assert_eq!(count(&phone, "attachments"), 1);
    assert!(phone.attachment(hash).unwrap().is_some());
}

#[test]
fn what_a_reading_from_the_start_does_not_name_is_forgotten_at_its_end() {
    let (folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let gone = known_case(&mut ward, &desk, &phone);
    let kept = desk.record_case(case("còn")).unwrap().id;
    let own = phone.record_case(case("của mình")).unwrap().id;
    ward.hear(&desk);
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 2);
    let unsent = phone.record_case(case("chưa gửi")).unwrap().id;

    let mut first = ward.page_of(&[2], 0);
    first.scope.is_beginning = true;
    apply(&phone, first);
    assert!(phone.case(gone).unwrap().is_some(), "not yet");
    drop(phone);
    let phone = open(folder.path());
    let mut last = ward.page_of(&[], 4);
    last.scope.is_end = true;
    apply(&phone, last);
    assert!(phone.case(gone).unwrap().is_none());
    assert!(phone.case(kept).unwrap().is_some());
    assert!(phone.case(own).unwrap().is_some(), "one's own always stays");
    assert!(phone.case(unsent).unwrap().is_some());
    assert_eq!(count(&phone, "doubtful"), 0);
    assert_eq!(count(&phone, "person_rows"), 0);
    assert_sound(&phone);
}

#[test]
fn what_came_before_its_history_goes_with_the_document_and_is_not_asked_for() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = desk.record_case(case("từ quầy")).unwrap().id;
    desk.add_note(id, MARKS[2]).unwrap();
    begin(&desk);
    ward.hear(&desk);
    assert_eq!(apply(&phone, ward.page_of(&[1], 0)).len(), 1);
    assert_eq!(count(&phone, "set_aside"), 1);
    forget(&phone, &ward, id);
    assert_eq!(count(&phone, "set_aside"), 0);
    assert_eq!(count(&phone, "wanted"), 0);
    assert_eq!(count(&phone, "proofs"), 0);
    assert!(!holds(&decrypted(&phone), MARKS[2]));
}

/// What a ward is given back: the bodies of all pages.
fn given_back(phone: &Replica) -> Vec<Vec<u8>> {
    phone.execute(DeviceCommand::BeginReturn).unwrap();
    compare(phone, &[], true);
    let mut bodies = Vec::new();
    while let Some(page) = next_return(phone) {
        bodies.extend(page.bodies.into_iter().flatten());
    }
    bodies
}

#[test]
fn a_note_outlives_its_case_on_the_phone_for_a_ward_that_loses_it() {
    let (folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    let read = ward.feed.len();
    phone.add_note(id, "một").unwrap();
    let photo = phone.attach(id, "a.png", &photo()).unwrap();
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, read);
    phone
        .execute(DeviceCommand::ConfirmAttachment(photo.hash))
        .unwrap();
    let own: Vec<Vec<u8>> = ward.feed[read..]
        .iter()
        .map(|admitted| admitted.bytes.clone())
        .collect();
    forget(&phone, &ward, id);
    forget(&phone, &ward, id);
    drop(phone);

    // A copy that is older than the note takes the ward's place; nobody else holds it.
    ward.restore(read);
    let phone = open(folder.path());
    begin(&phone);
    assert_eq!(given_back(&phone), own);
    let DeviceAnswer::Attachment(Some(file)) =
        phone.execute(DeviceCommand::NextAttachment).unwrap()
    else {
        panic!("the ward may have lost the file, too");
    };
    assert_eq!(file.hash, photo.hash);
    assert!(
        phone
            .pending()
            .unwrap()
            .iter()
            .all(|item| item.edit.is_none())
    );
    assert!(phone.case(id).unwrap().is_none());
    assert_sound(&phone);
}

#[test]
fn a_note_that_no_page_named_goes_again_to_a_ward_that_lost_it() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = known_case(&mut ward, &desk, &phone);
    let read = ward.feed.len();
    phone.add_note(id, "một").unwrap();
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    record(&phone, bundle, ward.admit(&phone, &opened(&sealed)));
    forget(&phone, &ward, id);
    begin(&phone);
    assert_eq!(next_bundle(&phone), None, "the ward has it");

    ward.restore(read);
    phone.execute(DeviceCommand::BeginReturn).unwrap();
    assert_eq!(next_bundle(&phone), Some((bundle, sealed)));
    record(&phone, bundle, vec![Verdict::Accepted { sequence: 2 }]);
    // The feed goes by without a word, because the case is none of this phone's.
    forget(&phone, &ward, id);
    begin(&phone);
    ward.hear(&phone);
    assert_eq!(phone.pending().unwrap(), []);
    begin(&phone);
    assert_eq!(next_bundle(&phone), None);
    assert_sound(&phone);
}
