//! The benchmark `ward-day`: one phone records, the ward takes it all and is killed, another phone
//! fetches it, both change some of it at once, and one comes back with nothing to say. Every step is
//! a process of its own on the store that the step before left; the driver measures from outside.
//! `docs/benchmarks.md` says what the numbers mean.

mod arguments;
mod canonical;
mod driver;
pub mod growth;
mod invented;
pub mod parts;
mod photos;
mod process;
mod roles;
pub mod steps;
mod workload;

pub use arguments::Arguments;

use arguments::Command;

/// Does what was typed; gives what is to be printed.
///
/// # Errors
/// In words, with the phase that failed.
pub fn run(arguments: Arguments) -> Result<String, String> {
    match arguments.command {
        None => driver::run(&arguments.day),
        Some(Command::Role(role)) => roles::play(&role).map(|()| String::new()),
    }
}

/// What went wrong, for whoever plays a day at a terminal.
fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
