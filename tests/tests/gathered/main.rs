//! Archives of `nats audit gather`, held against what really ran while they were made.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archive;
mod expected;
mod lattice;
mod packed;
mod threads;
mod wrapped;

use std::fs;
use std::path::{Path, PathBuf};

use nats_hindsight_analyzer::engine::Options;
use nats_hindsight_analyzer::registry;
use nats_hindsight_model::intake::{Intake, Source, open};
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_tests::verdicts::{Judged, Thresholds, judge_opened, settings};

/// The founding checks: what `expected.json` is complete for.
const FOUNDING: [&str; 3] = ["SERVER_002", "SERVICE_001", "SERVICE_002"];

/// Epochs are seconds apart, so what speaks of hours is scaled.
const SCALED: Thresholds<'static> = &[("SERVER_002.recent", 60_000)];

fn bundles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/bundles")
}

/// The folders with archives of a scenario: that of the newest gatherer, and those of older ones.
fn folders(scenario: &Path) -> Vec<PathBuf> {
    let mut all = vec![scenario.to_owned()];
    all.extend(listed(scenario).into_iter().filter(|path| path.is_dir()));
    all.retain(|folder| !archives(folder).is_empty());
    all
}

fn scenarios() -> Vec<PathBuf> {
    listed(&bundles()).into_iter().filter(|path| path.is_dir()).collect()
}

fn archives(folder: &Path) -> Vec<PathBuf> {
    let mut all = listed(folder);
    all.retain(|path| path.extension().is_some_and(|end| end == "zip"));
    all
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn opened(paths: &[PathBuf]) -> Intake {
    let sources: Vec<Source> = paths.iter().cloned().map(Source::Path).collect();
    open(&sources, &Limits::default(), &|_, _| {}).unwrap()
}

fn held(archives: &[(String, Vec<u8>)]) -> Intake {
    let sources: Vec<Source> = archives
        .iter()
        .map(|(name, bytes)| Source::Held { name: name.clone(), bytes: bytes.clone().into() })
        .collect();
    open(&sources, &Limits::default(), &|_, _| {}).unwrap()
}

fn founding(intake: &Intake) -> Judged {
    judged_by(&FOUNDING, intake)
}

fn judged_by(codes: &[&str], intake: &Intake) -> Judged {
    let checks = registry::all().into_iter().filter(|check| codes.contains(&check.code));
    let options =
        Options { checks: checks.collect(), settings: settings(SCALED), ..Options::default() };
    judge_opened(intake, options)
}
