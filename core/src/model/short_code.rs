//! The code that an officer says to a citizen at the door.
//!
//! The check symbol follows Damm's scheme on the field of 32 elements: each step multiplies what
//! was read so far by x and adds the next symbol, and a whole code ends at zero. Every single wrong
//! symbol and every swap of two symbols, adjacent or not, ends elsewhere. Luhn's scheme on 32
//! symbols misses the swap of the first and the last symbol of the alphabet.

use std::fmt;

/// The 32 symbols, each standing for its place: digits and letters without 0, O, 1 and I.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Symbols in a code, the check symbol included.
const SYMBOLS: usize = 7;
/// Bits of all symbols but the check symbol.
const RANDOM_BITS: u32 = 30;
/// x⁵ + x² + 1, by which products are reduced to five bits.
const POLYNOMIAL: u8 = 0b10_0101;

/// Six symbols and a check symbol, from an alphabet without 0, O, 1 and I; shown as `ABC-DEFG`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShortCode(String);

impl ShortCode {
    /// Makes a code from random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 8]) -> Self {
        Self::of_bits(u64::from_be_bytes(random))
    }

    /// The code whose first six symbols, lowest first, are `bits`; `None` above 30 bits.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        (bits >> RANDOM_BITS == 0).then(|| Self::of_bits(bits.into()))
    }

    /// The reverse of [`ShortCode::from_bits`].
    pub(crate) fn to_bits(&self) -> u32 {
        let symbols = self.0.chars().filter_map(value).take(SYMBOLS - 1);
        symbols
            .zip((0..RANDOM_BITS).step_by(5))
            .fold(0, |bits, (symbol, place)| bits | u32::from(symbol) << place)
    }

    fn of_bits(bits: u64) -> Self {
        let mut symbols = [0; SYMBOLS];
        for (place, symbol) in symbols[..SYMBOLS - 1].iter_mut().enumerate() {
            *symbol = ((bits >> (5 * place)) & 0x1f) as u8;
        }
        symbols[SYMBOLS - 1] = times_x(fold(&symbols[..SYMBOLS - 1]));
        Self::show(symbols)
    }

    /// Reads a code as typed (any case, with or without hyphen), checking the check symbol.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let mut symbols = [0; SYMBOLS];
        let mut places = symbols.iter_mut();
        for character in typed.chars() {
            if matches!(character, '-' | '\u{2010}'..='\u{2013}') || character.is_whitespace() {
                continue;
            }
            *places.next()? = value(character)?;
        }
        (places.next().is_none() && fold(&symbols) == 0).then(|| Self::show(symbols))
    }

    /// The shown form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn show(symbols: [u8; SYMBOLS]) -> Self {
        let mut shown = String::with_capacity(SYMBOLS + 1);
        for (place, symbol) in symbols.into_iter().enumerate() {
            if place == 3 {
                shown.push('-');
            }
            shown.push(ALPHABET[usize::from(symbol)].into());
        }
        Self(shown)
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Zero for a whole code that is right.
fn fold(symbols: &[u8]) -> u8 {
    symbols
        .iter()
        .fold(0, |folded, symbol| times_x(folded) ^ symbol)
}

fn times_x(element: u8) -> u8 {
    let shifted = element << 1;
    if shifted & 0x20 == 0 {
        shifted
    } else {
        shifted ^ POLYNOMIAL
    }
}

fn value(character: char) -> Option<u8> {
    let upper = character.to_ascii_uppercase();
    ALPHABET
        .iter()
        .position(|&symbol| char::from(symbol) == upper)
        .and_then(|place| u8::try_from(place).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The scheme is linear, so an error is found or not whatever the rest of the code says: it
    /// suffices to fold the differences, all of them.
    #[test]
    fn every_wrong_symbol_is_found() {
        for place in 0..SYMBOLS {
            for difference in 1..32 {
                let mut wrong = [0; SYMBOLS];
                wrong[place] = difference;
                assert_ne!(fold(&wrong), 0);
            }
        }
    }

    #[test]
    fn every_swap_of_two_symbols_is_found() {
        for first in 0..SYMBOLS {
            for second in first + 1..SYMBOLS {
                for difference in 1..32 {
                    let mut wrong = [0; SYMBOLS];
                    wrong[first] = difference;
                    wrong[second] = difference;
                    assert_ne!(fold(&wrong), 0);
                }
            }
        }
    }

    #[test]
    fn adjacent_symbols_of_a_whole_code_cannot_be_changed_or_swapped_unseen() {
        // Exhaustive over the two symbols, so that the linearity above is not only believed.
        for pair in 0..32 * 32u64 {
            let code = ShortCode::from_random((0x2a_5000 | pair).to_be_bytes());
            let letters: Vec<char> = code.as_str().replace('-', "").chars().collect();
            for place in 0..SYMBOLS - 1 {
                let mut swapped = letters.clone();
                swapped.swap(place, place + 1);
                let swapped: String = swapped.into_iter().collect();
                let same = letters[place] == letters[place + 1];
                assert_eq!(ShortCode::parse(&swapped).is_some(), same, "{code}");
            }
            for &symbol in ALPHABET {
                let mut wrong = letters.clone();
                wrong[0] = symbol.into();
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(
                    ShortCode::parse(&wrong).is_some(),
                    char::from(symbol) == letters[0]
                );
            }
        }
    }

    #[test]
    fn a_code_is_read_in_any_case_with_or_without_hyphen() {
        let code = ShortCode::from_random(*b"xa tan h");
        let shown = code.as_str().to_owned();
        assert_eq!(shown.len(), 8);
        assert_eq!(&shown[3..4], "-");
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace('-', " "),
            format!("  {} ", shown.replace('-', " – ")),
        ] {
            assert_eq!(ShortCode::parse(&typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "222-222", "222-22222", "O22-2222", "2222-22\u{e9}"] {
            assert_eq!(ShortCode::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_number_above_thirty_bits_is_no_code() {
        assert!(ShortCode::from_bits((1 << 30) - 1).is_some());
        assert_eq!(ShortCode::from_bits(1 << 30), None);
    }

    proptest! {
        #[test]
        fn a_made_code_is_read_back(random: [u8; 8]) {
            let code = ShortCode::from_random(random);
            prop_assert_eq!(ShortCode::parse(code.as_str()), Some(code.clone()));
            prop_assert_eq!(ShortCode::from_bits(code.to_bits()), Some(code));
        }
    }
}
