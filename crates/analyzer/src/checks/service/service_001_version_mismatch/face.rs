//! What the finding says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::epoch::ServedEndpoint;
use nats_hindsight_model::roster::Instance;
use nats_hindsight_model::services::ServiceFacts;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::facets::{Facet, Facets};
use super::history::{Found, History};
use crate::checks::service::server_name;
use crate::report::Severity;
use crate::verdict::{Face, Fact, with_rows};

/// Most instances listed per version; the rest is counted.
const MAX_LISTED: usize = 50;
/// Fewer requests than this say nothing about a rate of errors.
const MIN_REQUESTS: u64 = 100;
/// Rates of errors that differ by less than this factor are not called out.
const MIN_RATIO: f64 = 2.0;

pub(super) fn of(
    facets: &Facets<'_>,
    fired: &BTreeSet<Facet>,
    found: &Found,
    overdue: bool,
    history: &History,
    facts: &ServiceFacts,
) -> Face {
    let library_only = fired.iter().all(|facet| *facet == Facet::LibraryVersion);
    let rolling = found.stage == "rolling" && !overdue;
    let unseen: Vec<&str> = Facet::ALL
        .into_iter()
        .filter(|facet| !facets.seen_on_all(*facet))
        .map(Facet::name)
        .collect();
    let details = json!({
        "facets": fired.iter().map(|facet| facet.name()).collect::<Vec<_>>(),
        "side": found.side.name(),
        "stage": found.stage,
        "shape": found.shape,
        "majority": majority(facets, found.side),
        "silent": facets.silent(),
        "unseen": unseen,
        "lasting_s": found.lasting_ms.map(|ms| ms / 1000),
        "lasting_at_least_s": found.at_least_ms / 1000,
        "overdue": overdue,
        "ages_by_stats": found.ages_by_stats,
    });
    let details = with_rows(
        details,
        [
            ("versions", versions(facets, found.side, facts)),
            ("outliers", outliers(facets, found.side)),
            ("contract", contract(facets, found.side)),
            ("error_rates", error_rates(facets, found.side, history)),
        ],
    );
    Face {
        severity: if rolling || library_only { Severity::Info } else { Severity::Warning },
        summary: summary(facets, fired, found),
        face: BTreeMap::from([("stage", found.stage.into()), ("shape", found.shape.into())]),
        details,
        evidence: evidence(facets, fired, found.side, facts),
        members: facets.ids(),
    }
}

fn majority(facets: &Facets<'_>, side: Facet) -> Option<SmolStr> {
    let counts = facets.counts(side);
    let all: usize = counts.values().sum();
    counts.into_iter().find(|(_, count)| count * 2 > all).map(|(value, _)| value)
}

/// Ids of the instances that are not on the side of the majority; all where there is none.
fn odd<'a>(facets: &Facets<'a>, side: Facet) -> Vec<(&'a str, SmolStr)> {
    let majority = majority(facets, side);
    facets
        .values(side)
        .iter()
        .filter(|(value, _)| Some(*value) != majority.as_ref())
        .flat_map(|(value, ids)| ids.iter().map(|id| (*id, value.clone())))
        .collect()
}

fn outliers(facets: &Facets<'_>, side: Facet) -> Vec<Value> {
    let odd = odd(facets, side).into_iter().take(MAX_LISTED);
    odd.map(|(id, value)| json!({ "id": id, "version": value })).collect()
}

fn versions(facets: &Facets<'_>, side: Facet, facts: &ServiceFacts) -> Vec<Value> {
    facets
        .values(side)
        .iter()
        .map(|(value, ids)| {
            let instances = ids.iter().filter_map(|id| {
                let instance = facets.service.instances.get(*id)?;
                Some(row(id, instance, facts))
            });
            let instances = instances.take(MAX_LISTED).collect();
            let version = json!({ "version": value, "count": ids.len() });
            with_rows(version, [("instances", instances)])
        })
        .collect()
}

fn row(id: &str, instance: &Instance, facts: &ServiceFacts) -> Value {
    let connection = instance.connection.as_ref();
    json!({
        "id": id,
        "version": instance.version,
        "metadata": instance.metadata,
        "language": connection.and_then(|c| c.lang.as_deref()),
        "library": connection.and_then(|c| c.library.as_deref()),
        "connection": connection.and_then(|c| c.name.as_deref()),
        "server": connection.map(|c| server_name(&c.server, facts)),
        "age_s": connection.and_then(|c| c.uptime_ms).map(|ms| ms / 1000),
        "requests": instance.served.map(|served| served.0),
        "errors": instance.served.map(|served| served.1),
    })
}

/// Name, subject and queue group.
type Announced<'a> = (&'a str, &'a str, &'a str);

fn announced(endpoint: &ServedEndpoint) -> Announced<'_> {
    let group = endpoint.queue_group.as_deref().unwrap_or_default();
    (&endpoint.name, &endpoint.subject, group)
}

