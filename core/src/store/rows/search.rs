//! What is indexed of a case and how a search is asked. Marks are folded away to find, and counted
//! to rank; nothing is ever keyed or merged by what is made here.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::model::text::latin::LatinTable;
use crate::model::{Case, Person, ReportedKind, phone_number, text};

/// Latin letters in lower case without their tone, and the tone.
static TONED: LazyLock<LatinTable<(char, char)>> = LazyLock::new(|| {
    LatinTable::new(|letter| {
        let form = taken_apart(letter.encode_utf8(&mut [0; 4]));
        let mut form = form.chars();
        match (form.next(), form.next(), form.next()) {
            (Some(tone), Some(letter), None) => Some((letter, tone)),
            _ => None,
        }
    })
});

/// Words of a search beyond these are passed over: they cost time and narrow nothing any more.
const QUERY_WORDS_MAX: usize = 16;

/// Of a word that is spoken level.
const NO_TONE: char = '0';

/// The two columns of the index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Words {
    /// Without marks.
    pub(super) folded: String,
    /// With marks, the tone in front.
    pub(super) exact: String,
}

impl Words {
    /// The words of a case. Of a stop card its names alone, by which it is looked up: a denunciation
    /// stays out of search.
    pub(super) fn of(case: &Case, person: Option<&Person>) -> Self {
        let mut words = Self::default();
        words.push_code(&case.code);
        words.push_optional(case.external_ref.as_deref());
        if let Some(number) = &case.official_number {
            words.push_code(number);
        }
        if case.reported_kind == ReportedKind::Denunciation {
            return words;
        }
        words.push(&case.text);
        for field in [
            &case.place,
            &case.assignee,
            &case.answer,
            &case.paper_reference,
        ] {
            words.push_optional(field.as_deref());
        }
        // A code is an English word for machines; a free label is somebody's own words.
        let is_code = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        if !case.category.chars().all(is_code) {
            words.push(&case.category);
        }
        if let Some(person) = person {
            for field in [
                &person.name,
                &person.phone,
                &person.address,
                &person.contact_name,
                &person.contact_phone,
            ] {
                words.push_optional(field.as_deref());
            }
        }
        words
    }

    fn push(&mut self, text: &str) {
        for word in split(&text::fold(text)) {
            push_word(&mut self.folded, word);
        }
        for word in split(&text::normalize(text)) {
            separate(&mut self.exact);
            push_exact(&mut self.exact, word);
        }
    }

    fn push_optional(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.push(text);
        }
    }

    /// A code is found by its parts, as one run of letters, and by its numbers without leading zeros.
    fn push_code(&mut self, code: &str) {
        self.push(code);
        let parts: Vec<&str> = split(code).collect();
        if parts.len() > 1 {
            self.push(&parts.concat());
        }
        for part in parts {
            let number = part.trim_start_matches('0');
            if number.len() < part.len() && number.bytes().all(|byte| byte.is_ascii_digit()) {
                self.push(number);
            }
        }
    }
}

/// A search in the index's own language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// Finds.
    pub(super) folded: String,
    /// Is true of those that come first.
    pub(super) exact: String,
    /// Is true of those that come next: every word is there whole, whatever its marks.
    pub(super) whole: String,
}

impl Search {
    /// `None` if nothing was typed that could be found.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let folded = text::fold(typed);
        let words: Vec<&str> = split(&folded).take(QUERY_WORDS_MAX).collect();
        if words.is_empty() {
            return None;
        }
        let beginnings = all(words.iter().map(|word| beginning(word)));
        let every_whole = all(words.iter().map(|word| whole(word)));
        // A number is stored as one run of digits, and typed in groups.
        let folded = match digits(typed) {
            Some(digits) => format!("folded : (({beginnings}) OR {})", beginning(&digits)),
            None => format!("folded : ({beginnings})"),
        };
        let normalized = text::normalize(typed);
        let words: Vec<String> = split(&normalized)
            .take(QUERY_WORDS_MAX)
            .map(exact)
            .collect();
        let last = words.len().saturating_sub(1);
        // The last word may not be finished yet.
        let words = words.iter().enumerate().map(|(index, word)| {
            if index == last {
                beginning(word)
            } else {
                whole(word)
            }
        });
        let exact = format!("exact : ({})", all(words));
        Some(Self {
            folded,
            exact,
            whole: format!("folded : ({every_whole})"),
        })
    }
}

/// Finds what has all the words of a name, whole; `None` if it has none.
pub(super) fn lookup(name: &str) -> Option<String> {
    let folded = text::fold(name);
    let words: Vec<String> = split(&folded).take(QUERY_WORDS_MAX).map(whole).collect();
    (!words.is_empty()).then(|| format!("folded : ({})", all(words.into_iter())))
}

