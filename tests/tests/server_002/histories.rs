//! What led to a mix: stage, cause, duration.

use jiff::SignedDuration;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::recording::servers::cluster;
use nats_hindsight_tests::verdicts::{Judged, judge};

use crate::support::*;

fn three(version: &str) -> Recording {
    cluster(&[("a1", version, days(90)), ("a2", version, days(90)), ("a3", version, days(90))])
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// The face of the only finding of one epoch with these servers.
fn alone(servers: &[(&str, &str, SignedDuration)]) -> [String; 4] {
    let judged = judge(&cluster(servers), &[]);
    face(judged.finding(CODE, "A")).map(str::to_owned)
}

#[test]
fn an_earlier_rollback_does_not_explain_a_later_mix() {
    let mut recording = three(NEW).repeat(4, hours(2));
    upgrade(&mut recording.epochs[1], "a1", OLD, minutes(9));
    for index in 2..4 {
        upgrade(&mut recording.epochs[index], "a1", NEW, minutes(9));
    }
    recording.epochs[3].clone_server("a2", "staging1");
    recording.epochs[3].set_version("staging1", "2.10.25");
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "ok", "finding"]);
    let findings = judged.findings(CODE, "A");
    // The version was never seen before, so going down to it is no rollback.
    assert_eq!(face(findings[0]), ["rolling", "undetermined", "minor", NEW]);
    assert_eq!(face(findings[1]), ["stalled", "joined", "minor", NEW]);
    assert_eq!((findings[0].flaps, findings[1].flaps), (0, 1));
}

#[test]
fn a_server_that_comes_back_on_a_newer_version_is_an_upgrade() {
    let mut recording = three(OLD).repeat(4, hours(2)).at(1, |epoch| epoch.kill("a3"));
    upgrade(&mut recording.epochs[2], "a3", NEW, minutes(9));
    upgrade(&mut recording.epochs[3], "a3", NEW, minutes(129));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(chapters(finding), [(2, "info", "rolling"), (3, "warning", "stalled")]);
    assert_eq!(face(finding), ["stalled", "upgrade", "minor", OLD]);
}

#[test]
fn a_server_that_missed_the_upgrade_has_joined_when_it_comes_back() {
    let mut recording = three(OLD).repeat(4, hours(2));
    recording.epochs[1].kill("a3");
    recording.epochs[2].kill("a3");
    for index in 2..4 {
        upgrade(&mut recording.epochs[index], "a1", NEW, minutes(9));
        upgrade(&mut recording.epochs[index], "a2", NEW, minutes(9));
    }
    recording.epochs[3].restart("a3", 5, minutes(1));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "ok", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(face(finding), ["stalled", "joined", "minor", NEW]);
    assert_eq!(outliers(finding), ["a3"]);
}

#[test]
fn the_time_since_the_previous_epoch_is_recent() {
    let upgraded = |step: SignedDuration, age: SignedDuration| {
        let mut recording = three(OLD).repeat(2, step);
        upgrade(&mut recording.epochs[1], "a1", NEW, age);
        let judged = judge(&recording, &[]);
        detail(judged.finding(CODE, "A"), "stage").to_owned()
    };
    assert_eq!(upgraded(days(1), hours(23)), "rolling");
    assert_eq!(upgraded(minutes(30), minutes(59)), "rolling");
    assert_eq!(upgraded(minutes(30), minutes(61)), "stalled");
}

#[test]
fn without_the_deciding_age_the_stage_is_unknown() {
    let mut recording = three(OLD).repeat(2, hours(1));
    let epoch = &mut recording.epochs[1];
    upgrade(epoch, "a1", NEW, minutes(1));
    epoch.drop_reply("a1", &Endpoint::VARZ);
    epoch.drop_reply("a1", &Endpoint::STATSZ);
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(face(finding), ["unknown", "undetermined", "minor", OLD]);
    assert_eq!(finding.severity.as_str(), "warning");
}

#[test]
fn in_the_first_epoch_only_a_young_newer_member_leaves_doubt() {
    let old = ("a1", OLD, days(9));
    let new = [("a2", NEW, days(2)), ("a3", NEW, days(2))];
    assert_eq!(alone(&[old, new[0], new[1]]), ["stalled", "forgotten", "minor", NEW]);
    let young = ("a3", NEW, minutes(59));
    assert_eq!(alone(&[old, new[0], young])[..2], ["unknown", "undetermined"]);
    let restarted = ("a1", OLD, minutes(1));
    assert_eq!(alone(&[restarted, new[0], new[1]])[..2], ["stalled", "undetermined"]);
}

