//! Plays many seeds: `gandan-simulate --from 1 --count 1000`. Prints what they went through and
//! stops at the first promise that is broken, with its seed.

use std::io::Write;

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
    count: u64,
    /// How many things happen in each.
    #[arg(long, default_value_t = 60)]
    steps: usize,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let mut sum = Tally::default();
    for seed in arguments.from..arguments.from + arguments.count {
        writeln!(out, "seed {seed}")?;
        let tally = run(Plan {
            steps: arguments.steps,
            ..Plan::of_seed(seed)
        });
        sum = sum.plus(tally);
    }
    writeln!(out, "{sum:#?}")
}
