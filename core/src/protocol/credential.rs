//! The ward's word that a device is an officer's. Owns what is signed and its bytes; knows nothing
//! of how a device came by it.

use ed25519_dalek::{Signer, SigningKey};

use super::invite::Invite;
use super::limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX};
use super::signature;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{DeviceId, OfficerId, Role, Timestamp, WardCode, WardKey};

/// Keeps a credential's signature from passing for one on anything else.
const SIGNATURE_PREFIX: &[u8] = b"gandan/1/credential\0";
/// First byte of an encoded credential and of an encoded enrolment.
const LAYOUT: u8 = 1;
/// Longest word for a role: the longest today has seven letters.
const ROLE_BYTES_MAX: usize = 16;

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

impl DeviceCredential {
    /// Gives the ward's word.
    #[must_use]
    pub fn sign(
        ward_key: &SigningKey,
        ward: WardCode,
        device: DeviceId,
        officer: OfficerId,
        role: Role,
        issued_at: Timestamp,
    ) -> Self {
        let mut credential = Self {
            ward,
            device,
            officer,
            role,
            issued_at,
            signature: [0; 64],
        };
        credential.signature = ward_key.sign(&credential.signed_bytes()).to_bytes();
        credential
    }

    /// Whether the ward of `ward_key` gave this word.
    #[must_use]
    pub fn verify(&self, ward_key: WardKey) -> bool {
        signature::holds(ward_key.as_bytes(), &self.signed_bytes(), &self.signature)
    }

    /// The bytes that are stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Reads a whole credential; whether its signature holds is another question.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let credential = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(credential)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.byte(LAYOUT);
        self.write_claims(writer);
        writer.fixed(&self.signature);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_layout(reader)?;
        Ok(Self {
            ward: read_ward(reader)?,
            device: DeviceId(reader.fixed()?),
            officer: OfficerId(uuid::Uuid::from_bytes(reader.fixed()?)),
            role: Role::from_code(reader.text(ROLE_BYTES_MAX)?).ok_or(DecodeError::InvalidValue)?,
            issued_at: Timestamp(reader.signed()?),
            signature: reader.fixed()?,
        })
    }

    fn write_claims(&self, writer: &mut Writer) {
        writer
            .fixed(self.ward.as_bytes())
            .fixed(self.device.as_bytes())
            .fixed(self.officer.0.as_bytes())
            .text(self.role.code())
            .signed(self.issued_at.0);
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.fixed(SIGNATURE_PREFIX);
        self.write_claims(&mut writer);
        writer.finish()
    }
}

impl Enrolment {
    /// Whether this is what `invite` promised to `device`: the invited ward's word on this device.
    #[must_use]
    pub fn verify(&self, invite: &Invite, device: DeviceId) -> bool {
        self.ward_key == invite.ward_key
            && self.credential.ward == invite.ward
            && self.credential.device == device
            && self.credential.verify(self.ward_key)
    }

    /// The bytes that are stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Reads a whole enrolment; whether it may be believed is another question.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let enrolment = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(enrolment)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer
            .byte(LAYOUT)
            .fixed(self.ward_key.as_bytes())
            .fixed(&self.rescue_key);
        write_addresses(writer, &self.addresses);
        self.credential.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_layout(reader)?;
        Ok(Self {
            ward_key: WardKey(reader.fixed()?),
            rescue_key: reader.fixed()?,
            addresses: read_addresses(reader)?,
            credential: DeviceCredential::read(reader)?,
        })
    }
}

pub(super) fn read_ward(reader: &mut Reader<'_>) -> Result<WardCode, DecodeError> {
    let digits: [u8; 5] = reader.fixed()?;
    std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(DecodeError::InvalidValue)
}

pub(super) fn write_addresses(writer: &mut Writer, addresses: &[String]) {
    writer.count(addresses.len());
    for address in addresses {
        writer.text(address);
    }
}

