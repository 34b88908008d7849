//! The ward's staff: passwords as argon2id, sessions as hashes of their tokens. Knows no HTTP.

use argon2::{Algorithm, Argon2, Params, Version};
use gandan_core::model::{OfficerId, Role};
use gandan_core::policy::Author;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Actor, Entry, Kind};
use super::connections::{Shared, Work, lock};
use super::{Staff, WardError, directory};

/// What the Password Storage Cheat Sheet of OWASP asks of argon2id: memory, passes, lanes.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const PARALLELISM: u32 = 1;

/// Shortest and longest password, in characters and bytes.
const PASSWORD_CHARACTERS_MIN: usize = 8;
const PASSWORD_BYTES_MAX: usize = 256;

/// A session that nobody uses ends after half an hour, any session after a long day.
const IDLE_MS_MAX: i64 = 30 * 60 * 1000;
const SESSION_MS_MAX: i64 = 12 * 60 * 60 * 1000;

/// How exactly the last use of a session is known; saves a transaction at every click.
const SEEN_STEP_MS: i64 = 60 * 1000;

/// From this many failures in a row on, each further try has to wait, twice as long each time but never
/// longer than the maximum: so that nobody can lock another person out for long.
const FREE_FAILURES: u32 = 5;
const DELAY_MS_MAX: i64 = 30 * 1000;

/// Failures are forgotten after an hour.
const FAILURES_KEPT_MS: i64 = 60 * 60 * 1000;

/// A password hash with its parameters.
struct Hash {
    salt: [u8; 16],
    hash: [u8; 32],
    parameters: (u32, u32, u32),
}

impl Hash {
    fn make(shared: &Shared, password: &str) -> Result<Self, WardError> {
        let parameters = (MEMORY_KIB, ITERATIONS, PARALLELISM);
        let salt = shared.random();
        Ok(Self {
            salt,
            hash: *derive(shared, password, &salt, parameters)?,
            parameters,
        })
    }

    /// Takes as long for a wrong password as for the right one.
    fn matches(&self, shared: &Shared, password: &str) -> Result<bool, WardError> {
        let hash = derive(shared, password, &self.salt, self.parameters)?;
        // The comparison of BLAKE3's hashes does not end early.
        Ok(blake3::Hash::from_bytes(*hash) == blake3::Hash::from_bytes(self.hash))
    }
}

fn derive(
    shared: &Shared,
    password: &str,
    salt: &[u8; 16],
    (memory, iterations, parallelism): (u32, u32, u32),
) -> Result<Zeroizing<[u8; 32]>, WardError> {
    let parameters =
        Params::new(memory, iterations, parallelism, Some(32)).map_err(|_| WardError::Damaged)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let mut hash = Zeroizing::new([0; 32]);
    // One at a time, so that a flood of sign-ins cannot fill memory.
    let _turn = lock(&shared.hashing);
    argon2
        .hash_password_into(password.as_bytes(), salt, hash.as_mut())
        .map_err(|_| {
            WardError::Invalid("không dùng được mật khẩu này (this password cannot be used)")
        })?;
    Ok(hash)
}

pub(super) fn add(
    shared: &Shared,
    by: Actor,
    login: &str,
    name: &str,
    role: Role,
    password: &str,
) -> Result<OfficerId, WardError> {
    let is_login = (2..=40).contains(&login.len())
        && login.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
        });
    if !is_login {
        return Err(WardError::Invalid(
            "tên đăng nhập gồm 2 đến 40 chữ thường không dấu, chữ số, dấu chấm, gạch nối hoặc gạch dưới (a login has 2 to 40 small letters, digits, dots, hyphens or underscores)",
        ));
    }
    if !matches!(role, Role::Triage | Role::Chair | Role::Admin) {
        return Err(WardError::Invalid(
            "người dùng trang tiếp nhận là triage, chair hoặc admin; cán bộ đi cơ sở được mời cùng điện thoại (staff are triage, chair or admin; officers and leaders are invited with a phone)",
        ));
    }
    let hash = new_hash(shared, password)?;
    shared.write(by, |work| work.put_staff(login, name, role, &hash))
}

