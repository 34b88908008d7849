//! `policy`: the tables of [`gandan_core::policy::rules`], for whoever wants to know.

use gandan_core::model::{DocumentKind, Status};
use gandan_core::policy::rules::{
    AtCreation, FIELDS, Leave, OnStopCard, TRANSITIONS, UNKNOWN_FIELDS,
};
use serde_json::{Value, json};

use super::{CommandError, Outcome, Terminal, say};

/// What stands for every field that this version does not know.
const UNKNOWN: &str = "*";

pub(super) fn print(terminal: &mut Terminal, as_json: bool) -> Result<Outcome, CommandError> {
    if as_json {
        say(terminal.output, format_args!("{:#}", as_value()))?;
        return Ok(Outcome::Done);
    }
    say(
        terminal.output,
        format_args!(
            "loại · document\ttrường · field\tkhi lập · at creation\tngười ghi · recorder\tcán bộ, lãnh đạo trong \
             phạm vi · officer or leader in scope\ttiếp nhận, chủ tịch · triage and chair\ttrên thẻ dừng tố cáo · on \
             a stop card"
        ),
    )?;
    for rule in FIELDS {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                kind(rule.kind),
                rule.field,
                at_creation(rule.at_creation),
                leave(rule.recorder),
                leave(rule.in_scope),
                leave(rule.office),
                on_stop_card(rule.on_stop_card),
            ),
        )?;
    }
    for rule in UNKNOWN_FIELDS {
        say(
            terminal.output,
            format_args!(
                "{}\t{UNKNOWN}\tanything\t{}\tno\t{}\tno",
                kind(rule.kind),
                leave(rule.recorder),
                leave(rule.office),
            ),
        )?;
    }
    say(
        terminal.output,
        format_args!(
            "\ntrạng thái · state\ttiếp nhận, chủ tịch · triage and chair\tngười ghi · recorder"
        ),
    )?;
    for rule in TRANSITIONS {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}",
                rule.from.code(),
                codes(rule.office),
                codes(rule.recorder)
            ),
        )?;
    }
    say(
        terminal.output,
        format_args!(
            "\nQuản trị viên không được sửa hồ sơ nào. · An administrator changes no document."
        ),
    )?;
    Ok(Outcome::Done)
}

fn as_value() -> Value {
    let fields = FIELDS.iter().map(|rule| {
        json!({
            "document": kind(rule.kind),
            "field": rule.field,
            "at_creation": at_creation(rule.at_creation),
            "recorder": leave(rule.recorder),
            "in_scope": leave(rule.in_scope),
            "office": leave(rule.office),
            "on_stop_card": on_stop_card(rule.on_stop_card),
        })
    });
    let unknown = UNKNOWN_FIELDS.iter().map(|rule| {
        json!({
            "document": kind(rule.kind),
            "field": UNKNOWN,
            "at_creation": "anything",
            "recorder": leave(rule.recorder),
            "in_scope": "no",
            "office": leave(rule.office),
            "on_stop_card": "no",
        })
    });
    let list = |statuses: &[Status]| -> Vec<&'static str> {
        statuses.iter().map(|status| status.code()).collect()
    };
    let transitions = TRANSITIONS.iter().map(|rule| {
        json!({
            "from": rule.from.code(),
            "office": list(rule.office),
            "recorder": list(rule.recorder),
        })
    });
    json!({
        "fields": fields.chain(unknown).collect::<Vec<_>>(),
        "transitions": transitions.collect::<Vec<_>>(),
    })
}

fn kind(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Visit => "visit",
        DocumentKind::Case => "case",
        DocumentKind::Person => "person",
    }
}

fn at_creation(rule: AtCreation) -> String {
    match rule {
        AtCreation::Anything => "anything".to_owned(),
        AtCreation::Author => "the author".to_owned(),
        AtCreation::Only(code) => code.to_owned(),
        AtCreation::NothingUnlessOffice => "nothing, office: anything".to_owned(),
        AtCreation::OnlyUnlessOffice(code) => format!("{code}, office: anything"),
        AtCreation::Nothing => "nothing".to_owned(),
    }
}

fn leave(leave: Leave) -> String {
    match leave {
        Leave::Never => "no".to_owned(),
        Leave::Always => "yes".to_owned(),
        Leave::While(statuses) => format!("while {}", codes(statuses)),
    }
}

fn on_stop_card(rule: OnStopCard) -> String {
    match rule {
        OnStopCard::Anything => "yes".to_owned(),
        OnStopCard::Only(code) => code.to_owned(),
        OnStopCard::Nothing => "no".to_owned(),
    }
}

fn codes(statuses: &[Status]) -> String {
    let codes: Vec<_> = statuses.iter().map(|status| status.code()).collect();
    if codes.is_empty() {
        "-".to_owned()
    } else {
        codes.join(",")
    }
}
