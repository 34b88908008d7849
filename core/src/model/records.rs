//! What a document says, as plain typed values: the projection that rows and screens are made of.

use uuid::Uuid;

use super::{
    ActorId, AttachmentHash, Confidentiality, LegalBasis, LegalKind, NoteVisibility, OfficerId,
    ReportedKind, Satisfaction, Source, Status, Timestamp, Urgency,
};

/// A point on WGS 84, in millionths of a degree (about 0.1 m).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// Degrees north times 1,000,000.
    pub latitude_e6: i32,
    /// Degrees east times 1,000,000.
    pub longitude_e6: i32,
}

/// Something said about a case after it was recorded. Never changed, only followed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Made with the note, so that it can be referred to.
    pub id: Uuid,
    /// NFC text.
    pub text: String,
    /// Who wrote it, as claimed by the note; provenance is the edit's.
    pub author: OfficerId,
    /// By the writer's clock.
    pub at: Timestamp,
    /// Who may read it.
    pub visibility: NoteVisibility,
}

/// What a case says of a file; the bytes are kept beside the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// BLAKE3 of the bytes.
    pub hash: AttachmentHash,
    /// As the app named it; only shown, never used as a path.
    pub name: String,
    /// Number of bytes.
    pub bytes: u64,
    /// Media type, found by content.
    pub mime: String,
    /// When it was attached, by the device's clock.
    pub at: Timestamp,
    /// BLAKE3 of a small JPEG of it that travels before it, if there is one.
    pub thumbnail: Option<AttachmentHash>,
}

/// Several values that were set without knowledge of each other; a person must choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// The field.
    pub field: String,
    /// The first is the one shown everywhere.
    pub values: Vec<ConcurrentValue>,
}

/// One of several values that a register has at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcurrentValue {
    /// The value as text.
    pub value: String,
    /// The opening of a store that set it.
    pub actor: ActorId,
}

/// One matter that a citizen raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The document's uuid.
    pub id: Uuid,
    /// Spoken short code, made on the device; see [`super::ShortCode`].
    pub code: String,
    /// The `id` that an import gave.
    pub external_ref: Option<String>,
    /// The visit on which it was recorded.
    pub visit: Option<Uuid>,
    /// Code of an area of the ward's tree; `None` is 'unplaced'.
    pub area: Option<String>,
    /// Free words for the place, where the tree has none.
    pub place: Option<String>,
    /// What the officer understood.
    pub reported_kind: ReportedKind,
    /// What it is in law, once staff said so.
    pub legal_kind: Option<LegalKind>,
    /// Code of a category, or a free label.
    pub category: String,
    /// How soon.
    pub urgency: Urgency,
    /// How the ward came to know.
    pub source: Source,
    /// Where it stands.
    pub status: Status,
    /// By the device's clock.
    pub recorded_at: Timestamp,
    /// Who recorded it.
    pub recorded_by: OfficerId,
    /// What was said. NFC.
    pub text: String,
    /// How many households say the same.
    pub households: i64,
    /// Where it is.
    pub location: Option<Location>,
    /// `PA-2026-000123/P26995`, given by the ward at acceptance.
    pub official_number: Option<String>,
    /// Code of the division that works on it.
    pub division: Option<String>,
    /// Name of the person who works on it.
    pub assignee: Option<String>,
    /// When it must be answered.
    pub due_at: Option<Timestamp>,
    /// What the ward answers.
    pub answer: Option<String>,
    /// When the answer was brought to the citizen.
    pub delivered_at: Option<Timestamp>,
    /// What the citizen said of it.
    pub satisfaction: Option<Satisfaction>,
    /// Why it was voided.
    pub void_reason: Option<String>,
    /// Of a stop card: the reference of the paper form.
    pub paper_reference: Option<String>,
    /// Who may see it.
    pub confidentiality: Confidentiality,
    /// In the order that every replica shows.
    pub notes: Vec<Note>,
    /// In the order that every replica shows.
    pub attachments: Vec<Attachment>,
    /// Registers with more than one current value.
    pub conflicts: Vec<Concurrency>,
}

/// A visit to a neighbourhood, under which cases are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The document's uuid.
    pub id: Uuid,
    /// The `visit` that an import gave.
    pub external_ref: Option<String>,
    /// Code of an area; `None` is 'unplaced'.
    pub area: Option<String>,
    /// Free words for the place.
    pub place: Option<String>,
    /// By the device's clock.
    pub started_at: Timestamp,
    /// `None` while the visit goes on.
    pub ended_at: Option<Timestamp>,
    /// Who went.
    pub officer: OfficerId,
    /// What the visit was for, and what came of it. NFC.
    pub summary: String,
    /// Registers with more than one current value.
    pub conflicts: Vec<Concurrency>,
}

/// The identifying data of the citizen of one case; purged whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// Uuid of the case, which is the document's too.
    pub id: Uuid,
    /// NFC.
    pub name: Option<String>,
    /// Ten digits where it is a Vietnamese number; see [`super::phone_number`].
    pub phone: Option<String>,
    /// NFC.
    pub address: Option<String>,
    /// Someone who speaks for the citizen, such as a relative of an elder.
    pub contact_name: Option<String>,
    /// Their number.
    pub contact_phone: Option<String>,
    /// Why the ward may keep this; `None`: nobody said.
    pub legal_basis: Option<LegalBasis>,
    /// Version of the words to which the person said yes; see [`super::consent`].
    pub consent_text: Option<String>,
    /// Registers with more than one current value.
    pub conflicts: Vec<Concurrency>,
}
