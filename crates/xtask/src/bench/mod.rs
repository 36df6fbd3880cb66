//! `cargo xtask bench`: how fast recordings are judged, beside baselines in the same run.
//!
//! A small recording is scaled up to a large system, the same way every time. The checks are held
//! against the floor (unpacking the same files to nowhere) and against DuckDB, which is asked the
//! same questions and has to give the same answers. Archives are held against `unzip`. Machines
//! are noisy, so only ratios are told.

mod answers;
mod archives;
mod contest;
mod fleet;
mod floor;
mod recorded;
mod table;
mod write;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_testkit::{cargo, python_with};

use crate::Outcome;
use crate::build::{Profile, hindsight};
use contest::{Contender, Taken, Track};
use fleet::Fleet;
use floor::Floor;
use recorded::Recorded;
use table::Table;
use write::Writer;

/// The founding checks.
const CHECKS: &str = "SERVER_002,SERVICE_001,SERVICE_002";

/// Endpoints of the recordings: what the founding checks read of a light recording.
const ENDPOINTS: [Endpoint; 4] =
    [Endpoint::STATSZ, Endpoint::VARZ, Endpoint::SRV_PING, Endpoint::SRV_INFO];

/// Those that a check of servers needs.
const OF_SERVERS: [Endpoint; 2] = [Endpoint::STATSZ, Endpoint::VARZ];

/// Threads of everything that is not said to have another number.
const THREADS: usize = 2;

/// How many times as often a small difference is measured.
const MORE: usize = 5;

const DUCKDB: &str = include_str!("requirements.txt");

/// Measure how fast recordings are judged, as ratios against baselines in the same run
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask bench
  cargo xtask bench --runs 11 --keep /tmp/bench
  cargo xtask bench --epochs 12 --skip-long
  cargo xtask bench --archives --runs 3")]
pub(crate) struct Bench {
    /// How often each command is run; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Epochs of a recording
    #[arg(long, default_value_t = 60)]
    epochs: usize,
    /// Leave out what is ten times as long
    #[arg(long)]
    skip_long: bool,
    /// Measure archives of `nats audit gather` alone
    #[arg(long, conflicts_with = "epochs")]
    archives: bool,
    /// Write the recordings here and keep them
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Do only a part of the work
    #[arg(long, value_enum, requires = "of", hide = true)]
    floor: Option<Floor>,
    /// Do it to the recording in this folder
    #[arg(long, value_name = "DIR", hide = true)]
    of: Option<PathBuf>,
}

impl Bench {
    pub(crate) fn run(self) -> Outcome {
        if let (Some(floor), Some(folder)) = (self.floor, &self.of) {
            let sum = floor.run(folder, THREADS).map_err(|error| error.to_string())?;
            writeln!(io::stdout(), "{sum}")?;
            return Ok(true);
        }
        if cfg!(debug_assertions) {
            return released();
        }
        let scratch = tempfile::tempdir()?;
        let folder = self.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
        fs::create_dir_all(&folder)?;
        let stage = Stage {
            hindsight: hindsight(Profile::Release)?,
            python: python_with("venv-bench", DUCKDB)?,
            recorded: Recorded::load()?,
            folder,
            runs: self.runs,
            epochs: self.epochs,
        };
        let long = !self.skip_long;
        if self.archives { stage.only_archives(long) } else { stage.run(long) }
    }
}

/// The generator and the floor are measured too, so all of this is run as released.
fn released() -> Outcome {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
    command.args(std::env::args_os().skip(2));
    Ok(command.status()?.success())
}

/// Everything the measurements need.
struct Stage {
    hindsight: PathBuf,
    python: PathBuf,
    recorded: Recorded,
    folder: PathBuf,
    runs: usize,
    epochs: usize,
}

