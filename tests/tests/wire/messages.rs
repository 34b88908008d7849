//! One vector at least for every message of a conversation, and for what is refused.

use gandan_core::codec::DecodeError;
use gandan_core::model::{AttachmentHash, BundleId, ChainHash, EditId, Epoch, Timestamp};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::agreement::HeldDigest;
use gandan_core::protocol::checkpoint::{Checkpoint, Testimony};
use gandan_core::protocol::feed::Cursor;
use gandan_core::protocol::frame::{Frame, FrameDecoder};
use gandan_core::protocol::message::{
    DeviceMessage, FileWord, Hello, Loan, MinorVersions, Refusal, WardMessage,
};
use gandan_core::protocol::reconciliation::{Answer, PartAnswer, Prefix, Question};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::protocol::violation::Violation;
use uuid::Uuid;

use super::vectors;

/// A kind, a name, and what the bytes say.
type Valid<Message> = (&'static str, &'static str, Message);
/// A kind, a name, and why the bytes are refused.
type Invalid = (&'static str, &'static str, Violation);

/// The beginning of a zstd frame: messages do not look into what is sealed.
const SEALED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fn hello(cursor: &[u8], directory_version: Option<[u8; 32]>) -> Hello {
    Hello {
        minor: MinorVersions {
            oldest: 0,
            newest: 0,
        },
        device_time: Timestamp(1_772_413_200_000),
        app_version: "0.1.0".to_owned(),
        cursor: Cursor(cursor.to_vec()),
        directory_version,
    }
}

/// What a device asks of what begins with 0x1 and with 0xabc.
fn questions() -> Vec<Question> {
    let parts: [_; 16] = std::array::from_fn(|part| [part as u8; 8]);
    let of = |first: [u8; 2], digits| {
        let mut id = [0xff; 32];
        id[..2].copy_from_slice(&first);
        Question {
            prefix: Prefix::of(EditId(id), digits),
            parts,
        }
    };
    vec![of([0x12, 0x34], 1), of([0xab, 0xcd], 3)]
}

fn compared() -> Answer {
    let named = [EditId([0x2a; 32]), EditId([0x2b; 32])];
    let mut answer: Answer = std::array::from_fn(|_| PartAnswer::Same);
    answer[2] = PartAnswer::Named(named.to_vec());
    answer[3] = PartAnswer::Named(Vec::new());
    answer[15] = PartAnswer::Deeper;
    answer
}

/// How far an audit trail is; messages do not look at the signature.
fn testimony(then: Option<[u8; 32]>) -> Testimony {
    Testimony {
        checkpoint: Checkpoint {
            ward: "26995".parse().expect("a ward's code"),
            epoch: Epoch([0x11; 16]),
            number: 300,
            chain: [0x2a; 32],
            feed_sequence: 200,
            feed_chain: ChainHash([0x3c; 32]),
            at: Timestamp(1_772_413_260_000),
            signature: [0x55; 64],
        },
        then,
    }
}

fn device_messages() -> Vec<Valid<DeviceMessage>> {
    let longest = Hello {
        minor: MinorVersions {
            oldest: 0xfffe,
            newest: 0xffff,
        },
        device_time: Timestamp(i64::MIN),
        app_version: "v".repeat(64),
        cursor: Cursor(vec![0xff; 128]),
        directory_version: Some([0x33; 32]),
    };
    let again = hello(&vectors::read("cursor", "ours"), Some([0x33; 32]));
    vec![
        ("hello", "return", DeviceMessage::Hello(again)),
        ("hello", "first", DeviceMessage::Hello(hello(&[], None))),
        ("hello", "longest", DeviceMessage::Hello(longest)),
        ("bundle", "sealed", DeviceMessage::Bundle(SEALED.to_vec())),
        ("pull", "four", DeviceMessage::Pull { window: 4 }),
        ("taken", "taken", DeviceMessage::Taken),
        (
            "want",
            "two",
            DeviceMessage::Want(vec![EditId([0x44; 32]), EditId([0x45; 32])]),
        ),
        ("give-back", "give-back", DeviceMessage::GiveBack),
        ("return", "page", DeviceMessage::Return(SEALED.to_vec())),
        (
            "offer",
            "photo",
            DeviceMessage::Offer {
                hash: AttachmentHash([0x55; 32]),
                size: 30_000,
                parts: vec![[0x77; 32], [0x78; 32]],
            },
        ),
        (
            "offer",
            "one-part",
            DeviceMessage::Offer {
                hash: AttachmentHash([0x55; 32]),
                size: 5,
                parts: Vec::new(),
            },
        ),
        (
            "chunk",
            "part",
            DeviceMessage::Chunk {
                offset: 65_536,
                bytes: b"photo".to_vec(),
            },
        ),
        (
            "fetch",
            "file",
            DeviceMessage::Fetch {
                hash: AttachmentHash([0x55; 32]),
            },
        ),
        (
            "fetch-part",
            "second-chunk",
            DeviceMessage::FetchPart {
                hash: AttachmentHash([0x55; 32]),
                offset: 65_536,
            },
        ),
        ("compare", "two", DeviceMessage::Compare(questions())),
        ("follow", "two", DeviceMessage::Follow { window: 2 }),
        (
            "look",
            "number",
            DeviceMessage::Look {
                words: "PA-2025-000123".to_owned(),
            },
        ),
        ("witness", "number", DeviceMessage::Witness { number: 300 }),
        ("done", "done", DeviceMessage::Done),
    ]
}

