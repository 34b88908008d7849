//! The second factor of the console: codes of a phone's authenticator (TOTP, RFC 6238: SHA-1, six digits,
//! thirty seconds, which every such app reads) and ten recovery codes for the day it is lost. Knows no HTTP.

use data_encoding::BASE32_NOPAD;
use gandan_core::model::OfficerId;
use rusqlite::{Connection, OptionalExtension, params};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use super::audit::{Actor, Entry, Kind};
use super::connections::{Work, from_sql, to_sql};
use super::sign_in::{refuse_if_locked, subject};
use super::{Ward, WardError};

/// Recovery codes that somebody gets at once, and their random bytes: 80 bits need no slow hash.
const RECOVERY_CODES: usize = 10;
/// 120 bits, so that a plain hash keeps them (ASVS 6.5.2).
const RECOVERY_BYTES: usize = 15;

/// By which authenticators call us, with the ward's code behind it.
const ISSUER: &str = "Gan Dan";

/// Whether somebody has a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The password alone opens a session.
    Off,
    /// A secret was shown; no code of it was typed yet.
    Begun,
    /// A code is asked for.
    On {
        /// Recovery codes that were not used.
        recovery_codes: usize,
    },
}

/// What an authenticator has to know.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorSecret {
    /// To be typed.
    pub base32: Zeroizing<String>,
    /// To be shown as a QR code: `otpauth://totp/…`.
    pub url: Zeroizing<String>,
}

impl Ward {
    /// Whether an officer has a second factor.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn second_factor(&self, officer: OfficerId) -> Result<Factor, WardError> {
        self.shared.read(|connection| Ok(of(connection, officer)?))
    }

    /// The secret of a factor that is begun, made if there is none yet.
    ///
    /// # Errors
    /// [`WardError::Taken`] if the factor is on: a secret is shown before that alone.
    pub fn begin_second_factor(
        &self,
        officer: OfficerId,
        login: &str,
    ) -> Result<FactorSecret, WardError> {
        let issuer = format!("{ISSUER} {}", self.shared.code);
        self.shared.write(Actor::Staff(officer), |work| {
            let fresh = Zeroizing::new(work.shared.random::<20>());
            work.connection.execute(
                "INSERT OR IGNORE INTO second_factors (officer, secret, is_on, last_step) VALUES (?1, ?2, 0, 0)",
                params![officer.0.as_bytes(), *fresh],
            )?;
            let stored = stored(work.connection, officer)?.ok_or(WardError::Damaged)?;
            if stored.is_on {
                return Err(WardError::Taken("second factor"));
            }
            let totp = totp(&stored.secret, login, &issuer)?;
            Ok(FactorSecret {
                base32: Zeroizing::new(totp.secret().to_base32()),
                url: Zeroizing::new(totp.to_url().map_err(|_| WardError::Damaged)?),
            })
        })
    }

    /// Turns a factor on by a code of its secret: gives recovery codes, which are shown this once. `None` if
    /// the code is wrong.
    ///
    /// # Errors
    /// [`WardError::TooManyAttempts`], or the store's.
    pub fn confirm_second_factor(
        &self,
        officer: OfficerId,
        code: &str,
    ) -> Result<Option<Vec<String>>, WardError> {
        self.by_code(officer, code, |work| {
            work.connection.execute(
                "UPDATE second_factors SET is_on = 1 WHERE officer = ?1",
                [officer.0.as_bytes()],
            )?;
            work.audit(changed(officer, "second_factor_on"))?;
            work.new_recovery_codes(officer)
        })
    }

    /// Other recovery codes in place of those there were; `None` if the code is wrong.
    ///
    /// # Errors
    /// [`WardError::TooManyAttempts`], or the store's.
    pub fn renew_recovery_codes(
        &self,
        officer: OfficerId,
        code: &str,
    ) -> Result<Option<Vec<String>>, WardError> {
        self.by_code(officer, code, |work| {
            work.audit(changed(officer, "recovery_codes"))?;
            work.new_recovery_codes(officer)
        })
    }

    /// Turns one's own factor off; `None` if the code is wrong.
    ///
    /// # Errors
    /// [`WardError::TooManyAttempts`], or the store's.
    pub fn remove_second_factor(
        &self,
        officer: OfficerId,
        code: &str,
    ) -> Result<Option<()>, WardError> {
        self.by_code(officer, code, |work| {
            work.forget_factor(officer)?;
            work.audit(changed(officer, "second_factor_off"))
        })
    }

    /// Turns off the factor of somebody who has lost the phone and the recovery codes; ends their sessions.
    ///
    /// # Errors
    /// [`WardError::NotFound`] if nobody has this login, or the store's.
    pub fn reset_second_factor(&self, login: &str) -> Result<(), WardError> {
        self.shared.write(self.by, |work| {
            let officer = work.staff_named(login)?;
            work.forget_factor(officer)?;
            work.end_all_sessions(officer)?;
            work.audit(changed(officer, "second_factor_reset"))
        })
    }

    /// Does something that a right code allows. Wrong ones count, as at signing in.
    fn by_code<T>(
        &self,
        officer: OfficerId,
        code: &str,
        action: impl FnOnce(&mut Work<'_>) -> Result<T, WardError>,
    ) -> Result<Option<T>, WardError> {
        let subject = subject(&format!("{officer}"), "code");
        refuse_if_locked(&self.shared, &subject, Some(officer))?;
        self.shared.write(Actor::Staff(officer), |work| {
            if work.take_code(officer, code)? {
                work.forget_failures(&subject)?;
                action(work).map(Some)
            } else {
                work.note_failure(&subject)?;
                work.audit(changed(officer, "code_refused"))?;
                Ok(None)
            }
        })
    }
}

