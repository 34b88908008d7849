//! Vectors of what is sealed inside messages: pages, the feed's hashes, cursors, the directory. The
//! compressed form is one that any zstd reads, not the one that ours writes: a compressor may change.

use std::collections::BTreeMap;

use gandan_core::codec::{DecodeError, Reader};
use gandan_core::model::{
    Area, Category, ChainHash, DeviceId, Directory, Division, DocumentId, EditId, Epoch, Officer,
    OfficerId, OldWard, Role, Timestamp, WardKey,
};
use gandan_core::protocol::directory::{self, OpenDirectoryError};
use gandan_core::protocol::feed::{
    self, Cursor, CursorFields, FeedEntry, OpenPageError, Page, PageProof, PurgeReason, Salt,
    ScopeDelta, ScopeStep, Tombstone,
};
use gandan_core::protocol::packing;
use uuid::Uuid;

use super::vectors;

const INVALID_PAGES: &[(&str, OpenPageError)] = &[
    ("invalid-signature", OpenPageError::Signature),
    ("invalid-body", OpenPageError::Signature),
    (
        "invalid-order",
        OpenPageError::Decode(DecodeError::NonCanonicalOrder),
    ),
    (
        "invalid-writer",
        OpenPageError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-beyond",
        OpenPageError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-trailing",
        OpenPageError::Decode(DecodeError::TrailingBytes),
    ),
    (
        "invalid-scope",
        OpenPageError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-salt",
        OpenPageError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-bodies",
        OpenPageError::Decode(DecodeError::Truncated),
    ),
    ("invalid-bomb", OpenPageError::Decompress),
];

const INVALID_CURSORS: &[&str] = &["invalid-layout", "invalid-longer", "invalid-flag"];

const INVALID_DIRECTORIES: &[(&str, DecodeError)] = &[
    ("invalid-layout", DecodeError::UnknownCode(2)),
    ("invalid-truncated", DecodeError::Truncated),
];

pub(crate) fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    let invalid_pages = INVALID_PAGES.iter().map(|(name, _)| *name).collect();
    let invalid_directories = INVALID_DIRECTORIES.iter().map(|(name, _)| *name).collect();
    vec![
        (
            "sealed-page",
            vec!["three-entries", "known-edit", "empty", "leaving", "purging"],
        ),
        ("sealed-page", invalid_pages),
        ("feed-entry", vec!["digests"]),
        ("cursor", vec!["ours", "under-way"]),
        ("cursor", INVALID_CURSORS.to_vec()),
        (
            "sealed-directory",
            vec!["tan-hoa", "tan-hoa.version", "later"],
        ),
        ("sealed-directory", invalid_directories),
    ]
}

fn signing_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

fn ward_key() -> WardKey {
    WardKey(signing_key().verifying_key().to_bytes())
}

fn three_entries() -> Page {
    let bodies: [&[u8]; 3] = [
        b"the bytes of an edit",
        b"those of another",
        b"written by the device that reads the page",
    ];
    let entry = |index: usize, sequence, who: u8, at| FeedEntry {
        sequence,
        edit: EditId(blake3::hash(bodies[index]).into()),
        author: OfficerId(Uuid::from_bytes([0xa0 + who; 16])),
        device: DeviceId([0xd0 + who; 32]),
        received_at: Timestamp(at),
        salt: match index {
            0 => Salt::Own([1; 16]),
            _ => Salt::Shared([2; 16]),
        },
    };
    let time = 1_772_413_200_000;
    let proof = PageProof {
        ward: "26995".parse().unwrap(),
        epoch: Epoch([0x11; 16]),
        after: 300,
        up_to: 310,
        chain: ChainHash([0x99; 32]),
        entries: vec![
            entry(0, 301, 1, time),
            entry(1, 303, 1, time + 5),
            entry(2, 304, 2, time - 1),
        ],
        signature: [0; 64],
    };
    let cursor = CursorFields {
        epoch: Epoch([0x11; 16]),
        sequence: 310,
        chain: ChainHash([0x99; 32]),
        scope_version: 1,
        is_whole: false,
        step: None,
        filled: 0,
    };
    Page {
        proof: feed::sign(&signing_key(), proof),
        bodies: vec![Some(bodies[0].to_vec()), Some(bodies[1].to_vec()), None],
        cursor: Some(cursor.to_cursor()),
        scope: ScopeDelta::default(),
    }
}

