//! Columns of texts. Digits go to the bits, so that sentences that differ in a number only are the
//! same to zstd: *house 12* and *house 34* are both *house ␂*, where ␂ says that two digits stood
//! there.

use super::Written;
use crate::codec::DecodeError;
use crate::edit::limits::VALUE_BYTES_MAX;
use crate::model::ShortCode;
use crate::protocol::packing::bits::{Packer, Unpacker};
use crate::protocol::packing::shape::Taken;

/// As they are.
const WORDS: u8 = 0;
/// Patterns, and the digits of each in the bits.
const PATTERNS: u8 = 1;
/// One pattern for all, and a list of what stood at each of its marks.
const ONE_PATTERN: u8 = 2;
/// Short codes as they are shown.
const SHORT_CODES: u8 = 3;

/// The most digits that one mark stands for; a longer run takes several. Marks are the scalars
/// from 1 to this.
const DIGITS_MAX: usize = 8;
/// How many bits so many digits take.
const DIGITS_BITS: [u32; DIGITS_MAX + 1] = [0, 4, 7, 10, 14, 17, 20, 24, 27];
/// From so many texts on, lists for each mark are shorter than the digits.
const ONE_PATTERN_TEXTS_MIN: usize = 4;

impl Written for &str {
    fn mode(texts: &[Self]) -> u8 {
        if texts.iter().all(|text| short_code(text).is_some()) {
            return SHORT_CODES;
        }
        if texts.iter().any(|text| text.bytes().any(is_mark)) {
            return WORDS;
        }
        let mut patterns = texts.iter().map(|text| pattern(text));
        let first = patterns.next().unwrap_or_default();
        let is_one = texts.len() >= ONE_PATTERN_TEXTS_MIN
            && first.bytes().any(is_mark)
            && patterns.all(|pattern| pattern == first);
        if is_one { ONE_PATTERN } else { PATTERNS }
    }

    fn write(packer: &mut Packer, mode: u8, texts: &[Self]) {
        match mode {
            SHORT_CODES => {
                let codes: Vec<i64> = texts.iter().filter_map(|text| short_code(text)).collect();
                packer.ints(&codes);
            }
            ONE_PATTERN => write_one_pattern(packer, texts),
            PATTERNS => {
                let patterns: Vec<String> = texts.iter().map(|text| pattern(text)).collect();
                write_words(packer, patterns.iter().map(String::as_str));
                for (digits, value) in texts.iter().flat_map(|text| runs(text)) {
                    packer.bits.put(value, DIGITS_BITS[digits]);
                }
            }
            _ => write_words(packer, texts.iter().copied()),
        }
    }
}

pub(super) fn read(
    unpacker: &mut Unpacker<'_>,
    mode: u8,
    count: usize,
) -> Result<Vec<Taken>, DecodeError> {
    match mode {
        WORDS => Ok(texts(
            read_words(unpacker, count)?.into_iter().map(str::to_owned),
        )),
        PATTERNS => {
            let patterns = read_words(unpacker, count)?;
            let filled: Result<Vec<String>, _> = patterns
                .into_iter()
                .map(|pattern| fill(pattern, |digits| unpacker.bits.take(DIGITS_BITS[digits])))
                .collect();
            Ok(texts(filled?.into_iter()))
        }
        ONE_PATTERN => read_one_pattern(unpacker, count),
        SHORT_CODES => {
            let codes = unpacker.ints(count)?.into_iter().map(|bits| {
                let code = ShortCode::from_bits(u32::try_from(bits).ok()?)?;
                Some(Taken::Text(code.as_str().to_owned()))
            });
            codes
                .map(|code| code.ok_or(DecodeError::InvalidValue))
                .collect()
        }
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

fn texts(texts: impl Iterator<Item = String>) -> Vec<Taken> {
    texts.map(Taken::Text).collect()
}

fn write_words<'t>(packer: &mut Packer, texts: impl Iterator<Item = &'t str> + Clone) {
    let lengths: Vec<i64> = texts.clone().map(|text| text.len() as i64).collect();
    packer.ints(&lengths);
    for text in texts {
        packer.words.fixed(text.as_bytes());
    }
}

fn read_words<'a>(unpacker: &mut Unpacker<'a>, count: usize) -> Result<Vec<&'a str>, DecodeError> {
    unpacker
        .counts(count, VALUE_BYTES_MAX)?
        .into_iter()
        .map(|length| {
            std::str::from_utf8(unpacker.words.slice(length)?).map_err(|_| DecodeError::InvalidText)
        })
        .collect()
}

