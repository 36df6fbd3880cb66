//! `hindsight analyze`: each exit code, each way in, each way out.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use nats_hindsight_tests::schema;
use serde_json::Value;

use crate::support::{EVEN, MIXED, command, epoch, folder, hindsight};

#[test]
fn exit_0_where_nothing_is_wrong() {
    let even = folder(&[epoch(0, EVEN), epoch(1, EVEN)]);
    let ran = hindsight(&[&"analyze", &even.path()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.starts_with("Read 2 files: 2 epochs of system prod"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Found nothing wrong in what could be judged."), "{}", ran.stdout);
}

#[test]
fn exit_1_where_something_is_at_or_above_the_bar() {
    let mixed = folder(&[epoch(0, MIXED)]);
    let code = |bar: &str| hindsight(&[&"analyze", &mixed.path(), &"--fail-on", &bar]).code;
    assert_eq!(hindsight(&[&"analyze", &mixed.path()]).code, 1);
    assert_eq!(code("info"), 1);
    assert_eq!(code("warning"), 1);
    assert_eq!(code("critical"), 0);
    assert_eq!(code("never"), 0);
}

#[test]
fn what_is_closed_counts_unless_only_open_is_asked_for() {
    let cured = folder(&[epoch(0, EVEN), epoch(1, MIXED), epoch(2, EVEN)]);
    let ran = hindsight(&[&"analyze", &cured.path(), &"--fail-on", &"info"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("0 open at the end, 2 closed"), "{}", ran.stdout);
    let ran = hindsight(&[&"analyze", &cured.path(), &"--fail-on", &"info", &"--fail-on-open"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn exit_2_for_what_makes_no_sense() {
    let even = folder(&[epoch(0, EVEN)]);
    for (args, wanted) in [
        (&["--check", "SERVER_02"][..], "did you mean `SERVER_002`?"),
        (&["--skip", "server-version-mismach"], "did you mean `SERVER_002`?"),
        (&["--check", "HINT_001", "--skip", "HINT_001"], "no check is left to run"),
        (&["--set", "SERVER_002.recnt=3s"], "did you mean `recent`?"),
        (&["--from", "yesterday"], "is not a time"),
        (&["--from", "2026-11-22", "--to", "2026-11-21"], "is after --to"),
        (&["--at", "2026-11-22", "--to", "2026-11-21"], "cannot be used with"),
        (&["--report", "pdf=x"], "`pdf` is no format"),
        (&["--threads", "0"], "0 is not in 1..=1024"),
        (&["--config", "/nowhere/hindsight.toml"], "cannot read the configuration"),
        (&["--report", "json=/nowhere/report.json"], "cannot write /nowhere/report.json"),
        (&["--no-such-flag"], "unexpected argument"),
        (&["-", "-"], "can be named once"),
    ] {
        let ran = command(&[&"analyze", &even.path()]).args(args).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{args:?} {stderr}");
        assert!(stderr.contains(wanted), "{args:?} {stderr}");
        assert!(ran.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(hindsight(&[&"analyze"]).code, 2);
}

#[test]
fn exit_3_where_there_is_nothing_to_judge() {
    let empty = tempfile::tempdir().unwrap();
    let foreign = empty.path().join("notes.ndjson.zst");
    let missing = empty.path().join("missing");
    let ran = hindsight(&[&"analyze", &missing]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert!(ran.stderr.contains("no such file or folder"), "{ran:?}");
    let ran = hindsight(&[&"analyze", &empty.path()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    fs::write(&foreign, "not a recording").unwrap();
    let ran = hindsight(&[&"analyze", &foreign]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("Problems"), "{ran:?}");
    let silent = folder(&[epoch(0, &[]).incomplete()]);
    let ran = hindsight(&[&"analyze", &silent.path(), &"--require-coverage"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("no check could be evaluated"), "{ran:?}");
}

#[test]
fn exit_4_only_where_coverage_is_required_and_nothing_was_found() {
    let even = folder(&[epoch(0, EVEN), epoch(1, EVEN).incomplete()]);
    let judge = |more: &[&str]| {
        let ran = command(&[&"analyze", &even.path(), &"--check", &"SERVER_002"])
            .args(more)
            .output()
            .unwrap();
        (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
    };
    assert_eq!(judge(&[]).0, 0);
    let (code, stderr) = judge(&["--require-coverage"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("epoch 1 of prod is incomplete"), "{stderr}");
    let mixed = folder(&[epoch(0, MIXED).incomplete()]);
    assert_eq!(hindsight(&[&"analyze", &mixed.path(), &"--require-coverage"]).code, 1);
}

#[test]
fn coverage_is_required_of_selected_checks_in_the_last_epoch() {
    let even = folder(&[epoch(0, EVEN)]);
    let code = |check: &str| {
        hindsight(&[&"analyze", &even.path(), &"--require-coverage", &"--check", &check]).code
    };
    assert_eq!(code("SERVER_002"), 0);
    let all = hindsight(&[&"analyze", &even.path(), &"--require-coverage"]);
    let report = hindsight(&[&"analyze", &even.path(), &"--format", &"json"]).report();
    let blind = report["systems"][0]["unknowns"].as_array().is_some_and(|list| !list.is_empty());
    assert_eq!(all.code, if blind { 4 } else { 0 }, "{all:?}");
}

#[test]
fn json_is_all_there_is_on_standard_output() {
    let mixed = folder(&[epoch(0, EVEN), epoch(1, MIXED)]);
    let ran = hindsight(&[&"analyze", &mixed.path(), &"--format", &"json", &"--color", &"always"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report = ran.report();
    assert!(ran.stdout.ends_with("}\n"));
    assert_eq!(report["report"], "nats-hindsight");
    assert_eq!(report["systems"][0]["findings"][0]["code"], "SERVER_002");
    assert_eq!(report["systems"][0]["findings"][0]["opened"]["epoch"], 1);
}

/// The report without what depends on how the records were handed over.
fn judged(args: &[&dyn AsRef<std::ffi::OsStr>], input: Option<Vec<u8>>) -> Value {
    let mut command = command(args);
    command.args(["--format", "json"]).stdout(Stdio::piped()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&input.unwrap_or_default()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut report = schema::parse(schema::REPORT, &text);
    report.as_object_mut().unwrap().remove("inputs").unwrap();
    report
}

#[test]
fn the_same_records_give_the_same_report_however_they_come() {
    let (first, second) = (epoch(0, EVEN), epoch(1, MIXED));
    let bundle = [second.bytes(), first.bytes()].concat();
    let both = folder(&[first, second]);
    let wanted = judged(&[&"analyze", &both.path()], None);
    let files = [both.path().join("prod.1.ndjson.zst"), both.path().join("prod.0.ndjson.zst")];
    assert_eq!(judged(&[&"analyze", &files[0], &files[1]], None), wanted);
    assert_eq!(judged(&[&"analyze", &"-"], Some(bundle)), wanted);
    for threads in ["1", "2", "7"] {
        assert_eq!(judged(&[&"analyze", &both.path(), &"--threads", &threads], None), wanted);
    }
}

#[test]
fn several_reports_are_written_at_once() {
    let mixed = folder(&[epoch(0, MIXED)]);
    let out = tempfile::tempdir().unwrap();
    let (text, json) = (out.path().join("report.txt"), out.path().join("report.json"));
    let target = |format: &str, path: &std::path::Path| format!("{format}={}", path.display());
    let ran = hindsight(&[
        &"analyze",
        &mixed.path(),
        &"--report",
        &target("text", &text),
        &"--report",
        &target("json", &json),
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(fs::read_to_string(text).unwrap(), ran.stdout);
    let report = schema::parse(schema::REPORT, &fs::read_to_string(json).unwrap());
    assert_eq!(report["version"], "1.0");
}

#[test]
fn colour_is_there_only_where_it_is_wanted() {
    let mixed = folder(&[epoch(0, MIXED)]);
    let colour = |when: &str| hindsight(&[&"analyze", &mixed.path(), &"--color", &when]).stdout;
    assert!(colour("always").contains("\u{1b}["));
    assert!(!colour("never").contains('\u{1b}'));
    assert!(!colour("auto").contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mixed = folder(&[epoch(0, MIXED)]);
    // It has gone before anything is written: a run is quick.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = command(&[&"analyze", &mixed.path()]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
