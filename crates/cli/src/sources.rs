//! Opens what stands on the command line.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use nats_hindsight_model::intake::{self, Intake, Source};
use nats_hindsight_snapshot::format::Limits;

use crate::error::CliError;
use crate::progress::Progress;

/// Opens all paths; `-` is standard input, once.
pub(crate) fn open(paths: &[OsString]) -> Result<Intake, CliError> {
    let limits = Limits::default();
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
