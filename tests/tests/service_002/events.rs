//! Why a service went, as servers said by themselves.

use jiff::SignedDuration;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::{CODE, ORDERS, down, kind, minutes};

const EARLIER: SignedDuration = SignedDuration::from_secs(20);

/// Server and connection id of every instance of `orders`.
fn connections(epoch: &Epoch) -> Vec<(String, u64)> {
    let of_orders = |row: &&(&str, &Value)| row.1["name"] == "orders";
    let all = epoch.connections().collect::<Vec<_>>();
    let mut all: Vec<(String, u64)> = all
        .iter()
        .filter(of_orders)
        .map(|(server, row)| ((*server).to_owned(), row["cid"].as_u64().unwrap_or_default()))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// `orders` goes in the third of four epochs; its servers remember no closed connection.
fn gone(edit: impl Fn(usize, &mut Epoch)) -> Recording {
    let mut story = minutes(4).listened().during([2, 3], down);
    for (index, epoch) in story.epochs.iter_mut().enumerate() {
        epoch.replies.retain(|reply| reply.line.endpoint != Endpoint::CONNZ_CLOSED);
        edit(index, epoch);
    }
    story
}

fn told(recording: &Recording) -> (Value, usize, String) {
    let judged = judge(recording, &[]);
    let finding = judged.finding(CODE, ORDERS);
    let stops = finding.details["stops"].as_array().map_or(0, Vec::len);
    (finding.details["why"].clone(), stops, finding.summary.clone())
}

#[test]
fn the_reason_of_each_disconnect_is_told_and_remembered() {
    let all = connections(&minutes(1).epochs[0]);
    assert_eq!(all.len(), 3);
    for (reason, word, clause) in [
        ("Client Closed", "client_closed", "its clients closed their connections or ended"),
        ("Authentication Expired", "credentials", "its credentials expired or were taken away"),
        ("Slow Consumer (Pending Bytes)", "slow_consumer", "too slowly"),
        ("Stale Connection", "stale", "stopped answering pings"),
    ] {
        let story = gone(|index, epoch| {
            if index == 2 {
                for (server, cid) in &all {
                    epoch.say_disconnected(server, *cid, reason, EARLIER);
                }
            }
        });
        let (why, stops, summary) = told(&story);
        assert_eq!((why, stops), (json!([word]), 3), "{reason}");
        assert!(summary.contains(clause), "{summary}");
        let judged = judge(&story, &[]);
        let finding = judged.finding(CODE, ORDERS);
        assert_eq!(kind(finding), "gone");
        assert_eq!(finding.details["stops"][0]["told_by"], "EVENTS");
        assert_eq!(finding.details["stops"][0]["reason"], reason);
        let facts = finding.evidence.iter().filter(|fact| fact.name == "connection ended");
        assert!(facts.clone().count() == 3 && facts.clone().all(|f| f.endpoint == "EVENTS"));
    }
}

#[test]
fn different_reasons_are_listed_and_not_summed_up() {
    let all = connections(&minutes(1).epochs[0]);
    let story = gone(|index, epoch| {
        if index == 2 {
            epoch.say_disconnected(&all[0].0, all[0].1, "Client Closed", EARLIER);
            epoch.say_disconnected(&all[1].0, all[1].1, "Stale Connection", EARLIER);
        }
    });
    let (why, stops, summary) = told(&story);
    assert_eq!((why, stops), (json!(["client_closed", "stale"]), 2));
    assert!(!summary.contains("clients"), "{summary}");
}

#[test]
fn the_end_of_another_connection_tells_nothing() {
    let all = connections(&minutes(1).epochs[0]);
    let story = gone(|index, epoch| {
        if index == 2 {
            epoch.say_disconnected(&all[0].0, 999_999, "Stale Connection", EARLIER);
            epoch.say_disconnected("NELSEWHERE", all[0].1, "Stale Connection", EARLIER);
        }
    });
    let (why, stops, _) = told(&story);
    assert_eq!((why, stops), (json!([]), 0));
    let judged = judge(&story, &[]);
    let unseen: Vec<&str> = judged.report.systems[0]
        .unseen
        .iter()
        .filter(|unseen| unseen.code == CODE)
        .map(|unseen| unseen.facet)
        .collect();
    assert_eq!(unseen, ["why_it_went"]);
}

#[test]
fn a_disconnect_never_takes_a_service_away() {
    let all = connections(&minutes(1).epochs[0]);
    let story = minutes(3).listened().at(1, |epoch| {
        for (server, cid) in &all {
            epoch.say_disconnected(server, *cid, "Client Closed", EARLIER);
        }
    });
    assert_eq!(judge(&story, &[]).verdicts(CODE, ORDERS), ["ok"; 3]);
}

/// Its server, and the two others, in hourly epochs: `orders` runs on `a3` alone.
fn on_a3(word: Option<&str>) -> Recording {
    let whole = minutes(1).at(0, |epoch| {
        let mut all = epoch.instances("APP", "orders");
        let kept = all.remove(0);
        for id in &all {
            epoch.end_instance(id);
        }
        epoch.move_connection(&kept, "a3");
    });
    let a3 = whole.epochs[0].id("a3");
    whole.repeat(3, SignedDuration::from_mins(1)).listened().at(2, |epoch| {
        down(epoch);
        epoch.kill("a3");
        if let Some(word) = word {
            epoch.farewell(&a3, word, EARLIER);
        }
    })
}

#[test]
fn a_service_whose_server_left_cleanly_is_gone_and_not_cut_off() {
    for word in ["SHUTDOWN", "LAMEDUCK"] {
        let judged = judge(&on_a3(Some(word)), &[]);
        let finding = judged.finding(CODE, ORDERS);
        assert_eq!(kind(finding), "gone", "{word}");
        assert_eq!(finding.details["cut_off_with"], json!([]));
        assert_eq!(finding.details["why"], json!(["server_left"]));
        assert!(finding.summary.contains("its server was stopped"), "{}", finding.summary);
    }
    let judged = judge(&on_a3(None), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["a3"]));
}

#[test]
fn recorded_stops_and_deaths() {
    let judged = judge(&Recording::fixture("clean-stop"), &[]);
    let finding = judged.finding(CODE, "APP/billing");
    assert_eq!((kind(finding), &finding.details["why"]), ("gone", &json!(["server_left"])));
    let judged = judge(&Recording::fixture("killed"), &[]);
    let finding = judged.finding(CODE, "APP/billing");
    assert_eq!((kind(finding), &finding.details["why"]), ("cut_off", &json!([])));
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((kind(finding), &finding.details["why"]), ("gone", &json!(["client_closed"])));
    // The servers' lists of closed connections say the same as what they published.
    let events =
        Recording::fixture("killed").each(|epoch| epoch.drop_endpoint(&Endpoint::CONNZ_CLOSED));
    let judged = judge(&events, &[]);
    let again = judged.finding(CODE, ORDERS);
    assert_eq!(again.details["why"], json!(["client_closed"]));
    assert_eq!(again.details["stops"][0]["told_by"], "EVENTS");
    let time = |finding: &nats_hindsight_analyzer::report::Finding| {
        finding.details["stops"][0]["time"].clone()
    };
    let listed = judge(&Recording::fixture("killed"), &[]);
    assert_eq!(time(listed.finding(CODE, ORDERS)), time(again));
}
