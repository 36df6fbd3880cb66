//! What the finding says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::roster::{Instance, Service};
use nats_hindsight_model::services::ServiceFacts;
use serde_json::{Value, json};

use super::contract::{Announced, Contracts, Difference, Kind};
use crate::checks::service::server_name;
use crate::report::Severity;
use crate::verdict::{Face, Fact};

/// Most differences, and most instances of each side, that are listed; the rest is counted.
const MAX_LISTED: usize = 50;
/// Differences told in the summary; the rest is counted.
const MAX_TOLD: usize = 2;

pub(super) fn of(
    there: &Service,
    contracts: &Contracts<'_>,
    differences: &[Difference<'_>],
    stage: &'static str,
    facts: &ServiceFacts,
) -> Face {
    let kinds: BTreeSet<Kind> = differences.iter().map(|difference| difference.kind).collect();
    let kinds: Vec<&str> = kinds.into_iter().map(Kind::name).collect();
    let odd: BTreeSet<&str> = differences.iter().flat_map(Difference::odd).collect();
    let rows = odd.iter().filter_map(|id| Some(row(id, there.instances.get(*id)?, facts)));
    let details = json!({
        "kinds": kinds,
        "stage": stage,
        "differences": differences.iter().take(MAX_LISTED).map(told).collect::<Vec<_>>(),
        "omitted": differences.len().checked_sub(MAX_LISTED).filter(|count| *count > 0),
        "odd": rows.take(MAX_LISTED).collect::<Vec<_>>(),
        "silent": contracts.silent,
        "untold": contracts.untold,
    });
    Face {
        severity: if stage == "starting" { Severity::Info } else { Severity::Warning },
        summary: summary(contracts, differences, stage),
        face: BTreeMap::from([("kinds", json!(kinds)), ("stage", stage.into())]),
        details,
        evidence: evidence(differences),
        members: there.instances.keys().cloned().collect(),
    }
}

/// An instance that is not with the majority, as somebody has to find it.
fn row(id: &str, instance: &Instance, facts: &ServiceFacts) -> Value {
    let connection = instance.connection.as_ref();
    json!({
        "id": id,
        "version": instance.version,
        "connection": connection.and_then(|c| c.name.as_deref()),
        "address": connection.and_then(|c| c.ip.as_deref()),
        "server": connection.map(|c| server_name(&c.server, facts)),
        "language": connection.and_then(|c| c.lang.as_deref()),
        "library": connection.and_then(|c| c.library.as_deref()),
        "age_s": connection.and_then(|c| c.uptime_ms).map(|ms| ms / 1000),
        "metadata": instance.metadata,
    })
}

fn told(difference: &Difference<'_>) -> Value {
    let sides = difference.sides.iter().map(|(announced, ids)| {
        json!({
            "announced": announced.value(),
            "count": ids.len(),
            "instances": ids.iter().take(MAX_LISTED).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": difference.version,
        "kind": difference.kind.name(),
        "endpoint": difference.endpoint,
        "subject": difference.subject,
        "majority": difference.majority().map(Announced::value),
        "times_served": difference.times_served(),
        "sides": sides.collect::<Vec<_>>(),
    })
}

fn summary(
    contracts: &Contracts<'_>,
    differences: &[Difference<'_>],
    stage: &'static str,
) -> String {
    let mut parts: Vec<String> = differences.iter().take(MAX_TOLD).map(words).collect();
    if differences.len() > MAX_TOLD {
        parts.push(format!("{} more differences", differences.len() - MAX_TOLD));
    }
    if stage == "starting" {
        parts.push("those without it have just started".to_owned());
    }
    match contracts.silent.len() + contracts.untold.len() {
        0 => {}
        count => parts.push(format!("{count} did not tell")),
    }
    parts.join("; ")
}

/// One difference in words.
fn words(difference: &Difference<'_>) -> String {
    let mut sides: Vec<_> = difference.sides.iter().collect();
    sides.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    let sides: Vec<String> =
        sides.iter().map(|(side, ids)| format!("{} × {}", ids.len(), side.words())).collect();
    let (sides, version) = (sides.join(", "), difference.version);
    let name = difference.endpoint.unwrap_or_default();
    let place = difference.subject.unwrap_or_default();
    match difference.kind {
        Kind::QueueGroup => format!(
            "at {version} queue groups on {place} are {sides}, so that each request is served {}",
            times(difference.times_served().unwrap_or(0))
        ),
        Kind::Subject => format!("at {version} endpoint {name} is on {sides}"),
        Kind::Endpoint => {
            let count = |there| difference.sides.get(&Announced::There(there)).map_or(0, Vec::len);
            let (with, without) = (count(true), count(false));
            format!("at {version} {with} of {} announce endpoint {name} on {place}", with + without)
        }
        Kind::MetadataKeys if difference.endpoint.is_some() => {
            format!("at {version} metadata of endpoint {name} has the keys {sides}")
        }
        Kind::MetadataKeys => format!("at {version} metadata has the keys {sides}"),
    }
}

fn times(count: usize) -> String {
    if count == 2 { "twice".to_owned() } else { format!("{count} times") }
}

/// What each instance announces, the odd ones first.
fn evidence(differences: &[Difference<'_>]) -> Vec<Fact> {
    let mut all = Vec::new();
    for difference in differences {
        let majority = difference.majority();
        let mut sides: Vec<_> = difference.sides.iter().collect();
        sides.sort_by_key(|(side, _)| Some(*side) == majority);
        let path = match (difference.kind, difference.endpoint) {
            (Kind::QueueGroup, _) => "endpoints.queue_group",
            (Kind::Subject, _) => "endpoints.subject",
            (Kind::Endpoint, _) => "endpoints",
            (Kind::MetadataKeys, Some(_)) => "endpoints.metadata",
            (Kind::MetadataKeys, None) => "metadata",
        };
        for (side, ids) in sides {
            let value = match (side, difference.endpoint) {
                (Announced::There(true), Some(name)) => name.into(),
                (Announced::There(false), Some(name)) => format!("no {name}").into(),
                _ => side.value(),
            };
            let name = label(difference.kind);
            let fact = |id: &&str| Fact::new(name, value.clone(), "SRV_INFO", *id, path);
            all.extend(ids.iter().take(MAX_LISTED).map(fact));
        }
    }
    all
}

const fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::QueueGroup => "queue group",
        Kind::Subject => "subject",
        Kind::Endpoint => "endpoint",
        Kind::MetadataKeys => "metadata keys",
    }
}
