//! What the administrator hands to an officer to enrol one phone: `gandan:` and letters, or a QR code.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;

use super::credential::{read_addresses, read_ward, write_addresses};
use super::limits::{ADDRESSES_MAX, INVITE_BYTES_MAX};
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{Timestamp, WardCode, WardKey};

const SCHEME: &str = "gandan:";
/// First byte of the content.
const LAYOUT: u8 = 1;
/// A part of BLAKE3 over the rest, so that a line that was not copied whole is known for what it
/// is, and not for a newer ward's. No secret and no signature: the ward's key is pinned from here.
const CHECKSUM_BYTES: usize = 4;

/// A one-time, expiring permission to enrol.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Invite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever reads the token in a log can enrol in the officer's place.
        formatter
            .debug_struct("Invite")
            .field("ward", &self.ward)
            .field("ward_key", &self.ward_key)
            .field("addresses", &self.addresses)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A text that is no invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseInviteError {
    /// Not `gandan:` and base64url, or damaged.
    #[error(
        "Thư mời không đầy đủ: hãy chép cả dòng bắt đầu bằng gandan: (this is not a complete invite; copy the whole line that begins with gandan:)"
    )]
    Damaged,
    /// From a newer ward.
    #[error(
        "Thư mời của máy chủ mới hơn: hãy cập nhật ứng dụng (this invite needs a newer app; update the app)"
    )]
    Newer,
}

impl fmt::Display for Invite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new();
        writer
            .byte(LAYOUT)
            .fixed(self.ward.as_bytes())
            .fixed(self.ward_key.as_bytes())
            .fixed(&self.token)
            .signed(self.expires_at.0);
        // Eight ways to reach a ward are enough; a ninth must not make the invite unreadable.
        write_addresses(
            &mut writer,
            &self.addresses[..self.addresses.len().min(ADDRESSES_MAX)],
        );
        let mut bytes = writer.finish();
        bytes.extend(checksum(&bytes));
        write!(formatter, "{SCHEME}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Invite {
    type Err = ParseInviteError;

    fn from_str(text: &str) -> Result<Self, ParseInviteError> {
        // A messenger may have broken the line.
        let line: String = text.split_whitespace().collect();
        let letters = line
            .strip_prefix(SCHEME)
            .filter(|letters| {
                BASE64URL_NOPAD
                    .decode_len(letters.len())
                    .is_ok_and(is_bounded)
            })
            .ok_or(ParseInviteError::Damaged)?;
        let bytes = BASE64URL_NOPAD
            .decode(letters.as_bytes())
            .map_err(|_| ParseInviteError::Damaged)?;
        let (content, _) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .filter(|(content, check)| **check == checksum(content))
            .ok_or(ParseInviteError::Damaged)?;
        read(content).map_err(|error| match error {
            DecodeError::UnknownCode(_) => ParseInviteError::Newer,
            _ => ParseInviteError::Damaged,
        })
    }
}

fn read(content: &[u8]) -> Result<Invite, DecodeError> {
    let mut reader = Reader::new(content);
    match reader.byte()? {
        LAYOUT => {}
        other => return Err(DecodeError::UnknownCode(other.into())),
    }
    let ward = read_ward(&mut reader)?;
    let ward_key = WardKey(reader.fixed()?);
    let token = reader.fixed()?;
    let expires_at = Timestamp(reader.signed()?);
    let addresses = read_addresses(&mut reader)?;
    reader.finish()?;
    Ok(Invite {
        ward,
        ward_key,
        addresses,
        token,
        expires_at,
    })
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = blake3::hash(content);
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(&hash.as_bytes()[..CHECKSUM_BYTES]);
    checksum
}

fn is_bounded(bytes: usize) -> bool {
    bytes <= INVITE_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Invite {
        Invite {
            ward: "26995".parse().expect("a ward code"),
            ward_key: WardKey([0xab; 32]),
            addresses: vec!["192.0.2.7:4433".to_owned(), "[2001:db8::7]:4433".to_owned()],
            token: [0xcd; 16],
            expires_at: Timestamp(1_772_413_200_000),
        }
    }

    fn with_content(content: &[u8]) -> String {
        let mut bytes = content.to_vec();
        bytes.extend(checksum(content));
        format!("{SCHEME}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    #[test]
    fn an_invite_is_one_line_and_comes_back() {
        let line = invite().to_string();
        assert!(line.starts_with("gandan:"));
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(line.parse(), Ok(invite()));
    }

    #[test]
    fn a_line_broken_by_a_messenger_is_still_read() {
        let line = invite().to_string();
        let broken = format!("  {}\r\n {}\n", &line[..60], &line[60..]);
        assert_eq!(broken.parse(), Ok(invite()));
    }

    #[test]
    fn a_line_not_copied_whole_is_called_damaged() {
        let line = invite().to_string();
        for length in 0..line.len() {
            assert_eq!(
                line[..length].parse::<Invite>(),
                Err(ParseInviteError::Damaged),
                "{length}"
            );
        }
        let other_letter = line.replace('9', "8").replacen('A', "B", 1);
        assert_eq!(
            other_letter.parse::<Invite>(),
            Err(ParseInviteError::Damaged)
        );
        assert_eq!(
            "https://example.org".parse::<Invite>(),
            Err(ParseInviteError::Damaged)
        );
        let flood = format!("{SCHEME}{}", "A".repeat(1_000_000));
        assert_eq!(flood.parse::<Invite>(), Err(ParseInviteError::Damaged));
    }

    #[test]
    fn an_invite_of_a_newer_ward_asks_for_a_newer_app() {
        assert_eq!(
            with_content(&[2, 1, 2, 3]).parse::<Invite>(),
            Err(ParseInviteError::Newer)
        );
        assert_eq!(
            with_content(&[1, 1, 2, 3]).parse::<Invite>(),
            Err(ParseInviteError::Damaged)
        );
    }

    #[test]
    fn more_addresses_than_eight_do_not_make_an_invite_unreadable() {
        let mut many = invite();
        many.addresses = (0..10).map(|port| format!("192.0.2.7:{port}")).collect();
        let parsed: Invite = many.to_string().parse().expect("an invite");
        assert_eq!(parsed.addresses, many.addresses[..8]);
    }

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", invite());
        assert!(
            !shown.contains("205") && !shown.contains("token"),
            "{shown}"
        );
    }
}
