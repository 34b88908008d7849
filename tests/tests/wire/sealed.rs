//! What is signed or sealed: credentials, invites, enrolments, packed edits, bundles, rescue files.

use std::fmt::Debug;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::SigningKey;
use gandan_core::codec::DecodeError;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{DeviceId, EditId, OfficerId, Role, Timestamp, WardCode, WardKey};
use gandan_core::protocol::bundle::{self, OpenBundleError};
use gandan_core::protocol::credential::{DeviceCredential, Enrolment};
use gandan_core::protocol::enrolment::{self, EnrolmentRequest, RenewalRequest, Request};
use gandan_core::protocol::invite::{Invite, ParseInviteError};
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::packing::{self, UnpackError};
use gandan_core::rescue::{self, OpenRescueError, Opener, RescueItem};
use uuid::Uuid;

use super::vectors;

/// 2026-03-02T01:00:00Z.
const BEGIN: i64 = 1_772_413_200_000;
const RESCUE_SEED: [u8; 32] = [7; 32];
const LATER_EDIT: &[u8] = b"\x02an edit of a later layout";

fn ward() -> WardCode {
    "26995".parse().expect("a ward code")
}

fn ward_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn device_key() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn credential() -> DeviceCredential {
    DeviceCredential::sign(
        &ward_key(),
        ward(),
        DeviceId::of(&device_key()),
        OfficerId(Uuid::from_bytes([0x22; 16])),
        Role::Officer,
        Timestamp(BEGIN),
    )
}

