//! Wires the pieces; see `gandan-server --help`.

#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use gandan_server::cli::Cli;
use gandan_server::commands::{self, Terminal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut terminal = Terminal {
        is_input_typed: std::io::stdin().is_terminal(),
        is_output_watched: std::io::stdout().is_terminal(),
        input: &mut std::io::stdin().lock(),
        output: &mut std::io::stdout(),
        messages: &mut std::io::stderr(),
    };
    let code = match commands::run(cli, &mut terminal) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            let _ = writeln!(terminal.messages, "{}", error.sentence());
            error.exit_code()
        }
    };
    ExitCode::from(code)
}
