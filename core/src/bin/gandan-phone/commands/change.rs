//! Commands that change a record.

use gandan_core::replica::{CaseChange, NewVisit, Replica};

use crate::Outcome;
use crate::arguments::{Deliver, Edit, Visit, VisitEnd, VisitStart, Void};
use crate::failure::Failure;
use crate::output::{IdLine, Output};
use crate::store;

/// Corrects a case: first its fields in one edit, then the note.
pub(super) fn edit(arguments: Edit) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    let note = arguments.note.clone();
    if let Some(change) = change(arguments) {
        replica.edit_case(id, change)?;
    }
    if let Some(note) = note {
        replica.add_note(id, &note)?;
    }
    Ok(Outcome::Complete)
}

/// `None` if only a note was asked for.
fn change(arguments: Edit) -> Option<CaseChange> {
    let Edit {
        store: _,
        id: _,
        note: _,
        status,
        assignee,
        division,
        answer,
        text,
        area,
        place,
        kind,
        category,
        urgency,
        households,
        location,
    } = arguments;
    let is_empty = status.is_none()
        && [
            &assignee, &division, &answer, &text, &area, &place, &category,
        ]
        .iter()
        .all(|field| field.is_none())
        && kind.is_none()
        && urgency.is_none()
        && households.is_none()
        && location.is_none();
    (!is_empty).then_some(CaseChange {
        text,
        area,
        place,
        kind,
        category,
        urgency,
        status,
        assignee,
        division,
        answer,
        households_by: households,
        location,
    })
}

/// Marks a case as recorded in error.
pub(super) fn void(arguments: &Void) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    replica.void_case(id, &arguments.reason)?;
    Ok(Outcome::Complete)
}

/// Marks the answer as brought.
pub(super) fn deliver(arguments: &Deliver) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    replica.mark_delivered(id, arguments.satisfaction)?;
    Ok(Outcome::Complete)
}

/// Starts or ends a visit.
pub(super) fn visit(arguments: Visit) -> Result<Outcome, Failure> {
    match arguments {
        Visit::Start(arguments) => start(arguments),
        Visit::End(arguments) => end(arguments),
    }
}

fn start(arguments: VisitStart) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = replica.start_visit(NewVisit {
        external_ref: None,
        area: arguments.area,
        place: arguments.place,
        started_at: None,
        summary: arguments.summary,
    })?;
    let mut output = Output::new();
    output.object(&IdLine { id })?;
    output.flush()?;
    Ok(Outcome::Complete)
}

fn end(arguments: VisitEnd) -> Result<Outcome, Failure> {
    let replica: Replica = store::open(&arguments.store)?;
    let id = store::find_visit(&replica, &arguments.id)?;
    replica.end_visit(id, arguments.summary)?;
    Ok(Outcome::Complete)
}
