//! Settings: defaults, then the file, then the command line.

use std::fs;
use std::path::PathBuf;

use nats_hindsight_tests::schema;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{EVEN, MIXED, epoch, folder, hindsight};

/// A recording with a finding, and a configuration beside it.
fn with_config(text: &str) -> (TempDir, PathBuf) {
    let folder = folder(&[epoch(0, EVEN), epoch(1, MIXED)]);
    let config = folder.path().join("hindsight.toml");
    fs::write(&config, text).unwrap();
    (folder, config)
}

fn report(text: &str, more: &[&str]) -> Value {
    let (folder, config) = with_config(text);
    let mut command = crate::support::command(&[&"analyze", &folder.path(), &"--config", &config]);
    let output = command.args(["--format", "json"]).args(more).output().unwrap();
    schema::parse(schema::REPORT, &String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_command_line_wins_over_the_file_and_the_file_over_defaults() {
    let text = "[checks.SERVER_002]\nrecent = \"30min\"\noverdue_after = \"2h\"\n";
    let parameters =
        report(text, &["--set", "server-version-mismatch.overdue_after=3h"])["parameters"].take();
    assert_eq!(parameters["SERVER_002.recent"], "1800s");
    assert_eq!(parameters["SERVER_002.overdue_after"], "10800s");
}

#[test]
fn severities_and_switches_of_the_file_are_obeyed() {
    let text =
        "[checks.SERVER_002]\nseverity = \"critical\"\n[checks.server-lost]\nenabled = false\n";
    let said = report(text, &[]);
    assert_eq!(said["systems"][0]["findings"][0]["severity"], "critical");
    let codes = |report: &Value| -> Vec<String> {
        let checks = report["systems"][0]["checks"].as_array().unwrap();
        checks.iter().map(|check| check["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!codes(&said).contains(&"HINT_001".to_owned()));
    let asked = report(text, &["--check", "HINT_001"]);
    assert_eq!(codes(&asked), ["HINT_001"]);
}

#[test]
fn the_file_is_named_in_the_report() {
    let said = report("", &[]);
    assert!(said["config"][0]["path"].as_str().unwrap().ends_with("hindsight.toml"));
    assert_eq!(
        said["config"][0]["digest"],
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn a_configuration_in_a_bundle_is_never_read() {
    let (folder, _) = with_config("[checks.SERVER_002]\nenabled = false\n");
    let ran = hindsight(&[&"analyze", &folder.path(), &"--format", &"json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.report()["config"], serde_json::json!([]));
}

#[test]
fn a_mistake_points_at_its_line() {
    let (folder, config) = with_config("[checks.SERVER_002]\nrecnt = \"30min\"\n");
    let ran = hindsight(&[&"analyze", &folder.path(), &"--config", &config]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("hindsight.toml:2: `recnt` is no setting of SERVER_002"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("2 | recnt = \"30min\"\n  | ^^^^^\n"), "{ran:?}");
}
