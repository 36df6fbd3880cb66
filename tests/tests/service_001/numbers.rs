//! Requests, errors, contracts, and what is told of each instance.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::{CODE, ORDERS, ids, minutes};

/// Requests and errors of the one on 1.3.0 and of the two on 1.2.0, in the epoch before and now.
fn served(newer: [(u64, u64); 2], older: [(u64, u64); 2]) -> Recording {
    let mut story = minutes(2).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.3.0");
    });
    for (index, epoch) in story.epochs.iter_mut().enumerate() {
        let all = ids(epoch);
        epoch.set_served(&all[0], newer[index].0, newer[index].1);
        for id in &all[1..] {
            epoch.set_served(id, older[index].0, older[index].1);
        }
    }
    story
}

fn rates(recording: &Recording) -> Value {
    let judged = judge(recording, &[]);
    judged.finding(CODE, ORDERS).details["error_rates"].clone()
}

#[test]
fn error_rates_that_differ_by_a_factor_of_two_are_called_out() {
    let worse = served([(1000, 0), (1100, 10)], [(1000, 0), (1050, 1)]);
    let expected = json!([
        { "version": "1.2.0", "requests": 100, "errors": 2 },
        { "version": "1.3.0", "requests": 100, "errors": 10 },
    ]);
    assert_eq!(rates(&worse), expected, "since the epoch before, not since the start");
    let twice = served([(0, 0), (100, 4)], [(0, 0), (50, 1)]);
    assert_eq!(rates(&twice).as_array().map(Vec::len), Some(2), "exactly two");
    let only = served([(0, 0), (100, 1)], [(0, 0), (50, 0)]);
    assert_eq!(rates(&only).as_array().map(Vec::len), Some(2), "against none at all");
}

#[test]
fn error_rates_that_say_nothing_are_not_called_out() {
    let few = served([(0, 0), (99, 50)], [(0, 0), (500, 1)]);
    assert_eq!(rates(&few), json!([]), "fewer than a hundred requests on one side");
    let alike = served([(0, 0), (1000, 19)], [(0, 0), (500, 5)]);
    assert_eq!(rates(&alike), json!([]), "less than a factor of two");
    let clean = served([(0, 0), (1000, 0)], [(0, 0), (500, 0)]);
    assert_eq!(rates(&clean), json!([]), "no errors");
    let restarted = served([(5000, 90), (400, 80)], [(0, 0), (500, 1)]);
    assert_eq!(rates(&restarted), json!([]), "a counter that shrank is no difference");
    let blind = served([(0, 0), (1000, 100)], [(0, 0), (500, 0)])
        .at(1, |epoch| epoch.drop_endpoint(&Endpoint::SRV_STATS));
    assert_eq!(rates(&blind), json!([]), "no STATS");
}

#[test]
fn the_first_epoch_calls_out_no_error_rates() {
    let mut story = served([(0, 0), (1000, 100)], [(0, 0), (500, 0)]);
    story.epochs.remove(0);
    assert_eq!(rates(&story), json!([]), "there is no difference to take");
}

#[test]
fn contract_tells_what_only_one_side_announces() {
    let mixed = |edit: &dyn Fn(&mut Epoch, &str)| {
        let story = minutes(1).each(|epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_app_version(&id, "1.3.0");
            edit(epoch, &id);
        });
        let judged = judge(&story, &[]);
        judged.finding(CODE, ORDERS).details["contract"].clone()
    };
    assert_eq!(mixed(&|_, _| ()), json!([]), "both announce the same");
    let more = mixed(&|epoch, id| epoch.announce(id, "refund", "orders.refund"));
    let refund = json!({
        "version": "1.3.0", "endpoint": "refund", "subject": "orders.refund", "queue_group": "q"
    });
    assert_eq!(more, json!([refund]));
    let blind = mixed(&|epoch, id| {
        epoch.announce(id, "refund", "orders.refund");
        epoch.drop_endpoint(&Endpoint::SRV_INFO);
    });
    assert_eq!(blind, json!([]), "nobody announced anything");
}

#[test]
fn numbers_of_requests_are_no_part_of_a_contract() {
    let busy = served([(0, 0), (1000, 5)], [(0, 0), (7, 0)]);
    assert_eq!(judge(&busy, &[]).finding(CODE, ORDERS).details["contract"], json!([]));
}

#[test]
fn each_instance_is_told_with_its_connection_server_age_and_numbers() {
    let story = served([(0, 0), (40, 3)], [(0, 0), (20, 0)]).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_metadata(&id, Some(&json!({ "region": "eu" })));
        epoch.move_connection(&id, "a2");
    });
    let newer = ids(&story.epochs[0]).remove(0);
    let judged = judge(&story, &[]);
    let versions = &judged.finding(CODE, ORDERS).details["versions"];
    let side = &versions[1];
    assert_eq!((&side["version"], &side["count"]), (&json!("1.3.0"), &json!(1)));
    let expected = json!({
        "id": newer, "version": "1.3.0", "metadata": { "region": "eu" }, "language": "python",
        "connection": "orders", "server": "a2", "requests": 40, "errors": 3,
    });
    for (key, value) in expected.as_object().into_iter().flatten() {
        assert_eq!(side["instances"][0][key], *value, "{key}");
    }
    assert!(side["instances"][0]["library"].is_string());
    assert_eq!(side["instances"][0]["age_s"], 7260, "two hours, and a minute since");
}

#[test]
fn evidence_names_the_odd_ones_first_and_the_reply_that_told() {
    let story = served([(0, 0), (1, 0)], [(0, 0), (1, 0)]);
    let odd = ids(&story.epochs[0]).remove(0);
    let judged = judge(&story, &[]);
    let evidence = &judged.finding(CODE, ORDERS).evidence;
    assert_eq!(evidence.len(), 3);
    let first = &evidence[0];
    assert_eq!((first.name.as_str(), &first.value), ("version", &json!("1.3.0")));
    assert_eq!((first.endpoint.as_str(), first.source.as_str()), ("SRV_INFO", odd.as_str()));
    assert_eq!((first.epoch, first.path.as_str()), (1, "version"));
}
