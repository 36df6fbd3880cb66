//! The same records give the same bytes, however they come, however many threads judge them, and
//! wherever that is done.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assert_cmd::Command;
use nats_hindsight_analyzer::engine::{Options, analyze};
use nats_hindsight_analyzer::render;
use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_tests::recording::{fixtures, scenarios};
use nats_hindsight_tests::schema;
use nats_hindsight_tests::workers::on_all_cores;
use serde_json::Value;

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

/// A report in JSON without what may depend on names and files.
fn nameless(printed: &str) -> String {
    let mut value = schema::parse(schema::REPORT, printed);
    value["inputs"] = Value::Null;
    for problem in value["problems"].as_array_mut().unwrap() {
        problem["where"] = Value::Null;
    }
    assert!(!value["systems"][0]["epochs"].as_array().unwrap().is_empty());
    value.to_string()
}

fn report(sources: &[Source], threads: usize) -> String {
    let intake = open(sources, &Limits::default(), &|_, _| {}).unwrap();
    let options = Options { threads: Some(threads), ..Options::default() };
    nameless(&render::json::render(&analyze(&intake, &options, &|_, _| {}).unwrap()))
}

fn held(bytes: Vec<u8>, name: String) -> Source {
    Source::Held { name, bytes: Arc::from(bytes) }
}

/// Puts things into an order that only the seed decides.
fn shuffle<T>(things: &mut [T], mut seed: u64) {
    for last in (1..things.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        things.swap(last, usize::try_from(seed >> 33).unwrap() % (last + 1));
    }
}

/// Runs a test over every scenario on all cores.
fn with_every_scenario(test: impl Fn(&str) + Sync) {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 25, "only {} scenarios are recorded", scenarios.len());
    on_all_cores(&scenarios, |scenario| test(scenario));
}

#[test]
fn threads_change_nothing() {
    with_every_scenario(|scenario| {
        let sources = [Source::Path(fixtures().join(scenario))];
        let one = report(&sources, 1);
        for threads in [2, 8] {
            assert_eq!(one, report(&sources, threads), "{scenario} with {threads} threads");
        }
    });
}

#[test]
fn order_names_and_concatenation_change_nothing() {
    with_every_scenario(|scenario| {
        let whole = report(&[Source::Path(fixtures().join(scenario))], 2);
        let bytes: Vec<Vec<u8>> =
            files(scenario).iter().map(|path| std::fs::read(path).unwrap()).collect();
        for seed in 1..=4 {
            let mut order: Vec<usize> = (0..bytes.len()).collect();
            shuffle(&mut order, seed);
            let names = order.iter().zip(order.iter().rev());
            let shuffled: Vec<Source> = names
                .map(|(at, name)| held(bytes[*at].clone(), format!("{seed}/other-{name}")))
                .collect();
            assert_eq!(whole, report(&shuffled, 2), "{scenario}, shuffled by {seed}");
            let in_a_row = order.iter().flat_map(|at| bytes[*at].clone()).collect();
            let in_a_row = held(in_a_row, "-".to_owned());
            assert_eq!(whole, report(&[in_a_row], 2), "{scenario}, in a row by {seed}");
        }
        let twice = bytes.iter().chain(&bytes).flatten().copied().collect();
        assert_eq!(whole, report(&[held(twice, "-".to_owned())], 2), "{scenario}, twice");
    });
}

/// The real binary in a place of its own: nothing of ours is in its environment.
fn hindsight() -> Command {
    let mut command = Command::new(nats_hindsight_testkit::hindsight().unwrap());
    command.env_clear().current_dir(fixtures());
    command.args(["analyze", "--fail-on", "never"]);
    command
}

fn printed(command: &mut Command) -> String {
    let run = command.assert().success();
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// Where and how else a report may be made.
const PLACES: [&[(&str, &str)]; 4] = [
    &[("TZ", "Pacific/Kiritimati"), ("LANG", "de_DE.UTF-8"), ("TERM", "xterm-256color")],
    &[("TZ", "America/St_Johns"), ("LC_ALL", "tr_TR.UTF-8"), ("COLUMNS", "40")],
    &[("TZ", ":/nowhere"), ("LC_ALL", "C"), ("TERM", "dumb"), ("NO_COLOR", "1")],
    &[("LANG", "ja_JP.eucJP"), ("COLUMNS", "300"), ("LINES", "5"), ("COLORTERM", "truecolor")],
];

#[test]
fn time_zone_language_and_terminal_change_nothing() {
    with_every_scenario(|scenario| {
        for format in ["text", "json"] {
            let here = printed(hindsight().args([scenario, "--format", format]));
            for place in PLACES {
                let mut command = hindsight();
                command.args([scenario, "--format", format]).envs(place.iter().copied());
                assert_eq!(here, printed(&mut command), "{scenario} as {format}, {place:?}");
            }
        }
    });
}

/// Colour is all that a terminal adds: the text is laid out for 80 columns everywhere.
#[test]
fn colour_is_all_that_a_terminal_adds() {
    with_every_scenario(|scenario| {
        let plain = printed(hindsight().arg(scenario));
        let coloured =
            printed(hindsight().args([scenario, "--color", "always"]).env("COLUMNS", "40"));
        assert_ne!(plain, coloured, "{scenario}");
        assert_eq!(plain, without_style(&coloured), "{scenario}");
    });
}

/// The text without its escape sequences of style, `ESC [ … m`.
fn without_style(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

#[test]
fn a_pipe_changes_nothing() {
    with_every_scenario(|scenario| {
        let json = ["--format", "json"];
        let from_folder = nameless(&printed(hindsight().arg(scenario).args(json)));
        let mut paths = files(scenario);
        shuffle(&mut paths, 7);
        let bytes: Vec<u8> = paths.iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
        let piped = printed(hindsight().arg("-").args(json).write_stdin(bytes));
        assert_eq!(from_folder, nameless(&piped), "{scenario}");
        let named = printed(hindsight().args(paths.iter().map(|path| name(path))).args(json));
        assert_eq!(from_folder, nameless(&named), "{scenario}, file by file");
    });
}

/// A path as it is seen from `fixtures/`.
fn name(path: &Path) -> &Path {
    path.strip_prefix(fixtures()).unwrap()
}
