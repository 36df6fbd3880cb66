//! `SKEW_002`: instances of one service at one version announce different contracts.

mod contract;
mod face;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::View;
use nats_hindsight_model::roster::{Instance, Service, ServiceKey};
use nats_hindsight_model::services::{Doubt, Presence, Seen, ServiceFacts, ServiceTracker};
use nats_hindsight_snapshot::Endpoint;

use self::contract::{Contracts, Difference};
use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::checks::service::{reason, service, services};
use crate::report::{Severity, Subject};
use crate::verdict::{Judgement, Reason, Step, millis_between};

pub(super) static CHECK: Check = Check {
    code: "SKEW_002",
    slug: "service-contract-drift",
    title: "instances of one service at one version announce different contracts",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "service",
    required: &[&[Endpoint::SRV_INFO]],
    enriching: &[
        Endpoint::SRV_PING,
        Endpoint::SRV_STATS,
        Endpoint::VARZ,
        Endpoint::STATSZ,
        Endpoint::ROUTEZ,
        Endpoint::CONNZ,
        Endpoint::CONNZ_CLOSED,
        Endpoint::ACCOUNTZ,
        Endpoint::LEAFZ,
    ],
    thresholds: &[&GRACE],
    scan: Scan::Follow(Followed::of::<ContractDrift>()),
    page: include_str!("page.md"),
};

static GRACE: Threshold = Threshold::seconds(
    "grace",
    60,
    "an instance that started within this time may not have announced all its endpoints yet",
);

struct ContractDrift;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ServiceTracker,
    /// Since when each service is known to differ.
    open_since: BTreeMap<ServiceKey, Timestamp>,
}

impl Follow for ContractDrift {
    type Facts = ServiceFacts;
    type State = State;

    fn observe(view: &View<'_>) -> ServiceFacts {
        ServiceFacts::of(view)
    }

    fn judge(
        state: &mut State,
        facts: &ServiceFacts,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    ) {
        let services = services(&mut state.tracker, facts, 0, step, out);
        for seen in &services.all {
            let there = facts.roster.services.get(&seen.key).filter(|s| !s.instances.is_empty());
            let Some(there) = there else {
                absent(seen, &mut state.open_since, out);
                continue;
            };
            let contracts = Contracts::of(there);
            let differences = contracts.differences();
            if differences.is_empty() {
                let lost = services.connections_lost(&seen.key, there, facts);
                if agree(seen, there, &contracts, lost.as_ref(), facts, out) {
                    state.open_since.remove(&seen.key);
                }
                continue;
            }
            let since = *state.open_since.entry(seen.key.clone()).or_insert(step.time);
            let stage = stage(there, &differences, since, limits.millis(&GRACE), step);
            let face = face::of(there, &contracts, &differences, stage, facts);
            name_unseen(&contracts, &service(&seen.key), out);
            out.finding(service(&seen.key), face);
        }
    }
}

/// Nothing differs in what was announced; says whether that is all there is.
fn agree(
    seen: &Seen,
    there: &Service,
    contracts: &Contracts<'_>,
    lost: Option<&Doubt>,
    facts: &ServiceFacts,
    out: &mut Judgement,
) -> bool {
    let subject = service(&seen.key);
    let asked = facts.roster.accounts.contains_key(&seen.key.0);
    let hides = if !contracts.any() && (!asked || there.answers()) {
        Some((Reason::ContractUnseen, Vec::new()))
    } else if !contracts.silent.is_empty() {
        Some((Reason::InstanceSilent, Vec::new()))
    } else if !contracts.untold.is_empty() {
        Some((Reason::ContractUnseen, Vec::new()))
    } else if !contracts.unversioned.is_empty() {
        Some((Reason::AppVersionUnseen, Vec::new()))
    } else {
        lost.map(reason)
    };
    if let Some((reason, hides)) = hides {
        out.unknown(subject, reason, hides);
        return false;
    }
    name_unseen(contracts, &subject, out);
    out.ok(subject, there.instances.keys().cloned().collect::<BTreeSet<_>>());
    true
}

/// Names the facets without which a verdict was reached, good or bad.
fn name_unseen(contracts: &Contracts<'_>, subject: &Subject, out: &mut Judgement) {
    let unseen = [
        ("queue_group", contracts.groups_unseen()),
        ("metadata_keys", contracts.metadata_unseen()),
    ];
    for (facet, _) in unseen.into_iter().filter(|(_, unseen)| *unseen) {
        out.unseen(facet, subject.clone());
    }
}

/// No instance is known in this epoch.
fn absent(seen: &Seen, open_since: &mut BTreeMap<ServiceKey, Timestamp>, out: &mut Judgement) {
    let subject: Subject = service(&seen.key);
    match &seen.presence {
        Presence::Zero(_) => {
            open_since.remove(&seen.key);
            out.ended(subject, "the service has no instance any more");
        }
        Presence::Unknown(doubt) => {
            let (reason, hides) = reason(doubt);
            out.unknown(subject, reason, hides);
        }
        // What answers or is listed has an instance, and so is not absent.
        Presence::Answers | Presence::Listed => {}
    }
}

/// Whether what differs may only be the start of an instance: it announces its endpoints one by
/// one. A group, a subject or a key is not announced late, and a start does not last.
fn stage(
    there: &Service,
    differences: &[Difference<'_>],
    since: Timestamp,
    grace_ms: i64,
    step: &Step,
) -> &'static str {
    let lasts = millis_between(since, step.time) >= grace_ms;
    let mut ages = Vec::new();
    for difference in differences {
        match difference.lacking() {
            Some(lacking) if !lasts => {
                ages.extend(lacking.iter().map(|id| age(there.instances.get(*id)?, step)));
            }
            _ => return "settled",
        }
    }
    if ages.iter().flatten().any(|age| *age >= grace_ms) {
        "settled"
    } else if ages.iter().any(Option::is_none) {
        "unknown"
    } else {
        "starting"
    }
}

/// Milliseconds since an instance may have started: the longer of what its connection and its own
/// word say, because a reconnect makes the one short and a reset of its counters the other. That is
/// enough to refuse grace, and no age to report.
fn age(instance: &Instance, step: &Step) -> Option<i64> {
    let connected = instance.connection.as_ref().and_then(|connection| connection.uptime_ms);
    let told = instance.started.map(|started| millis_between(started, step.time));
    connected.max(told)
}
