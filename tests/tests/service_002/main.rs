//! `SERVICE_002` held against every row of its tables.
//!
//! What a recording of a real cluster shows is judged as recorded; the rest are edits of such a
//! recording, one epoch a minute, at the default thresholds.

mod details;
mod events;
mod evidence;
mod leaf_nodes;
mod lists;
mod memory;
mod situations;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge};

/// The check.
const CODE: &str = "SERVICE_002";
/// The service most tests are about.
const ORDERS: &str = "APP/orders";

/// Three instances of `orders` and of `billing` on three servers, one epoch a minute.
fn minutes(epochs: usize) -> Recording {
    Recording::epoch("service-down", 0).repeat(epochs, SignedDuration::from_mins(1))
}

/// `orders` has gone, by two answers of no responders.
fn down(epoch: &mut Epoch) {
    epoch.down("APP", "orders");
}

/// What the check says of `orders`, epoch by epoch.
fn of_orders(recording: &Recording) -> Vec<String> {
    judge(recording, &[]).verdicts(CODE, ORDERS)
}

fn kind(finding: &Finding) -> &str {
    finding.details["kind"].as_str().unwrap_or_default()
}

/// Kinds in the order in which the finding took them on.
fn kinds(finding: &Finding) -> Vec<&str> {
    finding.changes.iter().filter_map(|change| change.face["kind"].as_str()).collect()
}

/// How and when a finding closed.
fn closed(finding: &Finding) -> Option<(usize, &'static str)> {
    finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how))
}

/// What hides the answer in the unknowns of this check about `orders`, as JSON.
fn hides(judged: &Judged) -> Vec<serde_json::Value> {
    let unknowns = judged.report.systems.iter().flat_map(|system| &system.unknowns);
    let mine = unknowns.filter(|unknown| unknown.code == CODE).filter(|unknown| {
        unknown.subjects.iter().any(|s| nats_hindsight_tests::verdicts::name(s) == ORDERS)
    });
    mine.flat_map(|unknown| &unknown.hides)
        .map(|subject| serde_json::to_value(subject).unwrap_or_default())
        .collect()
}
