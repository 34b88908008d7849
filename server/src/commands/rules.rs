//! `policy print`: the tables of [`gandan_core::policy::rules`], for whoever wants to know.

use gandan_core::model::{DocumentKind, Status};
use gandan_core::policy::rules::{AtCreation, FIELDS, Leave, OnStopCard, TRANSITIONS};

use super::{CommandError, Outcome, Terminal, say};

pub(super) fn print(terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    say(
        terminal.output,
        format_args!(
            "document\tfield\tat creation\trecorder\tofficer or leader in scope\ttriage and chair\ton a stop card"
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
    say(
        terminal.output,
        format_args!("\nstate\ttriage and chair\trecorder"),
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
    Ok(Outcome::Done)
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
