//! `HINT_002 single-instance`: every situation, and the rules behind them.

use nats_hindsight_analyzer::report::{Finding, Severity};
use nats_hindsight_analyzer::settings::{Pattern, Retired, Settings};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{ExpectsLine, Status};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{judge, judge_with};
use serde_json::{Value, json};

const CODE: &str = "HINT_002";
const BILLING: &str = "APP/billing";

/// One instance of `billing` on a1, every server's connections, and nothing remembered.
fn one() -> Recording {
    Recording::epoch("service-down", 1).each(|epoch| epoch.header.expects = ExpectsLine::default())
}

/// The id of the one instance.
fn the_one(recording: &Recording) -> String {
    recording.epochs[0].instances("APP", "billing").remove(0)
}

fn of_billing(recording: &Recording) -> Vec<String> {
    judge(recording, &[]).verdicts(CODE, BILLING)
}

fn closed(finding: &Finding) -> Option<(usize, &'static str)> {
    finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how))
}

/// Ids of the instances that went.
fn gone(finding: &Finding) -> Vec<&str> {
    let rows = finding.details["gone"].as_array().into_iter().flatten();
    rows.filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn row_two_or_more_are_ok_whatever_else_is_seen() {
    let healthy = judge(&Recording::fixture("healthy"), &[]);
    assert_eq!(healthy.verdicts(CODE, "APP/orders"), ["ok"; 4]);
    let blind = Recording::epoch("service-silent", 0).each(Epoch::drop_connections);
    assert_eq!(judge(&blind, &[]).verdicts(CODE, "APP/orders"), ["ok"]);
}

#[test]
fn row_one_of_three_is_left_as_recorded() {
    let recording = Recording::fixture("service-down");
    let judged = judge(&recording, &[]);
    let verdicts = judged.verdicts(CODE, BILLING);
    assert_eq!(verdicts, ["ok", "finding", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, BILLING);
    assert_eq!((finding.severity, finding.worst_severity), (Severity::Info, Severity::Info));
    assert_eq!((closed(finding), &finding.details["kind"]), (None, &json!("left")));
    assert_eq!(finding.details["instances_before"], 3);
    let before = recording.epochs[0].instances("APP", "billing");
    let left = recording.epochs[1].instances("APP", "billing");
    assert_eq!(finding.details["instances"][0]["id"], left[0].as_str());
    let went: Vec<&str> = before.iter().map(String::as_str).filter(|id| *id != left[0]).collect();
    assert_eq!(gone(finding), went);
    assert_eq!(finding.details["gone"][0]["reason"], "Client Closed");
    assert!(finding.summary.starts_with("1 instance is left of 3, on a"), "{}", finding.summary);
}

#[test]
fn row_a_service_that_only_ever_had_one_is_alone_as_recorded() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    let finding = judged.finding(CODE, "APP/mailer");
    assert_eq!(finding.opened.moment.epoch, 2);
    assert_eq!(finding.details["kind"], "alone");
    assert_eq!((gone(finding).len(), &finding.details["instances_before"]), (0, &Value::Null));
    assert_eq!(finding.details["instances"][0]["server"], "a2");
    assert_eq!(finding.summary, "1 instance, on a2");
}

#[test]
fn row_a_second_one_cures_as_recorded() {
    let judged = judge(&Recording::fixture("contract-drift"), &[]);
    let verdicts = judged.verdicts(CODE, "APP/orders");
    assert_eq!(verdicts, ["ok", "ok", "ok", "ok", "finding", "ok"]);
    let finding = judged.finding(CODE, "APP/orders");
    assert_eq!(closed(finding), Some((5, "cured")));
    let since = finding.details["alone_since"].as_str();
    assert_eq!(since, Some(finding.opened.moment.time.as_str()));
    assert_eq!(
        finding.details["last_with_more"],
        json!(finding.opened.last_ok.as_ref().map(|ok| &ok.time))
    );
}

#[test]
fn row_none_is_for_service_down_and_ends_the_interval() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    let verdicts = judged.verdicts(CODE, "APP/orders");
    assert_eq!(verdicts, ["ok", "not_applicable", "not_applicable", "ok", "ok"]);
    let ended = one().repeat(2, jiff::SignedDuration::from_mins(1));
    let ended = ended.at(1, |epoch| epoch.down("APP", "billing"));
    let judged = judge(&ended, &[]);
    assert_eq!(judged.verdicts(CODE, BILLING), ["finding", "not_applicable"]);
    assert_eq!(closed(judged.finding(CODE, BILLING)), Some((1, "ended")));
}

