//! Vietnamese text: one form for storage (NFC, Đ), one for search (folded).

/// The form in which text is stored: NFC, U+00D0/U+00F0 turned into Đ/đ, outer white space gone.
#[must_use]
pub fn normalize(_text: &str) -> String {
    todo!()
}

/// The form in which text is searched, never keyed or merged: lower case, no marks, d for đ,
/// runs of white space as one space.
#[must_use]
pub fn fold(_text: &str) -> String {
    todo!()
}
