//! Vietnamese telephone numbers.

/// Prefixes of mobile numbers that had eleven digits until 2018, and what replaced them.
const OLD_MOBILE_PREFIXES: [(&str, &str); 21] = [
    ("0120", "070"),
    ("0121", "079"),
    ("0122", "077"),
    ("0123", "083"),
    ("0124", "084"),
    ("0125", "085"),
    ("0126", "076"),
    ("0127", "081"),
    ("0128", "078"),
    ("0129", "082"),
    ("0162", "032"),
    ("0163", "033"),
    ("0164", "034"),
    ("0165", "035"),
    ("0166", "036"),
    ("0167", "037"),
    ("0168", "038"),
    ("0169", "039"),
    ("0186", "056"),
    ("0188", "058"),
    ("0199", "059"),
];

/// The ten digits (eleven for a land line) of a number however it was typed; `None` if it is none.
#[must_use]
pub fn parse(typed: &str) -> Option<String> {
    let national = national_form(&digits(typed)?)?;
    let mobile = |prefix: &str| matches!(prefix, "03" | "05" | "07" | "08" | "09");
    match (national.get(..2)?, national.len()) {
        (prefix, 10) if mobile(prefix) => Some(national),
        ("02", 11) => Some(national),
        ("01", 11) => OLD_MOBILE_PREFIXES
            .iter()
            .find_map(|(old, new)| Some(format!("{new}{}", national.strip_prefix(old)?))),
        _ => None,
    }
}

/// `0903***439`: enough to recognise, too little to call.
#[must_use]
pub fn mask(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    // Of something shorter than a number, seven characters would be all there is.
    if characters.len() < 10 {
        return "***".to_owned();
    }
    let first: String = characters[..4].iter().collect();
    let last: String = characters[characters.len() - 3..].iter().collect();
    format!("{first}***{last}")
}

/// The digits, with a leading `+` kept; `None` if anything else than separators is among them.
fn digits(typed: &str) -> Option<String> {
    let mut digits = String::new();
    for character in typed.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => digits.push(character),
            '.' | '-' | '(' | ')' | '/' | '\u{2010}'..='\u{2013}' => {}
            space if space.is_whitespace() => {}
            _ => return None,
        }
    }
    Some(digits)
}

/// The number as dialled inside the country, from 0.
fn national_form(digits: &str) -> Option<String> {
    let abroad = ["+84", "0084", "84"];
    match abroad.iter().find_map(|code| digits.strip_prefix(code)) {
        // `+84 (0)903 …` is written too.
        Some(subscriber) => Some(format!(
            "0{}",
            subscriber.strip_prefix('0').unwrap_or(subscriber)
        )),
        None => digits.starts_with('0').then(|| digits.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_however_it_was_typed() {
        for (typed, expected) in [
            ("0903 343 439", Some("0903343439")),
            ("+84 903 343 439", Some("0903343439")),
            ("84903343439", Some("0903343439")),
            ("0084903343439", Some("0903343439")),
            ("01681234567", Some("0381234567")),
            ("(028) 3865 3050", Some("02838653050")),
            ("12345", None),
            ("0123456789", None),
            ("+84 (0)903.343-439", Some("0903343439")),
            ("0903\u{a0}343\u{a0}439", Some("0903343439")),
            ("+84 28 3865 3050", Some("02838653050")),
        ] {
            assert_eq!(parse(typed).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_taken_for_one() {
        for typed in [
            "",
            "+",
            "+84",
            "không có",
            "0903 343 439 hoặc 0903 343 440",
            "090334343",
            "09033434390",
            "01101234567",
            "00903343439",
            "+1 202 555 0100",
            "0903343439a",
            "09+03343439",
            "٠٩٠٣٣٤٣٤٣٩",
        ] {
            assert_eq!(parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_old_prefix_gives_a_number_of_today() {
        for (old, new) in OLD_MOBILE_PREFIXES {
            let parsed = parse(&format!("{old}1234567")).expect("an old number");
            assert_eq!(parsed, format!("{new}1234567"));
            assert_eq!(parse(&parsed), Some(parsed));
        }
    }

    #[test]
    fn a_masked_number_is_recognised_but_not_called() {
        assert_eq!(mask("0903343439"), "0903***439");
        assert_eq!(mask("02838653050"), "0283***050");
        assert_eq!(mask("113"), "***");
        assert_eq!(mask("anh Bình giữ máy"), "anh ***máy");
    }
}
