//! The audit trail: who did what to which record, and what came of it. Appended in the transaction of
//! what it reports, chained over salted digests, and tied to the feed's chain. Owns the table `audit`;
//! takes ids, counts and words of its own only, so that no personal data can get in.
//!
//! Whoever changes something calls `Work::audit`:
//!
//! ```ignore
//! self.audit(Entry::of(Kind::DeviceRevoked).about(device))?;
//! ```

mod chain;
mod kind;
mod knocks;
mod list;
mod verify;
mod witness;

use std::fmt::{self, Write as _};

use gandan_core::model::{AttachmentHash, DeviceId, DocumentId, DocumentKind, OfficerId};
use gandan_core::protocol::verdict::{Tally, Verdict};
use rusqlite::{Connection, OptionalExtension, params};

use super::connections::{Shared, Work, from_sql, to_sql};
use super::{WardError, feed};
use chain::Link;
pub use kind::Kind;
pub(super) use knocks::Knocks;
pub(super) use list::list;
pub use list::{Filter, Record};
#[cfg(test)]
pub(super) use verify::chain_again;
pub(super) use verify::verify;
pub use verify::{Finding, Verified};
pub(super) use witness::{checkpoint, compare, testify};

/// Most ids that one entry names; what is over is counted.
const SUBJECTS_MAX: usize = 64;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The ward by itself: its clock, its rules.
    Ward,
    /// Whoever runs commands on the server.
    CommandLine,
    /// A member of staff who is signed in to the console.
    Staff(OfficerId),
    /// An enrolled device, and whose it is.
    Device {
        /// Which.
        device: DeviceId,
        /// Whose.
        officer: OfficerId,
    },
    /// Somebody who has not shown who they are: a sign-in, a phone without enrolment.
    Stranger,
}

impl Actor {
    /// The word in the table.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ward => "ward",
            Self::CommandLine => "command_line",
            Self::Staff(_) => "staff",
            Self::Device { .. } => "device",
            Self::Stranger => "stranger",
        }
    }

    fn officer(self) -> Option<OfficerId> {
        match self {
            Self::Staff(officer) | Self::Device { officer, .. } => Some(officer),
            Self::Ward | Self::CommandLine | Self::Stranger => None,
        }
    }

    fn device(self) -> Option<DeviceId> {
        match self {
            Self::Device { device, .. } => Some(device),
            _ => None,
        }
    }
}

/// What an entry is about: ids, which mean nothing once the record is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A case, visit or person.
    Document(DocumentId),
    /// An officer or a member of staff.
    Officer(OfficerId),
    /// A device.
    Device(DeviceId),
    /// A file.
    Attachment(AttachmentHash),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => {
                let kind = match document.kind {
                    DocumentKind::Case => "case",
                    DocumentKind::Visit => "visit",
                    DocumentKind::Person => "person",
                };
                write!(formatter, "{kind}:{}", document.uuid)
            }
            Self::Officer(officer) => write!(formatter, "officer:{}", officer.0),
            Self::Device(device) => write!(formatter, "device:{device}"),
            Self::Attachment(hash) => write!(formatter, "attachment:{hash}"),
        }
    }
}

impl From<DocumentId> for Subject {
    fn from(document: DocumentId) -> Self {
        Self::Document(document)
    }
}

impl From<OfficerId> for Subject {
    fn from(officer: OfficerId) -> Self {
        Self::Officer(officer)
    }
}

impl From<DeviceId> for Subject {
    fn from(device: DeviceId) -> Self {
        Self::Device(device)
    }
}

impl From<AttachmentHash> for Subject {
    fn from(hash: AttachmentHash) -> Self {
        Self::Attachment(hash)
    }
}

/// What is to be appended. By default it was done, by whoever the transaction is for, about nothing.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    kind: Kind,
    outcome: &'static str,
    by: Option<Actor>,
    counts: Vec<(&'static str, u64)>,
    subjects: Vec<Subject>,
    /// Made only so often.
    changes_nothing: bool,
}

impl Entry {
    pub(super) fn of(kind: Kind) -> Self {
        Self {
            kind,
            outcome: "done",
            by: None,
            counts: Vec::new(),
            subjects: Vec::new(),
            changes_nothing: false,
        }
    }

    /// By somebody else than the transaction is for.
    pub(super) fn by(mut self, actor: Actor) -> Self {
        self.by = Some(actor);
        self
    }

    /// Not `done`: one English word of code, such as `refused`.
    pub(super) fn ending(mut self, outcome: &'static str) -> Self {
        self.outcome = outcome;
        self
    }

    pub(super) fn about(mut self, subject: impl Into<Subject>) -> Self {
        self.subjects.push(subject.into());
        self
    }

    /// A number and what it counts, or the number of a code.
    pub(super) fn counting(mut self, what: &'static str, number: u64) -> Self {
        self.counts.push((what, number));
        self
    }

    /// It left everything as it was. Of what one device does so, only so much is told.
    pub(super) fn without_change(mut self) -> Self {
        self.changes_nothing = true;
        self
    }

