//! Letters of the Latin script as all who write Vietnamese type them, each one Unicode scalar. A form of
//! such a letter is looked up: taking each apart by Unicode's tables costs twenty times as much, and a
//! first synchronisation does it some ten million times.

/// Letters up to here, and those of Latin Extended Additional, where Vietnamese has most of its own.
const FIRST_END: u32 = 0x300;
const ADDITIONAL: std::ops::Range<u32> = 0x1e00..0x1f00;
const COUNT: usize = (FIRST_END + ADDITIONAL.end - ADDITIONAL.start) as usize;

/// Whether a letter is of these. Each is in NFC by itself, none is a mark, and none joins the one before:
/// so any text of them alone is in NFC.
pub(crate) fn is_latin(letter: char) -> bool {
    place(letter).is_some()
}

fn place(letter: char) -> Option<usize> {
    let number = u32::from(letter);
    if number < FIRST_END {
        return Some(number as usize);
    }
    ADDITIONAL
        .contains(&number)
        .then(|| (number - ADDITIONAL.start + FIRST_END) as usize)
}

/// Every such letter.
fn letters() -> impl Iterator<Item = char> {
    (0..FIRST_END).chain(ADDITIONAL).filter_map(char::from_u32)
}

/// What a form makes of each of these letters.
pub(crate) struct LatinTable<T>(Box<[Option<T>]>);

impl<T: Copy> LatinTable<T> {
    /// `form` gives `None` for a letter that has to be taken apart.
    pub(crate) fn new(form: impl Fn(char) -> Option<T>) -> Self {
        let mut forms = vec![None; COUNT];
        for letter in letters() {
            if let Some(place) = place(letter) {
                forms[place] = form(letter);
            }
        }
        Self(forms.into_boxed_slice())
    }

    /// The form of a letter; `None` if the letter is none of these, or has to be taken apart.
    pub(crate) fn of(&self, letter: char) -> Option<T> {
        self.0[place(letter)?]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::canonical_combining_class;

    #[test]
    fn every_text_of_these_letters_is_in_nfc() {
        for letter in letters() {
            assert_eq!(std::iter::once(letter).nfc().collect::<Vec<_>>(), [letter]);
            assert_eq!(canonical_combining_class(letter), 0);
            for before in ['a', 'ơ', 'ê', 'đ', 'ư', 'ẛ', 'K'] {
                let pair = [before, letter];
                assert_eq!(pair.into_iter().nfc().collect::<Vec<_>>(), pair);
            }
        }
    }
}
