//! Photos.

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
    assert!(outcome.payload() < 500, "{}", outcome.payload());
}

#[test]
fn a_photo_that_the_ward_refuses_holds_nothing_back() {
    let (mut device, mut ward) = acquainted();
    let damaged = AttachmentHash([9; 32]);
    device.files.push((damaged, photo(1, 100_000)));
    device.files.push((AttachmentHash([8; 32]), Vec::new()));
    let good = device.attach(photo(2, 100_000));
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(device.confirmed, [good].into());
    for refused in [damaged, AttachmentHash([8; 32])] {
        assert!(
            outcome
                .progress
                .contains(&Progress::AttachmentRefused(refused))
        );
    }
}

#[test]
fn a_photo_whose_confirmation_was_lost_is_offered_again() {
    let (mut device, mut ward) = acquainted();
    let hash = device.attach(photo(1, 200_000));
    let whole = meet(&mut device.clone(), &mut ward.clone());
    // The ward needs the file; its last word, that it is stored, does not arrive.
    let stored = super::super::message::WardMessage::Stored {
        hash,
        is_stored: true,
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
    assert!(again.payload() < 500, "it does not travel twice");
}
