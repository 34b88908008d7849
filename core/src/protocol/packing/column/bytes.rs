//! Columns of byte strings: hashes, uuids, places on the map.

use uuid::Uuid;

use super::Written;
use crate::codec::DecodeError;
use crate::edit::limits::VALUE_BYTES_MAX;
use crate::protocol::packing::bits::{Packer, Unpacker};
use crate::protocol::packing::head::Heads;
use crate::protocol::packing::shape::Taken;

const ANY: u8 = 0;
/// All equally long.
const SAME_LENGTH: u8 = 1;
/// Uuids of documents of these edits, or others in full. Never in a table.
pub(super) const DOCUMENTS: u8 = 2;

/// Byte strings of equal length up to this one are numbers, such as a place on the map.
const NUMBER_BYTES_MAX: usize = 8;

impl Written for &[u8] {
    fn mode(strings: &[Self]) -> u8 {
        let length = strings.first().map(|string| string.len());
        if strings.iter().all(|string| Some(string.len()) == length) {
            SAME_LENGTH
        } else {
            ANY
        }
    }

    fn write(packer: &mut Packer, mode: u8, strings: &[Self]) {
        let length = strings.first().map_or(0, |string| string.len());
        if mode == ANY {
            let lengths: Vec<i64> = strings.iter().map(|string| string.len() as i64).collect();
            packer.ints(&lengths);
        } else {
            packer.numbers.count(length);
        }
        if mode == SAME_LENGTH && length <= NUMBER_BYTES_MAX {
            for part in parts(length) {
                let numbers: Vec<i64> = strings
                    .iter()
                    .map(|string| big_endian(&string[part.clone()]))
                    .collect();
                packer.ints(&numbers);
            }
        } else {
            for string in strings {
                packer.bits.put_bytes(string);
            }
        }
    }
}

pub(super) fn read(
    unpacker: &mut Unpacker<'_>,
    mode: u8,
    count: usize,
) -> Result<Vec<Taken>, DecodeError> {
    let lengths = match mode {
        ANY => unpacker.counts(count, VALUE_BYTES_MAX)?,
        SAME_LENGTH => {
            let length = unpacker.numbers.count(VALUE_BYTES_MAX)?;
            if length <= NUMBER_BYTES_MAX {
                return read_numbers(unpacker, length, count);
            }
            vec![length; count]
        }
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    let mut strings = Vec::new();
    for length in lengths {
        let bytes = (0..length).map(|_| Ok(unpacker.bits.take(8)? as u8));
        strings.push(Taken::Bytes(bytes.collect::<Result<_, DecodeError>>()?));
    }
    Ok(strings)
}

/// Byte strings that were written as numbers, part by part.
fn read_numbers(
    unpacker: &mut Unpacker<'_>,
    length: usize,
    count: usize,
) -> Result<Vec<Taken>, DecodeError> {
    let mut strings = vec![Vec::new(); count];
    for part in parts(length) {
        for (string, number) in strings.iter_mut().zip(unpacker.ints(count)?) {
            let bytes = u32::try_from(number)
                .map_err(|_| DecodeError::InvalidValue)?
                .to_be_bytes();
            let (above, bytes) = bytes.split_at(bytes.len() - part.len());
            if above.iter().any(|&byte| byte != 0) {
                return Err(DecodeError::InvalidValue);
            }
            string.extend_from_slice(bytes);
        }
    }
    Ok(strings.into_iter().map(Taken::Bytes).collect())
}

/// Parts of at most four bytes.
fn parts(length: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..length)
        .step_by(4)
        .map(move |start| start..length.min(start + 4))
}

fn big_endian(bytes: &[u8]) -> i64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | i64::from(byte))
}

/// How far each value's document is from its edit's, if values are uuids and most of them are of
/// documents of these edits; `None` for one that is not.
pub(super) fn document_distances(
    strings: &[&[u8]],
    owners: &[usize],
    heads: &Heads,
) -> Option<Vec<Option<i64>>> {
    let distances = strings
        .iter()
        .zip(owners)
        .map(|(string, &owner)| {
            let uuid = Uuid::from_slice(string).ok()?;
            Some(heads.document_distance(owner, uuid))
        })
        .collect::<Option<Vec<_>>>()?;
    let found = distances.iter().flatten().count();
    (found * 2 > distances.len()).then_some(distances)
}

pub(super) fn write_documents(packer: &mut Packer, strings: &[&[u8]], distances: &[Option<i64>]) {
    packer.numbers.byte(DOCUMENTS);
    // Zero says that the uuid follows; a distance never gets near the ends of the range.
    let references: Vec<i64> = distances
        .iter()
        .map(|distance| match distance {
            None => 0,
            Some(later) if *later < 0 => *later,
            Some(before) => before + 1,
        })
        .collect();
    packer.ints(&references);
    let in_full = strings
        .iter()
        .zip(distances)
        .filter(|(_, distance)| distance.is_none());
    for (string, _) in in_full {
        packer.bits.put_bytes(string);
    }
}

pub(super) fn read_documents(
    unpacker: &mut Unpacker<'_>,
    owners: &[usize],
    heads: &Heads,
) -> Result<Vec<Taken>, DecodeError> {
    let mut values = Vec::new();
    for (reference, &owner) in unpacker.ints(owners.len())?.into_iter().zip(owners) {
        let uuid = match reference {
            0 => Uuid::from_bytes(unpacker.bits.take_bytes()?),
            _ => heads
                .document_at(owner, reference - i64::from(reference > 0))
                .ok_or(DecodeError::InvalidValue)?,
        };
        unpacker.spend(16)?;
        values.push(Taken::Bytes(uuid.as_bytes().to_vec()));
    }
    Ok(values)
}