/// What is inside a sealed thing, whoever compressed it.
fn content(sealed: &[u8]) -> Vec<u8> {
    zstd::bulk::decompress(sealed, 1 << 22).expect("it is zstd")
}

/// A page's head, decompressed, and its bodies, unpacked.
pub(crate) fn parts(sealed: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(sealed);
    let mut parts = vec![content(
        reader.bytes(sealed.len()).expect("a page has a head"),
    )];
    let packed = reader.rest();
    if !packed.is_empty() {
        parts.extend(packing::unpack(packed).expect("packed bodies"));
    }
    parts
}

#[test]
fn a_page_has_the_content_of_its_vector() {
    let mut empty = three_entries();
    empty.proof.entries.clear();
    empty.bodies.clear();
    empty.proof = feed::sign(&signing_key(), empty.proof);
    let id = Uuid::from_u128(0x0198_0000_0000_0000_0000_0000_0000_0001);
    let mut leaving = empty.clone();
    leaving.scope = ScopeDelta {
        is_beginning: true,
        is_end: true,
        ends_loans: true,
        forgotten: vec![DocumentId::case(id), DocumentId::person_of(id)],
        tombstones: Vec::new(),
    };
    let mut purging = empty.clone();
    purging.scope.tombstones = vec![Tombstone::sign(
        &signing_key(),
        DocumentId::person_of(id),
        PurgeReason::Erasure,
        Timestamp(1_772_500_000_000),
    )];
    for (name, page) in [
        ("three-entries", three_entries()),
        ("empty", empty),
        ("leaving", leaving),
        ("purging", purging),
    ] {
        let sealed = vectors::read("sealed-page", name);
        assert_eq!(parts(&page.seal()), parts(&sealed), "{name}");
        assert_eq!(Page::open(ward_key(), &sealed), Ok(page), "{name}");
    }
}

#[test]
fn a_page_does_not_name_what_the_device_was_just_told() {
    let page = three_entries();
    let sealed = vectors::read("sealed-page", "known-edit");
    assert_eq!(
        parts(&page.seal_for(|sequence| sequence == 304)),
        parts(&sealed)
    );
    let known = BTreeMap::from([(304, page.proof.entries[2].edit)]);
    assert_eq!(Page::open_knowing(ward_key(), &sealed, &known), Ok(page));
    let unknown = OpenPageError::Decode(DecodeError::InvalidValue);
    assert_eq!(Page::open(ward_key(), &sealed), Err(unknown));
    let another = BTreeMap::from([(304, EditId([7; 32]))]);
    assert_eq!(
        Page::open_knowing(ward_key(), &sealed, &another),
        Err(OpenPageError::Signature)
    );
}

#[test]
fn a_page_that_no_ward_sealed_is_refused_for_the_right_reason() {
    for (name, error) in INVALID_PAGES {
        let sealed = vectors::read("sealed-page", name);
        assert_eq!(Page::open(ward_key(), &sealed), Err(*error), "{name}");
    }
}

#[test]
fn the_chain_commits_to_the_digests_of_its_vector() {
    let proof = three_entries().proof;
    let mut bytes: Vec<u8> = proof.entries.iter().flat_map(FeedEntry::digest).collect();
    let chain = proof
        .entries
        .iter()
        .fold(ChainHash([0x22; 32]), |chain, entry| entry.extend(chain));
    bytes.extend(chain.as_bytes());
    assert_eq!(bytes, vectors::read("feed-entry", "digests"));
}

