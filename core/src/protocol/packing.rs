//! Many edits in few bytes. Edits of one ward say the same few things about different people: what
//! is the same is written once as a *shape*, what differs goes by columns, names that can be
//! derived do not travel, chance is written bit by bit, and zstd sees words only. Knows nothing of
//! what a field means. The encoding of an edit stays what it is: unpacking gives its exact bytes,
//! and an edit that this build cannot read travels as it is.
//!
//! Normative: `docs/wire.md`, "Packed edits"; why: `docs/adr/0005-packed-edits.md`.

mod bits;
mod column;
mod head;
mod shape;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;

use thiserror::Error;

use self::bits::{Packer, Unpacker};
use self::column::Column;
use self::head::{Head, Heads};
use self::shape::{Kind, Shape};
use super::limits::{BUNDLE_CONTENT_BYTES_MAX, BUNDLE_EDITS_MAX};
use crate::codec::{DecodeError, Reader, Writer};
use crate::edit::limits::EDIT_BYTES_MAX;
use crate::edit::{Edit, EncodedEdit};
use crate::model::EditId;

/// First byte of what is packed; names the layout and the dictionary.
const LAYOUT: u8 = 1;

/// Most bytes of edits that are packed together. Columns can be a little longer than what they
/// replace, so a writer stays well below what a reader takes.
pub const PACKED_BYTES_MAX: usize = BUNDLE_CONTENT_BYTES_MAX / 2;

/// How hard to try; whoever unpacks sees no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For what is made once and sent over a phone's link.
    Once,
    /// For what a ward makes anew for every device that reads it.
    EachTime,
}

/// Why packed edits cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnpackError {
    /// Not what packing makes.
    #[error("packed edits do not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Not what zstd makes, or too large.
    #[error("packed edits do not decompress within their limit")]
    Decompress,
}

/// Packs edits, given by their canonical bytes, in order.
///
/// # Panics
/// If there are more than [`BUNDLE_EDITS_MAX`], or they are longer together than
/// [`PACKED_BYTES_MAX`].
#[must_use]
pub fn pack<'a>(effort: Effort, edits: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let edits: Vec<&[u8]> = edits.into_iter().collect();
    assert!(edits.len() <= BUNDLE_EDITS_MAX, "too many edits to pack");
    let content: usize = edits.iter().map(|edit| edit.len()).sum();
    assert!(content <= PACKED_BYTES_MAX, "too much to pack");
    pack_all(effort, edits)
}

fn pack_all<'a>(effort: Effort, edits: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut sorted = Sorted::default();
    for bytes in edits {
        sorted.push(bytes);
    }
    let mut packer = Packer::default();
    packer.numbers.count(sorted.shape_numbers.len());
    packer.numbers.count(sorted.shapes.len());
    packer.ints(&sorted.shape_numbers);
    packer.ints(&lengths(&sorted.shapes));
    packer.ints(&lengths(&sorted.unreadable));
    for bytes in sorted.shapes.iter().chain(&sorted.unreadable) {
        packer.words.fixed(bytes);
    }
    let heads = Heads::new(sorted.heads);
    heads.write(&mut packer);
    for column in &sorted.columns {
        column.write(&mut packer, &heads);
    }

    let mut content = Writer::new();
    content.bytes(&packer.numbers.finish());
    content.fixed(&packer.words.finish());
    let mut writer = Writer::new();
    writer.byte(LAYOUT);
    writer.bytes(&packer.bits.finish());
    writer.fixed(&words::compress(effort, &content.finish()));
    writer.finish()
}

/// Unpacks edits to their exact bytes, in order. They are not decoded: one that this build cannot
/// read is the caller's to judge.
///
/// # Errors
/// See [`UnpackError`]. Nothing above [`BUNDLE_CONTENT_BYTES_MAX`] is reserved for content.
pub fn unpack(packed: &[u8]) -> Result<Vec<Vec<u8>>, UnpackError> {
    let mut reader = Reader::new(packed);
    match reader.byte()? {
        LAYOUT => {}
        other => return Err(DecodeError::UnknownCode(other.into()).into()),
    }
    let bits = reader.bytes(BUNDLE_CONTENT_BYTES_MAX)?;
    let content = words::decompress(reader.rest()).ok_or(UnpackError::Decompress)?;
    let mut words = Reader::new(&content);
    let numbers = words.bytes(BUNDLE_CONTENT_BYTES_MAX)?;
    let mut unpacker = Unpacker::new(bits, numbers, words.rest());
    let edits = read(&mut unpacker)?;
    unpacker.finish()?;
    Ok(edits)
}

/// Edits taken apart: shapes, heads and columns.
#[derive(Default)]
struct Sorted {
    /// Canonical bytes of blank edits, in order of appearance.
    shapes: Vec<Vec<u8>>,
    shape_slots: Vec<Vec<usize>>,
    numbers_of_shapes: HashMap<Vec<u8>, usize>,
    /// Of each edit: 0, or the number of its shape from 1.
    shape_numbers: Vec<i64>,
    /// Edits that do not decode, as they are.
    unreadable: Vec<Vec<u8>>,
    /// Of each edit that decodes.
    heads: Vec<Head>,
    places: HashMap<EditId, usize>,
    columns: Vec<Column>,
    numbers_of_columns: HashMap<(String, Kind), usize>,
}

