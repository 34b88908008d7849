//! What a ward's life costs on the disk, and what a long history costs in time: `growth 1000`.
//! `docs/benchmarks.md` says what its numbers mean.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let count = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000);
    let measured = tempfile::tempdir()
        .map_err(|error| error.to_string())
        .and_then(|root| gandan_tests::ward_day::growth::run(root.path(), count));
    match measured {
        Ok(table) => {
            // Whoever does not read the result does not want it.
            let _ = writeln!(std::io::stdout(), "{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "growth: {error}");
            ExitCode::FAILURE
        }
    }
}
