//! Photos.

use super::super::message::{FileWord, WardMessage};
use super::super::violation::Violation;
use super::*;
use crate::model::AttachmentHash;

fn photo(number: u8, bytes: usize) -> Vec<u8> {
    let mut photo = vec![0; bytes];
    blake3::Hasher::new()
        .update(&[number])
        .finalize_xof()
        .fill(&mut photo);
    photo
}

#[test]
fn photos_follow_the_records_in_chunks_and_are_confirmed() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..15));
    ward.admit_from_colleague(&FakeEdit::new("comes down first"));
    let large = device.attach(photo(1, 300_000));
    let small = device.attach(photo(2, 1));
    let exact = device.attach(photo(3, limits::ATTACHMENT_CHUNK_BYTES));
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(device.confirmed, [large, small, exact].into());
    assert_eq!(ward.files[&large], photo(1, 300_000));
    let first_file = ward.log.iter().position(|step| *step == "find attachment");
    let last_record = ward.log.iter().rposition(|step| *step == "read feed");
    assert!(first_file > last_record, "{:?}", ward.log);
    for hash in [large, small, exact] {
        assert!(outcome.progress.contains(&Progress::AttachmentStored(hash)));
    }
    // Records, then offer and chunks; the third file's offer waits for the first file's word.
    assert_eq!(outcome.round_trips, 5);
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(ward.log, ["greet", "read feed"]);
}

#[test]
fn a_photo_that_the_ward_has_does_not_travel() {
    let (mut device, mut ward) = acquainted();
    let bytes = photo(1, 300_000);
    let hash = device.attach(bytes.clone());
    ward.files.insert(hash, bytes);
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(device.confirmed, [hash].into());
    // Mostly the hashes of its parts.
    assert!(outcome.payload() < 1_000, "{}", outcome.payload());
}

#[test]
fn a_photo_that_the_ward_does_not_take_holds_nothing_back() {
    let (mut device, mut ward) = acquainted();
    let (damaged, empty) = (AttachmentHash([9; 32]), AttachmentHash([8; 32]));
    device.files.push((damaged, photo(1, 100_000)));
    device.files.push((empty, Vec::new()));
    let [refused, early, much] = [3, 4, 5].map(|number| device.attach(photo(number, 100_000)));
    ward.file_words = [
        (refused, FileWord::Refused),
        (early, FileWord::Unreferenced),
        (much, FileWord::OverQuota),
    ]
    .into();
    let good = device.attach(photo(2, 100_000));
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(device.confirmed, [good].into());
    for hash in [damaged, empty, refused] {
        let told = Progress::AttachmentRefused(hash);
        assert!(outcome.progress.contains(&told));
    }
    for hash in [early, much] {
        let told = Progress::AttachmentPostponed(hash);
        assert!(outcome.progress.contains(&told));
    }
    ward.file_words.clear();
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(device.confirmed, [good, refused, early, much].into());
}

#[test]
fn a_photo_whose_confirmation_was_lost_is_offered_again() {
    let (mut device, mut ward) = acquainted();
    let hash = device.attach(photo(1, 200_000));
    let whole = meet(&mut device.clone(), &mut ward.clone());
    // The ward needs the file; its last word, that it is stored, does not arrive.
    let stored = WardMessage::Stored {
        hash,
        word: FileWord::Stored,
    };
    let link = Link {
        ward_bytes_max: Some(whole.down.len() - stored.encode().len()),
        ..Link::default()
    };
    let outcome = talk(&mut device, &mut ward, &link);
    assert_eq!(outcome.device, Err(ConversationError::Interrupted));
    assert!(device.confirmed.is_empty());
    let again = meet(&mut device, &mut ward);
    again.assert_caught_up();
    assert_eq!(device.confirmed, [hash].into());
    assert!(again.payload() < 1_000, "it does not travel twice");
}

#[test]
fn wherever_a_connection_breaks_a_photo_goes_on_and_a_chunk_at_most_travels_twice() {
    let (mut device, ward) = acquainted();
    let hash = device.attach(photo(1, 200_000));
    let whole = meet(&mut device.clone(), &mut ward.clone());
    let total = whole.up.len();
    for bytes_max in (0..total).step_by(4_999) {
        for is_device_cut in [true, false] {
            let (mut device, mut ward) = (device.clone(), ward.clone());
            let mut link = Link::default();
            if is_device_cut {
                link.device_bytes_max = Some(bytes_max);
            } else {
                link.ward_bytes_max = Some(bytes_max % whole.down.len());
            }
            let broken = talk(&mut device, &mut ward, &link);
            let again = meet(&mut device, &mut ward);
            again.assert_caught_up();
            assert_eq!(ward.files[&hash], photo(1, 200_000));
            let sent = broken.up.len() + again.up.len();
            // Greeting and offer once more, and what was under way.
            let allowed = total + limits::ATTACHMENT_CHUNK_BYTES + 2_000;
            assert!(sent <= allowed, "{sent} of {allowed}, cut at {bytes_max}");
        }
    }
}

#[test]
fn a_photo_that_a_restored_ward_lost_unnoticed_is_given_again() {
    let (mut device, mut ward) = acquainted();
    let hash = device.attach(photo(1, 50_000));
    meet(&mut device, &mut ward).assert_caught_up();
    // No edit came since the backup, so the cursor is known; the photo came after it.
    ward.files.clear();
    ward.lacked = vec![hash];
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(ward.files[&hash], photo(1, 50_000));
}

#[test]
fn a_photo_comes_down_in_parts_and_goes_on_where_the_connection_broke() {
    let (mut device, mut ward) = acquainted();
    let bytes = photo(1, 200_000);
    let hash = AttachmentHash(blake3::hash(&bytes).into());
    ward.files.insert(hash, bytes.clone());
    let missing = AttachmentHash([7; 32]);
    device.wanted = vec![missing, hash];
    let whole = meet(&mut device.clone(), &mut ward.clone());
    whole.assert_caught_up();
    assert!(
        whole
            .progress
            .contains(&Progress::AttachmentMissing(missing))
    );
    let total = whole.down.len();
    for bytes_max in (0..total).step_by(4_999) {
        let mut device = device.clone();
        let link = Link {
            ward_bytes_max: Some(bytes_max),
            ..Link::default()
        };
        let broken = talk(&mut device, &mut ward, &link);
        let kept = device.fetched.get(&hash).map_or(0, Vec::len);
        let again = meet(&mut device, &mut ward);
        again.assert_caught_up();
        assert_eq!(device.fetched[&hash], bytes);
        assert_eq!(device.wanted, [missing]);
        let came = broken.down.len().min(bytes_max) + again.down.len();
        let allowed = total + limits::ATTACHMENT_PART_BYTES + 2_000;
        assert!(came <= allowed, "{came} of {allowed}, {kept} were kept");
    }
}

#[test]
fn a_part_that_is_not_what_the_file_says_is_never_kept() {
    let (mut device, mut ward) = acquainted();
    let bytes = photo(1, 50_000);
    let hash = AttachmentHash(blake3::hash(&bytes).into());
    ward.files.insert(hash, bytes);
    device.wanted = vec![hash];
    let whole = meet(&mut device.clone(), &mut ward.clone());
    let link = Link {
        ward_mutation: Some((whole.down.len() - 30_000, 1)),
        ..Link::default()
    };
    let outcome = talk(&mut device, &mut ward, &link);
    assert_eq!(outcome.device, Err(Violation::Signature.into()));
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(device.fetched[&hash], photo(1, 50_000));
}