#[test]
fn row_one_answer_without_any_connection_is_unknown() {
    assert_eq!(of_billing(&one()), ["finding"]);
    let blind = one().each(Epoch::drop_connections);
    assert_eq!(of_billing(&blind), ["unknown(connections_incomplete)"]);
    let account_only = one().each(Epoch::without_system);
    assert_eq!(of_billing(&account_only), ["unknown(connections_incomplete)"]);
}

#[test]
fn row_one_answer_and_a_server_without_its_connections_is_unknown() {
    for server in ["a1", "a2", "a3"] {
        let cut = one().each(|epoch| epoch.cut_connections(server));
        assert_eq!(of_billing(&cut), ["unknown(connections_incomplete)"], "{server}");
        let dropped = one().each(|epoch| epoch.drop_reply(server, &Endpoint::CONNZ));
        assert_eq!(of_billing(&dropped), ["unknown(connections_incomplete)"], "{server}");
    }
}

#[test]
fn row_one_answer_and_a_silent_server_is_unknown() {
    let hung = one().repeat(2, jiff::SignedDuration::from_mins(1)).at(1, |epoch| epoch.hang("a3"));
    let judged = judge(&hung, &[]);
    assert_eq!(judged.verdicts(CODE, BILLING), ["finding", "unknown(server_silent)"]);
    assert_eq!(closed(judged.finding(CODE, BILLING)), None, "not seen is not cured");
}

#[test]
fn row_one_answer_and_a_mute_instance_is_unknown() {
    let mute = one().each(|epoch| {
        let id = epoch.instances("APP", "billing").remove(0);
        epoch.clone_instance(&id, "MUTE");
        epoch.mute_instance("MUTE");
    });
    assert_eq!(of_billing(&mute), ["unknown(instance_silent)"]);
}

#[test]
fn row_one_answer_and_another_id_on_a_leaf_connection_is_unknown() {
    let behind = |mute: bool| {
        one().each(|epoch| {
            let id = epoch.instances("APP", "billing").remove(0);
            epoch.clone_instance(&id, "BEHIND");
            epoch.put_instance_behind_leaf("BEHIND", "leaf-west");
            if mute {
                epoch.mute_instance("BEHIND");
            }
        })
    };
    assert_eq!(of_billing(&behind(true)), ["unknown(behind_leaf_node)"]);
    assert_eq!(of_billing(&behind(false)), ["ok"], "it answered, and so there are two");
}

#[test]
fn row_the_one_instance_behind_a_leaf_node_is_a_finding() {
    let behind = one().each(|epoch| {
        let id = epoch.instances("APP", "billing").remove(0);
        epoch.put_instance_behind_leaf(&id, "leaf-west");
    });
    let judged = judge(&behind, &[]);
    assert_eq!(judged.verdicts(CODE, BILLING), ["finding"]);
    let summary = &judged.finding(CODE, BILLING).summary;
    assert_eq!(summary, "1 instance, behind leaf node leaf-west");
}

#[test]
fn row_one_answer_that_complete_connections_do_not_list_is_unknown() {
    // As of a service whose name cannot stand in a subject: a mute one would not be listed either.
    let unlisted = one().each(|epoch| epoch.unlist_service("billing"));
    assert_eq!(of_billing(&unlisted), ["unknown(unlisted)"]);
}

