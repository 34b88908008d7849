//! Photos as a browser may have them: decoded within limits and written anew, so that neither where
//! a photo was taken nor anything else hidden in the file leaves the ward's store.

use std::io::Cursor;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gandan_core::model::AttachmentHash;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::Console;
use super::fields::Fields;
use super::problem::Problem;
use super::session::Clerk;

/// Longest side that is decoded, in pixels; phones make at most 12,000.
const SIDE_PIXELS_MAX: u32 = 16_384;

/// Most memory that a decoded photo may take: 50 megapixels of three bytes.
const DECODER_BYTES_MAX: u64 = 150 * 1024 * 1024;

/// Longest side of a thumbnail, twice what the page shows for fine screens.
const THUMBNAIL_PIXELS: u32 = 320;

/// Longest side of a photo on its own: a screen, not a print.
const VIEW_PIXELS: u32 = 2048;

/// JPEG quality at which nobody sees the difference.
const JPEG_QUALITY: u8 = 82;

/// `GET /attachments/{hash}`, with `?size=small` for a thumbnail.
pub(super) async fn show(
    State(console): State<Console>,
    Path(hash): Path<String>,
    RawQuery(query): RawQuery,
    Clerk(_staff): Clerk,
) -> Result<Response, Problem> {
    let hash: AttachmentHash = hash.parse().map_err(|_| Problem::NoPhoto)?;
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let side = if query.text("size") == "small" {
        THUMBNAIL_PIXELS
    } else {
        VIEW_PIXELS
    };
    let turn = Arc::clone(&console.photos)
        .acquire_owned()
        .await
        .map_err(|_| Problem::Unexpected)?;
    let jpeg = console
        .ask(move |ward| {
            let _turn = turn;
            let found = ward.attachment(hash)?;
            Ok(found.and_then(|(bytes, _)| written_anew(&bytes, side).ok()))
        })
        .await?
        .ok_or(Problem::NoPhoto)?;
    Ok((
        [
            (header::CONTENT_TYPE, "image/jpeg"),
            (header::CONTENT_DISPOSITION, "inline; filename=\"anh.jpg\""),
        ],
        jpeg,
    )
        .into_response())
}

/// A JPEG of the picture alone, upright, no side longer than `side`.
fn written_anew(bytes: &[u8], side: u32) -> image::ImageResult<Vec<u8>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // The decoder counts what it takes for itself, not the picture that it fills.
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if picture.width() > side || picture.height() > side {
        picture = picture.thumbnail(side, side);
    }
    picture.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode_image(&picture.to_rgb8())?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GenericImageView, ImageError, ImageFormat, Rgb, RgbImage};

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, _| {
            Rgb(if x < width / 2 {
                [255, 0, 0]
            } else {
                [0, 0, 255]
            })
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Puts an EXIF segment behind the first marker: orientation 6 (turn right) and a GPS note.
    fn with_exif(jpeg: &[u8]) -> Vec<u8> {
        let mut exif =
            b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"GPS 10.780923");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut bytes = jpeg[..2].to_vec();
        bytes.extend_from_slice(&[0xff, 0xe1, length[0], length[1]]);
        bytes.extend_from_slice(&exif);
        bytes.extend_from_slice(&jpeg[2..]);
        bytes
    }

    #[test]
    fn a_photo_is_written_anew_upright_and_without_where_it_was_taken() {
        let original = with_exif(&encoded(80, 40, ImageFormat::Jpeg));
        let served = written_anew(&original, 320).unwrap();
        assert!(
            !served
                .windows(4)
                .any(|bytes| bytes == b"Exif" || bytes == b"GPS ")
        );
        let picture = image::load_from_memory(&served).unwrap();
        assert_eq!(picture.dimensions(), (40, 80));
        assert!(picture.get_pixel(20, 5).0[0] > 200, "red is on top");
    }

    #[test]
    fn every_kind_of_photo_becomes_a_jpeg_no_larger_than_asked() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let served = written_anew(&encoded(900, 300, format), 320).unwrap();
            assert_eq!(image::guess_format(&served).unwrap(), ImageFormat::Jpeg);
            let picture = image::load_from_memory(&served).unwrap();
            assert_eq!(picture.width(), 320, "{format:?}");
        }
    }

    #[test]
    fn what_is_no_photo_is_refused() {
        assert!(written_anew(b"<svg onload=alert(1)>", 320).is_err());
        assert!(written_anew(b"", 320).is_err());
        assert!(written_anew(&encoded(40, 40, ImageFormat::Jpeg)[..60], 320).is_err());
    }

    #[test]
    fn a_photo_that_claims_more_than_a_phone_can_take_is_refused_before_it_is_opened() {
        for (width, height) in [(16_000, 16_000), (20_000, 8)] {
            let refused = written_anew(&claiming(width, height), 320);
            assert!(
                matches!(refused, Err(ImageError::Limits(_))),
                "{width} × {height}"
            );
        }
    }

    /// A small PNG whose header, with a right checksum, claims to be large.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut png = encoded(8, 8, ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = u32::MAX;
        for byte in &png[12..29] {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            }
        }
        png[29..33].copy_from_slice(&(!crc).to_be_bytes());
        png
    }
}
