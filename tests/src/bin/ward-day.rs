//! The benchmark: `ward-day --input cases.jsonl --json`, or `ward-day --cases 2000` with invented
//! cases. `docs/benchmarks.md` says what its numbers mean.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use gandan_tests::ward_day::{Arguments, run};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(printed) => {
            if !printed.is_empty() {
                // Whoever does not read the result does not want it.
                let _ = writeln!(std::io::stdout(), "{printed}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ward-day: {error}");
            ExitCode::FAILURE
        }
    }
}
