//! Rolling, stalled or not known; how long, and when it is overdue.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, age, closed, counts, every, ids, minutes, rollout, stages};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[test]
fn rolling_lasts_as_long_as_the_last_change_is_recent() {
    let mut all = vec![(3, 0), (2, 1)];
    all.resize(9, (2, 1));
    let judged = judge(&rollout(MINUTE, &all), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(1, "rolling"), (7, "stalled")], "five minutes, both included");
    let told: Vec<_> = finding.changes.iter().map(|c| (c.moment.epoch, c.severity)).collect();
    assert_eq!(told, [(1, Severity::Info), (7, Severity::Warning)]);
    assert_eq!((finding.severity, finding.worst_severity), (Severity::Warning, Severity::Warning));
}

#[test]
fn recent_is_never_shorter_than_the_step() {
    let daily = SignedDuration::from_hours(24);
    let judged = judge(&rollout(daily, &[(3, 0), (2, 1), (2, 1), (2, 1)]), &[]);
    assert_eq!(stages(judged.finding(CODE, ORDERS)), [(1, "rolling"), (3, "stalled")]);
}

#[test]
fn a_version_that_grows_at_the_cost_of_another_rolls_again() {
    let mut all = vec![(4, 0), (3, 1)];
    all.resize(8, (3, 1));
    all.push((2, 2));
    let judged = judge(&rollout(MINUTE, &all), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(1, "rolling"), (7, "stalled"), (8, "rolling")]);
    assert_eq!(finding.severity, Severity::Info);
    assert_eq!(finding.worst_severity, Severity::Warning);
}

#[test]
fn more_instances_of_the_same_versions_are_no_change() {
    let mut all = vec![(2, 0), (1, 1)];
    all.resize(8, (1, 1));
    // Scaled out, evenly: nobody grows at the cost of another.
    all.push((2, 2));
    all.push((3, 3));
    let judged = judge(&rollout(MINUTE, &all), &[]);
    assert_eq!(stages(judged.finding(CODE, ORDERS)), [(1, "rolling"), (7, "stalled")]);
}

#[test]
fn in_the_first_epoch_a_young_instance_leaves_it_unknown() {
    let young = |epochs: usize, seconds: i64| {
        minutes(epochs).each(|epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_app_version(&id, "1.3.0");
            age(epoch, &id, seconds);
        })
    };
    let judged = judge(&young(1, 200), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(0, "unknown")]);
    assert_eq!(finding.details["shape"], json!(null));
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.opened.at_or_before);
    assert_eq!(stages(judge(&young(1, 400), &[]).finding(CODE, ORDERS)), [(0, "stalled")]);
    let later = judge(&young(3, 200), &[]);
    assert_eq!(stages(later.finding(CODE, ORDERS)), [(0, "unknown"), (1, "stalled")]);
}

#[test]
fn in_the_first_epoch_no_known_age_leaves_it_unknown() {
    let ageless = minutes(1).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.3.0");
        epoch.drop_connections();
        epoch.drop_endpoint(&nats_hindsight_snapshot::Endpoint::SRV_STATS);
    });
    let judged = judge(&ageless, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(0, "unknown")]);
    assert_eq!(finding.details["lasting_s"], json!(null), "not known to last");
}

#[test]
fn without_connections_ages_rest_on_the_services_own_word_and_say_so() {
    let told = minutes(1).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.3.0");
        epoch.drop_connections();
    });
    let judged = judge(&told, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["ages_by_stats"], true);
    assert_eq!(stages(finding), [(0, "stalled")], "two hours by STATS");
    let connected = judge(
        &minutes(1).each(|epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_app_version(&id, "1.3.0");
        }),
        &[],
    );
    assert_eq!(connected.finding(CODE, ORDERS).details["ages_by_stats"], false);
}

