//! A difference that is only the start of an instance, and one that is not.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::{Finding, Severity};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, ids, minutes};

/// Stages in the order in which the finding took them on: epoch, stage, severity.
fn stages(finding: &Finding) -> Vec<(usize, &str, Severity)> {
    let changes = finding.changes.iter();
    changes.filter_map(|c| Some((c.moment.epoch, c.face["stage"].as_str()?, c.severity))).collect()
}

/// An instance of `orders` that started a moment ago and announces nothing yet.
fn starting(epoch: &mut Epoch, seconds: i64) {
    let id = ids(epoch).swap_remove(0);
    epoch.set_connected_for(&id, SignedDuration::from_secs(seconds));
    epoch.edit_info(&id, |body| body["endpoints"] = json!([]));
}

fn seconds(epochs: usize, step: i64) -> Recording {
    let first = Recording { epochs: minutes(1).epochs };
    first.repeat(epochs, SignedDuration::from_secs(step))
}

#[test]
fn an_instance_that_has_just_started_is_given_grace() {
    let young = seconds(4, 25).during(0..3, |epoch| starting(epoch, 2));
    let judged = judge(&young, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(0, "starting", Severity::Info)]);
    assert!(finding.summary.contains("just started"), "{}", finding.summary);
    assert_eq!(finding.closed.as_ref().map(|closed| closed.how), Some("cured"));
}

#[test]
fn grace_ends_with_the_age_of_the_instance() {
    let old = seconds(2, 25).at(0, |epoch| starting(epoch, 40)).at(1, |epoch| starting(epoch, 65));
    let judged = judge(&old, &[]);
    let (info, warning) = (Severity::Info, Severity::Warning);
    let expected = [(0, "starting", info), (1, "settled", warning)];
    assert_eq!(stages(judged.finding(CODE, ORDERS)), expected);
}

#[test]
fn grace_ends_with_how_long_it_lasts_though_the_instance_starts_anew_each_time() {
    let looping = seconds(4, 25).each(|epoch| starting(epoch, 2));
    let judged = judge(&looping, &[]);
    let (info, warning) = (Severity::Info, Severity::Warning);
    let expected = [(0, "starting", info), (3, "settled", warning)];
    assert_eq!(stages(judged.finding(CODE, ORDERS)), expected);
}

#[test]
fn an_instance_that_reconnected_or_reset_its_counters_is_not_young() {
    let reconnected = seconds(1, 25).each(|epoch| {
        starting(epoch, 2);
        let id = ids(epoch).swap_remove(0);
        epoch.set_started(&id, SignedDuration::from_hours(2));
    });
    let judged = judge(&reconnected, &[]);
    let expected = [(0, "settled", Severity::Warning)];
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), expected);
    // Its own word is no age: the listed one is that of the connection.
    assert!(finding.details["odd"][0]["age_s"].as_i64() < Some(60), "{}", finding.details);
    let reset = seconds(1, 25).each(|epoch| {
        starting(epoch, 7200);
        let id = ids(epoch).swap_remove(0);
        epoch.set_started(&id, SignedDuration::from_secs(2));
    });
    assert_eq!(stages(judge(&reset, &[]).finding(CODE, ORDERS)), expected);
}

#[test]
fn where_no_age_is_known_no_grace_is_claimed() {
    let blind = seconds(4, 25).each(|epoch| {
        starting(epoch, 2);
        epoch.drop_connections();
        epoch.drop_endpoint(&Endpoint::SRV_STATS);
    });
    let judged = judge(&blind, &[]);
    let warning = Severity::Warning;
    let expected = [(0, "unknown", warning), (3, "settled", warning)];
    assert_eq!(stages(judged.finding(CODE, ORDERS)), expected);
}

#[test]
fn a_queue_group_is_never_announced_late() {
    let young = seconds(1, 25).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.set_connected_for(&id, SignedDuration::from_secs(2));
        epoch.set_queue_group(&id, Some(&json!("blue")));
    });
    let judged = judge(&young, &[]);
    let expected = [(0, "settled", Severity::Warning)];
    assert_eq!(stages(judged.finding(CODE, ORDERS)), expected);
}

#[test]
fn an_old_instance_that_lacks_what_a_young_one_has_is_not_starting() {
    let newer = seconds(1, 25).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.set_connected_for(&id, SignedDuration::from_secs(2));
        epoch.announce(&id, "refund", "orders.refund");
    });
    let judged = judge(&newer, &[]);
    let expected = [(0, "settled", Severity::Warning)];
    assert_eq!(stages(judged.finding(CODE, ORDERS)), expected);
}
