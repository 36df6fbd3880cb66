//! Reports and surveys of the archives of a cluster with such names, all epochs and each alone.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;

use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::schema;
use serde_json::Value;
use zip::ZipArchive;

use crate::tables::{aligned, take_texts};
use crate::terminal::{WIDEST, assert_harmless, columns, deceives, printed, without_colour};

const COMMANDS: [&str; 2] = ["analyze", "inspect"];

fn folder() -> PathBuf {
    fixtures().join("bundles/hostile_names")
}

fn archives() -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut archives: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|end| end == "zip")).collect();
    archives.sort();
    assert_eq!(archives.len(), 3);
    archives
}

/// What can be given to the tool: the sequence, and each epoch alone.
fn inputs() -> Vec<PathBuf> {
    archives().into_iter().chain([folder()]).collect()
}

/// Every text in a reply of an archive.
fn held(archive: &PathBuf) -> BTreeSet<String> {
    let mut zip = ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let mut texts = BTreeSet::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).unwrap();
        if let Ok(reply) = serde_json::from_reader::<_, Value>(entry) {
            take_texts(&reply, &mut texts);
        }
    }
    texts
}

#[test]
fn a_terminal_gets_no_control_character_of_theirs() {
    for archive in archives() {
        let theirs = held(&archive);
        let wild = theirs.iter().filter(|text| text.chars().any(deceives)).count();
        assert!(wild > 8, "{}: {wild} texts that could do harm", archive.display());
    }
    for input in inputs() {
        for command in COMMANDS {
            let what = format!("{command} {}", input.display());
            let plain = printed(&input, command, "text", false);
            assert_harmless(&plain, &what);
            let coloured = printed(&input, command, "text", true);
            assert!(coloured.contains("\u{1b}["), "{what}: there is no colour to look at");
            assert_eq!(without_colour(&coloured), plain, "{what}");
            assert_harmless(&printed(&input, command, "json", false), &what);
        }
    }
}

/// Tables whose cells hold such names: the words of their heads.
const TABLES: &[(&str, &[&str])] = &[
    ("analyze", &["server", "id", "age", "connection"]),
    ("analyze", &["server", "id", "age", "connections", "git commit", "go", "jetstream"]),
    ("analyze", &["server", "id", "address", "age", "connection", "language"]),
    ("inspect", &["cluster", "server", "version", "id", "answered in"]),
];

#[test]
fn columns_stay_aligned_and_no_line_is_wider_than_others() {
    for (command, heads) in TABLES {
        let found = aligned(&printed(&folder(), command, "text", false), heads);
        assert!(found > 0, "{command}: no table {heads:?}");
    }
    for input in inputs() {
        for command in COMMANDS {
            for line in printed(&input, command, "text", false).lines() {
                assert!(columns(line) <= WIDEST, "{command}: {} columns: {line}", columns(line));
            }
        }
    }
}

/// Programs get the exact text: whatever the report says of a connection, it is called as it called
/// itself, and servers too.
#[test]
fn json_keeps_the_exact_text() {
    let report = schema::parse(schema::REPORT, &printed(&folder(), "analyze", "json", false));
    let survey = schema::parse(schema::INSPECT, &printed(&folder(), "inspect", "json", false));
    let mut theirs = BTreeSet::new();
    for archive in archives() {
        theirs.extend(held(&archive));
    }
    let mut kept = 0;
    for finding in report["systems"][0]["findings"].as_array().unwrap() {
        for instance in finding["details"]["last_instances"].as_array().into_iter().flatten() {
            let name = instance["connection"].as_str().unwrap();
            assert!(theirs.contains(name), "{name:?} is not what any connection is called");
            kept += usize::from(name.chars().any(deceives));
        }
    }
    assert_eq!(kept, 4, "names that could do harm");
    let mut ours = BTreeSet::new();
    take_texts(&report, &mut ours);
    take_texts(&survey, &mut ours);
    for name in ["<b>a2\"&", "=a3+1", "\u{1b}]8;;"] {
        let is = |text: &String| {
            if name.starts_with('\u{1b}') { text.contains(name) } else { text == name }
        };
        assert!(ours.iter().any(is), "{name:?} is nowhere exactly");
    }
}
