//! What the ward tells of its people, its devices and its history.

use gandan_core::edit::Operation;
use gandan_core::model::{DeviceId, EditId, OfficerId, Timestamp};
use gandan_core::policy::Author;

/// A member of the ward's staff, as the console knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// In whose name they write.
    pub author: Author,
    /// What they type to sign in.
    pub login: String,
    /// Shown to others.
    pub name: String,
}

/// One admitted edit, as history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Place in the feed.
    pub sequence: u64,
    /// The edit.
    pub edit: EditId,
    /// By the writer's clock.
    pub device_time: Timestamp,
    /// By the ward's clock.
    pub received_at: Timestamp,
    /// Who.
    pub author: OfficerId,
    /// Their name.
    pub author_name: String,
    /// Name of the device; `None` for the console.
    pub device_name: Option<String>,
    /// What it does.
    pub operations: Vec<Operation>,
}

/// A device, as the administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub id: DeviceId,
    /// Whose.
    pub officer: OfficerId,
    /// Their name.
    pub officer_name: String,
    /// As it called itself.
    pub name: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// Last conversation.
    pub seen_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
