//! What a form of an app holds, and why it is not recorded.

use uuid::Uuid;

use crate::model::{Location, Person, ReportedKind, Source, Status, Timestamp, Urgency};
use crate::picture::PictureError;
use crate::policy::RejectionCode;
use crate::rescue::BadRescueKey;
use crate::store::StoreError;

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

/// A correction of a case; `None` leaves a field as it is, empty words clear it.
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
    #[error(
        "Máy chưa được đăng ký: hãy xin văn phòng thư mời (this phone is not enrolled; ask the office for an invite)"
    )]
    NotEnrolled,
    /// There is no such record here.
    #[error(
        "Trên máy này không có vụ việc đó: hãy xem lại mã, hoặc đồng bộ rồi thử lại (there is no such record on this phone; check it, or synchronise first)"
    )]
    NotFound,
    /// The policy stands against it; the ward would refuse it.
    #[error("{}", .0.label())]
    NotAllowed(RejectionCode),
    /// A field is missing or too long.
    #[error("Dữ liệu chưa đúng: {field} {rule}")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// The rule that is broken, in words.
        rule: &'static str,
    },
    /// The file is no JPEG, PNG or WebP image, or too large.
    #[error(
        "Chỉ đính kèm được ảnh JPEG, PNG, WebP không quá 10 MiB (only JPEG, PNG and WebP images of at most 10 MiB can be attached)"
    )]
    UnsupportedAttachment,
    /// The image has more pixels than a phone can open.
    #[error(
        "Ảnh quá lớn: hãy chụp lại ở cỡ nhỏ hơn, không quá 50 triệu điểm ảnh (the image has too many pixels; take it again at a smaller size, at most 50 megapixels)"
    )]
    TooManyPixels,
    /// The image is damaged, and hides data that would leave the phone with it.
    #[error(
        "Tệp ảnh bị hỏng nên không xoá được vị trí chụp ẩn trong đó: hãy chụp lại (the image file is damaged, so where it was taken cannot be removed from it; take it again)"
    )]
    HiddenInAttachment,
    /// The key that the ward gave for rescue files is of no use.
    #[error(transparent)]
    RescueKey(#[from] BadRescueKey),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PictureError> for RecordError {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Unsupported(_) => Self::UnsupportedAttachment,
            PictureError::TooManyPixels => Self::TooManyPixels,
            PictureError::Hidden => Self::HiddenInAttachment,
        }
    }
}
