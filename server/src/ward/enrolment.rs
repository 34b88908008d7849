//! Invites and enrolment: a one-time token for the ward's word that a device is an officer's.

use gandan_core::model::text::normalize;
use gandan_core::model::{DeviceId, OfficerId, Timestamp};
use gandan_core::policy::Author;
use gandan_core::protocol::credential::{DeviceCredential, Enrolment};
use gandan_core::protocol::enrolment::{EnrolmentRequest, EnrolmentResponse, RenewalRequest};
use gandan_core::protocol::invite::Invite;
use gandan_core::protocol::limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, DEVICE_NAME_BYTES_MAX};
use gandan_core::protocol::message::Refusal;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::audit::{Actor, Entry, Kind};
use super::connections::Work;
use super::devices;
use super::{WardError, restore};

/// Longest life of an invite: a lost paper must not open the ward years later.
const LIFETIME_MS_MAX: i64 = 90 * 24 * 60 * 60 * 1000;

/// What a device is called that does not say.
const UNNAMED: &str = "Điện thoại";

/// In the place of addresses for a device that has them: it keeps its own.
const OWN_ADDRESSES: &str = "own:1";

struct StoredInvite {
    officer: OfficerId,
    addresses: Vec<String>,
    expires_at: Timestamp,
    used_by: Option<DeviceId>,
    is_revoked: bool,
}

