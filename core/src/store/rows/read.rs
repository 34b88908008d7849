//! From rows to what lists and screens show.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::search::{self, Search};
use super::{CaseOrder, CaseQuery, CaseRow};
use crate::model::{
    Case, Confidentiality, LegalBasis, LegalKind, Location, OfficerId, Person, ReportedKind,
    Satisfaction, ShortCode, Source, Status, Timestamp, Urgency, Visit, text,
};

const CASE_COLUMNS: &str = "id, code, external_ref, visit, area, place, reported_kind, legal_kind, \
    category, urgency, source, status, recorded_at, recorded_by, text, households, latitude_e6, \
    longitude_e6, official_number, division, assignee, due_at, answer, delivered_at, satisfaction, \
    void_reason, paper_reference, confidentiality, note_count, attachment_count, conflict_count";

const VISIT_COLUMNS: &str = "id, external_ref, area, place, started_at, ended_at, officer, summary";

/// The cases that a query asks for.
///
/// # Errors
/// SQLite's.
pub fn cases(connection: &Connection, query: &CaseQuery) -> rusqlite::Result<Vec<CaseRow>> {
    let mut filter = Filter::of(query);
    let exact_first = match filter.search.take() {
        Some(search) if query.order == CaseOrder::Newest => {
            let found = |parameter: String| {
                format!(
                    "number IN (SELECT rowid FROM case_search WHERE case_search MATCH {parameter}) DESC,"
                )
            };
            let exact = found(filter.parameter(Value::Text(search.exact)));
            exact + &found(filter.parameter(Value::Text(search.whole)))
        }
        _ => String::new(),
    };
    let order = match query.order {
        CaseOrder::Newest => format!("{exact_first} recorded_at DESC, id DESC"),
        CaseOrder::Urgency => {
            "CASE urgency WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END,
             recorded_at, id"
                .to_owned()
        }
    };
    let limit = if query.limit == 0 {
        -1
    } else {
        query.limit.into()
    };
    let limit = filter.parameter(Value::Integer(limit));
    let offset = filter.parameter(Value::Integer(query.offset.into()));
    let sql = format!(
        "SELECT {CASE_COLUMNS} FROM case_rows {} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
        filter.conditions()
    );
    connection
        .prepare_cached(&sql)?
        .query_map(rusqlite::params_from_iter(&filter.parameters), case_of)?
        .collect()
}

/// How many cases a query asks for, regardless of limit and offset.
///
/// # Errors
/// SQLite's.
pub fn case_count(connection: &Connection, query: &CaseQuery) -> rusqlite::Result<u64> {
    let filter = Filter::of(query);
    let sql = format!("SELECT count(*) FROM case_rows {}", filter.conditions());
    let count: i64 = connection
        .prepare_cached(&sql)?
        .query_row(rusqlite::params_from_iter(&filter.parameters), |row| {
            row.get(0)
        })?;
    Ok(count.unsigned_abs())
}

/// One case's row.
///
/// # Errors
/// SQLite's.
pub fn case(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<CaseRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {CASE_COLUMNS} FROM case_rows WHERE id = ?1"
        ))?
        .query_row([id.as_bytes()], case_of)
        .optional()
}

/// A case by its short code or official number, as typed. Of several with one short code, the newest.
///
/// # Errors
/// SQLite's.
pub fn case_by_code(connection: &Connection, code: &str) -> rusqlite::Result<Option<Uuid>> {
    if let Some(code) = ShortCode::parse(code)
        && let Some(found) = case_named(connection, "code", code.as_str())?
    {
        return Ok(Some(found));
    }
    let number = text::normalize(code).to_uppercase();
    match case_named(connection, "official_number", &number)? {
        Some(found) => Ok(Some(found)),
        None => case_by_short_number(connection, &number),
    }
}

/// A case by what somebody typed: its uuid, whether or not it is here, its short code or its official number.
///
/// # Errors
/// SQLite's.
pub fn case_as_typed(connection: &Connection, typed: &str) -> rusqlite::Result<Option<Uuid>> {
    match typed.trim().parse() {
        Ok(uuid) => Ok(Some(uuid)),
        Err(_) => case_by_code(connection, typed),
    }
}

/// A case by its official number as people say it, without the ward: `PA-2026-000123`.
fn case_by_short_number(connection: &Connection, number: &str) -> rusqlite::Result<Option<Uuid>> {
    let Some(words) = search::lookup(number) else {
        return Ok(None);
    };
    connection
        .prepare_cached(
            "SELECT id FROM case_rows
             WHERE substr(official_number, 1, length(?1) + 1) = ?1 || '/'
               AND number IN (SELECT rowid FROM case_search WHERE case_search MATCH ?2)
             ORDER BY recorded_at DESC, id DESC LIMIT 1",
        )?
        .query_row((number, words), |row| row.get(0).map(Uuid::from_bytes))
        .optional()
}