fn ward_messages() -> Vec<Valid<WardMessage>> {
    let welcome = |is_cursor_known| WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(1_772_413_260_000),
        is_cursor_known,
        lacked: Vec::new(),
    };
    let lacking = WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(1_772_413_260_000),
        is_cursor_known: true,
        lacked: vec![AttachmentHash([0x55; 32])],
    };
    let hash = AttachmentHash([0x55; 32]);
    let stored = |word| WardMessage::Stored { hash, word };
    let none = WardMessage::Verdicts {
        bundle: BundleId([0x66; 32]),
        verdicts: Vec::new(),
    };
    vec![
        ("welcome", "known", welcome(true)),
        ("welcome", "restored", welcome(false)),
        ("welcome", "lacking", lacking),
        (
            "refuse",
            "device-too-old",
            WardMessage::Refuse(Refusal::DeviceTooOld),
        ),
        (
            "refuse",
            "device-too-new",
            WardMessage::Refuse(Refusal::DeviceTooNew),
        ),
        (
            "refuse",
            "unknown-device",
            WardMessage::Refuse(Refusal::UnknownDevice),
        ),
        ("refuse", "revoked", WardMessage::Refuse(Refusal::Revoked)),
        (
            "refuse",
            "unavailable",
            WardMessage::Refuse(Refusal::Unavailable),
        ),
        ("verdicts", "none", none),
        ("page", "sealed", WardMessage::Page(SEALED.to_vec())),
        (
            "caught-up",
            "caught-up",
            WardMessage::CaughtUp {
                held: HeldDigest([7; 16]),
            },
        ),
        (
            "compared",
            "each-kind",
            WardMessage::Compared(vec![compared()]),
        ),
        ("edits", "page", WardMessage::Edits(Some(SEALED.to_vec()))),
        ("edits", "none", WardMessage::Edits(None)),
        (
            "lent",
            "case",
            WardMessage::Lent(Some(Loan {
                case: Uuid::from_u128(0x0198_0000_0000_0000_0000_0000_0000_0001),
                page: SEALED.to_vec(),
            })),
        ),
        ("lent", "none", WardMessage::Lent(None)),
        (
            "witnessed",
            "further",
            WardMessage::Witnessed(testimony(Some([0x2b; 32]))),
        ),
        ("witnessed", "cut", WardMessage::Witnessed(testimony(None))),
        (
            "directory",
            "sealed",
            WardMessage::Directory(SEALED.to_vec()),
        ),
        ("returned", "returned", WardMessage::Returned),
        ("need", "whole", WardMessage::Need { hash, from: 0 }),
        ("need", "rest", WardMessage::Need { hash, from: 65_536 }),
        (
            "kept",
            "part",
            WardMessage::Kept {
                hash,
                up_to: 65_536,
            },
        ),
        (
            "found",
            "photo",
            WardMessage::Found {
                hash,
                size: 30_000,
                parts: vec![[0x77; 32], [0x78; 32]],
            },
        ),
        (
            "found",
            "missing",
            WardMessage::Found {
                hash,
                size: 0,
                parts: Vec::new(),
            },
        ),
        (
            "part",
            "part",
            WardMessage::Part {
                offset: 65_536,
                bytes: b"photo".to_vec(),
            },
        ),
        ("stored", "stored", stored(FileWord::Stored)),
        ("stored", "refused", stored(FileWord::Refused)),
        ("stored", "unreferenced", stored(FileWord::Unreferenced)),
        ("stored", "over-quota", stored(FileWord::OverQuota)),
    ]
}

