//! Rules of all checks that this one shows well: brackets, gaps, tracks, order, labels, ranges.

use jiff::SignedDuration;
use nats_hindsight_analyzer::engine::{self, Options};
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::report::{Finding, Report};
use nats_hindsight_tests::recording::servers::cluster;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;

use crate::support::*;

const ORDER: &str = "unknown(out_of_order)";

fn minute() -> SignedDuration {
    SignedDuration::from_mins(1)
}

fn three(version: &str) -> Recording {
    cluster(&[("a1", version, days(90)), ("a2", version, days(90)), ("a3", version, days(90))])
}

/// Six hours; a3 is on another version from hour 2 to hour 3.
fn six_hours() -> Recording {
    three(NEW).repeat(6, hours(1)).during([2, 3], |epoch| upgrade(epoch, "a3", OLD, minute()))
}

fn other_collector(epoch: &mut Epoch) {
    "another".clone_into(&mut epoch.header.collector.id);
}

fn during(recording: &Recording, from: usize, to: usize) -> Report {
    let time = |index: usize| Some(recording.epochs[index].header.start);
    let checks = registry::all();
    let options = Options { checks, from: time(from), to: time(to), ..Options::default() };
    engine::verdicts(&recording.open(), options).unwrap().0
}

#[test]
fn when_is_a_bracket_between_the_last_good_and_the_first_bad_epoch() {
    let judged = judge(&six_hours(), &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (2, Some(1), Some((4, "cured"))));
    let times = &judged.report.systems[0].epochs;
    assert_eq!(finding.opened.moment.time, times[2].time);
    assert_eq!(finding.opened.last_ok.as_ref().unwrap().time, times[1].time);
    let closed = finding.closed.as_ref().unwrap();
    assert_eq!(closed.moment.time, times[4].time);
    assert_eq!(closed.last_bad.as_ref().unwrap().time, times[3].time);
}

#[test]
fn a_restart_makes_an_age_small_and_not_the_time_that_is_proven() {
    let mixed = cluster(&[("a1", NEW, days(90)), ("a2", NEW, days(90)), ("a3", OLD, days(41))]);
    let story = mixed.repeat(2, hours(1)).at(1, |epoch| epoch.restart("a3", 1, minute()));
    let judged = judge(&story, &[]);
    let finding = judged.finding(CODE, "A");
    assert!(lasting(finding) > days(41), "{:?}", lasting(finding));
    assert_eq!(finding.details["lasting_at_least_s"], finding.details["lasting_s"]);
}

#[test]
fn after_an_epoch_that_was_not_ok_it_began_at_or_before() {
    let judged = judge(&six_hours().at(1, |epoch| epoch.hang("a2")), &[]);
    let words = ["ok", "unknown(server_silent)", "finding", "finding", "ok", "ok"];
    assert_eq!(judged.verdicts(CODE, "A"), words);
    assert_eq!(span(judged.finding(CODE, "A")), (2, None, Some((4, "cured"))));
}

#[test]
fn after_an_epoch_that_was_not_bad_it_closed_at_or_before() {
    let judged = judge(
        &six_hours().at(3, |epoch| {
            epoch.hang("a3");
        }),
        &[],
    );
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (2, Some(1), Some((4, "cured"))));
    assert_eq!(finding.closed.as_ref().unwrap().last_bad, None);
}

#[test]
fn a_long_step_is_a_gap_across_which_an_interval_stays_open() {
    let mut recording = three(NEW).repeat(6, hours(1));
    for index in 2..6 {
        upgrade(&mut recording.epochs[index], "a3", OLD, minute());
    }
    for (number, epoch) in recording.epochs.iter_mut().enumerate().skip(4) {
        let uuid = epoch.header.uuid.clone();
        epoch.later(hours(3), 20 + number as u64);
        assert_ne!(epoch.header.uuid, uuid);
    }
    let gaps = |recording: &Recording| {
        let judged = judge(recording, &[]);
        let finding = judged.finding(CODE, "A");
        assert_eq!(span(finding), (2, Some(1), None));
        let gaps = finding.gaps.iter().map(|gap| (gap.from, gap.to, gap.reason.clone()));
        gaps.collect::<Vec<_>>()
    };
    assert_eq!(gaps(&recording), [(3, 4, "not_recorded".to_owned())]);
    // Three usual steps are none.
    let mut recording = three(NEW).repeat(6, hours(1));
    for (number, epoch) in recording.epochs.iter_mut().enumerate().skip(2) {
        upgrade(epoch, "a3", OLD, minute());
        if number >= 4 {
            epoch.later(hours(2), 20 + number as u64);
        }
    }
    assert_eq!(gaps(&recording), []);
}

