//! What the administrator hands to an officer to enrol one phone: `gandan:` and letters, or a QR code.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::{Timestamp, WardCode, WardKey};

/// A one-time, expiring permission to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Which ward.
    pub ward: WardCode,
    /// Its key, to pin.
    pub ward_key: WardKey,
    /// `host:port`, in the order to try; one to eight.
    pub addresses: Vec<String>,
    /// 128 random bits; the ward keeps only a hash.
    pub token: [u8; 16],
    /// By the ward's clock.
    pub expires_at: Timestamp,
}

/// A text that is no invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseInviteError {
    /// Not `gandan:` and base64url, or damaged.
    #[error("this is not a complete invite; copy the whole line that begins with gandan:")]
    Damaged,
    /// From a newer ward.
    #[error("this invite needs a newer app; update the app")]
    Newer,
}

impl fmt::Display for Invite {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl FromStr for Invite {
    type Err = ParseInviteError;

    fn from_str(_text: &str) -> Result<Self, ParseInviteError> {
        todo!()
    }
}
