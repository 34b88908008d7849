//! One exchange on its own ALPN: what a revoked device has unsent, as a rescue file. The device offers so
//! many bytes, the ward says whether it wants them, the device sends them, the ward says that it keeps them.
//! Normative text: `docs/wire.md`.

use super::limits::HAND_OVER_BYTES_MAX;
use crate::codec::DecodeError;

/// First byte of either message.
const LAYOUT: u8 = 1;

/// Length of an offer.
pub const OFFER_BYTES: usize = 9;
/// Length of a word.
pub const WORD_BYTES: usize = 2;

/// What the ward says to an offer, and once more when the file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HandOverWord {
    /// Send it.
    Wanted = 1,
    /// It is on the ward's disk, apart from what was admitted.
    Kept = 2,
    /// The administrator does not want it, or the device was not revoked and can send it as ever.
    NotWanted = 3,
    /// It is more than the ward keeps of one device.
    TooMuch = 4,
    /// The ward cannot take it now; it may be offered again.
    Unavailable = 5,
}

impl HandOverWord {
    /// Every word.
    pub const ALL: &'static [Self] = &[
        Self::Wanted,
        Self::Kept,
        Self::NotWanted,
        Self::TooMuch,
        Self::Unavailable,
    ];

    /// What goes over the wire.
    #[must_use]
    pub fn encode(self) -> [u8; WORD_BYTES] {
        [LAYOUT, self as u8]
    }

    /// Reads a word.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: [u8; WORD_BYTES]) -> Result<Self, DecodeError> {
        let [layout, code] = bytes;
        check_layout(layout)?;
        Self::ALL
            .iter()
            .copied()
            .find(|word| *word as u8 == code)
            .ok_or(DecodeError::UnknownCode(code.into()))
    }
}

/// An offer of so many bytes.
#[must_use]
pub fn encode_offer(bytes: usize) -> [u8; OFFER_BYTES] {
    let mut offer = [LAYOUT; OFFER_BYTES];
    offer[1..].copy_from_slice(&(bytes as u64).to_be_bytes());
    offer
}

/// How many bytes are offered; `None` for more than anybody takes.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_offer(offer: [u8; OFFER_BYTES]) -> Result<Option<usize>, DecodeError> {
    let [layout, bytes @ ..] = offer;
    check_layout(layout)?;
    let bytes = usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX);
    Ok((bytes <= HAND_OVER_BYTES_MAX).then_some(bytes))
}

fn check_layout(layout: u8) -> Result<(), DecodeError> {
    match layout {
        LAYOUT => Ok(()),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_and_words_come_back() {
        for bytes in [0, 1, 300, HAND_OVER_BYTES_MAX] {
            assert_eq!(decode_offer(encode_offer(bytes)), Ok(Some(bytes)));
        }
        for &word in HandOverWord::ALL {
            assert_eq!(HandOverWord::decode(word.encode()), Ok(word));
        }
    }

    #[test]
    fn what_nobody_takes_and_what_nobody_says_is_told_from_damage() {
        assert_eq!(
            decode_offer(encode_offer(HAND_OVER_BYTES_MAX + 1)),
            Ok(None)
        );
        assert_eq!(decode_offer(encode_offer(usize::MAX)), Ok(None));
        let mut offer = encode_offer(1);
        offer[0] = 2;
        assert_eq!(decode_offer(offer), Err(DecodeError::UnknownCode(2)));
        assert_eq!(
            HandOverWord::decode([1, 9]),
            Err(DecodeError::UnknownCode(9))
        );
        assert_eq!(
            HandOverWord::decode([2, 1]),
            Err(DecodeError::UnknownCode(2))
        );
    }
}
