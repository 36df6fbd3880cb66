//! The table of situations.

use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::{CODE, ORDERS, edited, ids, kinds, minutes, odd, of_orders, sides, texts};

/// What is a start in recordings that take seconds.
const SCALED: &[(&str, i64)] = &[("SKEW_002.grace", 1000)];

#[test]
fn row_instances_that_announce_the_same_are_ok() {
    assert_eq!(of_orders(&minutes(2)), ["ok", "ok"]);
    let recorded = judge(&Recording::fixture("healthy"), &[]);
    assert_eq!(recorded.verdicts(CODE, ORDERS), ["ok"; 4]);
}

#[test]
fn row_python_and_rust_at_one_version_announce_the_same_as_recorded() {
    let recorded = judge(&Recording::fixture("language-mix"), SCALED);
    assert_eq!(recorded.verdicts(CODE, ORDERS), ["ok"; 4]);
    assert_eq!(super::unseen(&recorded), [""; 0]);
}

#[test]
fn row_another_queue_group_is_a_request_served_twice_as_recorded() {
    let recording = Recording::fixture("contract-drift");
    let judged = judge(&recording, &[]);
    let verdicts = judged.verdicts(CODE, ORDERS);
    assert_eq!(verdicts, ["ok", "finding", "finding", "ok", "ok", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((finding.severity, kinds(finding)), (Severity::Warning, vec!["queue_group"]));
    assert_eq!(sides(finding), [(json!("blue"), 1), (json!("q"), 1)]);
    let difference = &finding.details["differences"][0];
    assert_eq!(difference["times_served"], 2);
    assert_eq!(
        (&difference["endpoint"], &difference["subject"]),
        (&json!("call"), &json!("orders.call"))
    );
    assert!(finding.summary.contains("each request is served twice"), "{}", finding.summary);
    assert_eq!(finding.closed.as_ref().map(|c| (c.moment.epoch, c.how)), Some((3, "cured")));
    assert_eq!(served(&recording.epochs[1]), 0);
    assert_eq!(served(&recording.epochs[2]), 18, "nine requests were sent, and both groups served");
}

/// Requests that the instances of `orders` have counted.
fn served(epoch: &Epoch) -> u64 {
    let stats = epoch.replies.iter().filter(|reply| reply.line.subject.starts_with("$SRV.STATS"));
    let orders = stats.filter(|reply| reply.body["name"] == "orders");
    let requests = orders.filter_map(|reply| reply.body["endpoints"][0]["num_requests"].as_u64());
    requests.sum()
}

#[test]
fn row_an_endpoint_more_at_one_version_names_who_has_it_as_recorded() {
    let recording = Recording::fixture("contract-drift");
    let judged = judge(&recording, SCALED);
    let billing = "APP/billing";
    let verdicts = judged.verdicts(CODE, billing);
    assert_eq!(verdicts, ["ok", "finding", "finding", "ok", "ok", "ok"]);
    let finding = judged.finding(CODE, billing);
    assert_eq!((finding.severity, kinds(finding)), (Severity::Warning, vec!["endpoint"]));
    let difference = &finding.details["differences"][0];
    assert_eq!(
        (&difference["endpoint"], &difference["majority"]),
        (&json!("refund"), &json!("without"))
    );
    assert_eq!(
        (&difference["version"], &difference["times_served"]),
        (&json!("2.0.1"), &Value::Null)
    );
    let there = recording.epochs[0].instances("APP", "billing");
    let newcomer = odd(finding);
    assert_eq!(newcomer.len(), 1);
    assert!(!there.iter().any(|id| id == newcomer[0]), "it was not there before");
    assert_eq!(finding.details["odd"][0]["language"], "rust");
    let told = finding.evidence.iter().map(|fact| (fact.name.as_str(), fact.value.as_str()));
    let (with, without) = (("endpoint", Some("refund")), ("endpoint", Some("no refund")));
    assert_eq!(told.collect::<Vec<_>>(), [with, without, without], "the odd one first");
    assert!(finding.summary.contains("1 of 3 announce endpoint refund"), "{}", finding.summary);
}

#[test]
fn row_without_a_majority_all_are_named() {
    let mixed = minutes(1).each(|epoch| {
        for (id, group) in ids(epoch).iter().zip(["a", "b", "c"]) {
            epoch.set_queue_group(id, Some(&json!(group)));
        }
    });
    let judged = judge(&mixed, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["differences"][0]["majority"], Value::Null);
    assert_eq!(finding.details["differences"][0]["times_served"], 3);
    assert_eq!(odd(finding), ids(&mixed.epochs[0]));
}

#[test]
fn row_different_versions_may_announce_what_they_want() {
    let rollout = minutes(1).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.set_app_version(&id, "1.3.0");
        epoch.set_queue_group(&id, Some(&json!("blue")));
        epoch.announce(&id, "refund", "orders.refund");
    });
    assert_eq!(of_orders(&rollout), ["ok"]);
    assert_eq!(judge(&Recording::fixture("canary"), &[]).verdicts(CODE, ORDERS), ["ok"; 4]);
}

