//! The ledger as text: one table, and nowhere else.

use nats_hindsight_analyzer::engine::{self, Options};
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::render::text;

use super::*;

/// The report as text; only this check, or all of them.
fn text_of(recording: &Recording, alone: bool) -> String {
    let checks =
        if alone { vec![registry::find(CODE).unwrap()] } else { Options::default().checks };
    let options = Options { checks, threads: Some(1), ..Options::default() };
    text::render(&engine::verdicts(&recording.open(), options).unwrap().0, false)
}

/// The lines of the ledger.
fn ledger(text: &str) -> Vec<&str> {
    let from = text.lines().skip_while(|line| !line.starts_with("Version exposure"));
    from.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn every_window_is_a_row_of_one_table() {
    let mut rows = rollout();
    rows.push(vec![("n", NEW, 30, Some((1_230, 5))), ("z", "1.4.0", 210, Some((2, 0)))]);
    rows.push(vec![("n", NEW, 30, Some((4_464, 6))), ("z", "1.4.0", 210, Some((9, 9)))]);
    let recording = told(&rows);
    let text = text_of(&recording, true);
    let at = |index: usize| {
        let time = recording.epochs[index].start().to_string().replace('T', " ");
        time[..19].to_owned()
    };
    let expected = [
        "Version exposure (SKEW_003)".to_owned(),
        "  What ran in two versions at once, and what each served meanwhile.".to_owned(),
        "    first seen           last seen            lasted at least at most".to_owned(),
        "  service orders of account APP".to_owned(),
        format!("    {}  {}  1 min 30 s      3 min", at(1), at(2)),
        "      1.2.0  2 instances (2 known in part); at least 15 requests; at least 1".to_owned(),
        "             errors (6.66 %)".to_owned(),
        "      1.3.0  1 instance; 17 to 21 requests; 3 to 4 errors (17.64 %)".to_owned(),
        "  service orders of account APP".to_owned(),
        format!("    {}  open                 1 min 30 s      2 min", at(4)),
        "      1.3.0  1 instance; 3,234 to 4,443 requests; 1 to 2 errors (0.03 %)".to_owned(),
        "      1.4.0  1 instance; 9 requests; 9 errors (100.00 %)".to_owned(),
        "  to do     hindsight explain SKEW_003".to_owned(),
    ];
    assert_eq!(ledger(&text), expected);
}

#[test]
fn windows_stand_in_the_ledger_and_nowhere_else() {
    let text = text_of(&Recording::fixture("rollout-under-load"), false);
    assert_eq!(text.matches("Version exposure").count(), 1);
    assert_eq!(text.matches("version-exposure").count(), 0, "no block of its own:\n{text}");
    assert_eq!(text.matches("SERVICE_001 service-version-mismatch").count(), 2, "{text}");
    let alone = text_of(&Recording::fixture("rollout-under-load"), true);
    assert_eq!(ledger(&alone), ledger(&text));
    assert!(!alone.contains("Timelines:"), "{alone}");
}

#[test]
fn without_a_window_there_is_no_ledger() {
    assert_eq!(ledger(&text_of(&Recording::fixture("healthy"), true)), [] as [&str; 0]);
}

#[test]
fn a_window_with_a_gap_or_an_end_of_its_own_says_so() {
    let mut rows = rollout();
    rows.insert(2, rows[2].clone());
    rows[4] = rows[3].clone();
    let recording = told(&rows)
        .at(2, |epoch| epoch.mute_instance("n"))
        .at(4, |epoch| epoch.down("APP", "orders"));
    let text = text_of(&recording, true);
    let lines = ledger(&text);
    let gap = "    seen in 2 epochs; not known in epoch 2: instance silent";
    assert!(lines.contains(&gap), "{text}");
    assert!(lines.contains(&"    ended: the service has no instance any more"), "{text}");
}

#[test]
fn what_is_not_known_is_said_not_to_be() {
    let blind = told(&rollout()).each(|epoch| epoch.drop_endpoint(&Endpoint::SRV_STATS));
    let text = text_of(&blind, true);
    let line = "      1.2.0  2 instances (2 not known); requests unknown; errors unknown";
    assert!(ledger(&text).contains(&line), "{text}");
    assert!(text.contains("SKEW_003 requests, 1 subject, epochs 1-2"), "{text}");
}

#[test]
fn no_version_is_too_long_for_a_line_nor_reaches_a_terminal_as_it_is() {
    let long = format!("1.3.0-{}", "x".repeat(300));
    let hostile = "\u{1b}[2J\u{202e}9";
    let recording = told(&rollout()).each(|epoch| {
        if epoch.replies.iter().any(|reply| reply.body["id"] == "n") {
            epoch.set_app_version("n", &long);
            epoch.clone_instance("n", "h");
            epoch.set_app_version("h", hostile);
        }
    });
    let text = text_of(&recording, true);
    assert!(!ledger(&text).is_empty());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}'), "{line:?}");
    }
}
