//! Reports and surveys of the recorded cluster.

use std::collections::BTreeSet;
use std::path::PathBuf;

use nats_hindsight_testkit::scenario::HOSTILE;
use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::schema;
use serde_json::Value;

use crate::tables::{aligned, take_texts};
use crate::terminal::{self, WIDEST, assert_harmless, columns, slice, without_colour};

fn recording() -> PathBuf {
    fixtures().join("hostile-names")
}

/// What is printed of the recording: the report, or the survey.
fn printed(command: &str, format: &str, colour: bool) -> String {
    terminal::printed(&recording(), command, format, colour)
}

fn report() -> Value {
    schema::parse(schema::REPORT, &printed("analyze", "json", false))
}

#[test]
fn a_terminal_gets_no_control_character_of_theirs() {
    for command in ["analyze", "inspect"] {
        let plain = printed(command, "text", false);
        assert_harmless(&plain, command);
        let coloured = printed(command, "text", true);
        assert!(coloured.contains("\u{1b}["), "{command}: there is no colour to look at");
        // Whatever else was obeyed would be missing here, or be there twice.
        assert_eq!(without_colour(&coloured), plain, "{command}");
        // JSON is printed too.
        assert_harmless(&printed(command, "json", false), command);
    }
}

/// The names did come this far: each is to be seen, at least its beginning.
#[test]
fn every_name_is_shown_as_what_it_is() {
    let text = printed("analyze", "text", false) + &printed("inspect", "text", false);
    for name in HOSTILE {
        let begin: String = name.chars().take(3).flat_map(escaped).collect();
        assert!(text.contains(&begin), "{begin} is nowhere");
    }
    assert!(text.contains(r"\u{1b}[31m") && text.contains(r"\u{202e}") && text.contains(r"\n"));
}

fn escaped(c: char) -> Vec<char> {
    match c {
        '\n' => vec!['\\', 'n'],
        '\r' => vec!['\\', 'r'],
        c if terminal::deceives(c) => c.escape_unicode().collect(),
        c => vec![c],
    }
}

/// Every kind of finding that can come to hold such a name does.
#[test]
fn the_names_reach_every_kind_of_finding() {
    let report = report();
    let system = &report["systems"][0];
    let findings = system["findings"].as_array().unwrap();
    let codes: BTreeSet<&str> =
        findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    for code in
        ["HINT_001", "SERVER_002", "SERVICE_001", "SERVICE_002", "SKEW_001", "SKEW_002", "SKEW_003"]
    {
        assert!(codes.contains(code), "{code} is not found: {codes:?}");
    }
    // Of the one instance that is alone here nothing is found: no list would show a second one.
    let unknowns = system["unknowns"].as_array().unwrap();
    assert!(unknowns.iter().any(|unknown| unknown["code"] == "HINT_002"), "{unknowns:?}");
    for part in ["unknowns", "coverage"] {
        let text = system[part].to_string();
        assert!(text.contains("\\u001b"), "{part} names nobody: {text}");
    }
}

/// Programs get the exact text.
#[test]
fn json_keeps_the_exact_text() {
    let mut texts = BTreeSet::new();
    take_texts(&report(), &mut texts);
    let survey = schema::parse(schema::INSPECT, &printed("inspect", "json", false));
    take_texts(&survey, &mut texts);
    for name in HOSTILE {
        assert!(texts.contains(name), "{name:?} is nowhere exactly");
    }
}

#[test]
fn no_line_is_wider_than_the_others() {
    for command in ["analyze", "inspect"] {
        for line in printed(command, "text", false).lines() {
            assert!(columns(line) <= WIDEST, "{command}: {} columns: {line}", columns(line));
        }
    }
}

/// Tables whose cells hold such names: the words of their heads, and how many there are at least.
const TABLES: &[(&str, &[&str], usize)] = &[
    ("analyze", &["server", "id", "age", "connections", "git commit", "go"], 2),
    ("analyze", &["count", "servers", "text", "value"], 1),
    ("analyze", &["version", "endpoint", "queue group", "subject"], 1),
    ("analyze", &["version", "id"], 1),
    ("inspect", &["cluster", "server", "version", "id", "answered in"], 1),
    ("inspect", &["cluster", "server", "least", "most", "known to"], 1),
];

/// Each cell begins in the column of its head, with nothing but space before it.
#[test]
fn columns_stay_aligned_whatever_is_in_them() {
    for (command, heads, least) in TABLES {
        let found = aligned(&printed(command, "text", false), heads);
        assert!(found >= *least, "{command}: {found} tables {heads:?}");
    }
}

/// The matrix of servers: marks begin in one column, behind a space.
#[test]
fn the_matrix_of_servers_is_one() {
    let text = printed("inspect", "text", false);
    let lines: Vec<&str> = text.lines().collect();
    let head = lines.iter().position(|line| line.trim().starts_with("abcdef")).unwrap();
    let at = lines[head].find('a').unwrap();
    let rows: Vec<&&str> = lines[head + 1..].iter().take_while(|line| !line.is_empty()).collect();
    assert!(rows.len() >= 3, "{rows:?}");
    for row in rows.iter().filter(|row| !row.starts_with("    ")) {
        assert_eq!(slice(row, at - 1, at), " ", "{row}");
        let marks = slice(row, at, WIDEST);
        assert!(marks.chars().all(|mark| "+~!-.".contains(mark)), "{row}");
    }
}