/// A case by the id that an import gave. Of several, the newest.
///
/// # Errors
/// SQLite's.
pub fn case_by_external_ref(
    connection: &Connection,
    reference: &str,
) -> rusqlite::Result<Option<Uuid>> {
    case_named(connection, "external_ref", reference)
}

/// The newest case that has exactly this name, found by its words.
fn case_named(connection: &Connection, column: &str, name: &str) -> rusqlite::Result<Option<Uuid>> {
    // A name without a letter or digit has no word; looking at every row finds it all the same. Two
    // statements, because SQLite looks at every row for one that says 'or'.
    let words = search::lookup(name);
    let found = match words {
        Some(_) => "number IN (SELECT rowid FROM case_search WHERE case_search MATCH ?2)",
        None => "?2 IS NULL",
    };
    let sql = format!(
        "SELECT id FROM case_rows WHERE {column} = ?1 AND {found}
         ORDER BY recorded_at DESC, id DESC LIMIT 1"
    );
    connection
        .prepare_cached(&sql)?
        .query_row((name, words), |row| row.get(0).map(Uuid::from_bytes))
        .optional()
}

/// The citizen of a case.
///
/// # Errors
/// SQLite's.
pub fn person(connection: &Connection, case: Uuid) -> rusqlite::Result<Option<Person>> {
    connection
        .prepare_cached(
            "SELECT name, phone, address, contact_name, contact_phone, legal_basis, consent_text
             FROM person_rows
             WHERE id = ?1",
        )?
        .query_row([case.as_bytes()], |row| {
            Ok(Person {
                id: case,
                name: row.get(0)?,
                phone: row.get(1)?,
                address: row.get(2)?,
                contact_name: row.get(3)?,
                contact_phone: row.get(4)?,
                legal_basis: row
                    .get::<_, Option<String>>(5)?
                    .and_then(|code| LegalBasis::from_code(&code)),
                consent_text: row.get(6)?,
                conflicts: Vec::new(),
            })
        })
        .optional()
}

/// One visit.
///
/// # Errors
/// SQLite's.
pub fn visit(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Visit>> {
    connection
        .prepare_cached(&format!(
            "SELECT {VISIT_COLUMNS} FROM visit_rows WHERE id = ?1"
        ))?
        .query_row([id.as_bytes()], visit_of)
        .optional()
}

/// Visits, newest first.
///
/// # Errors
/// SQLite's.
pub fn visits(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Visit>> {
    connection
        .prepare_cached(&format!(
            "SELECT {VISIT_COLUMNS} FROM visit_rows ORDER BY started_at DESC, id DESC LIMIT ?1"
        ))?
        .query_map([limit], visit_of)?
        .collect()
}

/// The visit that an import named so.
///
/// # Errors
/// SQLite's.
pub fn visit_by_external_ref(
    connection: &Connection,
    reference: &str,
) -> rusqlite::Result<Option<Uuid>> {
    connection
        .prepare_cached(
            "SELECT id FROM visit_rows WHERE external_ref = ?1
             ORDER BY started_at DESC, id DESC LIMIT 1",
        )?
        .query_row([reference], |row| row.get(0).map(Uuid::from_bytes))
        .optional()
}

/// The row that a case has: its lists counted and emptied.
pub(super) fn row_of(case: Case) -> CaseRow {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    CaseRow {
        note_count: count(case.notes.len()),
        attachment_count: count(case.attachments.len()),
        conflict_count: count(case.conflicts.len()),
        case: Case {
            notes: Vec::new(),
            attachments: Vec::new(),
            conflicts: Vec::new(),
            ..case
        },
    }
}

/// The conditions of a query and their parameters.
struct Filter {
    search: Option<Search>,
    conditions: Vec<String>,
    parameters: Vec<Value>,
}

impl Filter {
    fn of(query: &CaseQuery) -> Self {
        let mut filter = Self {
            search: query.search.as_deref().and_then(Search::parse),
            conditions: Vec::new(),
            parameters: Vec::new(),
        };
        if let Some(folded) = filter.search.as_ref().map(|search| search.folded.clone()) {
            let parameter = filter.parameter(Value::Text(folded));
            filter.conditions.push(format!(
                "number IN (SELECT rowid FROM case_search WHERE case_search MATCH {parameter})
                 AND reported_kind <> 'denunciation'"
            ));
        }
        filter.any_of("status", query.statuses.iter().map(|status| status.code()));
        filter.any_of(
            "coalesce(legal_kind, reported_kind)",
            query.kinds.iter().map(String::as_str),
        );
        filter.any_of("category", query.categories.iter().map(String::as_str));
        filter.any_of("coalesce(area, '')", query.areas.iter().map(String::as_str));
        filter.any_of(
            "urgency",
            query.urgencies.iter().map(|urgency| urgency.code()),
        );
        filter.is("division =", query.division.clone());
        filter.is("assignee =", query.assignee.clone());
        filter.is(
            "visit =",
            query.visit.map(|visit| visit.as_bytes().to_vec()),
        );
        filter.is("recorded_at >=", query.recorded_from.map(|time| time.0));
        filter.is("recorded_at <", query.recorded_before.map(|time| time.0));
        filter
    }

    /// Adds a parameter and gives its name.
    fn parameter(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn is(&mut self, column: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let parameter = self.parameter(value.into());
            self.conditions.push(format!("{column} {parameter}"));
        }
    }

    fn any_of<'a>(&mut self, column: &str, values: impl Iterator<Item = &'a str>) {
        let parameters: Vec<String> = values
            .map(|value| self.parameter(Value::Text(value.to_owned())))
            .collect();
        if !parameters.is_empty() {
            self.conditions
                .push(format!("{column} IN ({})", parameters.join(", ")));
        }
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.conditions.join(" AND "))
        }
    }
}

