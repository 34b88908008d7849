//! What holds of pages, chains and cursors.

use proptest::prelude::*;
use uuid::Uuid;

use super::super::compression;
use super::super::packing::{self, Effort};
use super::*;
use crate::codec::DecodeError;
use crate::model::DocumentId;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn ward_key() -> WardKey {
    WardKey(key().verifying_key().to_bytes())
}

fn entry(sequence: u64, body: &[u8]) -> FeedEntry {
    FeedEntry {
        sequence,
        edit: EditId(blake3::hash(body).into()),
        author: OfficerId(Uuid::from_u128(u128::from(sequence % 3))),
        device: DeviceId([(sequence % 3) as u8; 32]),
        received_at: Timestamp(1_772_413_200_000 + sequence as i64),
        salt: match sequence % 5 {
            0 => Salt::Own([sequence as u8; 16]),
            _ => Salt::Shared([9; 16]),
        },
    }
}

fn page(after: u64, bodies: &[&[u8]]) -> Page {
    let entries: Vec<FeedEntry> = bodies
        .iter()
        .zip(after + 1..)
        .map(|(body, sequence)| entry(sequence, body))
        .collect();
    let up_to = after + entries.len() as u64;
    let proof = PageProof {
        ward: "26995".parse().unwrap(),
        epoch: Epoch([3; 16]),
        after,
        up_to,
        chain: ChainHash([4; 32]),
        entries,
        signature: [0; 64],
    };
    Page {
        proof: sign(&key(), proof),
        bodies: bodies.iter().map(|body| Some(body.to_vec())).collect(),
        cursor: Some(Cursor(vec![1, 2, 3])),
        scope: ScopeDelta::default(),
    }
}

/// The two parts of a sealed page, the first decompressed.
fn parts(sealed: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut reader = crate::codec::Reader::new(sealed);
    let head = reader.bytes(limits::PAGE_BYTES_MAX).unwrap();
    let content = compression::decompress(head, 10_000).unwrap();
    (content, reader.rest().to_vec())
}

/// A page of these parts.
fn sealed(content: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut writer = crate::codec::Writer::new();
    writer.bytes(&compression::compress(content)).fixed(packed);
    writer.finish()
}

#[test]
fn a_page_comes_back_whole() {
    let mut page = page(10, &[b"one", b"two", b"three"]);
    page.bodies[1] = None;
    assert_eq!(Page::open(ward_key(), &page.seal()), Ok(page));
}

#[test]
fn an_empty_page_moves_the_cursor() {
    let mut page = page(10, &[]);
    page.proof.up_to = 500;
    page.proof = sign(&key(), page.proof);
    assert_eq!(Page::open(ward_key(), &page.seal()), Ok(page));
}

#[test]
fn ids_and_writers_that_can_be_derived_are_not_sent() {
    let long_bodies: Vec<Vec<u8>> = (0..100u8).map(|number| vec![number; 2]).collect();
    let bodies: Vec<&[u8]> = long_bodies.iter().map(Vec::as_slice).collect();
    let mut page = page(0, &bodies);
    let with_bodies = page.seal().len();
    page.bodies = vec![None; 100];
    let without_bodies = page.seal().len();
    assert!(
        without_bodies > with_bodies + 100 * 28,
        "{without_bodies} {with_bodies}"
    );
}

