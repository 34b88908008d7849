//! The ward's reference data on its way down. Its version is the hash of its canonical bytes, so a
//! device that has it gets it no more. Each item is length-delimited: what a later ward appends to
//! one is skipped. Normative text: `docs/wire.md`.

use thiserror::Error;

use super::compression::{self, DecompressError};
use super::limits;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{Area, Category, Directory, Division, Officer, OfficerId, OldWard, Role};

/// BLAKE3 of a directory's canonical bytes.
pub type DirectoryVersion = [u8; 32];

/// First byte of the canonical bytes.
const FORMAT: u8 = 1;

/// Longest name.
const NAME_BYTES_MAX: usize = 512;
/// Longest code or date.
const CODE_BYTES_MAX: usize = 64;
/// Most units that one ward was made of.
const OLD_WARDS_MAX: usize = 256;
/// Most nodes of the tree; the largest wards have about 3,000.
const AREAS_MAX: usize = 10_000;
/// Most former names of one area.
const OLD_NAMES_MAX: usize = 16;
/// Most people of one ward.
const OFFICERS_MAX: usize = 5_000;
/// Most divisions.
const DIVISIONS_MAX: usize = 500;
/// Most categories.
const CATEGORIES_MAX: usize = 2_000;
/// Longest item: an area with every name that it may have.
const ITEM_BYTES_MAX: usize = (OLD_NAMES_MAX + 4) * (NAME_BYTES_MAX + 2);

/// Why a directory is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenDirectoryError {
    /// Its bytes are not a directory.
    #[error("the directory does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Its content is not what zstd makes, or is too large.
    #[error("the directory does not decompress within its limit")]
    Decompress,
}

impl From<DecompressError> for OpenDirectoryError {
    fn from(_: DecompressError) -> Self {
        Self::Decompress
    }
}

/// A ward's reference data is larger than what may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the directory is too large to be sent; shorten names or remove areas that are over")]
pub struct DirectoryTooLarge;

/// The version of a directory, as both sides name it.
#[must_use]
pub fn version(directory: &Directory) -> DirectoryVersion {
    blake3::hash(&encode(directory)).into()
}

/// The bytes of the directory's frame, compressed.
///
/// # Errors
/// [`DirectoryTooLarge`] for anything that [`open`] would refuse.
pub fn seal(directory: &Directory) -> Result<Vec<u8>, DirectoryTooLarge> {
    let sealed = compression::compress(&encode(directory));
    if sealed.len() > limits::DIRECTORY_BYTES_MAX || open(&sealed).is_err() {
        return Err(DirectoryTooLarge);
    }
    Ok(sealed)
}

/// Opens a directory and gives the version that the ward names it by. The device keeps that version
/// as it is: a build that skipped a field cannot compute it again.
///
/// # Errors
/// See [`OpenDirectoryError`].
pub fn open(bytes: &[u8]) -> Result<(Directory, DirectoryVersion), OpenDirectoryError> {
    let content = compression::decompress(bytes, limits::DIRECTORY_CONTENT_BYTES_MAX)?;
    let directory = read(&mut Reader::new(&content))?;
    Ok((directory, blake3::hash(&content).into()))
}

fn encode(directory: &Directory) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .byte(FORMAT)
        .fixed(directory.ward.as_bytes())
        .text(&directory.ward_name)
        .text(&directory.province);
    write_items(&mut writer, &directory.old_wards, |item, old| {
        item.text(&old.code)
            .text(&old.name)
            .text(&old.district)
            .byte(old.divided.into());
    });
    write_items(&mut writer, &directory.areas, |item, area| {
        item.text(&area.code)
            .text(&area.name)
            .text(&area.type_label)
            .optional(area.parent.as_deref(), |item, parent| {
                item.text(parent);
            })
            .count(area.old_names.len());
        for name in &area.old_names {
            item.text(name);
        }
        item.text(&area.valid_from)
            .optional(area.valid_to.as_deref(), |item, day| {
                item.text(day);
            });
    });
    write_items(&mut writer, &directory.officers, |item, officer| {
        item.fixed(officer.id.0.as_bytes())
            .text(&officer.name)
            .text(officer.role.code());
    });
    write_items(&mut writer, &directory.divisions, |item, division| {
        item.text(&division.code)
            .text(&division.name)
            .byte(division.is_outside.into());
    });
    write_items(&mut writer, &directory.categories, |item, category| {
        item.text(&category.code).text(&category.name).optional(
            category.parent.as_deref(),
            |item, parent| {
                item.text(parent);
            },
        );
    });
    writer.finish()
}

fn write_items<T>(writer: &mut Writer, items: &[T], write: impl Fn(&mut Writer, &T)) {
    writer.count(items.len());
    for item in items {
        let mut fields = Writer::new();
        write(&mut fields, item);
        writer.bytes(&fields.finish());
    }
}

/// What follows the last list is of a later ward, and skipped.
fn read(reader: &mut Reader<'_>) -> Result<Directory, DecodeError> {
    match reader.byte()? {
        FORMAT => {}
        other => return Err(DecodeError::UnknownCode(other.into())),
    }
    let ward = std::str::from_utf8(reader.slice(5)?)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(DecodeError::InvalidValue)?;
    Ok(Directory {
        ward,
        ward_name: name(reader)?,
        province: name(reader)?,
        old_wards: read_items(reader, OLD_WARDS_MAX, read_old_ward)?,
        areas: read_items(reader, AREAS_MAX, read_area)?,
        officers: read_items(reader, OFFICERS_MAX, read_officer)?,
        divisions: read_items(reader, DIVISIONS_MAX, read_division)?,
        categories: read_items(reader, CATEGORIES_MAX, read_category)?,
    })
}

