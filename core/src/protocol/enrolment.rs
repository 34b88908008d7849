//! One exchange on its own ALPN: an invite's token for a credential. Each side sends one message
//! and ends its stream; there is no frame around it.

use std::fmt;

use super::credential::Enrolment;
use super::limits::DEVICE_NAME_BYTES_MAX;
use super::message::Refusal;
use crate::codec::{DecodeError, Reader, Writer};

/// First byte of either message.
const LAYOUT: u8 = 1;

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

/// Reads a whole request.
///
/// # Errors
/// [`DecodeError`]; [`DecodeError::UnknownCode`] if the device speaks another layout.
pub fn decode_request(bytes: &[u8]) -> Result<EnrolmentRequest, DecodeError> {
    let mut reader = Reader::new(bytes);
    read_layout(&mut reader)?;
    let request = EnrolmentRequest {
        token: reader.fixed()?,
        device_name: reader.text(DEVICE_NAME_BYTES_MAX)?.to_owned(),
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
        assert_eq!(decode_request(&encode_request(&request)), Ok(request));
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let long = request(&"ộ".repeat(30));
        let decoded = decode_request(&encode_request(&long)).expect("a request");
        assert_eq!(decoded.device_name, "ộ".repeat(21));
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
        bytes[0] = 2;
        assert_eq!(decode_request(&bytes), Err(DecodeError::UnknownCode(2)));
        assert_eq!(decode_request(&bytes[..0]), Err(DecodeError::Truncated));
    }

    #[test]
    fn the_token_is_not_shown() {
        assert_eq!(format!("{:?}", request("Bình")), "EnrolmentRequest { .. }");
    }
}
