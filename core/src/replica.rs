//! The façade that an app uses: record, read, and hold a conversation with the ward.

use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use uuid::Uuid;

use crate::environment::Environment;
use crate::model::{
    Attachment, AttachmentHash, Directory, EditId, Location, OfficerId, Person, ReportedKind,
    Satisfaction, Source, Status, Timestamp, Urgency, Visit,
};
use crate::policy::RejectionCode;
use crate::protocol::credential::Enrolment;
use crate::protocol::initiator::{DeviceAnswer, DeviceCommand, Opening};
use crate::store::rows::{CaseQuery, CaseRow};
use crate::store::{OpenError, StoreError, StoreKey};

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

/// A case as an officer records it. Texts are normalised here.
#[derive(Debug, Clone, Default)]
pub struct NewCase {
    /// Kept to recognise an imported record.
    pub external_ref: Option<String>,
    /// The visit it belongs to.
    pub visit: Option<Uuid>,
    /// Code or name of an area; one that the directory does not know becomes `place`, unplaced.
    pub area: Option<String>,
    /// Free words for the place.
    pub place: Option<String>,
    /// `None`: report.
    pub kind: Option<ReportedKind>,
    /// Code of a category or a free label; empty: `other`.
    pub category: String,
    /// `None`: normal.
    pub urgency: Option<Urgency>,
    /// `None`: heard from the person.
    pub source: Option<Source>,
    /// `None`: now.
    pub recorded_at: Option<Timestamp>,
    /// What was said.
    pub text: String,
    /// `None`: one.
    pub households: Option<u32>,
    /// Where it is.
    pub location: Option<Location>,
    /// `None`: anonymous.
    pub citizen: Option<Person>,
    /// Of a stop card.
    pub paper_reference: Option<String>,
}

/// What a record call gives back once the record is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The case's UUIDv7.
    pub id: Uuid,
    /// The code to say to the citizen.
    pub code: String,
}

/// A correction of a case; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct CaseChange {
    /// New text; becomes the smallest splice from the old one.
    pub text: Option<String>,
    /// New area.
    pub area: Option<String>,
    /// New place.
    pub place: Option<String>,
    /// New reported kind.
    pub kind: Option<ReportedKind>,
    /// New category.
    pub category: Option<String>,
    /// New urgency.
    pub urgency: Option<Urgency>,
    /// New state, as far as the role may.
    pub status: Option<Status>,
    /// New assignee, as far as the role may.
    pub assignee: Option<String>,
    /// New division, as far as the role may.
    pub division: Option<String>,
    /// New answer, as far as the role may.
    pub answer: Option<String>,
    /// More (or fewer) households that say the same.
    pub households_by: Option<i32>,
    /// New location.
    pub location: Option<Location>,
}

/// A visit as an officer starts it.
#[derive(Debug, Clone, Default)]
pub struct NewVisit {
    /// Kept to recognise an imported record.
    pub external_ref: Option<String>,
    /// As in [`NewCase::area`].
    pub area: Option<String>,
    /// Free words for the place.
    pub place: Option<String>,
    /// `None`: now.
    pub started_at: Option<Timestamp>,
    /// What it is for.
    pub summary: String,
}

/// Why a record was not made. Nothing was changed; what to do is in the words.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The phone was not enrolled yet.
    #[error("this phone is not enrolled; ask the office for an invite")]
    NotEnrolled,
    /// There is no such record here.
    #[error("there is no such record on this phone")]
    NotFound,
    /// The policy stands against it; the ward would refuse it.
    #[error("{}", .0.label())]
    NotAllowed(RejectionCode),
    /// A field is missing or too long.
    #[error("{field}: {rule}")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// The rule that is broken, in words.
        rule: &'static str,
    },
    /// The file is no JPEG, PNG or WebP image, or too large.
    #[error("only JPEG, PNG and WebP images of at most 10 MiB can be attached")]
    UnsupportedAttachment,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    pub case: crate::model::Case,
    /// `None`: anonymous, or not for this role.
    pub citizen: Option<Person>,
    /// Where it stands on its way.
    pub sync: SyncState,
    /// Oldest first.
    pub history: Vec<HistoryEntry>,
    /// Hashes that the ward has confirmed.
    pub attachments_on_server: Vec<AttachmentHash>,
}

/// One operation of an edit, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// `create`, `set`, `splice`, `append` or `increment`.
    pub operation: String,
    /// Name of the field; empty for a creation.
    pub field: String,
    /// The new value as text, where there is one.
    pub value: Option<String>,
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

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A case's row, document or sync state.
    Case(Uuid),
    /// A visit.
    Visit(Uuid),
    /// The reference data.
    Directory,
}

/// Called after a change is durable, on the thread that made it.
pub type Observer = Box<dyn Fn(&Change) + Send + Sync>;

/// One device's records. Cheap to clone; all clones are the same replica.
#[derive(Clone)]
pub struct Replica {
    // filled by the store work
}

