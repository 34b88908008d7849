//! Why a command did not do what it was asked, in Vietnamese and then in English, with what to do;
//! and the exit code.

use std::fmt;
use std::io;

use gandan_core::client::SyncError;
use gandan_core::protocol::initiator::ConversationError;
use gandan_core::protocol::invite::ParseInviteError;
use gandan_core::replica::RecordError;
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
            | Self::Store(_) => EXIT_STORE,
            Self::Record(RecordError::Store(_)) | Self::Sync(SyncError::Store(_)) => EXIT_STORE,
            Self::Sync(SyncError::NotEnrolled | SyncError::AlreadyEnrolled) => EXIT_USAGE,
            Self::Sync(_) => EXIT_PEER,
            Self::Record(_)
            | Self::Invite(_)
            | Self::UnknownRecord
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
            Self::Open(error) => open(formatter, error),
            Self::Store(error) => store(formatter, error),
            Self::Record(error) => record(formatter, error),
            Self::Invite(error) => match error {
                ParseInviteError::Damaged => {
                    write!(formatter, "Thư mời không đầy đủ: hãy chép cả dòng bắt đầu bằng gandan: ({error})")
                }
                ParseInviteError::Newer => {
                    write!(formatter, "Thư mời của máy chủ mới hơn: hãy cập nhật ứng dụng ({error})")
                }
            },
            Self::Sync(error) => sync(formatter, error),
            Self::UnknownRecord => formatter.write_str(
                "Trên máy này không có vụ việc đó: hãy xem lại mã, hoặc đồng bộ rồi thử lại \
                 (no record on this phone has this id; check it, or synchronise first)",
            ),
            Self::UnknownVisit => formatter.write_str(
                "Trên máy này không có chuyến đi đó: hãy xem lại mã \
                 (no visit on this phone has this id)",
            ),
            Self::OutputIsTerminal => formatter.write_str(
                "Tệp nhị phân không hiện được trên màn hình: hãy ghi ra tệp, ví dụ > case.automerge \
                 (the output is binary; send it into a file, such as > case.automerge)",
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

fn open(formatter: &mut fmt::Formatter<'_>, error: &OpenError) -> fmt::Result {
    let words = match error {
        OpenError::WrongKey => "Khoá không mở được kho này; chưa có gì bị thay đổi",
        OpenError::Newer { .. } => "Kho do ứng dụng mới hơn ghi: hãy cập nhật ứng dụng",
        OpenError::Damaged { set_aside } => {
            return write!(
                formatter,
                "Kho bị hỏng và đã được cất riêng thành {set_aside}: hãy giữ tệp đó, đưa cho văn phòng, rồi mở lại ({error})"
            );
        }
        OpenError::Foreign => "Tệp này không phải kho của chương trình: hãy chọn thư mục khác",
        OpenError::Full => "Hết chỗ trống: hãy giải phóng bộ nhớ; dữ liệu đã ghi vẫn an toàn",
        OpenError::Busy => "Chương trình khác đang mở kho này: hãy đóng nó rồi thử lại",
        OpenError::Unusable(cause) => {
            return write!(
                formatter,
                "Không dùng được thư mục của kho: hãy kiểm tra thư mục và quyền ghi ({error}: {cause})"
            );
        }
        OpenError::Database(cause) => {
            return write!(formatter, "Không mở được kho ({error}: {cause})");
        }
    };
    write!(formatter, "{words} ({error})")
}

fn store(formatter: &mut fmt::Formatter<'_>, error: &StoreError) -> fmt::Result {
    let words = match error {
        StoreError::Full => "Máy hết chỗ trống: hãy giải phóng bộ nhớ; dữ liệu đã ghi vẫn an toàn",
        StoreError::Busy => "Kho đang bận: hãy thử lại",
        StoreError::Damaged(_) => "Kho bị hỏng: hãy ghi tệp cứu hộ (rescue) và đưa cho văn phòng",
        StoreError::Database(cause) => {
            return write!(formatter, "Kho gặp lỗi ({error}: {cause})");
        }
    };
    write!(formatter, "{words} ({error})")
}

fn record(formatter: &mut fmt::Formatter<'_>, error: &RecordError) -> fmt::Result {
    let words = match error {
        RecordError::NotEnrolled => "Máy chưa được đăng ký: hãy xin văn phòng thư mời",
        RecordError::NotFound => "Trên máy này không có vụ việc đó",
        // Says it in Vietnamese; the stable code serves whoever does not read it.
        RecordError::NotAllowed(reason) => {
            return write!(
                formatter,
                "{} (refused, code {})",
                reason.label(),
                reason.code()
            );
        }
        RecordError::Invalid { .. } => "Dữ liệu chưa đúng",
        RecordError::UnsupportedAttachment => {
            "Chỉ đính kèm được ảnh JPEG, PNG, WebP không quá 10 MiB"
        }
        RecordError::RescueKey(_) => {
            "Khóa cứu hộ của phường không dùng được: hãy đưa máy đến văn phòng đăng ký lại, dữ liệu vẫn còn"
        }
        RecordError::Store(error) => return store(formatter, error),
    };
    write!(formatter, "{words} ({error})")
}

fn sync(formatter: &mut fmt::Formatter<'_>, error: &SyncError) -> fmt::Result {
    let words = match error {
        SyncError::NotEnrolled => "Máy chưa được đăng ký: hãy xin văn phòng thư mời",
        SyncError::AlreadyEnrolled => "Máy đã được đăng ký: cán bộ khác phải dùng kho mới",
        SyncError::Offline => {
            "Máy chủ của phường không trả lời: dữ liệu vẫn an toàn trên máy, hãy thử lại khi có mạng"
        }
        SyncError::WrongServerKey => {
            "Khoá của máy chủ không phải khoá của phường; chưa gửi gì. Hãy báo văn phòng"
        }
        SyncError::ForeignProtocol => {
            "Máy chủ nói giao thức khác: hãy cập nhật ứng dụng; chưa gửi gì, dữ liệu vẫn an toàn trên máy"
        }
        // A refusal speaks both languages.
        SyncError::Refused(refusal) => return write!(formatter, "{refusal}"),
        SyncError::ClosedByWard { .. } => {
            "Máy chủ đã ngắt vì lỗi giao thức: dữ liệu vẫn an toàn trên máy. Hãy cập nhật ứng dụng; nếu lặp lại, hãy báo văn phòng"
        }
        SyncError::Conversation(ConversationError::Refused(refusal)) => {
            return write!(formatter, "{refusal}");
        }
        SyncError::Conversation(ConversationError::Interrupted) => {
            "Kết nối bị đứt giữa chừng: phần đã xác nhận được giữ, hãy đồng bộ lại"
        }
        SyncError::Conversation(ConversationError::Violation(_)) => {
            "Máy chủ trả lời sai giao thức: dữ liệu vẫn an toàn trên máy. Hãy báo văn phòng"
        }
        SyncError::Store(error) => return store(formatter, error),
    };
    write!(formatter, "{words} ({error})")
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
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
