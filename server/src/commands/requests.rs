//! What people ask about their own data, and how long it is kept: `request …`, `access`, `retention`.

use super::records::case_as_typed;
use super::{CommandError, Outcome, Terminal, say, tell, write_private};
use crate::cli::{Access, RequestAdd, RequestClose};
use crate::subject_access;
use crate::ward::{CitizenRequest, RequestKind, RequestOutcome, RetentionRule, Ward};

pub(super) fn add(
    arguments: &RequestAdd,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let kind = RequestKind::from_code(&arguments.kind)
        .expect("only codes of kinds are offered to the command line");
    let person = arguments.person.as_deref();
    let case = person.map(|typed| case_as_typed(typed, ward)).transpose()?;
    let number = ward.add_request(kind, case, &arguments.asker)?;
    say(terminal.output, format_args!("{number}"))?;
    Ok(Outcome::Done)
}

pub(super) fn list(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    let now = ward.now();
    for request in ward.requests()? {
        let due = request.next_due();
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                request.number,
                request.kind.code(),
                request.received_at.to_rfc3339(),
                due.map_or_else(|| "-".to_owned(), |due| due.to_rfc3339()),
                state(&request, now),
                request
                    .case
                    .map_or_else(|| "-".to_owned(), |case| case.to_string()),
                request.asker.as_deref().unwrap_or("-").escape_debug(),
            ),
        )?;
    }
    Ok(Outcome::Done)
}

fn state(request: &CitizenRequest, now: gandan_core::model::Timestamp) -> &'static str {
    match &request.closed {
        Some((_, RequestOutcome::Done)) => "done",
        Some((_, RequestOutcome::Refused(_))) => "refused",
        None if request.is_overdue(now) => "overdue",
        None => "open",
    }
}

pub(super) fn answer(
    number: u64,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.answer_request(number)?;
    tell(
        terminal.messages,
        format_args!("Đã ghi là đã trả lời · Noted"),
    );
    Ok(Outcome::Done)
}

pub(super) fn close(
    arguments: &RequestClose,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let outcome = match &arguments.refuse {
        None => RequestOutcome::Done,
        Some(reason) => RequestOutcome::Refused(reason.clone()),
    };
    ward.close_request(arguments.number, &outcome)?;
    tell(terminal.messages, format_args!("Đã đóng · Closed"));
    Ok(Outcome::Done)
}

pub(super) fn access(
    arguments: &Access,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let case = case_as_typed(&arguments.person, ward)?;
    let held = ward.subject_access(case)?;
    let is_for_a_machine = arguments.to.extension().is_some_and(|end| end == "json");
    let copy = if is_for_a_machine {
        format!("{:#}\n", subject_access::json(&held, ward.now()))
    } else {
        subject_access::html(&held, &ward.directory()?, ward.now())
            .map_err(|error| CommandError::Output(std::io::Error::other(error)))?
    };
    write_private(&arguments.to, copy.as_bytes())?;
    tell(
        terminal.messages,
        format_args!(
            "Đã ghi {}; giao cho người dân rồi xóa tệp · Written; give it to the person, then delete it",
            arguments.to.display()
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn retention(
    apply: bool,
    rules: &[RetentionRule],
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let due = if apply {
        ward.let_go(rules)?
    } else {
        ward.due_to_go(rules)?
    };
    for (rule, count) in &due {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{count}\t{}",
                rule.class.code(),
                rule.days
                    .map_or_else(|| "-".to_owned(), |days| days.to_string()),
                rule.class.label(),
            ),
        )?;
    }
    let words = match due.iter().map(|(_, count)| count).sum::<usize>() {
        0 => "Không có gì quá hạn · Nothing is due",
        _ if apply => "Đã xóa; điện thoại xóa ở lần kết nối sau · Gone; phones follow",
        _ => "Thêm --apply để xóa · Say --apply to let it go",
    };
    tell(terminal.messages, format_args!("{words}"));
    Ok(Outcome::Done)
}
