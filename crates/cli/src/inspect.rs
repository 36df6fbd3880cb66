//! `hindsight inspect`: what a recording is and what can be trusted in it.

use std::process::ExitCode;

use clap::Args;
use nats_hindsight_analyzer::render::{json, text};
use nats_hindsight_analyzer::{registry, survey};

use crate::error::{CliError, tell};
use crate::output::{Color, Format, print, print_plain};
use crate::progress::Progress;
use crate::sources::{self, SourceArgs};

const EXAMPLES: &str = "\
Examples:
  hindsight inspect bundle.ndjson.zst
  hindsight inspect recordings --format json | jq '.epochs[] | select(.whole | not)'

Exit codes:
  0  there is an epoch
  2  the command cannot be used like this
  3  no readable input";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// Shape of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Surveys what was handed over.
pub(crate) fn run(args: &InspectArgs, color: Color) -> Result<ExitCode, CliError> {
    let intake = sources::open(&args.sources)?;
    let survey = {
        let progress = Progress::count("looking");
        let show = |done: usize, total: usize| progress.show(done as u64, total as u64);
        survey::survey(&intake, &registry::all(), &show)?
    };
    match args.format {
        Format::Text => print(&text::survey(&survey, true), color)?,
        Format::Json => print_plain(&json::render(&survey))?,
    }
    if survey.epochs.is_empty() {
        let met = intake.inputs.len() + intake.problems.len();
        tell("error", sources::no_epoch(met));
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}
