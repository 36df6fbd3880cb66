//! `HINT_003`: a server's clock is off against the collector's.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::clusters::ClusterTracker;
use nats_hindsight_model::epoch::Sighting;
use serde_json::json;

use crate::check::{Check, Limits, Scan, Threshold};
use crate::checks::server::server;
use crate::report::{Severity, Subject};
use crate::verdict::{Face, Fact, Judgement, Reason, Step};

pub(super) static CHECK: Check = Check {
    code: "HINT_003",
    slug: "clock-skew",
    title: "a server's clock is off against the collector's",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "server",
    required: &[SERVER_ENDPOINTS],
    enriching: &[],
    thresholds: &[&MAX_SKEW],
    scan: Scan::Epoch(scan),
    page: include_str!("hint_003_clock_skew.md"),
};

static MAX_SKEW: Threshold =
    Threshold::seconds("max_skew", 2, "a clock may be off by this much beyond the round trip");

/// How far a clock is off, as the tightest reply shows it.
struct Reading<'a> {
    skew_us: i64,
    sighting: &'a Sighting,
}

fn scan(view: &View<'_>, limits: &Limits<'_>, _: &Step, out: &mut Judgement) {
    let census = view.census();
    let mut sightings: BTreeMap<&str, Vec<&Sighting>> = BTreeMap::new();
    for sighting in view.sightings() {
        sightings.entry(&sighting.who.server).or_default().push(sighting);
    }
    let mut readings: BTreeMap<Subject, Result<Reading<'_>, Reason>> = BTreeMap::new();
    for (id, process) in &census.servers {
        let cluster = process.cluster.as_deref().unwrap_or(&process.name);
        let subject = server(cluster, process.seat().unwrap_or(id));
        let tightest = tightest(view, sightings.get(id.as_str()).map_or(&[], Vec::as_slice));
        let worst = readings.entry(subject).or_insert(Err(Reason::ClockUnseen));
        // Sites with the same names share a subject; the worse clock speaks for both.
        let worse = match (&*worst, &tightest) {
            (Ok(worst), Ok(tightest)) => tightest.skew_us.abs() > worst.skew_us.abs(),
            (Ok(_), Err(_)) => false,
            (Err(_), _) => true,
        };
        if worse {
            *worst = tightest;
        }
    }
    for subject in untold(view, &census) {
        if !readings.contains_key(&subject) {
            out.unknown(subject, Reason::ServerSilent, Vec::new());
        }
    }
    for (subject, reading) in readings {
        match reading {
            Err(reason) => out.unknown(subject, reason, Vec::new()),
            Ok(reading) if reading.skew_us.abs() / 1000 > limits.millis(&MAX_SKEW) => {
                out.finding(subject, face(&reading));
            }
            Ok(_) => out.ok(subject, BTreeSet::new()),
        }
    }
}

/// The reading of the tightest reply, or why there is none.
fn tightest<'a>(view: &View<'_>, sightings: &[&'a Sighting]) -> Result<Reading<'a>, Reason> {
    let readings = sightings.iter().filter_map(|sighting| reading(view, sighting));
    let tightest =
        readings.min_by_key(|reading| (reading.skew_us.abs(), reading.sighting.arrival_us));
    let told = sightings.iter().any(|sighting| sighting.who.now.is_some());
    tightest.ok_or(if told { Reason::ClockUntimed } else { Reason::ClockUnseen })
}

/// Servers that told nothing themselves, although others have routes to them or the header expects
/// them and no answered route list shows that they went.
fn untold(view: &View<'_>, census: &Census) -> BTreeSet<Subject> {
    let mut untold = named(census);
    let servers = &census.expected.servers;
    if servers.iter().any(|server| !census.servers.contains_key(&server.id)) {
        let clusters = ClusterTracker::default().step(census, view.time());
        let silent = clusters.all.iter().flat_map(|cluster| cluster.silent.values());
        untold.extend(silent.filter_map(|member| {
            let told = census.expected.server(&member.id)?;
            let name = if told.name.is_empty() { &told.id } else { &told.name };
            Some(server(told.cluster.as_deref().unwrap_or(name), name))
        }));
    }
    untold
}

/// Servers that others have routes to and that told nothing themselves.
fn named(census: &Census) -> BTreeSet<Subject> {
    let peers = census.routes.iter().flat_map(|(by, peers)| peers.iter().map(move |p| (by, p)));
    peers
        .filter(|(_, peer)| !census.servers.contains_key(&peer.id))
        .filter_map(|(by, peer)| {
            let by = census.servers.get(by)?;
            let cluster = by.cluster.as_deref().unwrap_or(&by.name);
            let name = if peer.name.is_empty() { &peer.id } else { &peer.name };
            Some(server(cluster, name))
        })
        .collect()
}

/// The server looked at its clock between the request and the arrival of the reply; what lies
/// outside of that is skew, positive where the server is ahead.
fn reading<'a>(view: &View<'_>, sighting: &'a Sighting) -> Option<Reading<'a>> {
    let now_us = sighting.who.now?.as_microsecond();
    let start_us = view.time().as_microsecond();
    let arrived_us = start_us.checked_add(i64::try_from(sighting.arrival_us).ok()?)?;
    let asked_us = arrived_us.checked_sub(i64::try_from(sighting.rtt_us?).ok()?)?;
    let ahead = now_us.saturating_sub(arrived_us).max(0);
    let behind = asked_us.saturating_sub(now_us).max(0);
    Some(Reading { skew_us: ahead - behind, sighting })
}

fn face(reading: &Reading<'_>) -> Face {
    let skew_ms = reading.skew_us / 1000;
    let direction = if skew_ms > 0 { "ahead of" } else { "behind" };
    let name = reading.sighting.who.name.as_deref().unwrap_or(&reading.sighting.who.server);
    let now = reading.sighting.who.now.map(crate::report::rfc3339);
    Face {
        severity: Severity::Warning,
        summary: format!("{} ms {direction} the collector's clock, at least", skew_ms.abs()),
        face: BTreeMap::from([("direction", direction.into())]),
        details: json!({ "skew_ms": skew_ms, "rtt_us": reading.sighting.rtt_us }),
        evidence: vec![Fact::new(
            "clock",
            now,
            &reading.sighting.endpoint,
            name,
            if reading.sighting.url.is_some() { "now" } else { "server.time" },
        )],
        members: BTreeSet::new(),
    }
}
