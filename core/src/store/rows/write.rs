//! From documents to rows.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::search::Words;
use super::{files, read};
use crate::document::{DocumentState, schema};
use crate::model::{
    Case, DocumentId, DocumentKind, LegalBasis, LegalKind, Person, Satisfaction, Visit,
};

/// How many cases may wait to be indexed, some tens of milliseconds' work.
const DUE_MAX: u32 = 128;

/// Writes the row of a document, in the transaction of its edits, and leaves its words for
/// [`index_due`]: a segment of the index for each case would cost more than all the rest of it.
///
/// # Errors
/// SQLite's.
pub fn write_unindexed(connection: &Connection, state: &DocumentState) -> rusqlite::Result<()> {
    match state.document.kind {
        DocumentKind::Case => match schema::case_head(state) {
            Some(case) => write_case(connection, &case, schema::note_count(state)),
            None => Ok(()),
        },
        DocumentKind::Visit => match schema::visit(state) {
            Some(visit) => write_visit(connection, &visit),
            None => Ok(()),
        },
        DocumentKind::Person => match schema::person(state) {
            Some(person) => write_person(connection, &person),
            None => Ok(()),
        },
    }
}

/// Removes the row of a document. Its words leave the file with [`forget_words`], once for all that is
/// removed.
///
/// # Errors
/// SQLite's.
pub fn remove(connection: &Connection, document: DocumentId) -> rusqlite::Result<()> {
    let id = document.uuid.as_bytes();
    match document.kind {
        DocumentKind::Case => {
            connection
                .prepare_cached(
                    "DELETE FROM case_search
                     WHERE rowid = (SELECT number FROM case_rows WHERE id = ?1)",
                )?
                .execute([id])?;
            connection
                .prepare_cached("DELETE FROM case_rows WHERE id = ?1")?
                .execute([id])?;
            files::remove(connection, document.uuid)?;
        }
        DocumentKind::Visit => {
            connection
                .prepare_cached("DELETE FROM visit_rows WHERE id = ?1")?
                .execute([id])?;
        }
        DocumentKind::Person => {
            connection
                .prepare_cached("DELETE FROM person_rows WHERE id = ?1")?
                .execute([id])?;
            note_due(connection, document.uuid)?;
        }
    }
    Ok(())
}

/// Sees to it that no word of what was removed, or was changed before it was removed, stays in the
/// index: what was deleted there goes only when all parts are merged, which takes as long as the
/// index is large. Deleting word by word at once would cost every change of a case forty times as much.
///
/// # Errors
/// SQLite's.
pub fn forget_words(connection: &Connection) -> rusqlite::Result<()> {
    index_due(connection)?;
    connection
        .prepare_cached("INSERT INTO case_search (case_search) VALUES ('optimize')")?
        .execute([])
        .map(drop)
}

/// Whether the stored row, and what is indexed of it, is what the document says now; call
/// [`index_due`] before.
///
/// # Errors
/// SQLite's.
pub fn is_current(connection: &Connection, state: &DocumentState) -> rusqlite::Result<bool> {
    let id = state.document.uuid;
    match state.document.kind {
        DocumentKind::Visit => {
            let stored = read::visit(connection, id)?;
            Ok(stored
                == schema::visit(state).map(|visit| Visit {
                    conflicts: Vec::new(),
                    ..visit
                }))
        }
        DocumentKind::Person => {
            let person = schema::person(state);
            let stored = read::person(connection, id)?;
            Ok(stored
                == person.map(|person| Person {
                    conflicts: Vec::new(),
                    ..person
                }))
        }
        DocumentKind::Case => {
            let Some(case) = schema::case(state) else {
                return Ok(read::case(connection, id)?.is_none());
            };
            let person = read::person(connection, id)?;
            let words = Words::of(&case, person.as_ref());
            Ok(stored_words(connection, id)? == Some(words)
                && files::files(&case.attachments) == files::attachments_of_case(connection, id)?
                && read::case(connection, id)? == Some(read::row_of(case)))
        }
    }
}