#[test]
fn a_service_that_appears_in_two_versions_is_rolling_while_it_is_young() {
    let born =
        minutes(3).at(0, |epoch| epoch.end_service("APP", "orders")).during([1, 2], |epoch| {
            let all = ids(epoch);
            for id in &all {
                age(epoch, id, 20);
            }
            epoch.set_app_version(&all[0], "1.3.0");
        });
    let judged = judge(&born, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["-", "finding", "finding"]);
    assert_eq!(stages(judged.finding(CODE, ORDERS)), [(1, "rolling")]);
    // Older instances, which were only out of sight, prove that it did not come now.
    let hidden = minutes(2).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.3.0");
    });
    let hidden = hidden.at(0, |epoch| {
        epoch.lose_account("APP");
        epoch.drop_connections();
    });
    let judged = judge(&hidden, &[]);
    assert_eq!(stages(judged.finding(CODE, ORDERS)), [(1, "stalled")]);
}

#[test]
fn lasting_is_known_from_one_epoch_and_beyond_the_threshold_overdue() {
    let lasting = |seconds: i64| {
        minutes(1).each(|epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_app_version(&id, "1.3.0");
            age(epoch, &id, seconds);
        })
    };
    let hour = judge(&lasting(3600), &[]);
    let finding = hour.finding(CODE, ORDERS);
    assert_eq!(finding.details["lasting_s"], 3600, "since the younger of the two came");
    assert_eq!(finding.details["overdue"], true);
    let brief = judge(&lasting(1000), &[]);
    assert_eq!(brief.finding(CODE, ORDERS).details["overdue"], false);
    let set = judge(&lasting(1000), &[("SERVICE_001.overdue_after", 600_000)]);
    assert_eq!(set.finding(CODE, ORDERS).details["overdue"], true);
}

#[test]
fn lasting_is_never_longer_than_since_the_last_ok() {
    // A rollback to instances that had been up all the time cannot be: but a label may be changed.
    let story = minutes(3).during([1, 2], |epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.1.0");
    });
    let judged = judge(&story, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["lasting_s"], 120, "since epoch 0, though it is two hours old");
}

#[test]
fn lasting_is_never_shorter_than_since_the_opening_epoch() {
    let mut looping = rollout(SignedDuration::from_mins(20), &[(3, 0), (2, 1), (2, 1), (2, 1)]);
    for (round, epoch) in looping.epochs.iter_mut().enumerate().skip(2) {
        for id in ids(epoch) {
            let new = format!("{id}R{round}");
            epoch.restart_instance(&id, &new);
        }
    }
    let judged = judge(&looping, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["lasting_s"], 40 * 60);
    assert_eq!(finding.details["overdue"], true);
}

#[test]
fn a_rollout_that_is_overdue_is_a_warning_though_it_still_rolls() {
    let all: Vec<(usize, usize)> = (0..=6).map(|n| (6 - n, n)).collect();
    let judged = judge(&rollout(SignedDuration::from_mins(10), &all), &[]);
    let finding = judged.finding(CODE, ORDERS);
    // Since the last ok it lasts for more than half an hour from epoch 4 on.
    assert_eq!(stages(finding), [(1, "rolling"), (4, "rolling")]);
    let told: Vec<_> = finding.changes.iter().map(|c| (c.moment.epoch, c.severity)).collect();
    assert_eq!(told, [(1, Severity::Info), (4, Severity::Warning)]);
    assert_eq!(closed(finding), Some((6, "cured")));
}

#[test]
fn changes_count_from_the_last_ok() {
    // 1.3.0 was tried and taken back; the same version comes again later: it is a rollout anew.
    let mut all = vec![(3, 0), (2, 1)];
    all.resize(9, (3, 0));
    all.push((2, 1));
    let judged = judge(&rollout(MINUTE, &all), &[]);
    let findings = judged.findings(CODE, ORDERS);
    let told: Vec<_> =
        findings.iter().map(|f| (f.opened.moment.epoch, f.flaps, stages(f))).collect();
    assert_eq!(told, [(1, 0, vec![(1, "rolling")]), (9, 1, vec![(9, "rolling")])]);
    assert_eq!(closed(findings[0]), Some((2, "cured")));
}

#[test]
fn one_epoch_of_a_mix_tells_its_counts_as_they_are() {
    let mut one = every(MINUTE, 1);
    counts(&mut one.epochs[0], 1, 4);
    let judged = judge(&Recording { epochs: one.epochs }, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(super::sides(finding), [("1.2.0", 1), ("1.3.0", 4)]);
    assert_eq!(finding.details["majority"], "1.3.0");
}
