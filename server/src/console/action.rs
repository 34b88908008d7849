//! What staff do with a case from its page. Each goes through [`crate::app`] and so through the same
//! admission as a phone's edit; what cannot be done comes back with everything that was typed.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gandan_core::edit::limits::VALUE_BYTES_MAX;
use gandan_core::model::NoteVisibility;
use uuid::Uuid;

use super::Console;
use super::case::{self, back, parse_id};
use super::case_view::{Draft, seen};
use super::fields::Fields;
use super::names::Names;
use super::page::Message;
use super::permitted::Action;
use super::problem::Problem;
use super::session::Submission;
use crate::app;
use crate::ward::{Staff, Ward, WardError};

const EMPTY: &str = "Chưa có nội dung.";
const TOO_LONG: &str = "Nội dung quá dài. Rút gọn rồi gửi lại.";
const NO_DIVISION: &str = "Chọn bộ phận xử lý.";
const NOT_CONFIRMED: &str = "Đánh dấu xác nhận trước khi chuyển: việc này không hoàn tác được.";

/// What was done after which there is no page of the case.
pub(super) const RECLASSIFIED: &str = "reclassified";

/// `POST /cases/{id}/accept`
pub(super) async fn accept(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let draft = Draft {
        tried: Some(Action::Accept),
        ..Draft::default()
    };
    decide(
        &console,
        id,
        submission,
        draft,
        "accepted",
        move |ward, staff| app::accept(ward, staff, id).map(|_| ()),
    )
    .await
}

/// `POST /cases/{id}/assign`
pub(super) async fn assign(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let mut draft = assign_draft(&submission.fields);
    let division = draft.division.clone();
    let asked = division.clone();
    let is_known = console
        .ask(move |ward| Ok(Names::new(ward.directory()?).has_division(&asked)))
        .await?;
    if !is_known {
        draft.division_error = Some(NO_DIVISION);
        return refused(&console, id, &submission, draft).await;
    }
    let assignee = submission.fields.filled("assignee");
    decide(
        &console,
        id,
        submission,
        draft,
        "assigned",
        move |ward, staff| app::assign(ward, staff, id, &division, assignee.as_deref()),
    )
    .await
}

/// `POST /cases/{id}/answer`
pub(super) async fn answer(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let mut draft = answer_draft(&submission.fields);
    let answer = draft.answer.clone();
    draft.answer_error = text_error(&answer);
    if draft.answer_error.is_some() {
        return refused(&console, id, &submission, draft).await;
    }
    decide(
        &console,
        id,
        submission,
        draft,
        "answered",
        move |ward, staff| app::answer(ward, staff, id, &answer),
    )
    .await
}

/// `POST /cases/{id}/close`
pub(super) async fn close(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let draft = Draft {
        tried: Some(Action::Close),
        ..Draft::default()
    };
    decide(
        &console,
        id,
        submission,
        draft,
        "closed",
        move |ward, staff| app::close(ward, staff, id),
    )
    .await
}

/// `POST /cases/{id}/note`
pub(super) async fn note(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let mut draft = note_draft(&submission.fields);
    let text = draft.note.clone();
    draft.note_error = text_error(&text);
    if draft.note_error.is_some() {
        return refused(&console, id, &submission, draft).await;
    }
    let visibility = if draft.is_reply {
        NoteVisibility::Reply
    } else {
        NoteVisibility::Internal
    };
    // A note adds and overwrites nothing, so what colleagues did meanwhile does not matter.
    perform(
        &console,
        id,
        submission,
        draft,
        "noted",
        move |ward, staff| app::note(ward, staff, id, &text, visibility),
    )
    .await
}

/// `POST /cases/{id}/denunciation`
pub(super) async fn reclassify(
    State(console): State<Console>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let mut draft = Draft::default();
    if submission.fields.filled("confirmed").is_none() {
        draft.denunciation_error = Some(NOT_CONFIRMED);
        return refused(&console, id, &submission, draft).await;
    }
    decide(
        &console,
        id,
        submission,
        draft,
        RECLASSIFIED,
        move |ward, staff| app::reclassify(ward, staff, id),
    )
    .await
}