fn write_one_pattern(packer: &mut Packer, texts: &[&str]) {
    let pattern = texts.first().map_or_else(String::new, |text| pattern(text));
    write_words(packer, std::iter::once(pattern.as_str()));
    let runs: Vec<Vec<(usize, u64)>> = texts.iter().map(|text| runs(text).collect()).collect();
    for mark in 0..pattern.bytes().filter(|&byte| is_mark(byte)).count() {
        let numbers: Vec<i64> = runs.iter().map(|runs| runs[mark].1 as i64).collect();
        packer.sequence(&numbers);
    }
}

fn read_one_pattern(unpacker: &mut Unpacker<'_>, count: usize) -> Result<Vec<Taken>, DecodeError> {
    let pattern = *read_words(unpacker, 1)?
        .first()
        .ok_or(DecodeError::InvalidValue)?;
    let marks = pattern.bytes().filter(|&byte| is_mark(byte)).count();
    let mut numbers = Vec::new();
    for _ in 0..marks {
        numbers.push(unpacker.sequence(count)?);
    }
    let mut values = Vec::new();
    for text in 0..count {
        unpacker.spend(pattern.len())?;
        let mut numbers = numbers.iter().map(|numbers| numbers[text]);
        let filled = fill(pattern, |_| {
            u64::try_from(numbers.next().unwrap_or_default()).map_err(|_| DecodeError::InvalidValue)
        })?;
        values.push(Taken::Text(filled));
    }
    Ok(values)
}

fn is_mark(byte: u8) -> bool {
    (1..=DIGITS_MAX).contains(&usize::from(byte))
}

/// The text with a mark for every run of digits.
pub(in crate::protocol::packing) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut digits = 0;
    for character in text.chars() {
        if character.is_ascii_digit() && digits < DIGITS_MAX {
            if digits > 0 {
                pattern.pop();
            }
            digits += 1;
            pattern.push(mark(digits));
        } else if character.is_ascii_digit() {
            digits = 1;
            pattern.push(mark(digits));
        } else {
            digits = 0;
            pattern.push(character);
        }
    }
    pattern
}

fn mark(digits: usize) -> char {
    char::from(digits as u8)
}

/// How many digits stood at each mark of the text's pattern, and their value.
fn runs(text: &str) -> impl Iterator<Item = (usize, u64)> {
    text.split(|character: char| !character.is_ascii_digit())
        .flat_map(|run| run.as_bytes().chunks(DIGITS_MAX))
        .map(|run| {
            let value = run
                .iter()
                .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
            (run.len(), value)
        })
}

/// The text again; `next` gives the value for a mark of so many digits.
fn fill(
    pattern: &str,
    mut next: impl FnMut(usize) -> Result<u64, DecodeError>,
) -> Result<String, DecodeError> {
    let mut text = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match u8::try_from(character) {
            Ok(byte) if is_mark(byte) => {
                let width = usize::from(byte);
                let digits = format!("{:0width$}", next(width)?);
                if digits.len() > width {
                    return Err(DecodeError::InvalidValue);
                }
                text.push_str(&digits);
            }
            _ => text.push(character),
        }
    }
    Ok(text)
}

fn short_code(text: &str) -> Option<i64> {
    let code = ShortCode::parse(text).filter(|code| code.as_str() == text)?;
    Some(code.to_bits().into())
}