fn case_of(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    let latitude: Option<i32> = row.get(16)?;
    let longitude: Option<i32> = row.get(17)?;
    let case = Case {
        id: Uuid::from_bytes(row.get(0)?),
        code: row.get(1)?,
        external_ref: row.get(2)?,
        visit: row.get::<_, Option<_>>(3)?.map(Uuid::from_bytes),
        area: row.get(4)?,
        place: row.get(5)?,
        reported_kind: code(row, 6, ReportedKind::from_code)?.unwrap_or(ReportedKind::Report),
        legal_kind: code(row, 7, LegalKind::from_code)?,
        category: row.get(8)?,
        urgency: code(row, 9, Urgency::from_code)?.unwrap_or(Urgency::Normal),
        source: code(row, 10, Source::from_code)?.unwrap_or(Source::HeardFromPerson),
        status: code(row, 11, Status::from_code)?.unwrap_or(Status::Recorded),
        recorded_at: Timestamp(row.get(12)?),
        recorded_by: OfficerId(Uuid::from_bytes(row.get(13)?)),
        text: row.get(14)?,
        households: row.get(15)?,
        location: latitude
            .zip(longitude)
            .map(|(latitude_e6, longitude_e6)| Location {
                latitude_e6,
                longitude_e6,
            }),
        official_number: row.get(18)?,
        division: row.get(19)?,
        assignee: row.get(20)?,
        due_at: row.get::<_, Option<_>>(21)?.map(Timestamp),
        answer: row.get(22)?,
        delivered_at: row.get::<_, Option<_>>(23)?.map(Timestamp),
        satisfaction: code(row, 24, Satisfaction::from_code)?,
        void_reason: row.get(25)?,
        paper_reference: row.get(26)?,
        // What this build cannot read is kept from those who might not see it.
        confidentiality: code(row, 27, Confidentiality::from_code)?
            .unwrap_or(Confidentiality::Restricted),
        notes: Vec::new(),
        attachments: Vec::new(),
        conflicts: Vec::new(),
    };
    Ok(CaseRow {
        case,
        note_count: row.get(28)?,
        attachment_count: row.get(29)?,
        conflict_count: row.get(30)?,
    })
}

fn visit_of(row: &Row<'_>) -> rusqlite::Result<Visit> {
    Ok(Visit {
        id: Uuid::from_bytes(row.get(0)?),
        external_ref: row.get(1)?,
        area: row.get(2)?,
        place: row.get(3)?,
        started_at: Timestamp(row.get(4)?),
        ended_at: row.get::<_, Option<_>>(5)?.map(Timestamp),
        officer: OfficerId(Uuid::from_bytes(row.get(6)?)),
        summary: row.get(7)?,
        conflicts: Vec::new(),
    })
}

/// The value that a code names; `None` for no code or one that this build does not know.
fn code<T>(
    row: &Row<'_>,
    column: usize,
    from_code: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.and_then(from_code))
}
