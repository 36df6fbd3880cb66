//! `cargo xtask record`: real clusters, recorded by the real collector into `fixtures/`, or by the
//! stock gatherer into archives.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use nats_hindsight_testkit::scenario::{self, Provenance, Scenario};
use nats_hindsight_testkit::workspace_root;

use crate::Outcome;
use crate::build::{self, Profile};

/// Record scenarios from real servers into `fixtures/<scenario>/`
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask record healthy
  cargo xtask record all --keep-going
  cargo xtask record tie --rehearse
  cargo xtask record language-mix --gather-with ~/go/bin/nats --out fixtures/bundles/language_mix
  cargo xtask record --list")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line, each by itself")]
pub(crate) struct Record {
    /// Names of scenarios, or `all`
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    scenarios: Vec<String>,
    /// List the scenarios and what happens in them
    #[arg(long)]
    list: bool,
    /// Go on with the next scenario after one that failed
    #[arg(long)]
    keep_going: bool,
    /// Let it happen without recording anything, and print what ran
    #[arg(long)]
    rehearse: bool,
    /// A built `hindsight` to record with, instead of building it first
    #[arg(long, value_name = "FILE")]
    hindsight: Option<PathBuf>,
    /// A `nats` whose `audit gather` takes an archive of each epoch, instead of the collector
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["rehearse", "hindsight"])]
    gather_with: Option<PathBuf>,
    /// Where the archives of the one scenario go, which is replaced
    #[arg(long, value_name = "DIR", requires = "gather_with")]
    out: Option<PathBuf>,
    /// Have the gatherer take profiles of the servers too, which makes archives large
    #[arg(long, requires = "gather_with")]
    profiles: bool,
}

impl Record {
    pub(crate) fn run(self) -> Outcome {
        if self.list {
            for scenario in scenario::all() {
                writeln!(io::stdout(), "{:<22}{}", scenario.name, scenario.about)?;
            }
            return Ok(true);
        }
        let scenarios = self.chosen()?;
        if self.out.is_some() && scenarios.len() > 1 {
            return Err("--out takes the archives of one scenario".into());
        }
        let hindsight = match &self.hindsight {
            _ if self.rehearse || self.gather_with.is_some() => PathBuf::new(),
            Some(path) => path.canonicalize()?,
            // Recordings come from what is released.
            None => build::hindsight(Profile::Release)?,
        };
        let mut failed = Vec::new();
        for scenario in scenarios {
            let name = scenario.name;
            if let Err(error) = self.one(scenario, &hindsight) {
                writeln!(io::stderr(), "{name}: {error}")?;
                failed.push(name);
                if !self.keep_going {
                    break;
                }
            }
        }
        if !failed.is_empty() {
            writeln!(io::stderr(), "failed: {}", failed.join(", "))?;
        }
        Ok(failed.is_empty())
    }

    fn chosen(&self) -> Result<Vec<Scenario>, String> {
        if self.scenarios.iter().any(|name| name == "all") {
            return Ok(scenario::all());
        }
        let find = |name: &String| {
            scenario::find(name).ok_or_else(|| {
                format!("there is no scenario {name} (see cargo xtask record --list)")
            })
        };
        self.scenarios.iter().map(find).collect()
    }

    fn one(&self, scenario: Scenario, hindsight: &std::path::Path) -> Outcome {
        let name = scenario.name;
        let begin = Instant::now();
        let mut output = io::stdout();
        if self.rehearse {
            let provenance = scenario::rehearse(scenario)?;
            writeln!(output, "{}", serde_json::to_string_pretty(&provenance)?)?;
            return Ok(true);
        }
        let recording = match (&self.gather_with, &self.out) {
            (Some(nats), Some(folder)) => {
                scenario::gather(scenario, &nats.canonicalize()?, self.profiles, folder)?
            }
            _ => scenario::record(scenario, hindsight, &workspace_root().join("fixtures"))?,
        };
        let (kib, seconds) = (recording.bytes.div_ceil(1024), begin.elapsed().as_secs());
        let Provenance { epochs, .. } = recording.provenance;
        writeln!(output, "{name}: {} epochs, {kib} KiB, in {seconds} s", epochs.len())?;
        Ok(true)
    }
}
