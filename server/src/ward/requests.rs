//! What people ask about their own data (Law 91/2025 and Decree 356/2025, in force since 1 January 2026), with
//! the days in which they must be answered. Closing a wish to be forgotten forgets.

use gandan_core::model::text::normalize;
use gandan_core::model::time::VIETNAM_OFFSET_HOURS;
use gandan_core::model::{DocumentId, Timestamp};
use jiff::civil::Weekday;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::audit::{Entry, Kind};
use super::connections::{Work, from_sql, to_sql};
use super::{Ward, WardError, documents};

/// In so many working days a person is answered.
const ANSWER_WORKING_DAYS: u32 = 2;
/// In so many days a withdrawal or an erasure is carried out. Counted as calendar days, which is never later.
const ACT_DAYS: i64 = 15;
/// Longest words of who asks, and of a reason.
const WORDS_BYTES_MAX: usize = 2_000;

/// What somebody may ask about their own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// What is held of them.
    Access,
    /// Something is wrong.
    Correction,
    /// They agree no longer.
    Withdrawal,
    /// They want to be forgotten.
    Erasure,
}

impl RequestKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Access,
        Self::Correction,
        Self::Withdrawal,
        Self::Erasure,
    ];

    /// The English word in the table.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Correction => "correction",
            Self::Withdrawal => "withdrawal",
            Self::Erasure => "erasure",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// As people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Access => "Xem thông tin của mình",
            Self::Correction => "Sửa thông tin",
            Self::Withdrawal => "Rút lại đồng ý",
            Self::Erasure => "Xóa thông tin",
        }
    }

    /// Whether to grant it is to forget the person.
    #[must_use]
    pub fn forgets(self) -> bool {
        matches!(self, Self::Withdrawal | Self::Erasure)
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOutcome {
    /// As the person wanted.
    Done,
    /// Not, and why.
    Refused(String),
}

/// A request as the ward keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitizenRequest {
    /// Its place in the register.
    pub number: u64,
    /// What is asked.
    pub kind: RequestKind,
    /// The case by which the person is known.
    pub case: Option<Uuid>,
    /// Who asks, and how to reach them; gone once they are forgotten.
    pub asker: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// To the end of which day it must be answered.
    pub answer_due: Timestamp,
    /// To the end of which day it must be carried out, where the law says so.
    pub act_due: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended, and how.
    pub closed: Option<(Timestamp, RequestOutcome)>,
}

impl CitizenRequest {
    /// What is due next; `None` once nothing is.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        match (&self.closed, self.answered_at) {
            (Some(_), _) => None,
            (None, None) => Some(self.answer_due),
            (None, Some(_)) => self.act_due,
        }
    }

    /// Whether what is due next is late.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.next_due().is_some_and(|due| due < now)
    }
}

impl Ward {
    /// Notes what a person asks about their data, and until when they must be answered; gives its number.
    /// `case` is one by which they are known, `asker` who asks and how to reach them.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn add_request(
        &self,
        kind: RequestKind,
        case: Option<Uuid>,
        asker: &str,
    ) -> Result<u64, WardError> {
        self.write(|work| work.add_request(kind, case, asker))
    }

    /// Every request, what is due first before all.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn requests(&self) -> Result<Vec<CitizenRequest>, WardError> {
        self.shared.read(list)
    }

    /// The person was told what becomes of it.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn answer_request(&self, number: u64) -> Result<(), WardError> {
        self.write(|work| work.answer_request(number))
    }

    /// It has ended. A person who wanted to be forgotten is erased by it.
    ///
    /// # Errors
    /// See [`WardError`].
    pub fn close_request(&self, number: u64, outcome: &RequestOutcome) -> Result<(), WardError> {
        self.write(|work| work.close_request(number, outcome))
    }
}

/// What is open first, by what is due first; then what has ended, the newest first.
fn list(connection: &Connection) -> Result<Vec<CitizenRequest>, WardError> {
    let mut statement = connection.prepare(&format!("{COLUMNS} ORDER BY number DESC"))?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(request(row)?);
    }
    all.sort_by_key(|request| {
        (
            request.closed.is_some(),
            request.next_due().unwrap_or(Timestamp(i64::MAX)),
        )
    });
    Ok(all)
}

