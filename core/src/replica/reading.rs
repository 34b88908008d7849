//! Reading: lists from rows, one case whole from its document, and where each stands on its way.

use rusqlite::Connection;
use uuid::Uuid;

use super::{AttachmentState, AttachmentStatus, Replica, work};
use crate::document::describe::{self, FieldChange};
use crate::document::{Document, schema};
use crate::edit::EncodedEdit;
use crate::model::{
    AttachmentHash, Case, DocumentId, EditId, OfficerId, Person, Timestamp, Visit, text,
};
use crate::policy::RejectionCode;
use crate::store::device::outbox::{self, OutboxState};
use crate::store::device::{edits, files, malformed, rejected};
use crate::store::rows::{CaseQuery, CaseRow};
use crate::store::{StoreError, attachments, rows};

/// Where a record stands on its way. Never better than what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// Durable on this device only.
    Recorded,
    /// Sent, without a final word yet.
    Sending,
    /// Durable at the ward, all of it.
    OnServer,
    /// The ward refused at least one edit; see [`Replica::rejected`].
    Rejected,
}

impl SyncState {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sending => "sending",
            Self::OnServer => "on_server",
            Self::Rejected => "rejected",
        }
    }
}

impl From<OutboxState> for SyncState {
    fn from(state: OutboxState) -> Self {
        match state {
            OutboxState::Recorded => Self::Recorded,
            OutboxState::Sealed => Self::Sending,
            OutboxState::Accepted | OutboxState::Retained => Self::OnServer,
        }
    }
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSummary {
    /// The row.
    pub row: CaseRow,
    /// Where it stands on its way.
    pub sync: SyncState,
}

/// A case, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDetail {
    /// Every field, notes, attachments and conflicts.
    pub case: Case,
    /// `None`: anonymous, or not for this role.
    pub citizen: Option<Person>,
    /// Where it stands on its way.
    pub sync: SyncState,
    /// Oldest first.
    pub history: Vec<HistoryEntry>,
    /// Hashes that the ward has confirmed.
    pub attachments_on_server: Vec<AttachmentHash>,
    /// Where each file of the case stands.
    pub attachments: Vec<AttachmentStatus>,
}

/// One edit, as history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The edit.
    pub edit: EditId,
    /// By the writer's clock.
    pub at: Timestamp,
    /// By the ward's clock, once admitted.
    pub received_at: Option<Timestamp>,
    /// Who, where known.
    pub author: Option<OfficerId>,
    /// What it did, in order.
    pub changes: Vec<FieldChange>,
    /// Where it stands on its way.
    pub sync: SyncState,
}

/// Something without a final word of the ward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingItem {
    /// The case, visit or person's case.
    pub record: Uuid,
    /// The edit; `None` for an attachment.
    pub edit: Option<EditId>,
    /// The attachment; `None` for an edit.
    pub attachment: Option<AttachmentHash>,
    /// Where it stands on its way.
    pub sync: SyncState,
}

/// An edit that the ward refused; its content is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedItem {
    /// The edit.
    pub edit: EditId,
    /// The case, visit or person's case.
    pub record: Uuid,
    /// Why.
    pub reason: RejectionCode,
    /// What it would have done, whole, so that the officer can read what was refused.
    pub content: Vec<FieldChange>,
}