pub(super) fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = reader.count(ADDRESSES_MAX)?;
    let addresses: Vec<String> = (0..count)
        .map(|_| reader.text(ADDRESS_BYTES_MAX).map(str::to_owned))
        .collect::<Result<_, _>>()?;
    if addresses.is_empty() || addresses.iter().any(String::is_empty) {
        return Err(DecodeError::InvalidValue);
    }
    Ok(addresses)
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
    use uuid::Uuid;

    fn ward() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn credential() -> DeviceCredential {
        DeviceCredential::sign(
            &ward(),
            "26995".parse().expect("a ward code"),
            DeviceId([2; 32]),
            OfficerId(Uuid::from_bytes([3; 16])),
            Role::Officer,
            Timestamp(1_772_413_200_000),
        )
    }

    fn enrolment() -> Enrolment {
        Enrolment {
            ward_key: WardKey(ward().verifying_key().to_bytes()),
            rescue_key: [4; 32],
            addresses: vec!["192.0.2.1:4433".to_owned(), "ward.example:4433".to_owned()],
            credential: credential(),
        }
    }

    fn invite() -> Invite {
        Invite {
            ward: "26995".parse().expect("a ward code"),
            ward_key: enrolment().ward_key,
            addresses: enrolment().addresses,
            token: [5; 16],
            expires_at: Timestamp(0),
        }
    }

    #[test]
    fn a_credential_holds_for_its_ward_only() {
        let other = SigningKey::from_bytes(&[9; 32]);
        assert!(credential().verify(enrolment().ward_key));
        assert!(!credential().verify(WardKey(other.verifying_key().to_bytes())));
        assert!(!credential().verify(WardKey([0xff; 32])));
    }

    #[test]
    fn no_claim_of_a_credential_can_be_changed() {
        let changed: [fn(&mut DeviceCredential); 6] = [
            |credential| credential.ward = "26998".parse().expect("a ward code"),
            |credential| credential.device.0[0] ^= 1,
            |credential| credential.officer = OfficerId(Uuid::nil()),
            |credential| credential.role = Role::Chair,
            |credential| credential.issued_at.0 += 1,
            |credential| credential.signature[0] ^= 1,
        ];
        for change in changed {
            let mut credential = credential();
            change(&mut credential);
            assert!(!credential.verify(enrolment().ward_key), "{credential:?}");
        }
    }

    #[test]
    fn credential_and_enrolment_come_back_from_their_bytes() {
        assert_eq!(
            DeviceCredential::decode(&credential().encode()),
            Ok(credential())
        );
        assert_eq!(Enrolment::decode(&enrolment().encode()), Ok(enrolment()));
    }

    #[test]
    fn bytes_cut_short_or_too_long_are_refused() {
        let bytes = enrolment().encode();
        for length in 0..bytes.len() {
            assert!(Enrolment::decode(&bytes[..length]).is_err(), "{length}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Enrolment::decode(&longer), Err(DecodeError::TrailingBytes));
    }

    #[test]
    fn an_enrolment_is_believed_only_if_it_is_what_the_invite_promised() {
        let device = credential().device;
        assert!(enrolment().verify(&invite(), device));
        assert!(!enrolment().verify(&invite(), DeviceId([7; 32])));
        let other_ward = Invite {
            ward: "26998".parse().expect("a ward code"),
            ..invite()
        };
        assert!(!enrolment().verify(&other_ward, device));
        let other_key = Invite {
            ward_key: WardKey([8; 32]),
            ..invite()
        };
        assert!(!enrolment().verify(&other_key, device));
        let mut forged = enrolment();
        forged.credential.role = Role::Chair;
        assert!(!forged.verify(&invite(), device));
    }

    #[test]
    fn an_enrolment_without_an_address_is_refused() {
        for addresses in [vec![], vec![String::new()], vec!["a:1".to_owned(); 9]] {
            let enrolment = Enrolment {
                addresses,
                ..enrolment()
            };
            assert!(Enrolment::decode(&enrolment.encode()).is_err());
        }
    }
}
