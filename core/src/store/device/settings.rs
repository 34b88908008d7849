//! Single values of the device, in the store's own layout.

use rusqlite::{Connection, OptionalExtension};

use super::malformed;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{DeviceId, OfficerId, Role, Timestamp, WardKey};
use crate::protocol::agreement::{EditSum, HeldDigest};
use crate::protocol::credential::{DeviceCredential, Enrolment};
use crate::protocol::message::Refusal;
use crate::protocol::witness::Witnessed;
use uuid::Uuid;

pub(crate) const DEVICE_SEED: &str = "device_seed";
/// The key that is to take its place, until the ward knows it.
pub(crate) const NEXT_SEED: &str = "next_seed";
/// The keys before, the newest first, by one of which a ward that was restored from an older copy knows this device.
pub(crate) const EARLIER_SEEDS: &str = "earlier_seeds";
pub(crate) const ENROLMENT: &str = "enrolment";
/// Which files come without being asked for.
pub(crate) const FETCH_POLICY: &str = "fetch_policy";
pub(crate) const DIRECTORY: &str = "directory";
pub(crate) const DIRECTORY_VERSION: &str = "directory_version";
pub(crate) const CURSOR: &str = "cursor";
/// The sum of what this device holds as far as the ward knows.
pub(crate) const HELD: &str = "held";
/// What the ward said last that this device holds, and when by its clock.
pub(crate) const AGREEMENT: &str = "agreement";
/// Why the ward ended the last conversation that it ended for good.
pub(crate) const REFUSED: &str = "refused";
/// When the ward was met last.
pub(crate) const CONTACT: &str = "contact";
/// What a revoked device has handed over.
pub(crate) const HANDED_OVER: &str = "handed_over";
/// How often handing over was cut off.
pub(crate) const HAND_OVER_TRIES: &str = "hand_over_tries";
/// What this device witnessed of the ward's audit trail.
pub(crate) const WITNESSED: &str = "witnessed";

/// Longest address `host:port`, and most of them.
const ADDRESS_BYTES_MAX: usize = 300;
const ADDRESSES_MAX: usize = 64;
const ROLE_BYTES_MAX: usize = 40;

pub(crate) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

pub(crate) fn write(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
        .execute(rusqlite::params![name, value])
        .map(drop)
}

/// What this device witnessed of the ward's audit trail.
pub(crate) fn witnessed(connection: &Connection) -> rusqlite::Result<Witnessed> {
    match read(connection, WITNESSED)? {
        Some(bytes) => Witnessed::decode(&bytes).map_err(|_| malformed(WITNESSED)),
        None => Ok(Witnessed::default()),
    }
}

pub(crate) fn write_witnessed(
    connection: &Connection,
    witnessed: &Witnessed,
) -> rusqlite::Result<()> {
    write(connection, WITNESSED, &witnessed.encode())
}

/// The sum of what this device holds as far as the ward knows.
pub(crate) fn held(connection: &Connection) -> rusqlite::Result<EditSum> {
    match read(connection, HELD)? {
        Some(bytes) => {
            let bytes = bytes.try_into().map_err(|_| malformed(HELD))?;
            Ok(EditSum::from_bytes(&bytes))
        }
        None => Ok(EditSum::default()),
    }
}

/// What the ward said last that this device holds, and when by its clock.
pub(crate) fn agreement(
    connection: &Connection,
) -> rusqlite::Result<Option<(HeldDigest, Timestamp)>> {
    let Some(bytes) = read(connection, AGREEMENT)? else {
        return Ok(None);
    };
    let mut reader = Reader::new(&bytes);
    let read = |reader: &mut Reader<'_>| -> Result<_, DecodeError> {
        Ok((HeldDigest(reader.fixed()?), Timestamp(reader.signed()?)))
    };
    read(&mut reader)
        .map(Some)
        .map_err(|_| malformed(AGREEMENT))
}

pub(crate) fn write_agreement(
    connection: &Connection,
    held: HeldDigest,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let mut writer = Writer::new();
    writer.fixed(&held.0).signed(at.0);
    write(connection, AGREEMENT, &writer.finish())
}

/// When the ward was met last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The end of the last whole conversation, or the enrolment, by this device's clock.
    pub(crate) met_at: Timestamp,
    /// The same by the ward's.
    pub(crate) ward_time: Timestamp,
    /// The newest time that this device has seen since, by its clock.
    pub(crate) latest: Timestamp,
}

/// When the ward was met last; `None`: never.
pub(crate) fn contact(connection: &Connection) -> rusqlite::Result<Option<Contact>> {
    let Some(bytes) = read(connection, CONTACT)? else {
        return Ok(None);
    };
    let mut reader = Reader::new(&bytes);
    let read = |reader: &mut Reader<'_>| -> Result<_, DecodeError> {
        Ok(Contact {
            met_at: Timestamp(reader.signed()?),
            ward_time: Timestamp(reader.signed()?),
            latest: Timestamp(reader.signed()?),
        })
    };
    read(&mut reader).map(Some).map_err(|_| malformed(CONTACT))
}

pub(crate) fn write_contact(connection: &Connection, contact: Contact) -> rusqlite::Result<()> {
    let mut writer = Writer::new();
    writer
        .signed(contact.met_at.0)
        .signed(contact.ward_time.0)
        .signed(contact.latest.0);
    write(connection, CONTACT, &writer.finish())
}

