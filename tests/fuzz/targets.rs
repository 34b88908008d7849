//! What is done with hostile bytes, by the fuzzer and by the test that replays past crashers. Each
//! panics if a promise of `docs/wire.md` does not hold.

use gandan_core::codec::Writer;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::EditId;
use gandan_core::protocol::bundle;
use gandan_core::protocol::frame::{Frame, FrameDecoder, PayloadLimit};
use gandan_core::protocol::limits::{
    BUNDLE_CONTENT_BYTES_MAX, COMPARED_EDITS_MAX, COMPARISONS_MAX, QUESTIONS_MAX,
};
use gandan_core::protocol::message::{DeviceMessage, WardMessage};
use gandan_core::protocol::packing;
use gandan_core::protocol::reconciliation::Comparison;

#[path = "targets/document.rs"]
mod document;
#[path = "targets/sealed.rs"]
mod sealed;
#[path = "targets/typed.rs"]
mod typed;

/// A target's name and what it does.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its fuzz binary and of its folder of crashers.
pub(crate) const TARGETS: &[Target] = &[
    ("edit_decode", edit_decode),
    ("bundle_open", bundle_open),
    ("packed_edits", packed_edits),
    ("frame_decode", frame_decode),
    ("comparison", comparison),
    ("message_decode", message_decode),
    ("document_execute", document::execute),
    ("page_open", sealed::page_open),
    ("directory_open", sealed::directory_open),
    ("rescue_file", sealed::rescue_file),
    ("invite_parse", sealed::invite_parse),
    ("enrolment", sealed::enrolment),
    ("credential", sealed::credential),
    ("file_tree", sealed::file_tree),
    ("picture_take", typed::picture_take),
    ("console_form", typed::console_form),
    ("areas_csv", typed::areas_csv),
    ("config", typed::config),
];

/// The target of this name.
pub(crate) fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS
        .iter()
        .find(|(target, _)| *target == name)
        .expect("a target of the list");
    target(bytes);
}

/// Bytes that decode are the only ones that would be written.
pub(crate) fn edit_decode(bytes: &[u8]) {
    if let Ok(decoded) = EncodedEdit::decode(bytes) {
        let again = EncodedEdit::encode(decoded.edit().clone()).expect("what decodes encodes");
        assert_eq!(again.bytes(), bytes);
    }
}

/// A bundle opens or is refused.
pub(crate) fn bundle_open(bytes: &[u8]) {
    if let Ok(opened) = bundle::open(bytes) {
        assert!(bundle::verify_proof(&opened.proof));
    }
}

/// As a bundle's content, below what zstd and the signature keep away: the first byte says how
/// many bytes are bits, the rest is the content.
pub(crate) fn packed_edits(bytes: &[u8]) {
    let Some((&split, rest)) = bytes.split_first() else {
        return;
    };
    let (bits, content) = rest.split_at(usize::from(split).min(rest.len()));
    let mut packed = Writer::new();
    packed.byte(1).bytes(bits);
    packed.fixed(&zstd::bulk::compress(content, 1).expect("zstd compresses any bytes"));
    if let Ok(edits) = packing::unpack(&packed.finish()) {
        let total: usize = edits.iter().map(Vec::len).sum();
        // Beside what is answered for there are heads and numbers, of bounded length each.
        assert!(total <= 12 * BUNDLE_CONTENT_BYTES_MAX, "{total}");
        let small: usize = packing::PACKED_BYTES_MAX;
        if total <= small {
            let again = packing::pack(packing::Effort::EachTime, edits.iter().map(Vec::as_slice));
            assert_eq!(packing::unpack(&again).as_ref(), Ok(&edits));
        }
    }
}

/// Frames of either side, in portions; a message that decodes is one that would be written.
pub(crate) fn frame_decode(bytes: &[u8]) {
    let device = |kind, version, payload| {
        let frame = Frame {
            kind,
            version,
            payload,
        };
        if let Ok(message) = DeviceMessage::decode(&frame) {
            let _ = message.encode();
        }
    };
    let ward = |kind, version, payload| {
        let frame = Frame {
            kind,
            version,
            payload,
        };
        if let Ok(message) = WardMessage::decode(&frame) {
            let _ = message.encode();
        }
    };
    frames(bytes, DeviceMessage::payload_limit, device);
    frames(bytes, WardMessage::payload_limit, ward);
}

/// One message: type, version, fields. What decodes in the version that we know is written the same.
pub(crate) fn message_decode(bytes: &[u8]) {
    let [kind, version, payload @ ..] = bytes else {
        return;
    };
    let frame = Frame {
        kind: *kind,
        version: *version,
        payload: payload.to_vec(),
    };
    if let Ok(message) = DeviceMessage::decode(&frame) {
        let again = only_frame(&message.encode(), DeviceMessage::payload_limit);
        assert_eq!(DeviceMessage::decode(&again), Ok(message));
    }
    if let Ok(message) = WardMessage::decode(&frame) {
        let again = only_frame(&message.encode(), WardMessage::payload_limit);
        assert_eq!(WardMessage::decode(&again), Ok(message));
    }
}

fn only_frame(mut bytes: &[u8], limit: PayloadLimit) -> Frame {
    let frame = FrameDecoder::new(limit).next(&mut bytes);
    let frame = frame.expect("what we write is within its limit");
    assert!(bytes.is_empty());
    frame.expect("what we write is whole")
}

/// What a ward answers to a comparison, one message after another: it ends, within its bounds.
pub(crate) fn comparison(bytes: &[u8]) {
    let own = (0..200_u8).map(|number| EditId(*blake3::hash(&[number]).as_bytes()));
    let mut comparison = Comparison::new(own.collect());
    let mut asked = 0;
    for portion in bytes.chunks(64) {
        let questions = comparison.ask();
        asked += questions.len();
        if questions.is_empty() {
            break;
        }
        let frame = Frame {
            kind: 0x4f,
            version: 1,
            payload: portion.to_vec(),
        };
        let Ok(WardMessage::Compared(answers)) = WardMessage::decode(&frame) else {
            break;
        };
        if !comparison.hear(answers) {
            break;
        }
    }
    assert!(asked <= COMPARISONS_MAX * QUESTIONS_MAX);
    let found = comparison.finish();
    assert!(found.lacked_here.len() <= COMPARED_EDITS_MAX);
}

fn frames(bytes: &[u8], limit: PayloadLimit, mut handle: impl FnMut(u8, u8, Vec<u8>)) {
    let mut decoder = FrameDecoder::new(limit);
    let portion = bytes.first().map_or(1, |&first| usize::from(first).max(1));
    for mut rest in bytes.chunks(portion) {
        loop {
            match decoder.next(&mut rest) {
                Ok(Some(frame)) => handle(frame.kind, frame.version, frame.payload),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}
