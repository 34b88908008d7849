//! Documents that leave the scope of this device's officer. Everything of them goes, so that no byte
//! stays that the officer may not hold; except what the officer wrote: that is stranded, which means
//! kept outside of any document. What the ward has not judged, until its last word; what it has
//! accepted, for [`RETAINED_MS`], because a ward that is put back from a backup may have nobody else who
//! holds it. And an edit that was refused stays listed with its content, as always.

use std::collections::BTreeSet;

use rusqlite::Connection;
use uuid::Uuid;

use super::work::{Refused, Work};
use crate::document::{Materialized, schema};
use crate::model::{ActorId, AttachmentHash, DocumentId, DocumentKind, OfficerId, Timestamp};
use crate::store::attachments::{self, parts};
use crate::store::device::edits;
use crate::store::device::outbox::{self, OutboxState};
use crate::store::device::{borrowed, files, proofs, rejected, set_aside, settings};
use crate::store::rows;

/// How long the officer's own accepted edits outlive their document: a ward is put back from a backup
/// of last night or last week; from one that is older than a month it has lost much else.
const RETAINED_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Forgets documents. One that is not here costs a look.
pub(super) fn forget_all(
    work: &mut Work<'_>,
    documents: impl IntoIterator<Item = DocumentId>,
) -> rusqlite::Result<()> {
    // Cases before their persons, because a case says whose both are.
    let documents: BTreeSet<DocumentId> = documents.into_iter().collect();
    let officer =
        settings::enrolment(work.connection)?.map(|enrolment| enrolment.credential.officer);
    for document in documents {
        // A ward does not ask for it; should it have lost the case, then here is the last copy.
        if officer.is_none() || recorder(work, document)? != officer {
            forget(work, document, officer)?;
        }
    }
    Ok(())
}

/// Who recorded the case (a person's case) or went on the visit, if that is here.
fn recorder(work: &mut Work<'_>, document: DocumentId) -> rusqlite::Result<Option<OfficerId>> {
    let told = match document.kind {
        DocumentKind::Person => DocumentId::case(document.uuid),
        DocumentKind::Case | DocumentKind::Visit => document,
    };
    let materialized = work.document(told)?;
    Ok(materialized.and_then(|Materialized { state, .. }| {
        let recorded_by = schema::case_head(state).map(|case| case.recorded_by);
        recorded_by.or_else(|| schema::visit(state).map(|visit| visit.officer))
    }))
}

fn forget(
    work: &mut Work<'_>,
    document: DocumentId,
    officer: Option<OfficerId>,
) -> rusqlite::Result<()> {
    let connection = work.connection;
    let mut unused = remove_what_came(work, document)?;
    let stored = edits::all_of_document(connection, document)?;
    let mut files = files_of(connection, document)?;
    for stored in &stored {
        let position = stored.position;
        let located = edits::locate(connection, stored.edit.id())?;
        let is_retained = match outbox::state(connection, position)? {
            Some(OutboxState::Recorded | OutboxState::Sealed) => {
                edits::strand(connection, &mut work.held, position)?;
                continue;
            }
            // The ward's last word is there; that the feed did not name it is the scope's doing.
            Some(OutboxState::Accepted) => {
                outbox::retain(connection, position)?;
                edits::retain(connection, &mut work.held, position)?;
                true
            }
            Some(OutboxState::Retained) => true,
            None if Some(stored.author) == officer => {
                if located.is_some_and(|located| !located.is_retained) {
                    edits::retain(connection, &mut work.held, position)?;
                }
                true
            }
            None => false,
        };
        if is_retained {
            for file in schema::attached_by(stored.edit.edit()) {
                files.remove(&file);
            }
        } else {
            unused.extend(located.and_then(|located| located.proof));
            edits::remove(connection, &mut work.held, position)?;
        }
    }
    for proof in unused {
        proofs::drop_unused(connection, proof)?;
    }
    if stored.is_empty() {
        return Ok(());
    }
    // Should the document come back, this actor's numbers in it are not known here.
    work.actor = ActorId(work.random());
    work.rebuild(document)?;
    remove_files(connection, document.uuid, files)
}

/// Removes what the ward lent of a document and what it sent that could not be used; gives the proofs that
/// may be unused now.
pub(super) fn remove_what_came(
    work: &mut Work<'_>,
    document: DocumentId,
) -> rusqlite::Result<Vec<i64>> {
    let connection = work.connection;
    borrowed::remove(connection, document)?;
    let (unused, dependencies) = set_aside::remove_document(connection, &mut work.held, document)?;
    for dependency in dependencies {
        proofs::want_no_more(connection, dependency)?;
    }
    Ok(unused)
}

