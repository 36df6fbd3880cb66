//! Real services and servers, held against what the client that sent the requests saw, and against
//! the replies themselves.

use std::collections::BTreeMap;

use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::verdicts::judge;
use serde_json::Value;

use super::*;

const SCENARIO: &str = "rollout-under-load";

/// Requests to a service and errors among them that the client sent in some epochs.
fn sent(service: &str, epochs: std::ops::RangeInclusive<usize>) -> (u64, u64) {
    let path = fixtures().join(SCENARIO).join("provenance.json");
    let provenance: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let runs = provenance["epochs"].as_array().unwrap()[epochs].iter();
    let runs = runs.flat_map(|epoch| epoch["sent"].as_array().unwrap());
    let own = runs.filter(|run| run["service"] == service);
    own.fold((0, 0), |(requests, errors), run| {
        (requests + run["requests"].as_u64().unwrap(), errors + run["errors"].as_u64().unwrap())
    })
}

/// Counters of every instance of a service: (requests, errors) by id, and its version.
fn counters(epoch: &Epoch, service: &str) -> BTreeMap<String, (String, u64, u64)> {
    let replies = epoch.replies.iter().filter(|r| r.line.endpoint == Endpoint::SRV_STATS);
    let of = |body: &Value| {
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        let number = |key: &str| body["endpoints"][0][key].as_u64().unwrap();
        (text("id"), (text("version"), number("num_requests"), number("num_errors")))
    };
    replies.filter(|r| r.body["name"] == service).map(|r| of(&r.body)).collect()
}

/// What the window of a service counts over all its sides: at least and at most.
fn over_all(details: &Value, count: &str) -> [Option<u64>; 2] {
    let sides = details["sides"].as_array().unwrap();
    ["at_least", "at_most"].map(|bound| {
        let key = format!("{count}_{bound}");
        sides.iter().map(|side| side[&key].as_u64()).sum::<Option<u64>>()
    })
}

/// The first epochs of the recording.
fn until(epoch: usize) -> Recording {
    let mut recording = Recording::fixture(SCENARIO);
    recording.epochs.truncate(epoch + 1);
    recording
}

#[test]
fn while_nobody_has_ended_every_request_the_client_sent_is_on_one_side() {
    let judged = judge(&until(2), &[]);
    for service in ["orders", "billing"] {
        let subject = format!("APP/{service}");
        let finding = judged.finding(CODE, &subject);
        assert_eq!(span(finding), (1, 2, None));
        // From the last epoch before the window to the last one of it.
        let (requests, errors) = sent(service, 1..=2);
        assert_eq!(over_all(&finding.details, "requests")[1], Some(requests), "{service}");
        assert_eq!(over_all(&finding.details, "errors")[1], Some(errors), "{service}");
        // What was sent after the first epoch of the window is certainly in it.
        let (requests, errors) = sent(service, 2..=2);
        assert!(over_all(&finding.details, "requests")[0] >= Some(requests), "{service}");
        assert!(over_all(&finding.details, "errors")[0] >= Some(errors), "{service}");
    }
}

#[test]
fn the_sides_are_what_their_instances_counted() {
    let recording = until(2);
    let epochs: Vec<_> = recording.epochs.iter().map(|epoch| counters(epoch, "orders")).collect();
    let judged = judge(&recording, &[]);
    let details = &judged.finding(CODE, ORDERS).details;
    let (mut old, mut new) = ([0; 4], [0; 4]);
    for (id, (version, requests, errors)) in &epochs[2] {
        let of = |epoch: usize| epochs[epoch].get(id).map_or((0, 0), |(_, r, e)| (*r, *e));
        let (side, least) = if version == OLD { (&mut old, of(1)) } else { (&mut new, (0, 0)) };
        side[0] += requests - least.0;
        side[1] += requests - of(0).0;
        side[2] += errors - least.1;
        side[3] += errors - of(0).1;
    }
    assert_eq!(served(details, OLD), four(old.map(Some)));
    assert_eq!(served(details, NEW), four(new.map(Some)));
    assert!(old[0] > 0 && new[0] > 0 && new[2] > 0, "{details}");
}

#[test]
fn each_service_fails_on_the_side_that_was_made_to() {
    let judged = judge(&Recording::fixture(SCENARIO), &[]);
    let rate = |service: &str, version: &str| {
        let details = &judged.finding(CODE, &format!("APP/{service}")).details;
        side(details, version)["errors_per_million"].as_u64().unwrap()
    };
    assert_eq!(rate("orders", OLD), 0);
    assert!(rate("orders", NEW) > 100_000);
    assert!(rate("billing", "2.0.1") > 100_000);
    assert_eq!(rate("billing", "2.1.0"), 0);
}

