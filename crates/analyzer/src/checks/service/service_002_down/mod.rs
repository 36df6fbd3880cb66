//! `SERVICE_002`: a service that had instances has none.

mod ends;
mod face;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::View;
use nats_hindsight_model::clusters::{Cluster, Clusters};
use nats_hindsight_model::roster::ServiceKey;
use nats_hindsight_model::services::{
    Absence, LastGood, Presence, Seen, ServiceFacts, ServiceTracker, Services, Zero,
};
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use self::face::{Group, Outage};
use super::{ENRICHING_WITH_EVENTS, reason, service, services};
use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::report::Severity;
use crate::verdict::{Judgement, Step};

pub(super) static CHECK: Check = Check {
    code: "SERVICE_002",
    slug: "service-down",
    title: "a service that had instances has none",
    severity: Severity::Critical,
    category: "Health",
    subject: "service",
    required: &[&[Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS, Endpoint::CONNZ]],
    enriching: ENRICHING_WITH_EVENTS,
    thresholds: &[&SETTLE_AFTER, &LONG_GONE],
    scan: Scan::Follow(Followed::of::<ServiceDown>()),
    page: include_str!("page.md"),
};

static SETTLE_AFTER: Threshold = Threshold::seconds(
    "settle_after",
    30,
    "a server that restarted within this time may still be getting its clients back",
);
static LONG_GONE: Threshold = Threshold::seconds(
    "long_gone",
    86_400,
    "a service that has been gone for longer is only worth knowing",
);

struct ServiceDown;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ServiceTracker,
    /// Epoch in which each service was first there.
    first_seen: BTreeMap<ServiceKey, usize>,
    /// When one of the servers that were ever missing had last answered, of all the latest.
    last_loss: Option<Timestamp>,
}

impl Follow for ServiceDown {
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
        let settle_after_ms = limits.millis(&SETTLE_AFTER);
        let services = services(&mut state.tracker, facts, settle_after_ms, step, out);
        state.last_loss = state.last_loss.max(last_loss(&services.clusters));
        for seen in &services.all {
            if matches!(seen.presence, Presence::Answers | Presence::Listed) {
                state.first_seen.entry(seen.key.clone()).or_insert(step.epoch);
            }
        }
        for seen in &services.all {
            judge(seen, &services, state, facts, limits, step, out);
        }
    }
}

fn judge(
    seen: &Seen,
    services: &Services,
    state: &State,
    facts: &ServiceFacts,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = service(&seen.key);
    let (account_id, name) = &seen.key;
    let exceptions = limits.exceptions();
    let retired = exceptions.retired.iter().find(|retired| {
        step.time >= retired.from && retired.service.matches(&seen.account, account_id, name)
    });
    if let Some(retired) = retired {
        out.ended(subject.clone(), format!("retired: {}", retired.service.reason));
        out.exception("retired", subject, retired.service.reason.clone());
        return;
    }
    let zero = match &seen.presence {
        Presence::Answers | Presence::Listed => return out.ok(subject, BTreeSet::new()),
        Presence::Unknown(doubt) => {
            let (reason, hides) = reason(doubt);
            return out.unknown(subject, reason, hides);
        }
        Presence::Zero(zero) => zero,
    };
    let allowed = exceptions
        .may_be_zero
        .iter()
        .find(|pattern| pattern.matches(&seen.account, account_id, name));
    if let Some(pattern) = allowed.filter(|_| zero.kind == Absence::Gone) {
        out.ok(subject.clone(), BTreeSet::new());
        out.exception("may_be_zero", subject, pattern.reason.clone());
        return;
    }
    let Some(before) = &seen.before else { return };
    let outage = Outage {
        seen,
        zero,
        before,
        group: group(seen, zero, before, services, facts),
        replaced_by: replaced_by(seen, before, services, state, facts),
        // Not one that has come back since, either.
        nats_healthy: state.last_loss.is_none_or(|loss| Some(loss) < before.time),
        facts,
        step,
    };
    if !outage.tells_ends() {
        out.unseen("why_it_went", subject.clone());
    }
    out.finding(subject, outage.face(limits.millis(&LONG_GONE)));
}

/// Who else of the account went between the same two epochs in the same way, and what they have in
/// common: a service that is mute and one that is cut off have not the same cause.
fn group(
    seen: &Seen,
    zero: &Zero,
    before: &LastGood,
    services: &Services,
    facts: &ServiceFacts,
) -> Option<Group> {
    let of_account = services.all.iter().filter(|other| other.key.0 == seen.key.0);
    let mut together: Vec<(&str, &LastGood)> = Vec::new();
    let mut all_gone = true;
    for other in of_account {
        match (&other.presence, &other.before) {
            (Presence::Zero(theirs), Some(last))
                if last.time == before.time && theirs.kind == zero.kind =>
            {
                together.push((&other.key.1, last));
            }
            (Presence::Zero(_), _) => {}
            _ => all_gone = false,
        }
    }
    if together.len() < 2 {
        return None;
    }
    let holders: BTreeSet<Vec<&SmolStr>> =
        together.iter().map(|(_, last)| last.holders.keys().collect()).collect();
    // One server held them all; only if its process is gone too, that is what they have in common.
    let one_server = holders.len() == 1
        && holders.iter().all(|holders| holders.len() == 1)
        && !holders.iter().flatten().any(|id| facts.census.servers.contains_key(id));
    let cause = if zero.kind == Absence::CutOff || one_server {
        "server"
    } else if all_gone {
        "account"
    } else {
        "deployment"
    };
    Some(Group { services: together.into_iter().map(|(n, _)| n.to_owned()).collect(), cause })
}

/// A service of the account that came since and serves subjects this one served.
fn replaced_by(
    seen: &Seen,
    before: &LastGood,
    services: &Services,
    state: &State,
    facts: &ServiceFacts,
) -> Option<SmolStr> {
    let last = before.epoch?;
    services
        .all
        .iter()
        .filter(|other| other.key.0 == seen.key.0 && other.key != seen.key)
        .filter(|other| matches!(other.presence, Presence::Answers | Presence::Listed))
        .filter(|other| state.first_seen.get(&other.key).is_some_and(|first| *first > last))
        .find(|other| {
            let there = facts.roster.services.get(&other.key);
            there.is_some_and(|service| {
                let announced = service.instances.values().filter_map(|i| i.announces.as_ref());
                announced
                    .flat_map(|all| all.iter())
                    .any(|endpoint| before.subjects.contains(&endpoint.subject))
            })
        })
        .map(|other| other.key.1.clone())
}

/// When one of the servers that are missing had last answered, of all the latest.
fn last_loss(clusters: &Clusters) -> Option<Timestamp> {
    let members = |cluster: &Cluster| {
        let missing = cluster.silent.values().chain(cluster.departed.values());
        missing.filter_map(|member| member.last_seen).max()
    };
    clusters.all.iter().filter_map(members).max()
}
