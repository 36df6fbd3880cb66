//! `hindsight collect`: from arguments to a run of the collector.

mod connections;
mod dry_run;
mod duration;
mod progress;
mod selection;
mod size;
mod table;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use nats_hindsight_analyzer::render::plain::shown;
use nats_hindsight_collector::{CollectError, EpochSummary, Keep, Output, Settings, Waits};

use self::progress::Progress;

/// Everything that was asked came.
const COMPLETE: u8 = 0;
/// Nothing could be reached, or nothing could be written.
const FAILED: u8 = 1;
/// The arguments make no sense together.
const USAGE: u8 = 2;
/// Something that was asked did not come; the snapshot says what.
const PARTIAL: u8 = 4;

const EXAMPLES: &str = "\
Examples:
  Record once, servers and the services of one account:
    hindsight collect --context system --account-context app
  Record every minute until stopped, into a folder of its own:
    hindsight collect --server nats://nats.example.org --creds sys.creds \\
      --account-creds app.creds --every 1m --keep 7d --out epochs --system prod
  Without a system account, over the monitoring ports:
    hindsight collect --http http://10.0.0.1:8222 --http http://10.0.0.2:8222
  With the credentials of an application alone:
    hindsight collect --account-context app
  See what would be asked, without recording:
    hindsight collect --context system --dry-run
  Out of a container that can write nothing:
    kubectl exec POD -- hindsight collect --context system --out - > epoch.ndjson.zst

Passwords and tokens on the command line can be seen by other users of this machine: contexts,
files, NATS_PASSWORD and NATS_TOKEN cannot.

Exit codes: 0 everything that was asked came, 1 nothing could be reached or written, 2 usage,
4 something did not come (the snapshot says what). With --every: those of the last whole epoch.";

/// Records a running NATS system into snapshots
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CollectArgs {
    #[command(flatten)]
    connections: connections::ConnectionArgs,

    #[command(flatten)]
    selection: selection::SelectionArgs,

    /// Label of the system; the host of the URL if absent
    #[arg(long, value_name = "NAME", help_heading = "Recording")]
    system: Option<String>,

    /// Folder for snapshots, or `-` for standard output
    #[arg(long, value_name = "DIR", default_value = ".", help_heading = "Recording")]
    out: PathBuf,

    /// Record again and again, this long from start to start (30s, 1m, 1h)
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Recording")]
    every: Option<Duration>,

    /// Stop after this many epochs
    #[arg(long, value_name = "N", requires = "every", help_heading = "Recording",
          value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Delete epochs of this collector and system that are older than this (7d), never the newest
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Recording")]
    keep: Option<Duration>,

    /// Delete the oldest epochs of this collector and system beyond this many bytes (10GB, 500MiB)
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = "Recording")]
    keep_size: Option<u64>,

    /// Expect the servers and services of this snapshot, instead of those of the newest one of the
    /// same system in the output folder
    #[arg(long, value_name = "FILE", help_heading = "Recording")]
    expect_from: Option<PathBuf>,

    /// Name of this collector, instead of a random one kept in the output folder
    #[arg(long, value_name = "ID", help_heading = "Recording")]
    collector_id: Option<String>,

    /// Wait this long for an answer
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse,
          help_heading = "Waiting")]
    timeout: Duration,

    /// Ask for a service that seems gone again after this time. Costs nothing while all services
    /// answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::parse,
          help_heading = "Waiting")]
    confirm_after: Duration,

    /// Stop expecting what has been gone for this long
    #[arg(long, value_name = "TIME", default_value = "48h", value_parser = duration::parse,
          help_heading = "Waiting")]
    forget_after: Duration,

    /// Connect, look how large the system is, and say what would be asked of whom and about how
    /// many bytes would come; write nothing
    #[arg(long, help_heading = "What is asked")]
    dry_run: bool,

    /// Takes what stands behind a forgotten flag, so that a URL with a password is not repeated in
    /// an error.
    #[arg(hide = true, value_name = "")]
    stray: Vec<String>,
}

/// Records as the arguments say.
pub(crate) fn run(args: CollectArgs) -> ExitCode {
    let dry_run = args.dry_run;
    let settings = match settings(args) {
        Ok(settings) => settings,
        Err(text) => {
            say(&format!("error: {}\n\nFor more, try `hindsight collect --help`.", shown(&text)));
            return ExitCode::from(USAGE);
        }
    };
    if dry_run {
        return plan(&settings);
    }
    let progress = Arc::new(Progress::new(settings.every.is_some()));
    let watch = Arc::clone(&progress);
    let result = nats_hindsight_collector::run(&settings, watch);
    progress.clear();
    match result {
        Ok(Some(summary)) => ExitCode::from(finish(&summary)),
        Ok(None) => ExitCode::from(PARTIAL),
        Err(error) => failed(&error),
    }
}

/// Says what would be asked. The result goes to standard output, as all results do.
fn plan(settings: &Settings) -> ExitCode {
    match nats_hindsight_collector::dry_run(settings) {
        Ok(plan) => {
            let _ = writeln!(anstream::stdout(), "{}", dry_run::render(&plan));
            ExitCode::from(if plan.troubles.is_empty() { COMPLETE } else { PARTIAL })
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &CollectError) -> ExitCode {
    match error {
        CollectError::Connect(errors) => {
            let lines = errors.iter().map(|error| format!("\n  {}", shown(&error.to_string())));
            say(&format!("error: could not connect{}", lines.collect::<String>()));
        }
        other => say(&format!("error: {}", shown(&other.to_string()))),
    }
    ExitCode::from(if matches!(error, CollectError::Recall(_)) { USAGE } else { FAILED })
}

fn finish(summary: &EpochSummary) -> u8 {
    say(&table::render(summary));
    if !summary.reached() {
        say("error: nothing answered; the snapshot says how each request went");
        FAILED
    } else if summary.complete {
        COMPLETE
    } else {
        PARTIAL
    }
}

fn settings(args: CollectArgs) -> Result<Settings, String> {
    if !args.stray.is_empty() {
        return Err("there is an argument without a flag; a URL goes behind --server, \
                    --account-server or --http"
            .to_owned());
    }
    let (connections, http) = args.connections.resolve()?;
    let host = connections
        .first()
        .map(|connection| connection.address.host().to_owned())
        .or_else(|| http.first().map(|target| target.host().to_owned()))
        .unwrap_or_default();
    if args.system.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err("--system is empty; give the system a name, or leave the flag out".to_owned());
    }
    if args.out.as_os_str() == "-" && std::io::stdout().is_terminal() {
        return Err(
            "snapshots are no text for a terminal: redirect the output into a file or pipe"
                .to_owned(),
        );
    }
    let keep = Keep { age: args.keep, bytes: args.keep_size };
    if args.out.as_os_str() == "-" && !keep.everything() {
        return Err("--keep and --keep-size need a folder to keep: give --out DIR instead of \
                    `--out -`, or leave them out"
            .to_owned());
    }
    let output =
        if args.out.as_os_str() == "-" { Output::Stdout } else { Output::Folder(args.out) };
    let waits = Waits {
        timeout: args.timeout,
        confirm_after: args.confirm_after,
        forget_after: args.forget_after,
        ..Waits::default()
    };
    Ok(Settings {
        connections,
        http,
        system_set: args.system.is_some(),
        system: args.system.unwrap_or(host),
        collector_id: args.collector_id,
        output,
        every: args.every,
        count: args.count,
        keep,
        expect_from: args.expect_from,
        selection: args.selection.resolve()?,
        waits,
    })
}

/// Everything but snapshots goes to standard error. If nobody reads that, nobody misses it.
fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
