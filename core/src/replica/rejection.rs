//! Taking an edit back. The merge engine cannot, so the document is read anew from what remains: what
//! the ward admitted and this device's other pending edits. Nothing that was written is thrown away: what
//! was built on it is made anew without it where that is possible, and listed with a reason where it is not.

use std::collections::BTreeSet;

use super::author_of;
use super::work::Work;
use crate::document::schema;
use crate::model::{ActorId, DocumentId, EditId, IntentId};
use crate::policy::{Author, RejectionCode};
use crate::store::device::edits::{self, StoredEdit};
use crate::store::device::{files, outbox, rejected, settings};

/// Takes back an edit that the ward refused. Every edit that builds on it is made anew, or falls with it.
pub(super) fn reject(
    work: &mut Work<'_>,
    refused: &StoredEdit,
    reason: RejectionCode,
) -> rusqlite::Result<()> {
    let id = refused.edit.id();
    take_back(work, refused.edit.edit().document, id, Some(reason))
}

/// Takes back an edit of ours whose intent the ward has applied through another edit, if that other
/// edit is here: what was meant is in the document once.
pub(super) fn supersede_if_applied(work: &mut Work<'_>, own: EditId) -> rusqlite::Result<()> {
    let Some(own) = edits::read(work.connection, own)? else {
        return Ok(());
    };
    let document = own.edit.edit().document;
    let all = edits::of_document(work.connection, document)?;
    let is_applied = all.iter().any(|other| {
        other.edit.edit().intent == own.edit.edit().intent && other.edit.id() != own.edit.id()
    });
    if is_applied {
        take_back(work, document, own.edit.id(), None)?;
    }
    Ok(())
}

/// The same, seen from the other side: an edit came whose intent a pending edit of ours has too.
pub(super) fn supersede_pending(
    work: &mut Work<'_>,
    document: DocumentId,
    applied: EditId,
    intent: IntentId,
) -> rusqlite::Result<()> {
    // A phone that only listens reads no history for every edit that comes.
    if outbox::least_state(work.connection, document)?.is_none() {
        return Ok(());
    }
    for stored in edits::of_document(work.connection, document)? {
        if stored.edit.id() != applied
            && stored.edit.edit().intent == intent
            && outbox::state(work.connection, stored.position)?.is_some()
        {
            take_back(work, document, stored.edit.id(), None)?;
        }
    }
    Ok(())
}

fn take_back(
    work: &mut Work<'_>,
    document: DocumentId,
    id: EditId,
    reason: Option<RejectionCode>,
) -> rusqlite::Result<()> {
    let connection = work.connection;
    let mut taken = BTreeSet::from([id]);
    let mut dependents = Vec::new();
    let mut refused_files = BTreeSet::new();
    let mut shown_files = BTreeSet::new();
    for stored in edits::all_of_document(connection, document)? {
        let edit = stored.edit.edit();
        let is_dependent = edit
            .dependencies
            .iter()
            .any(|dependency| taken.contains(dependency));
        if stored.edit.id() == id {
            if let Some(reason) = reason {
                refused_files.extend(schema::attached_by(edit));
                rejected::insert(connection, &stored, reason)?;
            }
        } else if !is_dependent {
            shown_files.extend(schema::attached_by(edit));
            continue;
        }
        outbox::remove(connection, stored.position)?;
        edits::remove(connection, &mut work.held, stored.position)?;
        if is_dependent {
            taken.insert(stored.edit.id());
            dependents.push(stored);
        }
    }
    // The next edit would take a number of this actor that the ward has seen on another edit.
    work.actor = ActorId(work.random());
    work.rebuild(document)?;
    let author = settings::enrolment(connection)?.map(|enrolment| author_of(&enrolment));
    for stored in dependents {
        let files = schema::attached_by(stored.edit.edit());
        if is_made_anew(work, author, &stored)? {
            shown_files.extend(files);
        } else {
            refused_files.extend(files);
            rejected::insert(connection, &stored, RejectionCode::DependsOnRejected)?;
        }
    }
    // No case of the ward's shows them, so the ward would not take them.
    for hash in refused_files.difference(&shown_files) {
        files::remove(connection, *hash, document.uuid)?;
    }
    Ok(())
}

/// Makes what built on a refused edit anew, under its old intent, so that the ward applies it once whatever
/// becomes of the first. Not possible if it says something about what was refused: a splice of words
/// that are not there, a step from a state that was not reached, an edit of a case that does not exist.
fn is_made_anew(
    work: &mut Work<'_>,
    author: Option<Author>,
    stored: &StoredEdit,
) -> rusqlite::Result<bool> {
    match author {
        Some(author) if author.officer == stored.author => {
            work.author_anew(author, stored.edit.edit())
        }
        _ => Ok(false),
    }
}
