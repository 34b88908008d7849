use uuid::Uuid;

use super::*;
use crate::edit::limits::VALUE_BYTES_MAX;
use crate::edit::{Edit, FieldName, InitialField, Operation, Value};
use crate::model::{ActorId, DocumentId, IntentId};

fn device() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn ward() -> WardCode {
    "26995".parse().expect("a ward code")
}

const NOON: Timestamp = Timestamp(1_772_413_200_000);

/// A creation whose fields hold `bytes` each, which nothing can compress.
fn edit(number: u8, bytes: &[usize]) -> EncodedEdit {
    let uuid = Uuid::from_bytes([number; 16]);
    let fields = (b'a'..)
        .zip(bytes)
        .map(|(name, &length)| {
            let mut chance = vec![0; length];
            blake3::Hasher::new()
                .update(&[number, name])
                .finalize_xof()
                .fill(&mut chance);
            let name = FieldName::new(&char::from(name).to_string()).expect("a field name");
            (name, InitialField::Register(Value::Bytes(chance)))
        })
        .collect();
    EncodedEdit::encode(Edit {
        document: DocumentId::case(uuid),
        intent: IntentId(uuid.into_bytes()),
        actor: ActorId([2; 16]),
        sequence: 1,
        dependencies: Vec::new(),
        device_time: NOON,
        operations: vec![Operation::Create { fields }],
    })
    .expect("a proper edit")
}

fn edits() -> Vec<EncodedEdit> {
    (0..4).map(|number| edit(number, &[20, 30])).collect()
}

#[test]
fn a_sealed_bundle_opens_to_its_edits() {
    let edits = edits();
    let (id, sealed, count) = seal(&device(), ward(), NOON, &edits);
    assert_eq!(count, edits.len());
    assert_eq!(id.as_bytes(), blake3::hash(&sealed).as_bytes());
    let opened = open(&sealed).expect("a bundle");
    assert_eq!(opened.id, id);
    assert_eq!(opened.proof.ward, ward());
    assert_eq!(opened.proof.device.0, device().verifying_key().to_bytes());
    assert_eq!(opened.proof.sealed_at, NOON);
    let names: Vec<EditId> = edits.iter().map(EncodedEdit::id).collect();
    assert_eq!(opened.proof.edits, names);
    let expected: Vec<_> = edits
        .iter()
        .map(|edit| (edit.id(), Ok(edit.clone())))
        .collect();
    assert_eq!(opened.edits, expected);
}

#[test]
fn sealing_the_same_again_gives_the_same_bytes() {
    let edits = edits();
    assert_eq!(
        seal(&device(), ward(), NOON, &edits),
        seal(&device(), ward(), NOON, &edits)
    );
}

#[test]
fn no_byte_of_a_bundle_can_be_changed() {
    let (_, sealed, _) = seal(&device(), ward(), NOON, &edits());
    for place in 0..sealed.len() {
        for bit in [1, 0x80] {
            let mut changed = sealed.clone();
            changed[place] ^= bit;
            // Some bits of a zstd frame mean nothing; then the edits are the ones that were signed.
            if let Ok(opened) = open(&changed) {
                assert_eq!(
                    opened.edits,
                    open(&sealed).expect("a bundle").edits,
                    "{place}"
                );
                assert!(place > 110, "{place}");
            }
        }
    }
    for length in 0..sealed.len() {
        assert!(open(&sealed[..length]).is_err(), "{length}");
    }
}

#[test]
fn no_claim_of_a_proof_can_be_changed() {
    let (_, sealed, _) = seal(&device(), ward(), NOON, &edits());
    let proof = open(&sealed).expect("a bundle").proof;
    assert!(verify_proof(&proof));
    let other = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    let changed: [&dyn Fn(&mut BundleProof); 6] = [
        &|proof| proof.ward = "26998".parse().expect("a ward code"),
        &|proof| proof.device = DeviceId(other),
        &|proof| proof.sealed_at.0 += 1,
        &|proof| proof.edits.swap(0, 1),
        &|proof| proof.edits.truncate(3),
        &|proof| proof.signature[0] ^= 1,
    ];
    for (number, change) in changed.into_iter().enumerate() {
        let mut proof = proof.clone();
        change(&mut proof);
        assert!(!verify_proof(&proof), "{number}");
    }
}

#[test]
fn an_edit_that_does_not_decode_is_kept_under_its_own_name_and_the_others_go_on() {
    let edits = edits();
    let newer = b"\x02an edit of a later layout";
    let name = EditId(blake3::hash(newer).into());
    let with_newer = [
        (edits[0].id(), edits[0].bytes()),
        (name, newer.as_slice()),
        (edits[1].id(), edits[1].bytes()),
    ];
    let sealed = seal_all(&device(), ward(), NOON, with_newer.into_iter());
    let opened = open(&sealed).expect("a bundle");
    assert_eq!(
        opened.edits,
        [
            (edits[0].id(), Ok(edits[0].clone())),
            (name, Err(DecodeError::UnknownCode(2))),
            (edits[1].id(), Ok(edits[1].clone())),
        ]
    );
}

#[test]
fn a_bundle_takes_as_much_as_its_limit_allows_and_says_how_much() {
    let large: Vec<EncodedEdit> = (0..10)
        .map(|number| edit(number, &[30_000, 30_000]))
        .collect();
    let (_, sealed, count) = seal(&device(), ward(), NOON, &large);
    assert!(sealed.len() <= BUNDLE_BYTES_MAX);
    assert!((3..=4).contains(&count), "{count}");
    let opened = open(&sealed).expect("a bundle");
    assert_eq!(opened.edits.len(), count);
    let many: Vec<EncodedEdit> = std::iter::repeat_n(edit(1, &[1]), BUNDLE_EDITS_MAX + 1).collect();
    let (_, sealed, count) = seal(&device(), ward(), NOON, &many);
    assert_eq!(count, BUNDLE_EDITS_MAX);
    assert!(open(&sealed).is_ok());
}

#[test]
fn the_largest_edit_fits_alone() {
    let largest = edit(1, &[VALUE_BYTES_MAX, VALUE_BYTES_MAX - 100]);
    let (_, sealed, count) = seal(&device(), ward(), NOON, &[largest]);
    assert_eq!(count, 1);
    assert!(open(&sealed).is_ok());
}

#[test]
fn a_bundle_over_its_limit_is_refused_unread() {
    let over = DecodeError::OverLimit {
        limit: BUNDLE_BYTES_MAX,
    };
    assert_eq!(
        open(&vec![1; BUNDLE_BYTES_MAX + 1]).map(|opened| opened.id),
        Err(OpenBundleError::Decode(over))
    );
}