impl Stage {
    fn run(&self, long: bool) -> Outcome {
        let mut table = Table::default();
        let mut equal = true;
        for unchanged in [0, 50, 95] {
            let folder =
                self.record(&format!("u{unchanged}"), self.epochs, unchanged, &ENDPOINTS)?;
            equal &= self.race(&folder, unchanged, &mut table)?;
        }
        let half = self.folder.join("u50");
        self.threads(&half, &mut table)?;
        self.unneeded(&half, &mut table)?;
        if long {
            let folder = self.record("long", self.epochs * 10, 50, &ENDPOINTS)?;
            self.length(&half, &folder, &mut table)?;
        }
        self.archives(long, &mut table)?;
        write!(io::stdout(), "{table}")?;
        Ok(equal)
    }

    /// Writes a recording, and prints what it is made of.
    fn record(
        &self,
        name: &str,
        epochs: usize,
        unchanged: u64,
        endpoints: &[Endpoint],
    ) -> Result<PathBuf, Box<dyn std::error::Error>> {
        let folder = self.folder.join(name);
        let fleet = Fleet { epochs, servers: 501, instances: 2000, unchanged };
        let writer = Writer { fleet, recorded: &self.recorded, endpoints };
        let composition = writer.write(&folder).map_err(|error| error.to_string())?;
        let stored: u64 = fs::read_dir(&folder)?
            .filter_map(|entry| entry.ok()?.metadata().ok())
            .map(|file| file.len())
            .sum();
        let mut output = io::stdout();
        writeln!(
            output,
            "{name}: {epochs} epochs of {} servers and {} instances, {unchanged} % of bodies \
             unchanged, {:.1} MB stored",
            fleet.servers,
            fleet.instances,
            stored as f64 / 1e6
        )?;
        for (endpoint, (replies, bytes)) in composition {
            let bytes = bytes as f64 / 1e6;
            writeln!(output, "  {endpoint:9} {replies:8} replies {bytes:8.1} MB of JSON")?;
        }
        Ok(folder)
    }

    fn track(&self) -> Track {
        Track { python: self.python.clone(), folder: self.folder.clone(), runs: self.runs }
    }

    /// The checks against the floor and against DuckDB; whether all answers are equal.
    fn race(&self, folder: &Path, unchanged: u64, table: &mut Table) -> Outcome {
        let taken = self.track().run(&[
            self.ours("ours", folder, CHECKS, THREADS),
            floor(Floor::Unpack, folder)?,
            floor(Floor::PassOver, folder)?,
            floor(Floor::Parse, folder)?,
            floor(Floor::Decode, folder)?,
            self.duckdb("duckdb-1", folder, 1)?,
            self.duckdb("duckdb-2", folder, 2)?,
        ])?;
        let [ours, floor, pass, parse, decode, one, two] = &taken[..] else {
            return Err("a result is missing".into());
        };
        let duckdb = if one.wall < two.wall { one } else { two };
        let what = format!("{} epochs, {unchanged} % unchanged", self.epochs);
        table.times(&what, "hindsight", ours);
        table.times(&what, "unpacking to nowhere", floor);
        table.times(&what, "passing over what changed", pass);
        table.times(&what, "parsing what changed", parse);
        table.times(&what, "decoding", decode);
        table.times(&what, "DuckDB", duckdb);
        let bound = |ratio, wanted| (unchanged == 50).then_some((ratio, wanted));
        let faster = duckdb.wall / ours.wall;
        table.ratio(&what, "faster than DuckDB", faster, bound(">=", 4.0));
        table.ratio(&what, "times unpacking", ours.wall / floor.wall, bound("<=", 8.0));
        for (who, taken) in [("passing over", pass), ("parsing", parse), ("decoding", decode)] {
            table.ratio(
                &what,
                &format!("{who} faster than DuckDB"),
                duckdb.wall / taken.wall,
                None,
            );
            table.ratio(&what, &format!("{who} times unpacking"), taken.wall / floor.wall, None);
        }
        let memory = ours.memory as f64 / duckdb.memory as f64;
        table.ratio(&what, "memory of DuckDB's", memory, bound("<=", 1.0));
        same_answers(ours, duckdb)
    }

