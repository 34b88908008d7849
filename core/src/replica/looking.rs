//! Cases that this phone does not hold, because they are finished and old: asked for by what a person
//! types, lent by the ward, and forgotten again after a while.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::work::Work;
use super::{RecordError, Replica, forgetting, page};
use crate::edit::EncodedEdit;
use crate::model::{DocumentId, EditId, text};
use crate::protocol::feed::Page;
use crate::protocol::limits::LOOK_BYTES_MAX;
use crate::store::StoreError;
use crate::store::device::{borrowed, edits, outbox};

/// How long a case stays that was fetched to be seen: what a complaint may take to be resolved, so
/// that a matter taken up again is at hand until it is settled. Asked for again it stays as long again.
const LOAN_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Most wishes that wait for a network: an afternoon's.
const LOOKS_MAX: usize = 64;

/// What became of a wish to see a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is on this phone.
    Here(Uuid),
    /// The next conversation asks for it.
    Waiting,
    /// The ward has no such case, or not for this officer.
    Missing,
    /// Nobody has asked for it.
    NotAsked,
}

impl Replica {
    /// Wants to see a case: by its uuid, short code, official number, or external reference if it is
    /// here. Unless it is here, the next conversation asks the ward for it.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] if no case is called so; the store's.
    pub fn look_up(&self, typed: &str) -> Result<Look, RecordError> {
        if let Some(case) = self.find_case(typed)? {
            self.transact(|work| work.lend_again(case).map_err(StoreError::from))?;
            return Ok(Look::Here(case));
        }
        let words = text::normalize(typed);
        if words.is_empty() || words.len() > LOOK_BYTES_MAX {
            return Err(RecordError::NotFound);
        }
        self.transact(|work| {
            borrowed::look(work.connection, &words, LOOKS_MAX).map_err(StoreError::from)
        })?;
        Ok(Look::Waiting)
    }

    /// What became of it.
    ///
    /// # Errors
    /// The store's.
    pub fn look(&self, typed: &str) -> Result<Look, StoreError> {
        if let Some(case) = self.find_case(typed)? {
            return Ok(Look::Here(case));
        }
        let words = text::normalize(typed);
        let is_missing = self.read(|connection| borrowed::is_missing(connection, &words))?;
        Ok(match is_missing {
            None => Look::NotAsked,
            Some(false) => Look::Waiting,
            Some(true) => Look::Missing,
        })
    }

    /// Whether a case is here on loan: the feed does not bring it, and it goes again by itself.
    ///
    /// # Errors
    /// The store's.
    pub fn is_borrowed(&self, case: Uuid) -> Result<bool, StoreError> {
        self.read(|connection| Ok(borrowed::since(connection, DocumentId::case(case))?.is_some()))
    }

    /// What to ask the ward for next.
    pub(super) fn next_look(&self) -> Result<Option<String>, StoreError> {
        let mut core = self.core();
        let looks =
            borrowed::looks(&core.store.connection).map_err(|error| self.store_error(error))?;
        let asked = &core.conversation.looks;
        let next = looks.into_iter().find(|words| !asked.contains(words));
        core.conversation.looks.extend(next.clone());
        Ok(next)
    }
}

impl Work<'_> {
    /// Keeps what the ward lends; gives the edits to ask for by name.
    pub(super) fn keep_lent(
        &mut self,
        words: &str,
        lent: Option<(Uuid, Box<Page>)>,
    ) -> rusqlite::Result<Vec<EditId>> {
        let connection = self.connection;
        let Some((case, page)) = lent else {
            borrowed::is_not_found(connection, words)?;
            return Ok(Vec::new());
        };
        let bodies = page.bodies.iter().flatten();
        let mut documents: BTreeSet<DocumentId> = bodies
            .filter_map(|body| EncodedEdit::decode(body).ok())
            .map(|edit| edit.edit().document)
            .collect();
        documents.extend([DocumentId::case(case), DocumentId::person_of(case)]);
        let now = self.environment.now();
        for document in documents {
            // What is here without a loan is held through the feed.
            if borrowed::since(connection, document)?.is_some()
                || edits::of_document(connection, document)?.is_empty()
            {
                borrowed::put(connection, document, now)?;
            }
        }
        borrowed::is_found(connection, words)?;
        page::apply(self, &page)
    }

    /// A case that is on loan stays for another while.
    fn lend_again(&mut self, case: Uuid) -> rusqlite::Result<()> {
        let now = self.environment.now();
        for document in [DocumentId::case(case), DocumentId::person_of(case)] {
            if borrowed::since(self.connection, document)?.is_some() {
                borrowed::put(self.connection, document, now)?;
            }
        }
        Ok(())
    }

    /// Forgets what was lent long ago, unless something of it is still on its way to the ward. Whether
    /// there was any.
    pub(super) fn end_old_loans(&mut self) -> rusqlite::Result<bool> {
        let now = self.environment.now();
        // A clock that was set right may have lent far in the future.
        let mut over = Vec::new();
        for (document, at) in borrowed::all(self.connection)? {
            if now.0.abs_diff(at.0) >= LOAN_MS.unsigned_abs()
                && !outbox::has_any_of(self.connection, document)?
            {
                over.push(document);
            }
        }
        forgetting::forget_all(self, over.iter().copied())?;
        Ok(!over.is_empty())
    }

    /// Another scope begins: whatever was lent in the old one is to be asked for again.
    pub(super) fn end_loans(&mut self) -> rusqlite::Result<()> {
        let all = borrowed::all(self.connection)?;
        forgetting::forget_all(self, all.into_iter().map(|(document, _)| document))
    }
}
