//! Runs checks over a recording and makes the report.
//!
//! The engine owns order, lifecycle, configured severity and parallelism; a check owns none of
//! them. Epochs are decoded and observed in parallel, a few ahead of the one under judgement, and judged
//! in order, so that memory does not grow with the length of the sequence.

mod ahead;
mod coverage;
mod interval;
mod observe;
mod replay;
mod tally;

use std::collections::BTreeMap;

use jiff::Timestamp;
use nats_hindsight_model::intake::{self, Intake};
use nats_hindsight_model::systems;
use rayon::ThreadPool;

pub use interval::fingerprint;
pub use tally::VerdictRow;

use crate::check::{Check, Setting};
use crate::registry;
use crate::report::{Input, Problem, Report};
use crate::settings::Settings;

/// What is to be judged, and how.
pub struct Options {
    /// The checks to run.
    pub checks: Vec<&'static Check>,
    /// What the operator set.
    pub settings: Settings,
    /// Report only what touches the time from here on.
    pub from: Option<Timestamp>,
    /// Report only what touches the time up to here.
    pub to: Option<Timestamp>,
    /// Report only what touches the last epoch at or before this time.
    pub at: Option<Timestamp>,
    /// Threads; as many as there are cores if not set. Never changes the report.
    pub threads: Option<usize>,
    /// Keep every verdict for [`verdicts`]; they are too many for a long sequence.
    pub keep_verdicts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            checks: registry::all(),
            settings: Settings::default(),
            from: None,
            to: None,
            at: None,
            threads: None,
            keep_verdicts: false,
        }
    }
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No threads could be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
}

/// Judges a recording.
///
/// `progress` is told how many of how many epochs are done.
pub fn analyze(
    intake: &Intake,
    options: &Options,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, EngineError> {
    let pool = pool(options.threads)?;
    Ok(report(intake, options, &pool, progress).0)
}

/// Judges a recording and returns, beside the report, every single verdict, sorted.
pub fn verdicts(
    intake: &Intake,
    options: Options,
) -> Result<(Report, Vec<VerdictRow>), EngineError> {
    let options = Options { keep_verdicts: true, ..options };
    let pool = pool(options.threads)?;
    let (report, mut log) = report(intake, &options, &pool, &|_, _| {});
    log.sort();
    Ok((report, log))
}

fn pool(threads: Option<usize>) -> Result<ThreadPool, EngineError> {
    let threads = threads.unwrap_or(0);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| EngineError::Threads { threads, source })
}

fn report(
    intake: &Intake,
    options: &Options,
    pool: &ThreadPool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> (Report, Vec<VerdictRow>) {
    let mut checks = options.checks.clone();
    checks.retain(|check| !options.settings.disabled.contains(check.code));
    checks.sort_by_key(|check| check.code);
    let mut problems: Vec<Problem> = intake.problems.iter().map(|p| problem(p, None)).collect();
    let identities = observe::identities(intake, pool);
    let (plans, said) = systems::sort(&identities);
    problems.extend(said.into_iter().map(|(kind, text)| plain(kind, text, None)));
    let run = replay::Run { intake, options, checks: &checks, pool, progress };
    let mut done = 0;
    let mut systems = Vec::new();
    let mut log = Vec::new();
    for plan in &plans {
        systems.push(run.system(plan, &mut problems, &mut log, &mut done));
    }
    problems.sort();
    problems.dedup();
    let report = Report {
        report: "nats-hindsight",
        version: "1.0",
        tool: env!("CARGO_PKG_VERSION"),
        rules: registry::digest(),
        inputs: inputs(intake),
        systems,
        problems,
        parameters: parameters(&checks, &options.settings),
        config: options.settings.config.clone(),
    };
    (report, log)
}

fn inputs(intake: &Intake) -> Vec<Input> {
    let mut inputs: Vec<Input> = intake
        .inputs
        .iter()
        .map(|input| Input {
            digest: input.digest.clone(),
            path: input.path.clone(),
            kind: input.kind.to_owned(),
        })
        .collect();
    inputs.sort();
    inputs
}

fn problem(problem: &intake::Problem, system: Option<&str>) -> Problem {
    Problem {
        kind: problem.kind.to_owned(),
        text: problem.text.clone(),
        where_: problem.where_.clone(),
        epoch: problem.epoch.clone(),
        system: system.map(str::to_owned),
    }
}

fn plain(kind: &str, text: String, system: Option<&str>) -> Problem {
    let system = system.map(str::to_owned);
    Problem { kind: kind.to_owned(), text, where_: None, epoch: None, system }
}

fn parameters(checks: &[&'static Check], settings: &Settings) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for check in checks {
        for threshold in check.thresholds {
            let key = format!("{}.{}", check.code, threshold.key);
            all.insert(key, setting(settings.threshold(check.code, threshold)));
        }
    }
    all
}

/// A setting as it is written on a command line.
pub fn setting(value: Setting) -> String {
    match value {
        Setting::Count(count) => count.to_string(),
        Setting::Duration(millis) if millis % 1000 == 0 => format!("{}s", millis / 1000),
        Setting::Duration(millis) => format!("{millis}ms"),
    }
}