#[test]
fn a_page_of_another_ward_is_refused() {
    let other = WardKey(SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
    let sealed = page(0, &[b"one"]).seal();
    assert_eq!(Page::open(other, &sealed), Err(OpenPageError::Signature));
    assert!(Page::open_unverified(&sealed).is_ok());
}

#[test]
fn the_signature_covers_every_part_of_the_proof() {
    let proof = page(5, &[b"one", b"two"]).proof;
    assert!(verify_proof(ward_key(), &proof));
    let changes: [fn(&mut PageProof); 13] = [
        |proof| proof.ward = "26996".parse().unwrap(),
        |proof| proof.epoch.0[0] ^= 1,
        |proof| proof.after -= 1,
        |proof| proof.up_to += 1,
        |proof| proof.chain.0[31] ^= 1,
        |proof| proof.entries[1].sequence += 0x100,
        |proof| proof.entries[0].edit.0[0] ^= 1,
        |proof| proof.entries[0].author = OfficerId(Uuid::from_u128(99)),
        |proof| proof.entries[0].device.0[9] ^= 1,
        |proof| proof.entries[0].received_at.0 += 1,
        |proof| proof.entries[0].salt = Salt::Own([9; 16]),
        |proof| proof.entries.truncate(1),
        |proof| proof.signature[0] ^= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = proof.clone();
        change(&mut changed);
        assert!(!verify_proof(ward_key(), &changed), "change {number}");
    }
}

#[test]
fn a_signed_proof_whose_entries_do_not_ascend_is_refused() {
    for (first, second) in [(7, 6), (6, 6), (5, 6), (6, 8)] {
        let mut proof = page(5, &[b"one", b"two"]).proof;
        proof.entries[0].sequence = first;
        proof.entries[1].sequence = second;
        let signed = sign(&key(), proof);
        assert!(!verify_proof(ward_key(), &signed), "{first} {second}");
        let page = Page {
            proof: signed,
            bodies: vec![None, None],
            cursor: None,
            scope: ScopeDelta::default(),
        };
        assert!(
            Page::open_unverified(&page.seal()).is_err(),
            "{first} {second}"
        );
    }
}

#[test]
fn a_body_that_is_not_the_named_edits_is_left_out() {
    let mut page = page(0, &[b"one", b"two"]);
    page.bodies[0] = Some(b"something else".to_vec());
    let opened = Page::open(ward_key(), &page.seal()).unwrap();
    assert_eq!(opened.bodies, [None, Some(b"two".to_vec())]);
    assert_eq!(opened.proof, page.proof);
}

#[test]
fn a_page_within_its_bounds_seals_within_its_frame() {
    // Bytes that do not compress, one writer per entry: the worst that a ward may build.
    let mut random = blake3::Hasher::new().finalize_xof();
    let mut fill = |bytes: &mut [u8]| random.fill(bytes);
    let each = limits::PAGE_BODY_BYTES_MAX / limits::BUNDLE_EDITS_MAX;
    let mut page = page(0, &[]);
    for sequence in 1..=limits::BUNDLE_EDITS_MAX as u64 {
        let mut body = vec![0; each];
        fill(&mut body);
        let mut entry = entry(sequence, &body);
        let mut salt = [0; 16];
        fill(&mut salt);
        entry.salt = Salt::Own(salt);
        fill(&mut entry.device.0);
        let mut author = [0; 16];
        fill(&mut author);
        entry.author = OfficerId(Uuid::from_bytes(author));
        entry.received_at = Timestamp(if sequence % 2 == 0 { i64::MAX } else { 0 });
        page.proof.entries.push(entry);
        page.bodies.push(Some(body));
    }
    page.proof.up_to = u64::MAX;
    page.proof = sign(&key(), page.proof);
    let sealed = page.seal();
    assert!(sealed.len() <= limits::PAGE_BYTES_MAX, "{}", sealed.len());
    assert_eq!(Page::open(ward_key(), &sealed), Ok(page));
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut leaving = page(0, &[b"one"]);
    leaving.scope.is_end = true;
    for (page, appended, refused) in [
        (page(0, &[b"one"]), &[0, 0][..], DecodeError::InvalidValue),
        (page(0, &[b"one"]), &[16, 0], DecodeError::InvalidValue),
        (page(0, &[b"one"]), &[8, 0], DecodeError::Truncated),
        (page(0, &[b"one"]), &[8, 0, 0], DecodeError::InvalidValue),
        (page(0, &[b"one"]), &[1], DecodeError::Truncated),
        (leaving, &[0], DecodeError::TrailingBytes),
    ] {
        let (mut content, packed) = parts(&page.seal());
        content.extend_from_slice(appended);
        let refused = Err(OpenPageError::Decode(refused));
        assert_eq!(Page::open(ward_key(), &sealed(&content, &packed)), refused);
    }
    let (content, _) = parts(&page(0, &[b"one"]).seal());
    let two = packing::pack(Effort::EachTime, [b"one".as_slice(), b"two"]);
    let refused = Err(OpenPageError::Decode(DecodeError::TrailingBytes));
    assert_eq!(Page::open(ward_key(), &sealed(&content, &two)), refused);
}

#[test]
fn documents_that_leave_the_scope_come_with_a_page() {
    let mut page = page(10, &[b"one"]);
    page.scope = ScopeDelta {
        ends_loans: true,
        is_beginning: true,
        is_end: true,
        forgotten: vec![
            DocumentId::case(Uuid::from_u128(1)),
            DocumentId::person_of(Uuid::from_u128(1)),
            DocumentId::visit(Uuid::from_u128(2)),
        ],
        tombstones: vec![Tombstone::sign(
            &SigningKey::from_bytes(&[9; 32]),
            DocumentId::case(Uuid::from_u128(3)),
            PurgeReason::Erasure,
            Timestamp(5),
        )],
    };
    assert_eq!(Page::open(ward_key(), &page.seal()), Ok(page));
}

#[test]
fn more_documents_to_forget_than_a_page_may_name_are_refused() {
    let mut page = page(10, &[]);
    let forgotten = (0..limits::FORGOTTEN_DOCUMENTS_MAX as u128 + 1)
        .map(|number| DocumentId::case(Uuid::from_u128(number)));
    page.scope.forgotten = forgotten.collect();
    assert!(Page::open(ward_key(), &page.seal()).is_err());
    page.scope.forgotten.pop();
    assert_eq!(Page::open(ward_key(), &page.seal()), Ok(page));
}

#[test]
fn a_page_that_lacks_a_body_is_refused() {
    let (content, _) = parts(&page(0, &[b"one", b"two"]).seal());
    let refused = Err(OpenPageError::Decode(DecodeError::Truncated));
    let one = packing::pack(Effort::EachTime, [b"one".as_slice()]);
    assert_eq!(Page::open(ward_key(), &sealed(&content, &one)), refused);
    assert_eq!(Page::open(ward_key(), &sealed(&content, &[])), refused);
}

#[test]
fn a_page_that_inflates_over_its_bound_is_refused() {
    let bomb = sealed(&vec![0; limits::BUNDLE_CONTENT_BYTES_MAX + 1], &[]);
    assert!(bomb.len() < 1_000);
    assert_eq!(
        Page::open(ward_key(), &bomb),
        Err(OpenPageError::Decompress)
    );
}

#[test]
fn a_shared_salt_is_another_at_each_place_and_can_become_the_entrys_own() {
    let shared = entry(1, b"one");
    let Salt::Shared(_) = shared.salt else {
        panic!("{:?}", shared.salt);
    };
    assert_ne!(shared.salt.of(1), shared.salt.of(2));
    let own = FeedEntry {
        salt: Salt::Own(shared.salt.of(1)),
        ..shared.clone()
    };
    assert_eq!(own.digest(), shared.digest());
    for salt in [shared.salt, own.salt] {
        assert_eq!(Salt::from_bytes(salt.to_bytes()), Some(salt));
    }
    assert_eq!(Salt::from_bytes([2; 17]), None);
}

#[test]
fn the_chain_still_holds_when_only_digests_are_left() {
    let entries: Vec<FeedEntry> = (1..=3).map(|sequence| entry(sequence, b"body")).collect();
    let start = ChainHash([0; 32]);
    let whole = entries
        .iter()
        .fold(start, |chain, entry| entry.extend(chain));
    let purged = entries
        .iter()
        .fold(start, |chain, entry| extend_chain(chain, &entry.digest()));
    assert_eq!(whole, purged);
    for order in [[2, 1, 0], [1, 0, 2]] {
        let chain = order
            .into_iter()
            .fold(start, |chain, index: usize| entries[index].extend(chain));
        assert_ne!(whole, chain, "{order:?}");
    }
}

#[test]
fn a_cursor_comes_back_and_anything_else_is_unknown() {
    let fields = CursorFields {
        epoch: Epoch([1; 16]),
        sequence: 300,
        chain: ChainHash([2; 32]),
        scope_version: 1,
        is_whole: false,
        step: None,
        filled: 0,
    };
    let cursor = fields.to_cursor();
    assert!(cursor.0.len() <= limits::CURSOR_BYTES_MAX);
    assert_eq!(CursorFields::from_cursor(&cursor), Some(fields));
    assert_eq!(CursorFields::from_cursor(&Cursor::default()), None);
    let under_way = CursorFields {
        sequence: u64::MAX,
        scope_version: u64::MAX,
        is_whole: true,
        step: Some(ScopeStep {
            to: u64::MAX,
            done: u64::MAX,
            is_begun_again: true,
        }),
        filled: u64::MAX,
        ..fields
    };
    assert!(under_way.to_cursor().0.len() <= limits::CURSOR_BYTES_MAX - 16);
    for fields in [
        under_way,
        CursorFields {
            step: None,
            ..under_way
        },
        CursorFields {
            filled: 7,
            ..fields
        },
    ] {
        assert_eq!(CursorFields::from_cursor(&fields.to_cursor()), Some(fields));
    }
    let mut longer = cursor.clone();
    longer.0.push(0);
    assert_eq!(CursorFields::from_cursor(&longer), None);
    let mut other = cursor;
    other.0[0] = 2;
    assert_eq!(CursorFields::from_cursor(&other), None);
}

proptest! {
    #[test]
    fn a_mutated_page_is_never_taken_for_the_wards(
        position in 0usize..10_000,
        value in 1u8..=255,
    ) {
        let original = page(3, &[b"mot", b"hai", b"ba"]);
        let (mut content, packed) = parts(&original.seal());
        let position = position % content.len();
        content[position] ^= value;
        let sealed = sealed(&content, &packed);
        // Only the cursor is outside the signature: the ward checks it itself when it comes back.
        if let Ok(opened) = Page::open(ward_key(), &sealed) {
            prop_assert_eq!(opened.proof, original.proof);
            prop_assert_ne!(opened.cursor, original.cursor);
        }
    }

    #[test]
    fn garbage_is_no_page(garbage in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(Page::open_unverified(&garbage).is_err());
        prop_assert!(Page::open(ward_key(), &sealed(&garbage, &[])).is_err());
        let (content, _) = parts(&page(3, &[b"mot"]).seal());
        prop_assert!(Page::open(ward_key(), &sealed(&content, &garbage)).is_err());
    }
}