/// The digits of what may be a telephone number or part of one, in the form in which numbers are
/// stored.
fn digits(typed: &str) -> Option<String> {
    if let Some(number) = phone_number::parse(typed) {
        return Some(number);
    }
    let is_number = |letter: char| letter.is_ascii_digit() || " .-+()".contains(letter);
    if !typed.chars().all(is_number) {
        return None;
    }
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return None;
    }
    let is_international = typed.trim_start().starts_with('+');
    match digits.strip_prefix("84") {
        Some(rest) if is_international => Some(format!("0{rest}")),
        _ => Some(digits),
    }
}

fn all(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" AND ")
}

/// Words hold letters and digits only, so nothing in them ends the quotation.
fn whole(word: &str) -> String {
    format!("\"{word}\"")
}

fn beginning(word: &str) -> String {
    format!("\"{word}\" *")
}

fn push_word(words: &mut String, word: &str) {
    separate(words);
    words.push_str(word);
}

fn separate(words: &mut String) {
    if !words.is_empty() {
        words.push(' ');
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// A word in lower case with its tone in front: `hoà` and `hòa` are both `1hoa`, `hoa` is `0hoa`,
/// and the beginning of a word is the beginning of its form.
fn exact(word: &str) -> String {
    let mut exact = String::new();
    push_exact(&mut exact, word);
    exact
}

fn push_exact(exact: &mut String, word: &str) {
    let begin = exact.len();
    let tone = word.chars().rev().filter_map(|letter| TONED.of(letter));
    let tone = tone.map(|(_, tone)| tone).find(|&tone| tone != NO_TONE);
    exact.push(tone.unwrap_or(NO_TONE));
    for letter in word.chars() {
        match TONED.of(letter) {
            Some((letter, _)) => exact.push(letter),
            None => {
                exact.truncate(begin);
                exact.push_str(&taken_apart(word));
                return;
            }
        }
    }
}

/// The same by Unicode's own tables.
fn taken_apart(word: &str) -> String {
    let mut tone = NO_TONE;
    let letters: String = word
        .chars()
        .flat_map(char::to_lowercase)
        .nfd()
        .filter(|&letter| {
            let Some(found) = tone_digit(letter) else {
                return true;
            };
            tone = found;
            false
        })
        .nfc()
        .collect();
    format!("{tone}{letters}")
}

fn tone_digit(mark: char) -> Option<char> {
    match mark {
        '\u{300}' => Some('1'),
        '\u{309}' => Some('2'),
        '\u{303}' => Some('3'),
        '\u{301}' => Some('4'),
        '\u{323}' => Some('5'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tone_may_stand_on_either_vowel_and_is_part_of_the_word() {
        for (new, old) in [
            ("hòa", "hoà"),
            ("thủy", "thuỷ"),
            ("khỏe", "khoẻ"),
            ("lũy", "luỹ"),
        ] {
            assert_eq!(exact(new), exact(old));
        }
        assert_ne!(exact("hoa"), exact("hòa"));
        assert_ne!(exact("dương"), exact("đương"));
        assert_eq!(exact("ĐƯỜNG"), "1đương");
        assert!(exact("đường").starts_with(&exact("đườ")));
    }

    proptest! {
        #[test]
        fn a_word_that_is_looked_up_is_as_unicode_has_it(
            word in "[A-Za-z0-9\u{c0}-\u{24f}\u{1e00}-\u{1eff}\u{300}-\u{323}\u{ac00}-\u{ac20}]{1,8}"
        ) {
            prop_assert_eq!(exact(&word), taken_apart(&word));
        }
    }

    #[test]
    fn a_number_is_one_run_of_digits_however_it_was_typed() {
        assert_eq!(digits("0903 343 439").as_deref(), Some("0903343439"));
        assert_eq!(digits("+84 903 343").as_deref(), Some("0903343"));
        assert_eq!(digits("090.33").as_deref(), Some("09033"));
        assert_eq!(digits("tổ 12"), None);
        assert_eq!(digits(" - "), None);
    }

    #[test]
    fn what_holds_no_letter_is_no_search() {
        for typed in ["", "  ", "\"", "*", "!?", "()"] {
            assert_eq!(Search::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn the_language_of_the_index_cannot_be_typed() {
        let search = Search::parse("a\" OR folded : b* NEAR(").unwrap();
        assert_eq!(
            search.folded,
            "folded : (\"a\" * AND \"or\" * AND \"folded\" * AND \"b\" * AND \"near\" *)"
        );
    }
}
