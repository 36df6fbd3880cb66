//! `hindsight`: the command line of NATS Hindsight.
//!
//! This crate only composes: it turns arguments into calls, results into output, and outcomes into
//! exit codes. What a recording holds is the model's business, what it means the analyzer's.

mod analyze;
mod args;
mod checks;
mod collect;
mod completions;
mod error;
mod inspect;
mod manual;
mod output;
mod progress;
mod settings;
mod sources;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            error.tell();
            ExitCode::from(error.code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    match cli.command {
        Command::Collect(args) => Ok(collect::run(*args)),
        Command::Analyze(args) => analyze::run(&args, cli.color),
        Command::Inspect(args) => inspect::run(&args, cli.color),
        Command::Checks(args) => checks::list(&args),
        Command::Explain(args) => checks::explain(&args),
        Command::Completions { shell } => completions::write(shell),
        Command::Man(args) => manual::write(&args),
    }
}
