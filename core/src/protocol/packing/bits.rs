//! The three streams: bits for what zstd cannot shorten, numbers, and words. Owns how a list of
//! integers is written; every list is bounded by what its reader already knows.

use crate::codec::{DecodeError, Reader, Writer};
use crate::protocol::limits::BUNDLE_CONTENT_BYTES_MAX;

mod list_mode {
    /// Each as a signed integer in the numbers.
    pub(super) const NUMBERS: u8 = 0;
    /// Mode + width in bits; the smallest in the numbers, what each is above it in the bits.
    pub(super) const BITS: u8 = 1;
}

mod sequence_mode {
    pub(super) const VALUES: u8 = 0;
    /// The first in the numbers, and what each other is above the one before it.
    pub(super) const DIFFERENCES: u8 = 1;
}

/// Bits, lowest first.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// How many bits of the last byte are taken; 0 if it is full.
    taken: u32,
}

impl BitWriter {
    /// The lowest `width` bits of `value`.
    pub(super) fn put(&mut self, value: u64, width: u32) {
        let mut rest = u128::from(value) & ((1 << width) - 1);
        let mut left = width;
        while left > 0 {
            if self.taken == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= (rest << self.taken) as u8;
            }
            let step = left.min(8 - self.taken);
            rest >>= step;
            left -= step;
            self.taken = (self.taken + step) % 8;
        }
    }

    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.put(byte.into(), 8);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes bits in the order in which they were put.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken so far.
    taken: usize,
}

impl BitReader<'_> {
    pub(super) fn take(&mut self, width: u32) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        let mut have = 0;
        while have < width {
            let byte = *self
                .bytes
                .get(self.taken / 8)
                .ok_or(DecodeError::Truncated)?;
            let offset = (self.taken % 8) as u32;
            let step = (width - have).min(8 - offset);
            let part = u64::from(byte >> offset) & ((1 << step) - 1);
            value |= part << have;
            have += step;
            self.taken += step as usize;
        }
        Ok(value)
    }

    pub(super) fn take_bytes<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.take(8)? as u8;
        }
        Ok(bytes)
    }

    fn finish(self) -> Result<(), DecodeError> {
        let used = self.taken.div_ceil(8);
        let padding = match (self.taken % 8, self.bytes.get(used.wrapping_sub(1))) {
            (0, _) | (_, None) => 0,
            (taken, Some(last)) => last >> taken,
        };
        if used < self.bytes.len() || padding != 0 {
            return Err(DecodeError::TrailingBytes);
        }
        Ok(())
    }
}

/// Where packing writes.
#[derive(Default)]
pub(super) struct Packer {
    pub(super) bits: BitWriter,
    pub(super) numbers: Writer,
    pub(super) words: Writer,
}

impl Packer {
    /// A list whose values may follow each other closely; its length is known to the reader.
    pub(super) fn sequence(&mut self, values: &[i64]) {
        let Some(&first) = values.first() else {
            return;
        };
        let differences = differences(values);
        if cost_bits(&differences) < cost_bits(values) {
            self.numbers.byte(sequence_mode::DIFFERENCES).signed(first);
            self.ints(&differences);
        } else {
            self.numbers.byte(sequence_mode::VALUES);
            self.ints(values);
        }
    }

    /// A list whose length the reader knows. Nothing at all for an empty one.
    pub(super) fn ints(&mut self, values: &[i64]) {
        let Some((smallest, width)) = range(values) else {
            return;
        };
        let plain = plain(values);
        if entropy_bits(&plain) < 0.5 * f64::from(width) * values.len() as f64 {
            self.numbers.byte(list_mode::NUMBERS).fixed(&plain);
            return;
        }
        self.numbers
            .byte(list_mode::BITS + width as u8)
            .signed(smallest);
        for value in values {
            self.bits.put(value.abs_diff(smallest), width);
        }
    }
}

/// What each is above the one before it. Wraps, so that any values come back.
fn differences(values: &[i64]) -> Vec<i64> {
    let pairs = values.windows(2);
    pairs.map(|pair| pair[1].wrapping_sub(pair[0])).collect()
}

/// About what a list takes that may be written as a sequence.
pub(super) fn sequence_cost_bits(values: &[i64]) -> f64 {
    cost_bits(values).min(cost_bits(&differences(values)))
}

/// About what a list takes.
fn cost_bits(values: &[i64]) -> f64 {
    range(values).map_or(0.0, |(_, width)| {
        (f64::from(width) * values.len() as f64).min(entropy_bits(&plain(values)))
    })
}

/// The smallest, and the bits that the largest needs above it.
fn range(values: &[i64]) -> Option<(i64, u32)> {
    let smallest = *values.iter().min()?;
    let largest = *values.iter().max()?;
    let width = u64::BITS - largest.abs_diff(smallest).leading_zeros();
    Some((smallest, width))
}

fn plain(values: &[i64]) -> Vec<u8> {
    let mut writer = Writer::new();
    for &value in values {
        writer.signed(value);
    }
    writer.finish()
}

