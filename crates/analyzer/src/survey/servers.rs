//! What each server answered in one epoch, and how far its clock is off.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::epoch::{Epoch, Sighting};
use nats_hindsight_snapshot::lines::Status;
use schemars::JsonSchema;
use serde::Serialize;

/// A server in one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServerSurvey {
    /// Its name, where a reply tells it.
    pub name: String,
    /// Its cluster, where it is in one.
    pub cluster: String,
    /// Its version, where a reply tells it.
    pub version: String,
    /// Its clock, where a reply tells it.
    pub clock: Option<ClockSurvey>,
    /// How the requests to it went, by endpoint: `ok`, or the first of the other outcomes by name.
    pub answers: BTreeMap<String, String>,
}

/// How far a server's clock is ahead of the collector's, as the tightest reply shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClockSurvey {
    /// Microseconds; negative where it is behind.
    pub offset_us: i64,
    /// It may be off from that by this many microseconds: half the round trip.
    pub uncertainty_us: i64,
}

type Servers = BTreeMap<String, ServerSurvey>;

/// The servers that answered, and those that did not.
pub(super) fn servers(epoch: &Epoch) -> (Servers, Servers) {
    let mut servers = answering(epoch);
    let asked: BTreeSet<&str> =
        epoch.sightings.iter().map(|sighting| sighting.endpoint.as_str()).collect();
    for survey in servers.values_mut() {
        for endpoint in &asked {
            // Of those that answer, all are asked what one is asked.
            survey.answers.entry((*endpoint).to_owned()).or_insert_with(|| "no_reply".to_owned());
        }
    }
    let ids: BTreeMap<&str, &str> = epoch
        .sightings
        .iter()
        .filter_map(|sighting| Some((sighting.url.as_deref()?, sighting.who.server.as_str())))
        .collect();
    let mut silent = Servers::new();
    for capture in &epoch.captures {
        let Some(target) = capture.target.as_deref().filter(|_| !is_service(capture)) else {
            continue;
        };
        let id = ids.get(target).copied().unwrap_or(target);
        let survey = match servers.get_mut(id) {
            Some(survey) => survey,
            None => silent.entry(id.to_owned()).or_default(),
        };
        note(survey, capture.endpoint.as_str(), &capture.status);
    }
    // A server that answered nothing and was not there is no gap: it is gone.
    silent.retain(|_, survey| {
        survey.answers.values().any(|status| status != Status::NoResponders.as_str())
    });
    for (id, survey) in &mut silent {
        name(epoch, id, survey);
    }
    (servers, silent)
}

fn is_service(capture: &nats_hindsight_snapshot::lines::CaptureLine) -> bool {
    capture.service.is_some() || capture.endpoint.as_str().starts_with("SRV_")
}

fn answering(epoch: &Epoch) -> Servers {
    let start_us = epoch.header.start.as_microsecond();
    let mut servers = Servers::new();
    for sighting in &epoch.sightings {
        let server = servers.entry(sighting.who.server.to_string()).or_default();
        let told = |known: &mut String, told: Option<&str>| {
            if let (true, Some(told)) = (known.is_empty(), told) {
                told.clone_into(known);
            }
        };
        told(&mut server.name, sighting.who.name.as_deref());
        told(&mut server.cluster, sighting.who.cluster.as_deref());
        told(&mut server.version, sighting.who.version.as_deref());
        server.answers.insert(sighting.endpoint.to_string(), Status::Ok.as_str().to_owned());
        let clock = clock(start_us, sighting);
        let tighter = |known: &ClockSurvey| {
            clock.is_some_and(|clock| clock.uncertainty_us < known.uncertainty_us)
        };
        if server.clock.as_ref().is_none_or(tighter) {
            server.clock = clock.or(server.clock);
        }
    }
    servers
}

/// The server looked at its clock somewhere between the request and the arrival of the reply.
fn clock(start_us: i64, sighting: &Sighting) -> Option<ClockSurvey> {
    let now_us = sighting.who.now?.as_microsecond();
    let arrived_us = start_us.checked_add(i64::try_from(sighting.arrival_us).ok()?)?;
    let half_us = i64::try_from(sighting.rtt_us? / 2).ok()?;
    let offset_us = now_us.checked_sub(arrived_us.checked_sub(half_us)?)?;
    Some(ClockSurvey { offset_us, uncertainty_us: half_us })
}

/// A request to this server alone: what did not come of it counts more than what came to others.
fn note(survey: &mut ServerSurvey, endpoint: &str, status: &Status) {
    let known = survey.answers.get(endpoint).map(String::as_str);
    // A retry that succeeded, and a page that is missing of several.
    let replaces = match known {
        None | Some("no_reply") => true,
        Some("ok") => *status != Status::Ok,
        Some(known) => *status != Status::Ok && status.as_str() < known,
    };
    if replaces {
        survey.answers.insert(endpoint.to_owned(), status.as_str().to_owned());
    }
}

/// The name of a silent server, as others know it.
fn name(epoch: &Epoch, id: &str, survey: &mut ServerSurvey) {
    if let Some(server) = epoch.header.expects.server(id) {
        server.name.as_str().clone_into(&mut survey.name);
        server.cluster.as_deref().unwrap_or_default().clone_into(&mut survey.cluster);
    }
    let peer = epoch.routez.iter().flat_map(|record| &record.peers).find(|peer| peer.id == id);
    if let Some(peer) = peer.filter(|_| survey.name.is_empty()) {
        peer.name.as_str().clone_into(&mut survey.name);
    }
}
