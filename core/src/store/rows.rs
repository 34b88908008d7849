//! Rows: the projection that lists, filters and search answer from, on the device and on the ward.
//! `rows.sql` holds the tables; both files' first migrations include it. Knows documents only
//! through [`crate::document::schema`], and nothing of edits or of who may see what.

mod files;
mod read;
mod search;
mod write;

pub use files::{attachments_of_case, is_attachment_of_another, is_attachment_referenced};
pub use read::{
    case, case_as_typed, case_by_code, case_by_external_ref, case_count, cases, person, visit,
    visit_by_external_ref, visits,
};
pub use write::{forget_words, index_due, index_much_due, is_current, remove, write_unindexed};

use uuid::Uuid;

use crate::model::{Case, Status, Timestamp, Urgency};

/// The tables `case_rows`, `case_attachments`, `visit_rows`, `person_rows` and the search index.
pub const ROWS_SQL: &str = include_str!("rows.sql");

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

#[cfg(test)]
mod tests;
