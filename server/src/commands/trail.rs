//! `audit verify`, `audit list` and `check`.

use std::fmt::Display;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::records::case_as_typed;
use super::{CommandError, Outcome, Terminal, say, tell};
use crate::cli;
use crate::ward::audit::{Filter, Kind, Record, Subject};
use crate::ward::{Ward, WardError};
use gandan_core::model::DocumentId;
use gandan_core::protocol::checkpoint::Checkpoint;

/// More lines than any phone holds.
const CHECKPOINTS_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn checkpoint(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    say(terminal.output, format_args!("{}", ward.checkpoint()?))?;
    Ok(Outcome::Done)
}

fn read_checkpoints(path: &Path, terminal: &mut Terminal) -> Result<Vec<Checkpoint>, CommandError> {
    let mut text = String::new();
    let mut read = |from: &mut dyn Read| from.take(CHECKPOINTS_BYTES_MAX).read_to_string(&mut text);
    match path.as_os_str() == "-" {
        true => read(&mut terminal.input),
        false => std::fs::File::open(path).and_then(|mut file| read(&mut file)),
    }
    .map_err(CommandError::Input)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::parse).collect::<Result<_, _>>()?)
}

pub(super) fn verify(
    files: &[PathBuf],
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let mut checkpoints = Vec::new();
    for file in files {
        checkpoints.extend(read_checkpoints(file, terminal)?);
    }
    let verified = ward.verify_audit_against(&checkpoints)?;
    list_found(&verified.findings, verified.unlisted, terminal)?;
    if !verified.is_sound() {
        tell(
            terminal.messages,
            format_args!(
                "Nhật ký KHÔNG còn nguyên vẹn; giữ nguyên máy chủ và báo người phụ trách · The audit trail is NOT as it was written"
            ),
        );
        return Ok(Outcome::Incomplete);
    }
    say(
        terminal.output,
        format_args!(
            "entries={} witnessed={} lost_in_restore={} chain={}",
            verified.entries,
            verified.witnessed,
            verified.lost_in_restore,
            data_encoding::HEXLOWER.encode(&verified.chain)
        ),
    )?;
    tell(
        terminal.messages,
        format_args!(
            "Nhật ký nguyên vẹn, {} mục · The audit trail is as it was written",
            verified.entries
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn check(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    let checked = ward.check()?;
    list_found(&checked.problems, checked.unlisted, terminal)?;
    if !checked.is_sound() {
        tell(
            terminal.messages,
            format_args!(
                "Dữ liệu CÓ CHỖ SAI; đừng sửa tay: dừng máy chủ, khôi phục bản sao lưu gần nhất, điện thoại gửi lại phần còn thiếu.\n\
                 Something is WRONG; mend nothing by hand: stop the server and restore the last backup, phones give back the rest."
            ),
        );
        return Ok(Outcome::Incomplete);
    }
    say(
        terminal.output,
        format_args!(
            "sound edits={} documents={} attachments={} audit={}",
            checked.edits, checked.documents, checked.attachments, checked.audit
        ),
    )?;
    tell(
        terminal.messages,
        format_args!("Dữ liệu nguyên vẹn · Everything agrees"),
    );
    Ok(Outcome::Done)
}

/// One a line, and how many more there are.
fn list_found<T: Display>(
    found: &[T],
    unlisted: u64,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    for one in found {
        say(terminal.output, format_args!("{one}"))?;
    }
    if unlisted > 0 {
        say(terminal.output, format_args!("… +{unlisted}"))?;
    }
    Ok(())
}

pub(super) fn list(
    arguments: &cli::AuditList,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let kind = match &arguments.kind {
        Some(code) => Some(Kind::from_code(code).ok_or(WardError::NotFound("kind of entry"))?),
        None => None,
    };
    let about = match &arguments.about {
        Some(typed) => Some(subject(ward, typed)?),
        None => None,
    };
    let filter = Filter {
        kind,
        officer: arguments.officer.clone(),
        about,
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        before: None,
        limit: arguments.limit,
    };
    for record in ward.audit_records(&filter)? {
        let line = if arguments.json {
            json(&record)
        } else {
            words(&record)
        };
        say(terminal.output, format_args!("{line}"))?;
    }
    Ok(Outcome::Done)
}

/// An id as the trail writes it, for what was typed.
fn subject(ward: &Ward, typed: &str) -> Result<String, WardError> {
    if typed.contains(':') {
        return Ok(typed.to_owned());
    }
    let case = DocumentId::case(case_as_typed(typed, ward)?);
    Ok(Subject::from(case).to_string())
}

fn words(record: &Record) -> String {
    let or_dash = |word: Option<String>| word.unwrap_or_else(|| "-".to_owned());
    [
        record.number.to_string(),
        record.at.to_rfc3339(),
        record.kind.clone(),
        record.outcome.clone(),
        record.actor.clone(),
        or_dash(record.officer_name.clone()),
        or_dash(record.device.map(|device| device.to_string())),
        record.detail.clone(),
        record
            .subjects
            .as_ref()
            .map_or_else(|| "(forgotten)".to_owned(), |subjects| subjects.join(",")),
    ]
    .join("\t")
}

fn json(record: &Record) -> String {
    serde_json::json!({
        "number": record.number,
        "at": record.at.to_rfc3339(),
        "kind": record.kind,
        "outcome": record.outcome,
        "actor": record.actor,
        "officer": record.officer.map(|officer| officer.0.to_string()),
        "device": record.device.map(|device| device.to_string()),
        "detail": record.detail,
        "subjects": record.subjects,
        "feed": record.feed_sequence,
    })
    .to_string()
}
