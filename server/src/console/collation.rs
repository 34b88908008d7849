//! The order in which Vietnamese people look for a name: by given name, which is the last word, then
//! by the words before it; letters in the order of the alphabet (đ after d, ă and â after a), words
//! that differ by tone alone in the order ngang, huyền, hỏi, ngã, sắc, nặng.

use unicode_normalization::UnicodeNormalization;

/// Sorts names as a ward's list of staff does.
pub(super) fn sort_by_given_name<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    items.sort_by_cached_key(|item| name_key(name(item)));
}

/// The given name, by which people are addressed: bà Nguyễn Thị Thịnh is bà Thịnh.
pub(super) fn given_name(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or(name)
}

/// The given name first, then the rest from the left.
fn name_key(name: &str) -> Vec<Vec<(u32, u8)>> {
    let mut words: Vec<_> = name.split_whitespace().map(word_key).collect();
    if let Some(given) = words.pop() {
        words.insert(0, given);
    }
    words
}

/// Letters decide first, the tone only between equal letters, so it goes last, as a letter of its own.
fn word_key(word: &str) -> Vec<(u32, u8)> {
    let mut key: Vec<(u32, u8)> = Vec::new();
    let mut tone = 0;
    for scalar in word.to_lowercase().nfd() {
        match scalar {
            '\u{300}' => tone = 1,
            '\u{309}' => tone = 2,
            '\u{303}' => tone = 3,
            '\u{301}' => tone = 4,
            '\u{323}' => tone = 5,
            // Breve, circumflex and horn make letters of their own, after the plain one.
            '\u{306}' | '\u{302}' | '\u{31b}' => {
                if let Some(letter) = key.last_mut() {
                    letter.1 = match scalar {
                        '\u{306}' => 1,
                        '\u{302}' => 2,
                        _ => 3,
                    };
                }
            }
            'đ' => key.push((u32::from('d'), 1)),
            other => key.push((u32::from(other), 0)),
        }
    }
    // Below every letter: a word comes before a longer one that begins with it.
    key.push((0, tone));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_given_name_with_đ_after_d_and_tones_in_order() {
        let expected = [
            "Trần Văn An",
            "Lê Thị Ánh",
            "Võ Văn Ân",
            "Lý Dung",
            "Trần Dũng",
            "Phạm Đạt",
            "Ngô Thị Hoa",
            "Ngô Thị Hòa",
            "Lê Văn Hoà Bình Hoạ",
            "Lê Ma",
            "Lê Mà",
            "Lê Mả",
            "Lê Mã",
            "Lê Má",
            "Lê Mạ",
            "Bùi Thị Thịnh",
            "Nguyễn Thị Thịnh",
        ];
        let mut names = expected;
        names.reverse();
        sort_by_given_name(&mut names, |name| name);
        assert_eq!(names, expected);
    }

    #[test]
    fn the_given_name_is_the_last_word() {
        assert_eq!(given_name("Nguyễn Thị Thịnh"), "Thịnh");
        assert_eq!(given_name(" Thịnh "), "Thịnh");
        assert_eq!(given_name(""), "");
    }
}
