//! The parallel half: who an epoch is of, and what the checks take from it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::decode::load;
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{EpochIndex, Intake, Problem};
use nats_hindsight_model::systems::{Identity, Process, processes};
use nats_hindsight_snapshot::Endpoint;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::coverage::Asked;
use crate::check::{Check, Limits, Opaque, Scan};
use crate::settings::Settings;
use crate::verdict::{Judgement, Step};

/// Says of every epoch whose it is. Reads only the small endpoints that every server answers, and
/// the others only where those hold nothing.
pub(super) fn identities(intake: &Intake, pool: &ThreadPool) -> Vec<Identity> {
    pool.install(|| intake.epochs.par_iter().map(identity).collect())
}

fn identity(index: &EpochIndex) -> Identity {
    let small = |endpoint: &Endpoint| [Endpoint::STATSZ, Endpoint::VARZ].contains(endpoint);
    let mut servers = servers(index, &small);
    if servers.is_empty() {
        servers = self::servers(index, &|endpoint| SERVER_ENDPOINTS.contains(endpoint));
    }
    let head = &index.head;
    Identity {
        label: head.system.clone(),
        label_set: head.system_set,
        collector: head.collector.id.clone(),
        sequence: head.run.sequence,
        start: head.start,
        uuid: index.uuid.clone(),
        servers,
    }
}

fn servers(index: &EpochIndex, wanted: &(dyn Fn(&Endpoint) -> bool + Sync)) -> Vec<Process> {
    let (epoch, _) = load(index, wanted);
    processes(&Census::of(&View::new(&epoch, wanted)))
}

/// What is left of an epoch after it was observed.
pub(super) struct Observed {
    /// The epoch's header, end and identity; no replies.
    pub(super) epoch: EpochRemains,
    /// What each selected check took from it, in their order.
    pub(super) taken: Vec<Taken>,
    /// How the requests went.
    pub(super) asked: Asked,
    /// What could not be used.
    pub(super) problems: Vec<Problem>,
}

/// What the report says of an epoch, and what the engine needs to judge it.
pub(super) struct EpochRemains {
    pub(super) uuid: String,
    pub(super) collector: String,
    pub(super) time: jiff::Timestamp,
    pub(super) complete: bool,
    pub(super) digest: String,
    pub(super) confirm_after_ms: u64,
    /// The servers' own clocks, by id.
    pub(super) clocks: Vec<(String, jiff::Timestamp)>,
    /// Replies and lines that were not understood, as (kind, sentence).
    pub(super) remarks: Vec<(&'static str, String)>,
}

/// What a check took from an epoch.
pub(super) enum Taken {
    /// Facts, to be judged in order.
    Facts(Opaque),
    /// Verdicts, from a check that looks at one epoch.
    Said(Judgement),
    /// It failed.
    Failed,
}

/// Decodes an epoch as far as the checks need it, and lets them observe it.
pub(super) fn observe(
    index: &EpochIndex,
    checks: &[&'static Check],
    settings: &Settings,
    step: &Step,
) -> Observed {
    let wanted = |endpoint: &Endpoint| checks.iter().any(|check| check.declares(endpoint));
    let (epoch, problems) = load(index, &wanted);
    let taken = checks.iter().map(|check| take(check, &epoch, settings, step)).collect();
    Observed {
        taken,
        asked: Asked::of(&epoch, &wanted),
        epoch: remains(index, &epoch),
        problems: index.problems.iter().cloned().chain(problems).collect(),
    }
}

fn take(check: &'static Check, epoch: &Epoch, settings: &Settings, step: &Step) -> Taken {
    let declares = |endpoint: &Endpoint| check.declares(endpoint);
    let view = View::new(epoch, &declares);
    let step = Step { confirm_after_ms: epoch.header.asked.confirm_after_ms, ..*step };
    let run = || match &check.scan {
        Scan::Follow(follow) => Taken::Facts((follow.observe)(&view)),
        Scan::Epoch(scan) => {
            let mut said = Judgement::default();
            scan(&view, &Limits { check, settings }, &step, &mut said);
            Taken::Said(said)
        }
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Taken::Failed)
}

fn remains(index: &EpochIndex, epoch: &Epoch) -> EpochRemains {
    let mut clocks: Vec<(String, jiff::Timestamp)> = epoch
        .sightings
        .iter()
        .filter_map(|sighting| Some((sighting.server.clone(), sighting.now?)))
        .collect();
    clocks.sort();
    clocks.dedup_by(|next, first| next.0 == first.0);
    let mut remarks = Vec::new();
    for malformed in &epoch.malformed {
        let text = format!(
            "a reply to {} from {} could not be read: {}",
            malformed.endpoint, malformed.source, malformed.why
        );
        remarks.push(("reply_unreadable", text));
    }
    for (kind, count) in &epoch.unknown_lines {
        let text = format!("{count} lines of the unknown kind {kind} were passed over");
        remarks.push(("line_unknown", text));
    }
    EpochRemains {
        uuid: index.uuid.clone(),
        collector: epoch.header.collector.id.clone(),
        time: epoch.time(),
        complete: epoch.complete(),
        digest: epoch.digest.clone(),
        confirm_after_ms: epoch.header.asked.confirm_after_ms,
        clocks,
        remarks,
    }
}
