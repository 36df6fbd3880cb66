//! `hindsight analyze`: judges recordings.

mod outcome;
mod select;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use nats_hindsight_analyzer::engine::{self, Options};
use nats_hindsight_analyzer::render::{json, text};
use nats_hindsight_analyzer::report::{Report, Severity};
use nats_hindsight_model::intake::Intake;

use crate::error::{CliError, tell};
use crate::output::{Color, Format, print, print_plain};
use crate::progress::Progress;
use crate::settings::{self, value};
use crate::sources::{self, SourceArgs};
use outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  hindsight analyze recordings
  hindsight analyze recordings --from 2026-11-21T02:00:00Z --check SERVICE_002
  ssh host cat /var/lib/hindsight/*.zst | hindsight analyze -
  hindsight analyze recordings --fail-on critical --report json=report.json
  hindsight analyze recordings --set SERVER_002.recent=30min --config hindsight.toml

Exit codes:
  0  nothing at or above --fail-on
  1  something at or above --fail-on
  2  the command cannot be used like this, or a result could not be written
  3  no readable input, or nothing could be evaluated
  4  --require-coverage, and an epoch is incomplete or a check is blind in the last one";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    sources: SourceArgs,

    /// Report only what touches the time from here on; all epochs are judged all the same.
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    from: Option<Timestamp>,
    /// Report only what touches the time up to here.
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    to: Option<Timestamp>,
    /// Report only what touches the last epoch at or before this time.
    #[arg(long, value_name = "TIME", value_parser = value::time, conflicts_with_all = ["from", "to"])]
    at: Option<Timestamp>,

    /// Run only these checks, by code or slug; may be given several times or with commas.
    #[arg(long, value_name = "CODE|SLUG", value_delimiter = ',')]
    check: Vec<String>,
    /// Leave out these checks.
    #[arg(long, value_name = "CODE|SLUG", value_delimiter = ',')]
    skip: Vec<String>,
    /// Set a threshold, such as `SERVER_002.recent=30min`; `hindsight explain` lists them.
    #[arg(long, value_name = "CODE.KEY=VALUE")]
    set: Vec<String>,
    /// Read thresholds, severities and exceptions from this file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Shape of the report on standard output.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also write the report to a file; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_target)]
    report: Vec<(Format, PathBuf)>,

    /// Exit with 1 if anything reported, open or closed, was ever at least this bad.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    fail_on: FailOn,
    /// Let --fail-on count only what is open at the end, as bad as it is then.
    #[arg(long)]
    fail_on_open: bool,
    /// Exit with 4 if an epoch is incomplete or a check is blind in the last one.
    #[arg(long)]
    require_coverage: bool,

    /// Threads to use; never changes the report.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// What makes the exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Info,
    #[default]
    Warning,
    Critical,
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

fn report_target(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("write it as FORMAT=FILE, such as json=report.json")?;
    Format::from_str(format, true)
        .map(|format| (format, path.into()))
        .map_err(|_| format!("`{format}` is no format; known are text and json"))
}

/// Judges what was handed over, writes the report, and says by the exit code what came out.
pub(crate) fn run(args: &AnalyzeArgs, color: Color) -> Result<ExitCode, CliError> {
    let options = options(args)?;
    let intake = sources::open(&args.sources)?;
    let report = judge(&intake, &options)?;
    for (format, path) in &args.report {
        std::fs::write(path, render(&report, *format, false))
            .map_err(|source| CliError::Write { what: path.display().to_string(), source })?;
    }
    match args.format {
        Format::Text => print(&render(&report, Format::Text, true), color)?,
        Format::Json => print_plain(&render(&report, Format::Json, false))?,
    }
    let outcome =
        Outcome::of(&report, args.fail_on.severity(), args.fail_on_open, args.require_coverage);
    if let Some(why) = outcome.why() {
        tell("error", why);
    }
    Ok(ExitCode::from(outcome.code()))
}

/// Everything that is settled before an input is opened, so that a mistake costs no time.
fn options(args: &AnalyzeArgs) -> Result<Options, CliError> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(CliError::Usage(format!("--from {from} is after --to {to}; exchange the two")));
    }
    let mut settings = settings::load(args.config.as_deref(), &args.set)?;
    let checks = select::checks(&args.check, &args.skip, &mut settings)?;
    Ok(Options {
        checks,
        settings,
        from: args.from,
        to: args.to,
        at: args.at,
        threads: args.threads.map(usize::from),
        keep_verdicts: false,
    })
}

fn judge(intake: &Intake, options: &Options) -> Result<Report, CliError> {
    let progress = Progress::count("judging");
    let show = |done: usize, total: usize| progress.show(done as u64, total as u64);
    Ok(engine::analyze(intake, options, &show)?)
}

fn render(report: &Report, format: Format, style: bool) -> String {
    match format {
        Format::Text => text::render(report, style),
        Format::Json => json::render(report),
    }
}
