//! `GET /cases/{id}`: one case, whole.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use gandan_core::document::schema;
use gandan_core::model::{Confidentiality, DocumentId, Role};
use gandan_core::store::{attachments, rows};
use uuid::Uuid;

use super::case_view::{CasePage, Dossier, Draft};
use super::fields::Fields;
use super::filter::Filter;
use super::names::Names;
use super::page::{self, Message};
use super::problem::Problem;
use super::session::Clerk;
use super::{Console, catalogue};
use crate::ward::{Staff, Ward, WardError};

/// `GET /cases/{id}`
pub(super) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let dossier = load(&console, id, &staff).await?;
    let message = catalogue::done(&query.text("done"), &dossier.case).map(Message::good);
    let back = back(&query);
    Ok(page::answer(
        StatusCode::OK,
        &CasePage::new(&dossier, &staff, back, message, None),
    ))
}

/// The page again, after something that was sent could not be done: nothing typed is lost.
pub(super) async fn show_again(
    console: &Console,
    staff: &Staff,
    id: Uuid,
    back: String,
    status: StatusCode,
    message: Option<Message>,
    draft: Draft,
) -> Result<Response, Problem> {
    let dossier = load(console, id, staff).await?;
    Ok(page::answer(
        status,
        &CasePage::new(&dossier, staff, back, message, Some(draft)),
    ))
}

/// The id of a case, as an address has it.
pub(super) fn parse_id(id: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(id).map_err(|_| Problem::NoCase)
}

/// The list to go back to; whatever else an address claims is made into a list.
pub(super) fn back(fields: &Fields) -> String {
    Filter::parse(&fields.text("back")).query()
}

/// Everything that the ward knows of a case.
pub(super) async fn load(console: &Console, id: Uuid, staff: &Staff) -> Result<Dossier, Problem> {
    let staff = staff.clone();
    let look = move |ward: &Ward| {
        let dossier = read(ward, id)?.filter(|dossier| may_see(dossier, &staff));
        if let Some(dossier) = &dossier
            && dossier.case.confidentiality == Confidentiality::Restricted
        {
            ward.note_restricted_read(staff.author.officer, DocumentId::case(id))?;
        }
        Ok(dossier)
    };
    console.ask(look).await?.ok_or(Problem::NoCase)
}

/// Restricted cases do not exist for those who may not see them.
fn may_see(dossier: &Dossier, staff: &Staff) -> bool {
    dossier.case.confidentiality == Confidentiality::Normal
        || matches!(staff.author.role, Role::Triage | Role::Chair)
        || dossier.case.recorded_by == staff.author.officer
}

fn read(ward: &Ward, id: Uuid) -> Result<Option<Dossier>, WardError> {
    let Some(state) = ward.document(DocumentId::case(id))? else {
        return Ok(None);
    };
    let Some(case) = schema::case(&state) else {
        return Ok(None);
    };
    let person = ward.document(DocumentId::person_of(id))?;
    let (visit, here) = ward.read(|connection| {
        let mut here = Vec::new();
        for attachment in &case.attachments {
            if attachments::is_here(connection, attachment.hash)? {
                here.push(attachment.hash);
            }
        }
        let visit = match case.visit {
            Some(visit) => rows::visit(connection, visit)?,
            None => None,
        };
        Ok((visit, here))
    })?;
    Ok(Some(Dossier {
        person: person.and_then(|state| schema::person(&state)),
        visit,
        here,
        case_history: ward.history(DocumentId::case(id))?,
        person_history: ward.history(DocumentId::person_of(id))?,
        names: Names::new(ward.directory()?),
        now: ward.now(),
        case,
        state,
    }))
}
