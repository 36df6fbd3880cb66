//! What a window of the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::version;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::ledger::{Member, Pair, Told, Totals, versions};
use crate::report::Severity;
use crate::verdict::{Face, Fact};

/// Most versions listed; the rest is counted.
const MAX_LISTED: usize = 20;

/// What members are called and what their counters count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// One of them, several of them.
    pub(super) member: [&'static str; 2],
    /// The two counters.
    pub(super) counts: [&'static str; 2],
    /// The second counter is a part of the first.
    pub(super) errors: bool,
    /// Members hold connections.
    pub(super) connections: bool,
}

/// A service and its instances.
pub(super) const SERVICE: Terms = Terms {
    member: ["instance", "instances"],
    counts: ["requests", "errors"],
    errors: true,
    connections: false,
};

/// A cluster and its servers.
pub(super) const CLUSTER: Terms = Terms {
    member: ["server", "servers"],
    counts: ["in_msgs", "out_msgs"],
    errors: false,
    connections: true,
};

/// A finding; whom it concerns is for the caller to say.
pub(super) fn face(terms: Terms, members: &[Member], told: &Told, evidence: Vec<Fact>) -> Face {
    let mut now: Vec<&str> = versions(members).into_iter().collect();
    now.sort_by(|a, b| version::order(a, b));
    let beside: Vec<String> = now
        .iter()
        .take(MAX_LISTED)
        .map(|version| {
            let count = members.iter().filter(|member| member.version == **version).count();
            let noun = terms.member[usize::from(count != 1)];
            format!("{count} {noun} on {version}")
        })
        .collect();
    Face {
        severity: Severity::Info,
        summary: format!("{} at the same time", beside.join(", ")),
        face: BTreeMap::from([(
            "versions",
            json!(now.into_iter().take(MAX_LISTED).collect::<Vec<_>>()),
        )]),
        details: of(terms, told),
        evidence,
        members: BTreeSet::new(),
    }
}

/// The details of a window as far as it is told.
pub(super) fn of(terms: Terms, told: &Told) -> Value {
    let mut sides: Vec<(&SmolStr, &Totals)> = told.sides.iter().collect();
    sides.sort_by(|a, b| version::order(a.0, b.0));
    let left_out: usize = sides.iter().skip(MAX_LISTED).map(|(_, side)| side.members).sum();
    let listed: Vec<Value> = sides
        .iter()
        .take(MAX_LISTED)
        .map(|(version, totals)| side(terms, version, totals))
        .collect();
    let mut details = json!({
        "lasted_at_least_s": told.at_least_ms / 1000,
        "lasted_at_most_s": told.at_most_ms.map(|ms| ms.div_euclid(1000) + i64::from(ms % 1000 > 0)),
        "sides": listed,
    });
    let left_out = left_out + told.forgotten;
    if left_out > 0 {
        details["left_out"] = left_out.into();
    }
    details
}

fn side(terms: Terms, version: &str, totals: &Totals) -> Value {
    let mut row = Map::new();
    let many = terms.member[1];
    row.insert("version".to_owned(), version.into());
    row.insert(many.to_owned(), totals.members.into());
    row.insert(format!("{many}_unknown"), totals.unknown.into());
    row.insert(format!("{many}_partly_known"), totals.partly.into());
    for (index, name) in terms.counts.into_iter().enumerate() {
        let bound = |pair: Option<Pair>| pair.map(|pair| pair[index]);
        row.insert(format!("{name}_at_least"), json!(bound(totals.least)));
        row.insert(format!("{name}_at_most"), json!(bound(totals.most)));
    }
    if terms.errors {
        row.insert("errors_per_million".to_owned(), json!(per_million(totals)));
    }
    if terms.connections {
        row.insert("connections".to_owned(), json!(totals.connections));
        row.insert("connections_peak".to_owned(), json!(totals.connections_peak));
    }
    Value::Object(row)
}

/// Errors per million requests, of what was certainly served in the window; where that is nothing,
/// of what was served around it.
fn per_million(totals: &Totals) -> Option<u64> {
    let of = |pair: Option<Pair>| pair.filter(|pair| pair[0] > 0);
    let [requests, errors] = of(totals.least).or_else(|| of(totals.most))?;
    let rate = u128::from(errors) * 1_000_000 / u128::from(requests);
    Some(u64::try_from(rate).unwrap_or(u64::MAX))
}
