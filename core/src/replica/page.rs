//! A page of the feed: edits of others, and the ward's word on our own. One edit that cannot be used
//! never blocks the rest.

use super::work::{Refused, Work};
use super::{forgetting, purging, rejection};
use crate::edit::{Edit, EncodedEdit};
use crate::model::EditId;
use crate::protocol::feed::{Page, PageProof, ScopeDelta};
use crate::protocol::limits::WANTED_EDITS_MAX;
use crate::store::device::edits::{self, Admission};
use crate::store::device::set_aside::{self, AsideReason};
use crate::store::device::{borrowed, doubtful, outbox, proofs, rejected, settings, tombstones};

/// Stores a page and gives the edits to ask for by name.
pub(super) fn apply(work: &mut Work<'_>, page: &Page) -> rusqlite::Result<Vec<EditId>> {
    let connection = work.connection;
    if !page.scope.tombstones.is_empty()
        && let Some(enrolment) = settings::enrolment(connection)?
    {
        purging::purge_all(work, enrolment.ward_key, &page.scope.tombstones)?;
    }
    if page.scope.is_beginning {
        doubtful::begin(connection)?;
    }
    if page.scope.ends_loans {
        work.end_loans()?;
    }
    forgetting::forget_all(work, page.scope.forgotten.iter().copied())?;
    if !page.proof.entries.is_empty() {
        let proof = proofs::insert(connection, &without_bodies(&page.proof).seal())?;
        let mut taking = Taking::begin(work)?;
        for (entry, body) in page.proof.entries.iter().zip(&page.bodies) {
            let admission = Admission {
                proof,
                author: entry.author,
                received_at: entry.received_at,
            };
            taking.take(entry.edit, body.as_deref(), admission)?;
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

/// The entries of one page on their way into the store.
struct Taking<'a, 'b> {
    work: &'a mut Work<'b>,
    /// Tables that hardly ever hold anything, so that a page of a thousand edits does not ask each of
    /// them a thousand times.
    is_any_wanted: bool,
    is_any_aside: bool,
    /// Refused, or own and on their way: what may be refused on the way.
    is_any_own: bool,
}

impl<'a, 'b> Taking<'a, 'b> {
    fn begin(work: &'a mut Work<'b>) -> rusqlite::Result<Self> {
        let connection = work.connection;
        Ok(Self {
            is_any_wanted: proofs::is_any_wanted(connection)?,
            is_any_aside: set_aside::is_any(connection)?,
            is_any_own: rejected::is_any(connection)? || outbox::is_any(connection)?,
            work,
        })
    }

    /// One entry of a page.
    fn take(
        &mut self,
        id: EditId,
        body: Option<&[u8]>,
        admission: Admission,
    ) -> rusqlite::Result<()> {
        let connection = self.work.connection;
        if self.is_any_wanted {
            proofs::want_no_more(connection, id)?;
        }
        let here = edits::locate(connection, id)?;
        if let Some(located) = here.filter(|located| located.is_stranded) {
            // Its document comes back, and the edit takes its place in it.
            let bytes = edits::bytes(connection, id)?.unwrap_or_default();
            outbox::remove(connection, located.position)?;
            edits::remove(connection, &mut self.work.held, located.position)?;
            return self.place(id, &bytes, admission);
        }
        if let Some(located) = here {
            edits::admit(connection, &mut self.work.held, located.position, admission)?;
            outbox::remove(connection, located.position)?;
            if let Some(older) = located.proof {
                proofs::drop_unused(connection, older)?;
            }
            self.work.note_change(located.document);
            return Ok(());
        }
        if self.is_any_own
            && let Some(refused) = rejected::read(connection, id)?
        {
            // The ward has admitted after all what it once refused, or what fell with it here.
            rejected::remove(connection, id)?;
            return self.place(id, refused.edit.bytes(), admission);
        }
        let kept;
        let bytes = match body {
            Some(bytes) => bytes,
            None => match set_aside::bytes(connection, id)? {
                Some(bytes) => {
                    kept = bytes;
                    &kept
                }
                None => return self.want(id),
            },
        };
        self.place(id, bytes, admission)
    }

    fn want(&mut self, id: EditId) -> rusqlite::Result<()> {
        self.is_any_wanted = true;
        proofs::want(self.work.connection, id)
    }

    /// Executes an edit, or sets it aside; then whatever waited for it.
    fn place(&mut self, id: EditId, bytes: &[u8], admission: Admission) -> rusqlite::Result<()> {
        let connection = self.work.connection;
        let decoded = EncodedEdit::decode(bytes).ok();
        let Some(edit) = decoded.filter(|edit| edit.id() == id) else {
            self.is_any_aside = true;
            let reason = AsideReason::Undecodable;
            return set_aside::put(
                connection,
                &mut self.work.held,
                id,
                None,
                bytes,
                admission,
                reason,
            );
        };
        let document = edit.edit().document;
        if !self.place_decoded(&edit, admission)? || !self.is_any_aside {
            return Ok(());
        }
        // Each round places at least one that waited, so there are no more rounds than edits waiting.
        loop {
            let mut is_progress = false;
            for (waiting, admission) in set_aside::waiting(connection, document)? {
                is_progress |= self.place_decoded(&waiting, admission)?;
            }
            if !is_progress {
                return Ok(());
            }
        }
    }

    /// Whether the edit is part of its document now.
    fn place_decoded(
        &mut self,
        edit: &EncodedEdit,
        admission: Admission,
    ) -> rusqlite::Result<bool> {
        let document = edit.edit().document;
        if tombstones::is_purged(self.work.connection, document)? {
            return Ok(false);
        }
        if !self.is_everything_here(edit)? {
            self.put_aside(edit, admission, AsideReason::Waiting)?;
            return Ok(false);
        }
        match self.work.execute(edit, admission.author, Some(admission)) {
            Ok(()) => {
                if self.is_any_aside {
                    set_aside::remove(self.work.connection, &mut self.work.held, edit.id())?;
                }
                if self.is_any_own {
                    let intent = edit.edit().intent;
                    rejection::supersede_pending(self.work, document, edit.id(), intent)?;
                }
                Ok(true)
            }
            Err(Refused::Execute(error)) => {
                tracing::warn!(edit = %edit.id(), %error, "an admitted edit cannot be executed here");
                self.put_aside(edit, admission, AsideReason::Inapplicable)?;
                Ok(false)
            }
            Err(Refused::Store(error)) => Err(error),
        }
    }

    /// Whether all that an edit depends on is part of its document; what is nowhere is wanted.
    fn is_everything_here(&mut self, edit: &EncodedEdit) -> rusqlite::Result<bool> {
        let Edit {
            document,
            dependencies,
            ..
        } = edit.edit();
        let stands = self.work.document(*document)?;
        if stands.is_some_and(|stands| stands.heads == *dependencies) {
            return Ok(true);
        }
        let connection = self.work.connection;
        let mut is_everything_here = true;
        for dependency in dependencies {
            if edits::position(connection, *dependency)?.is_none() {
                is_everything_here = false;
                if set_aside::bytes(connection, *dependency)?.is_none() {
                    self.want(*dependency)?;
                }
            }
        }
        Ok(is_everything_here)
    }

    fn put_aside(
        &mut self,
        edit: &EncodedEdit,
        admission: Admission,
        reason: AsideReason,
    ) -> rusqlite::Result<()> {
        self.is_any_aside = true;
        let document = Some(edit.edit().document);
        let (id, bytes) = (edit.id(), edit.bytes());
        let Work {
            connection, held, ..
        } = &mut *self.work;
        set_aside::put(connection, held, id, document, bytes, admission, reason)
    }
}
