//! Sessions of the console, known by a hash of their tokens. Knows no HTTP.

use gandan_core::model::{OfficerId, Timestamp};
use gandan_core::policy::Author;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{Actor, Entry, Kind};
use super::connections::{Shared, Work};
use super::sign_in::Origin;
use super::{Staff, Ward, WardError, directory};

/// A session that nobody uses ends after half an hour, any session after a long day, one that awaits a code
/// after five minutes.
const IDLE_MS_MAX: i64 = 30 * 60 * 1000;
const SESSION_MS_MAX: i64 = 12 * 60 * 60 * 1000;
const AWAITING_MS_MAX: i64 = 5 * 60 * 1000;

/// How exactly the last use of a session is known; saves a transaction at every click.
const SEEN_STEP_MS: i64 = 60 * 1000;

/// An open session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names it among the owner's; opens nothing.
    pub id: String,
    /// When somebody signed in.
    pub began_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

impl Ward {
    /// Whose session a token is, if it is valid still and awaits no code.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn session(&self, token: &str) -> Result<Option<Staff>, WardError> {
        let shared = &self.shared;
        let Some(hash) = token_hash(token) else {
            return Ok(None);
        };
        let now = shared.environment.now().0;
        let found = shared.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT s.officer, o.role, t.login, o.name, s.seen_at FROM sessions s
                     JOIN staff t ON t.officer = s.officer JOIN officers o ON o.id = s.officer
                     WHERE s.token_hash = ?1 AND s.seen_at > ?2 AND s.began_at > ?3 AND s.awaits_code = 0",
                )?
                .query_row(
                    params![hash, now - IDLE_MS_MAX, now - SESSION_MS_MAX],
                    |row| {
                        let author = Author {
                            officer: OfficerId(Uuid::from_bytes(row.get(0)?)),
                            role: directory::role(row, 1)?,
                        };
                        let staff = Staff {
                            author,
                            login: row.get(2)?,
                            name: row.get(3)?,
                        };
                        Ok((staff, row.get::<_, i64>(4)?))
                    },
                )
                .optional()?)
        })?;
        let Some((staff, seen_at)) = found else {
            return Ok(None);
        };
        if now - seen_at >= SEEN_STEP_MS {
            shared.write(Actor::Ward, |work| {
                work.connection.execute(
                    "UPDATE sessions SET seen_at = ?2 WHERE token_hash = ?1",
                    params![hash, now],
                )?;
                Ok(())
            })?;
        }
        Ok(Some(staff))
    }

    /// Whether a token is of a session that awaits a code.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn awaits_code(&self, token: &str) -> Result<bool, WardError> {
        awaiting(&self.shared, token).map(|officer| officer.is_some())
    }

    /// The open sessions of one officer, newest first; `token` is the one that asks.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn sessions(&self, officer: OfficerId, token: &str) -> Result<Vec<Session>, WardError> {
        let asking = token_hash(token);
        let now = self.shared.environment.now().0;
        self.shared.read(|connection| {
            Ok(connection
                .prepare(
                    "SELECT token_hash, began_at, seen_at, address, browser FROM sessions
                     WHERE officer = ?1 AND seen_at > ?2 AND began_at > ?3 AND awaits_code = 0
                     ORDER BY began_at DESC",
                )?
                .query_map(
                    params![
                        officer.0.as_bytes(),
                        now - IDLE_MS_MAX,
                        now - SESSION_MS_MAX
                    ],
                    |row| {
                        let hash: [u8; 32] = row.get(0)?;
                        Ok(Session {
                            id: id(&hash),
                            began_at: Timestamp(row.get(1)?),
                            seen_at: Timestamp(row.get(2)?),
                            origin: Origin {
                                address: row.get(3)?,
                                browser: row.get(4)?,
                            },
                            is_this: asking == Some(hash),
                        })
                    },
                )?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Ends a session of one's own by its id, `None`: all but the one that asks. Gives how many.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn end_sessions(
        &self,
        officer: OfficerId,
        token: &str,
        named: Option<&str>,
    ) -> Result<usize, WardError> {
        self.shared.write(Actor::Staff(officer), |work| {
            let ended = work.end_sessions(officer, token, named)?;
            if ended > 0 {
                let entry = Entry::of(Kind::SessionEnded).about(officer);
                work.audit(entry.counting("sessions", ended as u64))?;
            }
            Ok(ended)
        })
    }

    /// Ends every session of a member of staff.
    ///
    /// # Errors
    /// [`WardError::NotFound`] if nobody has this login, or the store's.
    pub fn sign_out_everywhere(&self, login: &str) -> Result<(), WardError> {
        self.shared.write(self.by, |work| {
            let officer = work.staff_named(login)?;
            work.end_all_sessions(officer)?;
            work.audit(Entry::of(Kind::SessionEnded).about(officer))
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn sign_out(&self, token: &str) -> Result<(), WardError> {
        let Some(hash) = token_hash(token) else {
            return Ok(());
        };
        self.shared.write(Actor::Ward, |work| {
            let officer: Option<[u8; 16]> = work
                .connection
                .query_row(
                    "DELETE FROM sessions WHERE token_hash = ?1 RETURNING officer",
                    [hash],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(officer) = officer else {
                return Ok(());
            };
            let officer = Actor::Staff(OfficerId(Uuid::from_bytes(officer)));
            work.audit(Entry::of(Kind::SignOut).by(officer))
        })
    }
}

/// Whose session awaits a code.
pub(super) fn awaiting(shared: &Shared, token: &str) -> Result<Option<OfficerId>, WardError> {
    let Some(hash) = token_hash(token) else {
        return Ok(None);
    };
    let since = shared.environment.now().0 - AWAITING_MS_MAX;
    shared.read(|connection| {
        Ok(connection
            .query_row(
                "SELECT officer FROM sessions WHERE token_hash = ?1 AND began_at > ?2 AND awaits_code = 1",
                params![hash, since],
                |row| Ok(OfficerId(Uuid::from_bytes(row.get(0)?))),
            )
            .optional()?)
    })
}

impl Work<'_> {
    /// Gives the token.
    pub(super) fn begin_session(
        &self,
        officer: OfficerId,
        origin: &Origin,
        awaits_code: bool,
    ) -> Result<String, WardError> {
        let now = self.now.0;
        self.connection.execute(
            "DELETE FROM sessions WHERE seen_at < ?1 OR began_at < ?2",
            [now - IDLE_MS_MAX, now - SESSION_MS_MAX],
        )?;
        let token = Zeroizing::new(self.shared.random::<32>());
        self.connection.execute(
            "INSERT INTO sessions (token_hash, officer, began_at, seen_at, address, browser, awaits_code)
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
            params![
                blake3::hash(&*token).as_bytes(),
                officer.0.as_bytes(),
                now,
                origin.address,
                origin.browser,
                awaits_code
            ],
        )?;
        Ok(data_encoding::HEXLOWER.encode(&*token))
    }

    pub(super) fn end_sessions(
        &self,
        officer: OfficerId,
        token: &str,
        named: Option<&str>,
    ) -> rusqlite::Result<usize> {
        let asking = token_hash(token);
        let hashes: Vec<[u8; 32]> = self
            .connection
            .prepare("SELECT token_hash FROM sessions WHERE officer = ?1")?
            .query_map([officer.0.as_bytes()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let is_meant = |hash: &[u8; 32]| match named {
            Some(named) => id(hash) == named,
            None => asking != Some(*hash),
        };
        let meant: Vec<_> = hashes.into_iter().filter(is_meant).collect();
        for hash in &meant {
            self.connection
                .execute("DELETE FROM sessions WHERE token_hash = ?1", [hash])?;
        }
        Ok(meant.len())
    }

    /// The code that a session awaited was right; gives its new token.
    pub(super) fn open_session(&self, token: &str) -> rusqlite::Result<String> {
        let renewed = Zeroizing::new(self.shared.random::<32>());
        self.connection.execute(
            "UPDATE sessions SET token_hash = ?2, awaits_code = 0, seen_at = ?3 WHERE token_hash = ?1",
            params![
                token_hash(token),
                blake3::hash(&*renewed).as_bytes(),
                self.now.0
            ],
        )?;
        Ok(data_encoding::HEXLOWER.encode(&*renewed))
    }

    /// Whoever knew what was changed may hold one.
    pub(super) fn end_all_sessions(&self, officer: OfficerId) -> rusqlite::Result<()> {
        self.connection
            .execute(
                "DELETE FROM sessions WHERE officer = ?1",
                [officer.0.as_bytes()],
            )
            .map(drop)
    }
}

/// A name for a session that tells nothing of its token.
fn id(token_hash: &[u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(&token_hash[..8])
}

fn token_hash(token: &str) -> Option<[u8; 32]> {
    let token = data_encoding::HEXLOWER.decode(token.as_bytes()).ok()?;
    (token.len() == 32).then(|| *blake3::hash(&token).as_bytes())
}
