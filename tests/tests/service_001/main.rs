//! `SERVICE_001` held against every row of its table.
//!
//! Recordings of real clusters take seconds: they are judged with a threshold scaled to that. The
//! rest are edits of such a recording, one epoch a minute, at the default thresholds.

mod facets;
mod numbers;
mod shapes;
mod situations;
mod stages;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, Thresholds, judge};
use serde_json::Value;

/// The check.
const CODE: &str = "SERVICE_001";
/// The service most tests are about.
const ORDERS: &str = "APP/orders";
/// What is recent in recordings that take seconds.
const SCALED: Thresholds<'static> = &[("SERVICE_001.recent", 3000)];

/// Three instances of `orders` 1.2.0 in Python, connected for two hours, one epoch a minute.
fn minutes(epochs: usize) -> Recording {
    every(SignedDuration::from_mins(1), epochs)
}

fn every(step: SignedDuration, epochs: usize) -> Recording {
    Recording::epoch("service-down", 0)
        .each(|epoch| ids(epoch).iter().for_each(|id| age(epoch, id, 7200)))
        .repeat(epochs, step)
}

/// Ids of the instances of `orders`, sorted.
fn ids(epoch: &Epoch) -> Vec<String> {
    epoch.instances("APP", "orders")
}

/// An instance has been connected for that many seconds.
fn age(epoch: &mut Epoch, id: &str, seconds: i64) {
    epoch.set_connected_for(id, SignedDuration::from_secs(seconds));
}

/// `old` instances of 1.2.0 and `new` ones of 1.3.0, those a second old and with ids of their own.
fn counts(epoch: &mut Epoch, old: usize, new: usize) {
    let there = ids(epoch);
    for number in 0..new {
        let id = format!("new{number}");
        epoch.clone_instance(&there[0], &id);
        epoch.set_app_version(&id, "1.3.0");
    }
    for number in there.len()..old {
        epoch.clone_instance(&there[0], &format!("old{number}"));
    }
    there.iter().skip(old).for_each(|id| epoch.end_instance(id));
}

/// A sequence of (old, new) counts, one epoch each.
fn rollout(step: SignedDuration, all: &[(usize, usize)]) -> Recording {
    let mut recording = every(step, all.len());
    for (epoch, (old, new)) in recording.epochs.iter_mut().zip(all) {
        counts(epoch, *old, *new);
    }
    recording
}

/// What the check says of `orders`, epoch by epoch.
fn of_orders(recording: &Recording) -> Vec<String> {
    judge(recording, &[]).verdicts(CODE, ORDERS)
}

/// Stages in the order in which the finding took them on, with their epochs.
fn stages(finding: &Finding) -> Vec<(usize, &str)> {
    let changes = finding.changes.iter();
    changes.filter_map(|c| Some((c.moment.epoch, c.face.get("stage")?.as_str()?))).collect()
}

/// How and when a finding closed.
fn closed(finding: &Finding) -> Option<(usize, &'static str)> {
    finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how))
}

/// Facets that fired.
fn facets(finding: &Finding) -> Vec<&str> {
    list(&finding.details["facets"])
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Sides of a finding as (variant, count).
fn sides(finding: &Finding) -> Vec<(&str, u64)> {
    let sides = finding.details["versions"].as_array().into_iter().flatten();
    sides.filter_map(|side| Some((side["version"].as_str()?, side["count"].as_u64()?))).collect()
}

/// Ids of the instances that are not on the side of the majority.
fn outliers(finding: &Finding) -> Vec<&str> {
    let all = finding.details["outliers"].as_array().into_iter().flatten();
    all.filter_map(|row| row["id"].as_str()).collect()
}

/// Facets of `orders` that the report names as unseen, with their epochs.
fn unseen(judged: &Judged) -> Vec<(&str, Vec<[usize; 2]>)> {
    let all = judged.report.systems[0].unseen.iter().filter(|unseen| unseen.code == CODE);
    let mine = all.filter(|unseen| {
        unseen.subjects.iter().any(|s| nats_hindsight_tests::verdicts::name(s) == ORDERS)
    });
    mine.map(|unseen| (unseen.facet, unseen.epochs.clone())).collect()
}
