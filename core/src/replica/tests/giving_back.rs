use super::ward::*;
use super::*;
use crate::model::{DocumentId, EditId};
use crate::policy::RejectionCode;
use crate::protocol::agreement::EditSum;
use crate::protocol::initiator::ComparisonStep;
use crate::protocol::verdict::Verdict;
use crate::rescue::{Opener, RescueItem};

#[test]
fn a_restored_ward_gets_back_what_it_once_signed_and_what_it_only_promised() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 0);
    let photo = phone.attach(id, "x.png", PNG).unwrap();
    let promised = next_bundle(&phone).unwrap();
    record(&phone, promised.0, ward.admit(&phone, &opened(&promised.1)));
    phone
        .execute(DeviceCommand::ConfirmAttachment(photo.hash))
        .unwrap();
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);

    ward.restore(0);
    assert_eq!(begin(&phone), [1, 1]);
    phone.execute(DeviceCommand::BeginReturn).unwrap();
    assert_eq!(compare(&phone, &[], true), Vec::new());
    assert_eq!(
        sync_of(&phone, id),
        SyncState::Recorded,
        "the photo may be lost"
    );
    let page = next_return(&phone).unwrap();
    assert!(crate::protocol::feed::verify_proof(
        phone.enrolment().unwrap().ward_key,
        &page.proof
    ));
    let body = page.bodies[0].clone().unwrap();
    assert_eq!(
        page.proof.entries[0].edit.0,
        *blake3::hash(&body).as_bytes()
    );
    assert_eq!(page.cursor, None);
    assert_eq!(next_return(&phone), None);
    assert_eq!(next_bundle(&phone), Some(promised));
    assert_eq!(next_bundle(&phone), None);
    assert!(matches!(
        phone.execute(DeviceCommand::NextAttachment).unwrap(),
        DeviceAnswer::Attachment(Some(_))
    ));
    // Interrupted: the next conversation begins with the old cursor, so that all this happens again.
    assert_eq!(begin(&phone), [1, 1]);
}

#[test]
fn what_the_ward_accepted_and_its_feed_went_by_is_sent_again() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    record(&phone, bundle, ward.admit(&phone, &opened(&sealed)));
    // Put back from a copy that is older than this, the ward takes others' edits meanwhile.
    ward.restore(0);
    desk.record_case(case("y")).unwrap();
    begin(&desk);
    ward.hear(&desk);
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);
    ward.tell(&phone, 0);
    assert_eq!(sync_of(&phone, id), SyncState::Sending);
    begin(&phone);
    assert_eq!(next_bundle(&phone), Some((bundle, sealed)));
}

#[test]
fn the_rescue_file_holds_everything_that_the_ward_does_not_have() {
    let (_folder, phone) = phone();
    give_rescue_key(&phone);
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (bundle, _) = next_bundle(&phone).unwrap();
    let code = RejectionCode::OutOfScope;
    record(&phone, bundle, vec![Verdict::Rejected { code }]);
    let other = phone.record_case(case("y")).unwrap().id;
    next_bundle(&phone).unwrap();
    phone.attach(other, "1.png", PNG).unwrap();

    let (documents, files) = rescued(&phone.rescue_file().unwrap());
    assert_eq!(documents, [other, other, id]);
    assert_eq!(files, [PNG]);
    // The phone goes on as if nothing had happened.
    begin(&phone);
    assert!(next_bundle(&phone).is_some());
    assert_eq!(phone.pending().unwrap().len(), 3);
}

#[test]
fn a_damaged_store_is_set_aside_with_a_rescue_file_of_what_can_be_read() {
    let (folder, phone) = phone();
    give_rescue_key(&phone);
    let recorded: Vec<Uuid> = (0..60)
        .map(|number| {
            let text = format!("{number} {}", "cống tắc ".repeat(100));
            phone.record_case(case(&text)).unwrap().id
        })
        .collect();
    drop(phone);
    let path = folder.path().join("phone.db");
    let page = page_of_edits(&path, recorded[30]);
    damage(&path, page);

    let phone = open(folder.path());
    assert!(phone.case(recorded[0]).unwrap().is_some());
    assert!(matches!(
        phone.case(recorded[30]),
        Err(StoreError::Damaged(_))
    ));
    drop(phone);
    let Err(OpenError::Damaged { set_aside }) = Replica::open(folder.path(), &key(), environment())
    else {
        panic!("a damaged store was opened");
    };
    let file = std::fs::read(folder.path().join(format!("{set_aside}-rescue"))).unwrap();
    let (documents, _) = rescued(&file);
    assert!(documents.len() >= 50, "{}", documents.len());
    assert!(!documents.contains(&recorded[30]));
    assert_eq!(open(folder.path()).pending().unwrap(), []);
}

const RESCUE_SEED: [u8; 32] = [11; 32];

fn give_rescue_key(phone: &Replica) {
    let mut enrolment = phone.enrolment().unwrap();
    enrolment.rescue_key = crate::rescue::public_key(&RESCUE_SEED);
    phone.set_enrolment(&enrolment).unwrap();
}

