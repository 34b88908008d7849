//! All values of one slot, over all edits that have it. A writer may choose among several ways and
//! takes what is shortest; a reader takes any.

mod bytes;
mod text;

use std::collections::HashMap;
use std::hash::Hash;

#[cfg(test)]
pub(super) use text::pattern;

use super::bits::{Packer, Unpacker, sequence_cost_bits};
use super::head::Heads;
use super::shape::{Kind, Taken};
use crate::codec::DecodeError;

/// How a column of integers is written.
mod int_mode {
    pub(super) const PLAIN: u8 = 0;
    /// What each is above its edit's device time.
    pub(super) const SINCE_EDIT: u8 = 1;
}

/// Added to a mode of texts or bytes: each value is a place in a table, which follows in that mode.
const BY_TABLE: u8 = 16;

/// A column on its way in.
pub(super) struct Column {
    values: Values,
    /// The edit of each value, among those that decode.
    owners: Vec<usize>,
}

enum Values {
    Ints(Vec<i64>),
    Texts(Vec<String>),
    Bytes(Vec<Vec<u8>>),
}

impl Column {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Int => Values::Ints(Vec::new()),
            Kind::Text => Values::Texts(Vec::new()),
            Kind::Bytes => Values::Bytes(Vec::new()),
        };
        let owners = Vec::new();
        Self { values, owners }
    }

    pub(super) fn push(&mut self, owner: usize, value: Taken) {
        self.owners.push(owner);
        match (&mut self.values, value) {
            (Values::Ints(values), Taken::Int(value)) => values.push(value),
            (Values::Texts(values), Taken::Text(value)) => values.push(value),
            (Values::Bytes(values), Taken::Bytes(value)) => values.push(value),
            _ => unreachable!("a slot's column is chosen by its kind"),
        }
    }

    pub(super) fn write(&self, packer: &mut Packer, heads: &Heads) {
        match &self.values {
            Values::Ints(values) => write_ints(packer, values, &self.owners, heads),
            Values::Texts(values) => {
                let texts: Vec<&str> = values.iter().map(String::as_str).collect();
                write_tabled(packer, &texts);
            }
            Values::Bytes(values) => {
                let strings: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
                if let Some(distances) = bytes::document_distances(&strings, &self.owners, heads) {
                    bytes::write_documents(packer, &strings, &distances);
                } else {
                    write_tabled(packer, &strings);
                }
            }
        }
    }
}

/// Reads the values of one column, one for each owner.
pub(super) fn read(
    unpacker: &mut Unpacker<'_>,
    kind: Kind,
    owners: &[usize],
    heads: &Heads,
) -> Result<Vec<Taken>, DecodeError> {
    let mode = unpacker.numbers.byte()?;
    match kind {
        Kind::Int => read_ints(unpacker, mode, owners, heads),
        Kind::Bytes if mode == bytes::DOCUMENTS => bytes::read_documents(unpacker, owners, heads),
        Kind::Text => read_tabled(unpacker, mode, owners.len(), text::read),
        Kind::Bytes => read_tabled(unpacker, mode, owners.len(), bytes::read),
    }
}

fn write_ints(packer: &mut Packer, values: &[i64], owners: &[usize], heads: &Heads) {
    let since = since_edits(values, owners, heads, i64::wrapping_sub);
    if sequence_cost_bits(&since) < sequence_cost_bits(values) {
        packer.numbers.byte(int_mode::SINCE_EDIT);
        packer.sequence(&since);
    } else {
        packer.numbers.byte(int_mode::PLAIN);
        packer.sequence(values);
    }
}

fn read_ints(
    unpacker: &mut Unpacker<'_>,
    mode: u8,
    owners: &[usize],
    heads: &Heads,
) -> Result<Vec<Taken>, DecodeError> {
    let values = unpacker.sequence(owners.len())?;
    let values = match mode {
        int_mode::PLAIN => values,
        int_mode::SINCE_EDIT => since_edits(&values, owners, heads, i64::wrapping_add),
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    Ok(values.into_iter().map(Taken::Int).collect())
}

fn since_edits(
    values: &[i64],
    owners: &[usize],
    heads: &Heads,
    apply: fn(i64, i64) -> i64,
) -> Vec<i64> {
    let with_owners = values.iter().zip(owners);
    with_owners
        .map(|(&value, &owner)| apply(value, heads.time(owner)))
        .collect()
}

/// Texts or byte strings.
trait Written: Copy + Eq + Hash {
    /// The mode in which these values are shortest.
    fn mode(values: &[Self]) -> u8;

    /// Writes them in that mode.
    fn write(packer: &mut Packer, mode: u8, values: &[Self]);
}

/// Writes values as they are or, if most repeat, a table of them and each one's place in it.
fn write_tabled<V: Written>(packer: &mut Packer, values: &[V]) {
    let mut places = HashMap::new();
    let mut table = Vec::new();
    let mut indices = Vec::new();
    for &value in values {
        let place = *places.entry(value).or_insert(table.len());
        if place == table.len() {
            table.push(value);
        }
        indices.push(place as i64);
    }
    if table.len() * 2 > values.len() {
        let mode = V::mode(values);
        packer.numbers.byte(mode);
        V::write(packer, mode, values);
    } else {
        let mode = V::mode(&table);
        packer.numbers.byte(BY_TABLE + mode).count(table.len());
        V::write(packer, mode, &table);
        packer.ints(&indices);
    }
}

/// The reverse of [`write_tabled`].
fn read_tabled(
    unpacker: &mut Unpacker<'_>,
    mode: u8,
    count: usize,
    read: impl Fn(&mut Unpacker<'_>, u8, usize) -> Result<Vec<Taken>, DecodeError>,
) -> Result<Vec<Taken>, DecodeError> {
    if mode < BY_TABLE {
        let values = read(unpacker, mode, count)?;
        for value in &values {
            unpacker.spend(value.len())?;
        }
        return Ok(values);
    }
    let table_count = unpacker.numbers.count(count)?;
    let table = read(unpacker, mode - BY_TABLE, table_count)?;
    let mut values = Vec::new();
    for index in unpacker.counts(count, table_count)? {
        let value = table.get(index).ok_or(DecodeError::InvalidValue)?;
        unpacker.spend(value.len())?;
        values.push(value.clone());
    }
    Ok(values)
}
