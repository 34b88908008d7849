//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::programs::Badness;

/// Plays a ward's day with processes of its own and prints what it cost.
#[derive(Debug, Parser)]
#[command(name = "ward-day", args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) day: Day,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Args)]
pub(super) struct Day {
    /// Cases, one JSON object a line; without it, they are invented.
    #[arg(long, value_name = "FILE")]
    pub(super) input: Option<PathBuf>,
    /// How many cases to invent, or to take from the input.
    #[arg(long, value_name = "N")]
    pub(super) cases: Option<usize>,
    /// One line of JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    /// A bad link between phones and ward, such as rtt=300ms,loss=5%,rate=256kbit.
    #[arg(long, value_name = "WHAT")]
    pub(super) link: Option<Badness>,
    /// Of what is invented and of what the bad link loses.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Instead of a day: sends the cases, and a photo of 200 KB with each of the first N.
    #[arg(long, value_name = "N")]
    pub(super) photos: Option<usize>,
    /// How often the phone is killed while it sends photos.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "photos")]
    pub(super) kills: u64,
    /// Where to work; must not exist, and is left there. Without it: a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What the driver starts.
    #[command(subcommand, hide = true)]
    Role(Role),
}

/// One process of the day.
#[derive(Debug, Subcommand)]
pub(super) enum Role {
    /// The ward's server.
    Serve { data: PathBuf, quic: SocketAddr },
    /// Enrols a phone.
    Enrol { store: PathBuf, invite: String },
    /// Records every case of a file.
    Record { store: PathBuf, cases: PathBuf },
    /// Attaches a photo to each of the first cases of a file.
    Attach {
        store: PathBuf,
        cases: PathBuf,
        count: usize,
    },
    /// Synchronises once.
    Sync { store: PathBuf },
    /// Changes cases offline.
    Edit {
        store: PathBuf,
        cases: PathBuf,
        who: Who,
    },
    /// Synchronises until so many foreign edits have come.
    Follow { store: PathBuf, edits: u64 },
    /// Says what a phone's or the ward's store holds.
    Dump { of: Of, store: PathBuf },
}

/// A phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Who {
    /// Records, and adds notes.
    A,
    /// Of the office: accepts and assigns.
    B,
}

/// Whose store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Of {
    Phone,
    Ward,
}
