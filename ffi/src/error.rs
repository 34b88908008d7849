//! The one small enum of failures that an app matches on. Built by exhaustive matches without a
//! wildcard, so that a new failure of the core cannot slip through as something else.

use gandan_core::client::SyncError;
use gandan_core::protocol::initiator::ConversationError;
use gandan_core::protocol::invite::ParseInviteError;
use gandan_core::protocol::message::Refusal;
use gandan_core::replica::RecordError;
use gandan_core::store::lock::LockError;
use gandan_core::store::{OpenError, StoreError};

/// Why a call failed. Nothing that was recorded before is lost by any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum GandanError {
    /// No network, or the ward does not answer. Try again later.
    #[error(
        "Máy chủ của phường không trả lời: dữ liệu vẫn an toàn trên máy, hãy thử lại khi có mạng (the ward does not answer; everything is kept, try again when there is a network)"
    )]
    Offline,
    /// The phone needs an invite first.
    #[error(
        "Máy chưa được đăng ký: hãy xin văn phòng thư mời (this phone is not enrolled; ask the office for an invite)"
    )]
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
    #[error(
        "Khoá không mở được kho này; chưa có gì bị thay đổi (the key does not open this store; nothing was changed)"
    )]
    WrongKey,
    /// The app lock stands before the store. `reason` is meant for the officer.
    #[error("{reason}")]
    Locked {
        /// Stable English code: `locked`, `wrong_pin`, `too_soon`, `unfit_pin`, `not_set`, `already_set`,
        /// `key_store`, `damaged`; `out_of_touch`: a synchronisation opens it.
        code: String,
        /// What happened and what to do, in Vietnamese.
        reason: String,
        /// How long the next attempt has to wait.
        wait_seconds: u64,
    },
    /// No space left on the phone.
    #[error(
        "Máy hết chỗ trống: hãy giải phóng bộ nhớ; dữ liệu đã ghi vẫn an toàn (the phone has no space left; free some, what was recorded before is safe)"
    )]
    StorageFull,
    /// Another program has the store open.
    #[error("Kho đang bận: hãy thử lại (the store is in use; try again)")]
    StorageBusy,
    /// The file is damaged; if it was set aside, under which name.
    #[error(
        "Kho bị hỏng: hãy đóng rồi mở lại ứng dụng, giữ các tệp được cất riêng và đưa cho văn phòng (the store is damaged; close the app and open it again, keep the files that are set aside and give them to the office)"
    )]
    StorageDamaged {
        /// Name of the file it was renamed to.
        set_aside: Option<String>,
    },
    /// The app is older than its store or its ward. All data is safe.
    #[error(
        "Hãy cập nhật ứng dụng; mọi dữ liệu vẫn an toàn (please update the app; all data is safe)"
    )]
    UpdateRequired,
    /// A bug of ours; `report` finds its cause in the log.
    #[error(
        "Lỗi không lường trước, số báo lỗi {report}: hãy báo văn phòng (an unexpected failure, report number {report}; tell the office)"
    )]
    Internal {
        /// Six digits, in the log beside the cause.
        report: String,
    },
}

/// What to tell the officer about a failure, in Vietnamese and then in English. Not every language
/// gives its exceptions words.
#[uniffi::export]
#[must_use]
pub fn explain(error: GandanError) -> String {
    error.to_string()
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
            error @ OpenError::Wiped => Self::refused("wiped", &error),
            OpenError::Busy => Self::StorageBusy,
            OpenError::Full => Self::StorageFull,
            error @ (OpenError::Foreign | OpenError::Unusable(_) | OpenError::Database(_)) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<LockError> for GandanError {
    fn from(error: LockError) -> Self {
        let (code, wait_seconds) = match &error {
            LockError::Locked => ("locked", 0),
            LockError::WrongPin { wait_seconds } => ("wrong_pin", *wait_seconds),
            LockError::TooSoon { wait_seconds } => ("too_soon", *wait_seconds),
            LockError::UnfitPin => ("unfit_pin", 0),
            LockError::NotSet => ("not_set", 0),
            LockError::AlreadySet => ("already_set", 0),
            LockError::KeyStore(_) => ("key_store", 0),
            LockError::Damaged => ("damaged", 0),
            LockError::File(_) => return Self::internal(&error),
        };
        Self::Locked {
            code: code.to_owned(),
            reason: error.to_string(),
            wait_seconds,
        }
    }
}

impl From<StoreError> for GandanError {
    fn from(error: StoreError) -> Self {
        match error {
            error @ StoreError::OutOfTouch { .. } => Self::Locked {
                code: "out_of_touch".to_owned(),
                reason: error.to_string(),
                wait_seconds: 0,
            },
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
            RecordError::TooManyPixels => Self::rejected("too_many_pixels", &error),
            RecordError::HiddenInAttachment => Self::rejected("hidden_in_attachment", &error),
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
            Refusal::Wipe => Self::refused("wiped", refusal),
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
            error @ SyncError::NotWiped(_) => Self::refused("not_wiped", &error),
            SyncError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use gandan_core::client::SyncError;
    use gandan_core::policy::RejectionCode;
    use gandan_core::protocol::initiator::ConversationError;
    use gandan_core::protocol::invite::ParseInviteError;
    use gandan_core::protocol::message::Refusal;
    use gandan_core::replica::RecordError;
    use gandan_core::rescue::BadRescueKey;
    use gandan_core::store::{OpenError, StoreError};

    use super::GandanError;

    #[test]
    fn whatever_fails_an_officer_reads_it_in_vietnamese() {
        let invalid = RecordError::Invalid {
            field: "text",
            rule: "không được để trống",
        };
        let damaged = OpenError::Damaged {
            set_aside: "phone.db.damaged".to_owned(),
        };
        let errors: Vec<GandanError> = vec![
            OpenError::WrongKey.into(),
            OpenError::Newer { found: 9, known: 1 }.into(),
            damaged.into(),
            OpenError::Busy.into(),
            OpenError::Full.into(),
            OpenError::Foreign.into(),
            StoreError::Full.into(),
            StoreError::Busy.into(),
            RecordError::NotEnrolled.into(),
            RecordError::NotFound.into(),
            RecordError::NotAllowed(RejectionCode::NotYourRecord).into(),
            invalid.into(),
            RecordError::UnsupportedAttachment.into(),
            RecordError::RescueKey(BadRescueKey).into(),
            ParseInviteError::Damaged.into(),
            ParseInviteError::Newer.into(),
            SyncError::AlreadyEnrolled.into(),
            SyncError::Offline.into(),
            SyncError::WrongServerKey.into(),
            SyncError::ForeignProtocol.into(),
            SyncError::ClosedByWard { code: 0x12 }.into(),
            SyncError::Refused(Refusal::InviteUsed).into(),
            SyncError::Conversation(ConversationError::Interrupted).into(),
        ];
        for error in errors {
            let words = error.to_string();
            let first = words.split(" (").next().unwrap_or_default();
            // No English word of ours has one of these letters.
            let is_vietnamese = first
                .chars()
                .any(|letter| "ạảáàãăắặâấầậđểệếễịọốồộớờợủứừữựýỷẻẽậ".contains(letter));
            assert!(is_vietnamese, "{words}");
        }
    }
}
