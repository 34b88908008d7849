//! The ward's word that a device is an officer's.

use crate::model::{DeviceId, OfficerId, Role, Timestamp, WardCode, WardKey};

/// Signed by the ward at enrolment; whoever holds the ward's key can check it without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCredential {
    /// The ward.
    pub ward: WardCode,
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub officer: OfficerId,
    /// As what.
    pub role: Role,
    /// By the ward's clock.
    pub issued_at: Timestamp,
    /// Ed25519 by the ward's key over all of the above.
    pub signature: [u8; 64],
}

/// What a device keeps of its enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Pinned for life.
    pub ward_key: WardKey,
    /// HPKE public key (X25519) to which rescue files are sealed.
    pub rescue_key: [u8; 32],
    /// `host:port`, in the order to try.
    pub addresses: Vec<String>,
    /// The ward's word.
    pub credential: DeviceCredential,
}
