//! What revoked devices handed over: `quarantine list`, `show`, `take`, `discard`.

use super::{CommandError, Outcome, Terminal, records, say, tell};
use crate::ward::Ward;
use crate::ward::audit::Subject;

pub(super) fn list(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    for file in ward.quarantine()? {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}\t{}",
                file.number,
                file.officer_name,
                file.device_name,
                file.begun_at.to_rfc3339(),
                file.bytes,
                if file.is_whole { "whole" } else { "cut" },
            ),
        )?;
    }
    Ok(Outcome::Done)
}

pub(super) fn show(
    number: u64,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let file = ward.look_into_quarantine(number)?;
    for (document, edits) in &file.documents {
        let record = Subject::from(*document);
        for edit in edits {
            for change in &edit.content {
                say(
                    terminal.output,
                    format_args!(
                        "{record}\t{}\t{}\t{}\t{}",
                        edit.device_time.to_rfc3339(),
                        change.operation,
                        change.field,
                        change.value.as_deref().unwrap_or_default().escape_debug(),
                    ),
                )?;
            }
        }
    }
    if file.is_damaged {
        tell(
            terminal.messages,
            format_args!("Một phần không đọc được · Something of it cannot be read"),
        );
        return Ok(Outcome::Incomplete);
    }
    Ok(Outcome::Done)
}

pub(super) fn take(
    number: u64,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let verdicts = ward.take_from_quarantine(number)?;
    records::report(
        &verdicts,
        "Một phần chưa nhận được; phần này vẫn chờ xem xét.\n\
         Something was not taken; it stays in quarantine.",
        terminal,
    )
}

pub(super) fn discard(
    number: u64,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.discard_from_quarantine(number)?;
    tell(terminal.messages, format_args!("Đã bỏ · Thrown away"));
    Ok(Outcome::Done)
}
