//! A page of the feed: edits of others, and the ward's word on our own. One edit that cannot be used
//! never blocks the rest.

use super::work::{Refused, Work};
use super::{forgetting, rejection};
use crate::edit::EncodedEdit;
use crate::model::{DocumentId, EditId};
use crate::protocol::feed::{Page, PageProof, ScopeDelta};
use crate::protocol::limits::WANTED_EDITS_MAX;
use crate::store::device::edits::{self, Admission};
use crate::store::device::set_aside::{self, AsideReason};
use crate::store::device::{borrowed, doubtful, outbox, proofs, rejected, settings};

/// Stores a page and gives the edits to ask for by name.
pub(super) fn apply(work: &mut Work<'_>, page: &Page) -> rusqlite::Result<Vec<EditId>> {
    let connection = work.connection;
    if page.scope.is_beginning {
        doubtful::begin(connection)?;
    }
    if page.scope.ends_loans {
        work.end_loans()?;
    }
    forgetting::forget_all(work, page.scope.forgotten.iter().copied())?;
    if !page.proof.entries.is_empty() {
        let proof = proofs::insert(connection, &without_bodies(&page.proof).seal())?;
        for (entry, body) in page.proof.entries.iter().zip(&page.bodies) {
            let admission = Admission {
                proof,
                author: entry.author,
                received_at: entry.received_at,
            };
            take(work, entry.edit, body.as_deref(), admission)?;
        }
        if doubtful::is_any(connection)? {
            for entry in &page.proof.entries {
                doubtful::confirm(connection, entry.edit)?;
            }
        }
        if page.cursor.is_some() && borrowed::is_any(connection)? {
            for entry in &page.proof.entries {
                borrowed::hold(connection, entry.edit)?;
            }
        }
        proofs::drop_unused(connection, proof)?;
    }
    if page.scope.is_end {
        let left = doubtful::end(connection)?;
        forgetting::forget_all(work, left)?;
    }
    forgetting::rejoin(work)?;
    if let Some(cursor) = &page.cursor {
        outbox::doubt_up_to(connection, page.proof.up_to)?;
        settings::write(connection, settings::CURSOR, &cursor.0)?;
    }
    proofs::wanted(connection, WANTED_EDITS_MAX)
}

fn without_bodies(proof: &PageProof) -> Page {
    Page {
        proof: proof.clone(),
        bodies: vec![None; proof.entries.len()],
        cursor: None,
        scope: ScopeDelta::default(),
    }
}

/// One entry of a page.
fn take(
    work: &mut Work<'_>,
    id: EditId,
    body: Option<&[u8]>,
    admission: Admission,
) -> rusqlite::Result<()> {
    let connection = work.connection;
    proofs::want_no_more(connection, id)?;
    let here = edits::locate(connection, id)?;
    if let Some(located) = here.filter(|located| located.is_stranded) {
        // Its document comes back, and the edit takes its place in it.
        let bytes = edits::bytes(connection, id)?.unwrap_or_default();
        outbox::remove(connection, located.position)?;
        edits::remove(connection, located.position)?;
        return place(work, id, &bytes, admission);
    }
    if let Some(located) = here {
        edits::admit(connection, located.position, admission)?;
        outbox::remove(connection, located.position)?;
        if let Some(older) = located.proof {
            proofs::drop_unused(connection, older)?;
        }
        work.note_change(located.document);
        return Ok(());
    }
    if let Some(refused) = rejected::read(connection, id)? {
        // The ward has admitted after all what it once refused, or what fell with it here.
        rejected::remove(connection, id)?;
        return place(work, id, refused.edit.bytes(), admission);
    }
    let kept;
    let bytes = match body {
        Some(bytes) => bytes,
        None => match set_aside::bytes(connection, id)? {
            Some(bytes) => {
                kept = bytes;
                &kept
            }
            None => return proofs::want(connection, id),
        },
    };
    place(work, id, bytes, admission)
}

/// Executes an edit, or sets it aside; then whatever waited for it.
fn place(
    work: &mut Work<'_>,
    id: EditId,
    bytes: &[u8],
    admission: Admission,
) -> rusqlite::Result<()> {
    let connection = work.connection;
    let decoded = EncodedEdit::decode(bytes).ok();
    let Some(edit) = decoded.filter(|edit| edit.id() == id) else {
        let reason = AsideReason::Undecodable;
        return set_aside::put(connection, id, None, bytes, admission, reason);
    };
    let document = edit.edit().document;
    if !place_decoded(work, &edit, admission)? {
        return Ok(());
    }
    // Each round places at least one that waited, so there are no more rounds than edits waiting.
    loop {
        let mut is_progress = false;
        for (waiting, admission) in set_aside::waiting(connection, document)? {
            is_progress |= place_decoded(work, &waiting, admission)?;
        }
        if !is_progress {
            return Ok(());
        }
    }
}

/// Whether the edit is part of its document now.
fn place_decoded(
    work: &mut Work<'_>,
    edit: &EncodedEdit,
    admission: Admission,
) -> rusqlite::Result<bool> {
    let connection = work.connection;
    let document = edit.edit().document;
    let mut is_waiting = false;
    for dependency in &edit.edit().dependencies {
        if edits::position(connection, *dependency)?.is_none() {
            is_waiting = true;
            if set_aside::bytes(connection, *dependency)?.is_none() {
                proofs::want(connection, *dependency)?;
            }
        }
    }
    if is_waiting {
        put_aside(work, document, edit, admission, AsideReason::Waiting)?;
        return Ok(false);
    }
    match work.execute(edit, admission.author, Some(admission)) {
        Ok(()) => {
            set_aside::remove(connection, edit.id())?;
            rejection::supersede_pending(work, document, edit.id(), edit.edit().intent)?;
            Ok(true)
        }
        Err(Refused::Execute(error)) => {
            tracing::warn!(edit = %edit.id(), %error, "an admitted edit cannot be executed here");
            put_aside(work, document, edit, admission, AsideReason::Inapplicable)?;
            Ok(false)
        }
        Err(Refused::Store(error)) => Err(error),
    }
}

fn put_aside(
    work: &Work<'_>,
    document: DocumentId,
    edit: &EncodedEdit,
    admission: Admission,
    reason: AsideReason,
) -> rusqlite::Result<()> {
    let (id, bytes) = (edit.id(), edit.bytes());
    set_aside::put(
        work.connection,
        id,
        Some(document),
        bytes,
        admission,
        reason,
    )
}