    /// Two threads against one.
    fn threads(&self, folder: &Path, table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
        let taken = self
            .track()
            .run(&[self.ours("one", folder, CHECKS, 1), self.ours("two", folder, CHECKS, 2)])?;
        let ratio = taken[0].wall / taken[1].wall;
        table.ratio("two threads", "faster than one", ratio, Some((">=", 1.6)));
        Ok(())
    }

    /// What it costs to pass over endpoints that no selected check needs, against decoding them.
    fn unneeded(&self, folder: &Path, table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
        let without = self.record("servers", self.epochs, 50, &OF_SERVERS)?;
        // A small difference of large numbers, so noise has to be kept out.
        let track = Track { runs: self.runs * MORE, ..self.track() };
        let taken = track.run(&[
            self.ours("without", &without, "SERVER_002", 1),
            self.ours("passed-over", folder, "SERVER_002", 1),
            self.ours("decoded", folder, "SERVER_002,SERVICE_001", 1),
        ])?;
        let cost = |of: &Taken| of.least_cpu - taken[0].least_cpu;
        let share = 100.0 * cost(&taken[1]) / cost(&taken[2]);
        table.ratio(
            "replies of services",
            "% of decoding, if not needed",
            share,
            Some(("<=", 5.0)),
        );
        Ok(())
    }

    /// Ten times as many epochs.
    fn length(
        &self,
        short: &Path,
        long: &Path,
        table: &mut Table,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let taken = self
            .track()
            .run(&[self.ours("short", short, CHECKS, 2), self.ours("long", long, CHECKS, 2)])?;
        let what = format!("{} epochs", self.epochs * 10);
        table.times(&what, "hindsight", &taken[1]);
        let ratio = taken[1].memory as f64 / taken[0].memory as f64;
        let tenth = format!("times the memory of {}", self.epochs);
        table.ratio(&what, &tenth, ratio, Some(("<=", 1.2)));
        let memory = taken[1].memory as f64 / 1e6;
        table.ratio(&what, "MB of memory", memory, Some(("<=", 200.0)));
        Ok(())
    }

    fn ours(&self, name: &'static str, folder: &Path, checks: &str, threads: usize) -> Contender {
        let mut command: Vec<OsString> = vec![self.hindsight.clone().into(), "analyze".into()];
        command.extend(["--format", "json", "--check", checks, "--threads"].map(OsString::from));
        command.extend([threads.to_string().into(), folder.into()]);
        Contender { name, command, accepted: &[0, 1] }
    }

    fn duckdb(
        &self,
        name: &'static str,
        folder: &Path,
        threads: usize,
    ) -> Result<Contender, io::Error> {
        let script = self.folder.join("questions.py");
        fs::write(&script, include_str!("questions.py"))?;
        let mut command: Vec<OsString> = vec![self.python.clone().into(), script.into()];
        command.extend([folder.into(), threads.to_string().into()]);
        Ok(Contender { name, command, accepted: &[0] })
    }
}

fn floor(floor: Floor, folder: &Path) -> Result<Contender, io::Error> {
    let mut command: Vec<OsString> = vec![std::env::current_exe()?.into(), "bench".into()];
    command.extend(["--floor", floor.name(), "--of"].map(OsString::from));
    command.push(folder.into());
    Ok(Contender { name: floor.name(), command, accepted: &[0] })
}

/// Whether both found the same; what only one of them found is printed.
fn same_answers(ours: &Taken, duckdb: &Taken) -> Outcome {
    let report = serde_json::from_slice(&fs::read(&ours.output)?)?;
    let ours = answers::of_report(&report);
    let theirs = answers::of_lines(&fs::read_to_string(&duckdb.output)?);
    let mut output = io::stdout();
    for (whose, only) in
        [("hindsight", ours.difference(&theirs)), ("DuckDB", theirs.difference(&ours))]
    {
        for (code, name, epoch) in only.take(5) {
            writeln!(output, "  only {whose} finds {code} on {name} in epoch {epoch}")?;
        }
    }
    writeln!(
        output,
        "  {} answers, {}",
        ours.len(),
        if ours == theirs { "equal" } else { "NOT equal" }
    )?;
    Ok(!ours.is_empty() && ours == theirs)
}