#[test]
fn a_range_limits_what_is_reported_not_what_is_judged() {
    let recording = six_hours();
    let own = |report: Report| -> Vec<Finding> {
        let all = report.systems.into_iter().flat_map(|system| system.findings);
        all.filter(|finding| finding.code == CODE).collect()
    };
    let count = |from, to| own(during(&recording, from, to)).len();
    // Down since hour 2, asked from hour 3.
    let findings = own(during(&recording, 3, 3));
    assert_eq!(findings[0].opened.moment.epoch, 2);
    assert_eq!(findings[0].closed.as_ref().unwrap().moment.epoch, 4);
    assert_eq!(count(0, 1), 0);
    assert_eq!(count(0, 2), 1);
    assert_eq!(count(5, 5), 0);
}

#[test]
fn epochs_are_judged_in_the_order_of_time_however_they_come() {
    let mut recording = six_hours();
    recording.epochs.reverse();
    let judged = judge(&recording, &[]);
    assert_eq!(span(judged.finding(CODE, "A")), (2, Some(1), Some((4, "cured"))));
}

#[test]
fn an_epoch_against_the_servers_own_clocks_is_not_compared() {
    // The collector's clock went on, the servers' clocks are those of two hours before.
    let mut recording = six_hours();
    let start = recording.epochs[3].header.start;
    recording.epochs[3] = recording.epochs[1].clone();
    recording.epochs[3].later(SignedDuration::ZERO, 30);
    recording.epochs[3].header.start = start;
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", ORDER, "ok", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (2, Some(1), Some((4, "cured"))));
    assert_eq!(finding.gaps[0].reason, "out_of_order");
}

#[test]
fn two_collectors_of_one_system_fold_on_one_timeline() {
    let mut recording = six_hours();
    for index in [1, 3, 5] {
        other_collector(&mut recording.epochs[index]);
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.report.systems.len(), 1);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "finding", "ok", "ok"]);
    assert_eq!(span(judged.finding(CODE, "A")), (2, Some(1), Some((4, "cured"))));
}

#[test]
fn a_collector_that_saw_neither_the_mix_nor_all_members_closes_nothing() {
    // The other collector, at hour 3, reaches two servers that know of no third one.
    let blind = |epoch: &mut Epoch| {
        other_collector(epoch);
        let id = epoch.id("a3");
        epoch.kill("a3");
        epoch.forget_requests(&id);
    };
    let recording = three(NEW)
        .repeat(5, hours(1))
        .during([2, 3], |epoch| upgrade(epoch, "a3", OLD, minute()))
        .at(3, blind);
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "ok", "ok"]);
    assert_eq!(span(judged.finding(CODE, "A")), (2, Some(1), Some((4, "cured"))));
    // One that sees all members may close it.
    let recording =
        six_hours().at(4, other_collector).at(5, |epoch| upgrade(epoch, "a3", OLD, minute()));
    let judged = judge(&recording, &[]);
    let spans: Vec<Span> = judged.findings(CODE, "A").into_iter().map(span).collect();
    assert_eq!(spans[0], (2, Some(1), Some((4, "cured"))));
}

#[test]
fn labels_that_nobody_set_are_one_system_where_they_share_servers() {
    let label = |epoch: &mut Epoch, name: &str, set: bool| {
        epoch.header.system = name.to_owned();
        epoch.header.system_set = set;
    };
    let mut recording = six_hours().each(|epoch| label(epoch, "10.0.0.1", false));
    label(&mut recording.epochs[3], "10.0.0.2", false);
    let judged = judge(&recording, &[]);
    assert_eq!(judged.report.systems.len(), 1);
    assert_eq!(span(judged.finding(CODE, "A")), (2, Some(1), Some((4, "cured"))));
    // Labels that were set are two systems, and neither explains the other.
    let mut recording = six_hours();
    label(&mut recording.epochs[3], "staging", true);
    let judged = judge(&recording, &[]);
    let names: Vec<_> = judged.report.systems.iter().map(|s| s.system.as_str()).collect();
    assert_eq!(names, ["prod", "staging"]);
    assert_eq!(judged.findings(CODE, "A").len(), 2);
}

#[test]
fn epochs_of_one_label_that_share_nothing_are_two_systems() {
    let mut recording = three(NEW).repeat(4, hours(1));
    for (number, index) in [(1, 1), (1, 3)] {
        for server in ["a1", "a2", "a3"] {
            recording.epochs[index].restart(server, number, days(30));
            recording.epochs[index].set_version(server, OLD);
        }
    }
    let judged = judge(&recording, &[]);
    let names: Vec<_> = judged.report.systems.iter().map(|s| s.system.as_str()).collect();
    assert_eq!(names, ["prod", "prod (2)"]);
    assert_eq!(judged.all_findings(), []);
    assert_eq!(judged.problems("several_systems").len(), 1);
}

#[test]
fn a_recorded_sequence_is_judged_alike_in_two_halves_of_a_file() {
    let whole = judge(&Recording::fixture("rolling-upgrade"), SECONDS);
    let mut recording = Recording::fixture("rolling-upgrade");
    let again = recording.epochs[1].clone();
    recording.epochs.push(again);
    let doubled = judge(&recording, SECONDS);
    assert_eq!(doubled.log, whole.log);
    assert_eq!(doubled.report.systems[0].findings.len(), whole.report.systems[0].findings.len());
}
