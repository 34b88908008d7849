use std::io::Cursor;

use image::{GenericImageView, ImageFormat, Rgb, RgbImage};

use super::*;

/// Noise does not compress: a picture of some size.
fn drawn(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut noise = blake3::Hasher::new().finalize_xof();
    let picture = RgbImage::from_fn(width, height, |x, _| {
        let mut byte = [0];
        noise.fill(&mut byte);
        let shade = byte[0] / 4;
        Rgb(if x < width / 2 {
            [255, shade, shade]
        } else {
            [shade, shade, 255]
        })
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// EXIF with an orientation and a place that nobody may learn.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = vec![
        b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0,
    ];
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(PLACE);
    tiff
}

const PLACE: &[u8] = b"GPS 10.780923,106.698812";

fn jpeg_segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

fn png_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in name.iter().chain(content) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, name, content, &(!crc).to_be_bytes()].concat()
}

/// The three kinds, with hidden data wherever a kind has room for them.
fn telling(orientation: u8) -> [Vec<u8>; 3] {
    let jpeg = drawn(320, 160, ImageFormat::Jpeg);
    let jpeg = [
        &jpeg[..2],
        &jpeg_segment(0xe1, &[b"Exif\0\0", &exif(orientation)[..]].concat()),
        &jpeg_segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", PLACE].concat()),
        &jpeg_segment(0xed, &[b"Photoshop 3.0\0", PLACE].concat()),
        &jpeg_segment(0xfe, PLACE),
        &jpeg[2..],
        b"....ftypmp42",
        PLACE,
    ]
    .concat();
    let png = drawn(320, 160, ImageFormat::Png);
    let png = [
        &png[..33],
        &png_chunk(b"eXIf", &exif(orientation)),
        &png_chunk(b"tEXt", PLACE),
        &png_chunk(b"iTXt", PLACE),
        &png[33..],
    ]
    .concat();
    let webp = drawn(320, 160, ImageFormat::WebP);
    let (width, height) = (319u32.to_le_bytes(), 159u32.to_le_bytes());
    let tiff = exif(orientation);
    let inside = [
        b"WEBPVP8X\x0a\0\0\0\x0c\0\0\0",
        &width[..3],
        &height[..3],
        &webp[12..],
        b"EXIF",
        &u32::try_from(tiff.len()).unwrap().to_le_bytes(),
        &tiff,
        b"XMP ",
        &u32::try_from(PLACE.len()).unwrap().to_le_bytes(),
        PLACE,
    ]
    .concat();
    let size = u32::try_from(inside.len()).unwrap().to_le_bytes();
    let webp = [b"RIFF", &size[..], &inside].concat();
    [jpeg, png, webp]
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"GPS ")
}

#[test]
fn a_picture_without_anything_hidden_stays_as_it_is_byte_for_byte() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let bytes = drawn(90, 60, format);
        assert_eq!(take(&bytes).unwrap().bytes, bytes, "{format:?}");
        let longer = [&bytes[..], b"nothing that tells"].concat();
        assert_eq!(take(&longer).unwrap().bytes, longer, "{format:?}");
    }
    // Not built as a JPEG is, and nothing that tells either.
    let odd = b"\xff\xd8\xff\xe0\0\x10JFIF\0 and then anything";
    assert_eq!(take(odd).unwrap().bytes, odd);
}

#[test]
fn where_a_picture_was_taken_does_not_leave_the_phone_and_which_way_is_up_does() {
    for orientation in [1, 6] {
        for told in telling(orientation) {
            assert!(tells(&told));
            let taken = take(&told).unwrap();
            assert!(!tells(&taken.bytes), "{}", taken.mime);
            let mut decoder = decoder(&taken.bytes).unwrap();
            let kept = decoder.orientation().unwrap().to_exif();
            assert_eq!(kept, orientation, "{}", taken.mime);
            let picture = DynamicImage::from_decoder(decoder).unwrap();
            assert_eq!(picture.dimensions(), (320, 160));
            // What was cleaned once is clean.
            assert_eq!(take(&taken.bytes).unwrap().bytes, taken.bytes);
        }
    }
}

#[test]
fn a_damaged_picture_that_hides_something_is_refused() {
    for told in telling(6) {
        let is_webp = told.starts_with(b"RIFF");
        let end = if is_webp {
            told.len() - 1
        } else {
            told.len() * 2 / 3
        };
        assert_eq!(take(&told[..end]), Err(PictureError::Hidden));
    }
}

#[test]
fn a_thumbnail_is_small_upright_and_silent() {
    let [jpeg, png, _] = telling(6);
    let thumbnail = take(&png).unwrap().thumbnail.unwrap();
    assert!(!tells(&thumbnail) && thumbnail.len() < 40_000);
    let picture = image::load_from_memory(&thumbnail).unwrap();
    assert_eq!(picture.dimensions(), (160, 320));
    assert!(picture.get_pixel(80, 20).0[0] > 200, "red is on top");
    assert_eq!(
        take(&jpeg[..2]).map(|_| ()),
        Err(UnsupportedAttachment.into())
    );
    let small = drawn(40, 40, ImageFormat::Jpeg);
    assert_eq!(take(&small).unwrap().thumbnail, None);
}

#[test]
fn a_picture_that_claims_too_many_pixels_is_refused_before_it_is_opened() {
    for (width, height) in [(16_000u32, 16_000u32), (20_000, 8)] {
        let png = drawn(8, 8, ImageFormat::Png);
        let mut header = png[16..29].to_vec();
        header[..4].copy_from_slice(&width.to_be_bytes());
        header[4..8].copy_from_slice(&height.to_be_bytes());
        let claiming = [&png[..8], &png_chunk(b"IHDR", &header), &png[33..]].concat();
        assert_eq!(take(&claiming), Err(PictureError::TooManyPixels));
    }
}
