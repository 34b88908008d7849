//! What is signed, sealed or compressed, fed below the layer that keeps an attacker away: a signature is
//! no defence against whoever may sign.

use gandan_core::codec::Writer;
use gandan_core::model::{AttachmentHash, WardCode};
use gandan_core::protocol::checkpoint::Checkpoint;
use gandan_core::protocol::credential::{DeviceCredential, Enrolment};
use gandan_core::protocol::enrolment::{
    Request, decode_request, decode_response, encode_renewal, encode_request, encode_response,
};
use gandan_core::protocol::feed::{Cursor, CursorFields, Page};
use gandan_core::protocol::file_tree::FileTree;
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::{directory, feed};
use gandan_core::rescue::{self, Opener, RescueItem, Sealer};

/// Head and bodies of a page: the first two bytes say how many are the head, which is compressed here; the
/// rest is as a bundle packs it.
pub(crate) fn page_open(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let (head, packed) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    let mut sealed = Writer::new();
    sealed.bytes(&compressed(head)).fixed(packed);
    if let Ok(page) = Page::open_unverified(&sealed.finish()) {
        let again = Page::open_unverified(&page.seal()).expect("what opens is what we seal");
        assert_eq!(again, page);
    }
}

/// A directory's content.
pub(crate) fn directory_open(bytes: &[u8]) {
    if let Ok((opened, _)) = directory::open(&compressed(bytes)) {
        // What a build skipped it cannot write, so only what it wrote itself comes back the same.
        if let Ok(sealed) = directory::seal(&opened) {
            let (again, version) = directory::open(&sealed).expect("what we sealed opens");
            assert_eq!(again, opened);
            assert_eq!(version, directory::version(&opened));
        }
    }
}

/// A rescue file as it comes, and one of our own with items of these bytes and a byte changed.
pub(crate) fn rescue_file(bytes: &[u8]) {
    let seed = [7; 32];
    let ward: WardCode = "26995".parse().expect("five digits");
    if let Ok(items) = Opener::new(&seed, ward, bytes) {
        items.for_each(drop);
    }
    let enrolment = enrolment_of(ward, &seed);
    let mut sealer = Sealer::new(&enrolment, [3; 32]).expect("the key is one");
    let items: Vec<&[u8]> = bytes.chunks(97).take(40).collect();
    for item in &items {
        sealer.bundle(item);
    }
    let mut file = sealer.finish();
    if let [low, high, flipped, ..] = *bytes {
        let place = usize::from(u16::from_le_bytes([low, high])) % file.len();
        file[place] ^= flipped;
    }
    let Ok(opened) = Opener::new(&seed, ward, &file) else {
        return;
    };
    for (read, item) in opened.map_while(Result::ok).zip(items) {
        assert_eq!(read, RescueItem::Bundle(item.to_vec()));
    }
}

fn enrolment_of(ward: WardCode, seed: &[u8; 32]) -> Enrolment {
    let vector = include_str!("../../vectors/wire/v1/enrolment-record/three-addresses.hex");
    let mut enrolment = Enrolment::decode(&unhex(vector)).expect("the vector is an enrolment");
    enrolment.credential.ward = ward;
    enrolment.rescue_key = rescue::public_key(seed);
    enrolment
}

fn unhex(commented: &str) -> Vec<u8> {
    let digits: Vec<u8> = commented
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::chars)
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).expect("below 16"))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

/// An invite as somebody typed it, and one whose checksum is right.
pub(crate) fn invite_parse(bytes: &[u8]) {
    let mut checked = bytes.to_vec();
    checked.extend_from_slice(&blake3::hash(bytes).as_bytes()[..4]);
    let right = format!("gandan:{}", data_encoding::BASE64URL_NOPAD.encode(&checked));
    for text in [String::from_utf8_lossy(bytes).as_ref(), &right] {
        if let Ok(invite) = text.parse::<Invite>() {
            assert_eq!(invite.to_string().parse(), Ok(invite));
        }
    }
}

/// Both sides of an enrolment.
pub(crate) fn enrolment(bytes: &[u8]) {
    if let Ok(request) = decode_request(bytes) {
        let again = match &request {
            Request::Enrol(request) => encode_request(request),
            Request::Renew(request) => encode_renewal(request),
        };
        assert_eq!(again, bytes);
    }
    if let Ok(response) = decode_response(bytes) {
        let again = encode_response(&response);
        assert_eq!(decode_response(&again), Ok(response));
    }
}

/// Small things that the ward signs or hands out: each decodes only to what it is written as.
pub(crate) fn credential(bytes: &[u8]) {
    if let Ok(credential) = DeviceCredential::decode(bytes) {
        assert_eq!(credential.encode(), bytes);
    }
    if let Ok(enrolment) = Enrolment::decode(bytes) {
        assert_eq!(enrolment.encode(), bytes);
    }
    if let Ok(checkpoint) = Checkpoint::decode(bytes) {
        assert_eq!(checkpoint.encode(), bytes);
    }
    let cursor = Cursor(bytes.to_vec());
    if let Some(fields) = CursorFields::from_cursor(&cursor) {
        assert_eq!(CursorFields::from_cursor(&fields.to_cursor()), Some(fields));
    }
    if let Ok(salt) = bytes.try_into()
        && let Some(salt) = feed::Salt::from_bytes(salt)
    {
        assert_eq!(salt.to_bytes(), bytes);
    }
}

/// Hashes of parts: size, then the hashes. A tree that opens has a place for every byte and no more.
pub(crate) fn file_tree(bytes: &[u8]) {
    let Some((size, rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let size = usize::try_from(u32::from_le_bytes(*size)).expect("32 bits");
    let parts: Vec<[u8; 32]> = rest
        .chunks_exact(32)
        .filter_map(|hash| hash.try_into().ok())
        .collect();
    let hash = AttachmentHash(*blake3::hash(rest).as_bytes());
    for tree in [FileTree::open(hash, size, parts), Some(FileTree::of(rest))]
        .into_iter()
        .flatten()
    {
        let mut offset = 0;
        while let Some(length) = tree.part_bytes(offset) {
            let part = rest.get(offset..offset + length).unwrap_or_default();
            let is_whole = tree.is_part(offset, part);
            assert!(is_whole || tree.hash() != hash || tree.size() != rest.len());
            offset += length;
        }
        assert_eq!(offset, tree.size());
    }
}

fn compressed(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, 1).expect("zstd compresses any bytes")
}
