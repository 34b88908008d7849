//! Records that leave or enter by hand: `export`, `import-rescue`, `resume-numbering`.

use std::io::Read;

use gandan_core::model::DocumentId;
use gandan_core::protocol::verdict::{Tally, Verdict};
use gandan_core::store::rows;
use uuid::Uuid;

use super::{CommandError, Outcome, Terminal, say, tell};
use crate::cli::ImportRescue;
use crate::ward::{Ward, WardError};

/// A phone that recorded for months with photos fits; more is no rescue file.
const RESCUE_FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

pub(super) fn export(
    typed: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let case = DocumentId::case(case_as_typed(typed, ward)?);
    let file = ward.export(case)?.ok_or(WardError::NotFound("case"))?;
    terminal
        .output
        .write_all(&file)
        .and_then(|()| terminal.output.flush())
        .map_err(CommandError::Output)?;
    Ok(Outcome::Done)
}

/// The case that is meant by a uuid, a short code or an official number.
pub(super) fn case_as_typed(typed: &str, ward: &Ward) -> Result<Uuid, WardError> {
    let found = ward.read(|connection| rows::case_as_typed(connection, typed))?;
    found.ok_or(WardError::NotFound("case"))
}

pub(super) fn import_rescue(
    arguments: &ImportRescue,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let mut bytes = Vec::new();
    std::fs::File::open(&arguments.file)
        .and_then(|file| file.take(RESCUE_FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(CommandError::Input)?;
    let verdicts = if arguments.from_revoked {
        ward.import_rescue_of_revoked(&bytes)?
    } else {
        ward.import_rescue(&bytes)?
    };
    report(
        &verdicts,
        "Một phần chưa nhận được; giữ tệp cứu hộ và điện thoại lại.\n\
         Something was not taken; keep the file and the phone.",
        terminal,
    )
}

/// Says what became of edits that came by hand, and what to do if some were not taken.
pub(super) fn report(
    verdicts: &[Verdict],
    if_not_all: &str,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let Tally {
        accepted,
        duplicate,
        waiting,
        rejected,
    } = Tally::of(verdicts);
    say(
        terminal.output,
        format_args!(
            "accepted={accepted} duplicate={duplicate} waiting={waiting} rejected={rejected}"
        ),
    )?;
    if waiting + rejected == 0 {
        return Ok(Outcome::Done);
    }
    tell(terminal.messages, format_args!("{if_not_all}"));
    for verdict in verdicts {
        if let Verdict::Rejected { code } = verdict {
            tell(terminal.messages, format_args!("  {}", code.label()));
        }
    }
    Ok(Outcome::Incomplete)
}

pub(super) fn resume_numbering(
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let was_paused = ward.is_numbering_paused()?;
    ward.resume_numbering()?;
    let words = if was_paused {
        "Cấp số tiếp · Numbering goes on; numbers that nobody gave back are void, with a reason"
    } else {
        "Việc cấp số không bị dừng · Numbering was not paused"
    };
    tell(terminal.messages, format_args!("{words}"));
    Ok(Outcome::Done)
}
