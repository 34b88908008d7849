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
    for row in rows_of_fields() {
        say(
            terminal.output,
            format_args!("{}", row.map(|(_, cell)| cell).join("\t")),
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

/// A row of the table of fields: the name of each column and what stands in it.
type FieldRow = [(&'static str, String); 7];

fn rows_of_fields() -> impl Iterator<Item = FieldRow> {
    let known = FIELDS.iter().map(|rule| {
        row(
            (rule.kind, rule.field),
            at_creation(rule.at_creation),
            [rule.recorder, rule.in_scope, rule.office],
            rule.on_stop_card,
        )
    });
    let unknown = UNKNOWN_FIELDS.iter().map(|rule| {
        row(
            (rule.kind, UNKNOWN),
            at_creation(AtCreation::Anything),
            [rule.recorder, Leave::Never, rule.office],
            OnStopCard::Nothing,
        )
    });
    known.chain(unknown)
}

fn row(
    (document, field): (DocumentKind, &str),
    at_creation: String,
    [recorder, in_scope, office]: [Leave; 3],
    stop_card: OnStopCard,
) -> FieldRow {
    [
        ("document", kind(document).to_owned()),
        ("field", field.to_owned()),
        ("at_creation", at_creation),
        ("recorder", leave(recorder)),
        ("in_scope", leave(in_scope)),
        ("office", leave(office)),
        ("on_stop_card", on_stop_card(stop_card)),
    ]
}

fn as_value() -> Value {
    let fields = rows_of_fields().map(|row| {
        row.into_iter()
            .map(|(name, cell)| (name.to_owned(), Value::from(cell)))
            .collect::<Value>()
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
        "fields": fields.collect::<Vec<_>>(),
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