/// About what zstd needs for bytes without repetition.
fn entropy_bits(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) * (total / f64::from(count)).log2())
        .sum()
}

/// Where unpacking reads.
pub(super) struct Unpacker<'a> {
    pub(super) bits: BitReader<'a>,
    pub(super) numbers: Reader<'a>,
    pub(super) words: Reader<'a>,
    /// What values may still weigh.
    budget: usize,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(bits: &'a [u8], numbers: &'a [u8], words: &'a [u8]) -> Self {
        Self {
            bits: BitReader {
                bytes: bits,
                taken: 0,
            },
            numbers: Reader::new(numbers),
            words: Reader::new(words),
            budget: BUNDLE_CONTENT_BYTES_MAX,
        }
    }

    /// Answers for bytes that the edits will have.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or(DecodeError::OverLimit {
                limit: BUNDLE_CONTENT_BYTES_MAX,
            })?;
        Ok(())
    }

    /// The reverse of [`Packer::ints`]. `count` must be bounded already.
    pub(super) fn ints(&mut self, count: usize) -> Result<Vec<i64>, DecodeError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mode = self.numbers.byte()?;
        if mode == list_mode::NUMBERS {
            return (0..count).map(|_| self.numbers.signed()).collect();
        }
        let width = u32::from(mode - list_mode::BITS);
        if width > u64::BITS {
            return Err(DecodeError::UnknownCode(mode.into()));
        }
        let smallest = self.numbers.signed()?;
        (0..count)
            .map(|_| {
                smallest
                    .checked_add_unsigned(self.bits.take(width)?)
                    .ok_or(DecodeError::InvalidValue)
            })
            .collect()
    }

    /// The reverse of [`Packer::sequence`]. `count` must be bounded already.
    pub(super) fn sequence(&mut self, count: usize) -> Result<Vec<i64>, DecodeError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        match self.numbers.byte()? {
            sequence_mode::VALUES => self.ints(count),
            sequence_mode::DIFFERENCES => {
                let first = self.numbers.signed()?;
                let mut values = vec![first];
                for difference in self.ints(count - 1)? {
                    values.push(values[values.len() - 1].wrapping_add(difference));
                }
                Ok(values)
            }
            other => Err(DecodeError::UnknownCode(other.into())),
        }
    }

    /// A list of counts or places of at most `limit` each.
    pub(super) fn counts(&mut self, count: usize, limit: usize) -> Result<Vec<usize>, DecodeError> {
        self.ints(count)?
            .into_iter()
            .map(|value| {
                usize::try_from(value)
                    .ok()
                    .filter(|&value| value <= limit)
                    .ok_or(DecodeError::OverLimit { limit })
            })
            .collect()
    }

    pub(super) fn finish(self) -> Result<(), DecodeError> {
        self.bits.finish()?;
        self.numbers.finish()?;
        self.words.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(values: &[i64]) -> (Vec<i64>, usize) {
        let mut packer = Packer::default();
        packer.ints(values);
        let bits = packer.bits.finish();
        let numbers = packer.numbers.finish();
        let mut unpacker = Unpacker::new(&bits, &numbers, &[]);
        let read = unpacker.ints(values.len()).expect("a list");
        unpacker.finish().expect("nothing is left");
        (read, bits.len() + numbers.len())
    }

    #[test]
    fn a_constant_costs_two_bytes_however_often() {
        assert_eq!(round_trip(&[1; 1000]), (vec![1; 1000], 2));
    }

    #[test]
    fn the_ends_of_the_range_come_back() {
        let values = [i64::MIN, i64::MAX, 0, -1, 1];
        assert_eq!(round_trip(&values).0, values);
    }

    #[test]
    fn a_value_beyond_the_range_is_refused() {
        let numbers = {
            let mut writer = Writer::new();
            writer.byte(list_mode::BITS + 8).signed(i64::MAX);
            writer.finish()
        };
        let mut unpacker = Unpacker::new(&[1], &numbers, &[]);
        assert_eq!(unpacker.ints(1), Err(DecodeError::InvalidValue));
        let mut unpacker = Unpacker::new(&[], &[list_mode::BITS + 65], &[]);
        assert_eq!(unpacker.ints(1), Err(DecodeError::UnknownCode(66)));
    }

    #[test]
    fn set_padding_bits_and_left_over_bytes_are_refused() {
        for (bits, expected) in [
            (&[0b0000_0101][..], Ok(())),
            (&[0b0010_0101], Err(DecodeError::TrailingBytes)),
            (&[0b0000_0101, 0], Err(DecodeError::TrailingBytes)),
        ] {
            let mut unpacker = Unpacker::new(bits, &[], &[]);
            assert_eq!(unpacker.bits.take(3), Ok(0b101));
            assert_eq!(unpacker.finish(), expected);
        }
    }

    proptest! {
        #[test]
        fn every_list_comes_back(values in proptest::collection::vec(any::<i64>(), 0..50), shift in 0..64) {
            let values: Vec<i64> = values.into_iter().map(|value| value >> shift).collect();
            prop_assert_eq!(round_trip(&values).0, values);
        }
    }
}