/// The files that a case shows, and those of it that are on their way.
pub(super) fn files_of(
    connection: &Connection,
    document: DocumentId,
) -> rusqlite::Result<BTreeSet<AttachmentHash>> {
    if document.kind != DocumentKind::Case {
        return Ok(BTreeSet::new());
    }
    let shown = rows::attachments_of_case(connection, document.uuid)?;
    let own = files::of_record(connection, document.uuid)?;
    let own = own.into_iter().map(|file| file.hash);
    Ok(shown.into_keys().chain(own).collect())
}

/// A file goes with its case, unless it has to be sent first or another case shows it.
fn remove_files(
    connection: &Connection,
    case: Uuid,
    hashes: BTreeSet<AttachmentHash>,
) -> rusqlite::Result<()> {
    for hash in hashes {
        files::remove_confirmed(connection, hash, case)?;
        remove_if_unneeded(connection, case, hash)?;
    }
    Ok(())
}

/// Removes the bytes of a file of a case, unless they have to be sent first or another case shows them.
pub(super) fn remove_if_unneeded(
    connection: &Connection,
    case: Uuid,
    hash: AttachmentHash,
) -> rusqlite::Result<()> {
    if !files::is_under_way(connection, hash)?
        && !rows::is_attachment_of_another(connection, hash, case)?
    {
        attachments::remove(connection, hash)?;
        parts::remove(connection, hash)?;
        files::want_no_more(connection, hash)?;
    }
    Ok(())
}

/// This device's files of a record that was forgotten: those that the ward has by now need not be
/// kept, unless an edit that refers to them still is.
pub(super) fn tidy_files(work: &mut Work<'_>, record: Uuid) -> rusqlite::Result<()> {
    let case = DocumentId::case(record);
    let connection = work.connection;
    if !edits::all_of_document(connection, case)?.is_empty()
        || rejected::has_record(connection, record)?
    {
        return Ok(());
    }
    let own = files_of(connection, case)?;
    remove_files(connection, record, own)
}

/// Drops what was retained long enough, and says whether there was anything. `now` is by the ward's clock.
pub(super) fn end_retaining(work: &mut Work<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    let connection = work.connection;
    if !edits::is_any_retained(connection)? {
        return Ok(false);
    }
    let until = Timestamp(now.0.saturating_sub(RETAINED_MS));
    let due = edits::retained_before(connection, now, until)?;
    for located in &due {
        outbox::remove(connection, located.position)?;
        edits::remove(connection, &mut work.held, located.position)?;
        if let Some(proof) = located.proof {
            proofs::drop_unused(connection, proof)?;
        }
    }
    let records: BTreeSet<Uuid> = due.iter().map(|located| located.document.uuid).collect();
    for record in records {
        tidy_files(work, record)?;
    }
    Ok(!due.is_empty())
}

/// Unsent stranded edits of documents that are here again become part of them.
pub(super) fn rejoin(work: &mut Work<'_>) -> rusqlite::Result<()> {
    for document in edits::stranded_documents(work.connection)? {
        if work.document(document)?.is_none() {
            continue;
        }
        for stored in edits::stranded_of(work.connection, document)? {
            rejoin_edit(work, &stored)?;
        }
    }
    Ok(())
}

fn rejoin_edit(work: &mut Work<'_>, stored: &edits::StoredEdit) -> rusqlite::Result<()> {
    let connection = work.connection;
    for dependency in &stored.edit.edit().dependencies {
        if edits::position(connection, *dependency)?.is_none() {
            return Ok(());
        }
    }
    let Some(line) = outbox::lift(connection, stored.position)? else {
        return Ok(());
    };
    edits::remove(connection, &mut work.held, stored.position)?;
    match work.execute(&stored.edit, stored.author, None) {
        Ok(()) => {}
        Err(Refused::Execute(error)) => {
            tracing::warn!(edit = %stored.edit.id(), %error, "an own edit does not fit its document any more");
            edits::insert(
                connection,
                &mut work.held,
                &stored.edit,
                stored.author,
                None,
            )?;
            let position = edits::locate(connection, stored.edit.id())?.map(|edit| edit.position);
            if let Some(position) = position {
                edits::strand(connection, &mut work.held, position)?;
            }
        }
        Err(Refused::Store(error)) => return Err(error),
    }
    match edits::locate(connection, stored.edit.id())? {
        Some(located) => outbox::put_back(connection, located.position, line),
        None => Ok(()),
    }
}
