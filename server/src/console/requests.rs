//! `/requests`: what people ask about their own data, what is due first before all.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gandan_core::model::Timestamp;
use gandan_core::store::rows;

use super::fields::Fields;
use super::names::Names;
use super::page::{self, Choice, Frame, Message, Section, TYPED_BEFORE};
use super::problem::Problem;
use super::session::{Clerk, Submission};
use super::{Console, catalogue};
use crate::subject_access;
use crate::ward::{CitizenRequest, RequestKind, RequestOutcome, Staff, Ward, WardError};

struct Row {
    number: u64,
    kind: &'static str,
    asker: String,
    case: Option<String>,
    received: String,
    /// What is due next, in words; `None` once it has ended.
    due: Option<String>,
    is_overdue: bool,
    is_answered: bool,
    outcome: Option<String>,
    /// Whether to close it erases somebody.
    forgets: bool,
}

impl Row {
    fn new(request: CitizenRequest, now: Timestamp) -> Self {
        let is_overdue = request.is_overdue(now);
        let due = request.next_due().map(|due| {
            let what = match (request.answered_at, is_overdue) {
                (None, false) => "Trả lời trước hết ngày",
                (None, true) => "Quá hạn trả lời từ ngày",
                (Some(_), false) => "Thực hiện trước hết ngày",
                (Some(_), true) => "Quá hạn thực hiện từ ngày",
            };
            format!("{what} {}", catalogue::day(due))
        });
        let outcome = request.closed.map(|(at, outcome)| match outcome {
            RequestOutcome::Done => format!("Đã xong, {}", at.to_vietnamese()),
            RequestOutcome::Refused(reason) => {
                format!("Không chấp nhận, {}: {reason}", at.to_vietnamese())
            }
        });
        Self {
            number: request.number,
            kind: request.kind.label(),
            asker: request.asker.unwrap_or_else(|| "(đã xóa)".to_owned()),
            case: request.case.map(|case| case.to_string()),
            received: request.received_at.to_vietnamese(),
            due,
            is_overdue,
            is_answered: request.answered_at.is_some(),
            outcome,
            forgets: request.case.is_some() && request.kind.forgets(),
        }
    }
}

#[derive(Template)]
#[template(path = "requests.html")]
struct RequestsPage {
    frame: Frame,
    message: Option<Message>,
    kinds: Vec<Choice>,
    /// As it was typed, if it could not be taken.
    kind: String,
    asker: String,
    case: String,
    rows: Vec<Row>,
}

/// What was typed into the form for a new request.
#[derive(Default)]
struct Draft {
    kind: String,
    asker: String,
    case: String,
}

impl Draft {
    fn typed(fields: &Fields) -> Self {
        Self {
            kind: fields.text("kind"),
            asker: fields.text("asker"),
            case: fields.text("case"),
        }
    }
}

/// The form as it was typed before the session ended; nothing of it is noted yet.
///
/// # Errors
/// The ward's.
pub(super) async fn resume(
    console: &Console,
    staff: Staff,
    fields: &Fields,
) -> Result<Response, Problem> {
    let message = Message::warn(TYPED_BEFORE);
    let draft = Draft::typed(fields);
    answer(console, staff, StatusCode::OK, Some(message), draft).await
}

/// `GET /requests`
pub(super) async fn list(
    State(console): State<Console>,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    answer(&console, staff, StatusCode::OK, None, Draft::default()).await
}

