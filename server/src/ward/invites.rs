//! The invites that were given out: which are open still, and taking one back that was lost.

use gandan_core::model::{DeviceId, OfficerId, Timestamp};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::WardError;
use super::audit::{Entry, Kind};
use super::connections::Work;

/// How much of the token's hash is an invite's id: enough that no two of a ward's are alike, and nothing of
/// the token.
const ID_BYTES: usize = 6;

/// What has become of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteState {
    /// It enrols one device.
    Open,
    /// It has enrolled this one.
    Used(DeviceId),
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl InviteState {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used(_) => "used",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// An invite as the ward keeps it: its token is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRecord {
    /// Twelve hexadecimal digits, by which people name it.
    pub id: String,
    /// Whose device it enrols.
    pub officer: OfficerId,
    /// Their name.
    pub officer_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: InviteState,
}

/// All of them, the newest first.
pub(super) fn list(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<InviteRecord>> {
    connection
        .prepare(
            "SELECT i.token_hash, i.officer, o.name, i.created_at, i.expires_at, i.used_by, i.revoked_at
             FROM invites i JOIN officers o ON o.id = i.officer
             ORDER BY i.created_at DESC, i.token_hash",
        )?
        .query_map([], |row| {
            let hash: [u8; 32] = row.get(0)?;
            let expires_at = Timestamp(row.get(4)?);
            let used_by: Option<[u8; 32]> = row.get(5)?;
            let revoked_at: Option<i64> = row.get(6)?;
            Ok(InviteRecord {
                id: data_encoding::HEXLOWER.encode(&hash[..ID_BYTES]),
                officer: OfficerId(Uuid::from_bytes(row.get(1)?)),
                officer_name: row.get(2)?,
                created_at: Timestamp(row.get(3)?),
                expires_at,
                state: match (used_by, revoked_at) {
                    (Some(device), _) => InviteState::Used(DeviceId(device)),
                    (None, Some(_)) => InviteState::Revoked,
                    (None, None) if now >= expires_at => InviteState::Expired,
                    (None, None) => InviteState::Open,
                },
            })
        })?
        .collect()
}

impl Work<'_> {
    /// Takes an open invite back.
    pub(super) fn revoke_invite(&mut self, id: &str) -> Result<(), WardError> {
        let id = data_encoding::HEXLOWER_PERMISSIVE
            .decode(id.as_bytes())
            .ok()
            .filter(|id| id.len() == ID_BYTES)
            .ok_or(WardError::NotFound("invite"))?;
        let changed = self.connection.execute(
            "UPDATE invites SET revoked_at = ?2
             WHERE substr(token_hash, 1, length(?1)) = ?1 AND used_by IS NULL AND revoked_at IS NULL",
            params![id, self.now.0],
        )?;
        if changed == 0 {
            return Err(WardError::NotFound("invite"));
        }
        self.audit(Entry::of(Kind::InviteRevoked))
    }
}
