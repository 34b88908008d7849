//! WebP: a RIFF file of chunks, each with its name and its length, padded to an even one.

use image::metadata::Orientation;

use super::{Malformed, behind, cut, upright};

const EXTENDED: &[u8] = b"VP8X";
const EXIF: &[u8; 4] = b"EXIF";
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;
/// What the picture is made of.
const LOOK: &[&[u8]] = &[
    EXTENDED, b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];

/// The file without what is hidden in it.
pub(super) fn strip(bytes: &[u8], orientation: Orientation) -> Result<Vec<u8>, Malformed> {
    let mut rest = bytes;
    if cut(&mut rest, 4)? != b"RIFF" {
        return Err(Malformed);
    }
    let size = read_length(&mut rest)?;
    let mut inside = cut(&mut rest, size)?;
    if cut(&mut inside, 4)? != b"WEBP" {
        return Err(Malformed);
    }
    let tiff = upright(orientation);
    let mut kept = b"WEBP".to_vec();
    let mut is_extended = false;
    while !inside.is_empty() {
        let begin = inside;
        let name = cut(&mut inside, 4)?;
        let length = read_length(&mut inside)?;
        cut(&mut inside, length)?;
        // Some writers leave the last padding out.
        let padding = (length % 2).min(inside.len());
        cut(&mut inside, padding)?;
        let whole = &begin[..begin.len() - inside.len()];
        if name == EXTENDED && length > 0 {
            is_extended = true;
            let flags = 8;
            kept.extend(&whole[..flags]);
            let exif = if tiff.is_some() { HAS_EXIF } else { 0 };
            kept.push(whole[flags] & !(HAS_EXIF | HAS_XMP) | exif);
            kept.extend(&whole[flags + 1..]);
        } else if LOOK.contains(&name) {
            kept.extend(whole);
        }
    }
    if let Some(tiff) = tiff.filter(|_| is_extended) {
        kept.extend(EXIF);
        kept.extend((tiff.len() as u32).to_le_bytes());
        kept.extend(tiff);
    }
    let size = u32::try_from(kept.len()).map_err(|_| Malformed)?;
    let mut stripped = b"RIFF".to_vec();
    stripped.extend(size.to_le_bytes());
    stripped.extend(kept);
    stripped.extend(behind(rest));
    Ok(stripped)
}

fn read_length(rest: &mut &[u8]) -> Result<usize, Malformed> {
    let length = cut(rest, 4)?;
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    usize::try_from(length).map_err(|_| Malformed)
}
