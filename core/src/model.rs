//! Plain values that people of a ward talk about. Knows no storage, no wire and no merging.

pub mod consent;
pub mod directory;
pub mod id;
pub mod phone_number;
pub mod records;
pub mod short_code;
pub mod text;
pub mod time;
pub mod vocabulary;

pub use directory::{Area, AreaCode, Category, Directory, Division, Officer, OldWard};
pub use id::{
    ActorId, AttachmentHash, BundleId, ChainHash, DeviceId, DocumentId, DocumentKind, EditId,
    Epoch, IntentId, OfficerId, WardCode, WardKey,
};
pub use records::{Attachment, Case, Concurrency, ConcurrentValue, Location, Note, Person, Visit};
pub use short_code::ShortCode;
pub use time::Timestamp;
pub use vocabulary::{
    Confidentiality, LegalBasis, LegalKind, NoteVisibility, ReportedKind, Role, Satisfaction,
    Source, Status, Urgency,
};
