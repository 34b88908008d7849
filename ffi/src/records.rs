//! The core's plain values as the generator of the bindings sees them. Every definition repeats one
//! of the core's field by field; the compiler refuses the file when the two differ, so nothing is
//! converted by hand. Ids travel as the text that people and logs know, times as milliseconds.

use gandan_core::client::SyncReport;
use gandan_core::model::{
    ActorId, Area, Attachment, AttachmentHash, Case, Category, Concurrency, ConcurrentValue,
    Confidentiality, Directory, Division, EditId, LegalBasis, LegalKind, Location, Note,
    NoteVisibility, Officer, OfficerId, OldWard, Person, ReportedKind, Role, Satisfaction, Source,
    Status, Timestamp, Urgency, Visit, WardCode,
};
use gandan_core::replica::{
    Agreement, AttachmentState, AttachmentStatus, CaseChange, CaseDetail, CaseSummary, Change,
    FetchPolicy, FieldChange, FreedSpace, HistoryEntry, Look, NewCase, NewVisit, PendingItem,
    Recorded, RejectedItem, SyncState,
};
use gandan_core::store::rows::{CaseOrder, CaseQuery, CaseRow};
use uuid::Uuid;

uniffi::custom_type!(Uuid, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse()?),
});
uniffi::custom_type!(OfficerId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(OfficerId(text.parse()?)),
});
uniffi::custom_type!(EditId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse()?),
});
uniffi::custom_type!(ActorId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse()?),
});
uniffi::custom_type!(AttachmentHash, String, {
    remote,
    lower: |hash| hash.to_string(),
    try_lift: |text| Ok(text.parse()?),
});
uniffi::custom_type!(WardCode, String, {
    remote,
    lower: |code| code.to_string(),
    try_lift: |text| Ok(text.parse()?),
});
uniffi::custom_type!(Timestamp, i64, {
    remote,
    lower: |time| time.0,
    try_lift: |milliseconds| Ok(Timestamp(milliseconds)),
});

#[uniffi::remote(Enum)]
pub enum ReportedKind {
    Report,
    Petition,
    Complaint,
    Denunciation,
}

#[uniffi::remote(Enum)]
pub enum LegalBasis {
    Consent,
    Law,
}

#[uniffi::remote(Enum)]
pub enum LegalKind {
    Report,
    Petition,
    Complaint,
}

#[uniffi::remote(Enum)]
pub enum Status {
    Recorded,
    Accepted,
    InProgress,
    WaitingCitizen,
    Transferred,
    Answered,
    Closed,
    Reopened,
    Duplicate,
    Withdrawn,
    Voided,
}

#[uniffi::remote(Enum)]
pub enum Urgency {
    Low,
    Normal,
    High,
    Urgent,
}

#[uniffi::remote(Enum)]
pub enum Source {
    HeardFromPerson,
    HeardFromRepresentative,
    SeenOnSpot,
    WalkIn,
    Phone,
    Letter,
}

#[uniffi::remote(Enum)]
pub enum Satisfaction {
    Satisfied,
    NotSatisfied,
}

#[uniffi::remote(Enum)]
pub enum NoteVisibility {
    Internal,
    Reply,
}

#[uniffi::remote(Enum)]
pub enum Confidentiality {
    Normal,
    Restricted,
}

#[uniffi::remote(Enum)]
pub enum Role {
    Officer,
    Leader,
    Triage,
    Chair,
    Admin,
}

#[uniffi::remote(Enum)]
pub enum SyncState {
    Recorded,
    Sending,
    OnServer,
    Rejected,
}

#[uniffi::remote(Enum)]
pub enum CaseOrder {
    Newest,
    Urgency,
}

#[uniffi::remote(Record)]
pub struct Location {
    pub latitude_e6: i32,
    pub longitude_e6: i32,
}

#[uniffi::remote(Record)]
pub struct Note {
    pub id: Uuid,
    pub text: String,
    pub author: OfficerId,
    pub at: Timestamp,
    pub visibility: NoteVisibility,
}

#[uniffi::remote(Record)]
pub struct Attachment {
    pub hash: AttachmentHash,
    pub name: String,
    pub bytes: u64,
    pub mime: String,
    pub at: Timestamp,
    pub thumbnail: Option<AttachmentHash>,
}

#[uniffi::remote(Record)]
pub struct ConcurrentValue {
    pub value: String,
    pub actor: ActorId,
}

#[uniffi::remote(Record)]
pub struct Concurrency {
    pub field: String,
    pub values: Vec<ConcurrentValue>,
}

