//! The words with which an officer asks a person whether what identifies them may be kept (Law 91/2025: consent
//! is given to words that were shown). A version that was shown once is never changed: another wording is
//! another version.

/// A wording that people were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentText {
    /// By which it is named in [`super::Person::consent_text`].
    pub version: &'static str,
    /// What is read out or shown.
    pub vietnamese: &'static str,
    /// The same for whoever audits.
    pub english: &'static str,
}

/// Every wording, the newest last.
pub const CONSENT_TEXTS: &[ConsentText] = &[ConsentText {
    version: "2026-1",
    vietnamese: "Phường xin ghi tên, số điện thoại và địa chỉ của ông/bà để giải quyết phản ánh này và báo lại kết quả. \
        Chỉ cán bộ giải quyết được xem. Ông/bà có thể không cho, phản ánh vẫn được giải quyết; và có thể xem, sửa, \
        rút lại đồng ý hoặc yêu cầu xóa bất cứ lúc nào tại phường.",
    english: "The ward asks to note your name, telephone number and address, to deal with this report and to tell you what \
        came of it. Only those who deal with it see them. You may say no, and the report is dealt with all the same; you may \
        see, correct, withdraw or have them erased at any time at the ward's office.",
}];

/// The wording that is shown now.
#[must_use]
pub fn current() -> &'static ConsentText {
    CONSENT_TEXTS.last().expect("there is always a wording")
}

/// The wording of a version; `None` if only a newer app knows it.
#[must_use]
pub fn find(version: &str) -> Option<&'static ConsentText> {
    CONSENT_TEXTS.iter().find(|text| text.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_that_was_shown_stays_what_it_was() {
        // Whoever changes one has to make another version.
        let shown: Vec<String> = CONSENT_TEXTS
            .iter()
            .map(|text| {
                let words = blake3::hash(text.vietnamese.as_bytes()).to_hex();
                format!("{} {}", text.version, &words[..16])
            })
            .collect();
        assert_eq!(shown, ["2026-1 80b037e0a4d523aa"]);
        assert_eq!(find(current().version), Some(current()));
        assert_eq!(find("2019-1"), None);
    }
}
