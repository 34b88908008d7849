//! One exchange on its own ALPN: an invite's token for a credential, or another key for a device that has one.
//! Each side sends one message and ends its stream; there is no frame around it.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};

use super::credential::Enrolment;
use super::limits::DEVICE_NAME_BYTES_MAX;
use super::message::Refusal;
use super::signature;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{DeviceId, WardCode};

/// First byte of either message.
const LAYOUT: u8 = 1;
/// First byte of a request for another key.
const LAYOUT_OF_RENEWAL: u8 = 2;
/// What a new key signs begins with this.
const RENEWAL_PREFIX: &[u8] = b"gandan/1/renewal\0";

mod answer_tag {
    pub(super) const REFUSED: u8 = 0;
    pub(super) const ENROLLED: u8 = 1;
}

/// What a device asks. Its key was proven by TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentRequest {
    /// From the invite.
    pub token: [u8; 16],
    /// Shown to the administrator, at most 64 bytes.
    pub device_name: String,
}

/// A device that is enrolled asks to be known by another key. That it has the present one was proven by TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalRequest {
    /// The new key, as the device that it will be.
    pub device: DeviceId,
    /// By the new key, over both: nobody takes a key of another's.
    pub signature: [u8; 64],
}

impl RenewalRequest {
    /// Asks for `key` in the place of `present`.
    #[must_use]
    pub fn sign(key: &SigningKey, ward: WardCode, present: DeviceId) -> Self {
        let device = DeviceId::of(key);
        let signature = key.sign(&signed_bytes(ward, present, device)).to_bytes();
        Self { device, signature }
    }

    /// Whether the new key asks for itself, in the place of `present`.
    #[must_use]
    pub fn verify(&self, ward: WardCode, present: DeviceId) -> bool {
        let signed = signed_bytes(ward, present, self.device);
        signature::holds(self.device.as_bytes(), &signed, &self.signature)
    }
}

fn signed_bytes(ward: WardCode, present: DeviceId, next: DeviceId) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .fixed(RENEWAL_PREFIX)
        .fixed(ward.as_bytes())
        .fixed(present.as_bytes())
        .fixed(next.as_bytes());
    writer.finish()
}

/// What is asked at this door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To be enrolled.
    Enrol(EnrolmentRequest),
    /// To be known by another key.
    Renew(RenewalRequest),
}

impl fmt::Debug for EnrolmentRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a key, the name may be a person's.
        formatter
            .debug_struct("EnrolmentRequest")
            .finish_non_exhaustive()
    }
}

/// What the ward answers.
pub type EnrolmentResponse = Result<Enrolment, Refusal>;

/// The whole request. A name over its limit is cut.
#[must_use]
pub fn encode_request(request: &EnrolmentRequest) -> Vec<u8> {
    let name = &request.device_name;
    let mut writer = Writer::new();
    writer
        .byte(LAYOUT)
        .fixed(&request.token)
        .text(&name[..name.floor_char_boundary(DEVICE_NAME_BYTES_MAX)]);
    writer.finish()
}

/// The whole request for another key.
#[must_use]
pub fn encode_renewal(request: &RenewalRequest) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .byte(LAYOUT_OF_RENEWAL)
        .fixed(request.device.as_bytes())
        .fixed(&request.signature);
    writer.finish()
}

/// Reads a whole request.
///
/// # Errors
/// [`DecodeError`]; [`DecodeError::UnknownCode`] if the device speaks another layout.
pub fn decode_request(bytes: &[u8]) -> Result<Request, DecodeError> {
    let mut reader = Reader::new(bytes);
    let request = match reader.byte()? {
        LAYOUT => Request::Enrol(EnrolmentRequest {
            token: reader.fixed()?,
            device_name: reader.text(DEVICE_NAME_BYTES_MAX)?.to_owned(),
        }),
        LAYOUT_OF_RENEWAL => Request::Renew(RenewalRequest {
            device: DeviceId(reader.fixed()?),
            signature: reader.fixed()?,
        }),
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    reader.finish()?;
    Ok(request)
}

/// The whole response.
#[must_use]
pub fn encode_response(response: &EnrolmentResponse) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(LAYOUT);
    match response {
        Ok(enrolment) => {
            writer.byte(answer_tag::ENROLLED);
            enrolment.write(&mut writer);
        }
        Err(refusal) => {
            writer
                .byte(answer_tag::REFUSED)
                .unsigned(refusal.code().into());
        }
    }
    writer.finish()
}

/// Reads a whole response.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_response(bytes: &[u8]) -> Result<EnrolmentResponse, DecodeError> {
    let mut reader = Reader::new(bytes);
    read_layout(&mut reader)?;
    let response = match reader.byte()? {
        answer_tag::ENROLLED => Ok(Enrolment::read(&mut reader)?),
        answer_tag::REFUSED => {
            let code = u16::try_from(reader.unsigned()?).map_err(|_| DecodeError::InvalidValue)?;
            Err(Refusal::from_code(code))
        }
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    reader.finish()?;
    Ok(response)
}

fn read_layout(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    match reader.byte()? {
        LAYOUT => Ok(()),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(device_name: &str) -> EnrolmentRequest {
        EnrolmentRequest {
            token: [7; 16],
            device_name: device_name.to_owned(),
        }
    }

    #[test]
    fn a_request_comes_back() {
        let request = request("Máy của anh Bình");
        assert_eq!(
            decode_request(&encode_request(&request)),
            Ok(Request::Enrol(request))
        );
    }

    #[test]
    fn a_renewal_comes_back_and_holds_for_one_ward_and_one_present_key() {
        let ward: WardCode = "26995".parse().unwrap();
        let present = DeviceId([1; 32]);
        let request = RenewalRequest::sign(&SigningKey::from_bytes(&[2; 32]), ward, present);
        assert_eq!(
            decode_request(&encode_renewal(&request)),
            Ok(Request::Renew(request.clone()))
        );
        assert!(request.verify(ward, present));
        assert!(!request.verify("26998".parse().unwrap(), present));
        assert!(!request.verify(ward, DeviceId([3; 32])));
        let of_another = DeviceId::of(&SigningKey::from_bytes(&[4; 32]));
        let stolen = RenewalRequest {
            device: of_another,
            ..request
        };
        assert!(!stolen.verify(ward, present));
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let long = request(&"ộ".repeat(30));
        let decoded = decode_request(&encode_request(&long));
        assert_eq!(decoded, Ok(Request::Enrol(request(&"ộ".repeat(21)))));
    }

    #[test]
    fn a_refusal_comes_back_even_if_its_code_is_new() {
        for refusal in [Refusal::InviteUsed, Refusal::DeviceTooOld, Refusal::Other] {
            assert_eq!(
                decode_response(&encode_response(&Err(refusal))),
                Ok(Err(refusal))
            );
        }
        assert_eq!(decode_response(&[1, 0, 99]), Ok(Err(Refusal::Other)));
    }

    #[test]
    fn another_layout_is_told_from_damage() {
        let mut bytes = encode_request(&request(""));
        bytes[0] = 3;
        assert_eq!(decode_request(&bytes), Err(DecodeError::UnknownCode(3)));
        assert_eq!(decode_request(&bytes[..0]), Err(DecodeError::Truncated));
    }

    #[test]
    fn the_token_is_not_shown() {
        assert_eq!(format!("{:?}", request("Bình")), "EnrolmentRequest { .. }");
    }
}