const COLUMNS: &str =
    "SELECT number, kind, record, asker, received_at, answer_due, act_due, answered_at,
       closed_at, outcome, reason FROM citizen_requests";

fn request(row: &Row<'_>) -> Result<CitizenRequest, WardError> {
    let kind: String = row.get(1)?;
    let record: Option<[u8; 16]> = row.get(2)?;
    let closed_at: Option<i64> = row.get(8)?;
    let outcome: Option<String> = row.get(9)?;
    let reason: Option<String> = row.get(10)?;
    let outcome = match outcome.as_deref() {
        Some("refused") => RequestOutcome::Refused(reason.unwrap_or_default()),
        _ => RequestOutcome::Done,
    };
    Ok(CitizenRequest {
        number: from_sql(row.get(0)?),
        kind: RequestKind::from_code(&kind).ok_or(WardError::Damaged)?,
        case: record.map(Uuid::from_bytes),
        asker: row.get(3)?,
        received_at: Timestamp(row.get(4)?),
        answer_due: Timestamp(row.get(5)?),
        act_due: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        answered_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
        closed: closed_at.map(|at| (Timestamp(at), outcome)),
    })
}

impl Work<'_> {
    fn add_request(
        &mut self,
        kind: RequestKind,
        case: Option<Uuid>,
        asker: &str,
    ) -> Result<u64, WardError> {
        let asker = words(asker)?;
        if let Some(case) = case
            && documents::heads(self.connection, DocumentId::case(case))?.is_none()
        {
            return Err(WardError::NotFound("case"));
        }
        let act_due = kind.forgets().then(|| end_of_day(self.now, ACT_DAYS));
        self.connection.execute(
            "INSERT INTO citizen_requests (kind, record, asker, received_at, answer_due, act_due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                kind.code(),
                case.map(Uuid::into_bytes),
                asker,
                self.now.0,
                end_of_working_day(self.now, ANSWER_WORKING_DAYS).0,
                act_due.map(|due| due.0),
            ],
        )?;
        let number = from_sql(self.connection.last_insert_rowid());
        self.audit(told(number, case).ending("received"))?;
        Ok(number)
    }

    fn answer_request(&mut self, number: u64) -> Result<(), WardError> {
        let request = self.open_request(number)?;
        self.connection.execute(
            "UPDATE citizen_requests SET answered_at = COALESCE(answered_at, ?2) WHERE number = ?1",
            params![to_sql(number), self.now.0],
        )?;
        self.audit(told(number, request.case).ending("answered"))
    }

    /// Whoever wanted to be forgotten is, by the same transaction.
    fn close_request(&mut self, number: u64, outcome: &RequestOutcome) -> Result<(), WardError> {
        let request = self.open_request(number)?;
        let (code, reason) = match outcome {
            RequestOutcome::Done => ("done", None),
            RequestOutcome::Refused(reason) => ("refused", Some(words(reason)?)),
        };
        let is_forgotten = *outcome == RequestOutcome::Done && request.kind.forgets();
        self.connection.execute(
            "UPDATE citizen_requests
             SET answered_at = COALESCE(answered_at, ?2), closed_at = ?2, outcome = ?3, reason = ?4,
                 asker = CASE WHEN ?5 THEN NULL ELSE asker END
             WHERE number = ?1",
            params![to_sql(number), self.now.0, code, reason, is_forgotten],
        )?;
        self.happened.has_purged |= is_forgotten;
        self.audit(told(number, request.case).ending(code))?;
        if is_forgotten && let Some(case) = request.case {
            self.forget_askers(case)?;
            match self.erase(case) {
                // Nobody is named there, or not any more.
                Err(WardError::NotFound(_)) => {}
                erased => erased?,
            }
        }
        Ok(())
    }

    /// Takes the words out of every request about the person of a case. That there were requests, and when,
    /// stays.
    pub(super) fn forget_askers(&mut self, case: Uuid) -> rusqlite::Result<()> {
        self.happened.has_purged = true;
        self.connection
            .execute(
                "UPDATE citizen_requests SET asker = NULL, reason = NULL WHERE record = ?1",
                [case.as_bytes()],
            )
            .map(drop)
    }

    fn open_request(&self, number: u64) -> Result<CitizenRequest, WardError> {
        let found = self
            .connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE number = ?1 AND closed_at IS NULL"
            ))?
            .query_row([to_sql(number)], |row| Ok(request(row)))
            .optional()?;
        found.ok_or(WardError::NotFound("request"))?
    }
}

