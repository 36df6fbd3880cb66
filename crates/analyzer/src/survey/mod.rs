//! What a recording is: which epochs, how whole they are, who answered what, how far clocks are
//! off, which checks are blind on it, and what would cure that.

mod blind;
mod servers;
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::decode;
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{EpochIndex, Input, Intake, Problem};
use nats_hindsight_snapshot::Endpoint;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::blind::Blind;
pub use self::servers::{ClockSurvey, ServerSurvey};
pub use self::streams::{ReplicaSurvey, SilentSurvey, StreamSurvey, StreamsSurvey};
use crate::check::Check;
use crate::engine::{EngineError, Options, analyze};
use crate::report::{Unknown, rfc3339};

/// Everything `inspect` shows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Survey {
    /// What was read.
    pub inputs: Vec<Input>,
    /// Epochs in order of their start.
    pub epochs: Vec<EpochSurvey>,
    /// Checks that lack what they require of everybody, and where.
    pub blind: Vec<Blind>,
    /// What checks cannot say of some subjects, and what would cure it, system by system.
    pub unknown: Vec<SystemUnknown>,
    /// What was wrong with the input.
    pub problems: Vec<Problem>,
}

/// What is not known of one system.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SystemUnknown {
    /// The system.
    pub system: String,
    /// As in the report of `analyze`.
    pub unknowns: Vec<Unknown>,
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
    /// Release of the collector; of an archive, that of the gatherer.
    pub collector: String,
    /// Version of the format; of what no collector of ours recorded, what recorded it.
    pub format: String,
    /// Whether every frame is there and sound.
    pub whole: bool,
    /// Whether every request got what was counted on.
    pub complete: bool,
    /// Frames; of what no collector of ours recorded, pages.
    pub frames: usize,
    /// Pages of an archive, or saved replies, that speak of this epoch; null for a snapshot, which
    /// has frames.
    pub pages: Option<usize>,
    /// Bytes as stored.
    pub stored: u64,
    /// Servers that answered anything, by id.
    pub servers: BTreeMap<String, ServerSurvey>,
    /// Servers that were asked and answered nothing, by id or URL.
    pub silent: BTreeMap<String, ServerSurvey>,
    /// Service instances that answered.
    pub instances: usize,
    /// Streams; null where nobody was asked for them.
    pub streams: Option<StreamsSurvey>,
    /// Requests by endpoint and outcome.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Surveys a recording, and runs the checks over it to say what they cannot see. Epochs are read in
/// parallel and kept no longer than it takes.
pub fn survey(
    intake: &Intake,
    checks: &[&'static Check],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Survey, EngineError> {
    let read: Vec<(EpochSurvey, Vec<Problem>)> =
        intake.epochs.par_iter().enumerate().map(|(index, epoch)| one(index, epoch)).collect();
    let mut problems = intake.problems.clone();
    let mut epochs = Vec::new();
    for (epoch, found) in read {
        epochs.push(epoch);
        problems.extend(found);
    }
    list_streams(intake, &mut epochs);
    problems.sort();
    problems.dedup();
    let blind = blind::blind(&epochs, checks);
    let options = Options { checks: checks.to_vec(), ..Options::default() };
    let report = analyze(intake, &options, progress)?;
    let unknown = report
        .systems
        .into_iter()
        .filter(|system| !system.unknowns.is_empty())
        .map(|system| SystemUnknown { system: system.system, unknowns: system.unknowns })
        .collect();
    Ok(Survey { inputs: intake.inputs.clone(), epochs, blind, unknown, problems })
}

/// Lists all streams of the last epoch of each system that tells of any. Which one that is is known
/// only now, and to hold the streams of every epoch until then would be too much.
fn list_streams(intake: &Intake, epochs: &mut [EpochSurvey]) {
    let tells = |epoch: &&EpochSurvey| epoch.streams.as_ref().is_some_and(|told| told.streams > 0);
    let last: BTreeMap<&str, usize> =
        epochs.iter().filter(tells).map(|epoch| (epoch.system.as_str(), epoch.index)).collect();
    let last: Vec<usize> = last.into_values().collect();
    for index in last {
        let (at, survey) = (intake.epochs.get(index), epochs.get_mut(index));
        if let (Some(at), Some(Some(told))) = (at, survey.map(|survey| &mut survey.streams)) {
            told.rows = streams::all(at);
        }
    }
}

fn one(index: usize, at: &EpochIndex) -> (EpochSurvey, Vec<Problem>) {
    let (epoch, mut problems) = decode::load(at, &|_| true, &decode::Memo::default());
    problems.extend(at.problems.iter().cloned());
    problems.extend(unknown(at, &epoch));
    let instances: BTreeSet<&str> =
        epoch.services.iter().map(|record| record.told.id.as_str()).collect();
    let (servers, silent) = servers::servers(&epoch);
    let streams = streams::streams(at, &epoch).map(|(streams, found)| {
        problems.extend(found);
        streams
    });
    let (frames, stored) = at.extent();
    let survey = EpochSurvey {
        index,
        uuid: at.uuid.clone(),
        system: at.head.system.clone(),
        time: rfc3339(at.start()),
        collector: at.head.collector.version.clone(),
        format: at.head.format.version.clone(),
        whole: epoch.whole,
        complete: epoch.whole && epoch.end.as_ref().is_some_and(|end| end.complete),
        frames,
        pages: at.is_captured().then_some(frames),
        stored,
        servers,
        silent,
        instances: instances.len(),
        streams,
        requests: requests(&epoch),
    };
    (survey, problems)
}

/// What a newer collector recorded and this release does not know, counted.
fn unknown(at: &EpochIndex, epoch: &Epoch) -> Vec<Problem> {
    let problem = |kind, text| Problem { epoch: Some(at.uuid.clone()), kind, text, where_: None };
    let lines = epoch.unknown_lines.iter().map(|(kind, count)| {
        let text = format!("{count} lines of the unknown kind {kind} were passed over");
        problem("line_unknown", text)
    });
    let mut endpoints: BTreeMap<&Endpoint, usize> = BTreeMap::new();
    for frame in at.frames.iter().filter(|frame| !frame.endpoint.is_known()) {
        *endpoints.entry(&frame.endpoint).or_default() += 1;
    }
    let endpoints = endpoints.into_iter().map(|(endpoint, count)| {
        let text = format!(
            "{endpoint} is an endpoint that this release does not know; frames passed over: {count}"
        );
        problem("endpoint_unknown", text)
    });
    lines.chain(endpoints).collect()
}

fn requests(epoch: &Epoch) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut requests: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for capture in &epoch.captures {
        let outcomes = requests.entry(capture.endpoint.to_string()).or_default();
        *outcomes.entry(capture.status.to_string()).or_default() += 1;
    }
    requests
}