/// `POST /requests`: `kind`, `asker`, `case` (a code, a number or a uuid; may be empty).
pub(super) async fn add(
    State(console): State<Console>,
    Submission { staff, fields }: Submission,
) -> Result<Response, Problem> {
    let draft = Draft::typed(&fields);
    let Some(kind) = RequestKind::from_code(&draft.kind) else {
        let message = Message::bad("Chọn loại yêu cầu.", Some("no_kind"));
        return answer(
            &console,
            staff,
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(message),
            draft,
        )
        .await;
    };
    let (asker, typed) = (draft.asker.clone(), draft.case.clone());
    let added = console
        .ask_as(&staff, move |ward| {
            let case = match typed.trim() {
                "" => None,
                typed => Some(
                    ward.read(|connection| rows::case_as_typed(connection, typed))?
                        .ok_or(WardError::NotFound("case"))?,
                ),
            };
            ward.add_request(kind, case, &asker)
        })
        .await;
    match added {
        Ok(number) => {
            let message = Message::good(format!("Đã ghi yêu cầu số {number}."));
            answer(
                &console,
                staff,
                StatusCode::OK,
                Some(message),
                Draft::default(),
            )
            .await
        }
        Err(Problem::NoCase) => {
            let message = Message::bad("Không có hồ sơ này; xem lại mã.", Some("no_case"));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            answer(&console, staff, status, Some(message), draft).await
        }
        Err(problem @ Problem::Ward(WardError::Invalid(_))) => {
            let message = Message::bad(
                "Ghi rõ ai yêu cầu và cách liên hệ, trong một hai dòng.",
                Some(problem.code()),
            );
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            answer(&console, staff, status, Some(message), draft).await
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /requests/{number}/answer`
pub(super) async fn answered(
    State(console): State<Console>,
    Path(number): Path<String>,
    Submission { staff, .. }: Submission,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let done = "Đã ghi là đã trả lời.";
    act(&console, staff, done, move |ward| {
        ward.answer_request(number)
    })
    .await
}

/// `POST /requests/{number}/close`: `outcome` = `done` or `refused`, `reason` of a refusal.
pub(super) async fn close(
    State(console): State<Console>,
    Path(number): Path<String>,
    Submission { staff, fields }: Submission,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let outcome = match fields.text("outcome").as_str() {
        "done" => RequestOutcome::Done,
        _ => RequestOutcome::Refused(fields.text("reason")),
    };
    act(&console, staff, "Đã đóng yêu cầu.", move |ward| {
        ward.close_request(number, &outcome)
    })
    .await
}

/// `POST /requests/{number}/access`: the person's copy, as a file.
pub(super) async fn access(
    State(console): State<Console>,
    Path(number): Path<String>,
    Submission { staff, .. }: Submission,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let copy = console
        .ask_as(&staff, move |ward| {
            let requests = ward.requests()?;
            let request = requests.iter().find(|request| request.number == number);
            let Some(case) = request.and_then(|request| request.case) else {
                return Ok(None);
            };
            let held = ward.subject_access(case)?;
            let directory = ward.directory()?;
            Ok(subject_access::html(&held, &directory, ward.now()).ok())
        })
        .await?;
    let copy = copy.ok_or(Problem::NoPage)?;
    let name = format!("attachment; filename=\"thong-tin-{number}.html\"");
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, copy).into_response())
}

async fn act(
    console: &Console,
    staff: Staff,
    done: &'static str,
    action: impl FnOnce(&Ward) -> Result<(), WardError> + Send + 'static,
) -> Result<Response, Problem> {
    let acted = console.ask_as(&staff, action).await;
    let (status, message) = match acted {
        Ok(()) => (StatusCode::OK, Message::good(done)),
        Err(Problem::Ward(WardError::NotFound(_))) => (
            StatusCode::NOT_FOUND,
            Message::bad(
                "Yêu cầu này không còn mở: có thể người khác vừa xử lý.",
                Some("no_request"),
            ),
        ),
        Err(problem @ Problem::Ward(WardError::Invalid(_))) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Message::bad("Ghi lý do không chấp nhận.", Some(problem.code())),
        ),
        Err(problem) => return Err(problem),
    };
    answer(console, staff, status, Some(message), Draft::default()).await
}

async fn answer(
    console: &Console,
    staff: Staff,
    status: StatusCode,
    message: Option<Message>,
    draft: Draft,
) -> Result<Response, Problem> {
    let page = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            let title = "Yêu cầu về dữ liệu cá nhân".to_owned();
            let now = ward.now();
            let requests = ward.requests()?;
            Ok(RequestsPage {
                frame: Frame::new(title, Section::Requests, &names, &staff),
                message,
                kinds: RequestKind::ALL
                    .iter()
                    .map(|kind| Choice::new(kind.code(), kind.label()))
                    .collect(),
                kind: draft.kind,
                asker: draft.asker,
                case: draft.case,
                rows: requests
                    .into_iter()
                    .map(|request| Row::new(request, now))
                    .collect(),
            })
        })
        .await?;
    Ok(page::answer(status, &page))
}
