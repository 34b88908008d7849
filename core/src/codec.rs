//! The one way bytes are laid out, on the wire and in signed things: fixed-width byte strings,
//! minimal LEB128 integers, length-prefixed UTF-8. Every reader is given its limit beforehand, so
//! no length from outside ever reserves memory. Normative text: `docs/wire.md`.

use thiserror::Error;

/// Why bytes were not what they claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes end in the middle of a value.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes follow the last value.
    #[error("bytes follow the last value")]
    TrailingBytes,
    /// An integer is not in its shortest form, or is out of range.
    #[error("an integer is not in its canonical form")]
    NonCanonicalInteger,
    /// A length or a count is over its limit.
    #[error("a length is over its limit of {limit}")]
    OverLimit {
        /// The limit, in bytes or items.
        limit: usize,
    },
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    InvalidText,
    /// A tag, code or version that this build does not know.
    #[error("unknown code {0}")]
    UnknownCode(u64),
    /// Items that must be in strictly ascending order are not.
    #[error("items are not in canonical order")]
    NonCanonicalOrder,
    /// A value breaks a rule of its own type.
    #[error("a value is out of its range")]
    InvalidValue,
}

/// Appends values to a byte string.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything written so far.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes were written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Bytes whose number the reader knows.
    pub fn fixed(&mut self, value: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(value);
        self
    }

    /// An unsigned integer, LEB128 in its shortest form.
    pub fn unsigned(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }

    /// A signed integer, zigzag and then LEB128.
    pub fn signed(&mut self, value: i64) -> &mut Self {
        self.unsigned(((value << 1) ^ (value >> 63)) as u64)
    }

    /// A count or a length.
    pub fn count(&mut self, value: usize) -> &mut Self {
        self.unsigned(value as u64)
    }

    /// Length-prefixed bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.count(value.len());
        self.fixed(value)
    }

    /// Length-prefixed UTF-8.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    /// A presence byte, then the value if there is one.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => {
                self.byte(0);
            }
            Some(value) => {
                self.byte(1);
                write(self, value);
            }
        }
        self
    }
}

/// Takes values from a byte string, front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Fails if bytes are left: an encoding has exactly one length.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`].
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// `length` bytes, borrowed.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        if length > self.rest.len() {
            return Err(DecodeError::Truncated);
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(taken)
    }

    /// Exactly `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let slice = self.slice(N)?;
        let mut array = [0; N];
        array.copy_from_slice(slice);
        Ok(array)
    }

    /// An unsigned integer; only its shortest form is taken.
    ///
    /// # Errors
    /// [`DecodeError::NonCanonicalInteger`] or [`DecodeError::Truncated`].
    pub fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(DecodeError::NonCanonicalInteger);
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 {
                    Err(DecodeError::NonCanonicalInteger)
                } else {
                    Ok(value)
                };
            }
        }
        Err(DecodeError::NonCanonicalInteger)
    }

    /// A signed integer.
    ///
    /// # Errors
    /// As [`Reader::unsigned`].
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        let value = self.unsigned()?;
        Ok(((value >> 1) as i64) ^ -((value & 1) as i64))
    }

    /// A count or a length of at most `limit`.
    ///
    /// # Errors
    /// [`DecodeError::OverLimit`], or as [`Reader::unsigned`].
    pub fn count(&mut self, limit: usize) -> Result<usize, DecodeError> {
        let value = self.unsigned()?;
        usize::try_from(value)
            .ok()
            .filter(|&value| value <= limit)
            .ok_or(DecodeError::OverLimit { limit })
    }

    /// Length-prefixed bytes, at most `limit` of them, borrowed.
    ///
    /// # Errors
    /// As [`Reader::count`] and [`Reader::slice`].
    pub fn bytes(&mut self, limit: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.count(limit)?;
        self.slice(length)
    }

    /// Length-prefixed UTF-8 of at most `limit` bytes, borrowed.
    ///
    /// # Errors
    /// [`DecodeError::InvalidText`], or as [`Reader::bytes`].
    pub fn text(&mut self, limit: usize) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(limit)?).map_err(|_| DecodeError::InvalidText)
    }

    /// A value behind a presence byte.
    ///
    /// # Errors
    /// [`DecodeError::UnknownCode`] for another presence byte than 0 or 1, or what `read` gives.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            other => Err(DecodeError::UnknownCode(other.into())),
        }
    }
}
