//! The code that an officer says to a citizen at the door.

use std::fmt;

/// Six symbols and a check symbol, from an alphabet without 0, O, 1 and I; shown as `ABC-DEFG`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShortCode(String);

impl ShortCode {
    /// Makes a code from random bytes.
    #[must_use]
    pub fn from_random(_random: [u8; 8]) -> Self {
        todo!()
    }

    /// Reads a code as typed (any case, with or without hyphen), checking the check symbol.
    #[must_use]
    pub fn parse(_typed: &str) -> Option<Self> {
        todo!()
    }

    /// The shown form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