impl Sorted {
    fn push(&mut self, bytes: &[u8]) {
        let place = self.shape_numbers.len();
        let id = EditId(blake3::hash(bytes).into());
        self.push_at(place, bytes);
        self.places.insert(id, place);
    }

    fn push_at(&mut self, place: usize, bytes: &[u8]) {
        let Ok(encoded) = EncodedEdit::decode(bytes) else {
            self.shape_numbers.push(0);
            self.unreadable.push(bytes.to_vec());
            return;
        };
        let (shape, values) = Shape::take(encoded.edit());
        let number = match self.numbers_of_shapes.get(&shape.bytes) {
            Some(&number) => number,
            None => self.push_shape(shape),
        };
        self.shape_numbers.push(number as i64 + 1);
        let owner = self.heads.len();
        for (&column, value) in self.shape_slots[number].iter().zip(values) {
            self.columns[column].push(owner, value);
        }
        self.heads
            .push(Head::new(encoded.edit(), place, &self.places));
    }

    fn push_shape(&mut self, shape: Shape) -> usize {
        let number = self.shapes.len();
        let slots = columns_of(&shape, &mut self.numbers_of_columns, |kind| {
            self.columns.push(Column::new(kind));
        });
        self.shape_slots.push(slots);
        self.numbers_of_shapes.insert(shape.bytes.clone(), number);
        self.shapes.push(shape.bytes);
        number
    }
}

/// The column of each slot of a shape. Columns are numbered as shapes first name them.
fn columns_of(
    shape: &Shape,
    numbers: &mut HashMap<(String, Kind), usize>,
    mut make: impl FnMut(Kind),
) -> Vec<usize> {
    shape
        .slots
        .iter()
        .map(|slot| {
            let next = numbers.len();
            *numbers.entry(slot.clone()).or_insert_with(|| {
                make(slot.1);
                next
            })
        })
        .collect()
}

fn lengths(strings: &[Vec<u8>]) -> Vec<i64> {
    strings.iter().map(|string| string.len() as i64).collect()
}

fn read(unpacker: &mut Unpacker<'_>) -> Result<Vec<Vec<u8>>, DecodeError> {
    let count = unpacker.numbers.count(BUNDLE_EDITS_MAX)?;
    let shape_count = unpacker.numbers.count(count)?;
    let shape_numbers = unpacker.counts(count, shape_count)?;
    let unreadable_count = shape_numbers.iter().filter(|&&number| number == 0).count();
    let shape_lengths = unpacker.counts(shape_count, EDIT_BYTES_MAX)?;
    let unreadable_lengths = unpacker.counts(unreadable_count, BUNDLE_CONTENT_BYTES_MAX)?;

    // A blank edit is never longer than the same edit with its values, so this bounds everything
    // that follows before anything is reserved for it.
    for &number in shape_numbers.iter().filter(|&&number| number > 0) {
        unpacker.spend(shape_lengths[number - 1])?;
    }
    let mut shapes = Vec::new();
    for &length in &shape_lengths {
        shapes.push(Shape::read(unpacker.words.slice(length)?)?);
    }
    let mut unreadable = Vec::new();
    for &length in &unreadable_lengths {
        unpacker.spend(length)?;
        unreadable.push(unpacker.words.slice(length)?);
    }

    let shapes_of_edits: Vec<&Shape> = shape_numbers
        .iter()
        .filter_map(|&number| shapes.get(number.checked_sub(1)?))
        .collect();
    let heads = Heads::read(unpacker, &shapes_of_edits)?;

    let mut kinds = Vec::new();
    let mut numbers = HashMap::new();
    let slots: Vec<Vec<usize>> = shapes
        .iter()
        .map(|shape| columns_of(shape, &mut numbers, |kind| kinds.push(kind)))
        .collect();
    let mut owners = vec![Vec::new(); kinds.len()];
    let readable = shape_numbers.iter().filter(|&&number| number > 0);
    for (owner, &number) in readable.enumerate() {
        for &column in &slots[number - 1] {
            owners[column].push(owner);
        }
    }
    let mut columns = Vec::new();
    for (kind, owners) in kinds.into_iter().zip(owners) {
        columns.push(column::read(unpacker, kind, &owners, &heads)?.into_iter());
    }

    let mut edits: Vec<Vec<u8>> = Vec::new();
    let mut unreadable = unreadable.into_iter();
    let mut owner = 0;
    for &number in &shape_numbers {
        if number == 0 {
            edits.extend(unreadable.next().map(<[u8]>::to_vec));
            continue;
        }
        let values = slots[number - 1]
            .iter()
            .map(|&column| columns[column].next().ok_or(DecodeError::Truncated));
        let mut edit: Edit = shapes[number - 1].fill(values)?;
        heads.fill(owner, &mut edit, &edits)?;
        owner += 1;
        let encoded = EncodedEdit::encode(edit).map_err(|_| DecodeError::InvalidValue)?;
        edits.push(encoded.bytes().to_vec());
    }
    Ok(edits)
}
