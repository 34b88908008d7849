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
    /// When it was ordered to destroy what it holds; it hears that at its next word.
    pub wipe_ordered_at: Option<Timestamp>,
    /// When it was told so first. A phone that was told has carried it out, unless it was tampered with.
    pub wipe_told_at: Option<Timestamp>,
}

/// What a device may do, and what has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// It may speak.
    Active,
    /// Its next word is refused.
    Revoked,
    /// At its next word it is told to wipe itself.
    ToBeWiped,
    /// It was told so.
    ToldToWipe,
}

impl DeviceState {
    /// The English word for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::ToBeWiped => "to_be_wiped",
            Self::ToldToWipe => "told_to_wipe",
        }
    }
}

impl Device {
    /// What it may do.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        match (self.revoked_at, self.wipe_ordered_at, self.wipe_told_at) {
            (_, Some(_), Some(_)) => DeviceState::ToldToWipe,
            (_, Some(_), None) => DeviceState::ToBeWiped,
            (Some(_), None, _) => DeviceState::Revoked,
            (None, None, _) => DeviceState::Active,
        }
    }
}