#[test]
fn a_cursor_has_the_bytes_of_its_vector() {
    let fields = CursorFields {
        epoch: Epoch([0x11; 16]),
        sequence: 300,
        chain: ChainHash([0x22; 32]),
        scope_version: 1,
        is_whole: false,
        step: None,
        filled: 0,
    };
    let cursor = Cursor(vectors::read("cursor", "ours"));
    assert_eq!(fields.to_cursor(), cursor);
    assert_eq!(CursorFields::from_cursor(&cursor), Some(fields));
    let fields = CursorFields {
        is_whole: true,
        step: Some(ScopeStep {
            to: 300,
            done: 200,
            is_begun_again: true,
        }),
        filled: 5,
        ..fields
    };
    let cursor = Cursor(vectors::read("cursor", "under-way"));
    assert_eq!(fields.to_cursor(), cursor);
    assert_eq!(CursorFields::from_cursor(&cursor), Some(fields));
    for name in INVALID_CURSORS {
        let cursor = Cursor(vectors::read("cursor", name));
        assert_eq!(CursorFields::from_cursor(&cursor), None, "{name}");
    }
}

fn tan_hoa() -> Directory {
    let area = |code: &str, name: &str, type_label: &str| Area {
        code: code.to_owned(),
        name: name.to_owned(),
        type_label: type_label.to_owned(),
        parent: None,
        old_names: Vec::new(),
        valid_from: "2025-07-01".to_owned(),
        valid_to: None,
    };
    let category = |code: &str, name: &str, parent: Option<&str>| Category {
        code: code.to_owned(),
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
    };
    Directory {
        ward: "26995".parse().unwrap(),
        ward_name: "Phường Tân Hòa".to_owned(),
        province: "Thành phố Hồ Chí Minh".to_owned(),
        old_wards: vec![OldWard {
            code: "26983".to_owned(),
            name: "Phường 6".to_owned(),
            district: "Quận Tân Bình".to_owned(),
            divided: false,
        }],
        areas: vec![
            Area {
                old_names: vec!["Khu phố 1, Phường 6".to_owned()],
                ..area("kp1", "Khu phố 1", "khu phố")
            },
            Area {
                parent: Some("kp1".to_owned()),
                valid_to: Some("2026-06-30".to_owned()),
                ..area("to5", "Tổ 5", "tổ")
            },
        ],
        officers: vec![Officer {
            id: OfficerId(Uuid::from_bytes([0xa1; 16])),
            name: "Nguyễn Thị Hoa".to_owned(),
            role: Role::Leader,
        }],
        divisions: vec![Division {
            code: "police".to_owned(),
            name: "Công an phường".to_owned(),
            is_outside: true,
        }],
        categories: vec![
            category("infrastructure", "Hạ tầng", None),
            category("drainage", "Thoát nước", Some("infrastructure")),
        ],
    }
}

#[test]
fn a_directory_has_the_content_and_the_version_of_its_vector() {
    let sealed = vectors::read("sealed-directory", "tan-hoa");
    let version = vectors::read("sealed-directory", "tan-hoa.version");
    let (opened, opened_version) = directory::open(&sealed).unwrap();
    assert_eq!(opened, tan_hoa());
    assert_eq!(opened_version.to_vec(), version);
    assert_eq!(directory::version(&tan_hoa()).to_vec(), version);
    let ours = directory::seal(&tan_hoa()).unwrap();
    assert_eq!(content(&ours), content(&sealed));
}

#[test]
fn a_later_directory_is_read_as_far_as_it_is_known() {
    let sealed = vectors::read("sealed-directory", "later");
    let (opened, version) = directory::open(&sealed).unwrap();
    assert_eq!(opened, tan_hoa());
    assert_ne!(version, directory::version(&tan_hoa()));
}

#[test]
fn a_directory_that_no_ward_sealed_is_refused_for_the_right_reason() {
    for (name, error) in INVALID_DIRECTORIES {
        let sealed = vectors::read("sealed-directory", name);
        let refused = Err(OpenDirectoryError::Decode(*error));
        assert_eq!(directory::open(&sealed), refused, "{name}");
    }
}