fn told(number: u64, case: Option<Uuid>) -> Entry {
    let entry = Entry::of(Kind::CitizenRequest).counting("number", number);
    match case {
        Some(case) => entry.about(DocumentId::person_of(case)),
        None => entry,
    }
}

fn words(typed: &str) -> Result<String, WardError> {
    let words = normalize(typed);
    let words = words.trim();
    if words.is_empty() {
        return Err(WardError::Invalid(
            "chưa ghi gì; hãy ghi một dòng (nothing is written; write a line)",
        ));
    }
    if words.len() > WORDS_BYTES_MAX {
        return Err(WardError::Invalid(
            "quá dài; hãy rút gọn (too long; shorten it)",
        ));
    }
    Ok(words.to_owned())
}

/// The end of the working day that is so many after this one. Saturdays and Sundays are none, and public holidays
/// are counted as if they were: what is due is due earlier then. A Saturday that is worked in place of another
/// day is not known here, and makes it later.
fn end_of_working_day(from: Timestamp, days: u32) -> Timestamp {
    let mut left = days;
    let mut after = 0;
    while left > 0 {
        after += 1;
        if !matches!(
            weekday(end_of_day(from, after)),
            Weekday::Saturday | Weekday::Sunday
        ) {
            left -= 1;
        }
    }
    end_of_day(from, after)
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The last millisecond of the day in Việt Nam that is so many days after this one.
fn end_of_day(from: Timestamp, days: i64) -> Timestamp {
    let offset_ms = i64::from(VIETNAM_OFFSET_HOURS) * 60 * 60 * 1_000;
    let day = from.0.saturating_add(offset_ms).div_euclid(DAY_MS);
    let end = day.saturating_add(days + 1).saturating_mul(DAY_MS);
    Timestamp(end.saturating_sub(offset_ms + 1))
}

fn weekday(moment: Timestamp) -> Weekday {
    let offset = jiff::tz::Offset::constant(VIETNAM_OFFSET_HOURS);
    jiff::Timestamp::from_millisecond(moment.0).map_or(Weekday::Monday, |moment| {
        offset.to_datetime(moment).weekday()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(received: &str) -> String {
        let received = Timestamp::parse_rfc3339(received).unwrap();
        end_of_working_day(received, ANSWER_WORKING_DAYS).to_vietnamese()
    }

    #[test]
    fn an_answer_is_due_at_the_end_of_the_second_working_day() {
        // Monday; Thursday; Friday evening; Saturday; Sunday just before midnight in Việt Nam.
        assert_eq!(due("2026-03-02T08:00:00+07:00"), "04/03/2026 23:59");
        assert_eq!(due("2026-03-05T08:00:00+07:00"), "09/03/2026 23:59");
        assert_eq!(due("2026-03-06T17:30:00+07:00"), "10/03/2026 23:59");
        assert_eq!(due("2026-03-07T08:00:00+07:00"), "10/03/2026 23:59");
        assert_eq!(due("2026-03-08T23:59:00+07:00"), "10/03/2026 23:59");
    }

    #[test]
    fn a_withdrawal_is_to_be_carried_out_in_fifteen_days_by_the_calendar() {
        let received = Timestamp::parse_rfc3339("2026-03-02T00:10:00+07:00").unwrap();
        assert_eq!(
            end_of_day(received, ACT_DAYS).to_vietnamese(),
            "17/03/2026 23:59"
        );
    }

    #[test]
    fn a_clock_of_nowhere_breaks_nothing() {
        for moment in [i64::MIN, i64::MAX] {
            let _ = end_of_working_day(Timestamp(moment), 2);
        }
    }
}
