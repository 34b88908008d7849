//! What can be typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use gandan_core::model::{Location, ReportedKind, Satisfaction, Status, Urgency};

/// A phone without a screen: records offline, synchronises with the ward, shows what is known.
///
/// The key of the store is taken from GANDAN_STORE_KEY: 64 hexadecimal digits.
///
/// Exit codes: 0 done; 1 done, but something was refused or is still pending (said on standard
/// error); 2 wrong usage; 3 store or key; 4 network, or refused by the ward.
#[derive(Debug, Parser)]
#[command(name = "gandan-phone", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the phone's records are.
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// Folder of the phone's store; `enrol` makes it.
    #[arg(long = "store", value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// `lock` and `unlock`
#[derive(Debug, Args)]
pub(crate) struct Locking {
    #[command(flatten)]
    pub(crate) store: Store,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Enrols this phone with an invite from the office.
    Enrol(Enrol),
    /// Records cases from standard input, one JSON object a line; offline.
    Record(Record),
    /// Sends what is unsent and receives what is new.
    Sync(Sync),
    /// Gives this phone another key, without a visit to the office; the old one is of no use afterwards.
    RenewKey(Read),
    /// Lists cases.
    List(List),
    /// Shows one case, whole.
    Show(Show),
    /// Fetches a case that this phone does not hold, such as one finished long ago.
    Look(Show),
    /// Corrects a case, as far as the officer's role may.
    Edit(Box<Edit>),
    /// Attaches images to a case.
    Attach(Attach),
    /// Has the files of a case fetched at the next synchronisation.
    Fetch(Fetch),
    /// Prints the words with which a person is asked for consent, and their version; needs no store.
    Consent,
    /// Removes the bytes of photos that the ward has confirmed; they can be fetched again.
    Free(Read),
    /// Marks a case as recorded in error.
    Void(Void),
    /// Marks the answer as brought to the citizen.
    Deliver(Deliver),
    /// Starts or ends a visit.
    #[command(subcommand)]
    Visit(Visit),
    /// Says where this phone stands with its ward, what waits and what was refused.
    Status(Read),
    /// Locks the app. The first time it reads the PIN from standard input; from then on the
    /// store opens by `unlock` alone, and GANDAN_STORE_KEY is not asked for.
    Lock(Locking),
    /// Unlocks the app with the PIN from standard input.
    Unlock(Locking),
    /// Lists what has no final word of the ward yet.
    Pending(Read),
    /// Lists what the ward refused, with the reason.
    Rejected(Read),
    /// Rebuilds every row from its document and names the records that differed.
    Check(Read),
    /// Prints what this phone witnessed of the ward's audit trail, one line each, the newest last: for
    /// `gandan-server audit verify --checkpoint`. Ends with 1 if the ward has shown a trail that does not go
    /// through it.
    Checkpoint(Read),
    /// Writes everything unsent into a file that only the ward can read.
    Rescue(Rescue),
    /// Writes a case as a standard automerge file to standard output.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Enrol {
    #[command(flatten)]
    pub(crate) store: Store,
    /// The line that begins with gandan:
    #[arg(long)]
    pub(crate) invite: String,
    /// What the administrator sees this phone called.
    #[arg(long, default_value = "gandan-phone")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Folder with the files that the lines name as attachments.
    #[arg(long, value_name = "DIR")]
    pub(crate) attachments: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) store: Store,
    /// One JSON object instead of words; with --stay one for each thing that happens.
    #[arg(long)]
    pub(crate) json: bool,
    /// Stays connected and prints what arrives, until it is interrupted. Lines on standard input are
    /// recorded, as `record` does, and sent.
    #[arg(long)]
    pub(crate) stay: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) store: Store,
    /// One JSON object a line instead of words.
    #[arg(long)]
    pub(crate) json: bool,
    /// Words of the text, names, places, numbers or codes; marks and case do not count.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only cases in this state; may be given several times.
    #[arg(long, value_parser = status)]
    pub(crate) status: Vec<Status>,
    /// At most so many.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) store: Store,
    /// One JSON object instead of words.
    #[arg(long)]
    pub(crate) json: bool,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
    /// New state.
    #[arg(long, value_parser = status, group = "change")]
    pub(crate) status: Option<Status>,
    /// A note to add.
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) note: Option<String>,
    /// Who works on it.
    #[arg(long, group = "change")]
    pub(crate) assignee: Option<String>,
    /// Which division works on it.
    #[arg(long, group = "change")]
    pub(crate) division: Option<String>,
    /// What the ward answers.
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) answer: Option<String>,
    /// What was said.
    #[arg(long, group = "change")]
    pub(crate) text: Option<String>,
    /// Code or name of an area.
    #[arg(long, group = "change")]
    pub(crate) area: Option<String>,
    /// Words for the place.
    #[arg(long, group = "change")]
    pub(crate) place: Option<String>,
    /// report, petition or complaint.
    #[arg(long, value_parser = kind, group = "change")]
    pub(crate) kind: Option<ReportedKind>,
    /// Code of a category, or a label.
    #[arg(long, group = "change")]
    pub(crate) category: Option<String>,
    /// low, normal, high or urgent.
    #[arg(long, value_parser = urgency, group = "change")]
    pub(crate) urgency: Option<Urgency>,
    /// So many more households say the same; may be negative.
    #[arg(
        long,
        value_name = "BY",
        allow_negative_numbers = true,
        group = "change"
    )]
    pub(crate) households: Option<i32>,
    /// Where it is: LATITUDE,LONGITUDE in degrees.
    #[arg(long, value_name = "LAT,LON", value_parser = location, allow_hyphen_values = true, group = "change")]
    pub(crate) location: Option<Location>,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
    /// JPEG, PNG or WebP images of at most 10 MiB.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Void {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
    /// Why it was recorded in error.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Deliver {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
    /// What the citizen said of it: satisfied or not_satisfied.
    #[arg(long, value_parser = satisfaction)]
    pub(crate) satisfaction: Satisfaction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Visit {
    /// Starts a visit; prints its id.
    Start(VisitStart),
    /// Ends a visit.
    End(VisitEnd),
}

