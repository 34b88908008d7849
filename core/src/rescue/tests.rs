use ed25519_dalek::SigningKey;
use uuid::Uuid;

use super::*;
use crate::model::{DeviceId, OfficerId, Role, Timestamp, WardKey};
use crate::protocol::credential::{DeviceCredential, Enrolment};

const SEED: [u8; 32] = [7; 32];
/// Magic, ward and encapsulated key.
const HEAD_BYTES: usize = MAGIC.len() + 5 + ENCAPSULATED_BYTES;

fn ward() -> WardCode {
    "26995".parse().expect("a ward code")
}

fn enrolment() -> Enrolment {
    let key = SigningKey::from_bytes(&[1; 32]);
    Enrolment {
        ward_key: WardKey(key.verifying_key().to_bytes()),
        rescue_key: public_key(&SEED),
        addresses: vec!["192.0.2.1:4433".to_owned()],
        credential: DeviceCredential::sign(
            &key,
            ward(),
            DeviceId([2; 32]),
            OfficerId(Uuid::from_bytes([3; 16])),
            Role::Officer,
            Timestamp(1_772_413_200_000),
        ),
    }
}

fn items() -> Vec<RescueItem> {
    vec![
        RescueItem::Bundle(b"first bundle".to_vec()),
        RescueItem::Attachment(vec![0xab; 3 * PIECE_BYTES + 17]),
        RescueItem::Bundle(Vec::new()),
        RescueItem::Bundle(vec![0xcd; PIECE_BYTES]),
    ]
}

fn sealed(items: &[RescueItem]) -> Vec<u8> {
    let mut sealer = Sealer::new(&enrolment(), [9; 32]).expect("a good key");
    for item in items {
        match item {
            RescueItem::Bundle(bytes) => sealer.bundle(bytes),
            RescueItem::Attachment(bytes) => sealer.attachment(bytes),
        }
    }
    sealer.finish()
}

fn opened(file: &[u8]) -> Result<Vec<RescueItem>, OpenRescueError> {
    Opener::new(&SEED, ward(), file)?.collect()
}

#[test]
fn a_rescue_file_gives_back_what_went_in() {
    let file = sealed(&items());
    let opener = Opener::new(&SEED, ward(), &file).expect("a rescue file");
    assert_eq!(opener.credential(), &enrolment().credential);
    assert_eq!(opener.collect::<Result<Vec<_>, _>>(), Ok(items()));
    assert_eq!(opened(&sealed(&[])), Ok(Vec::new()));
}

#[test]
fn an_item_may_end_where_a_piece_ends() {
    let credential = enrolment().credential.encode().len() + 3;
    for around in 0..8 {
        let length = PIECE_BYTES - credential - 8 + around;
        let items = [RescueItem::Bundle(vec![1; length])];
        assert_eq!(opened(&sealed(&items)), Ok(items.to_vec()), "{around}");
    }
}

#[test]
fn nothing_that_was_recorded_can_be_read_without_the_key() {
    let file = sealed(&items());
    let shown = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(!shown(b"first bundle"));
    assert!(!shown(&[3; 16]));
    let other = Opener::new(&[8; 32], ward(), &file).err();
    assert_eq!(other, Some(OpenRescueError::Sealed));
}

#[test]
fn two_files_never_share_a_key() {
    let mut again = Sealer::new(&enrolment(), [10; 32]).expect("a good key");
    again.bundle(b"first bundle");
    let first = sealed(&items()[..1]);
    assert_ne!(first[HEAD_BYTES - 32..], again.finish()[HEAD_BYTES - 32..]);
}

#[test]
fn each_wrong_file_is_named_for_what_it_is() {
    let file = sealed(&items());
    assert_eq!(opened(b""), Err(OpenRescueError::NotARescueFile));
    assert_eq!(
        opened(b"%PDF-1.7 and so on, for long"),
        Err(OpenRescueError::NotARescueFile)
    );
    let mut newer = file.clone();
    newer[LAYOUT_PLACE] = 2;
    assert_eq!(opened(&newer), Err(OpenRescueError::Newer));
    let other: WardCode = "26998".parse().expect("a ward code");
    assert_eq!(
        Opener::new(&SEED, other, &file).err(),
        Some(OpenRescueError::OtherWard(ward()))
    );
}

#[test]
fn a_file_given_to_another_ward_by_changing_its_head_does_not_open() {
    let mut file = sealed(&items());
    file[MAGIC.len()..MAGIC.len() + 5].copy_from_slice(b"26998");
    let other = Opener::new(&SEED, "26998".parse().expect("a ward code"), &file).err();
    assert_eq!(other, Some(OpenRescueError::Sealed));
}

#[test]
fn a_file_cut_anywhere_is_known_to_be_cut_and_gives_what_came_before() {
    let file = sealed(&items());
    let piece = PIECE_BYTES + TAG_BYTES;
    let cuts = [
        0,
        1,
        20,
        HEAD_BYTES,
        HEAD_BYTES + piece,
        HEAD_BYTES + 4 * piece,
        file.len() - 1,
    ];
    for cut in cuts {
        assert!(opened(&file[..cut]).is_err(), "{cut}");
    }
    let cut = &file[..HEAD_BYTES + 4 * piece + 5];
    let good: Vec<RescueItem> = Opener::new(&SEED, ward(), cut)
        .expect("the head is whole")
        .map_while(Result::ok)
        .collect();
    assert_eq!(good, items()[..3]);
    let mut longer = file;
    longer.push(0);
    assert!(opened(&longer).is_err());
}

#[test]
fn no_bit_of_a_file_can_be_changed() {
    let file = sealed(&items()[..1]);
    for place in 0..file.len() {
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(opened(&changed).is_err(), "{place}");
    }
}

#[test]
fn an_item_of_a_later_app_is_passed_over() {
    let mut sealer = Sealer::new(&enrolment(), [9; 32]).expect("a good key");
    sealer.push(9, b"of a later app");
    sealer.bundle(b"known");
    let expected = vec![RescueItem::Bundle(b"known".to_vec())];
    assert_eq!(opened(&sealer.finish()), Ok(expected));
}

#[test]
fn an_item_over_its_limit_is_refused_before_it_is_read() {
    let mut sealer = Sealer::new(&enrolment(), [9; 32]).expect("a good key");
    let mut head = Writer::new();
    head.byte(item_tag::ATTACHMENT).count(ITEM_BYTES_MAX + 1);
    sealer.write(&head.finish());
    assert_eq!(opened(&sealer.finish()), Err(OpenRescueError::Damaged));
}

#[test]
fn a_file_without_a_credential_is_refused() {
    let mut sealer = Sealer::new(&enrolment(), [9; 32]).expect("a good key");
    sealer.plain.clear();
    sealer.bundle(b"whose?");
    assert_eq!(opened(&sealer.finish()), Err(OpenRescueError::Damaged));
}

#[test]
fn a_damaged_rescue_key_is_said_before_anything_is_written() {
    let enrolment = Enrolment {
        rescue_key: [0; 32],
        ..enrolment()
    };
    assert_eq!(Sealer::new(&enrolment, [9; 32]).err(), Some(BadRescueKey));
}