/// The documents of the edits in a rescue file, and its attachments.
fn rescued(file: &[u8]) -> (Vec<Uuid>, Vec<Vec<u8>>) {
    let opener = Opener::new(&RESCUE_SEED, "26995".parse().unwrap(), file).unwrap();
    let (mut documents, mut files) = (Vec::new(), Vec::new());
    for item in opener {
        match item.unwrap() {
            RescueItem::Bundle(sealed) => documents.extend(
                edits(&opened(&sealed))
                    .iter()
                    .map(|edit| edit.edit().document.uuid),
            ),
            RescueItem::Attachment(bytes) => files.push(bytes),
        }
    }
    (documents, files)
}

/// The number of the page on which the edits of a case lie.
fn page_of_edits(path: &Path, case: Uuid) -> u64 {
    let store = connection::open(path, &key(), device::MIGRATIONS).unwrap();
    let mut page = 0;
    // Without a table of pages: the page that changes when they do.
    store
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let before = std::fs::read(path).unwrap();
    store
        .execute(
            "UPDATE edits SET author = zeroblob(16) WHERE document = ?1",
            [DocumentId::case(case).to_bytes()],
        )
        .unwrap();
    store
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let after = std::fs::read(path).unwrap();
    for (number, (before, after)) in before.chunks(4096).zip(after.chunks(4096)).enumerate() {
        if before != after && number > 0 {
            page = number as u64;
        }
    }
    assert_ne!(page, 0);
    page
}

fn damage(path: &Path, page: u64) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(page * 4096 + 900)).unwrap();
    file.write_all(&[0x55; 64]).unwrap();
}

#[test]
fn a_restored_ward_gets_back_only_what_it_lacks() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    for number in 0..40 {
        phone.record_case(case(&number.to_string())).unwrap();
    }
    begin(&phone);
    ward.hear(&phone);
    // In pages of ten.
    for first in (0..40).step_by(10) {
        let places: Vec<usize> = (first..first + 10).collect();
        apply(&phone, ward.page_of(&places, first));
    }
    let lost = ward.feed.clone().split_off(37);
    ward.restore(37);
    begin(&phone);
    phone.execute(DeviceCommand::BeginReturn).unwrap();
    let known: Vec<_> = ward.feed.iter().map(|admitted| admitted.id).collect();
    assert_eq!(compare(&phone, &known, true), Vec::new());
    let page = next_return(&phone).unwrap();
    assert_eq!(next_return(&phone), None);
    let bodies: Vec<_> = page.bodies.into_iter().flatten().collect();
    let lost: Vec<_> = lost.into_iter().map(|admitted| admitted.bytes).collect();
    assert_eq!(bodies, lost);
}

#[test]
fn what_differs_without_a_restore_is_found_from_both_sides() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    phone.record_case(case("của máy")).unwrap();
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 0);
    let held: Vec<_> = ward.feed.iter().map(|admitted| admitted.id).collect();
    let settle = |held: &[EditId]| {
        let held: EditSum = held.iter().copied().collect();
        let command = DeviceCommand::Settle {
            ward_time: MORNING,
            held: held.digest(),
        };
        phone.execute(command).unwrap()
    };
    assert_eq!(phone.agreement().unwrap(), Agreement::Unknown);
    assert_eq!(settle(&held), DeviceAnswer::Settled { is_agreed: true });
    assert_eq!(
        phone.agreement().unwrap(),
        Agreement::Synced { at: MORNING }
    );
    phone.record_case(case("chưa gửi")).unwrap();
    assert_eq!(phone.agreement().unwrap(), Agreement::Unsent);

    // The ward has lost it, and has what the phone never heard of.
    desk.record_case(case("của quầy")).unwrap();
    begin(&desk);
    let mut other = TestWard::new();
    other.hear(&desk);
    let theirs: Vec<_> = other.feed.iter().map(|admitted| admitted.id).collect();
    assert_eq!(settle(&theirs), DeviceAnswer::Settled { is_agreed: false });
    assert_eq!(
        phone.agreement().unwrap(),
        Agreement::Differs { at: MORNING }
    );
    begin(&phone);
    assert_eq!(compare(&phone, &theirs, false), theirs);
    let page = next_return(&phone).unwrap();
    let bodies = page.bodies.into_iter().flatten().count();
    assert_eq!(bodies, held.len());
}

#[test]
fn a_ward_that_answers_nonsense_is_given_everything() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    phone.record_case(case("x")).unwrap();
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 0);
    let begin = DeviceCommand::BeginComparison { is_restored: true };
    phone.execute(begin).unwrap();
    let found = phone.execute(DeviceCommand::Compare(Vec::new())).unwrap();
    assert_eq!(
        found,
        DeviceAnswer::Comparison(ComparisonStep::Found {
            missing: Vec::new(),
            is_anything_lacked_there: true,
        })
    );
    assert!(next_return(&phone).is_some());
}
