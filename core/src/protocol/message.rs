//! Every message of a conversation, and its bytes.

use std::fmt;

/// Why a ward ends a conversation. The app can act on each; no data is lost by any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Refusal {
    /// The device is older than what the ward still speaks.
    DeviceTooOld = 1,
    /// The device is newer than the ward.
    DeviceTooNew = 2,
    /// The ward does not know this device.
    UnknownDevice = 3,
    /// The device was revoked.
    Revoked = 4,
    /// The ward's store is full or damaged; try later.
    Unavailable = 5,
    /// The invite does not exist.
    InviteUnknown = 10,
    /// The invite's time is over.
    InviteExpired = 11,
    /// The invite was used.
    InviteUsed = 12,
    /// A code that this build does not know.
    Other = 0xffff,
}

impl fmt::Display for Refusal {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