#[test]
fn forgotten_needs_a_majority_and_odd_ones_older_in_version_and_age() {
    let new = [("a2", NEW, days(2)), ("a3", NEW, days(2))];
    let cause =
        |odd: (&'static str, &str, SignedDuration)| alone(&[odd, new[0], new[1]])[1].clone();
    assert_eq!(cause(("a1", OLD, days(2) + minutes(61))), "forgotten");
    assert_eq!(cause(("a1", OLD, days(2) + minutes(59))), "undetermined");
    assert_eq!(cause(("a1", "2.15.1", days(3))), "undetermined");
    let tie = [("a1", OLD, days(9)), ("a4", OLD, days(9)), new[0], new[1]];
    assert_eq!(alone(&tie)[1], "undetermined");
}

#[test]
fn gaps_are_told_by_semver_over_the_extremes_or_said_to_be_text() {
    let gap = |other: &str| {
        let servers = [("a1", other, days(9)), ("a2", "2.14.0", days(9)), ("a3", NEW, days(9))];
        alone(&servers)[2].clone()
    };
    assert_eq!(gap("2.14.3"), "patch");
    assert_eq!(gap("2.12.8"), "minor");
    assert_eq!(gap("1.4.1"), "major");
    assert_eq!(gap("2.14.0-RC.1"), "pre_release");
    assert_eq!(gap("dev"), "unparsed");
}

#[test]
fn versions_that_do_not_parse_are_no_upgrade() {
    let mut recording = three(OLD).repeat(2, hours(1));
    upgrade(&mut recording.epochs[1], "a1", "dev", minutes(1));
    let judged = judge(&recording, &[]);
    assert_eq!(face(judged.finding(CODE, "A")), ["rolling", "undetermined", "unparsed", OLD]);
}

#[test]
fn a_mix_lasts_at_least_since_it_was_first_seen() {
    let mut recording = three(OLD).repeat(4, hours(2));
    for (index, number) in [(1, 1), (2, 2), (3, 3)] {
        recording.epochs[index].set_version("a3", NEW);
        for server in ["a1", "a2", "a3"] {
            recording.epochs[index].restart(server, number, minutes(1));
        }
    }
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    // The newer side had started a minute before the first epoch that shows it, and later restarts
    // do not take that back.
    let proven = hours(4) + minutes(1) - SignedDuration::from_secs(2)..=hours(4) + minutes(1);
    assert!(proven.contains(&lasting(finding)), "{:?}", lasting(finding));
    assert_eq!(detail(finding, "stage"), "stalled");
}

#[test]
fn lasting_is_the_smaller_age_of_the_best_pair_of_versions() {
    let servers = [("a1", OLD, days(90)), ("a2", "2.14.0", days(7)), ("a3", NEW, days(41))];
    let judged = judge(&cluster(&servers), &[]);
    assert_eq!(lasting(judged.finding(CODE, "A")), days(41));
}

#[test]
fn the_worst_severity_stays_when_a_stalled_rollout_goes_on() {
    let mut recording = three(OLD).repeat(5, hours(2));
    for index in 1..5 {
        let since = hours(2 * (i64::try_from(index).unwrap() - 1));
        upgrade(&mut recording.epochs[index], "a1", NEW, minutes(9) + since);
    }
    for index in 3..5 {
        let since = hours(2 * (i64::try_from(index).unwrap() - 3));
        upgrade(&mut recording.epochs[index], "a2", NEW, minutes(9) + since);
    }
    upgrade(&mut recording.epochs[4], "a3", NEW, minutes(9));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    let story = [(1, "info", "rolling"), (2, "warning", "stalled"), (3, "info", "rolling")];
    assert_eq!(chapters(finding), story);
    assert_eq!(finding.severity.as_str(), "info");
    assert_eq!(finding.worst_severity.as_str(), "warning");
    assert_eq!(span(finding), (1, Some(0), Some((4, "cured"))));
}

#[test]
fn uniform_only_because_servers_left_is_ended() {
    let all = [("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", OLD, days(90))];
    let left = |judged: &Judged| because(judged.finding(CODE, "A")).to_owned();
    let recording = cluster(&all).repeat(2, hours(1)).at(1, |epoch| epoch.kill("a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(span(judged.finding(CODE, "A")), (0, None, Some((1, "ended"))));
    assert_eq!(left(&judged), "left or cut off: a3");
    // If one that stays changed its version as well, the mix was mended.
    let all = [("a1", NEW, days(9)), ("a2", OLD, days(90)), ("a3", OLD, days(90))];
    let mut recording = cluster(&all).repeat(2, hours(1)).at(1, |epoch| epoch.kill("a3"));
    upgrade(&mut recording.epochs[1], "a2", NEW, minutes(9));
    let judged = judge(&recording, &[]);
    assert_eq!(span(judged.finding(CODE, "A")), (0, None, Some((1, "cured"))));
}

#[test]
fn no_change_is_concluded_for_a_seat_that_two_servers_held() {
    // A second a3 on another version comes, then the first one goes: nobody was upgraded.
    let all =
        [("a1", OLD, days(9)), ("a2", OLD, days(9)), ("a3", OLD, days(9)), ("b3", NEW, days(9))];
    let mut recording = cluster(&all).repeat(4, hours(2));
    recording.epochs[0].kill("b3");
    let id = recording.epochs[1].id("b3");
    recording.epochs[0].forget_requests(&id);
    recording.epochs[3].kill("a3");
    for index in 1..4 {
        recording.epochs[index].rename("b3", "a3");
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(detail(finding, "stage"), "stalled");
    assert_ne!(detail(finding, "cause"), "upgrade");
    assert!(!judged.problems("shared_seat").is_empty());
}
