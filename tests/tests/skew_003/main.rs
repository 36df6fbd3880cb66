//! `SKEW_003`: windows in which two versions coexisted, and what each side served in them.
//!
//! What real services and servers counted is held against what the client of the recording saw, and
//! against the replies themselves. The rest are edits: one epoch a minute, each member of them told
//! by its id, version, start and counters.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod clusters;
mod doubts;
mod recorded;
mod table;
mod windows;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge, name};
use serde_json::{Value, json};

/// The check.
const CODE: &str = "SKEW_003";
/// The service most tests are about.
const ORDERS: &str = "APP/orders";
/// Its versions.
const OLD: &str = "1.2.0";
const NEW: &str = "1.3.0";

/// A reply takes a moment to arrive, and nobody is taken to be older than its reply proves: members
/// started half a second before the second that the tests name.
const MOMENT: SignedDuration = SignedDuration::from_millis(500);

/// An instance in one epoch: id, version, start in seconds from the first epoch on, and requests
/// and errors since, if it answers STATS.
type Row<'a> = (&'a str, &'a str, i64, Option<(u64, u64)>);

/// `orders` with these instances, one epoch a minute.
fn story(epochs: &[&[Row<'_>]]) -> Recording {
    let step = SignedDuration::from_mins(1);
    let mut story = Recording::epoch("service-down", 0).repeat(epochs.len(), step);
    let zero = story.epochs[0].start();
    for (epoch, rows) in story.epochs.iter_mut().zip(epochs) {
        let there = epoch.instances("APP", "orders");
        for (id, version, born, served) in *rows {
            epoch.clone_instance(&there[0], id);
            epoch.set_app_version(id, version);
            let age = epoch.start().duration_since(zero) - SignedDuration::from_secs(*born);
            epoch.set_begun(id, age + MOMENT);
            match served {
                Some((requests, errors)) => epoch.set_served(id, *requests, *errors),
                None => without_stats(epoch, id),
            }
        }
        for id in there {
            epoch.end_instance(&id);
        }
    }
    story
}

/// An instance did not answer STATS.
fn without_stats(epoch: &mut Epoch, id: &str) {
    epoch.retain(|r| r.line.endpoint != Endpoint::SRV_STATS || r.body["id"] != id, |_| true);
}

/// STATS of an instance, to be edited.
fn stats<'a>(epoch: &'a mut Epoch, id: &str) -> &'a mut Value {
    let mut replies = epoch.replies.iter_mut();
    let of = |endpoint: &Endpoint| *endpoint == Endpoint::SRV_STATS;
    &mut replies.find(|r| of(&r.line.endpoint) && r.body["id"] == id).unwrap().body
}

/// The only window of `orders`.
fn window(recording: &Recording) -> Value {
    judge(recording, &[]).finding(CODE, ORDERS).details.clone()
}

/// The side of a version.
fn side<'a>(details: &'a Value, version: &str) -> &'a Value {
    let sides = details["sides"].as_array().unwrap();
    sides.iter().find(|side| side["version"] == version).unwrap()
}

/// Requests, then errors: at least and at most.
fn served(details: &Value, version: &str) -> [Value; 4] {
    bounds_of(side(details, version), ["requests", "errors"])
}

fn bounds_of(side: &Value, counts: [&str; 2]) -> [Value; 4] {
    let [one, other] = counts;
    let keys = [
        format!("{one}_at_least"),
        format!("{one}_at_most"),
        format!("{other}_at_least"),
        format!("{other}_at_most"),
    ];
    keys.map(|key| side.get(&key).unwrap().clone())
}

/// Members of a version: all, those of which nothing is known, and those known in part.
fn members(details: &Value, version: &str) -> [u64; 3] {
    let keys = ["instances", "instances_unknown", "instances_partly_known"];
    keys.map(|key| side(details, version)[key].as_u64().unwrap())
}

/// How long at least and at most, in seconds.
fn lasted(details: &Value) -> (Value, Value) {
    (details["lasted_at_least_s"].clone(), details["lasted_at_most_s"].clone())
}

/// First epoch, last one, and when and how it closed.
fn span(finding: &Finding) -> (usize, usize, Option<(usize, &'static str)>) {
    let closed = finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how));
    (finding.opened.moment.epoch, finding.last_seen.epoch, closed)
}

/// Facets of a subject that the report names as unseen, with their epochs.
fn unseen(judged: &Judged, subject: &str) -> Vec<(&'static str, Vec<[usize; 2]>)> {
    let all = judged.report.systems[0].unseen.iter().filter(|unseen| unseen.code == CODE);
    all.filter(|unseen| unseen.subjects.iter().any(|s| name(s) == subject))
        .map(|unseen| (unseen.facet, unseen.epochs.clone()))
        .collect()
}

/// Two of 1.2.0 an hour old, and one of 1.3.0 that starts half a minute into the recording; in the
/// fourth epoch only that one is left.
fn rollout() -> Vec<Vec<Row<'static>>> {
    let a = |served| ("a", OLD, -3600, served);
    let b = |served| ("b", OLD, -3600, served);
    let n = |served| ("n", NEW, 30, served);
    vec![
        vec![a(Some((10, 0))), b(Some((20, 0)))],
        vec![a(Some((15, 1))), b(Some((25, 1))), n(Some((7, 1)))],
        vec![a(Some((25, 2))), b(Some((30, 1))), n(Some((17, 3)))],
        vec![n(Some((21, 4)))],
    ]
}

fn told(rows: &[Vec<Row<'_>>]) -> Recording {
    let rows: Vec<&[Row<'_>]> = rows.iter().map(Vec::as_slice).collect();
    story(&rows)
}

/// Four numbers, where null stands for what is not known.
fn four(numbers: [Option<u64>; 4]) -> [Value; 4] {
    numbers.map(|number| json!(number))
}
