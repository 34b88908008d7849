//! One exchange on its own ALPN: an invite's token for a credential.

use super::credential::Enrolment;
use super::message::Refusal;
use crate::codec::DecodeError;

/// What a device asks. Its key was proven by TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentRequest {
    /// From the invite.
    pub token: [u8; 16],
    /// Shown to the administrator, at most 64 bytes.
    pub device_name: String,
}

/// What the ward answers.
pub type EnrolmentResponse = Result<Enrolment, Refusal>;

/// The one frame of the request.
#[must_use]
pub fn encode_request(_request: &EnrolmentRequest) -> Vec<u8> {
    todo!()
}

/// Reads a whole request.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_request(_bytes: &[u8]) -> Result<EnrolmentRequest, DecodeError> {
    todo!()
}

/// The one frame of the response.
#[must_use]
pub fn encode_response(_response: &EnrolmentResponse) -> Vec<u8> {
    todo!()
}

/// Reads a whole response.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_response(_bytes: &[u8]) -> Result<EnrolmentResponse, DecodeError> {
    todo!()
}
