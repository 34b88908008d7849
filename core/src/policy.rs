//! Who may change what: a pure function, asked on the phone before an edit is made and on the
//! server, which alone decides, before it is admitted.

use crate::document::DocumentState;
use crate::edit::Edit;
use crate::model::{OfficerId, Role};

/// In whose name an edit is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub officer: OfficerId,
    /// As what.
    pub role: Role,
}

/// Why an edit is refused, as a stable code. The person can correct it or hand it to the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum RejectionCode {
    /// Not valid bytes, or over a bound.
    Malformed = 1,
    /// Does not fit the document at its dependencies.
    NotApplicable = 2,
    /// Depends on an edit that was rejected.
    DependsOnRejected = 3,
    /// The actor belongs to another device, or (actor, sequence) names another edit.
    ForeignActor = 4,
    /// The device was revoked.
    Revoked = 5,
    /// The role may not change this field.
    FieldNotAllowed = 10,
    /// The role may not take the case from this state to that one.
    TransitionNotAllowed = 11,
    /// The document is another person's report.
    NotYourRecord = 12,
    /// A denunciation may hold only date, area and paper reference.
    DenunciationContent = 13,
    /// The document is outside the device's scope.
    OutOfScope = 14,
}

impl RejectionCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::Malformed,
        Self::NotApplicable,
        Self::DependsOnRejected,
        Self::ForeignActor,
        Self::Revoked,
        Self::FieldNotAllowed,
        Self::TransitionNotAllowed,
        Self::NotYourRecord,
        Self::DenunciationContent,
        Self::OutOfScope,
    ];

    /// The number on the wire and in SQL.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The code that a number names.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// What to tell the officer, in Vietnamese: what happened and what to do.
    #[must_use]
    pub fn label(self) -> &'static str {
        todo!()
    }
}

/// Whether `author` may make `edit` on a document that says `before` (`None`: it is created).
/// `case` is what the case of a person says, because only its recorder may set the person; it is
/// not asked for of other documents.
///
/// # Errors
/// The rule that stands against it.
pub fn check(
    _author: Author,
    _edit: &Edit,
    _before: Option<&DocumentState>,
    _case: Option<&DocumentState>,
) -> Result<(), RejectionCode> {
    todo!()
}