fn read_items<T>(
    reader: &mut Reader<'_>,
    limit: usize,
    read: fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.count(limit)?;
    (0..count)
        .map(|_| read(&mut Reader::new(reader.bytes(ITEM_BYTES_MAX)?)))
        .collect()
}

fn read_old_ward(item: &mut Reader<'_>) -> Result<OldWard, DecodeError> {
    Ok(OldWard {
        code: code(item)?,
        name: name(item)?,
        district: name(item)?,
        divided: flag(item)?,
    })
}

fn read_area(item: &mut Reader<'_>) -> Result<Area, DecodeError> {
    Ok(Area {
        code: code(item)?,
        name: name(item)?,
        type_label: name(item)?,
        parent: item.optional(code)?,
        old_names: (0..item.count(OLD_NAMES_MAX)?)
            .map(|_| name(item))
            .collect::<Result<_, _>>()?,
        valid_from: code(item)?,
        valid_to: item.optional(code)?,
    })
}

fn read_officer(item: &mut Reader<'_>) -> Result<Officer, DecodeError> {
    Ok(Officer {
        id: OfficerId(uuid::Uuid::from_bytes(item.fixed()?)),
        name: name(item)?,
        // A role of a later ward: here the name is only shown, and the ward alone decides rights.
        role: Role::from_code(item.text(CODE_BYTES_MAX)?).unwrap_or(Role::Officer),
    })
}

fn read_division(item: &mut Reader<'_>) -> Result<Division, DecodeError> {
    Ok(Division {
        code: code(item)?,
        name: name(item)?,
        is_outside: flag(item)?,
    })
}

fn read_category(item: &mut Reader<'_>) -> Result<Category, DecodeError> {
    Ok(Category {
        code: code(item)?,
        name: name(item)?,
        parent: item.optional(code)?,
    })
}

fn name(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    reader.text(NAME_BYTES_MAX).map(str::to_owned)
}

fn code(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    reader.text(CODE_BYTES_MAX).map(str::to_owned)
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory {
            ward: "26995".parse().unwrap(),
            ward_name: "Phường Tân Hòa".to_owned(),
            province: "Thành phố Hồ Chí Minh".to_owned(),
            old_wards: vec![OldWard {
                code: "26983".to_owned(),
                name: "Phường 6".to_owned(),
                district: "Quận Tân Bình".to_owned(),
                divided: false,
            }],
            areas: (1..=40)
                .map(|number| Area {
                    code: format!("kp{number}"),
                    name: format!("Khu phố {number}"),
                    type_label: "khu phố".to_owned(),
                    parent: (number > 1).then(|| "kp1".to_owned()),
                    old_names: vec!["Phường 6 (Quận Tân Bình)".to_owned()],
                    valid_from: "2025-07-01".to_owned(),
                    valid_to: None,
                })
                .collect(),
            officers: vec![Officer {
                id: OfficerId(uuid::Uuid::from_u128(5)),
                name: "Nguyễn Thị Hoa".to_owned(),
                role: Role::Leader,
            }],
            divisions: vec![Division {
                code: "police".to_owned(),
                name: "Công an phường".to_owned(),
                is_outside: true,
            }],
            categories: vec![Category {
                code: "drainage".to_owned(),
                name: "Thoát nước".to_owned(),
                parent: Some("infrastructure".to_owned()),
            }],
        }
    }

    #[test]
    fn a_directory_comes_back_with_its_version() {
        let directory = directory();
        let sealed = seal(&directory).unwrap();
        assert!(sealed.len() < 1_000, "{}", sealed.len());
        assert_eq!(open(&sealed), Ok((directory.clone(), version(&directory))));
    }

    #[test]
    fn any_change_is_another_version() {
        let before = directory();
        let mut after = directory();
        after.officers[0].role = Role::Chair;
        assert_ne!(version(&before), version(&after));
    }

    #[test]
    fn what_a_later_ward_appends_is_skipped_and_its_version_kept() {
        let directory = directory();
        let mut content = encode(&directory);
        content.extend([1, 2, 3]);
        let sealed = compression::compress(&content);
        let theirs = blake3::hash(&content).into();
        assert_eq!(open(&sealed), Ok((directory, theirs)));
    }

    #[test]
    fn a_directory_over_its_bounds_is_not_sent() {
        let mut long_name = directory();
        long_name.ward_name = "x".repeat(NAME_BYTES_MAX + 1);
        assert_eq!(seal(&long_name), Err(DirectoryTooLarge));
        let mut many = directory();
        many.areas = vec![many.areas[0].clone(); AREAS_MAX + 1];
        assert_eq!(seal(&many), Err(DirectoryTooLarge));
    }

    #[test]
    fn bytes_that_end_early_are_refused() {
        let content = encode(&directory());
        for length in 0..content.len() {
            let sealed = compression::compress(&content[..length]);
            assert!(open(&sealed).is_err(), "{length}");
        }
    }
}
