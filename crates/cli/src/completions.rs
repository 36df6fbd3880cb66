//! `hindsight completions`.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use nats_hindsight_analyzer::registry;

use crate::args::Cli;
use crate::error::CliError;
use crate::output::print_plain;

/// Arguments that take checks, each with its command.
const CHECKS: [(&str, &str); 3] = [("explain", "check"), ("analyze", "check"), ("analyze", "skip")];

/// Writes the completions of a shell.
pub(crate) fn write(shell: Shell) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completed(), "hindsight", &mut script);
    print_plain(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The command line with the codes of checks as values. Parsing has its own way with them: any case,
/// slugs, and a suggestion where a name is misspelt.
fn completed() -> Command {
    CHECKS.iter().fold(Cli::command(), |whole, (command, argument)| {
        whole.mut_subcommand(command, |command| {
            command.mut_arg(argument, |argument| {
                let codes = registry::all().into_iter().map(|check| check.code);
                argument.value_parser(PossibleValuesParser::new(codes))
            })
        })
    })
}
