//! Every recording through the real binary: the whole report, as text and as JSON.
//!
//! Recordings take seconds where rollouts take minutes, so the thresholds that speak of hours are
//! scaled. A snapshot that is accepted is one that somebody has read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use nats_hindsight_tests::recording::{SCALE, fixtures};
use nats_hindsight_tests::schema;

fn root() -> PathBuf {
    fixtures().join("..")
}

fn hindsight() -> Command {
    let mut command = Command::new(nats_hindsight_testkit::hindsight().unwrap());
    command.current_dir(root());
    command
}

fn scenarios() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| fixtures().join(name).join("provenance.json").is_file())
        .collect();
    names.sort();
    assert!(names.len() >= 18, "only {} scenarios are recorded", names.len());
    names
}

fn report(scenario: &str, format: &str) -> String {
    let path = Path::new("fixtures").join(scenario);
    let run = hindsight()
        .arg("analyze")
        .arg(path)
        .args(SCALE)
        .args(["--format", format, "--fail-on", "never"])
        .assert()
        .success();
    let printed = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    if format == "json" {
        schema::parse(schema::REPORT, &printed);
    }
    printed
}

/// Settings under which a snapshot depends on the recording and the verdicts only.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    settings.add_filter(r#""rules": "sha256:[0-9a-f]{64}""#, r#""rules": "[digest]""#);
    settings
}

#[test]
fn every_recording_gives_the_report_that_was_read_and_accepted() {
    settings().bind(|| {
        for scenario in scenarios() {
            insta::assert_snapshot!(format!("{scenario}.text"), report(&scenario, "text"));
            insta::assert_snapshot!(format!("{scenario}.json"), report(&scenario, "json"));
        }
    });
}

#[test]
fn nothing_is_found_where_nothing_was_wrong() {
    for scenario in ["healthy", "restart-same-version"] {
        let report: serde_json::Value = serde_json::from_str(&report(scenario, "json")).unwrap();
        for system in report["systems"].as_array().unwrap() {
            assert_eq!(system["findings"], serde_json::json!([]), "{scenario}");
            assert_eq!(system["unknowns"], serde_json::json!([]), "{scenario}");
            let checked = system["checks"].as_array().unwrap();
            assert!(checked.iter().any(|check| check["ok"].as_u64() > Some(0)), "{scenario}");
        }
        assert_eq!(report["problems"], serde_json::json!([]), "{scenario}");
    }
}

/// What the README shows is what the binary prints, up to a line of three dots where it is cut.
#[test]
fn the_readme_shows_real_output() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or("");
        let Some((command, output)) = block.split_once('\n') else { continue };
        let Some(arguments) = command.strip_prefix("$ hindsight ") else { continue };
        if !arguments.contains("fixtures/") || output.trim().is_empty() {
            continue;
        }
        let run = hindsight().args(arguments.split_whitespace()).output().unwrap();
        let printed = String::from_utf8(run.stdout).unwrap();
        let lines = printed.lines().zip(output.lines()).take_while(|(_, shown)| *shown != "...");
        for (number, (printed, shown)) in lines.enumerate() {
            assert_eq!(printed, shown, "line {number} of {command}");
        }
        let whole =
            output.ends_with("\n...\n") || printed.lines().count() == output.lines().count();
        assert!(whole, "the README leaves out the end of {command}");
        shown += 1;
    }
    assert!(shown > 0, "the README shows no output");
}
