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

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use nats_hindsight_analyzer::render::plain;

use args::{Cli, Command};
use error::CliError;

/// An epoch is tens of thousands of short texts, made by one thread and freed by another.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            error.tell();
            ExitCode::from(error.code())
        }
    }
}

/// Says what is wrong with the arguments, or helps. They are quoted as they were given, so what a
/// terminal would obey in them is shown instead.
fn refuse(error: &clap::Error) -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let deceiving: Vec<String> = words.filter(|word| plain::shown(word) != *word).collect();
    if deceiving.is_empty() {
        error.exit();
    }
    let mut text = error.render().to_string();
    for word in &deceiving {
        let value = word.split_once('=').map_or(word.as_str(), |(_, value)| value);
        for part in [word.as_str(), value].into_iter().filter(|part| !part.is_empty()) {
            text = text.replace(part, &plain::shown(part));
        }
    }
    let lines: Vec<String> = text.lines().map(plain::shown).collect();
    // Nobody is left to be told if standard error is gone.
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
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
