//! What each target reads without complaint, and what it refuses for one reason: the golden vectors,
//! in the form in which the target takes them.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use gandan_core::protocol::frame::FrameDecoder;
use gandan_server::register;
use image::{DynamicImage, ImageFormat};

/// More than a page's head or a directory decompresses to.
const CONTENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Kinds of vectors that are whole frames.
const MESSAGES: &[&str] = &[
    "bundle",
    "caught-up",
    "chunk",
    "compare",
    "compared",
    "directory",
    "done",
    "edits",
    "fetch",
    "fetch-part",
    "follow",
    "found",
    "give-back",
    "hello",
    "kept",
    "lent",
    "look",
    "need",
    "offer",
    "page",
    "part",
    "pull",
    "refuse",
    "return",
    "returned",
    "stored",
    "taken",
    "verdicts",
    "want",
    "welcome",
    "witness",
    "witnessed",
];

/// The inputs that a target begins with.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "edit_decode" => vectors(&["edit"]),
        "bundle_open" => vectors(&["sealed-bundle"]),
        "packed_edits" => vectors(&["packed-edits"]).iter().filter_map(|packed| below_zstd(packed)).collect(),
        "frame_decode" => [vectors(MESSAGES), vectors(&["conversation", "frame"])].concat(),
        "comparison" => payloads(&["compared"]).collect(),
        "message_decode" => vectors(MESSAGES).iter().filter_map(|frame| message(frame)).collect(),
        "document_execute" => vec![edits_of_a_case()],
        "page_open" => vectors(&["sealed-page"]).iter().filter_map(|page| head_and_bodies(page)).collect(),
        "directory_open" => vectors(&["sealed-directory"])
            .iter()
            .filter_map(|sealed| zstd::bulk::decompress(sealed, CONTENT_BYTES_MAX).ok())
            .collect(),
        "rescue_file" => vectors(&["rescue-file"]),
        "invite_parse" => vectors(&["invite"]),
        "enrolment" => vectors(&["enrolment-request", "enrolment-response"]),
        "credential" => vectors(&["credential", "enrolment-record", "cursor"]),
        "file_tree" => vec![vec![5, 0, 0, 0, 1, 2, 3, 4, 5], [vec![0, 0x80, 0, 0], vec![7; 64]].concat()],
        "picture_take" => pictures(),
        "console_form" => vec![
            b"text=+d%C3%B2ng+m%E1%BB%99t%0D%0Ad%C3%B2ng+hai+&area=KP1&area=KP2&login=mai".to_vec(),
            b"%ff%fe=%c3&&==&%".to_vec(),
        ],
        "areas_csv" => vec![
            register::SAMPLE_AREAS_26995.as_bytes().to_vec(),
            b"code,name,type,parent,old_names,valid_from\nA,\"\xe1\xba\xa4p, 1\",\xe1\xba\xa5p,,a;b,2025-07-01\n".to_vec(),
        ],
        "config" => vec![
            b"quic = '0.0.0.0:4433'\nhttp = '[::1]:9000'\npublic_addresses = ['a.example.vn:4433']\n\
              allow_cleartext_http = true\nbehind_tls_proxy = false\ninvite_hours = 24\nlog = 'info'\nlog_format = 'json'\n"
                .to_vec(),
            b"gandan.example:4433,[2001:db8::7]:4433".to_vec(),
            b"24".to_vec(),
        ],
        _ => Vec::new(),
    }
}

fn vectors(kinds: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/wire/v1");
    let mut files: Vec<_> = kinds
        .iter()
        .flat_map(|kind| {
            fs::read_dir(root.join(kind)).unwrap_or_else(|_| panic!("no vectors of {kind}"))
        })
        .map(|file| file.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| unhex(&fs::read_to_string(path).expect("it can be read")))
        .collect()
}

fn unhex(commented: &str) -> Vec<u8> {
    let digits: String = commented
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::split_whitespace)
        .collect();
    data_encoding::HEXLOWER
        .decode(digits.as_bytes())
        .expect("hexadecimal")
}

/// What is inside whole frames.
fn payloads(kinds: &[&str]) -> impl Iterator<Item = Vec<u8>> {
    vectors(kinds)
        .into_iter()
        .filter_map(|frame| Some(message(&frame)?[2..].to_vec()))
}

/// Type, version and fields of a frame without their length.
fn message(frame: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = FrameDecoder::new(|_| Some(1024 * 1024));
    let frame = decoder.next(&mut &frame[..]).ok().flatten()?;
    Some([&[frame.kind, frame.version], &frame.payload[..]].concat())
}

/// Bits and content of packed edits: layout, length of the bits, bits, content.
fn below_zstd(packed: &[u8]) -> Option<Vec<u8>> {
    let (&length, rest) = packed.get(1..)?.split_first()?;
    // A longer length takes two bytes; those vectors are left to the whole bundle.
    let (bits, content) = rest
        .split_at_checked(usize::from(length))
        .filter(|_| length < 0x80)?;
    let content =
        zstd::bulk::decompress(content, CONTENT_BYTES_MAX).unwrap_or_else(|_| content.to_vec());
    Some([&[length], bits, &content].concat())
}

/// Head and bodies of a page: length of the compressed head, the head, the bodies.
fn head_and_bodies(page: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = match page {
        [low, high, rest @ ..] if low & 0x80 != 0 => {
            (usize::from(low & 0x7f) | usize::from(*high) << 7, rest)
        }
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    let (head, bodies) = rest.split_at_checked(length)?;
    let head = zstd::bulk::decompress(head, CONTENT_BYTES_MAX).ok()?;
    let length = u16::try_from(head.len()).ok()?;
    Some([&length.to_le_bytes()[..], &head, bodies].concat())
}

/// A case and every kind of change to one, each with its length before it.
fn edits_of_a_case() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/wire/v1/edit");
    [
        "create-case",
        "set-register",
        "splice-text",
        "append-item",
        "increment",
        "longest-numbers",
    ]
    .iter()
    .flat_map(|name| {
        let text = fs::read_to_string(root.join(name).with_extension("hex"));
        let edit = unhex(&text.expect("the vector can be read"));
        let length = u16::try_from(edit.len()).expect("an edit of a vector is short");
        [&length.to_le_bytes()[..], &edit].concat()
    })
    .collect()
}

/// One of each kind, and a photo with a place in it.
fn pictures() -> Vec<Vec<u8>> {
    let picture = DynamicImage::new_rgb8(9, 7);
    let mut pictures: Vec<Vec<u8>> = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP]
        .into_iter()
        .map(|format| {
            let mut bytes = Cursor::new(Vec::new());
            picture
                .write_to(&mut bytes, format)
                .expect("it can be written");
            bytes.into_inner()
        })
        .collect();
    let mut photo = pictures[0].clone();
    let exif = b"\xff\xe1\x00\x1eExif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
    photo.splice(2..2, exif.iter().copied());
    pictures.push(photo);
    pictures
}
