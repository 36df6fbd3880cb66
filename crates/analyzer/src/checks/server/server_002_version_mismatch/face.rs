//! What the finding says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::version::{self, Gap};
use serde::Serialize;
use smol_str::SmolStr;

use super::Mix;
use super::history::Found;
use crate::report::Severity;
use crate::verdict::{Face, Fact};

/// Most servers listed per version; the rest is counted.
const MAX_LISTED: usize = 50;

#[derive(Serialize)]
struct Details<'a> {
    stage: &'static str,
    cause: &'static str,
    gap: Option<Gap>,
    majority: Option<&'a str>,
    versions: Vec<Group<'a>>,
    outliers: Vec<Outlier<'a>>,
    silent: Vec<&'a str>,
    lasting_s: Option<i64>,
    lasting_at_least_s: i64,
    overdue: bool,
    risk: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<String>,
}

#[derive(Serialize)]
struct Group<'a> {
    version: &'a str,
    count: usize,
    servers: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    server: &'a str,
    id: &'a str,
    age_s: Option<i64>,
    connections: Option<u64>,
    jetstream: Option<bool>,
    git_commit: Option<&'a str>,
    go: Option<&'a str>,
}

#[derive(Serialize)]
struct Outlier<'a> {
    server: &'a str,
    version: &'a str,
}

pub(super) fn of(
    mix: &Mix<'_>,
    found: &Found,
    (lasting_ms, at_least_ms): (Option<i64>, i64),
    overdue: bool,
) -> Face {
    let gap = version::gap(mix.versions.keys().copied());
    let details = Details {
        stage: found.stage,
        cause: found.cause,
        gap,
        majority: mix.majority(),
        versions: groups(mix),
        outliers: outliers(mix),
        silent: mix.cluster.silent.values().map(|member| member.name.as_str()).collect(),
        lasting_s: lasting_ms.map(|ms| ms / 1000),
        lasting_at_least_s: at_least_ms / 1000,
        overdue,
        risk: risk(gap),
        doubts: mix.cluster.doubts.iter().map(|(name, doubt)| format!("{name} {doubt}")).collect(),
    };
    let mild = found.stage == "rolling" && !overdue;
    Face {
        severity: if mild { Severity::Info } else { Severity::Warning },
        summary: summary(mix, found.stage),
        face: BTreeMap::from([("stage", found.stage.into())]),
        details: serde_json::to_value(details).unwrap_or_default(),
        evidence: evidence(mix),
        members: mix.cluster.seats.values().cloned().collect::<BTreeSet<_>>(),
    }
}

fn sorted<'a>(mix: &Mix<'a>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut all: Vec<(&str, Vec<&str>)> =
        mix.versions.iter().map(|(version, ids)| (*version, ids.clone())).collect();
    for (_, ids) in &mut all {
        ids.sort_by_key(|id| (mix.name(id), *id));
    }
    all.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| version::order(b.0, a.0)));
    all
}

fn groups<'a>(mix: &Mix<'a>) -> Vec<Group<'a>> {
    sorted(mix)
        .into_iter()
        .map(|(version, ids)| Group {
            version,
            count: ids.len(),
            servers: ids.into_iter().take(MAX_LISTED).filter_map(|id| row(mix, id)).collect(),
        })
        .collect()
}

fn row<'a>(mix: &Mix<'a>, id: &'a str) -> Option<Row<'a>> {
    let server = mix.census.servers.get(id)?;
    Some(Row {
        server: &server.name,
        id,
        age_s: server.age_ms.map(|ms| ms / 1000),
        connections: server.connections,
        jetstream: server.jetstream,
        git_commit: server.git_commit.as_deref(),
        go: server.go.as_deref(),
    })
}

fn outliers<'a>(mix: &Mix<'a>) -> Vec<Outlier<'a>> {
    let mut all: Vec<Outlier<'a>> = mix
        .outliers()
        .into_iter()
        .filter_map(|id| Some(Outlier { server: mix.name(id), version: mix.version(id)? }))
        .collect();
    all.sort_by_key(|outlier| (outlier.server, outlier.version));
    all.truncate(MAX_LISTED);
    all
}

fn risk(gap: Option<Gap>) -> &'static str {
    match gap {
        Some(Gap::Major) => {
            "versions that far apart are not tested together; a fix that one server lacks exposes \
             the cluster, because servers trust their routes"
        }
        Some(Gap::Minor) => {
            "features differ from server to server, and several minors apart is untested; a fix \
             that one server lacks exposes the cluster, because servers trust their routes"
        }
        _ => {
            "a fix that one server lacks exposes the whole cluster, because servers trust their \
             routes"
        }
    }
}

fn summary(mix: &Mix<'_>, stage: &str) -> String {
    let parts: Vec<String> = sorted(mix)
        .iter()
        .map(|(version, ids)| {
            let few = ids.len() <= 3 || Some(*version) != mix.majority() && ids.len() <= 5;
            let names: Vec<&str> = ids.iter().map(|id| mix.name(id)).collect();
            if few {
                format!("{} on {version} ({})", ids.len(), names.join(", "))
            } else {
                format!("{} on {version}", ids.len())
            }
        })
        .collect();
    let word = match stage {
        "rolling" => "rolling",
        "stalled" => "stalled",
        _ => "rolling or stalled, not known",
    };
    let silent = match mix.cluster.silent.len() {
        0 => String::new(),
        count => format!("; {count} did not answer"),
    };
    format!("{}, {word}{silent}", parts.join(", "))
}

/// The odd ones first, then the others.
fn evidence(mix: &Mix<'_>) -> Vec<Fact> {
    let odd: BTreeSet<&str> = mix.outliers().into_iter().collect();
    let mut ids: Vec<&str> = mix.cluster.answered.iter().map(SmolStr::as_str).collect();
    ids.sort_by_key(|id| (!odd.contains(id), mix.name(id), *id));
    ids.into_iter()
        .filter_map(|id| {
            let told = mix.census.servers.get(id)?.version.as_ref()?;
            Some(Fact::new("version", told.value.as_str(), &told.endpoint, mix.name(id), told.path))
        })
        .collect()
}
