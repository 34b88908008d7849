//! A form as it was typed: pairs of names and texts, nothing read into them yet.

/// The pairs of a form or of a query, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`; any bytes are some form.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// What was typed in a field, outer white space gone, line ends as on Unix; empty if there is no
    /// such field.
    pub(super) fn text(&self, name: &str) -> String {
        self.all(name).next().unwrap_or_default()
    }

    /// What was typed in a field, unless it is nothing.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// What was typed, untouched: a password may begin with a space.
    pub(super) fn verbatim(&self, name: &str) -> String {
        self.values(name).next().unwrap_or_default().to_owned()
    }

    /// Every value of a field that may come several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = String> {
        self.values(name).map(|value| {
            value
                .replace("\r\n", "\n")
                .replace('\r', "\n")
                .trim()
                .to_owned()
        })
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_typed_without_outer_space() {
        let fields = Fields::parse(b"text=+d%C3%B2ng+m%E1%BB%99t%0D%0Ad%C3%B2ng+hai+&a=1&a=2&p=+x");
        assert_eq!(fields.text("text"), "dòng một\ndòng hai");
        assert_eq!(fields.text("missing"), "");
        assert_eq!(fields.filled("missing"), None);
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(fields.verbatim("p"), " x");
    }

    #[test]
    fn bytes_that_are_no_text_are_some_form_all_the_same() {
        let fields = Fields::parse(b"%ff%fe=%c3&&==&%");
        assert_eq!(fields.text("text"), "");
    }
}