/// What a later peer says and this build reads as well as it can; it would write other bytes itself.
fn later_device_messages() -> Vec<Valid<DeviceMessage>> {
    vec![
        (
            "hello",
            "later-version",
            DeviceMessage::Hello(hello(&[], None)),
        ),
        ("done", "later-version", DeviceMessage::Done),
        ("frame", "skipped", DeviceMessage::Done),
    ]
}

fn later_ward_messages() -> Vec<Valid<WardMessage>> {
    let verdicts = vec![
        Verdict::Accepted { sequence: 300 },
        Verdict::Duplicate { sequence: 7 },
        Verdict::Waiting {
            dependency: EditId([0x77; 32]),
        },
        Verdict::Rejected {
            code: RejectionCode::OutOfScope,
        },
        // Code 99 is of a later ward.
        Verdict::Rejected {
            code: RejectionCode::NotApplicable,
        },
    ];
    let each = WardMessage::Verdicts {
        bundle: BundleId([0x66; 32]),
        verdicts,
    };
    vec![
        ("verdicts", "each", each),
        (
            "refuse",
            "unknown-code",
            WardMessage::Refuse(Refusal::Other),
        ),
    ]
}

fn invalid_from_device() -> Vec<Invalid> {
    let decode = Violation::Decode;
    let over = |limit| decode(DecodeError::OverLimit { limit });
    vec![
        (
            "hello",
            "invalid-appended",
            decode(DecodeError::TrailingBytes),
        ),
        (
            "hello",
            "invalid-descending-versions",
            decode(DecodeError::InvalidValue),
        ),
        ("hello", "invalid-cursor-too-long", over(128)),
        ("hello", "invalid-text", decode(DecodeError::InvalidText)),
        (
            "hello",
            "invalid-presence",
            decode(DecodeError::UnknownCode(2)),
        ),
        ("hello", "invalid-truncated", decode(DecodeError::Truncated)),
        (
            "compare",
            "invalid-overlapping",
            decode(DecodeError::InvalidValue),
        ),
        ("compare", "invalid-none", decode(DecodeError::InvalidValue)),
        (
            "bundle",
            "invalid-shorter-than-its-frame",
            decode(DecodeError::TrailingBytes),
        ),
        ("bundle", "invalid-over-its-limit", Violation::FrameTooLarge),
        (
            "pull",
            "invalid-no-window",
            decode(DecodeError::InvalidValue),
        ),
        ("pull", "invalid-window", over(64)),
        (
            "follow",
            "invalid-no-window",
            decode(DecodeError::InvalidValue),
        ),
        ("want", "invalid-too-many", over(1_000)),
        ("offer", "invalid-empty", decode(DecodeError::InvalidValue)),
        ("offer", "invalid-too-large", over(10 * 1024 * 1024)),
        ("offer", "invalid-too-many-parts", over(640)),
        ("chunk", "invalid-empty", decode(DecodeError::InvalidValue)),
        (
            "chunk",
            "invalid-long-offset",
            decode(DecodeError::NonCanonicalInteger),
        ),
        (
            "frame",
            "invalid-unknown-type",
            Violation::UnknownMessage(0x3f),
        ),
        (
            "frame",
            "invalid-of-the-other-side",
            Violation::UnknownMessage(0x41),
        ),
        (
            "frame",
            "invalid-version",
            decode(DecodeError::InvalidValue),
        ),
        (
            "frame",
            "invalid-long-length",
            decode(DecodeError::NonCanonicalInteger),
        ),
        ("frame", "invalid-huge-length", Violation::FrameTooLarge),
        (
            "frame",
            "invalid-skipped-too-large",
            Violation::FrameTooLarge,
        ),
    ]
}

