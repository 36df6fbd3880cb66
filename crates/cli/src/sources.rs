//! Opens what stands on the command line.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use clap::Args;
use nats_hindsight_model::intake::{self, Intake, Source};
use nats_hindsight_snapshot::format::Limits;

use crate::error::CliError;
use crate::progress::Progress;

/// What to read, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Files, folders and bundles, in any order; `-` is standard input, of which at most 1 GiB
    /// (compressed) is held.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<OsString>,
    /// Set a limit of the reader to another number; a message about a limit names it.
    #[arg(long, value_name = "NAME=NUMBER")]
    limit: Vec<String>,
}

fn limits(args: &SourceArgs) -> Result<Limits, CliError> {
    let mut limits = Limits::default();
    for given in &args.limit {
        let parts = given.split_once('=');
        let parsed = parts.and_then(|(name, value)| Some((name, value.parse().ok()?)));
        if !parsed.is_some_and(|(name, value)| limits.set(name, value)) {
            let known: Vec<&str> = limits.all().iter().map(|(name, _)| *name).collect();
            return Err(CliError::Usage(format!(
                "--limit {given} is no limit and number; limits are {}",
                known.join(", ")
            )));
        }
    }
    Ok(limits)
}

/// Opens all paths; `-` is standard input, once.
pub(crate) fn open(args: &SourceArgs) -> Result<Intake, CliError> {
    let limits = limits(args)?;
    let paths = &args.paths;
    let piped = paths.iter().filter(|path| *path == "-").count();
    if piped > 1 {
        return Err(CliError::Usage("`-` stands for standard input and can be named once".into()));
    }
    if piped == 1 && io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "`-` reads a recording from standard input, which is a terminal here; pipe a file into it".into(),
        ));
    }
    let sources: Vec<Source> =
        paths.iter().map(|path| Source::from_argument(path, &limits)).collect::<Result<_, _>>()?;
    let progress = Progress::bytes("reading");
    Ok(intake::open(&sources, &limits, &|done, total| progress.show(done, total))?)
}

/// What to tell where there is no epoch, and something or nothing was met on the way.
pub(crate) fn no_epoch(met: usize) -> &'static str {
    if met == 0 {
        "no recording there; name files ending in .ndjson.zst, or a folder of them, as `hindsight \
         collect` writes them"
    } else {
        "no epoch could be read; standard output says why, problem by problem"
    }
}
