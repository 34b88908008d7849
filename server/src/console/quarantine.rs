//! `/quarantine`: what revoked phones handed over, for those who work on cases. They look into it, then let
//! it in or throw it away.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gandan_core::document::describe::FieldChange;
use gandan_core::model::{DocumentId, DocumentKind};
use gandan_core::protocol::verdict::Tally;

use super::names::Names;
use super::page::{self, Frame, Message, Section};
use super::problem::Problem;
use super::session::{Clerk, Submission};
use super::{Console, catalogue};
use crate::ward::{Quarantined, QuarantinedEdit, QuarantinedFile, Staff, WardError};

struct Row {
    number: u64,
    officer: String,
    device: String,
    came: String,
    kibibytes: u64,
    is_whole: bool,
}

impl From<Quarantined> for Row {
    fn from(file: Quarantined) -> Self {
        Self {
            number: file.number,
            officer: file.officer_name,
            device: file.device_name,
            came: file.begun_at.to_vietnamese(),
            kibibytes: file.bytes.div_ceil(1024),
            is_whole: file.is_whole,
        }
    }
}

#[derive(Template)]
#[template(path = "quarantine.html")]
struct ListPage {
    frame: Frame,
    message: Option<Message>,
    rows: Vec<Row>,
}

/// One record that was written on the phone, or a change of one.
struct Record {
    kind: &'static str,
    edits: Vec<Written>,
}

struct Written {
    at: String,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "quarantine_file.html")]
struct FilePage {
    frame: Frame,
    row: Row,
    records: Vec<Record>,
    attachments: usize,
    is_damaged: bool,
}

/// `GET /quarantine`
pub(super) async fn list(
    State(console): State<Console>,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    answer(&console, staff, StatusCode::OK, None).await
}

/// `GET /quarantine/{number}`
pub(super) async fn show(
    State(console): State<Console>,
    Path(number): Path<String>,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let viewer = staff.clone();
    let page = console
        .ask_as(&staff, move |ward| {
            let found = ward.quarantine()?;
            let file = found.into_iter().find(|file| file.number == number);
            let Some(file) = file else { return Ok(None) };
            let content = ward.look_into_quarantine(number)?;
            let names = Names::new(ward.directory()?);
            let frame = Frame::new(
                "Chờ xem xét".to_owned(),
                Section::Quarantine,
                &names,
                &viewer,
            );
            Ok(Some(FilePage {
                frame,
                row: file.into(),
                attachments: content.attachments,
                is_damaged: content.is_damaged,
                records: records(content, &names),
            }))
        })
        .await?;
    let page = page.ok_or(Problem::NoPage)?;
    Ok(page::answer(StatusCode::OK, &page))
}

/// `POST /quarantine/{number}/take`
pub(super) async fn take(
    State(console): State<Console>,
    Path(number): Path<String>,
    Submission { staff, .. }: Submission,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let taken = console
        .ask_as(&staff, move |ward| ward.take_from_quarantine(number))
        .await;
    let message = match taken {
        Ok(verdicts) => {
            let tally = Tally::of(&verdicts);
            let taken = tally.accepted + tally.duplicate;
            let left = tally.waiting + tally.rejected;
            if left == 0 {
                Message::good(format!("Đã nhận {taken} mục vào sổ."))
            } else {
                Message::warn(format!(
                    "Đã nhận {taken} mục; {left} mục không hợp quy định nên chưa nhận, phần này vẫn ở đây."
                ))
            }
        }
        Err(problem) => return settled_elsewhere(&console, staff, problem).await,
    };
    answer(&console, staff, StatusCode::OK, Some(message)).await
}

/// `POST /quarantine/{number}/discard`
pub(super) async fn discard(
    State(console): State<Console>,
    Path(number): Path<String>,
    Submission { staff, .. }: Submission,
) -> Result<Response, Problem> {
    let number = page::number(&number)?;
    let discarded = console
        .ask_as(&staff, move |ward| ward.discard_from_quarantine(number))
        .await;
    match discarded {
        Ok(()) => {
            let message = Message::good("Đã bỏ, không nhận vào sổ.");
            answer(&console, staff, StatusCode::OK, Some(message)).await
        }
        Err(problem) => settled_elsewhere(&console, staff, problem).await,
    }
}

/// Somebody else may have decided meanwhile.
async fn settled_elsewhere(
    console: &Console,
    staff: Staff,
    problem: Problem,
) -> Result<Response, Problem> {
    match problem {
        Problem::Ward(WardError::NotFound(_)) => {
            let message = Message::bad(
                "Không còn mục này: có thể người khác vừa xử lý.",
                Some("not_in_quarantine"),
            );
            answer(console, staff, StatusCode::NOT_FOUND, Some(message)).await
        }
        problem => Err(problem),
    }
}

async fn answer(
    console: &Console,
    staff: Staff,
    status: StatusCode,
    message: Option<Message>,
) -> Result<Response, Problem> {
    let page = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            let title = "Chờ xem xét".to_owned();
            Ok(ListPage {
                frame: Frame::new(title, Section::Quarantine, &names, &staff),
                message,
                rows: ward.quarantine()?.into_iter().map(Row::from).collect(),
            })
        })
        .await?;
    Ok(page::answer(status, &page))
}

fn records(content: QuarantinedFile, names: &Names) -> Vec<Record> {
    let record = |(document, edits): (DocumentId, Vec<_>)| Record {
        kind: match document.kind {
            DocumentKind::Case => "Vụ việc",
            DocumentKind::Person => "Người dân",
            DocumentKind::Visit => "Lần thăm",
        },
        edits: edits.iter().map(|edit| written(edit, names)).collect(),
    };
    content.documents.into_iter().map(record).collect()
}

fn written(edit: &QuarantinedEdit, names: &Names) -> Written {
    Written {
        at: edit.device_time.to_vietnamese(),
        lines: edit
            .content
            .iter()
            .filter_map(|change| line(change, names))
            .collect(),
    }
}

fn line(change: &FieldChange, names: &Names) -> Option<String> {
    let value = change.value.as_deref()?;
    let value = catalogue::field_value(&change.field, value, names);
    let label = catalogue::field_label(&change.field).unwrap_or(&change.field);
    Some(format!("{label}: {value}"))
}