impl Work<'_> {
    pub(super) fn invite(
        &mut self,
        officer: OfficerId,
        addresses: &[String],
        lifetime_ms: i64,
    ) -> Result<Invite, WardError> {
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            return Err(WardError::Invalid(
                "lời mời cần một đến tám địa chỉ (an invite needs one to eight addresses)",
            ));
        }
        if addresses.iter().any(|address| !is_address(address)) {
            return Err(WardError::Invalid(
                "địa chỉ viết theo dạng tên-máy:cổng (an address is written host:port)",
            ));
        }
        if !(1..=LIFETIME_MS_MAX).contains(&lifetime_ms) {
            return Err(WardError::Invalid(
                "lời mời có hạn nhiều nhất 90 ngày (an invite lives at most 90 days)",
            ));
        }
        let is_known: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM officers WHERE id = ?1)",
            [officer.0.as_bytes()],
            |row| row.get(0),
        )?;
        if !is_known {
            return Err(WardError::NotFound("officer"));
        }
        let token: [u8; 16] = self.shared.random();
        let expires_at = Timestamp(self.now.0.saturating_add(lifetime_ms));
        self.connection.execute(
            "INSERT INTO invites (token_hash, officer, addresses, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                blake3::hash(&token).as_bytes(),
                officer.0.as_bytes(),
                addresses.join("\n"),
                self.now.0,
                expires_at.0
            ],
        )?;
        self.audit(Entry::of(Kind::InviteMade).about(officer))?;
        Ok(Invite {
            ward: self.shared.code,
            ward_key: self.shared.keys.public(),
            addresses: addresses.to_vec(),
            token,
            expires_at,
        })
    }

    pub(super) fn enrol(
        &mut self,
        device: DeviceId,
        request: &EnrolmentRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        let response = self.judge_enrolment(device, request)?;
        let entry = Entry::of(Kind::InviteUsed).about(device);
        self.audit(match &response {
            Ok(enrolment) => entry.by(Actor::Device {
                device,
                officer: enrolment.credential.officer,
            }),
            Err(refusal) => entry.by(Actor::Stranger).ending(match refusal {
                Refusal::InviteUnknown => "unknown",
                Refusal::InviteUsed => "used",
                Refusal::InviteExpired => "expired",
                Refusal::Revoked | Refusal::Wipe => "revoked",
                _ => "refused",
            }),
        })?;
        Ok(response)
    }

    /// A device that is enrolled asks to be known by another key. Until it uses that, the present one holds.
    pub(super) fn renew(
        &mut self,
        present: DeviceId,
        request: &RenewalRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        let known = match devices::find(self.connection, present)? {
            Ok(known) => known,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !request.verify(self.shared.code, present) {
            return Ok(Err(Refusal::UnknownDevice));
        }
        match devices::find(self.connection, request.device)? {
            // The answer got lost on the way: it gets it again.
            Ok(_) if devices::replaces(self.connection, request.device)? == Some(present) => {}
            Err(Refusal::UnknownDevice) => {
                self.connection.execute(
                    "INSERT INTO devices (id, officer, name, enrolled_at, app_version, clock_offset_ms,
                                          replaces, reported_epoch)
                     SELECT ?2, officer, name, ?3, app_version, clock_offset_ms, id, reported_epoch
                     FROM devices WHERE id = ?1",
                    params![present.as_bytes(), request.device.as_bytes(), self.now.0],
                )?;
                let entry = Entry::of(Kind::KeyRotated).by(known.actor());
                self.audit(entry.about(request.device).ending("begun"))?;
            }
            _ => return Ok(Err(Refusal::UnknownDevice)),
        }
        let next = devices::Known {
            id: request.device,
            ..known
        };
        Ok(Ok(self.enrolment(&next, vec![OWN_ADDRESSES.to_owned()])))
    }

    fn judge_enrolment(
        &mut self,
        device: DeviceId,
        request: &EnrolmentRequest,
    ) -> Result<EnrolmentResponse, WardError> {
        let token_hash = *blake3::hash(&request.token).as_bytes();
        let Some(invite) = self.stored_invite(&token_hash)? else {
            return Ok(Err(Refusal::InviteUnknown));
        };
        match invite.used_by {
            // The answer got lost on the way: the same device gets it again.
            Some(user) if user == device => {
                return Ok(match devices::find(self.connection, device)? {
                    Ok(known) => Ok(self.enrolment(&known, invite.addresses)),
                    Err(refusal) => Err(refusal),
                });
            }
            Some(_) => return Ok(Err(Refusal::InviteUsed)),
            None => {}
        }
        if invite.is_revoked {
            return Ok(Err(Refusal::InviteUnknown));
        }
        if self.now >= invite.expires_at {
            return Ok(Err(Refusal::InviteExpired));
        }
        match devices::find(self.connection, device)? {
            Err(refusal @ (Refusal::Revoked | Refusal::Wipe)) => return Ok(Err(refusal)),
            // A key belongs to one officer for life; another officer makes a new store.
            Ok(known) if known.author.officer != invite.officer => {
                return Ok(Err(Refusal::InviteUsed));
            }
            _ => {}
        }
        self.put_device(device, invite.officer, &request.device_name)?;
        self.connection.execute(
            "UPDATE invites SET used_by = ?2 WHERE token_hash = ?1",
            params![token_hash, device.as_bytes()],
        )?;
        Ok(match devices::find(self.connection, device)? {
            Ok(known) => Ok(self.enrolment(&known, invite.addresses)),
            Err(refusal) => Err(refusal),
        })
    }

    fn stored_invite(&self, token_hash: &[u8; 32]) -> rusqlite::Result<Option<StoredInvite>> {
        self.connection
            .query_row(
                "SELECT officer, addresses, expires_at, used_by, revoked_at IS NOT NULL
                 FROM invites WHERE token_hash = ?1",
                [token_hash],
                |row| {
                    let addresses: String = row.get(1)?;
                    let used_by: Option<[u8; 32]> = row.get(3)?;
                    Ok(StoredInvite {
                        officer: OfficerId(Uuid::from_bytes(row.get(0)?)),
                        addresses: addresses.lines().map(str::to_owned).collect(),
                        expires_at: Timestamp(row.get(2)?),
                        used_by: used_by.map(DeviceId),
                        is_revoked: row.get(4)?,
                    })
                },
            )
            .optional()
    }

    fn put_device(
        &self,
        device: DeviceId,
        officer: OfficerId,
        name: &str,
    ) -> Result<(), WardError> {
        let mut name = normalize(name);
        while name.len() > DEVICE_NAME_BYTES_MAX {
            name.pop();
        }
        if name.is_empty() {
            UNNAMED.clone_into(&mut name);
        }
        // A device that enrols now has nothing to give back to a ward that was restored before.
        let epoch = restore::current_epoch(self.connection)?;
        self.connection.execute(
            "INSERT INTO devices (id, officer, name, enrolled_at, app_version, clock_offset_ms, reported_epoch)
             VALUES (?1, ?2, ?3, ?4, '', 0, ?5)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            params![
                device.as_bytes(),
                officer.0.as_bytes(),
                name,
                self.now.0,
                epoch.as_bytes()
            ],
        )?;
        Ok(())
    }

    fn enrolment(&self, known: &devices::Known, addresses: Vec<String>) -> Enrolment {
        let keys = &self.shared.keys;
        let Author { officer, role } = known.author;
        let credential = DeviceCredential::sign(
            &keys.signing,
            self.shared.code,
            known.id,
            officer,
            role,
            self.now,
        );
        Enrolment {
            ward_key: keys.public(),
            rescue_key: keys.rescue_public(),
            addresses,
            credential,
        }
    }
}

fn is_address(address: &str) -> bool {
    address.len() <= ADDRESS_BYTES_MAX
        && !address.contains(char::is_whitespace)
        && address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
        })
}
