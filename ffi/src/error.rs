//! The one small enum of failures that an app matches on. Built by exhaustive matches without a
//! wildcard, so that a new failure of the core cannot slip through as something else.

use gandan_core::client::SyncError;
use gandan_core::protocol::initiator::ConversationError;
use gandan_core::protocol::invite::ParseInviteError;
use gandan_core::protocol::message::Refusal;
use gandan_core::replica::RecordError;
use gandan_core::store::{OpenError, StoreError};

/// Why a call failed. Nothing that was recorded before is lost by any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum GandanError {
    /// No network, or the ward does not answer. Try again later.
    #[error("the ward does not answer; everything is kept, try again when there is a network")]
    Offline,
    /// The phone needs an invite first.
    #[error("this phone is not enrolled; ask the office for an invite")]
    NotEnrolled,
    /// The ward, or whoever pretends to be it, refused. `reason` is meant for the officer.
    #[error("{reason}")]
    Refused {
        /// Stable English code.
        code: String,
        /// What happened and what to do, in Vietnamese.
        reason: String,
    },
    /// The record breaks a rule; the form can be corrected. `reason` is meant for the officer.
    #[error("{reason}")]
    Rejected {
        /// Stable English code.
        code: String,
        /// What happened and what to do.
        reason: String,
    },
    /// The key does not open the store. Stop, keep the file, never make a new one over it.
    #[error("the key does not open this store; nothing was changed")]
    WrongKey,
    /// No space left on the phone.
    #[error("the phone has no space left; free some, what was recorded before is safe")]
    StorageFull,
    /// Another program has the store open.
    #[error("the store is in use; try again")]
    StorageBusy,
    /// The file is damaged; if it was set aside, under which name.
    #[error("the store is damaged; keep it and give it to the office")]
    StorageDamaged {
        /// Name of the file it was renamed to.
        set_aside: Option<String>,
    },
    /// The app is older than its store or its ward. All data is safe.
    #[error("please update the app; all data is safe")]
    UpdateRequired,
    /// A bug of ours; `report` finds its cause in the log.
    #[error("an unexpected failure, report number {report}")]
    Internal {
        /// Six digits, in the log beside the cause.
        report: String,
    },
}

impl GandanError {
    fn rejected(code: &str, reason: impl std::fmt::Display) -> Self {
        Self::Rejected {
            code: code.to_owned(),
            reason: reason.to_string(),
        }
    }

    fn refused(code: &str, reason: impl std::fmt::Display) -> Self {
        Self::Refused {
            code: code.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Logs the cause under a number that the officer can read out. The cause is a database's or
    /// the operating system's own words and holds nothing that was recorded.
    pub(crate) fn internal(cause: &dyn std::error::Error) -> Self {
        let words = cause
            .source()
            .map_or_else(|| cause.to_string(), ToString::to_string);
        let number = words.bytes().fold(0u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        }) % 1_000_000;
        let report = format!("{number:06}");
        tracing::error!(%report, cause = %words, "unexpected failure");
        Self::Internal { report }
    }
}

impl From<OpenError> for GandanError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::WrongKey => Self::WrongKey,
            OpenError::Newer { .. } => Self::UpdateRequired,
            OpenError::Damaged { set_aside } => Self::StorageDamaged {
                set_aside: Some(set_aside),
            },
            OpenError::Busy => Self::StorageBusy,
            OpenError::Full => Self::StorageFull,
            error @ (OpenError::Foreign | OpenError::Unusable(_) | OpenError::Database(_)) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<StoreError> for GandanError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::StorageFull,
            StoreError::Busy => Self::StorageBusy,
            StoreError::Damaged(_) => Self::StorageDamaged { set_aside: None },
            error @ StoreError::Database(_) => Self::internal(&error),
        }
    }
}

impl From<RecordError> for GandanError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::NotEnrolled => Self::NotEnrolled,
            RecordError::NotFound => Self::rejected("not_found", &error),
            RecordError::NotAllowed(reason) => {
                Self::rejected(&reason.code().to_string(), reason.label())
            }
            RecordError::Invalid { .. } => Self::rejected("invalid", &error),
            RecordError::RescueKey(_) => Self::rejected("rescue_key", &error),
            RecordError::UnsupportedAttachment => Self::rejected("unsupported_attachment", &error),
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<ParseInviteError> for GandanError {
    fn from(error: ParseInviteError) -> Self {
        match error {
            ParseInviteError::Damaged => Self::rejected("invite_damaged", error),
            ParseInviteError::Newer => Self::UpdateRequired,
        }
    }
}

impl From<Refusal> for GandanError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::DeviceTooOld => Self::UpdateRequired,
            Refusal::Unavailable => Self::Offline,
            Refusal::DeviceTooNew => Self::refused("device_too_new", refusal),
            Refusal::UnknownDevice => Self::refused("unknown_device", refusal),
            Refusal::Revoked => Self::refused("revoked", refusal),
            Refusal::InviteUnknown => Self::refused("invite_unknown", refusal),
            Refusal::InviteExpired => Self::refused("invite_expired", refusal),
            Refusal::InviteUsed => Self::refused("invite_used", refusal),
            Refusal::Other => Self::refused("other", refusal),
        }
    }
}

impl From<SyncError> for GandanError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::NotEnrolled => Self::NotEnrolled,
            SyncError::AlreadyEnrolled => Self::refused("already_enrolled", &error),
            SyncError::Offline => Self::Offline,
            SyncError::WrongServerKey => Self::refused("wrong_server_key", &error),
            SyncError::ForeignProtocol => Self::UpdateRequired,
            SyncError::ClosedByWard { .. } => Self::refused("closed_by_ward", &error),
            SyncError::Refused(refusal) => refusal.into(),
            SyncError::Conversation(ConversationError::Interrupted) => Self::Offline,
            SyncError::Conversation(ConversationError::Refused(refusal)) => refusal.into(),
            SyncError::Conversation(error @ ConversationError::Violation(_)) => {
                Self::internal(&error)
            }
            SyncError::Store(error) => error.into(),
        }
    }
}
