//! What a peer did that no peer may do. Either side closes the connection with the code; nothing
//! recorded is lost by it.

use crate::codec::DecodeError;

/// What a peer did that no peer may do: close with its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Bytes that do not decode.
    #[error("bytes that do not decode: {0}")]
    Decode(#[from] DecodeError),
    /// A frame over its limit.
    #[error("a frame over its limit")]
    FrameTooLarge,
    /// A message out of order.
    #[error("a message out of order")]
    Unexpected,
    /// A signature that does not hold, or a hash.
    #[error("a signature or a hash that does not hold")]
    Signature,
    /// A message that this build does not know and may not skip.
    #[error("a message of the unknown type {0}")]
    UnknownMessage(u8),
    /// More of a kind than may be under way at once.
    #[error("more under way than is allowed")]
    TooManyInFlight,
}

impl Violation {
    /// The QUIC application error code of a conversation that ended well.
    pub const WIRE_CODE_NONE: u32 = 0;

    /// The QUIC application error code with which the connection is closed.
    #[must_use]
    pub fn wire_code(self) -> u32 {
        match self {
            Self::Decode(_) => 0x10,
            Self::FrameTooLarge => 0x11,
            Self::Unexpected => 0x12,
            Self::Signature => 0x13,
            Self::UnknownMessage(_) => 0x14,
            Self::TooManyInFlight => 0x15,
        }
    }
}