#[test]
fn row_a_bundle_that_lists_one_is_a_finding_by_its_connection() {
    let bundle = one().each(Epoch::without_verbs);
    let judged = judge(&bundle, &[]);
    assert_eq!(judged.verdicts(CODE, BILLING), ["finding"]);
    let finding = judged.finding(CODE, BILLING);
    assert_eq!(finding.details["known_by"], "connection");
    assert_eq!(finding.summary, "1 instance, on a1, by its connection alone");
    let three = Recording::epoch("service-down", 0).each(Epoch::without_verbs);
    assert_eq!(of_billing(&three), ["ok"]);
}

#[test]
fn row_listed_instances_of_an_account_that_was_asked_and_said_nothing_are_unknown() {
    let silent = one().each(|epoch| {
        let id = epoch.instances("APP", "billing").remove(0);
        epoch.mute_instance(&id);
    });
    assert_eq!(of_billing(&silent), ["unknown(instance_silent)"]);
    let denied = silent.each(|epoch| epoch.broadcast_ended("APP", &Status::Denied));
    assert_eq!(of_billing(&denied), ["finding"], "nobody could ask: it is there by subscription");
}

#[test]
fn row_a_service_of_which_nothing_is_known_is_unknown() {
    let lost = one().repeat(2, jiff::SignedDuration::from_mins(1));
    let lost = lost.at(1, |epoch| epoch.end_service("APP", "billing"));
    let lost = lost.at(1, Epoch::drop_connections);
    assert_eq!(of_billing(&lost), ["finding", "unknown(connections_incomplete)"]);
}

#[test]
fn what_the_collector_remembers_counts_as_before() {
    let judged = judge(&Recording::epoch("service-down", 1), &[]);
    let finding = judged.finding(CODE, BILLING);
    assert_eq!(
        (&finding.details["kind"], &finding.details["instances_before"]),
        (&json!("left"), &json!(3))
    );
    let earlier = Recording::epoch("service-down", 0);
    assert_eq!(gone(finding).len(), 2);
    let before = earlier.epochs[0].instances("APP", "billing");
    assert!(gone(finding).iter().all(|id| before.iter().any(|old| old == id)));
}

#[test]
fn evidence_names_every_list_that_shows_no_other() {
    let recording = one();
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, BILLING);
    let counts = finding.evidence.iter().filter(|fact| fact.name == "instances listed");
    let mut counts: Vec<(&str, u64)> =
        counts.filter_map(|fact| Some((fact.source.as_str(), fact.value.as_u64()?))).collect();
    counts.sort_unstable();
    assert_eq!(counts, [("a1", 1), ("a2", 0), ("a3", 0)]);
    let told = finding.evidence.iter().find(|fact| fact.name == "instance");
    assert_eq!(told.map(|fact| fact.value.clone()), Some(json!(the_one(&recording))));
}

fn pattern(reason: &str) -> Pattern {
    Pattern { account: None, service: "billing".to_owned(), reason: reason.to_owned() }
}

#[test]
fn what_may_be_at_zero_may_be_at_one_and_what_is_retired_is_not_judged() {
    let mut settings = Settings::default();
    settings.exceptions.may_be_zero.push(pattern("nightly"));
    let judged = judge_with(&one(), settings);
    assert_eq!(judged.verdicts(CODE, BILLING), ["ok"]);
    let exceptions = judged.report.systems[0].exceptions.iter();
    let mine: Vec<&str> =
        exceptions.filter(|e| e.kind == "may_be_zero").map(|e| e.reason.as_str()).collect();
    assert_eq!(mine, ["nightly"]);
    let mut settings = Settings::default();
    let from = one().epochs[0].start();
    settings.exceptions.retired.push(Retired { service: pattern("moved"), from });
    assert_eq!(judge_with(&one(), settings).verdicts(CODE, BILLING), ["not_applicable"]);
}
