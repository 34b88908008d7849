//! Which buttons a case shows: what the policy lets this person do now, the likely next thing first.

use gandan_core::document::DocumentState;
use gandan_core::document::schema::field;
use gandan_core::model::Status;
use gandan_core::policy::{self, Author};

/// What staff do with a case from its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    Assign,
    Answer,
    Close,
}

impl Action {
    /// What the fold says behind which the less likely ones wait.
    pub(super) fn summary(&self) -> &'static str {
        match self {
            Self::Accept => "Tiếp nhận",
            Self::Assign => "Phân công",
            Self::Answer => "Ghi câu trả lời",
            Self::Close => "Đóng vụ việc",
        }
    }
}

/// The buttons of one case for one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Permitted {
    /// The first is the likely next thing.
    pub(super) ordered: Vec<Action>,
    /// Whether a note may be added.
    pub(super) note: bool,
    /// Whether the case may be found to be a denunciation.
    pub(super) reclassify: bool,
}

impl Permitted {
    /// Asks the policy, which is asked again when the edit is admitted.
    pub(super) fn of(author: Author, case: &DocumentState, status: Status) -> Self {
        let fields = policy::allowed_fields(author, case, None);
        let transitions = policy::allowed_transitions(author, case);
        let may_set = |name| fields.contains(&name);
        let may_take = |to| status == to || transitions.contains(&to);
        let is_possible = |action: &Action| match action {
            Action::Accept => status != Status::Accepted && may_take(Status::Accepted),
            Action::Assign => may_set(field::DIVISION) && may_take(Status::InProgress),
            Action::Answer => may_set(field::ANSWER) && may_take(Status::Answered),
            Action::Close => status != Status::Closed && may_take(Status::Closed),
        };
        let by_likelihood = match status {
            Status::Accepted | Status::Reopened | Status::WaitingCitizen => [
                Action::Assign,
                Action::Answer,
                Action::Accept,
                Action::Close,
            ],
            Status::InProgress | Status::Transferred => [
                Action::Answer,
                Action::Assign,
                Action::Close,
                Action::Accept,
            ],
            _ => [
                Action::Accept,
                Action::Close,
                Action::Answer,
                Action::Assign,
            ],
        };
        Self {
            ordered: by_likelihood.into_iter().filter(is_possible).collect(),
            note: may_set(field::NOTES),
            reclassify: may_set(field::LEGAL_KIND),
        }
    }

    /// Whether there is a button besides that for notes.
    pub(super) fn is_any(&self) -> bool {
        !self.ordered.is_empty()
    }
}
