//! Rows: the projection that lists, filters and search answer from, on the device and on the ward.
//! `rows.sql` holds the tables; both files' first migrations include it.

use rusqlite::Connection;
use uuid::Uuid;

use crate::document::DocumentState;
use crate::model::{Case, Person, Status, Timestamp, Urgency, Visit};

/// The tables `case_rows`, `visit_rows`, `person_rows` and the search index.
pub const ROWS_SQL: &str = include_str!("rows.sql");

/// Writes the row of a document; the same transaction as its edits.
///
/// # Errors
/// SQLite's.
pub fn write(_connection: &Connection, _state: &DocumentState) -> rusqlite::Result<()> {
    todo!()
}

/// Removes the row of a document.
///
/// # Errors
/// SQLite's.
pub fn remove(
    _connection: &Connection,
    _document: crate::model::DocumentId,
) -> rusqlite::Result<()> {
    todo!()
}

/// What a list shows of a case. Lists never load documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The case as its row has it; notes, attachments and conflicts stay empty.
    pub case: Case,
    /// How many notes there are.
    pub note_count: u32,
    /// How many attachments there are.
    pub attachment_count: u32,
    /// How many registers have more than one value.
    pub conflict_count: u32,
}

/// In which order a list comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseOrder {
    /// Exact search hits first, then newest first.
    #[default]
    Newest,
    /// Most urgent first, then oldest first.
    Urgency,
}

/// Which cases a list shows. Empty parts do not filter.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// Free text: words of the text, names, places, phone numbers, codes. Folded; exact hits first.
    pub search: Option<String>,
    /// Any of these states.
    pub statuses: Vec<Status>,
    /// Legal kind if set, otherwise reported kind: any of these codes.
    pub kinds: Vec<String>,
    /// Any of these categories.
    pub categories: Vec<String>,
    /// Any of these areas; an empty string stands for 'unplaced'.
    pub areas: Vec<String>,
    /// Any of these urgencies.
    pub urgencies: Vec<Urgency>,
    /// This division.
    pub division: Option<String>,
    /// This assignee.
    pub assignee: Option<String>,
    /// This visit.
    pub visit: Option<Uuid>,
    /// Recorded from here on.
    pub recorded_from: Option<Timestamp>,
    /// Recorded before.
    pub recorded_before: Option<Timestamp>,
    /// Order.
    pub order: CaseOrder,
    /// At most this many; 0 is no limit.
    pub limit: u32,
    /// Skip this many.
    pub offset: u32,
}

/// The cases that a query asks for.
///
/// # Errors
/// SQLite's.
pub fn cases(_connection: &Connection, _query: &CaseQuery) -> rusqlite::Result<Vec<CaseRow>> {
    todo!()
}

/// How many cases a query asks for, regardless of limit and offset.
///
/// # Errors
/// SQLite's.
pub fn case_count(_connection: &Connection, _query: &CaseQuery) -> rusqlite::Result<u64> {
    todo!()
}

/// One case's row.
///
/// # Errors
/// SQLite's.
pub fn case(_connection: &Connection, _id: Uuid) -> rusqlite::Result<Option<CaseRow>> {
    todo!()
}

/// A case by its short code or official number, as typed.
///
/// # Errors
/// SQLite's.
pub fn case_by_code(_connection: &Connection, _code: &str) -> rusqlite::Result<Option<Uuid>> {
    todo!()
}

/// The citizen of a case.
///
/// # Errors
/// SQLite's.
pub fn person(_connection: &Connection, _case: Uuid) -> rusqlite::Result<Option<Person>> {
    todo!()
}

/// One visit.
///
/// # Errors
/// SQLite's.
pub fn visit(_connection: &Connection, _id: Uuid) -> rusqlite::Result<Option<Visit>> {
    todo!()
}

/// Visits, newest first.
///
/// # Errors
/// SQLite's.
pub fn visits(_connection: &Connection, _limit: u32) -> rusqlite::Result<Vec<Visit>> {
    todo!()
}
