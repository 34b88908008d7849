//! Mutual raw public keys (RFC 7250) for rustls: a device is its Ed25519 key, the ward is its own.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use crate::model::{DeviceId, WardKey};

/// A client that shows `device_key` and takes no server but `ward_key`.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn client_config(
    _device_key: &SigningKey,
    _ward_key: WardKey,
    _alpn: &[u8],
) -> Result<quinn::ClientConfig, rustls::Error> {
    todo!()
}

/// A server that shows `ward_key` and takes any client that proves an Ed25519 key; who may do
/// what is the live device table's to say, on every accept and every batch. ALPN: both of ours.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn server_config(_ward_key: &SigningKey) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
    todo!()
}

/// The device that a connection proved to be, from `Connection::peer_identity`.
#[must_use]
pub fn peer_device(_identity: Option<Box<dyn std::any::Any>>) -> Option<DeviceId> {
    todo!()
}