fn addresses() -> Vec<String> {
    [
        "192.0.2.7:4433",
        "[2001:db8::7]:4433",
        "gandan.example:4433",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn enrolment() -> Enrolment {
    Enrolment {
        ward_key: WardKey(ward_key().verifying_key().to_bytes()),
        rescue_key: rescue::public_key(&RESCUE_SEED),
        addresses: addresses(),
        credential: credential(),
    }
}

fn invite() -> Invite {
    Invite {
        ward: ward(),
        ward_key: enrolment().ward_key,
        addresses: addresses(),
        token: [0xcd; 16],
        expires_at: Timestamp(BEGIN),
    }
}

fn invite_line(vector: &str) -> String {
    let content = vectors::read("invite", vector);
    format!("gandan:{}", BASE64URL_NOPAD.encode(&content))
}

/// The edits of the packed vectors, in order.
fn eight_edits() -> Vec<Vec<u8>> {
    let edit = |vector| vectors::read("edit", vector);
    vec![
        edit("create-visit"),
        LATER_EDIT.to_vec(),
        edit("create-case"),
        edit("create-person"),
        edit("set-register"),
        edit("splice-text"),
        edit("append-item"),
        edit("increment"),
    ]
}

/// Asserts that every vector of `kind` in `refused` is refused for its reason.
fn assert_refused<T: Debug, E: Debug + PartialEq>(
    kind: &str,
    refused: &[(&str, E)],
    read: impl Fn(&[u8]) -> Result<T, E>,
) {
    for (vector, expected) in refused {
        let error = read(&vectors::read(kind, vector)).expect_err(vector);
        assert_eq!(&error, expected, "{kind}/{vector}");
    }
}

const CREDENTIALS: &[(&str, DecodeError)] = &[
    ("invalid-layout", DecodeError::UnknownCode(2)),
    ("invalid-role", DecodeError::InvalidValue),
];

const ENROLMENT_RECORDS: &[(&str, DecodeError)] = &[
    ("invalid-no-address", DecodeError::InvalidValue),
    (
        "invalid-too-many-addresses",
        DecodeError::OverLimit { limit: 8 },
    ),
];

const REQUESTS: &[(&str, DecodeError)] = &[
    ("invalid-layout", DecodeError::UnknownCode(3)),
    ("invalid-long-name", DecodeError::OverLimit { limit: 64 }),
];

const RESPONSES: &[(&str, DecodeError)] = &[
    ("invalid-answer", DecodeError::UnknownCode(2)),
    ("invalid-code", DecodeError::InvalidValue),
];

const INVITES: &[(&str, ParseInviteError)] = &[
    ("invalid-checksum", ParseInviteError::Damaged),
    ("invalid-layout", ParseInviteError::Newer),
    ("invalid-no-address", ParseInviteError::Damaged),
];

const PACKED: &[(&str, UnpackError)] = &[
    (
        "invalid-bits-left-over",
        UnpackError::Decode(DecodeError::TrailingBytes),
    ),
    (
        "invalid-column-mode",
        UnpackError::Decode(DecodeError::UnknownCode(4)),
    ),
    ("invalid-content", UnpackError::Decompress),
    (
        "invalid-digits-too-large",
        UnpackError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-document-reference",
        UnpackError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-layout",
        UnpackError::Decode(DecodeError::UnknownCode(2)),
    ),
    (
        "invalid-list-mode",
        UnpackError::Decode(DecodeError::UnknownCode(66)),
    ),
    (
        "invalid-place-out-of-table",
        UnpackError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-shape-not-blank",
        UnpackError::Decode(DecodeError::InvalidValue),
    ),
    (
        "invalid-shape-number",
        UnpackError::Decode(DecodeError::OverLimit { limit: 1 }),
    ),
    (
        "invalid-too-many-edits",
        UnpackError::Decode(DecodeError::OverLimit { limit: 1_000 }),
    ),
    (
        "invalid-too-many-shapes",
        UnpackError::Decode(DecodeError::OverLimit { limit: 1 }),
    ),
    (
        "invalid-words-left-over",
        UnpackError::Decode(DecodeError::TrailingBytes),
    ),
];

const BUNDLES: &[(&str, OpenBundleError)] = &[
    ("invalid-content", OpenBundleError::Decompress),
    (
        "invalid-layout",
        OpenBundleError::Decode(DecodeError::UnknownCode(2)),
    ),
    ("invalid-order", OpenBundleError::Signature),
];

const RESCUE_FILES: &[(&str, OpenRescueError)] = &[
    ("invalid-layout", OpenRescueError::Newer),
    ("invalid-no-end", OpenRescueError::Damaged),
    ("invalid-not-last", OpenRescueError::Sealed),
];

pub(crate) fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    fn all<E>(
        kind: &'static str,
        valid: &[&'static str],
        refused: &[(&'static str, E)],
    ) -> (&'static str, Vec<&'static str>) {
        let refused = refused.iter().map(|(vector, _)| *vector);
        (kind, valid.iter().copied().chain(refused).collect())
    }
    vec![
        all("credential", &["officer", "forged-role"], CREDENTIALS),
        all("enrolment-record", &["three-addresses"], ENROLMENT_RECORDS),
        all("enrolment-request", &["phone", "renewal"], REQUESTS),
        all(
            "enrolment-response",
            &["enrolled", "refused", "later-code"],
            RESPONSES,
        ),
        all("invite", &["three-addresses"], INVITES),
        all(
            "packed-edits",
            &["plain", "every-way", "as-packed", "any-uuid", "none"],
            PACKED,
        ),
        all("sealed-bundle", &["eight-edits"], BUNDLES),
        all("rescue-file", &["one-bundle"], RESCUE_FILES),
    ]
}

#[test]
fn a_credential_has_the_bytes_of_its_vector_and_holds() {
    let bytes = vectors::read("credential", "officer");
    assert_eq!(credential().encode(), bytes);
    assert_eq!(DeviceCredential::decode(&bytes), Ok(credential()));
    assert!(credential().verify(enrolment().ward_key));
    assert_refused("credential", CREDENTIALS, DeviceCredential::decode);
}

#[test]
fn a_credential_with_another_role_than_was_signed_does_not_hold() {
    let forged = DeviceCredential::decode(&vectors::read("credential", "forged-role"));
    let forged = forged.expect("it decodes");
    assert_eq!(forged.role, Role::Chair);
    assert!(!forged.verify(enrolment().ward_key));
}

#[test]
fn an_enrolment_has_the_bytes_of_its_vectors() {
    let bytes = vectors::read("enrolment-record", "three-addresses");
    assert_eq!(enrolment().encode(), bytes);
    assert_eq!(Enrolment::decode(&bytes), Ok(enrolment()));
    assert!(enrolment().verify(&invite(), credential().device));
    assert_refused("enrolment-record", ENROLMENT_RECORDS, Enrolment::decode);

    let request = EnrolmentRequest {
        token: [0xcd; 16],
        device_name: "Máy của cô Hạnh".to_owned(),
    };
    let bytes = vectors::read("enrolment-request", "phone");
    assert_eq!(enrolment::encode_request(&request), bytes);
    assert_eq!(
        enrolment::decode_request(&bytes),
        Ok(Request::Enrol(request))
    );
    assert_refused("enrolment-request", REQUESTS, enrolment::decode_request);

    let key = SigningKey::from_bytes(&[0x5a; 32]);
    let present = credential().device;
    let renewal = RenewalRequest::sign(&key, credential().ward, present);
    let bytes = vectors::read("enrolment-request", "renewal");
    assert_eq!(enrolment::encode_renewal(&renewal), bytes);
    assert!(renewal.verify(credential().ward, present));
    assert_eq!(
        enrolment::decode_request(&bytes),
        Ok(Request::Renew(renewal))
    );

    for (vector, response) in [
        ("enrolled", Ok(enrolment())),
        ("refused", Err(Refusal::InviteUsed)),
    ] {
        let bytes = vectors::read("enrolment-response", vector);
        assert_eq!(enrolment::encode_response(&response), bytes, "{vector}");
        assert_eq!(enrolment::decode_response(&bytes), Ok(response), "{vector}");
    }
    let later = vectors::read("enrolment-response", "later-code");
    assert_eq!(enrolment::decode_response(&later), Ok(Err(Refusal::Other)));
    assert_refused("enrolment-response", RESPONSES, enrolment::decode_response);
}

#[test]
fn an_invite_has_the_line_of_its_vector() {
    let line = invite_line("three-addresses");
    assert_eq!(invite().to_string(), line);
    assert_eq!(line.parse(), Ok(invite()));
    for (vector, error) in INVITES {
        assert_eq!(
            invite_line(vector).parse::<Invite>(),
            Err(*error),
            "{vector}"
        );
    }
}

#[test]
fn packed_edits_unpack_to_the_edits_of_their_vectors() {
    let eight = eight_edits();
    for vector in ["plain", "every-way", "as-packed"] {
        let unpacked = packing::unpack(&vectors::read("packed-edits", vector));
        assert_eq!(unpacked.as_ref(), Ok(&eight), "{vector}");
    }
    let none = packing::unpack(&vectors::read("packed-edits", "none"));
    assert_eq!(none, Ok(Vec::new()));
    let odd = packing::unpack(&vectors::read("packed-edits", "any-uuid")).expect("an edit");
    let [odd] = odd.as_slice() else {
        panic!("one edit");
    };
    let odd = EncodedEdit::decode(odd).expect("an edit");
    let uuid = odd.edit().document.uuid.into_bytes();
    assert_eq!(uuid.as_slice(), (0..16).collect::<Vec<u8>>());
    assert_eq!(odd.edit().device_time, Timestamp(0));
    assert_refused("packed-edits", PACKED, packing::unpack);
}

#[test]
fn a_sealed_bundle_opens_to_the_edits_of_its_vector() {
    let sealed = vectors::read("sealed-bundle", "eight-edits");
    let opened = bundle::open(&sealed).expect("a bundle");
    assert_eq!(opened.id.as_bytes(), blake3::hash(&sealed).as_bytes());
    assert_eq!(opened.proof.ward, ward());
    assert_eq!(opened.proof.device, credential().device);
    assert_eq!(opened.proof.sealed_at, Timestamp(BEGIN + 80_000));
    let expected: Vec<_> = eight_edits()
        .iter()
        .map(|bytes| {
            let id = EditId(blake3::hash(bytes).into());
            (id, EncodedEdit::decode(bytes))
        })
        .collect();
    assert_eq!(opened.edits, expected);
    assert_eq!(expected[1].1, Err(DecodeError::UnknownCode(2)));
    assert_refused("sealed-bundle", BUNDLES, bundle::open);
}

#[test]
fn a_rescue_file_opens_to_the_items_of_its_vector() {
    let open = |file: &[u8]| {
        let opener = Opener::new(&RESCUE_SEED, ward(), file)?;
        assert_eq!(opener.credential(), &credential());
        opener.collect::<Result<Vec<RescueItem>, OpenRescueError>>()
    };
    let file = vectors::read("rescue-file", "one-bundle");
    let expected = vec![
        RescueItem::Bundle(vectors::read("sealed-bundle", "eight-edits")),
        RescueItem::Attachment(b"photo".to_vec()),
    ];
    assert_eq!(open(&file), Ok(expected));
    assert_refused("rescue-file", RESCUE_FILES, open);
}
