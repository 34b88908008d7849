//! Vietnamese text: one form for storage (NFC, Đ), one for search (folded).

pub(crate) mod latin;

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use latin::{LatinTable, is_latin};

/// Latin letters without their marks.
static FOLDED: LazyLock<LatinTable<char>> = LazyLock::new(|| {
    LatinTable::new(|letter| {
        let mut folded = fold_letter(letter);
        folded.next().filter(|_| folded.next().is_none())
    })
});

/// The form in which text is stored: NFC, U+00D0/U+00F0 turned into Đ/đ, outer white space gone.
#[must_use]
pub fn normalize(text: &str) -> String {
    let text = text.trim();
    let letters = text.chars().map(vietnamese_d);
    let mut normalized = String::with_capacity(text.len());
    if text.chars().all(is_latin) {
        normalized.extend(letters);
    } else {
        normalized.extend(letters.nfc());
    }
    normalized
}

/// The form in which text is searched, never keyed or merged: lower case, no marks, d for đ,
/// runs of white space as one space.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut words = text.split_whitespace();
    if let Some(first) = words.next() {
        fold_word(first, &mut folded);
    }
    for word in words {
        folded.push(' ');
        fold_word(word, &mut folded);
    }
    folded
}

/// Letter by letter: with the marks gone, none has to do with the one before.
fn fold_word(word: &str, folded: &mut String) {
    for letter in word.chars() {
        match FOLDED.of(letter) {
            Some(letter) => folded.push(letter),
            None => folded.extend(fold_letter(letter)),
        }
    }
}

fn fold_letter(letter: char) -> impl Iterator<Item = char> {
    let letters = letter
        .to_lowercase()
        .map(vietnamese_d)
        .nfd()
        .filter(|&letter| !is_combining_mark(letter));
    // đ is a letter of its own, not d with a mark: no decomposition takes its bar off.
    letters.map(|letter| if letter == 'đ' { 'd' } else { letter })
}

/// Icelandic eth looks like Đ and comes from old keyboards and fonts; it is never meant.
fn vietnamese_d(letter: char) -> char {
    match letter {
        '\u{d0}' => 'Đ',
        '\u{f0}' => 'đ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn search_finds_words_typed_without_marks() {
        for (folded, text) in [
            ("duong", "Đường"),
            ("duong", "ĐƯỜNG"),
            ("duong", "đường"),
            ("dinh", "Ðịnh"),
            ("nguyen", "Nguyễn"),
            ("hoa", "hoà"),
            ("hoa", "hòa"),
            ("thuy", "thuỷ"),
            ("quoc toan", "Quốc  Toản"),
            ("ea h'leo", "Ea H'Leo"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn both_places_of_a_tone_mark_are_one_word_in_search() {
        for (new, old) in [
            ("hòa", "hoà"),
            ("thủy", "thuỷ"),
            ("khỏe", "khoẻ"),
            ("Khánh Hòa", "Khánh Hoà"),
            ("tùy", "tuỳ"),
            ("lũy", "luỹ"),
        ] {
            assert_ne!(normalize(new), normalize(old));
            assert_eq!(fold(new), fold(old));
        }
    }

    #[test]
    fn stored_text_is_the_same_however_it_was_typed() {
        let composed = "Đường Nguyễn Thị Thuỷ";
        let decomposed: String = composed.nfd().collect();
        assert_ne!(composed, decomposed);
        assert_eq!(normalize(&decomposed), composed);
        assert_eq!(normalize(" \u{d0}ường Nguyễn Thị Thuỷ\n"), composed);
        assert_eq!(normalize("\u{f0}i"), "đi");
    }

    #[test]
    fn stored_text_keeps_its_inner_lines_and_spaces() {
        assert_eq!(normalize("một\n\n hai  ba "), "một\n\n hai  ba");
    }

    proptest! {
        #[test]
        fn letters_that_are_looked_up_are_as_unicode_has_them(
            text in "[A-Za-z0-9 \u{c0}-\u{24f}\u{1e00}-\u{1eff}\u{300}-\u{323}\u{ac00}-\u{ac20}.]{0,12}"
        ) {
            let nfc: String = text.trim().chars().map(vietnamese_d).nfc().collect();
            prop_assert_eq!(normalize(&text), nfc);
            let marks_gone: String = text
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .flat_map(char::to_lowercase)
                .map(vietnamese_d)
                .nfd()
                .filter(|&letter| !is_combining_mark(letter))
                .map(|letter| if letter == 'đ' { 'd' } else { letter })
                .collect();
            prop_assert_eq!(fold(&text), marks_gone);
        }

        #[test]
        fn both_forms_are_stable(text in "\\PC{0,40}") {
            let stored = normalize(&text);
            prop_assert_eq!(normalize(&stored), stored.clone());
            prop_assert_eq!(fold(&stored), fold(&text));
        }
    }
}
