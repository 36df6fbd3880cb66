//! `cargo xtask demo`: what it shows, and that nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nats_hindsight_testkit::{hindsight, wait_until};
use nats_hindsight_tests::schema;

/// Every process that the demo starts, however far down, carries this in its environment.
const MARK: &str = "HINDSIGHT_DEMO_TEST";

/// The demo, with a temporary folder of its own and a mark by which its processes are known.
fn demo(mark: &str, temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("demo").arg("--hindsight").arg(hindsight().unwrap());
    command.env("TMPDIR", temporary).env(MARK, mark).stdin(Stdio::null());
    command
}

/// The command lines of all processes that carry a mark.
fn processes(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let folders = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let marked = folders.filter(|folder| {
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    });
    let names = marked.map(|folder| fs::read(folder.join("cmdline")).unwrap_or_default());
    names.map(|name| String::from_utf8_lossy(&name).replace('\0', " ")).collect()
}

/// The guards of processes end a moment after them, by themselves.
fn nothing_is_left(mark: &str, temporary: &Path) {
    wait_until("no process of the demo is left", Duration::from_secs(10), || {
        let left = processes(mark);
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    })
    .unwrap();
    let left: Vec<_> = fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_demo_shows_what_it_promises_and_cleans_up() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let mark = format!("whole-{}", std::process::id());
    let output = demo(&mark, temporary.path()).arg("--keep").arg(kept.path()).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for wanted in [
        "== Epoch 0: ",
        "== Epoch 4: ",
        "$ hindsight collect --system demo",
        "Read 5 files: 5 epochs of system demo",
        "CRITICAL SERVICE_002 service-down  open",
        "WARNING SERVICE_001 service-version-mismatch  open",
        "WARNING SERVER_002 server-version-mismatch  open",
        "== Done: the servers and services have ended",
    ] {
        assert!(stdout.contains(wanted), "{wanted}\n{stdout}");
    }
    nothing_is_left(&mark, temporary.path());

    // What it prints last can be typed, and gives a report that holds to its schema.
    let (_, again) = stdout.split_once("Judge them again:\n$ hindsight ").unwrap();
    let (again, _) = again.split_once("\nWhat a finding means").unwrap();
    let words = again.split_whitespace().filter(|word| *word != "\\");
    let json = Command::new(hindsight().unwrap()).args(words).args(["--format", "json"]).output();
    let report = schema::parse(schema::REPORT, &String::from_utf8(json.unwrap().stdout).unwrap());
    assert_eq!(report["systems"][0]["epochs"].as_array().unwrap().len(), 5);
    assert_eq!(report["problems"], serde_json::json!([]));
}

#[test]
fn an_interrupted_demo_ends_its_servers_and_removes_its_folders() {
    let temporary = tempfile::tempdir().unwrap();
    let mark = format!("interrupted-{}", std::process::id());
    let mut command = demo(&mark, temporary.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("== Epoch 1: ")));
    let running = processes(&mark);
    assert!(running.iter().filter(|name| name.starts_with("nats-server")).count() >= 2);
    assert!(running.iter().any(|name| name.contains("service.py")), "{running:#?}");
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    drop(lines);
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(1), "error: interrupted\n"));
    nothing_is_left(&mark, temporary.path());
}

#[test]
fn a_demo_that_fails_says_why_and_cleans_up() {
    let temporary = tempfile::tempdir().unwrap();
    let mark = format!("failed-{}", std::process::id());
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["demo", "--hindsight", "/bin/false"]);
    let output = command.env("TMPDIR", temporary.path()).env(MARK, &mark).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error: hindsight collect failed"), "{said}");
    nothing_is_left(&mark, temporary.path());
}

#[test]
fn recordings_are_kept_only_where_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["demo", "--keep"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is not empty; name a new folder"));
}
