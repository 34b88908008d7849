//! Taking an edit back. The merge engine cannot, so the document is read anew from what remains: what
//! the ward admitted and this device's other pending edits. Nothing that was written is thrown away.

use std::collections::BTreeSet;

use super::work::Work;
use crate::document::schema;
use crate::model::{ActorId, DocumentId, EditId, IntentId};
use crate::policy::RejectionCode;
use crate::store::device::edits::{self, StoredEdit};
use crate::store::device::{files, outbox, rejected};

/// Takes back an edit that the ward refused, and every edit that builds on it.
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
    let mut refused_files = BTreeSet::new();
    let mut shown_files = BTreeSet::new();
    for stored in edits::all_of_document(connection, document)? {
        let is_dependent = stored
            .edit
            .edit()
            .dependencies
            .iter()
            .any(|dependency| taken.contains(dependency));
        let reason = if stored.edit.id() == id {
            reason
        } else if is_dependent {
            taken.insert(stored.edit.id());
            Some(RejectionCode::DependsOnRejected)
        } else {
            shown_files.extend(schema::attached_by(stored.edit.edit()));
            continue;
        };
        if let Some(reason) = reason {
            rejected::insert(connection, &stored, reason)?;
            refused_files.extend(schema::attached_by(stored.edit.edit()));
        }
        outbox::remove(connection, stored.position)?;
        edits::remove(connection, &mut work.held, stored.position)?;
    }
    // No case of the ward's shows them, so the ward would not take them.
    for hash in refused_files.difference(&shown_files) {
        files::remove(connection, *hash, document.uuid)?;
    }
    // The next edit would take a number of this actor that the ward has seen on another edit.
    work.actor = ActorId(work.random());
    work.rebuild(document)
}
