//! What of a picture leaves the phone: the picture and which way is up, nothing of where, when and by
//! what it was taken. The file's own structure is cut, not decoded and written anew: a picture without
//! anything hidden stays as it is, byte for byte, and none loses quality.

mod jpeg;
mod png;
mod webp;

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use thiserror::Error;

use crate::store::attachments::{self, UnsupportedAttachment};

/// Longest side, in pixels; phones make at most 12,000.
const SIDE_PIXELS_MAX: u32 = 16_384;

/// Most pixels: what the best phones make, in three bytes each, is as much as a cheap one can hold.
const PIXELS_MAX: u64 = 50_000_000;

/// Most memory that decoding may take.
const DECODER_BYTES_MAX: u64 = 200 * 1024 * 1024;

/// Longest side of a thumbnail, twice what a list shows for fine screens.
const THUMBNAIL_PIXELS: u32 = 320;

/// JPEG quality of a thumbnail: some 15 KB, half a second on a village mast.
const THUMBNAIL_QUALITY: u8 = 70;

/// A picture that is not larger than this needs no thumbnail.
const THUMBNAIL_FROM_BYTES: usize = 64 * 1024;

/// How hidden data begin in any of the three kinds of file, and behind them.
const HIDDEN: &[&[u8]] = &[
    b"Exif\0\0",
    b"eXIf",
    b"EXIF",
    b"http://ns.adobe.com/",
    b"<x:xmpmeta",
    b"Photoshop 3.0",
    b"ftypmp4",
    b"ftypisom",
];

/// Why a picture cannot be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PictureError {
    /// Another type, or too many bytes.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedAttachment),
    /// Too many pixels, whatever its bytes say.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// Hidden data are somewhere in a file that is not built as its kind is.
    #[error("the picture's hidden data cannot be removed")]
    Hidden,
}

/// A picture as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Without hidden data.
    pub bytes: Vec<u8>,
    /// Found by content.
    pub mime: &'static str,
    /// A small JPEG of it; `None` if the picture is small itself, or damaged so that nobody can draw it.
    pub thumbnail: Option<Vec<u8>>,
}

/// A file is not built as its kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Malformed;

/// Takes a picture as a camera or another app made it.
///
/// # Errors
/// See [`PictureError`].
pub fn take(bytes: &[u8]) -> Result<Picture, PictureError> {
    let mime = attachments::media_type(bytes)?;
    let orientation = look(bytes)?;
    let stripped = match mime {
        "image/jpeg" => jpeg::strip(bytes, orientation),
        "image/png" => png::strip(bytes, orientation),
        _ => webp::strip(bytes, orientation),
    };
    let bytes = match stripped {
        Ok(stripped) => stripped,
        Err(Malformed) if is_hiding(bytes) => return Err(PictureError::Hidden),
        Err(Malformed) => bytes.to_vec(),
    };
    let thumbnail = (bytes.len() > THUMBNAIL_FROM_BYTES)
        .then(|| thumbnail(&bytes))
        .transpose()?
        .flatten();
    Ok(Picture {
        bytes,
        mime,
        thumbnail,
    })
}

/// How the picture is turned; looks at its size before anything is decoded. A damaged picture has none.
fn look(bytes: &[u8]) -> Result<Orientation, PictureError> {
    let Ok(mut decoder) = decoder(bytes) else {
        return Ok(Orientation::NoTransforms);
    };
    let (width, height) = decoder.dimensions();
    let is_large = width > SIDE_PIXELS_MAX || height > SIDE_PIXELS_MAX;
    if is_large || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(PictureError::TooManyPixels);
    }
    Ok(decoder.orientation().unwrap_or(Orientation::NoTransforms))
}

fn decoder(bytes: &[u8]) -> Result<impl ImageDecoder + '_, ImageError> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()?
        .into_decoder()
}

/// A small upright JPEG; `None` if the picture cannot be drawn.
fn thumbnail(bytes: &[u8]) -> Result<Option<Vec<u8>>, PictureError> {
    let draw = || -> Result<Vec<u8>, ImageError> {
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODER_BYTES_MAX);
        let mut decoder = decoder(bytes)?;
        // The decoder counts what it takes for itself, not the picture that it fills.
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        let orientation = decoder.orientation()?;
        let picture = DynamicImage::from_decoder(decoder)?;
        let mut small = picture.thumbnail(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS);
        drop(picture);
        small.apply_orientation(orientation);
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY)
            .encode_image(&small.to_rgb8())?;
        Ok(jpeg)
    };
    match draw() {
        Ok(jpeg) => Ok(Some(jpeg)),
        Err(ImageError::Limits(_)) => Err(PictureError::TooManyPixels),
        Err(_) => Ok(None),
    }
}

fn is_hiding(bytes: &[u8]) -> bool {
    HIDDEN
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
}

/// What stands behind a picture's end: kept unless it hides something, such as a film of the moment
/// before, with its place.
fn behind(rest: &[u8]) -> &[u8] {
    if is_hiding(rest) { &[] } else { rest }
}

/// EXIF that says which way is up and nothing else; `None` if the picture is upright.
fn upright(orientation: Orientation) -> Option<[u8; 26]> {
    let code = orientation.to_exif();
    // Little-endian TIFF: header, one entry (tag 0x0112, one short), no further directory.
    (code != 1).then_some([
        b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, code, 0, 0, 0, 0, 0, 0,
        0,
    ])
}

/// Cuts `length` bytes off the front.
fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (cut, after) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = after;
    Ok(cut)
}

#[cfg(test)]
mod tests;
