//! The ward's staff and their passwords, as argon2id. Knows no HTTP.

use argon2::{Algorithm, Argon2, Params, Version};
use gandan_core::model::{OfficerId, Role};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use super::audit::{Actor, Entry, Kind};
use super::connections::{Shared, Work, lock};
use super::sign_in::{refuse_if_locked, subject};
use super::{Ward, WardError, directory};

/// What the Password Storage Cheat Sheet of OWASP asks of argon2id: memory, passes, lanes.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const PARALLELISM: u32 = 1;

/// Shortest and longest password, in characters and bytes.
const PASSWORD_CHARACTERS_MIN: usize = 8;
pub(super) const PASSWORD_BYTES_MAX: usize = 256;

/// A password hash with its parameters.
pub(super) struct Hash {
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

    /// Of no password, to compute with where there is nobody.
    pub(super) fn of_nobody() -> Self {
        Self {
            salt: [0; 16],
            hash: [0; 32],
            parameters: (MEMORY_KIB, ITERATIONS, PARALLELISM),
        }
    }

    /// Takes as long for a wrong password as for the right one.
    pub(super) fn matches(&self, shared: &Shared, password: &str) -> Result<bool, WardError> {
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

/// Somebody who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffRecord {
    /// What they type.
    pub login: String,
    /// As others see them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether a code is asked for beside the password.
    pub has_second_factor: bool,
}

impl Ward {
    /// Adds a member of staff with an argon2id hash of the password.
    ///
    /// # Errors
    /// [`WardError::Invalid`] says what is wrong with the login, the role or the password;
    /// [`WardError::Taken`] if somebody else has the login; or the store's.
    pub fn add_staff(
        &self,
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
        let hash = new_hash(&self.shared, password, login)?;
        self.shared
            .write(self.by, |work| work.put_staff(login, name, role, &hash))
    }

    /// Everybody who may sign in, by login.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn staff(&self) -> Result<Vec<StaffRecord>, WardError> {
        self.shared.read(|connection| {
            Ok(connection
                .prepare(
                    "SELECT s.login, o.name, o.role,
                            EXISTS (SELECT 1 FROM second_factors f WHERE f.officer = s.officer AND f.is_on = 1)
                     FROM staff s JOIN officers o ON o.id = s.officer ORDER BY s.login",
                )?
                .query_map([], |row| {
                    Ok(StaffRecord {
                        login: row.get(0)?,
                        name: row.get(1)?,
                        role: directory::role(row, 2)?,
                        has_second_factor: row.get(3)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Somebody has left: they sign in no more, and every session of theirs ends. What they did stays theirs.
    ///
    /// # Errors
    /// [`WardError::NotFound`] if nobody has this login, or the store's.
    pub fn remove_staff(&self, login: &str) -> Result<(), WardError> {
        self.shared.write(self.by, |work| {
            let officer = work.staff_named(login)?;
            work.end_all_sessions(officer)?;
            work.forget_factor(officer)?;
            work.connection.execute(
                "DELETE FROM staff WHERE officer = ?1",
                [officer.0.as_bytes()],
            )?;
            work.audit(
                Entry::of(Kind::StaffChanged)
                    .about(officer)
                    .ending("removed"),
            )
        })
    }

    /// Gives a member of staff another password, and ends every session: whoever knew the old one may
    /// hold one.
    ///
    /// # Errors
    /// [`WardError::Invalid`], [`WardError::NotFound`] if nobody has this login, or the store's.
    pub fn set_password(&self, login: &str, password: &str) -> Result<(), WardError> {
        let hash = new_hash(&self.shared, password, login)?;
        self.shared.write(self.by, |work| {
            let officer = work.put_password(login, &hash)?;
            work.end_all_sessions(officer)?;
            work.audit(Entry::of(Kind::StaffChanged).about(officer))
        })
    }

    /// Somebody gives himself another password; ends every session but `token`'s. `false` if the old one
    /// is wrong.
    ///
    /// # Errors
    /// [`WardError::Invalid`], [`WardError::TooManyAttempts`], or the store's.
    pub fn change_password(
        &self,
        login: &str,
        token: &str,
        old: &str,
        new: &str,
    ) -> Result<bool, WardError> {
        let shared = &self.shared;
        let (officer, hash) = shared
            .read(|connection| Ok(find(connection, login)?))?
            .ok_or(WardError::NotFound("login"))?;
        let subject = subject(login, "password");
        refuse_if_locked(shared, &subject, Some(officer))?;
        let new_hash = new_hash(shared, new, login)?;
        let is_right = old.len() <= PASSWORD_BYTES_MAX && hash.matches(shared, old)?;
        shared.write(Actor::Staff(officer), |work| {
            let entry = Entry::of(Kind::StaffChanged).about(officer);
            if !is_right {
                work.note_failure(&subject)?;
                work.audit(entry.ending("refused"))?;
                return Ok(false);
            }
            work.forget_failures(&subject)?;
            work.put_password(login, &new_hash)?;
            work.end_sessions(officer, token, None)?;
            work.audit(entry)?;
            Ok(true)
        })
    }
}

fn new_hash(shared: &Shared, password: &str, login: &str) -> Result<Hash, WardError> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(WardError::Invalid(
            "mật khẩu có ít nhất 8 ký tự và nhiều nhất 256 byte (a password has at least 8 characters and at most 256 bytes)",
        ));
    }
    let ward = shared.code.to_string();
    if zxcvbn(password, &[login, &ward, "gandan", "phuong"]).score() < Score::Two {
        return Err(WardError::Invalid(
            "mật khẩu này dễ đoán, hãy dùng vài từ không liên quan nhau (this password is easy to guess: take some words that have nothing to do with each other)",
        ));
    }
    Hash::make(shared, password)
}

impl Work<'_> {
    /// Who signs in with this login.
    pub(super) fn staff_named(&self, login: &str) -> Result<OfficerId, WardError> {
        let found = find(self.connection, login)?;
        found
            .map(|(officer, _)| officer)
            .ok_or(WardError::NotFound("login"))
    }

    fn put_password(&self, login: &str, hash: &Hash) -> Result<OfficerId, WardError> {
        let (memory, iterations, parallelism) = hash.parameters;
        let officer: Option<[u8; 16]> = self
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
        Ok(OfficerId(Uuid::from_bytes(officer)))
    }

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

pub(super) fn find(
    connection: &Connection,
    login: &str,
) -> rusqlite::Result<Option<(OfficerId, Hash)>> {
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