#[uniffi::remote(Record)]
pub struct Case {
    pub id: Uuid,
    pub code: String,
    pub external_ref: Option<String>,
    pub visit: Option<Uuid>,
    pub area: Option<String>,
    pub place: Option<String>,
    pub reported_kind: ReportedKind,
    pub legal_kind: Option<LegalKind>,
    pub category: String,
    pub urgency: Urgency,
    pub source: Source,
    pub status: Status,
    pub recorded_at: Timestamp,
    pub recorded_by: OfficerId,
    pub text: String,
    pub households: i64,
    pub location: Option<Location>,
    pub official_number: Option<String>,
    pub division: Option<String>,
    pub assignee: Option<String>,
    pub due_at: Option<Timestamp>,
    pub answer: Option<String>,
    pub delivered_at: Option<Timestamp>,
    pub satisfaction: Option<Satisfaction>,
    pub void_reason: Option<String>,
    pub paper_reference: Option<String>,
    pub confidentiality: Confidentiality,
    pub notes: Vec<Note>,
    pub attachments: Vec<Attachment>,
    pub conflicts: Vec<Concurrency>,
}

#[uniffi::remote(Record)]
pub struct Visit {
    pub id: Uuid,
    pub external_ref: Option<String>,
    pub area: Option<String>,
    pub place: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub officer: OfficerId,
    pub summary: String,
    pub conflicts: Vec<Concurrency>,
}

#[uniffi::remote(Record)]
pub struct Person {
    #[uniffi(default = "00000000-0000-0000-0000-000000000000")]
    pub id: Uuid,
    #[uniffi(default = None)]
    pub name: Option<String>,
    #[uniffi(default = None)]
    pub phone: Option<String>,
    #[uniffi(default = None)]
    pub address: Option<String>,
    #[uniffi(default = None)]
    pub contact_name: Option<String>,
    #[uniffi(default = None)]
    pub contact_phone: Option<String>,
    #[uniffi(default = None)]
    pub legal_basis: Option<LegalBasis>,
    #[uniffi(default = None)]
    pub consent_text: Option<String>,
    #[uniffi(default = [])]
    pub conflicts: Vec<Concurrency>,
}

#[uniffi::remote(Record)]
pub struct OldWard {
    pub code: String,
    pub name: String,
    pub district: String,
    pub divided: bool,
}

#[uniffi::remote(Record)]
pub struct Area {
    pub code: String,
    pub name: String,
    pub type_label: String,
    pub parent: Option<String>,
    pub old_names: Vec<String>,
    pub valid_from: String,
    pub valid_to: Option<String>,
}

#[uniffi::remote(Record)]
pub struct Officer {
    pub id: OfficerId,
    pub name: String,
    pub role: Role,
}

#[uniffi::remote(Record)]
pub struct Division {
    pub code: String,
    pub name: String,
    pub is_outside: bool,
}

#[uniffi::remote(Record)]
pub struct Category {
    pub code: String,
    pub name: String,
    pub parent: Option<String>,
}

#[uniffi::remote(Record)]
pub struct Directory {
    pub ward: WardCode,
    pub ward_name: String,
    pub province: String,
    pub old_wards: Vec<OldWard>,
    pub areas: Vec<Area>,
    pub officers: Vec<Officer>,
    pub divisions: Vec<Division>,
    pub categories: Vec<Category>,
}

#[uniffi::remote(Record)]
pub struct NewVisit {
    #[uniffi(default = None)]
    pub external_ref: Option<String>,
    #[uniffi(default = None)]
    pub area: Option<String>,
    #[uniffi(default = None)]
    pub place: Option<String>,
    #[uniffi(default = None)]
    pub started_at: Option<Timestamp>,
    #[uniffi(default = "")]
    pub summary: String,
}

#[uniffi::remote(Record)]
pub struct NewCase {
    #[uniffi(default = None)]
    pub external_ref: Option<String>,
    #[uniffi(default = None)]
    pub visit: Option<Uuid>,
    #[uniffi(default = None)]
    pub area: Option<String>,
    #[uniffi(default = None)]
    pub place: Option<String>,
    #[uniffi(default = None)]
    pub kind: Option<ReportedKind>,
    #[uniffi(default = "")]
    pub category: String,
    #[uniffi(default = None)]
    pub urgency: Option<Urgency>,
    #[uniffi(default = None)]
    pub source: Option<Source>,
    #[uniffi(default = None)]
    pub recorded_at: Option<Timestamp>,
    #[uniffi(default = "")]
    pub text: String,
    #[uniffi(default = None)]
    pub households: Option<u32>,
    #[uniffi(default = None)]
    pub location: Option<Location>,
    #[uniffi(default = None)]
    pub citizen: Option<Person>,
    #[uniffi(default = None)]
    pub paper_reference: Option<String>,
}

#[uniffi::remote(Record)]
pub struct Recorded {
    pub id: Uuid,
    pub code: String,
}

