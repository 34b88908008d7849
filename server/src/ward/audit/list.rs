//! Reading the audit trail: newest first, page by page, by kind, by whom, about what and when.

use gandan_core::model::text::normalize;
use gandan_core::model::time::VIETNAM_OFFSET_HOURS;
use gandan_core::model::{DeviceId, OfficerId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::{Kind, from_sql, to_sql};
use crate::ward::WardError;

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Done by this officer: a uuid, a login or a name.
    pub officer: Option<String>,
    /// About this id, as the trail writes it.
    pub about: Option<String>,
    /// From the beginning of this day (YYYY-MM-DD) in Việt Nam.
    pub from: Option<String>,
    /// To the end of this day.
    pub to: Option<String>,
    /// Older than this number: where the page before ended.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// One entry, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What; a word of [`Kind`].
    pub kind: String,
    /// What came of it.
    pub outcome: String,
    /// Who; a word of [`super::Actor`].
    pub actor: String,
    /// Which person, if it was one.
    pub officer: Option<OfficerId>,
    /// Their name now.
    pub officer_name: Option<String>,
    /// With which device.
    pub device: Option<DeviceId>,
    /// Counts.
    pub detail: String,
    /// About which ids; `None` once they were forgotten.
    pub subjects: Option<Vec<String>>,
    /// Where the feed stood.
    pub feed_sequence: u64,
}

pub(in crate::ward) fn list(
    connection: &Connection,
    filter: &Filter,
) -> Result<Vec<Record>, WardError> {
    let mut sql =
        "SELECT a.number, a.at, a.kind, a.outcome, a.actor, a.officer, o.name, a.device, a.detail,
         a.subjects, a.feed_sequence
       FROM audit a LEFT JOIN officers o ON o.id = a.officer WHERE 1"
            .to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Value| {
        values.push(value);
        sql.push_str(" AND ");
        sql.push_str(&condition.replace("?#", &format!("?{}", values.len())));
    };
    if let Some(kind) = filter.kind {
        and("a.kind = ?#", kind.code().to_owned().into());
    }
    if let Some(typed) = &filter.officer {
        match typed.parse::<Uuid>() {
            Ok(uuid) => and("a.officer = ?#", uuid.as_bytes().to_vec().into()),
            Err(_) => {
                and(
                    "a.officer IN (SELECT id FROM officers WHERE name = ?#
                       UNION SELECT officer FROM staff WHERE login = ?#)",
                    normalize(typed).into(),
                );
            }
        }
    }
    if let Some(about) = &filter.about {
        and(
            "a.number IN (SELECT number FROM audit_subjects WHERE subject = ?#)",
            about.clone().into(),
        );
    }
    if let Some(day) = &filter.from {
        and("a.at >= ?#", day_begins(day, 0)?.into());
    }
    if let Some(day) = &filter.to {
        and("a.at < ?#", day_begins(day, 1)?.into());
    }
    if let Some(before) = filter.before {
        and("a.number < ?#", to_sql(before).into());
    }
    sql.push_str(&format!(" ORDER BY a.number DESC LIMIT {}", filter.limit));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let officer: Option<[u8; 16]> = row.get(5)?;
        let device: Option<[u8; 32]> = row.get(7)?;
        let subjects: Option<String> = row.get(9)?;
        Ok(Record {
            number: from_sql(row.get(0)?),
            at: Timestamp(row.get(1)?),
            kind: row.get(2)?,
            outcome: row.get(3)?,
            actor: row.get(4)?,
            officer: officer.map(|id| OfficerId(Uuid::from_bytes(id))),
            officer_name: row.get(6)?,
            device: device.map(DeviceId),
            detail: row.get(8)?,
            subjects: subjects.map(|ids| ids.lines().map(str::to_owned).collect()),
            feed_sequence: from_sql(row.get(10)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The beginning of a day, so many days later.
fn day_begins(day: &str, later: i64) -> Result<i64, WardError> {
    let date: jiff::civil::Date = day.trim().parse().map_err(|_| {
        WardError::Invalid("ngày viết theo dạng 2026-03-31 (a day is written 2026-03-31)")
    })?;
    let begins = || {
        let date = date.checked_add(jiff::Span::new().days(later)).ok()?;
        let offset = jiff::tz::Offset::constant(VIETNAM_OFFSET_HOURS);
        let moment = offset.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(moment.as_millisecond())
    };
    begins().ok_or(WardError::Invalid("ngày quá xa (this day is too far away)"))
}
