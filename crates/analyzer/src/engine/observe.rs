//! The parallel half: who an epoch is of, and what the checks take from it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::clocks::Clocks;
use nats_hindsight_model::decode::{Memo, load, replies};
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{EpochIndex, Intake, Problem};
use nats_hindsight_model::systems::{Identity, Process, processes};
use nats_hindsight_model::{Joined, View};
use nats_hindsight_snapshot::Endpoint;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::coverage::Asked;
use crate::check::{Check, Limits, Opaque, Scan};
use crate::settings::Settings;
use crate::verdict::{Judgement, Step};

/// Says of every epoch whose it is. A run of the collector records one system, so where its first
/// and its last epoch share a server, those between are not asked.
pub(super) fn identities(intake: &Intake, pool: &ThreadPool) -> Vec<Identity> {
    let mut runs: BTreeMap<[&str; 3], Vec<usize>> = BTreeMap::new();
    for (at, epoch) in intake.epochs.iter().enumerate() {
        let head = &epoch.head;
        let run = [head.system.as_str(), head.collector.id.as_str(), head.run.id.as_str()];
        runs.entry(run).or_default().push(at);
    }
    let runs: Vec<Vec<usize>> = runs.into_values().collect();
    let asked: Vec<Vec<Identity>> =
        pool.install(|| runs.par_iter().map(|run| of_run(intake, run)).collect());
    let mut all: Vec<(usize, Identity)> =
        runs.into_iter().flatten().zip(asked.into_iter().flatten()).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, identity)| identity).collect()
}

fn of_run(intake: &Intake, run: &[usize]) -> Vec<Identity> {
    let of = |at: &usize| identity(&intake.epochs[*at]);
    let [first, between @ .., last] = run else { return run.iter().map(of).collect() };
    let (first, last) = (of(first), of(last));
    let ids: BTreeSet<&str> = first.servers.iter().map(|process| process.id.as_str()).collect();
    let one = !intake.epochs[run[0]].head.run.id.is_empty()
        && last.servers.iter().any(|process| ids.contains(process.id.as_str()));
    let between: Vec<Identity> = if one {
        let all =
            || first.servers.iter().chain(last.servers.iter()).cloned().collect::<BTreeSet<_>>();
        let servers: Arc<[Process]> = all().into_iter().collect();
        let of =
            |at: &usize| Identity { servers: Arc::clone(&servers), ..outline(&intake.epochs[*at]) };
        between.iter().map(of).collect()
    } else {
        between.par_iter().map(of).collect()
    };
    [first].into_iter().chain(between).chain([last]).collect()
}

fn identity(index: &EpochIndex) -> Identity {
    let small: [&[Endpoint]; 3] =
        [&[Endpoint::STATSZ], &[Endpoint::STATSZ, Endpoint::VARZ], SERVER_ENDPOINTS];
    let read = |endpoints: &&[Endpoint]| servers(index, &|endpoint| endpoints.contains(endpoint));
    let mut servers = read(&small[0]);
    // A server without a name is known by its address, which VARZ tells.
    let nameless = servers.iter().any(|server| server.seat.1 == server.id);
    if nameless || servers.len() < index.expected_servers() {
        servers = read(&small[1]);
    }
    if servers.is_empty() {
        servers = read(&small[2]);
    }
    Identity { servers: servers.into(), ..outline(index) }
}

/// What the header alone says.
fn outline(index: &EpochIndex) -> Identity {
    let head = &index.head;
    Identity {
        label: head.system.clone(),
        label_set: head.system_set,
        collector: head.collector.id.clone(),
        sequence: head.run.sequence,
        start: head.start,
        uuid: index.uuid.clone(),
        servers: Arc::default(),
    }
}

fn servers(index: &EpochIndex, wanted: &(dyn Fn(&Endpoint) -> bool + Sync)) -> Vec<Process> {
    let epoch = replies(index, wanted);
    processes(&Census::of(&View::new(&epoch, wanted, &Joined::default())))
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
    /// The servers' own clocks.
    pub(super) clocks: Clocks,
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
    memo: &Memo,
) -> Observed {
    let wanted = |endpoint: &Endpoint| checks.iter().any(|check| check.declares(endpoint));
    let (epoch, problems) = load(index, &wanted, memo);
    let joined = Joined::default();
    let taken = checks.iter().map(|check| take(check, &epoch, &joined, settings, step)).collect();
    let observed = Observed {
        taken,
        asked: Asked::of(&epoch, &wanted),
        epoch: remains(index, &epoch),
        problems: index.problems.iter().cloned().chain(problems).collect(),
    };
    memo.take_back(epoch);
    observed
}

fn take(
    check: &'static Check,
    epoch: &Epoch,
    joined: &Joined,
    settings: &Settings,
    step: &Step,
) -> Taken {
    let declares = |endpoint: &Endpoint| check.declares(endpoint);
    let view = View::new(epoch, &declares, joined).with_settings(check.reads_settings());
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
        clocks: Clocks::of(epoch),
        remarks,
    }
}