    /// How many edits met which verdict; the outcome says whether all did.
    pub(super) fn verdicts(self, verdicts: &[Verdict]) -> Self {
        let tally = Tally::of(verdicts);
        let counts = [
            ("accepted", tally.accepted),
            ("duplicate", tally.duplicate),
            ("waiting", tally.waiting),
            ("rejected", tally.rejected),
        ];
        let total = verdicts.len() as u64;
        let all = counts.iter().find(|(_, number)| *number == total);
        let mut entry = match all {
            Some((verdict, _)) if total > 0 => self.ending(verdict),
            Some(_) => self.ending("empty"),
            None => self.ending("mixed"),
        };
        entry.changes_nothing = tally.accepted == 0;
        entry
            .counts
            .extend(counts.into_iter().filter(|(_, number)| *number > 0));
        entry
    }

    fn detail(&self) -> String {
        let mut detail = String::new();
        let over = self.subjects.len().saturating_sub(SUBJECTS_MAX) as u64;
        let over = (over > 0).then_some(("unnamed", over));
        for (what, number) in self.counts.iter().copied().chain(over) {
            let space = if detail.is_empty() { "" } else { " " };
            let _ = write!(detail, "{space}{what}={number}");
        }
        detail
    }

    fn subjects(&self) -> String {
        let words = self.subjects.iter().take(SUBJECTS_MAX);
        words.map(Subject::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// Number and chain of the newest entry; zero before the first.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<(u64, [u8; 32])> {
    let head = connection
        .prepare_cached("SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((from_sql(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(head.unwrap_or((0, [0; 32])))
}

impl Work<'_> {
    /// Appends an entry to the audit trail. It stands if the transaction does.
    pub(super) fn audit(&mut self, entry: Entry) -> Result<(), WardError> {
        let actor = entry.by.unwrap_or(self.by);
        let mut entry = entry;
        if actor == Actor::Stranger || entry.changes_nothing {
            match self.shared.knocks.note(actor.device(), self.now.0) {
                None => return Ok(()),
                Some(0) => {}
                Some(unnoted) => entry = entry.counting("unnoted_before", unnoted),
            }
        }
        let (last, previous) = head(self.connection)?;
        let (feed_sequence, feed_chain) = feed::head(self.connection)?;
        let (detail, subjects) = (entry.detail(), entry.subjects());
        let salt: [u8; 16] = self.shared.random();
        let link = Link {
            number: last + 1,
            at: self.now.0,
            kind: entry.kind.code(),
            outcome: entry.outcome,
            actor: actor.code(),
            officer: actor.officer().map(|officer| *officer.0.as_bytes()),
            device: actor.device().map(|device| device.0),
            detail: &detail,
            subjects_digest: chain::subjects_digest(&salt, &subjects),
            feed_sequence,
            feed_chain: feed_chain.0,
        };
        self.connection
            .prepare_cached(
                "INSERT INTO audit (number, at, kind, outcome, actor, officer, device, detail, subjects, salt,
                   subjects_digest, feed_sequence, feed_chain, chain)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                to_sql(link.number),
                link.at,
                link.kind,
                link.outcome,
                link.actor,
                link.officer,
                link.device,
                link.detail,
                subjects,
                salt,
                link.subjects_digest,
                to_sql(feed_sequence),
                link.feed_chain,
                link.extend(&previous),
            ])?;
        for subject in subjects.lines() {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO audit_subjects (subject, number) VALUES (?1, ?2)",
                )?
                .execute(params![subject, to_sql(link.number)])?;
        }
        Ok(())
    }

    /// At the end of a transaction: nothing enters the feed of which the trail does not tell.
    pub(super) fn audit_what_grew(&mut self) -> Result<(), WardError> {
        if !self.happened.has_entries() {
            return Ok(());
        }
        let told: Option<i64> = self
            .connection
            .prepare_cached("SELECT feed_sequence FROM audit ORDER BY number DESC LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let here = feed::head(self.connection)?.0;
        if told.map(from_sql) == Some(here) {
            return Ok(());
        }
        self.audit(Entry::of(Kind::FeedGrew).by(Actor::Ward))
    }

    /// Takes out of the trail which record its entries were about, for an erasure. Who did what and
    /// when stays, and so does the chain: it holds a salted digest of what is gone.
    pub(super) fn forget_in_audit(&mut self, subject: Subject) -> Result<(), WardError> {
        let words = subject.to_string();
        let numbers: Vec<i64> = self
            .connection
            .prepare("SELECT number FROM audit_subjects WHERE subject = ?1")?
            .query_map([&words], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for number in &numbers {
            self.connection.execute(
                "UPDATE audit SET subjects = NULL, salt = NULL WHERE number = ?1",
                [number],
            )?;
            self.connection
                .execute("DELETE FROM audit_subjects WHERE number = ?1", [number])?;
        }
        if numbers.is_empty() {
            return Ok(());
        }
        self.audit(Entry::of(Kind::SubjectsForgotten).counting("entries", numbers.len() as u64))
    }
}

/// Appends an entry in a transaction of its own: for what is not a change, or was undone.
pub(super) fn note(shared: &Shared, by: Actor, entry: Entry) -> Result<(), WardError> {
    shared.write(by, |work| work.audit(entry))
}
