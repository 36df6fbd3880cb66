//! Servers that stopped, left and were killed while the collector listened.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::Value;

use crate::{CODE, chapters};

/// Verdicts on `a3`, chapters of its only finding, how it ended.
fn story(scenario: &str) -> (Vec<String>, Vec<String>, Value) {
    let judged = judge(&Recording::fixture(scenario), &[]);
    let finding = judged.finding(CODE, "A/a3");
    let told = chapters(finding);
    let told = told.iter().map(|(at, severity, kind)| format!("{at} {severity} {kind}"));
    (judged.verdicts(CODE, "A/a3"), told.collect(), finding.details["ended"].clone())
}

#[test]
fn one_that_was_stopped() {
    let (verdicts, told, ended) = story("clean-stop");
    assert_eq!(verdicts, ["ok", "ok", "finding", "finding"]);
    assert_eq!(told, ["2 warning lost"]);
    assert_eq!(ended, "shutdown");
}

#[test]
fn one_that_was_killed() {
    let (verdicts, told, ended) = story("killed");
    assert_eq!(verdicts, ["ok", "ok", "finding", "finding"]);
    assert_eq!(told, ["2 warning lost"]);
    assert_eq!(ended, "without_notice");
}

#[test]
fn one_that_left_in_lame_duck_mode() {
    let (verdicts, told, ended) = story("lame-duck");
    assert_eq!(verdicts, ["ok", "ok", "finding", "finding"]);
    assert_eq!(told, ["2 info unresponsive", "3 info lost"]);
    assert_eq!(ended, "lame_duck");
}

/// Its peers' count tells a lame duck as well, but neither of the others.
#[test]
fn without_their_events_they_are_judged_as_before() {
    for (scenario, severity) in
        [("clean-stop", "warning"), ("killed", "warning"), ("lame-duck", "info")]
    {
        let whole = judge(&Recording::fixture(scenario), &[]);
        let deaf = Recording::fixture(scenario).each(|e| e.drop_endpoint(&Endpoint::EVENTS));
        let deaf = judge(&deaf, &[]);
        assert_eq!(deaf.verdicts(CODE, "A/a3"), whole.verdicts(CODE, "A/a3"), "{scenario}");
        let finding = deaf.finding(CODE, "A/a3");
        assert_eq!(finding.severity.as_str(), severity, "{scenario}");
        assert_eq!(finding.details["ended"], Value::Null, "{scenario}");
    }
}

/// If the word of a stopped server is lost and nothing tells so, it looks like a death: that is why
/// what was left out is counted.
#[test]
fn the_word_of_a_server_is_all_that_tells_a_stop_from_a_death() {
    let forgotten = Recording::fixture("clean-stop").each(|epoch| epoch.events.clear());
    let ended = &judge(&forgotten, &[]).finding(CODE, "A/a3").details["ended"].clone();
    assert_eq!(ended, "without_notice");
    let gap = Recording::fixture("clean-stop").at(2, |epoch| {
        epoch.events.clear();
        epoch.gap();
    });
    assert_eq!(judge(&gap, &[]).finding(CODE, "A/a3").details["ended"], Value::Null);
}