impl Replica {
    /// Opens the store in `directory`, making it if there is none, under a fresh actor.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        _directory: &Path,
        _key: &StoreKey,
        _environment: Arc<dyn Environment>,
    ) -> Result<Self, OpenError> {
        todo!()
    }

    /// The device's Ed25519 key, made with the store.
    #[must_use]
    pub fn device_key(&self) -> SigningKey {
        todo!()
    }

    /// What the ward gave at enrolment.
    #[must_use]
    pub fn enrolment(&self) -> Option<Enrolment> {
        todo!()
    }

    /// Keeps what the ward gave. The credential was checked against the invite's key.
    ///
    /// # Errors
    /// The store's.
    pub fn set_enrolment(&self, _enrolment: &Enrolment) -> Result<(), StoreError> {
        todo!()
    }

    /// The ward's reference data as of the last conversation.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        todo!()
    }

    /// Starts a visit.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn start_visit(&self, _visit: NewVisit) -> Result<Uuid, RecordError> {
        todo!()
    }

    /// Ends a visit, with what came of it.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn end_visit(&self, _visit: Uuid, _summary: Option<String>) -> Result<(), RecordError> {
        todo!()
    }

    /// Records a case, and its person if there is one, in one transaction.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn record_case(&self, _case: NewCase) -> Result<Recorded, RecordError> {
        todo!()
    }

    /// Corrects a case.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn edit_case(&self, _case: Uuid, _change: CaseChange) -> Result<(), RecordError> {
        todo!()
    }

    /// Voids a case recorded in error; it stays readable, with the reason.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn void_case(&self, _case: Uuid, _reason: &str) -> Result<(), RecordError> {
        todo!()
    }

    /// Adds a note.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn add_note(&self, _case: Uuid, _text: &str) -> Result<Uuid, RecordError> {
        todo!()
    }

    /// Attaches an image; type and size are checked by content.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn attach(
        &self,
        _case: Uuid,
        _name: &str,
        _bytes: &[u8],
    ) -> Result<Attachment, RecordError> {
        todo!()
    }

    /// Marks the answer brought, and what the citizen said of it.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn mark_delivered(
        &self,
        _case: Uuid,
        _satisfaction: Satisfaction,
    ) -> Result<(), RecordError> {
        todo!()
    }

    /// The cases that a query asks for, from rows.
    ///
    /// # Errors
    /// The store's.
    pub fn cases(&self, _query: &CaseQuery) -> Result<Vec<CaseSummary>, StoreError> {
        todo!()
    }

    /// One case, whole.
    ///
    /// # Errors
    /// The store's.
    pub fn case(&self, _id: Uuid) -> Result<Option<CaseDetail>, StoreError> {
        todo!()
    }

    /// The id that a person gave: a uuid, a short code, an official number or an external reference.
    ///
    /// # Errors
    /// The store's.
    pub fn find_case(&self, _typed: &str) -> Result<Option<Uuid>, StoreError> {
        todo!()
    }

    /// Visits, newest first.
    ///
    /// # Errors
    /// The store's.
    pub fn visits(&self, _limit: u32) -> Result<Vec<Visit>, StoreError> {
        todo!()
    }

    /// The visit that an import named so.
    ///
    /// # Errors
    /// The store's.
    pub fn visit_by_external_ref(&self, _reference: &str) -> Result<Option<Uuid>, StoreError> {
        todo!()
    }

    /// The bytes of an attachment, if they are on this device.
    ///
    /// # Errors
    /// The store's.
    pub fn attachment(&self, _hash: AttachmentHash) -> Result<Option<Vec<u8>>, StoreError> {
        todo!()
    }

    /// Edits and attachments without a final word.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self) -> Result<Vec<PendingItem>, StoreError> {
        todo!()
    }

    /// Edits that the ward refused.
    ///
    /// # Errors
    /// The store's.
    pub fn rejected(&self) -> Result<Vec<RejectedItem>, StoreError> {
        todo!()
    }

    /// A standard automerge file of a case.
    ///
    /// # Errors
    /// The store's.
    pub fn export_case(&self, _case: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        todo!()
    }

    /// Everything unsent or refused, attachments included, sealed to the ward's rescue key.
    ///
    /// # Errors
    /// The store's, or [`RecordError::NotEnrolled`].
    pub fn rescue_file(&self) -> Result<Vec<u8>, RecordError> {
        todo!()
    }

    /// Rebuilds every row from its document and gives the records whose stored row differed.
    ///
    /// # Errors
    /// The store's.
    pub fn check(&self) -> Result<Vec<Uuid>, StoreError> {
        todo!()
    }

    /// Calls `observer` after every change.
    pub fn observe(&self, _observer: Observer) {
        todo!()
    }

    /// What a conversation begins with; `None` if the phone was not enrolled.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_conversation(&self, _app_version: &str) -> Result<Option<Opening>, StoreError> {
        todo!()
    }

    /// Does what a conversation asks of the store.
    ///
    /// # Errors
    /// The store's; the conversation ends and nothing is lost.
    pub fn execute(&self, _command: DeviceCommand) -> Result<DeviceAnswer, StoreError> {
        todo!()
    }
}