fn write_case(connection: &Connection, case: &Case, note_count: usize) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO case_rows (
                 id, code, external_ref, visit, area, place, reported_kind, legal_kind, category,
                 urgency, source, status, recorded_at, recorded_by, text, households, latitude_e6,
                 longitude_e6, official_number, division, assignee, due_at, answer, delivered_at,
                 satisfaction, void_reason, paper_reference, confidentiality, note_count,
                 attachment_count, conflict_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)
             ON CONFLICT (id) DO UPDATE SET
                 code = excluded.code, external_ref = excluded.external_ref,
                 visit = excluded.visit, area = excluded.area, place = excluded.place,
                 reported_kind = excluded.reported_kind, legal_kind = excluded.legal_kind,
                 category = excluded.category, urgency = excluded.urgency,
                 source = excluded.source, status = excluded.status,
                 recorded_at = excluded.recorded_at, recorded_by = excluded.recorded_by,
                 text = excluded.text, households = excluded.households,
                 latitude_e6 = excluded.latitude_e6, longitude_e6 = excluded.longitude_e6,
                 official_number = excluded.official_number, division = excluded.division,
                 assignee = excluded.assignee, due_at = excluded.due_at,
                 answer = excluded.answer, delivered_at = excluded.delivered_at,
                 satisfaction = excluded.satisfaction, void_reason = excluded.void_reason,
                 paper_reference = excluded.paper_reference,
                 confidentiality = excluded.confidentiality, note_count = excluded.note_count,
                 attachment_count = excluded.attachment_count,
                 conflict_count = excluded.conflict_count",
        )?
        .execute(params![
            case.id.as_bytes(),
            case.code,
            case.external_ref,
            case.visit.as_ref().map(Uuid::as_bytes),
            case.area,
            case.place,
            case.reported_kind.code(),
            case.legal_kind.map(LegalKind::code),
            case.category,
            case.urgency.code(),
            case.source.code(),
            case.status.code(),
            case.recorded_at.0,
            case.recorded_by.0.as_bytes(),
            case.text,
            case.households,
            case.location.map(|location| location.latitude_e6),
            case.location.map(|location| location.longitude_e6),
            case.official_number,
            case.division,
            case.assignee,
            case.due_at.map(|time| time.0),
            case.answer,
            case.delivered_at.map(|time| time.0),
            case.satisfaction.map(Satisfaction::code),
            case.void_reason,
            case.paper_reference,
            case.confidentiality.code(),
            note_count as i64,
            case.attachments.len() as i64,
            case.conflicts.len() as i64,
        ])?;
    files::write(connection, case.id, &case.attachments)?;
    note_due(connection, case.id)
}

fn write_visit(connection: &Connection, visit: &Visit) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO visit_rows (
                 id, external_ref, area, place, started_at, ended_at, officer, summary,
                 conflict_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            visit.id.as_bytes(),
            visit.external_ref,
            visit.area,
            visit.place,
            visit.started_at.0,
            visit.ended_at.map(|time| time.0),
            visit.officer.0.as_bytes(),
            visit.summary,
            visit.conflicts.len() as i64,
        ])
        .map(drop)
}

fn write_person(connection: &Connection, person: &Person) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO person_rows (
                 id, name, phone, address, contact_name, contact_phone, legal_basis,
                 consent_text, conflict_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            person.id.as_bytes(),
            person.name,
            person.phone,
            person.address,
            person.contact_name,
            person.contact_phone,
            person.legal_basis.map(LegalBasis::code),
            person.consent_text,
            person.conflicts.len() as i64,
        ])?;
    note_due(connection, person.id)
}

/// The words of a case are due; nothing if the case is not here.
fn note_due(connection: &Connection, case: Uuid) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO search_due (number)
             SELECT number FROM case_rows WHERE id = ?1",
        )?
        .execute([case.as_bytes()])
        .map(drop)
}

/// Indexes what is due if it is much.
///
/// # Errors
/// SQLite's.
pub fn index_much_due(connection: &Connection) -> rusqlite::Result<()> {
    let due: u32 = connection
        .prepare_cached("SELECT count(*) FROM search_due")?
        .query_row([], |row| row.get(0))?;
    if due > DUE_MAX {
        index_due(connection)?;
    }
    Ok(())
}

/// Indexes what is due. Call it before a search, in a transaction.
///
/// # Errors
/// SQLite's.
pub fn index_due(connection: &Connection) -> rusqlite::Result<()> {
    let due: Vec<(i64, Uuid)> = connection
        .prepare_cached("SELECT number, id FROM search_due JOIN case_rows USING (number)")?
        .query_map([], |row| Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    if due.is_empty() {
        return Ok(());
    }
    for (number, id) in due {
        if let Some(row) = read::case(connection, id)? {
            let person = read::person(connection, id)?;
            index(connection, number, &Words::of(&row.case, person.as_ref()))?;
        }
    }
    connection
        .prepare_cached("DELETE FROM search_due")?
        .execute([])
        .map(drop)
}

/// Most changes of a case change none of its words: then the index is left alone.
fn index(connection: &Connection, number: i64, words: &Words) -> rusqlite::Result<()> {
    let stored = connection
        .prepare_cached("SELECT folded, exact FROM case_search WHERE rowid = ?1")?
        .query_row([number], stored_row)
        .optional()?;
    match stored {
        Some(stored) if stored == *words => return Ok(()),
        Some(_) => {
            connection
                .prepare_cached("DELETE FROM case_search WHERE rowid = ?1")?
                .execute([number])?;
        }
        None => {}
    }
    connection
        .prepare_cached("INSERT INTO case_search (rowid, folded, exact) VALUES (?1, ?2, ?3)")?
        .execute(params![number, words.folded, words.exact])
        .map(drop)
}

fn stored_words(connection: &Connection, case: Uuid) -> rusqlite::Result<Option<Words>> {
    connection
        .prepare_cached(
            "SELECT folded, exact FROM case_search
             WHERE rowid = (SELECT number FROM case_rows WHERE id = ?1)",
        )?
        .query_row([case.as_bytes()], stored_row)
        .optional()
}

fn stored_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Words> {
    Ok(Words {
        folded: row.get(0)?,
        exact: row.get(1)?,
    })
}