#[test]
fn row_one_mute_instance_is_unknown_unless_the_others_differ() {
    let mute = minutes(1).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.mute_instance(&id);
        epoch.asked_by_id("APP", "orders", &id, &Status::Timeout);
    });
    assert_eq!(of_orders(&mute), ["unknown(instance_silent)"]);
    let whole = minutes(1);
    let all = ids(&whole.epochs[0]);
    let differing = mute.each(|epoch| epoch.set_queue_group(&all[1], Some(&json!("blue"))));
    let judged = judge(&differing, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(texts(&finding.details["silent"]), [all[0].as_str()]);
    assert!(finding.summary.ends_with("1 did not tell"), "{}", finding.summary);
}

#[test]
fn row_an_instance_that_answers_a_ping_and_no_info_is_unknown_unless_the_others_differ() {
    let lost = minutes(1).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.drop_info(&id);
    });
    assert_eq!(of_orders(&lost), ["unknown(contract_unseen)"]);
    let all = ids(&minutes(1).epochs[0]);
    let differing = lost.each(|epoch| epoch.announce(&all[1], "refund", "orders.refund"));
    let judged = judge(&differing, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"]);
    assert_eq!(texts(&judged.finding(CODE, ORDERS).details["untold"]), [all[0].as_str()]);
}

#[test]
fn row_a_bundle_without_any_word_of_a_service_is_unknown() {
    assert_eq!(of_orders(&minutes(1).each(Epoch::without_verbs)), ["unknown(contract_unseen)"]);
    let all_mute =
        minutes(1).each(|epoch| ids(epoch).iter().for_each(|id| epoch.mute_instance(id)));
    assert_eq!(of_orders(&all_mute), ["unknown(instance_silent)"]);
}

#[test]
fn row_an_instance_without_a_version_cannot_be_compared() {
    let odd = edited(1, 0, |body| body["version"] = json!(12));
    let odd = odd.each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        epoch.drop_endpoint(&nats_hindsight_snapshot::Endpoint::SRV_STATS);
        epoch.replies.retain(|r| r.body["id"] != id.as_str() || r.body["endpoints"].is_array());
    });
    assert_eq!(of_orders(&odd), ["unknown(app_version_unseen)"]);
}

#[test]
fn row_a_service_that_goes_away_while_it_differs_is_ended() {
    let gone = minutes(3)
        .each(|epoch| {
            let id = ids(epoch).swap_remove(0);
            epoch.set_queue_group(&id, Some(&json!("blue")));
        })
        .at(1, |epoch| epoch.down("APP", "orders"))
        .at(2, |epoch| epoch.down("APP", "orders"));
    let judged = judge(&gone, &[]);
    let verdicts = judged.verdicts(CODE, ORDERS);
    assert_eq!(verdicts, ["finding", "not_applicable", "not_applicable"]);
    let closed = judged.finding(CODE, ORDERS).closed.as_ref().map(|c| (c.moment.epoch, c.how));
    assert_eq!(closed, Some((1, "ended")));
}

#[test]
fn row_a_service_of_which_nothing_is_known_is_unknown() {
    let lost = minutes(2).at(1, |epoch| epoch.end_service("APP", "orders"));
    let blind = judge(&lost.at(1, Epoch::drop_connections), &[]);
    assert_eq!(blind.verdicts(CODE, ORDERS), ["ok", "unknown(connections_incomplete)"]);
}

#[test]
fn row_the_same_name_in_two_accounts_is_never_compared() {
    let two = Recording::fixture("two-accounts").each(|epoch| {
        for id in epoch.instances("APP", "orders") {
            epoch.set_queue_group(&id, Some(&json!("blue")));
        }
    });
    let judged = judge(&two, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 4]);
    assert_eq!(judged.findings(CODE, "APP2/orders").len(), 0);
}
