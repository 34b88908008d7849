//! How long what is personal is kept, as rules of the ward. Law 91/2025 asks that data goes when its purpose is
//! fulfilled and names no number of days for petitions; so the days are the ward's decision, and without one
//! nothing goes.

use gandan_core::model::{DocumentKind, Status, Timestamp};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::audit::{Entry, Kind};
use super::connections::Work;
use super::{Ward, WardError};

/// States in which a case has ended.
const ENDED: [Status; 4] = [
    Status::Closed,
    Status::Duplicate,
    Status::Withdrawn,
    Status::Voided,
];

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetainedClass {
    /// Who told of a case, once it has ended and nothing was written to it since.
    Person,
    /// A request of a person about their data, once it was closed.
    CitizenRequest,
}

impl RetainedClass {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::CitizenRequest => "citizen_request",
        }
    }

    /// From when the days count, and what happens then.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Person => {
                "kể từ lần ghi cuối của hồ sơ đã kết thúc: xóa người phản ánh, giữ hồ sơ"
            }
            Self::CitizenRequest => "kể từ ngày đóng yêu cầu: xóa yêu cầu",
        }
    }
}

/// A rule: so many days, then it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRule {
    /// Of what.
    pub class: RetainedClass,
    /// How long; `None`: it is kept.
    pub days: Option<u32>,
}

impl RetentionRule {
    fn cutoff(self, now: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.days?);
        Some(Timestamp(now.0.saturating_sub(days * DAY_MS)))
    }
}

impl Ward {
    /// How many of each are due to go.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn due_to_go(
        &self,
        rules: &[RetentionRule],
    ) -> Result<Vec<(RetentionRule, usize)>, WardError> {
        let now = self.now();
        let due = |rule: &RetentionRule| -> Result<_, WardError> {
            let due = self.shared.read(|connection| due(connection, *rule, now))?;
            Ok((*rule, due.len()))
        };
        rules.iter().map(due).collect()
    }

    /// Lets go what is due; gives how many of each.
    ///
    /// # Errors
    /// See [`WardError`]; what went before stays gone.
    pub fn let_go(
        &self,
        rules: &[RetentionRule],
    ) -> Result<Vec<(RetentionRule, usize)>, WardError> {
        let apply = |rule: &RetentionRule| Ok((*rule, self.write(|work| work.let_go(*rule))?));
        rules.iter().map(apply).collect()
    }
}

/// What names each thing that is due: the uuid of a person, the number of a request.
enum Due {
    Persons(Vec<Uuid>),
    Requests(Vec<i64>),
}

impl Due {
    fn len(&self) -> usize {
        match self {
            Self::Persons(persons) => persons.len(),
            Self::Requests(requests) => requests.len(),
        }
    }
}

fn due(connection: &Connection, rule: RetentionRule, now: Timestamp) -> Result<Due, WardError> {
    let Some(cutoff) = rule.cutoff(now) else {
        return Ok(Due::Requests(Vec::new()));
    };
    match rule.class {
        RetainedClass::Person => {
            let ended = ENDED
                .map(|status| format!("'{}'", status.code()))
                .join(", ");
            let persons = connection
                .prepare(&format!(
                    "SELECT p.uuid FROM documents p JOIN case_rows c ON c.id = p.uuid
                     WHERE p.kind = ?1 AND c.status IN ({ended})
                       AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.kind IN (?1, ?3)
                         AND f.uuid = p.uuid AND f.received_at > ?2)"
                ))?
                .query_map(
                    params![
                        DocumentKind::Person.code(),
                        cutoff.0,
                        DocumentKind::Case.code()
                    ],
                    |row| row.get(0).map(Uuid::from_bytes),
                )?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Due::Persons(persons))
        }
        RetainedClass::CitizenRequest => {
            let requests = connection
                .prepare("SELECT number FROM citizen_requests WHERE closed_at <= ?1")?
                .query_map([cutoff.0], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Due::Requests(requests))
        }
    }
}

impl Work<'_> {
    fn let_go(&mut self, rule: RetentionRule) -> Result<usize, WardError> {
        let due = due(self.connection, rule, self.now)?;
        let count = due.len();
        match due {
            Due::Persons(persons) => {
                for person in persons {
                    self.erase(person)?;
                }
            }
            Due::Requests(numbers) => {
                for number in numbers {
                    self.connection
                        .execute("DELETE FROM citizen_requests WHERE number = ?1", [number])?;
                }
            }
        }
        if count > 0 {
            self.happened.has_purged = true;
            let entry = Entry::of(Kind::Retention).ending(rule.class.code());
            self.audit(entry.counting("gone", count as u64))?;
        }
        Ok(count)
    }
}
