//! What the header remembers: a single file can show an outage.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_snapshot::lines::Status::{NoResponders, Timeout};
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, closed, down, kind, minutes};

/// The last epoch of an outage alone; its header expects what an earlier epoch showed.
fn last_file(minutes_down: usize) -> Recording {
    let mut all = minutes(minutes_down + 1).during(1..=minutes_down, down).epochs;
    let before = all.remove(0);
    let mut last = all.pop().unwrap_or_else(|| before.clone());
    last.expect_service("APP", "orders", &before);
    Recording { epochs: vec![last] }
}

#[test]
fn row_only_the_last_file_of_an_outage_is_given() {
    let judged = judge(&last_file(3), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert!(finding.opened.at_or_before && finding.opened.last_ok.is_none());
    assert_eq!((kind(finding), finding.severity), ("gone", Severity::Critical));
    assert_eq!(finding.details["instances_before"], 3);
    assert_eq!(finding.details["servers"], json!(["a1", "a2", "a3"]));
    assert_eq!(finding.details["last_instances"].as_array().map(Vec::len), Some(3));
}

#[test]
fn row_only_the_last_file_of_a_recorded_outage_is_given() {
    for index in [1, 2] {
        let judged = judge(&Recording::epoch("service-down", index), &[]);
        assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"], "epoch {index}");
        assert!(judged.finding(CODE, ORDERS).opened.at_or_before);
    }
    let whole = judge(&Recording::epoch("service-down", 3), &[]);
    assert_eq!(whole.verdicts(CODE, ORDERS), ["ok"], "it is back");
}

#[test]
fn the_last_file_names_the_server_that_went_with_it() {
    let killed = last_file(1).each(|epoch| {
        let id = epoch.id("a2");
        epoch.expect_server(&id, "a2", "A", "2.12.8");
        epoch.kill("a2");
    });
    let judged = judge(&killed, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["a2"]));
    assert!(finding.opened.at_or_before);
}

#[test]
fn a_last_file_that_could_not_ask_is_unknown() {
    let deaf = last_file(1).each(|epoch| {
        epoch.lose_account("APP");
        epoch.drop_connections();
    });
    assert_eq!(judge(&deaf, &[]).verdicts(CODE, ORDERS), ["unknown(account_unreachable)"]);
}

#[test]
fn a_later_header_remembers_what_no_file_given_shows() {
    // The files between are missing: mailer came and went meanwhile.
    let shown = Recording::fixture("service-down").epochs.remove(2);
    let story = minutes(3).during([1, 2], |epoch| {
        epoch.expect_service("APP", "mailer", &shown);
        epoch.asked("APP", "mailer", &[NoResponders, NoResponders]);
    });
    let judged = judge(&story, &[]);
    assert_eq!(judged.verdicts(CODE, "APP/mailer"), ["-", "finding", "finding"]);
    assert!(judged.finding(CODE, "APP/mailer").opened.at_or_before);
}

#[test]
fn down_since_counts_from_the_last_good_epoch_not_from_silence() {
    let story = minutes(4)
        .during([1, 2], |epoch| {
            epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
            epoch.asked("APP", "orders", &[Timeout, Timeout]);
        })
        .at(3, down);
    let good = story.epochs[0].start();
    let judged = judge(&story, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.opened.moment.epoch, 1);
    assert_eq!(finding.details["last_good"], format!("{good:.3}"));
}

#[test]
fn after_long_gone_it_is_info_and_stays_open() {
    let hours = Recording::epoch("service-down", 0).repeat(4, SignedDuration::from_hours(10));
    let judged = judge(&hours.during([1, 2, 3], down), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    let severities: Vec<_> =
        finding.changes.iter().map(|change| (change.moment.epoch, change.severity)).collect();
    assert_eq!(severities, [(1, Severity::Critical), (3, Severity::Info)]);
    assert_eq!((finding.severity, finding.worst_severity), (Severity::Info, Severity::Critical));
    assert_eq!(closed(finding), None);
}
