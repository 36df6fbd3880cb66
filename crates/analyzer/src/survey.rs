//! What a recording is, before anything is judged: which epochs, how whole they are, who answered
//! what, and which checks are blind on it.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::decode;
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{EpochIndex, Input, Intake, Problem};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::check::Check;
use crate::report::rfc3339;

/// Everything `inspect` shows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Survey {
    /// What was read.
    pub inputs: Vec<Input>,
    /// Epochs in order of their start.
    pub epochs: Vec<EpochSurvey>,
    /// Checks that cannot say `ok`, and where.
    pub blind: Vec<Blind>,
    /// What was wrong with the input.
    pub problems: Vec<Problem>,
}

/// One epoch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EpochSurvey {
    /// Position in the recording, from 0.
    pub index: usize,
    /// UUID.
    pub uuid: String,
    /// Label of the system as it was recorded.
    pub system: String,
    /// Start.
    pub time: String,
    /// Release of the collector.
    pub collector: String,
    /// Version of the format.
    pub format: String,
    /// Whether every frame is there and sound.
    pub whole: bool,
    /// Whether every request got what was counted on.
    pub complete: bool,
    /// Frames.
    pub frames: usize,
    /// Bytes as stored.
    pub stored: u64,
    /// Servers that answered anything, by id.
    pub servers: BTreeMap<String, ServerSurvey>,
    /// Service instances that answered.
    pub instances: usize,
    /// Requests by endpoint and outcome.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A server that answered something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServerSurvey {
    /// Its name, where a reply tells it.
    pub name: String,
    /// Its cluster, where it is in one.
    pub cluster: String,
    /// Its version, where a reply tells it.
    pub version: String,
}

/// A check that lacks what it requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blind {
    /// Code of the check.
    pub code: &'static str,
    /// Slug of the check.
    pub slug: &'static str,
    /// Endpoints of which one would be enough.
    pub needs: Vec<&'static str>,
    /// What became of the requests to them.
    pub why: String,
    /// Epochs concerned.
    pub epochs: Vec<usize>,
}

/// Surveys a recording. Epochs are read in parallel and kept no longer than it takes.
pub fn survey(intake: &Intake, checks: &[&'static Check]) -> Survey {
    let read: Vec<(EpochSurvey, Vec<Problem>)> =
        intake.epochs.par_iter().enumerate().map(|(index, epoch)| one(index, epoch)).collect();
    let mut problems = intake.problems.clone();
    let mut epochs = Vec::new();
    for (epoch, found) in read {
        epochs.push(epoch);
        problems.extend(found);
    }
    problems.sort();
    problems.dedup();
    let blind = blind(&epochs, checks);
    Survey { inputs: intake.inputs.clone(), epochs, blind, problems }
}

fn one(index: usize, at: &EpochIndex) -> (EpochSurvey, Vec<Problem>) {
    let (epoch, mut problems) = decode::load(at, &|_| true);
    problems.extend(at.problems.iter().cloned());
    let instances: BTreeSet<&str> =
        epoch.services.iter().map(|record| record.id.as_str()).collect();
    let survey = EpochSurvey {
        index,
        uuid: at.uuid.clone(),
        system: at.head.system.clone(),
        time: rfc3339(at.start()),
        collector: at.head.collector.version.clone(),
        format: at.head.format.version.clone(),
        whole: epoch.whole,
        complete: epoch.whole && epoch.end.as_ref().is_some_and(|end| end.complete),
        frames: at.frames.len(),
        stored: at.frames.iter().map(|frame| frame.stored).sum(),
        servers: servers(&epoch),
        instances: instances.len(),
        requests: requests(&epoch),
    };
    (survey, problems)
}

fn servers(epoch: &Epoch) -> BTreeMap<String, ServerSurvey> {
    let mut servers: BTreeMap<String, ServerSurvey> = BTreeMap::new();
    for sighting in &epoch.sightings {
        let server = servers.entry(sighting.server.clone()).or_default();
        let told = |known: &mut String, told: &Option<String>| {
            if let (true, Some(told)) = (known.is_empty(), told) {
                known.clone_from(told);
            }
        };
        told(&mut server.name, &sighting.name);
        told(&mut server.cluster, &sighting.cluster);
        told(&mut server.version, &sighting.version);
    }
    servers
}

fn requests(epoch: &Epoch) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut requests: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for capture in &epoch.captures {
        let outcomes = requests.entry(capture.endpoint.to_string()).or_default();
        *outcomes.entry(capture.status.to_string()).or_default() += 1;
    }
    requests
}

/// Checks whose required groups did not answer, grouped over epochs.
fn blind(epochs: &[EpochSurvey], checks: &[&'static Check]) -> Vec<Blind> {
    let mut blind: Vec<Blind> = Vec::new();
    for check in checks {
        for group in check.required {
            for epoch in epochs.iter().filter(|epoch| !group.iter().any(|e| answered(epoch, e))) {
                let why = outcomes(epoch, group);
                let needs: Vec<&str> = group.iter().map(Endpoint::as_str).collect();
                let same = |known: &&mut Blind| {
                    known.code == check.code && known.needs == needs && known.why == why
                };
                match blind.iter_mut().find(same) {
                    Some(known) => known.epochs.push(epoch.index),
                    None => blind.push(Blind {
                        code: check.code,
                        slug: check.slug,
                        needs,
                        why,
                        epochs: vec![epoch.index],
                    }),
                }
            }
        }
    }
    blind
}

/// Whether anything came of the requests to an endpoint; that nobody responds is an answer too.
fn answered(epoch: &EpochSurvey, endpoint: &Endpoint) -> bool {
    let answers = [Status::Ok, Status::Partial, Status::NoResponders];
    epoch
        .requests
        .get(endpoint.as_str())
        .is_some_and(|outcomes| answers.iter().any(|status| outcomes.contains_key(status.as_str())))
}

/// What became of the requests to some endpoints, in words.
fn outcomes(epoch: &EpochSurvey, group: &[Endpoint]) -> String {
    // What a damaged epoch does not hold may have been asked all the same.
    let nothing = if epoch.whole { "not asked" } else { "not asked, or lost with the damage" };
    let mut endpoints: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for endpoint in group {
        let statuses: Vec<String> = epoch
            .requests
            .get(endpoint.as_str())
            .into_iter()
            .flat_map(|outcomes| outcomes.keys())
            .map(|status| status.replace('_', " "))
            .collect();
        let outcome = if statuses.is_empty() { nothing.to_owned() } else { statuses.join(", ") };
        endpoints.entry(outcome).or_default().push(endpoint.as_str());
    }
    let parts: Vec<String> = endpoints
        .iter()
        .map(|(outcome, endpoints)| format!("{outcome}: {}", endpoints.join(", ")))
        .collect();
    parts.join("; ")
}
