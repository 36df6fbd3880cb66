//! Folders made to hurt.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Folder, run};

#[test]
fn a_fifo_among_the_files_is_passed_over() {
    let folder = Folder::new();
    let fifo = folder.path().join("pipe.ndjson.zst");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let said = folder.said();
    assert_eq!((said.code, said.problems("pipe")), (0, Vec::new()));
}

#[test]
fn links_in_circles_and_to_devices_end() {
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    symlink(folder.path(), path("loop")).unwrap();
    symlink(folder.path(), path("loop.ndjson.zst")).unwrap();
    symlink("self.ndjson.zst", path("self.ndjson.zst")).unwrap();
    symlink("/dev/zero", path("zero.ndjson.zst")).unwrap();
    let said = folder.said();
    assert_eq!((said.code, &said.report["problems"]), (0, &serde_json::json!([])));
    assert_eq!(said.report["inputs"].as_array().unwrap().len(), 1);
}

#[test]
fn what_never_ends_is_given_up() {
    let ran = run(&[&"analyze", &"/dev/zero", &"--limit", &"stdin_held=1000000"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("stdin_held"), "{}", ran.stderr);
    // What fits into the limit but not into the machine ends as well.
    let ran = run(&[&"analyze", &"/dev/zero"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("cannot read /dev/zero"), "{}", ran.stderr);
}

#[test]
fn a_folder_of_ten_thousand_files() {
    let mut folder = Folder::new();
    for n in 0..10_000 {
        folder = folder.with(&format!("{n}.ndjson.zst"), format!("rubbish {n}").as_bytes());
    }
    let said = folder.said();
    let problems = said.report["problems"].as_array().unwrap();
    assert!(problems.iter().all(|problem| problem["kind"] == "input_foreign"));
    assert_eq!((said.code, problems.len()), (0, 10_000));
}

#[test]
fn names_with_control_characters_are_text() {
    let folder = Folder::new().with("\u{1b}[2J\n\u{202e}x.ndjson.zst", b"rubbish");
    let said = folder.said();
    assert_eq!((said.code, said.report["problems"].as_array().unwrap().len()), (0, 1));
    let text = run(&[&"analyze", &folder.path()]).stdout;
    assert!(text.contains("x.ndjson.zst"), "{text}");
    assert!(!text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text:?}");
}
