//! How a difference begins, goes on and ends.

use jiff::SignedDuration;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use crate::support::*;

/// A server was reloaded with another `max_payload` some time ago.
fn reload(epoch: &mut Epoch, server: &str, age: SignedDuration) {
    epoch.set_setting(server, "max_payload", &json!(8_388_608));
    epoch.set_config_age(server, age);
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Epochs half an hour apart; a3 has another `max_payload` in those named.
fn odd_in(count: usize, epochs: std::ops::Range<usize>) -> Recording {
    three().repeat(count, minutes(30)).during(epochs, |epoch| reload(epoch, "a3", days(9)))
}

#[test]
fn a_change_is_rolling_while_servers_take_it_up_and_standing_when_they_do_not() {
    let mut recording = three().repeat(6, minutes(30));
    for index in 1..6 {
        let since = i64::try_from(index - 1).unwrap() * 30;
        reload(&mut recording.epochs[index], "a1", minutes(since + 5));
    }
    let judged = judge(&recording, &[]);
    let words = ["ok", "finding", "finding", "finding", "finding", "finding"];
    assert_eq!(judged.verdicts(CODE, "A"), words);
    let finding = judged.finding(CODE, "A");
    let chapters: Vec<_> = finding
        .changes
        .iter()
        .map(|change| (change.moment.epoch, change.severity.as_str(), change.face["stage"].clone()))
        .collect();
    assert_eq!(chapters, [(1, "info", json!("rolling")), (3, "warning", json!("standing"))]);
    // Taken up five minutes before epoch 1, and two hours went by since.
    assert_eq!(finding.details["lasting_s"], 125 * 60);
}

#[test]
fn daily_epochs_do_not_make_every_rollout_stand() {
    let recording =
        three().repeat(3, days(1)).during([1, 2], |epoch| reload(epoch, "a1", hours(5)));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.findings(CODE, "A")[0].changes[0].severity.as_str(), "info");
}

