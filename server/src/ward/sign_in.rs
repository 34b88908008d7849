//! Coming in: a password, and the second factor of whoever has one. How often somebody may be wrong. Knows
//! no HTTP.

use rusqlite::{Connection, OptionalExtension, params};

use gandan_core::model::OfficerId;

use super::audit::{self, Actor, Entry, Kind};
use super::connections::{Shared, Work};
use super::second_factor::{self, Factor};
use super::staff::{self, PASSWORD_BYTES_MAX};
use super::{Ward, WardError, sessions};

/// From this many failures in a row on, each further try has to wait, twice as long each time but never
/// longer than the maximum: so that nobody can lock another person out for long.
const FREE_FAILURES: u32 = 5;
const DELAY_MS_MAX: i64 = 30 * 1000;

/// Failures are forgotten after an hour.
const FAILURES_KEPT_MS: i64 = 60 * 60 * 1000;

/// From where somebody signs in, as the server sees it; shown to them beside their sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// A network address. Failures from one place do not slow down sign-ins from another.
    pub address: String,
    /// The browser, in a few words.
    pub browser: String,
}

/// What a right password gives: the token of a new session (256 bits; only its hash is stored).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// What the browser brings from now on.
    pub token: String,
    /// Whether the session opens nothing before [`Ward::give_code`].
    pub awaits_code: bool,
}

impl Ward {
    /// Signs in with a password; `None` if it is wrong, or there is no such login.
    ///
    /// # Errors
    /// [`WardError::TooManyAttempts`], or the store's.
    pub fn sign_in(
        &self,
        origin: &Origin,
        login: &str,
        password: &str,
    ) -> Result<Option<SignedIn>, WardError> {
        sign_in(&self.shared, origin, login, password)
    }

    /// Opens a session that awaits it, with a code of the second factor or a recovery code, under another
    /// token: whoever saw the first has nothing. `None` if the code is wrong, was used before, or there is no
    /// such session.
    ///
    /// # Errors
    /// [`WardError::TooManyAttempts`], or the store's.
    pub fn give_code(&self, token: &str, code: &str) -> Result<Option<String>, WardError> {
        let Some(officer) = sessions::awaiting(&self.shared, token)? else {
            return Ok(None);
        };
        let subject = subject(&format!("{officer}"), "code");
        refuse_if_locked(&self.shared, &subject, Some(officer))?;
        self.shared.write(Actor::Stranger, |work| {
            if !work.take_code(officer, code)? {
                work.note_failure(&subject)?;
                work.audit(attempt(Some(officer)).ending("code_refused"))?;
                return Ok(None);
            }
            work.forget_failures(&subject)?;
            let renewed = work.open_session(token)?;
            work.audit(attempt(None).by(Actor::Staff(officer)))?;
            Ok(Some(renewed))
        })
    }
}

fn sign_in(
    shared: &Shared,
    origin: &Origin,
    login: &str,
    password: &str,
) -> Result<Option<SignedIn>, WardError> {
    let subject = subject(login, &origin.address);
    let found = shared.read(|connection| Ok(staff::find(connection, login)?))?;
    // Whom it was tried for; what was typed may be anything, and is not noted.
    let tried = found.as_ref().map(|(officer, _)| *officer);
    refuse_if_locked(shared, &subject, tried)?;
    let is_too_long = password.len() > PASSWORD_BYTES_MAX;
    let officer = match found {
        Some((officer, hash)) if !is_too_long && hash.matches(shared, password)? => Some(officer),
        Some(_) => None,
        None => {
            // An unknown login takes as long as a known one.
            let password = if is_too_long { "" } else { password };
            staff::Hash::of_nobody().matches(shared, password)?;
            None
        }
    };
    shared.write(Actor::Stranger, |work| {
        let Some(officer) = officer else {
            work.note_failure(&subject)?;
            work.audit(attempt(tried).ending("refused"))?;
            return Ok(None);
        };
        work.forget_failures(&subject)?;
        let factor = second_factor::of(work.connection, officer)?;
        let awaits_code = matches!(factor, Factor::On { .. });
        let token = work.begin_session(officer, origin, awaits_code)?;
        if awaits_code {
            work.audit(attempt(Some(officer)).ending("awaits_code"))?;
        } else {
            work.audit(attempt(None).by(Actor::Staff(officer)))?;
        }
        Ok(Some(SignedIn { token, awaits_code }))
    })
}

/// What failed too often has to wait, whether it is right this time or not.
pub(super) fn refuse_if_locked(
    shared: &Shared,
    subject: &[u8; 32],
    tried: Option<OfficerId>,
) -> Result<(), WardError> {
    let now = shared.environment.now().0;
    let (failures, last_at) = shared.read(|connection| Ok(failures(connection, subject)?))?;
    if now >= last_at.saturating_add(delay_ms(failures)) || now < last_at {
        return Ok(());
    }
    let entry = attempt(tried).by(Actor::Stranger).ending("locked");
    audit::note(shared, Actor::Stranger, entry)?;
    Err(WardError::TooManyAttempts)
}

fn attempt(tried: Option<OfficerId>) -> Entry {
    let entry = Entry::of(Kind::SignIn);
    match tried {
        Some(officer) => entry.about(officer),
        None => entry,
    }
}

impl Work<'_> {
    pub(super) fn note_failure(&self, subject: &[u8; 32]) -> rusqlite::Result<()> {
        self.connection.execute(
            "DELETE FROM sign_in_failures WHERE last_at < ?1",
            [self.now.0 - FAILURES_KEPT_MS],
        )?;
        self.connection
            .execute(
                "INSERT INTO sign_in_failures (subject, failures, last_at) VALUES (?1, 1, ?2)
                 ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
                params![subject, self.now.0],
            )
            .map(drop)
    }

    pub(super) fn forget_failures(&self, subject: &[u8; 32]) -> rusqlite::Result<()> {
        self.connection
            .execute("DELETE FROM sign_in_failures WHERE subject = ?1", [subject])
            .map(drop)
    }
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

pub(super) fn subject(login: &str, source: &str) -> [u8; 32] {
    *blake3::hash(format!("{login}\n{source}").as_bytes()).as_bytes()
}