/// Gives a member of staff another password, and ends every session: whoever knew the old one may
/// hold one.
pub(super) fn set_password(
    shared: &Shared,
    by: Actor,
    login: &str,
    password: &str,
) -> Result<(), WardError> {
    let hash = new_hash(shared, password)?;
    shared.write(by, |work| {
        let (memory, iterations, parallelism) = hash.parameters;
        let officer: Option<[u8; 16]> = work
            .connection
            .query_row(
                "UPDATE staff SET salt = ?2, password_hash = ?3, memory_kib = ?4, iterations = ?5,
                     parallelism = ?6
                 WHERE login = ?1 RETURNING officer",
                params![login, hash.salt, hash.hash, memory, iterations, parallelism],
                |row| row.get(0),
            )
            .optional()?;
        let officer = officer.ok_or(WardError::NotFound("login"))?;
        work.connection
            .execute("DELETE FROM sessions WHERE officer = ?1", [officer])?;
        let officer = OfficerId(Uuid::from_bytes(officer));
        work.audit(Entry::of(Kind::StaffChanged).about(officer))
    })
}

fn new_hash(shared: &Shared, password: &str) -> Result<Hash, WardError> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(WardError::Invalid(
            "mật khẩu có ít nhất 8 ký tự và nhiều nhất 256 byte (a password has at least 8 characters and at most 256 bytes)",
        ));
    }
    Hash::make(shared, password)
}

impl Work<'_> {
    fn put_staff(
        &mut self,
        login: &str,
        name: &str,
        role: Role,
        hash: &Hash,
    ) -> Result<OfficerId, WardError> {
        let is_taken: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM staff WHERE login = ?1)",
            [login],
            |row| row.get(0),
        )?;
        if is_taken {
            return Err(WardError::Taken("login"));
        }
        let mut officer = self.officer(name, role, &[])?;
        let has_login: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM staff WHERE officer = ?1)",
            [officer.0.as_bytes()],
            |row| row.get(0),
        )?;
        if has_login {
            // Two people of one name are two people.
            officer = self.make_officer(&gandan_core::model::text::normalize(name), role)?;
        }
        let (memory, iterations, parallelism) = hash.parameters;
        self.connection.execute(
            "INSERT INTO staff (officer, login, salt, password_hash, memory_kib, iterations, parallelism)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                officer.0.as_bytes(),
                login,
                hash.salt,
                hash.hash,
                memory,
                iterations,
                parallelism
            ],
        )?;
        self.audit(Entry::of(Kind::StaffAdded).about(officer))?;
        Ok(officer)
    }
}

pub(super) fn sign_in(
    shared: &Shared,
    login: &str,
    password: &str,
    source: &str,
) -> Result<Option<String>, WardError> {
    let now = shared.environment.now().0;
    let subject = subject(login, source);
    let (is_locked, found) = shared.read(|connection| {
        let (failures, last_at) = failures(connection, &subject)?;
        let is_locked = now < last_at.saturating_add(delay_ms(failures)) && now >= last_at;
        Ok((is_locked, find(connection, login)?))
    })?;
    // Whom it was tried for; what was typed may be anything, and is not noted.
    let tried = found.as_ref().map(|(officer, _)| *officer);
    if is_locked {
        let entry = attempt(tried).by(Actor::Stranger).ending("locked");
        audit::note(shared, Actor::Stranger, entry)?;
        return Err(WardError::TooManyAttempts);
    }
    let is_too_long = password.len() > PASSWORD_BYTES_MAX;
    let officer = match found {
        Some((officer, hash)) if !is_too_long && hash.matches(shared, password)? => Some(officer),
        Some(_) => None,
        None => {
            // An unknown login takes as long as a known one.
            let nobody = Hash {
                salt: [0; 16],
                hash: [0; 32],
                parameters: (MEMORY_KIB, ITERATIONS, PARALLELISM),
            };
            nobody.matches(shared, if is_too_long { "" } else { password })?;
            None
        }
    };
    shared.write(Actor::Stranger, |work| {
        work.connection.execute(
            "DELETE FROM sign_in_failures WHERE last_at < ?1",
            [now - FAILURES_KEPT_MS],
        )?;
        let Some(officer) = officer else {
            work.connection.execute(
                "INSERT INTO sign_in_failures (subject, failures, last_at) VALUES (?1, 1, ?2)
                 ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
                params![subject, now],
            )?;
            work.audit(attempt(tried).ending("refused"))?;
            return Ok(None);
        };
        work.connection
            .execute("DELETE FROM sign_in_failures WHERE subject = ?1", [subject])?;
        work.connection.execute(
            "DELETE FROM sessions WHERE seen_at < ?1 OR began_at < ?2",
            [now - IDLE_MS_MAX, now - SESSION_MS_MAX],
        )?;
        let token = Zeroizing::new(shared.random::<32>());
        work.connection.execute(
            "INSERT INTO sessions (token_hash, officer, began_at, seen_at) VALUES (?1, ?2, ?3, ?3)",
            params![blake3::hash(&*token).as_bytes(), officer.0.as_bytes(), now],
        )?;
        work.audit(attempt(None).by(Actor::Staff(officer)))?;
        Ok(Some(data_encoding::HEXLOWER.encode(&*token)))
    })
}