/// What only some of the sides announce.
fn contract(facets: &Facets<'_>, side: Facet) -> Vec<Value> {
    let sides: BTreeMap<&SmolStr, BTreeSet<Announced<'_>>> = facets
        .values(side)
        .iter()
        .filter_map(|(value, ids)| {
            let told = ids.iter().filter_map(|id| facets.service.instances.get(*id));
            let told: Vec<_> = told.filter_map(|instance| instance.announces.as_ref()).collect();
            (!told.is_empty()).then(|| {
                (value, told.into_iter().flat_map(|all| all.iter()).map(announced).collect())
            })
        })
        .collect();
    let mut only = Vec::new();
    for (value, endpoints) in &sides {
        for endpoint in endpoints {
            if !sides.values().all(|other| other.contains(endpoint)) {
                let (name, subject, queue_group) = endpoint;
                only.push(json!({
                    "version": value,
                    "endpoint": name,
                    "subject": subject,
                    "queue_group": queue_group,
                }));
            }
        }
    }
    only.truncate(MAX_LISTED);
    only
}

/// Requests and errors of each side since the epoch before, where they tell a difference.
fn error_rates(facets: &Facets<'_>, side: Facet, history: &History) -> Vec<Value> {
    let sides: Vec<(&SmolStr, u64, u64)> = facets
        .values(side)
        .iter()
        .map(|(value, ids)| {
            let since = ids.iter().filter_map(|id| {
                history.served_since(id, facets.service.instances.get(*id)?.served?)
            });
            let (requests, errors) = since.fold((0_u64, 0_u64), |sum, (requests, errors)| {
                (sum.0.saturating_add(requests), sum.1.saturating_add(errors))
            });
            (value, requests, errors)
        })
        .collect();
    let enough = sides.iter().all(|(_, requests, _)| *requests >= MIN_REQUESTS);
    let rates =
        sides.iter().map(|(_, requests, errors)| *errors as f64 / (*requests).max(1) as f64);
    let (least, most) = rates.fold((f64::MAX, 0.0_f64), |(a, b), rate| (a.min(rate), b.max(rate)));
    if !enough || most <= 0.0 || most < least * MIN_RATIO {
        return Vec::new();
    }
    sides
        .into_iter()
        .map(|(value, requests, errors)| {
            json!({ "version": value, "requests": requests, "errors": errors })
        })
        .collect()
}

fn summary(facets: &Facets<'_>, fired: &BTreeSet<Facet>, found: &Found) -> String {
    let mut parts: Vec<String> = Vec::new();
    for facet in fired {
        let what = match facet {
            Facet::AppVersion => "version",
            Facet::Language => "language",
            Facet::LibraryVersion => "library",
        };
        let mut counts: Vec<(SmolStr, usize)> = facets.counts(*facet).into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let sides: Vec<String> =
            counts.into_iter().map(|(value, count)| format!("{count} × {value}")).collect();
        parts.push(format!("{what} {}", sides.join(", ")));
    }
    let word = match (found.stage, found.shape) {
        ("rolling", _) => "rolling",
        (_, Some("canary")) => "stalled: a few are newer",
        (_, Some("stalled_rollout")) => "stalled: a few are left behind",
        (_, Some(_)) => "stalled",
        _ => "rolling or stalled, not known",
    };
    let silent = match facets.silent().len() {
        0 => String::new(),
        count => format!("; {count} did not answer"),
    };
    format!("{}, {word}{silent}", parts.join("; "))
}

/// The odd ones first, then the others.
fn evidence(
    facets: &Facets<'_>,
    fired: &BTreeSet<Facet>,
    side: Facet,
    facts: &ServiceFacts,
) -> Vec<Fact> {
    let odd: BTreeSet<&str> = odd(facets, side).into_iter().map(|(id, _)| id).collect();
    let mut ids: Vec<&SmolStr> = facets.service.instances.keys().collect();
    ids.sort_by_key(|id| (!odd.contains(id.as_str()), *id));
    let mut all = Vec::new();
    for id in ids {
        let Some(instance) = facets.service.instances.get(id) else { continue };
        if fired.contains(&Facet::AppVersion)
            && let (Some(version), Some(by)) = (&instance.version, &instance.told_by)
        {
            all.push(Fact::new("version", version.as_str(), by, id.clone(), "version"));
        }
        let Some(connection) = &instance.connection else { continue };
        let source = format!("{} on {}", id, server_name(&connection.server, facts));
        if fired.contains(&Facet::Language) {
            let lang = connection.lang.as_deref();
            all.push(Fact::new("language", lang, "CONNZ", source.clone(), "data.connections.lang"));
        }
        if fired.contains(&Facet::LibraryVersion) {
            let library = connection.library.as_deref();
            all.push(Fact::new("library", library, "CONNZ", source, "data.connections.version"));
        }
    }
    all
}