#[test]
fn a_rollout_to_the_end_is_bounded_by_what_was_sent_and_one_halfway_is_open() {
    let judged = judge(&Recording::fixture(SCENARIO), &[]);
    let orders = judged.finding(CODE, ORDERS);
    assert_eq!(span(orders), (1, 3, Some((4, "cured"))));
    let [least, most] = over_all(&orders.details, "requests");
    assert!(least <= Some(sent("orders", 1..=4).0) && least > Some(0), "{least:?}");
    assert_eq!(most, None, "what the old ones served before they ended nobody saw");
    assert_eq!(members(&orders.details, OLD), [3, 0, 3]);
    assert_eq!(members(&orders.details, NEW), [3, 0, 0]);
    let billing = judged.finding(CODE, "APP/billing");
    assert_eq!(span(billing), (1, 5, None));
    assert_eq!(over_all(&billing.details, "requests")[1], Some(sent("billing", 1..=5).0));
    assert_eq!(over_all(&billing.details, "errors")[1], Some(sent("billing", 1..=5).1));
}

#[test]
fn every_window_of_the_recordings_is_a_row() {
    for (scenario, subject, spans) in [
        ("rolling-upgrade", "A", vec![(1, 2, Some((3, "cured")))]),
        ("rollback", "A", vec![(1, 1, Some((2, "cured"))), (3, 5, None)]),
        ("service-rollout", ORDERS, vec![(1, 4, Some((5, "cured")))]),
        ("stalled-rollout", ORDERS, vec![(1, 4, None)]),
        ("canary", ORDERS, vec![(1, 3, None)]),
        ("healthy", "A", vec![]),
        ("healthy", ORDERS, vec![]),
        ("language-mix", ORDERS, vec![]),
    ] {
        let judged = judge(&Recording::fixture(scenario), &[]);
        let found: Vec<_> =
            judged.findings(CODE, subject).into_iter().map(|finding| span(finding)).collect();
        assert_eq!(found, spans, "{scenario}: {subject}");
    }
}

#[test]
fn a_recorded_upgrade_counts_messages_of_the_processes_that_were_there_twice() {
    let recording = Recording::fixture("rolling-upgrade");
    let count = |epoch: &Epoch, name: &str| {
        let of = |body: &Value| body["server"]["name"] == name;
        let replies = epoch.replies.iter().filter(|r| r.line.endpoint == Endpoint::VARZ);
        let varz = replies.map(|r| &r.body).find(|body| of(body)).unwrap();
        ["in_msgs", "out_msgs"].map(|key| varz["data"][key].as_u64().unwrap())
    };
    let judged = judge(&recording, &[]);
    let details = &judged.finding(CODE, "A").details;
    let sides = |version: &str| bounds_of(side(details, version), ["in_msgs", "out_msgs"]);
    // a1 alone is on 2.12 in both epochs of the window.
    let [first, last] = [1, 2].map(|epoch| count(&recording.epochs[epoch], "a1"));
    let [received, sent] = [last[0] - first[0], last[1] - first[1]];
    assert_eq!(sides("2.12.8"), four([Some(received), None, Some(sent), None]));
    // a3 and then a2 came up on 2.14, and both count from their start.
    let total = |epoch: usize| {
        let [a, b] = ["a2", "a3"].map(|name| count(&recording.epochs[epoch], name));
        [a[0] + b[0], a[1] + b[1]]
    };
    let ([least_in, least_out], [most_in, most_out]) = (total(2), total(3));
    let all = [Some(least_in), Some(most_in), Some(least_out), Some(most_out)];
    assert_eq!(sides("2.14.6"), four(all));
}

/// Whatever tells how long a mix has certainly lasted says the same of it.
#[test]
fn one_mix_has_one_lower_bound() {
    for (scenario, code) in [
        ("hung-for-long", "SERVER_002"),
        ("hostile-names", "SERVER_002"),
        ("hostile-names", "SERVICE_001"),
        ("staging-joined", "SERVER_002"),
    ] {
        let judged = judge(&Recording::fixture(scenario), &[]);
        let all = &judged.report.systems[0].findings;
        let of = |code: &'static str| all.iter().filter(move |finding| finding.code == code);
        let windows: Vec<&Finding> = of(CODE).collect();
        for mix in of(code) {
            let same = |window: &&&Finding| {
                window.subject == mix.subject && window.opened.moment == mix.opened.moment
            };
            let window = windows.iter().find(same).unwrap();
            let told = &window.details["lasted_at_least_s"];
            assert_eq!(&mix.details["lasting_at_least_s"], told, "{scenario} {code}");
        }
    }
}
