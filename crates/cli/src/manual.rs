//! `hindsight man`: the manual, made from the same words as `--help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use crate::args::Cli;
use crate::error::CliError;
use crate::output::print_plain;

const EXAMPLES: &str = "\
Examples:
  hindsight man | man -l -
  hindsight man --out ~/.local/share/man/man1 && man hindsight-analyze";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Folder for `hindsight.1`, `hindsight-analyze.1` and so on; made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes the manual.
pub(crate) fn write(args: &ManArgs) -> Result<ExitCode, CliError> {
    if let Some(folder) = &args.out {
        pages(folder)
            .map_err(|source| CliError::Write { what: folder.display().to_string(), source })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page).map_err(CliError::stdout)?;
    print_plain(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

fn pages(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
}