fn changed(officer: OfficerId, how: &'static str) -> Entry {
    Entry::of(Kind::StaffChanged).about(officer).ending(how)
}

struct Stored {
    secret: Zeroizing<Vec<u8>>,
    is_on: bool,
    /// The newest step of which a code was taken: none is taken twice (RFC 6238, section 5.2).
    last_step: u64,
}

pub(super) fn of(connection: &Connection, officer: OfficerId) -> rusqlite::Result<Factor> {
    let Some(stored) = stored(connection, officer)? else {
        return Ok(Factor::Off);
    };
    if !stored.is_on {
        return Ok(Factor::Begun);
    }
    let recovery_codes = connection.query_row(
        "SELECT COUNT(*) FROM recovery_codes WHERE officer = ?1",
        [officer.0.as_bytes()],
        |row| row.get::<_, i64>(0),
    )?;
    Ok(Factor::On {
        recovery_codes: usize::try_from(recovery_codes).unwrap_or_default(),
    })
}

fn stored(connection: &Connection, officer: OfficerId) -> rusqlite::Result<Option<Stored>> {
    connection
        .query_row(
            "SELECT secret, is_on, last_step FROM second_factors WHERE officer = ?1",
            [officer.0.as_bytes()],
            |row| {
                Ok(Stored {
                    secret: Zeroizing::new(row.get(0)?),
                    is_on: row.get(1)?,
                    last_step: from_sql(row.get(2)?),
                })
            },
        )
        .optional()
}

fn totp(secret: &[u8], login: &str, issuer: &str) -> Result<Totp, WardError> {
    Builder::new()
        .with_secret(Secret::new(secret.into()))
        .with_account_name(login)
        .with_issuer(Some(issuer))
        .build()
        .map_err(|_| WardError::Damaged)
}

/// A code as it is read and copied by hand.
fn in_groups(code: &str) -> String {
    let groups: Vec<_> = code.as_bytes().chunks(4).collect();
    String::from_utf8_lossy(&groups.join(&b'-')).into_owned()
}

impl Work<'_> {
    /// Takes a code of the authenticator or a recovery code, each once.
    pub(super) fn take_code(&self, officer: OfficerId, typed: &str) -> Result<bool, WardError> {
        let typed: String = typed
            .chars()
            .filter(|symbol| symbol.is_ascii_alphanumeric())
            .map(|symbol| symbol.to_ascii_uppercase())
            .collect();
        let Some(stored) = stored(self.connection, officer)? else {
            return Ok(false);
        };
        let seconds = u64::try_from(self.now.0 / 1_000).unwrap_or_default();
        let step = totp(&stored.secret, "", ISSUER)?.check(&typed, seconds);
        if let Some(step) = step.filter(|step| *step > stored.last_step) {
            self.connection.execute(
                "UPDATE second_factors SET last_step = ?2 WHERE officer = ?1",
                params![officer.0.as_bytes(), to_sql(step)],
            )?;
            return Ok(true);
        }
        let used = self.connection.execute(
            "DELETE FROM recovery_codes WHERE officer = ?1 AND code_hash = ?2",
            params![
                officer.0.as_bytes(),
                blake3::hash(typed.as_bytes()).as_bytes()
            ],
        )?;
        Ok(used == 1)
    }

    fn new_recovery_codes(&self, officer: OfficerId) -> Result<Vec<String>, WardError> {
        let of_officer = [officer.0.as_bytes()];
        self.connection
            .execute("DELETE FROM recovery_codes WHERE officer = ?1", of_officer)?;
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let code = BASE32_NOPAD.encode(&self.shared.random::<RECOVERY_BYTES>());
            self.connection.execute(
                "INSERT INTO recovery_codes (officer, code_hash) VALUES (?1, ?2)",
                params![
                    officer.0.as_bytes(),
                    blake3::hash(code.as_bytes()).as_bytes()
                ],
            )?;
            codes.push(in_groups(&code));
        }
        Ok(codes)
    }

    pub(super) fn forget_factor(&self, officer: OfficerId) -> rusqlite::Result<()> {
        for table in ["second_factors", "recovery_codes"] {
            self.connection.execute(
                &format!("DELETE FROM {table} WHERE officer = ?1"),
                [officer.0.as_bytes()],
            )?;
        }
        Ok(())
    }
}
