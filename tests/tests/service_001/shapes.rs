//! What a stalled mix is: a few ahead, a few behind, or neither.

use nats_hindsight_tests::recording::Epoch;
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::{CODE, ORDERS, age, ids, minutes, outliers, sides};

/// Shape of the mix of these versions, one instance each, in a single epoch of old instances.
fn shape(versions: &[&str]) -> Value {
    let edit = |epoch: &mut Epoch| {
        let all = ids(epoch);
        for number in all.len()..versions.len() {
            epoch.clone_instance(&all[0], &format!("more{number}"));
        }
        for (id, version) in ids(epoch).iter().zip(versions) {
            epoch.set_app_version(id, version);
        }
    };
    let judged = judge(&minutes(1).each(edit), &[]);
    judged.finding(CODE, ORDERS).details["shape"].clone()
}

#[test]
fn the_fewer_newer_by_semver_are_a_canary() {
    assert_eq!(shape(&["1.10.0", "1.9.0", "1.9.0"]), "canary", "not by text");
    assert_eq!(shape(&["2.0.0", "1.9.0", "1.9.0", "1.9.0"]), "canary");
}

#[test]
fn the_fewer_older_by_semver_are_a_stalled_rollout() {
    assert_eq!(shape(&["1.9.0", "1.10.0", "1.10.0"]), "stalled_rollout");
}

#[test]
fn as_many_on_both_sides_is_a_split() {
    assert_eq!(shape(&["1.2.0", "1.2.0", "1.3.0", "1.3.0"]), "split");
}

#[test]
fn more_than_two_versions_are_a_split() {
    assert_eq!(shape(&["1.2.0", "1.3.0", "1.4.0", "1.4.0"]), "split");
}

#[test]
fn opaque_versions_are_ordered_by_who_came_first() {
    let name = |epoch: &mut Epoch, versions: [&str; 3]| {
        for (id, version) in ids(epoch).iter().zip(versions) {
            epoch.set_app_version(id, version);
        }
    };
    let canary = minutes(9)
        .each(|epoch| name(epoch, ["green", "green", "green"]))
        .during(1..9, |epoch| name(epoch, ["blue", "green", "green"]));
    let judged = judge(&canary, &[]);
    assert_eq!(judged.finding(CODE, ORDERS).details["shape"], "canary");
    let behind = minutes(9)
        .each(|epoch| name(epoch, ["blue", "blue", "blue"]))
        .during(1..9, |epoch| name(epoch, ["blue", "green", "green"]));
    let judged = judge(&behind, &[]);
    assert_eq!(judged.finding(CODE, ORDERS).details["shape"], "stalled_rollout");
}

#[test]
fn opaque_versions_that_were_always_there_are_ordered_by_age() {
    let mixed = |seconds: i64| {
        minutes(1).each(|epoch| {
            let all = ids(epoch);
            for (id, version) in all.iter().zip(["blue", "green", "green"]) {
                epoch.set_app_version(id, version);
            }
            age(epoch, &all[0], seconds);
        })
    };
    let shape = |seconds| {
        let judged = judge(&mixed(seconds), &[]);
        judged.finding(CODE, ORDERS).details["shape"].clone()
    };
    assert_eq!(shape(3600), "canary");
    assert_eq!(shape(9000), "stalled_rollout");
    assert_eq!(shape(7200), "split", "nothing tells them apart");
}

#[test]
fn libraries_are_ordered_by_semver_within_their_language() {
    let mixed = |version: &'static str| {
        minutes(1).each(move |epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_library(&id, version);
        })
    };
    let shape = |version| {
        let judged = judge(&mixed(version), &[]);
        judged.finding(CODE, ORDERS).details["shape"].clone()
    };
    assert_eq!(shape("2.100.0"), "canary");
    assert_eq!(shape("2.2.0"), "stalled_rollout");
}

#[test]
fn without_a_majority_all_are_outliers() {
    let even = minutes(1).each(|epoch| {
        let all = ids(epoch);
        epoch.clone_instance(&all[0], "fourth");
        epoch.set_app_version(&all[1], "1.3.0");
        epoch.set_app_version(&all[2], "1.3.0");
    });
    let judged = judge(&even, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["majority"], json!(null));
    assert_eq!(sides(finding), [("1.2.0", 2), ("1.3.0", 2)]);
    assert_eq!(outliers(finding).len(), 4);
}
