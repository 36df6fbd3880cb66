//! The table of evidence, row by row: the first row that fits decides.

use jiff::SignedDuration;
use nats_hindsight_snapshot::lines::Status::{Denied, NoResponders, Ok, Skipped, Timeout};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, down, hides, kind, minutes, of_orders};

/// `orders` has no instance in the second epoch, and this is how asking it went.
fn gone(outcomes: &[nats_hindsight_snapshot::lines::Status]) -> Recording {
    minutes(2).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        if !outcomes.is_empty() {
            epoch.asked("APP", "orders", outcomes);
        }
    })
}

/// The instances of `orders` stay connected in the second epoch and answer nothing.
fn mute(outcomes: &[nats_hindsight_snapshot::lines::Status]) -> Recording {
    minutes(2).at(1, |epoch| {
        epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
        if !outcomes.is_empty() {
            epoch.asked("APP", "orders", outcomes);
        }
    })
}

fn on(epoch: &mut Epoch, server: &str) {
    for id in epoch.instances("APP", "orders") {
        epoch.move_connection(&id, server);
    }
}

#[test]
fn row_a_reply_is_ok_whatever_else_was_said() {
    let answered = minutes(2).at(1, |epoch| {
        epoch.asked("APP", "orders", &[NoResponders, NoResponders]);
        let ids = epoch.instances("APP", "orders");
        ids.iter().skip(1).for_each(|id| epoch.end_instance(id));
    });
    assert_eq!(of_orders(&answered), ["ok", "ok"]);
}

#[test]
fn row_not_asked_and_listed_is_ok_by_subscription() {
    assert_eq!(of_orders(&mute(&[])), ["ok", "ok"]);
    // Asked with nothing that could have been answered is not asked.
    assert_eq!(of_orders(&mute(&[Denied, Skipped])), ["ok", "ok"]);
}

#[test]
fn row_not_asked_and_listed_is_unknown_while_a_silent_interval_is_open() {
    let silent = minutes(4)
        .during([1, 2], |epoch| {
            epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
        })
        .at(1, |epoch| epoch.asked("APP", "orders", &[Timeout, Timeout]));
    let judged = judge(&silent, &[]);
    let expected = ["ok", "finding", "unknown(instance_silent)", "ok"];
    assert_eq!(judged.verdicts(CODE, ORDERS), expected);
    assert_eq!(judged.findings(CODE, ORDERS).len(), 1);
}

#[test]
fn row_no_responders_twice_and_listed_after_is_a_contradiction() {
    let listed = mute(&[NoResponders, NoResponders]);
    assert_eq!(of_orders(&listed), ["ok", "unknown(contradiction)"]);
}

#[test]
fn row_no_responders_twice_and_listed_before_is_gone() {
    let earlier = mute(&[NoResponders, NoResponders]).at(1, |epoch| epoch.list_connections_at(10));
    let judged = judge(&earlier, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
}

#[test]
fn row_no_responders_twice_and_every_holder_answers_is_gone() {
    let judged = judge(&gone(&[NoResponders, NoResponders]), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((kind(finding), &finding.details["asked_through"]), ("gone", &json!("a1")));
    assert_eq!(finding.details["servers"], json!(["a1", "a2", "a3"]));
    assert_eq!(finding.details["cut_off_with"], json!([]));
}

#[test]
fn row_no_responders_twice_and_a_holder_runs_anew_is_gone() {
    let anew = minutes(2).each(|epoch| on(epoch, "a3")).at(1, |epoch| {
        down(epoch);
        epoch.restart("a3", 1, SignedDuration::from_secs(5));
    });
    let judged = judge(&anew, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
}

#[test]
fn row_no_responders_twice_and_one_of_the_holders_is_dropped_is_cut_off() {
    let killed = minutes(2).at(1, |epoch| {
        down(epoch);
        epoch.kill("a2");
    });
    let judged = judge(&killed, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["a2"]));
    assert!(finding.summary.contains("a2"), "{}", finding.summary);
}

#[test]
fn row_no_responders_twice_and_a_holder_hangs_in_its_peers_route_lists_is_unknown() {
    let hung = minutes(2).at(1, |epoch| {
        down(epoch);
        epoch.hang("a2");
    });
    let judged = judge(&hung, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(server_silent)"]);
    assert_eq!(hides(&judged)[0]["server"], "a2");
}

#[test]
fn row_no_responders_twice_and_nobody_of_the_holders_cluster_answers_is_cut_off() {
    let far = Recording::epoch("supercluster", 0).repeat(2, SignedDuration::from_mins(1));
    let lost = far.at(1, |epoch| {
        epoch.down("APP", "billing");
        epoch.kill("b1");
        epoch.kill("b2");
    });
    let judged = judge(&lost, &[]);
    assert_eq!(judged.verdicts(CODE, "APP/billing"), ["ok", "finding"]);
    let finding = judged.finding(CODE, "APP/billing");
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["b2"]));
}

#[test]
fn row_holders_never_known_is_gone_and_says_that_it_cannot_be_told_from_cut_off() {
    let blind = gone(&[NoResponders, NoResponders]).each(Epoch::drop_connections);
    let judged = judge(&blind, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "gone");
    let proof = finding.details["proof"].as_str().unwrap_or_default();
    assert!(proof.contains("cannot be told from cut off"), "{proof}");
}

#[test]
fn row_holders_never_known_and_a_server_stopped_answering_since_is_cut_off() {
    let blind = gone(&[NoResponders, NoResponders]).each(Epoch::drop_connections);
    let judged = judge(&blind.at(1, |epoch| epoch.kill("a3")), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["a3"]));
}