#[test]
fn a_restart_or_reload_without_another_value_is_no_change() {
    let recording = odd_in(3, 0..3).at(2, |epoch| {
        epoch.restart("a3", 1, minutes(1));
        epoch.set_config_age("a3", minutes(1));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"; 3]);
    let finding = judged.finding(CODE, "A");
    assert_eq!((finding.changes.len(), stage(finding)), (1, "standing"));
    // It was seen an hour before and was old then, whatever the restarted process says.
    let [lasting, proven] =
        ["lasting_s", "lasting_at_least_s"].map(|key| finding.details[key].as_i64().unwrap());
    assert!(lasting > 3600 && lasting == proven, "{lasting} {proven}");
}

#[test]
fn a_restart_of_a_server_that_agrees_stays_ok() {
    let recording = three().repeat(2, hours(1)).at(1, |epoch| {
        epoch.restart("a2", 1, minutes(1));
        epoch.set_config_age("a2", minutes(1));
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok", "ok"]);
}

#[test]
fn the_first_epoch_cannot_tell_a_rollout_from_a_leftover() {
    let recording = odd_in(3, 0..3).each(|epoch| epoch.set_config_age("a3", minutes(10)));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(finding.changes[0].face["stage"], "unknown");
    assert_eq!(finding.changes[0].severity.as_str(), "warning");
    assert_eq!(stage(finding), "standing");
}

#[test]
fn cured_when_the_odd_one_changes() {
    let judged = judge(&odd_in(4, 1..3), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "ok"]);
    assert_eq!(span(judged.finding(CODE, "A")), (1, Some(0), Some((3, "cured"))));
}

#[test]
fn cured_when_the_others_follow() {
    let recording = odd_in(3, 1..3).at(2, |epoch| {
        reload(epoch, "a1", minutes(1));
        reload(epoch, "a2", minutes(1));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(span(judged.finding(CODE, "A")), (1, Some(0), Some((2, "cured"))));
}

#[test]
fn ended_when_the_odd_one_leaves() {
    let recording = odd_in(3, 1..2).at(2, |epoch| {
        let id = epoch.id("a3");
        epoch.kill("a3");
        epoch.forget_requests(&id);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), Some((2, "ended"))));
    assert_eq!(because(finding), "left or cut off: a3");
}

#[test]
fn ended_when_the_odd_one_hung_and_was_dropped() {
    let recording = odd_in(4, 1..2).at(2, |epoch| epoch.hang("a3")).at(3, |epoch| epoch.kill("a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", SILENT, "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), Some((3, "ended"))));
    assert_eq!(because(finding), "cut off: a3");
}

#[test]
fn ended_when_one_server_is_left() {
    let two = servers(&[("a1", "2.14.6"), ("a2", "2.14.6")]);
    let recording = two.repeat(3, hours(1)).during([0, 1], |epoch| reload(epoch, "a2", days(9)));
    let recording = recording.at(2, |epoch| epoch.kill("a2"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "finding", "not_applicable"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, Some((2, "ended"))));
    assert_eq!(because(finding), "left or cut off: a2");
}

#[test]
fn ended_when_what_differed_is_compared_no_more() {
    const FLAG: &str = "feature_flags.js_ack_fc_v2";
    let recording = three().repeat(2, hours(1)).each(|epoch| {
        epoch.set_setting("a3", FLAG, &json!(true));
    });
    let recording = recording.at(1, |epoch| epoch.set_version("a3", "2.15.1"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, Some((1, "ended"))));
    assert!(because(finding).contains("compared no more"), "{}", because(finding));
}

#[test]
fn ended_when_the_cluster_answers_under_another_name() {
    let recording = odd_in(2, 0..2).at(1, |epoch| {
        epoch.rename_cluster("A", "B");
        for server in ["a1", "a2", "a3"] {
            epoch.restart(server, 3, minutes(1));
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "not_applicable"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, Some((1, "ended"))));
    assert!(because(finding).contains("cluster B"), "{}", because(finding));
    assert_eq!(judged.verdicts(CODE, "B"), ["-", "finding"]);
}

#[test]
fn two_clusters_that_join_are_one_that_may_differ() {
    let four = [("a1", "2.14.6"), ("a2", "2.14.6"), ("s1", "2.14.6"), ("s2", "2.14.6")];
    let recording = servers(&four).repeat(4, hours(1)).each(|epoch| {
        reload(epoch, "s1", days(9));
        reload(epoch, "s2", days(9));
    });
    let recording = recording.during([0, 1], |epoch| epoch.split(&["s1", "s2"]));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "finding"]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["ok", "ok", "not_applicable", "not_applicable"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(only(finding).1, ["1 MiB: a1 a2", "8 MiB: s1 s2"]);
    assert_eq!(stage(finding), "standing");
}

#[test]
fn a_server_that_joins_with_other_settings_is_standing_at_once() {
    let recording = three().repeat(3, minutes(30)).during([1, 2], |epoch| {
        epoch.clone_server("a1", "a4");
        reload(epoch, "a4", minutes(1));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!((stage(finding), finding.severity.as_str()), ("standing", "warning"));
    assert_eq!(outliers(finding), ["a4 max_payload"]);
}

#[test]
fn another_setting_that_differs_is_a_new_chapter() {
    let recording = odd_in(3, 0..3).at(2, |epoch| {
        epoch.set_setting("a3", "ping_max", &json!(9));
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    let chapters: Vec<_> = finding.changes.iter().map(|c| c.face["settings"].clone()).collect();
    assert_eq!(chapters, [json!(["max_payload"]), json!(["max_payload", "ping_max"])]);
}

#[test]
fn a_gap_keeps_it_open() {
    let recording = odd_in(4, 0..4).during([1, 2], |epoch| epoch.hang("a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", SILENT, SILENT, "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(finding.gaps.len(), 1);
}

#[test]
fn nobody_in_sight_keeps_it_open() {
    let recording = odd_in(2, 0..2).at(1, |epoch| {
        for server in ["a1", "a2", "a3"] {
            epoch.hang(server);
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", SILENT]);
    assert_eq!(hidden(&judged, 1), ["A/a1", "A/a2", "A/a3"]);
    assert!(judged.finding(CODE, "A").closed.is_none());
}