/// The page of a case with what was typed before signing in again; nothing is sent yet.
pub(super) async fn resume(
    console: &Console,
    staff: Staff,
    id: Uuid,
    verb: &str,
    fields: &Fields,
) -> Result<Response, Problem> {
    let draft = match verb {
        "assign" => assign_draft(fields),
        "answer" => answer_draft(fields),
        "note" => note_draft(fields),
        _ => return Ok(Redirect::to(&format!("/cases/{id}")).into_response()),
    };
    let message = Message::warn("Đã đăng nhập lại. Nội dung vừa nhập còn đây nhưng chưa được gửi.");
    case::show_again(
        console,
        &staff,
        id,
        back(fields),
        StatusCode::OK,
        Some(message),
        draft,
    )
    .await
}

fn assign_draft(fields: &Fields) -> Draft {
    Draft {
        division: fields.text("division"),
        assignee: fields.text("assignee"),
        tried: Some(Action::Assign),
        ..Draft::default()
    }
}

fn answer_draft(fields: &Fields) -> Draft {
    Draft {
        answer: fields.text("answer"),
        tried: Some(Action::Answer),
        ..Draft::default()
    }
}

fn note_draft(fields: &Fields) -> Draft {
    Draft {
        note: fields.text("text"),
        is_reply: fields.text("visibility") == NoteVisibility::Reply.code(),
        ..Draft::default()
    }
}

fn text_error(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some(EMPTY)
    } else if text.len() > VALUE_BYTES_MAX {
        Some(TOO_LONG)
    } else {
        None
    }
}

/// Does what changes where a case stands, unless somebody else did meanwhile: then it is shown first.
async fn decide(
    console: &Console,
    id: Uuid,
    submission: Submission,
    draft: Draft,
    done: &'static str,
    action: impl FnOnce(&Ward, &Staff) -> Result<(), WardError> + Send + 'static,
) -> Result<Response, Problem> {
    let dossier = case::load(console, id, &submission.staff).await?;
    // Our pages always say what they showed; a program that does not say decides blindly, as it asked.
    let was_seen = submission.fields.filled("seen");
    if was_seen.is_some_and(|was_seen| was_seen != seen(&dossier.case)) {
        let message = Message::warn(
            "Vụ việc vừa được người khác xử lý trong lúc bạn xem. Xem lại rồi gửi lại nếu vẫn cần.",
        );
        return case::show_again(
            console,
            &submission.staff,
            id,
            back(&submission.fields),
            StatusCode::CONFLICT,
            Some(message),
            draft,
        )
        .await;
    }
    perform(console, id, submission, draft, done, action).await
}

/// Does it, and leads to the page that shows it done; a reload of that page repeats nothing.
async fn perform(
    console: &Console,
    id: Uuid,
    submission: Submission,
    draft: Draft,
    done: &'static str,
    action: impl FnOnce(&Ward, &Staff) -> Result<(), WardError> + Send + 'static,
) -> Result<Response, Problem> {
    // Whether this person may see the case at all is asked before anything is done with it.
    case::load(console, id, &submission.staff).await?;
    let Submission { staff, fields } = submission;
    let author = staff.clone();
    let result = console.ask(move |ward| action(ward, &author)).await;
    match result {
        Ok(()) if done == RECLASSIFIED => {
            Ok(Redirect::to(&format!("/cases?done={done}")).into_response())
        }
        Ok(()) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("done", done);
            let back = back(&fields);
            if !back.is_empty() {
                query.append_pair("back", &back);
            }
            Ok(Redirect::to(&format!("/cases/{id}?{}", query.finish())).into_response())
        }
        Err(Problem::NoCase) => Err(Problem::NoCase),
        Err(problem) => {
            problem.log();
            let message = Message::bad(problem.sentence(), Some(problem.code()));
            case::show_again(
                console,
                &staff,
                id,
                back(&fields),
                problem.status(),
                Some(message),
                draft,
            )
            .await
        }
    }
}

/// The page again, with a mistake named beside its field.
async fn refused(
    console: &Console,
    id: Uuid,
    submission: &Submission,
    draft: Draft,
) -> Result<Response, Problem> {
    case::show_again(
        console,
        &submission.staff,
        id,
        back(&submission.fields),
        StatusCode::UNPROCESSABLE_ENTITY,
        None,
        draft,
    )
    .await
}