impl Replica {
    /// The cases that a query asks for, from rows.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn cases(&self, query: &CaseQuery) -> Result<Vec<CaseSummary>, StoreError> {
        if query.search.is_some() {
            self.index_due()?;
        }
        self.show(|connection| {
            let summary = |row: CaseRow| {
                Ok(CaseSummary {
                    sync: sync_state(connection, row.case.id)?,
                    row,
                })
            };
            rows::cases(connection, query)?
                .into_iter()
                .map(summary)
                .collect()
        })
    }

    /// One case, whole.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn case(&self, id: Uuid) -> Result<Option<CaseDetail>, StoreError> {
        self.show(|connection| {
            let document = DocumentId::case(id);
            let state = match work::read(connection, document)? {
                Some(materialized) => Some(materialized.state),
                None => work::read_refused(connection, document)?,
            };
            let Some(case) = state.as_ref().and_then(schema::case) else {
                return Ok(None);
            };
            let person = DocumentId::person_of(id);
            let citizen = match work::read(connection, person)? {
                Some(materialized) => Some(materialized.state),
                None => work::read_refused(connection, person)?,
            };
            Ok(Some(CaseDetail {
                case,
                citizen: citizen.as_ref().and_then(schema::person),
                sync: sync_state(connection, id)?,
                history: history(connection, id)?,
                attachments: statuses(connection, id)?,
                attachments_on_server: files::of_record(connection, id)?
                    .into_iter()
                    .filter_map(|file| file.is_confirmed.then_some(file.hash))
                    .collect(),
            }))
        })
    }

    /// The id that a person gave: a uuid, a short code, an official number or an external reference.
    ///
    /// # Errors
    /// The store's.
    pub fn find_case(&self, typed: &str) -> Result<Option<Uuid>, StoreError> {
        let typed = text::normalize(typed);
        if let Ok(id) = typed.parse::<Uuid>()
            && self
                .read(|connection| rows::case(connection, id))?
                .is_some()
        {
            return Ok(Some(id));
        }
        self.index_due()?;
        self.read(|connection| match rows::case_by_code(connection, &typed)? {
            Some(id) => Ok(Some(id)),
            None => rows::case_by_external_ref(connection, &typed),
        })
    }

    /// Visits, newest first.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn visits(&self, limit: u32) -> Result<Vec<Visit>, StoreError> {
        self.show(|connection| rows::visits(connection, limit))
    }

    /// The visit that an import named so.
    ///
    /// # Errors
    /// The store's.
    pub fn visit_by_external_ref(&self, reference: &str) -> Result<Option<Uuid>, StoreError> {
        let reference = text::normalize(reference);
        self.read(|connection| rows::visit_by_external_ref(connection, &reference))
    }

    /// The bytes of an attachment, if they are on this device.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn attachment(&self, hash: AttachmentHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.show(|connection| {
            let found = attachments::read(connection, hash)?;
            Ok(found.map(|(bytes, _)| bytes))
        })
    }

    /// Edits and attachments without a final word.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self) -> Result<Vec<PendingItem>, StoreError> {
        self.read(|connection| {
            let edits = outbox::pending(connection)?;
            // A thumbnail is nothing by itself: it goes right before its original.
            let files = files::unconfirmed(connection)?
                .into_iter()
                .filter(|file| !file.is_thumbnail);
            let edits = edits.into_iter().map(|(record, edit, state)| PendingItem {
                record,
                edit: Some(edit),
                attachment: None,
                sync: state.into(),
            });
            let files = files.map(|file| PendingItem {
                record: file.record,
                edit: None,
                attachment: Some(file.hash),
                sync: match file.kept {
                    0 => SyncState::Recorded,
                    _ => SyncState::Sending,
                },
            });
            Ok(edits.chain(files).collect())
        })
    }

    /// Edits that the ward refused.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn rejected(&self) -> Result<Vec<RejectedItem>, StoreError> {
        self.show(|connection| {
            let rejected = rejected::all(connection)?;
            let item = |stored: rejected::StoredRejection| RejectedItem {
                edit: stored.edit.id(),
                record: stored.edit.edit().document.uuid,
                reason: stored.reason,
                content: describe::whole(stored.edit.edit()),
            };
            Ok(rejected.into_iter().map(item).collect())
        })
    }

    /// Lets a search find what was recorded since the last one. On a full phone it finds the rest.
    fn index_due(&self) -> Result<(), StoreError> {
        match self.transact(|work| rows::index_due(work.connection).map_err(StoreError::from)) {
            Err(StoreError::Full) => Ok(()),
            result => result,
        }
    }

    /// A standard automerge file of a case.
    ///
    /// # Errors
    /// [`StoreError::OutOfTouch`], or the store's.
    pub fn export_case(&self, case: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        self.show(|connection| {
            let stored = edits::of_document(connection, DocumentId::case(case))?;
            if stored.is_empty() {
                return Ok(None);
            }
            Document::replay(stored.iter().map(|stored| &stored.edit))
                .map(|document| Some(document.save()))
                .map_err(|_| malformed("edits"))
        })
    }
}

/// Where each file of a case stands, thumbnails too.
fn statuses(connection: &Connection, case: Uuid) -> rusqlite::Result<Vec<AttachmentStatus>> {
    let outgoing = files::of_record(connection, case)?;
    let shown = rows::attachments_of_case(connection, case)?;
    shown
        .into_iter()
        .map(|(hash, is_thumbnail)| {
            let own = outgoing.iter().find(|file| file.hash == hash);
            Ok(AttachmentStatus {
                hash,
                state: match own {
                    None => AttachmentState::Elsewhere,
                    Some(file) if file.is_confirmed => AttachmentState::OnWard,
                    Some(file) if file.kept > 0 => AttachmentState::Sending,
                    Some(_) => AttachmentState::Waiting,
                },
                bytes_done: own.map_or(0, |file| file.kept),
                is_here: attachments::is_here(connection, hash)?,
                is_thumbnail,
            })
        })
        .collect()
}

/// Where a record stands: where the part of it stands that is least far.
fn sync_state(connection: &Connection, record: Uuid) -> rusqlite::Result<SyncState> {
    if rejected::has_record(connection, record)? {
        return Ok(SyncState::Rejected);
    }
    let edits = [DocumentId::case(record), DocumentId::person_of(record)]
        .into_iter()
        .filter_map(|document| outbox::least_state(connection, document).transpose())
        .collect::<rusqlite::Result<Vec<_>>>()?
        .into_iter()
        .min();
    if edits == Some(OutboxState::Recorded) {
        return Ok(SyncState::Recorded);
    }
    let files = files::of_record(connection, record)?;
    if files.iter().any(|file| !file.is_confirmed) {
        return Ok(SyncState::Recorded);
    }
    Ok(edits.map_or(SyncState::OnServer, SyncState::from))
}

/// The edits of a case and of its person, refused ones at their place.
fn history(connection: &Connection, case: Uuid) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut entries = Vec::new();
    for document in [DocumentId::case(case), DocumentId::person_of(case)] {
        for stored in edits::of_document(connection, document)? {
            let state = outbox::state(connection, stored.position)?;
            let sync = state.map_or(SyncState::OnServer, SyncState::from);
            let entry = entry(&stored.edit, stored.author, stored.received_at, sync);
            entries.push((stored.position, entry));
        }
        for stored in rejected::of_document(connection, document)? {
            let entry = entry(&stored.edit, stored.author, None, SyncState::Rejected);
            entries.push((stored.position, entry));
        }
    }
    // Stable: of equal positions the refused one was there later.
    entries.sort_by_key(|(position, _)| *position);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn entry(
    edit: &EncodedEdit,
    author: OfficerId,
    received_at: Option<Timestamp>,
    sync: SyncState,
) -> HistoryEntry {
    HistoryEntry {
        edit: edit.id(),
        at: edit.edit().device_time,
        received_at,
        author: Some(author),
        changes: describe::history(edit.edit()),
        sync,
    }
}
