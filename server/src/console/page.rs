//! What all pages share: the frame around them, and small values that templates show.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use gandan_core::model::{Role, Status, Urgency};

use super::names::Names;
use super::problem::Problem;
use crate::ward::Staff;

/// Which part of the console a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// The list and its cases.
    Cases,
    /// The desk form.
    Desk,
    /// What people ask about their data.
    Requests,
    /// What revoked phones handed over.
    Quarantine,
    /// The audit trail.
    Audit,
    /// The phones.
    Devices,
    /// One's own account.
    Account,
    /// Neither.
    Elsewhere,
}

/// Who is signed in, as the head of the page says.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) works_on_cases: bool,
    pub(super) oversees: bool,
}

/// The head of a page.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) ward: String,
    pub(super) section: Section,
    pub(super) who: Option<Who>,
}

impl Frame {
    /// The head of a page for somebody who is signed in.
    pub(super) fn new(title: String, section: Section, names: &Names, staff: &Staff) -> Self {
        Self {
            title,
            ward: names.ward().to_owned(),
            section,
            who: Some(Who {
                name: staff.name.clone(),
                role: staff.author.role.label(),
                works_on_cases: works_on_cases(staff),
                oversees: oversees(staff),
            }),
        }
    }

    /// The head of a page that knows neither ward nor person, because something went wrong first.
    pub(super) fn without_person(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            ward: "Bàn làm việc của phường".to_owned(),
            section: Section::Elsewhere,
            who: None,
        }
    }
}

/// Administrators manage people and devices and see no case.
pub(super) fn works_on_cases(staff: &Staff) -> bool {
    staff.author.role != Role::Admin
}

/// Administrators and the chair read the audit trail.
pub(super) fn oversees(staff: &Staff) -> bool {
    matches!(staff.author.role, Role::Admin | Role::Chair)
}

/// A word of a closed vocabulary: its code picks the colour, its label says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
}

impl From<Status> for Word {
    fn from(status: Status) -> Self {
        Self {
            code: status.code(),
            label: status.label(),
        }
    }
}

impl From<Urgency> for Word {
    fn from(urgency: Urgency) -> Self {
        Self {
            code: urgency.code(),
            label: urgency.label(),
        }
    }
}

/// One choice of a list of choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
}

impl Choice {
    /// A choice that sends `value` and shows `label`.
    pub(super) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

/// A line of a list of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) value: String,
    /// Whether somebody must look now.
    pub(super) is_alarm: bool,
}

impl Fact {
    /// A fact, if there is anything to say.
    pub(super) fn new(label: &'static str, value: Option<String>) -> Option<Self> {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Self {
            label,
            value,
            is_alarm: false,
        })
    }
}

/// A form comes back to whoever had to sign in while they typed.
pub(super) const TYPED_BEFORE: &str =
    "Đã đăng nhập lại. Nội dung vừa nhập còn đây nhưng chưa được ghi.";

/// What happened to what was just sent.
pub(super) struct Message {
    /// `good`, `warn` or `bad`, as the style sheet names it.
    pub(super) tone: &'static str,
    pub(super) text: String,
    /// The stable code of a problem.
    pub(super) code: Option<&'static str>,
}

impl Message {
    /// Done.
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self {
            tone: "good",
            text: text.into(),
            code: None,
        }
    }

    /// Not done yet: look first.
    pub(super) fn warn(text: impl Into<String>) -> Self {
        Self {
            tone: "warn",
            text: text.into(),
            code: None,
        }
    }

    /// Not done.
    pub(super) fn bad(text: impl Into<String>, code: Option<&'static str>) -> Self {
        Self {
            tone: "bad",
            text: text.into(),
            code,
        }
    }
}

/// The number that an address names; anything else names no page.
pub(super) fn number(typed: &str) -> Result<u64, Problem> {
    typed.parse().map_err(|_| Problem::NoPage)
}

/// Renders a page.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            // Only a value that refuses to be written can do this, and ours are plain texts.
            tracing::error!(%error, "a page could not be rendered");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
                "Máy chủ gặp lỗi. Thử lại sau.\n",
            )
                .into_response()
        }
    }
}
