//! PNG: chunks, each with its length, its name and a checksum.

use image::metadata::Orientation;

use super::{Malformed, behind, cut, upright};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const HEADER: &[u8] = b"IHDR";
const END: &[u8] = b"IEND";
/// What changes how the picture looks, beside the critical chunks.
const LOOK: &[&[u8]] = &[
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD",
    b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT",
];

/// The file without what is hidden in it.
pub(super) fn strip(bytes: &[u8], orientation: Orientation) -> Result<Vec<u8>, Malformed> {
    let mut rest = bytes;
    if cut(&mut rest, SIGNATURE.len())? != SIGNATURE {
        return Err(Malformed);
    }
    let mut stripped = SIGNATURE.to_vec();
    loop {
        let begin = rest;
        let length = cut(&mut rest, 4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        let name = cut(&mut rest, 4)?;
        let content = usize::try_from(length).map_err(|_| Malformed)?;
        cut(&mut rest, content)?;
        cut(&mut rest, 4)?;
        let is_critical = name[0].is_ascii_uppercase();
        if is_critical || LOOK.contains(&name) {
            stripped.extend(&begin[..begin.len() - rest.len()]);
        }
        if name == HEADER
            && let Some(tiff) = upright(orientation)
        {
            write_chunk(&mut stripped, b"eXIf", &tiff);
        }
        if name == END {
            stripped.extend(behind(rest));
            return Ok(stripped);
        }
    }
}

fn write_chunk(to: &mut Vec<u8>, name: &[u8; 4], content: &[u8; 26]) {
    to.extend((content.len() as u32).to_be_bytes());
    to.extend(name);
    to.extend(content);
    to.extend(checksum(name.iter().chain(content)).to_be_bytes());
}

/// CRC-32 as PNG has it; bit by bit, for one small chunk.
fn checksum<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let sum = bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    });
    !sum
}
