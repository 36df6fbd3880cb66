//! `cargo xtask new-check` and the page that goes on from it, `docs/writing-a-check.md`: the page is
//! followed to the letter in a copy of the workspace.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use nats_hindsight_testkit::{Checkout, workspace_root};

/// What the page tells its reader to do.
#[derive(Debug)]
enum Task {
    /// To type a command, and what is printed then, `...` standing for whatever comes between.
    Type { command: String, printed: String },
    /// To write a file.
    Write { path: String, text: String },
}

/// The tasks of a page in their order: blocks of a console, and blocks after the name of a file.
fn tasks(page: &str) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut rest = page;
    while let Some((before, block)) = rest.split_once("\n```") {
        let (kind, block) = block.split_once('\n').unwrap();
        let (text, after) = block.split_once("```\n").unwrap();
        let named = before.trim_end().lines().last().unwrap_or_default();
        if kind == "console" {
            let (command, printed) = text.split_once('\n').unwrap();
            let command = command.strip_prefix("$ ").unwrap().to_owned();
            tasks.push(Task::Type { command, printed: printed.to_owned() });
        } else if let Some(path) = named.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            tasks.push(Task::Write { path: path.to_owned(), text: text.to_owned() });
        }
        rest = after;
    }
    tasks
}

/// Types a command of the page in a copy. What was just built stands for `cargo xtask`.
fn typed(checkout: &Checkout, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    let output = match words.as_slice() {
        ["cargo", "xtask", arguments @ ..] => xtask(checkout.root(), arguments),
        ["cargo", arguments @ ..] => {
            checkout.cargo().arg("--offline").args(arguments).output().unwrap()
        }
        _ => panic!("the page says to type {command}"),
    };
    let printed = [output.stdout, output.stderr].concat();
    // Names of files are shown from the root of the workspace, wherever that is.
    let printed = String::from_utf8(printed).unwrap();
    let root = checkout.root().join("tests/../");
    let root = root.to_string_lossy();
    printed.replace(root.as_ref(), "").replace(&format!("{}/", checkout.root().display()), "")
}

fn xtask(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).arg("--root").arg(root).output().unwrap()
}

/// Every line that is shown must be printed, in this order; `...` stands for any lines, and at the end
/// of a line for any end.
fn is_as_shown(command: &str, printed: &str, shown: &str) {
    let mut lines = printed.lines();
    for wanted in shown.lines().filter(|line| *line != "...") {
        let fits = |line: &str| match wanted.strip_suffix("...") {
            Some(begin) => line.starts_with(begin),
            None => line == wanted,
        };
        assert!(lines.any(fits), "after `{command}` the page shows\n{wanted}\nbut not:\n{printed}");
    }
}

#[test]
fn a_check_is_written_by_following_the_page_to_the_letter() {
    let checkout = Checkout::new().unwrap();
    let page = fs::read_to_string(workspace_root().join("docs/writing-a-check.md")).unwrap();
    let tasks = tasks(&page);
    let written = tasks.iter().filter(|task| matches!(task, Task::Write { .. })).count();
    assert_eq!((tasks.len(), written), (8, 5), "{tasks:#?}");
    for task in tasks {
        match task {
            Task::Type { command, printed } => {
                is_as_shown(&command, &typed(&checkout, &command), &printed);
            }
            Task::Write { path, text } => {
                let path = checkout.root().join(path);
                assert!(path.is_file(), "new-check did not make {}", path.display());
                fs::write(path, text).unwrap();
            }
        }
    }
    // What the page shows is formatted as everything else is.
    let formatted = checkout.cargo().args(["fmt", "--all", "--check"]).output().unwrap();
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));
}

/// A copy of what `new-check` reads, and nothing else.
fn sources() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&workspace_root().join(CHECKS), &copy.path().join(CHECKS));
    copy
}

const CHECKS: &str = "crates/analyzer/src/checks";

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_new_family_is_made_only_when_asked_for() {
    let copy = sources();
    let check = ["new-check", "weather", "storm-coming", "--code", "HINT_901"];
    let refused = xtask(copy.path(), &check);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("there is no family weather (there are "), "{said}");
    assert!(said.contains("add --new-family to make it"), "{said}");
    assert!(!copy.path().join(CHECKS).join("weather").exists());

    let made = xtask(copy.path(), &[&check[..], &["--new-family"]].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name: &str| fs::read_to_string(copy.path().join(CHECKS).join(name)).unwrap();
    assert!(read("mod.rs").contains("pub mod weather;"));
    assert!(read("mod.rs").contains("weather::CHECKS"));
    assert!(read("weather/mod.rs").contains("mod hint_901_storm_coming;"));
    assert!(read("weather/mod.rs").contains("&[&hint_901_storm_coming::CHECK];"));
    assert!(read("weather/hint_901_storm_coming.rs").contains("slug: \"storm-coming\""));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let copy = sources();
    let before = fs::read_to_string(copy.path().join(CHECKS).join("server/mod.rs")).unwrap();
    for (arguments, wanted) in [
        (&["server", "clock-skew"][..], "the slug clock-skew is taken by HINT_003"),
        (&["server", "clock-off", "--code", "HINT_003"], "HINT_003 is taken by clock-skew"),
        (&["server", "Clock"], "is no slug"),
        (&["server", "clock-off", "--code", "SERVER"], "is no code"),
        (&["../checks/server", "clock-off"], "is no family"),
    ] {
        let refused = xtask(copy.path(), &[&["new-check"], arguments].concat());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?} {said}");
        assert!(said.starts_with("error: ") && said.contains(wanted), "{arguments:?} {said}");
    }
    let cases = copy.path().join("tests/cases/HINT_902");
    fs::create_dir_all(&cases).unwrap();
    fs::write(cases.join("fires_when_it_should.toml"), "mine").unwrap();
    let refused = xtask(copy.path(), &["new-check", "server", "clock-off", "--code", "HINT_902"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("fires_when_it_should.toml is already there"), "{said}");
    let after = fs::read_to_string(copy.path().join(CHECKS).join("server/mod.rs")).unwrap();
    assert_eq!(before, after);
}
