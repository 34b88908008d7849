//! What somebody is to a document, and what leave that gives.

use super::rules::{self, Leave};
use super::stop_card::is_denunciation;
use super::{Author, RejectionCode, is_uuid, values};
use crate::document::DocumentState;
use crate::document::schema::field;
use crate::model::{DocumentKind, OfficerId, Role, Status};

/// What somebody is to a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) is_recorder: bool,
    is_in_scope: bool,
    pub(super) is_office: bool,
}

impl Standing {
    pub(super) fn of(
        author: Author,
        before: &DocumentState,
        case: Option<&DocumentState>,
    ) -> Result<Self, RejectionCode> {
        let is_recorder = match before.document.kind {
            DocumentKind::Case => holds_officer(before, field::RECORDED_BY, author.officer),
            DocumentKind::Visit => holds_officer(before, field::OFFICER, author.officer),
            DocumentKind::Person => records_person(author, case)?,
        };
        Ok(Self::new(author.role, is_recorder))
    }

    pub(super) fn of_creator(
        author: Author,
        kind: DocumentKind,
        case: Option<&DocumentState>,
    ) -> Result<Self, RejectionCode> {
        let is_recorder = match kind {
            DocumentKind::Case | DocumentKind::Visit => true,
            DocumentKind::Person => records_person(author, case)?,
        };
        Ok(Self::new(author.role, is_recorder))
    }

    fn new(role: Role, is_recorder: bool) -> Self {
        Self {
            is_recorder,
            is_in_scope: matches!(role, Role::Officer | Role::Leader),
            is_office: matches!(role, Role::Triage | Role::Chair),
        }
    }

    pub(super) fn has_leave(
        self,
        recorder: Leave,
        in_scope: Leave,
        office: Leave,
        now: &[Status],
    ) -> bool {
        let given = |leave| match leave {
            Leave::Never => false,
            Leave::Always => true,
            Leave::While(states) => now.iter().any(|status| states.contains(status)),
        };
        (self.is_recorder && given(recorder))
            || (self.is_in_scope && given(in_scope))
            || (self.is_office && given(office))
    }

    /// Whether one of the states that the case is in now leads to `to`. Several are set at once
    /// after concurrent edits, and then choosing any of them settles it.
    pub(super) fn may_take(self, now: &[Status], to: Status) -> bool {
        let leads = |from: &Status| {
            let rule = rules::TRANSITIONS.iter().find(|rule| rule.from == *from);
            rule.is_some_and(|rule| {
                (self.is_office && rule.office.contains(&to))
                    || (self.is_recorder && rule.recorder.contains(&to))
            })
        };
        let is_involved = self.is_office || self.is_recorder;
        (is_involved && now.contains(&to)) || now.iter().any(leads)
    }

    /// What to say to somebody who has no leave.
    pub(super) fn refusal(self, recorder: Leave) -> RejectionCode {
        if recorder != Leave::Never && !self.is_recorder && !self.is_office {
            RejectionCode::NotYourRecord
        } else {
            RejectionCode::FieldNotAllowed
        }
    }
}

fn records_person(author: Author, case: Option<&DocumentState>) -> Result<bool, RejectionCode> {
    let case = case.ok_or(RejectionCode::NotApplicable)?;
    if is_denunciation(case) {
        return Err(RejectionCode::DenunciationContent);
    }
    Ok(holds_officer(case, field::RECORDED_BY, author.officer))
}

fn holds_officer(state: &DocumentState, name: &str, officer: OfficerId) -> bool {
    values(state, name).any(|value| is_uuid(value, officer.0))
}