fn attempt(tried: Option<OfficerId>) -> Entry {
    let entry = Entry::of(Kind::SignIn);
    match tried {
        Some(officer) => entry.about(officer),
        None => entry,
    }
}

pub(super) fn session(shared: &Shared, token: &str) -> Result<Option<Staff>, WardError> {
    let Some(token_hash) = token_hash(token) else {
        return Ok(None);
    };
    let now = shared.environment.now().0;
    let found = shared.read(|connection| {
        Ok(connection
            .prepare_cached(
                "SELECT s.officer, o.role, t.login, o.name, s.seen_at FROM sessions s
                 JOIN staff t ON t.officer = s.officer JOIN officers o ON o.id = s.officer
                 WHERE s.token_hash = ?1 AND s.seen_at > ?2 AND s.began_at > ?3",
            )?
            .query_row(
                params![token_hash, now - IDLE_MS_MAX, now - SESSION_MS_MAX],
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
                params![token_hash, now],
            )?;
            Ok(())
        })?;
    }
    Ok(Some(staff))
}

pub(super) fn sign_out(shared: &Shared, token: &str) -> Result<(), WardError> {
    let Some(token_hash) = token_hash(token) else {
        return Ok(());
    };
    shared.write(Actor::Ward, |work| {
        let officer: Option<[u8; 16]> = work
            .connection
            .query_row(
                "DELETE FROM sessions WHERE token_hash = ?1 RETURNING officer",
                [token_hash],
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

fn find(connection: &Connection, login: &str) -> rusqlite::Result<Option<(OfficerId, Hash)>> {
    connection
        .query_row(
            "SELECT officer, salt, password_hash, memory_kib, iterations, parallelism
             FROM staff WHERE login = ?1",
            [login],
            |row| {
                let hash = Hash {
                    salt: row.get(1)?,
                    hash: row.get(2)?,
                    parameters: (row.get(3)?, row.get(4)?, row.get(5)?),
                };
                Ok((OfficerId(Uuid::from_bytes(row.get(0)?)), hash))
            },
        )
        .optional()
}

fn failures(connection: &Connection, subject: &[u8; 32]) -> rusqlite::Result<(u32, i64)> {
    let found = connection
        .query_row(
            "SELECT failures, last_at FROM sign_in_failures WHERE subject = ?1",
            [subject],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn delay_ms(failures: u32) -> i64 {
    if failures < FREE_FAILURES {
        return 0;
    }
    let doublings = (failures - FREE_FAILURES).min(5);
    (1_000_i64 << doublings).min(DELAY_MS_MAX)
}

fn subject(login: &str, source: &str) -> [u8; 32] {
    *blake3::hash(format!("{login}\n{source}").as_bytes()).as_bytes()
}

fn token_hash(token: &str) -> Option<[u8; 32]> {
    let token = data_encoding::HEXLOWER.decode(token.as_bytes()).ok()?;
    (token.len() == 32).then(|| *blake3::hash(&token).as_bytes())
}