#[derive(Debug, Args)]
pub(crate) struct VisitStart {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Code or name of an area.
    #[arg(long)]
    pub(crate) area: Option<String>,
    /// Words for the place.
    #[arg(long)]
    pub(crate) place: Option<String>,
    /// What the visit is for.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) summary: String,
}

#[derive(Debug, Args)]
pub(crate) struct VisitEnd {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id or imported id of the visit.
    pub(crate) id: String,
    /// What came of it; replaces what it was for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) summary: Option<String>,
}

/// A command that only reads.
#[derive(Debug, Args)]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) store: Store,
    /// One JSON object a line; there is no other form, the flag is taken for symmetry.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rescue {
    #[command(flatten)]
    pub(crate) store: Store,
    /// File to write; one that exists is not replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Id, short code, official number or imported id.
    pub(crate) id: String,
}

/// Reads a closed vocabulary and says what there is to choose from.
fn word<T: Copy>(typed: &str, all: &[T], code: impl Fn(T) -> &'static str) -> Result<T, String> {
    all.iter()
        .copied()
        .find(|value| code(*value) == typed)
        .ok_or_else(|| {
            let codes: Vec<_> = all.iter().map(|value| code(*value)).collect();
            format!("one of: {}", codes.join(", "))
        })
}

fn status(typed: &str) -> Result<Status, String> {
    word(typed, Status::ALL, Status::code)
}

fn kind(typed: &str) -> Result<ReportedKind, String> {
    word(typed, ReportedKind::ALL, ReportedKind::code)
}

fn urgency(typed: &str) -> Result<Urgency, String> {
    word(typed, Urgency::ALL, Urgency::code)
}

fn satisfaction(typed: &str) -> Result<Satisfaction, String> {
    word(typed, Satisfaction::ALL, Satisfaction::code)
}

fn location(typed: &str) -> Result<Location, String> {
    let rule = || "two numbers in degrees, such as 10.7769,106.7009".to_owned();
    let (latitude, longitude) = typed.split_once(',').ok_or_else(rule)?;
    let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| rule());
    crate::commands::location(degrees(latitude)?, degrees(longitude)?).ok_or_else(rule)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_has_no_contradictions() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_edit_without_a_change_is_wrong_usage() {
        let parse = |words: &str| Arguments::try_parse_from(words.split(' '));
        assert!(parse("gandan-phone edit --store s ID").is_err());
        assert!(parse("gandan-phone edit --store s ID --status assigned").is_err());
        assert!(parse("gandan-phone edit --store s ID --note x --households -2").is_ok());
        assert!(parse("gandan-phone edit --store s ID --location -10.5,106.7").is_ok());
    }
}
