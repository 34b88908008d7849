//! The headless phone: what an officer's app does, as a command line, on the same core. For
//! operations, demonstrations and tests from outside.
//!
//! `arguments` says what can be typed, `commands` does it, `output` prints for machines, `failure`
//! says to people what went wrong and what to do.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod output;
mod store;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

/// Done, but something was refused or is still pending.
const EXIT_PARTIAL: u8 = 1;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it.
    Complete,
    /// Something was refused or is still pending; it was said on standard error.
    Partial,
}

fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Partial) => ExitCode::from(EXIT_PARTIAL),
        Err(failure) => {
            if !failure.is_closed_pipe() {
                eprintln!("{failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
