//! Why a command did not do what it was asked, in Vietnamese and then in English, with what to do;
//! and the exit code.

use std::fmt;
use std::io;

use gandan_core::client::SyncError;
use gandan_core::protocol::invite::ParseInviteError;
use gandan_core::replica::RecordError;
use gandan_core::store::lock::LockError;
use gandan_core::store::{OpenError, StoreError};

/// Wrong usage, which includes a record that does not exist or may not be changed so.
const EXIT_USAGE: u8 = 2;
/// Store or key.
const EXIT_STORE: u8 = 3;
/// Network, or refused by the peer.
const EXIT_PEER: u8 = 4;

/// Why a command ended.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `GANDAN_STORE_KEY` is missing.
    KeyMissing,
    /// `GANDAN_STORE_KEY` is no key.
    KeyMalformed,
    /// The folder holds no store.
    NoStore,
    /// The store cannot be opened.
    Open(OpenError),
    /// The app lock was not set or opened.
    Lock(LockError),
    /// The store failed.
    Store(StoreError),
    /// A record was not made.
    Record(RecordError),
    /// The invite is none.
    Invite(ParseInviteError),
    /// The conversation with the ward failed.
    Sync(SyncError),
    /// No record has this id.
    UnknownRecord,
    /// The ward has no such case, or not for this officer.
    NotLent,
    /// No visit has this id.
    UnknownVisit,
    /// A binary file would go to a screen.
    OutputIsTerminal,
    /// A file cannot be read or written.
    File {
        /// As it was given.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// Standard input or output failed.
    Stream(io::Error),
}

impl Failure {
    /// The exit code that the issue of this program fixed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::KeyMissing
            | Self::KeyMalformed
            | Self::NoStore
            | Self::Open(_)
            | Self::Lock(_)
            | Self::Store(_) => EXIT_STORE,
            Self::Record(RecordError::Store(_)) | Self::Sync(SyncError::Store(_)) => EXIT_STORE,
            Self::Sync(SyncError::NotEnrolled | SyncError::AlreadyEnrolled) => EXIT_USAGE,
            Self::Sync(_) => EXIT_PEER,
            Self::Record(_)
            | Self::Invite(_)
            | Self::UnknownRecord
            | Self::NotLent
            | Self::UnknownVisit
            | Self::OutputIsTerminal
            | Self::File { .. } => EXIT_USAGE,
            Self::Stream(_) => EXIT_STORE,
        }
    }

    /// Whether whoever reads the output has gone away: nobody to tell.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Stream(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMissing => formatter.write_str(
                "Thiếu khoá của kho: hãy đặt GANDAN_STORE_KEY là 64 chữ số thập lục phân \
                 (the store's key is missing: set GANDAN_STORE_KEY to 64 hexadecimal digits)",
            ),
            Self::KeyMalformed => formatter.write_str(
                "Khoá của kho không đúng dạng: GANDAN_STORE_KEY phải là 64 chữ số thập lục phân \
                 (GANDAN_STORE_KEY is not 64 hexadecimal digits)",
            ),
            Self::NoStore => formatter.write_str(
                "Thư mục này chưa có kho: hãy đăng ký máy trước (gandan-phone enrol) hoặc xem lại --store \
                 (no store in this folder; enrol first, or check --store)",
            ),
            Self::Open(error) => error.fmt(formatter),
            Self::Lock(error) => error.fmt(formatter),
            Self::Store(error) => error.fmt(formatter),
            // Says it in Vietnamese; the stable code serves whoever does not read it.
            Self::Record(error @ RecordError::NotAllowed(reason)) => {
                write!(formatter, "{error} (refused, code {})", reason.code())
            }
            Self::Record(error) => error.fmt(formatter),
            Self::Invite(error) => error.fmt(formatter),
            Self::Sync(error) => error.fmt(formatter),
            Self::UnknownRecord => formatter.write_str(
                "Trên máy này không có vụ việc đó: hãy xem lại mã, hoặc đồng bộ rồi thử lại \
                 (no record on this phone has this id; check it, or synchronise first)",
            ),
            Self::NotLent => formatter.write_str(
                "Phường không có vụ việc đó, hoặc cán bộ không được xem: hãy xem lại mã \
                 (the ward has no case with this code that you may see; check it)",
            ),
            Self::UnknownVisit => formatter.write_str(
                "Trên máy này không có chuyến đi đó: hãy xem lại mã \
                 (no visit on this phone has this id)",
            ),
            Self::OutputIsTerminal => formatter.write_str(
                "Tệp nhị phân không hiện được trên màn hình: hãy ghi ra tệp, ví dụ > case.automerge \
                 (the output is binary; send it into a file, such as > case.automerge)",
            ),
            Self::File { path, cause } if cause.kind() == io::ErrorKind::AlreadyExists => write!(
                formatter,
                "Đã có tệp {path}: hãy chọn tên khác (this file exists already; choose another name)"
            ),
            Self::File { path, cause } => write!(
                formatter,
                "Không đọc hoặc ghi được tệp {path} (this file cannot be read or written: {cause})"
            ),
            Self::Stream(cause) => write!(
                formatter,
                "Không đọc hoặc ghi được dữ liệu vào ra (standard input or output failed: {cause})"
            ),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        Self::Sync(error)
    }
}

impl From<ParseInviteError> for Failure {
    fn from(error: ParseInviteError) -> Self {
        Self::Invite(error)
    }
}