#[uniffi::remote(Record)]
pub struct CaseChange {
    #[uniffi(default = None)]
    pub text: Option<String>,
    #[uniffi(default = None)]
    pub area: Option<String>,
    #[uniffi(default = None)]
    pub place: Option<String>,
    #[uniffi(default = None)]
    pub kind: Option<ReportedKind>,
    #[uniffi(default = None)]
    pub category: Option<String>,
    #[uniffi(default = None)]
    pub urgency: Option<Urgency>,
    #[uniffi(default = None)]
    pub status: Option<Status>,
    #[uniffi(default = None)]
    pub assignee: Option<String>,
    #[uniffi(default = None)]
    pub division: Option<String>,
    #[uniffi(default = None)]
    pub answer: Option<String>,
    #[uniffi(default = None)]
    pub households_by: Option<i32>,
    #[uniffi(default = None)]
    pub location: Option<Location>,
}

#[uniffi::remote(Record)]
pub struct CaseQuery {
    #[uniffi(default = None)]
    pub search: Option<String>,
    #[uniffi(default = [])]
    pub statuses: Vec<Status>,
    #[uniffi(default = [])]
    pub kinds: Vec<String>,
    #[uniffi(default = [])]
    pub categories: Vec<String>,
    #[uniffi(default = [])]
    pub areas: Vec<String>,
    #[uniffi(default = [])]
    pub urgencies: Vec<Urgency>,
    #[uniffi(default = None)]
    pub division: Option<String>,
    #[uniffi(default = None)]
    pub assignee: Option<String>,
    #[uniffi(default = None)]
    pub visit: Option<Uuid>,
    #[uniffi(default = None)]
    pub recorded_from: Option<Timestamp>,
    #[uniffi(default = None)]
    pub recorded_before: Option<Timestamp>,
    pub order: CaseOrder,
    #[uniffi(default = 0)]
    pub limit: u32,
    #[uniffi(default = 0)]
    pub offset: u32,
}

#[uniffi::remote(Record)]
pub struct CaseRow {
    pub case: Case,
    pub note_count: u32,
    pub attachment_count: u32,
    pub conflict_count: u32,
}

#[uniffi::remote(Record)]
pub struct CaseSummary {
    pub row: CaseRow,
    pub sync: SyncState,
}

#[uniffi::remote(Record)]
pub struct FieldChange {
    pub operation: String,
    pub field: String,
    pub value: Option<String>,
}

#[uniffi::remote(Record)]
pub struct HistoryEntry {
    pub edit: EditId,
    pub at: Timestamp,
    pub received_at: Option<Timestamp>,
    pub author: Option<OfficerId>,
    pub changes: Vec<FieldChange>,
    pub sync: SyncState,
}

#[uniffi::remote(Record)]
pub struct CaseDetail {
    pub case: Case,
    pub citizen: Option<Person>,
    pub sync: SyncState,
    pub history: Vec<HistoryEntry>,
    pub attachments_on_server: Vec<AttachmentHash>,
    pub attachments: Vec<AttachmentStatus>,
}

#[uniffi::remote(Enum)]
pub enum AttachmentState {
    Waiting,
    Sending,
    OnWard,
    Elsewhere,
}

#[uniffi::remote(Record)]
pub struct AttachmentStatus {
    pub hash: AttachmentHash,
    pub state: AttachmentState,
    pub bytes_done: u64,
    pub is_here: bool,
    pub is_thumbnail: bool,
}

#[uniffi::remote(Enum)]
pub enum Look {
    Here(Uuid),
    Waiting,
    Missing,
    NotAsked,
}

#[uniffi::remote(Record)]
pub struct FreedSpace {
    pub files: u64,
    pub bytes: u64,
}

#[uniffi::remote(Enum)]
pub enum FetchPolicy {
    OnDemand,
    Thumbnails,
}

#[uniffi::remote(Record)]
pub struct PendingItem {
    pub record: Uuid,
    pub edit: Option<EditId>,
    pub attachment: Option<AttachmentHash>,
    pub sync: SyncState,
}

#[uniffi::remote(Enum)]
pub enum Agreement {
    Unknown,
    Differs { at: Timestamp },
    Unsent,
    Synced { at: Timestamp },
}

#[uniffi::remote(Enum)]
pub enum Change {
    Case(Uuid),
    Visit(Uuid),
    Directory,
}

#[uniffi::remote(Record)]
pub struct SyncReport {
    pub sent: u64,
    pub received: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub pending: u64,
    pub is_agreed: bool,
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub payload_up: u64,
    pub payload_down: u64,
    pub round_trips: u32,
    pub milliseconds: u64,
}

/// An edit that the ward refused, with the words for the officer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RejectedRecord {
    /// The edit.
    pub edit: EditId,
    /// The case, visit or person's case.
    pub record: Uuid,
    /// Stable number of the rule; see `docs/wire.md`.
    pub reason_code: u16,
    /// What happened and what to do, in Vietnamese.
    pub reason: String,
    /// What was refused, whole.
    pub content: Vec<FieldChange>,
}

impl From<RejectedItem> for RejectedRecord {
    fn from(item: RejectedItem) -> Self {
        Self {
            edit: item.edit,
            record: item.record,
            reason_code: item.reason.code(),
            reason: item.reason.label().to_owned(),
            content: item.content,
        }
    }
}
