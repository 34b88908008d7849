//! Plays many seeds: `simulate --from 1 --seeds 1000`. Prints what they went through and how fast, and
//! stops at the first promise that is broken, with its seed.

use std::io::Write;
use std::time::Instant;

use clap::Parser;
use gandan_tests::simulation::{Plan, Tally, run};

/// Plays seeds of the simulation.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// How many things happen in each.
    #[arg(long, default_value_t = 60)]
    steps: usize,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let mut sum = Tally::default();
    #[expect(clippy::disallowed_methods, reason = "says how fast it is")]
    let begun = Instant::now();
    for seed in arguments.from..arguments.from + arguments.seeds {
        writeln!(out, "seed {seed}")?;
        let tally = run(Plan {
            steps: arguments.steps,
            ..Plan::of_seed(seed)
        });
        sum = sum.plus(tally);
    }
    writeln!(out, "{sum:#?}")?;
    let seconds = begun.elapsed().as_secs_f64();
    let pace = f64::from(u32::try_from(arguments.seeds).unwrap_or(u32::MAX)) / seconds;
    writeln!(out, "{seconds:.0} s, {pace:.1} seeds a second")
}