#[test]
fn row_time_outs_and_listed_by_complete_connections_is_silent_and_names_them() {
    let judged = judge(&mute(&[Timeout, Timeout]), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "silent");
    let servers: Vec<_> = finding
        .evidence
        .iter()
        .filter(|fact| fact.name == "listed" && fact.endpoint == "CONNZ")
        .map(|fact| fact.source.as_str())
        .collect();
    assert_eq!(servers.len(), 3);
    assert!(["a1", "a2", "a3"].iter().all(|server| servers.contains(server)), "{servers:?}");
}

#[test]
fn row_time_outs_and_listed_by_incomplete_connections_is_unknown() {
    let cut = mute(&[Timeout, Timeout]).at(1, |epoch| epoch.cut_connections("a2"));
    let judged = judge(&cut, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(connections_incomplete)"]);
    assert_eq!(hides(&judged), [json!({"kind": "server", "cluster": "A", "server": "a2"})]);
}

#[test]
fn row_time_outs_and_no_longer_listed_is_gone_by_one_sweep() {
    let judged = judge(&gone(&[Timeout, Timeout]), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "gone");
    assert!(finding.summary.contains("by one sweep"), "{}", finding.summary);
}

#[test]
fn row_not_asked_and_no_longer_listed_is_gone_by_one_sweep() {
    let bundle = gone(&[]).each(Epoch::without_verbs);
    let judged = judge(&bundle, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
}

#[test]
fn row_no_longer_listed_and_a_holder_dropped_is_cut_off() {
    let killed = gone(&[Timeout, Timeout]).at(1, |epoch| epoch.kill("a3"));
    let judged = judge(&killed, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((kind(finding), &finding.details["cut_off_with"]), ("cut_off", &json!(["a3"])));
}

#[test]
fn row_no_longer_listed_and_a_holder_restarted_a_moment_ago_is_unknown() {
    let restarted = |age: i64| {
        gone(&[Timeout, Timeout])
            .at(1, |epoch| epoch.restart("a3", 1, SignedDuration::from_secs(age)))
    };
    let judged = judge(&restarted(5), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(settling)"]);
    assert_eq!(hides(&judged)[0]["server"], "a3");
    assert_eq!(of_orders(&restarted(40)), ["ok", "finding"]);
    // The threshold is settable.
    let patient = judge(&restarted(40), &[("SERVICE_002.settle_after", 60_000)]);
    assert_eq!(patient.verdicts(CODE, ORDERS), ["ok", "unknown(settling)"]);
}

#[test]
fn row_no_longer_listed_though_it_never_was_is_unknown() {
    // It answered before, but no connection ever listed it.
    let never = gone(&[Timeout, Timeout]).at(0, Epoch::drop_connections);
    assert_eq!(of_orders(&never), ["ok", "unknown(zero_unproven)"]);
}

#[test]
fn row_anything_else_is_unknown() {
    let blind = |outcomes: &[_]| gone(outcomes).at(1, Epoch::drop_connections);
    let incomplete = "unknown(connections_incomplete)";
    assert_eq!(of_orders(&blind(&[Timeout, Timeout])), ["ok", incomplete]);
    assert_eq!(of_orders(&blind(&[NoResponders])), ["ok", incomplete], "seen once");
    assert_eq!(of_orders(&blind(&[Timeout, NoResponders])), ["ok", incomplete]);
    assert_eq!(of_orders(&blind(&[NoResponders, Timeout])), ["ok", incomplete]);
    assert_eq!(of_orders(&blind(&[Ok, NoResponders])), ["ok", incomplete]);
}

#[test]
fn no_responders_too_close_together_prove_nothing() {
    let hasty = minutes(2).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.asked_apart("APP", "orders", &[NoResponders, NoResponders], 2_000_000);
        epoch.drop_connections();
    });
    assert_eq!(of_orders(&hasty), ["ok", "unknown(connections_incomplete)"]);
}

#[test]
fn a_first_request_that_is_lost_does_not_spoil_the_proof() {
    let lost = gone(&[Timeout, NoResponders, NoResponders]);
    let blind = lost.at(1, Epoch::drop_connections);
    let judged = judge(&blind, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
}

#[test]
fn a_permission_that_forbids_asking_is_named() {
    let denied = gone(&[Denied]).at(1, |epoch| {
        epoch.broadcast_ended("APP", &Denied);
        epoch.drop_connections();
    });
    let judged = judge(&denied, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(denied)"]);
    // Connections still tell, where they are complete.
    let listed = gone(&[Denied]).at(1, |epoch| epoch.broadcast_ended("APP", &Denied));
    assert_eq!(of_orders(&listed), ["ok", "finding"]);
}

#[test]
fn an_instance_that_was_asked_by_id_only_is_known_not_to_answer() {
    let by_id = mute(&[]).at(1, |epoch| {
        for id in ids(epoch) {
            epoch.asked_by_id("APP", "orders", &id, &Timeout);
        }
    });
    assert_eq!(of_orders(&by_id), ["ok", "unknown(instance_silent)"]);
}

/// Ids of `orders` as connections list them.
fn ids(epoch: &Epoch) -> Vec<String> {
    let prefix = "$SRV.PING.orders.";
    let mut ids: Vec<String> = epoch
        .connections()
        .filter_map(|(_, row)| row["subscriptions_list"].as_array())
        .flatten()
        .filter_map(|entry| Some(entry.as_str()?.strip_prefix(prefix)?.to_owned()))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}
