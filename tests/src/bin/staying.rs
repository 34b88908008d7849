//! What devices cost that stay connected: `staying --devices 5000`. `docs/benchmarks.md` says what its
//! numbers mean.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use gandan_tests::staying::{Arguments, run};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(printed) => {
            // Whoever does not read the result does not want it.
            let _ = std::io::stdout().write_all(printed.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "staying: {error}");
            ExitCode::FAILURE
        }
    }
}