fn invalid_from_ward() -> Vec<Invalid> {
    let decode = Violation::Decode;
    vec![
        (
            "compared",
            "invalid-both",
            decode(DecodeError::InvalidValue),
        ),
        (
            "compared",
            "invalid-too-many",
            decode(DecodeError::OverLimit { limit: 16 }),
        ),
        (
            "welcome",
            "invalid-known",
            decode(DecodeError::UnknownCode(2)),
        ),
        (
            "welcome",
            "invalid-too-many-lacked",
            decode(DecodeError::OverLimit { limit: 64 }),
        ),
        ("part", "invalid-empty", decode(DecodeError::InvalidValue)),
        ("refuse", "invalid-code", decode(DecodeError::InvalidValue)),
        (
            "verdicts",
            "invalid-tag",
            decode(DecodeError::UnknownCode(5)),
        ),
        (
            "verdicts",
            "invalid-too-many",
            decode(DecodeError::OverLimit { limit: 1_000 }),
        ),
    ]
}

pub(crate) fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    fn of<T>(list: Vec<(&'static str, &'static str, T)>) -> Vec<(&'static str, Vec<&'static str>)> {
        list.into_iter()
            .map(|(kind, name, _)| (kind, vec![name]))
            .collect()
    }
    [
        of(device_messages()),
        of(ward_messages()),
        of(later_device_messages()),
        of(later_ward_messages()),
        of(invalid_from_device()),
        of(invalid_from_ward()),
    ]
    .concat()
}

/// The one message of a stream that the decoder does not skip.
fn frame(bytes: &[u8], limit: fn(u8) -> Option<usize>) -> Result<Frame, Violation> {
    let mut rest = bytes;
    let mut decoder = FrameDecoder::new(limit);
    let frame = decoder.next(&mut rest)?.expect("the frame is whole");
    assert!(rest.is_empty(), "one message, and nothing after it");
    Ok(frame)
}

fn read_device(kind: &str, name: &str) -> Result<DeviceMessage, Violation> {
    let frame = frame(&vectors::read(kind, name), DeviceMessage::payload_limit)?;
    Ok(DeviceMessage::decode(&frame)?)
}

fn read_ward(kind: &str, name: &str) -> Result<WardMessage, Violation> {
    let frame = frame(&vectors::read(kind, name), WardMessage::payload_limit)?;
    Ok(WardMessage::decode(&frame)?)
}

#[test]
fn every_message_of_a_device_has_the_bytes_of_its_vector() {
    for (kind, name, message) in device_messages() {
        let bytes = vectors::read(kind, name);
        assert_eq!(message.encode(), bytes, "{kind}/{name}");
        assert_eq!(read_device(kind, name), Ok(message), "{kind}/{name}");
    }
}

#[test]
fn every_message_of_a_ward_has_the_bytes_of_its_vector() {
    for (kind, name, message) in ward_messages() {
        let bytes = vectors::read(kind, name);
        assert_eq!(message.encode(), bytes, "{kind}/{name}");
        assert_eq!(read_ward(kind, name), Ok(message), "{kind}/{name}");
    }
}

#[test]
fn what_a_later_peer_says_is_read_as_far_as_it_is_known() {
    for (kind, name, message) in later_device_messages() {
        assert_eq!(read_device(kind, name), Ok(message), "{kind}/{name}");
    }
    for (kind, name, message) in later_ward_messages() {
        assert_eq!(read_ward(kind, name), Ok(message), "{kind}/{name}");
    }
}

#[test]
fn what_no_peer_may_say_is_refused_for_the_right_reason() {
    for (kind, name, violation) in invalid_from_device() {
        assert_eq!(read_device(kind, name), Err(violation), "{kind}/{name}");
    }
    for (kind, name, violation) in invalid_from_ward() {
        assert_eq!(read_ward(kind, name), Err(violation), "{kind}/{name}");
    }
}

#[test]
fn every_type_of_message_has_a_vector() {
    let said = |kinds: Vec<u8>, limit: fn(u8) -> Option<usize>| {
        for kind in (0..=u8::MAX).filter(|kind| limit(*kind).is_some()) {
            assert!(kinds.contains(&kind), "{kind:#04x} has no vector");
        }
    };
    let device = device_messages();
    let ward = ward_messages();
    let first = |kind: &str, name: &str| vectors::read(kind, name)[0];
    said(
        device
            .iter()
            .map(|(kind, name, _)| first(kind, name))
            .collect(),
        DeviceMessage::payload_limit,
    );
    said(
        ward.iter()
            .map(|(kind, name, _)| first(kind, name))
            .collect(),
        WardMessage::payload_limit,
    );
}