/// Why the ward ended the last conversation that it ended for good; `None` since one went well.
pub(crate) fn refused(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    let Some(bytes) = read(connection, REFUSED)? else {
        return Ok(None);
    };
    let code = bytes.try_into().map_err(|_| malformed(REFUSED))?;
    Ok(Some(Refusal::from_code(u16::from_be_bytes(code))))
}

pub(crate) fn write_refused(connection: &Connection, refusal: Refusal) -> rusqlite::Result<()> {
    write(connection, REFUSED, &refusal.code().to_be_bytes())
}

/// A conversation went well.
pub(crate) fn forget_refused(connection: &Connection) -> rusqlite::Result<()> {
    remove(connection, REFUSED)
}

pub(crate) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM settings WHERE name = ?1")?
        .execute([name])
        .map(drop)
}

/// What a revoked device has handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandedOver {
    /// Of what it was.
    pub(crate) digest: [u8; 32],
    /// By this device's clock.
    pub(crate) at: Timestamp,
}

/// What a revoked device has handed over last; `None`: nothing.
pub(crate) fn handed_over(connection: &Connection) -> rusqlite::Result<Option<HandedOver>> {
    let Some(bytes) = read(connection, HANDED_OVER)? else {
        return Ok(None);
    };
    let mut reader = Reader::new(&bytes);
    let read = |reader: &mut Reader<'_>| -> Result<_, DecodeError> {
        Ok(HandedOver {
            digest: reader.fixed()?,
            at: Timestamp(reader.signed()?),
        })
    };
    read(&mut reader)
        .map(Some)
        .map_err(|_| malformed(HANDED_OVER))
}

pub(crate) fn write_handed_over(
    connection: &Connection,
    handed_over: HandedOver,
) -> rusqlite::Result<()> {
    let mut writer = Writer::new();
    writer.fixed(&handed_over.digest).signed(handed_over.at.0);
    write(connection, HANDED_OVER, &writer.finish())
}

/// How often handing over was cut off.
pub(crate) fn hand_over_tries(connection: &Connection) -> rusqlite::Result<u32> {
    match read(connection, HAND_OVER_TRIES)? {
        Some(bytes) => {
            let bytes = bytes.try_into().map_err(|_| malformed(HAND_OVER_TRIES))?;
            Ok(u32::from_be_bytes(bytes))
        }
        None => Ok(0),
    }
}

pub(crate) fn write_hand_over_tries(connection: &Connection, tries: u32) -> rusqlite::Result<()> {
    write(connection, HAND_OVER_TRIES, &tries.to_be_bytes())
}

pub(crate) fn enrolment(connection: &Connection) -> rusqlite::Result<Option<Enrolment>> {
    read(connection, ENROLMENT)?
        .map(|bytes| decode_enrolment(&bytes).map_err(|_| malformed(ENROLMENT)))
        .transpose()
}

pub(crate) fn write_enrolment(
    connection: &Connection,
    enrolment: &Enrolment,
) -> rusqlite::Result<()> {
    write(connection, ENROLMENT, &encode_enrolment(enrolment))
}

fn encode_enrolment(enrolment: &Enrolment) -> Vec<u8> {
    let credential = &enrolment.credential;
    let mut writer = Writer::new();
    writer
        .fixed(enrolment.ward_key.as_bytes())
        .fixed(&enrolment.rescue_key)
        .fixed(credential.ward.as_bytes())
        .fixed(credential.device.as_bytes())
        .fixed(credential.officer.0.as_bytes())
        .text(credential.role.code())
        .signed(credential.issued_at.0)
        .fixed(&credential.signature)
        .count(enrolment.addresses.len());
    for address in &enrolment.addresses {
        writer.text(address);
    }
    writer.finish()
}

fn decode_enrolment(bytes: &[u8]) -> Result<Enrolment, DecodeError> {
    let mut reader = Reader::new(bytes);
    let ward_key = WardKey(reader.fixed()?);
    let rescue_key = reader.fixed()?;
    let ward: [u8; 5] = reader.fixed()?;
    let credential = DeviceCredential {
        ward: std::str::from_utf8(&ward)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or(DecodeError::InvalidValue)?,
        device: DeviceId(reader.fixed()?),
        officer: OfficerId(Uuid::from_bytes(reader.fixed()?)),
        role: Role::from_code(reader.text(ROLE_BYTES_MAX)?).ok_or(DecodeError::InvalidValue)?,
        issued_at: Timestamp(reader.signed()?),
        signature: reader.fixed()?,
    };
    let count = reader.count(ADDRESSES_MAX)?;
    let mut addresses = Vec::with_capacity(count);
    for _ in 0..count {
        addresses.push(reader.text(ADDRESS_BYTES_MAX)?.to_owned());
    }
    reader.finish()?;
    Ok(Enrolment {
        ward_key,
        rescue_key,
        addresses,
        credential,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_is_read_as_it_was_written() {
        let enrolment = Enrolment {
            ward_key: WardKey([1; 32]),
            rescue_key: [2; 32],
            addresses: vec!["10.0.0.2:4433".to_owned(), "[::1]:4433".to_owned()],
            credential: DeviceCredential {
                ward: "26995".parse().unwrap(),
                device: DeviceId([3; 32]),
                officer: OfficerId(Uuid::from_bytes([4; 16])),
                role: Role::Leader,
                issued_at: Timestamp(-5),
                signature: [6; 64],
            },
        };
        let bytes = encode_enrolment(&enrolment);
        assert_eq!(decode_enrolment(&bytes), Ok(enrolment));
        for length in 0..bytes.len() {
            assert!(decode_enrolment(&bytes[..length]).is_err());
        }
    }
}
