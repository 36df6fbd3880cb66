//! The command line, as it is typed.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::analyze::AnalyzeArgs;
use crate::checks::{ChecksArgs, ExplainArgs};
use crate::collect::CollectArgs;
use crate::inspect::InspectArgs;
use crate::manual::ManArgs;
use crate::output::Color;

const EXAMPLES: &str = "\
Examples:
  hindsight collect --context system --every 1m --out recordings
  hindsight analyze recordings
  hindsight inspect bundle.ndjson.zst
  hindsight explain SERVER_002";

/// Says from recordings alone what was wrong with a NATS system, since when, and how sure that is.
#[derive(Debug, Parser)]
#[command(name = "hindsight", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record a running NATS system, once or on a timer.
    Collect(Box<CollectArgs>),
    /// Judge recordings: what was wrong, since when, and how sure.
    Analyze(Box<AnalyzeArgs>),
    /// Say what a recording is, whether it is whole, and which checks are blind on it.
    Inspect(InspectArgs),
    /// List the checks.
    Checks(ChecksArgs),
    /// Explain a check: what it means, why it matters, what to do.
    Explain(ExplainArgs),
    /// Write completions for a shell to standard output.
    #[command(
        after_help = "Example:\n  hindsight completions bash > ~/.local/share/bash-completion/completions/hindsight"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual to standard output, or one page per command to a folder.
    Man(ManArgs),
}
