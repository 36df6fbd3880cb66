//! `SKEW_002 service-contract-drift`: every situation, and the rules behind them.

mod announcements;
mod rules;
mod situations;
mod stages;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge, name};
use serde_json::Value;

/// The check.
const CODE: &str = "SKEW_002";
/// The service most tests are about.
const ORDERS: &str = "APP/orders";

/// Three instances of `orders` 1.2.0 in Python, connected for two hours, one epoch a minute.
fn minutes(epochs: usize) -> Recording {
    Recording::epoch("service-down", 0)
        .each(|epoch| {
            for id in ids(epoch) {
                epoch.set_connected_for(&id, SignedDuration::from_hours(2));
            }
        })
        .repeat(epochs, SignedDuration::from_mins(1))
}

/// Ids of the instances of `orders`, sorted.
fn ids(epoch: &Epoch) -> Vec<String> {
    epoch.instances("APP", "orders")
}

/// Changes the INFO of one instance of `orders`, counted from 0, in every epoch.
fn edited(epochs: usize, number: usize, edit: impl Fn(&mut Value) + Copy) -> Recording {
    minutes(epochs).each(|epoch| {
        let id = ids(epoch).swap_remove(number);
        epoch.edit_info(&id, edit);
    })
}

/// What the check says of `orders`, epoch by epoch.
fn of_orders(recording: &Recording) -> Vec<String> {
    judge(recording, &[]).verdicts(CODE, ORDERS)
}

/// Kinds of what differs.
fn kinds(finding: &Finding) -> Vec<&str> {
    texts(&finding.details["kinds"])
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Sides of the first difference, as what is announced and by how many.
fn sides(finding: &Finding) -> Vec<(Value, u64)> {
    let sides = finding.details["differences"][0]["sides"].as_array().into_iter().flatten();
    sides.filter_map(|side| Some((side["announced"].clone(), side["count"].as_u64()?))).collect()
}

/// Ids of the instances that are not with the majority.
fn odd(finding: &Finding) -> Vec<&str> {
    let rows = finding.details["odd"].as_array().into_iter().flatten();
    rows.filter_map(|row| row["id"].as_str()).collect()
}

/// Facets of `orders` that the report names as unseen.
fn unseen(judged: &Judged) -> Vec<&str> {
    let all = judged.report.systems[0].unseen.iter().filter(|unseen| unseen.code == CODE);
    let mine = all.filter(|unseen| unseen.subjects.iter().any(|s| name(s) == ORDERS));
    mine.map(|unseen| unseen.facet).collect()
}
