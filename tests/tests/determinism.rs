//! The same records give the same bytes, however they come and however many threads judge them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::sync::Arc;

use nats_hindsight_analyzer::engine::{Options, analyze};
use nats_hindsight_analyzer::render;
use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::schema;
use serde_json::Value;

/// Scenarios with findings, gaps, unknowns and several subjects.
const SCENARIOS: [&str; 5] =
    ["hung-server", "service-down", "two-accounts", "rollback", "leaf-nodes"];

fn files(scenario: &str) -> Vec<PathBuf> {
    let folder = fixtures().join(scenario);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    files.sort();
    files
}

/// The report without what may depend on names and files.
fn report(sources: &[Source], threads: usize) -> String {
    let intake = open(sources, &Limits::default(), &|_, _| {}).unwrap();
    let options = Options { threads: Some(threads), ..Options::default() };
    let report = analyze(&intake, &options, &|_, _| {}).unwrap();
    let mut value = schema::parse(schema::REPORT, &render::json::render(&report));
    value["inputs"] = Value::Null;
    for problem in value["problems"].as_array_mut().unwrap() {
        problem["where"] = Value::Null;
    }
    assert!(!value["systems"][0]["findings"].as_array().unwrap().is_empty());
    value.to_string()
}

fn held(bytes: Vec<u8>, name: &str) -> Source {
    Source::Held { name: name.to_owned(), bytes: Arc::from(bytes) }
}

#[test]
fn threads_change_nothing() {
    for scenario in SCENARIOS {
        let sources = [Source::Path(fixtures().join(scenario))];
        let one = report(&sources, 1);
        for threads in [2, 8] {
            assert_eq!(one, report(&sources, threads), "{scenario} with {threads} threads");
        }
    }
}

#[test]
fn order_names_and_concatenation_change_nothing() {
    for scenario in SCENARIOS {
        let whole = report(&[Source::Path(fixtures().join(scenario))], 2);
        let bytes: Vec<Vec<u8>> =
            files(scenario).iter().map(|path| std::fs::read(path).unwrap()).collect();
        let mut shuffled: Vec<Source> = bytes
            .iter()
            .enumerate()
            .map(|(index, bytes)| held(bytes.clone(), &format!("other-{index}")))
            .collect();
        shuffled.reverse();
        shuffled.swap(0, 1);
        assert_eq!(whole, report(&shuffled, 2), "{scenario}, shuffled under other names");
        let in_a_row = bytes.iter().rev().flatten().copied().collect();
        assert_eq!(whole, report(&[held(in_a_row, "-")], 2), "{scenario}, in a row");
        let twice = bytes.iter().chain(&bytes).flatten().copied().collect();
        assert_eq!(whole, report(&[held(twice, "-")], 2), "{scenario}, everything twice");
    }
}
