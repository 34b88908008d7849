//! JPEG: segments, each with a marker, and the picture's data behind some of them.

use image::metadata::Orientation;

use super::{Malformed, behind, cut, upright};

const START: [u8; 2] = [0xff, 0xd8];
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;
/// Segments of applications, 0xe0 to 0xef.
const APPLICATION: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
const JFIF: (u8, &[u8]) = (0xe0, b"JFIF\0");
/// EXIF and XMP live here.
const EXIF: u8 = 0xe1;
const COLOURS: (u8, &[u8]) = (0xe2, b"ICC_PROFILE\0");
/// How the colours are coded; without it a picture looks wrong.
const ADOBE: (u8, &[u8]) = (0xee, b"Adobe");

/// The file without what is hidden in it.
pub(super) fn strip(bytes: &[u8], orientation: Orientation) -> Result<Vec<u8>, Malformed> {
    let mut rest = bytes;
    if cut(&mut rest, 2)? != START {
        return Err(Malformed);
    }
    let mut stripped = START.to_vec();
    if let Some(tiff) = upright(orientation) {
        stripped.extend([0xff, EXIF, 0, (2 + 6 + tiff.len()) as u8]);
        stripped.extend(b"Exif\0\0");
        stripped.extend(tiff);
    }
    loop {
        let marker = next_marker(&mut rest)?;
        match marker {
            END => {
                stripped.extend([0xff, END]);
                stripped.extend(behind(rest));
                return Ok(stripped);
            }
            // Alone: nothing belongs to them.
            0x01 | 0xd0..=0xd7 => stripped.extend([0xff, marker]),
            _ => {
                let size = cut(&mut rest, 2)?;
                let length = usize::from(u16::from_be_bytes([size[0], size[1]]));
                let content = cut(&mut rest, length.checked_sub(2).ok_or(Malformed)?)?;
                if !is_hidden(marker, content) {
                    stripped.extend([0xff, marker]);
                    stripped.extend(size);
                    stripped.extend(content);
                }
                if marker == SCAN {
                    let length = scan_length(rest)?;
                    stripped.extend(cut(&mut rest, length)?);
                }
            }
        }
    }
}

fn next_marker(rest: &mut &[u8]) -> Result<u8, Malformed> {
    if cut(rest, 1)? != [0xff] {
        return Err(Malformed);
    }
    loop {
        match cut(rest, 1)?[0] {
            // Fill bytes.
            0xff => {}
            0 => return Err(Malformed),
            marker => return Ok(marker),
        }
    }
}

/// Unknown kinds of application data are hidden data.
fn is_hidden(marker: u8, content: &[u8]) -> bool {
    let is = |(kind, beginning): (u8, &[u8])| marker == kind && content.starts_with(beginning);
    (APPLICATION.contains(&marker) && !is(JFIF) && !is(COLOURS) && !is(ADOBE)) || marker == COMMENT
}

/// How far the data of a scan go: up to the next marker that does not belong to them.
fn scan_length(rest: &[u8]) -> Result<usize, Malformed> {
    rest.windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff))
        .ok_or(Malformed)
}
