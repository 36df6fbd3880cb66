//! `SERVICE_001`: the instances of one service differ in version, language or library.

mod face;
mod facets;
mod history;

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::View;
use nats_hindsight_model::roster::ServiceKey;
use nats_hindsight_model::services::{
    Doubt, Presence, Seen, ServiceFacts, ServiceTracker, Services,
};
use nats_hindsight_snapshot::Endpoint;

use self::facets::{Facet, Facets};
use self::history::History;
use super::{ENRICHING, reason, service, services};
use crate::check::{Check, Follow, Followed, Limits, Scan, Threshold};
use crate::report::{Severity, Subject};
use crate::settings::Mix;
use crate::verdict::{Judgement, Reason, Step};

pub(super) static CHECK: Check = Check {
    code: "SERVICE_001",
    slug: "service-version-mismatch",
    title: "instances of one service differ in version, language or library",
    severity: Severity::Warning,
    category: "Consistency",
    subject: "service",
    required: &[&[Endpoint::SRV_INFO, Endpoint::SRV_PING, Endpoint::SRV_STATS]],
    enriching: ENRICHING,
    thresholds: &[&RECENT, &OVERDUE_AFTER],
    scan: Scan::Follow(Followed::of::<VersionMismatch>()),
    page: include_str!("page.md"),
};

static RECENT: Threshold = Threshold::seconds(
    "recent",
    300,
    "a version first seen, or still growing at the cost of another, within this time is a rollout",
);
static OVERDUE_AFTER: Threshold =
    Threshold::seconds("overdue_after", 1800, "a mix that lasts longer is overdue");

struct VersionMismatch;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ServiceTracker,
    histories: BTreeMap<ServiceKey, History>,
}

impl Follow for VersionMismatch {
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
            let history = state.histories.entry(seen.key.clone()).or_default();
            judge(seen, &services, history, facts, limits, step, out);
        }
    }
}

fn judge(
    seen: &Seen,
    services: &Services,
    history: &mut History,
    facts: &ServiceFacts,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = service(&seen.key);
    let there = facts.roster.services.get(&seen.key).filter(|s| !s.instances.is_empty());
    let Some(there) = there else {
        return absent(&seen.presence, subject, history, out);
    };
    let facets = Facets::of(there);
    history.observe(&facets, step);
    let mut fired = facets.fired();
    if let Some(mix) = allowed(limits, seen, &facets, &fired) {
        // Only the mix of versions is allowed: what else differs is told as ever.
        fired.remove(&Facet::AppVersion);
        out.exception("allowed_mix", subject.clone(), mix.service.reason.clone());
    }
    if fired.is_empty() {
        let lost = services.connections_lost(&seen.key, there, facts);
        // Where the account was asked, a version that nobody told was not told by mute instances.
        let asked = facts.roster.accounts.contains_key(&seen.key.0);
        let blind = if asked && facets.nobody_answered() {
            Reason::InstanceSilent
        } else {
            Reason::AppVersionUnseen
        };
        agree(&facets, blind, lost.as_ref(), history, subject, step, out);
    } else {
        let recent_ms = step.recent_ms(limits.millis(&RECENT));
        let found = history.classify(&facets, &fired, step, recent_ms);
        let overdue = found.lasting_ms.is_some_and(|ms| ms > limits.millis(&OVERDUE_AFTER));
        name_unseen(&facets, &subject, out);
        out.finding(subject, face::of(&facets, &fired, &found, overdue, history, facts));
        history.mixed(&fired, step);
    }
    history.remember(&facets);
}

/// Names the facets without which a verdict was reached, good or bad.
fn name_unseen(facets: &Facets<'_>, subject: &Subject, out: &mut Judgement) {
    for facet in Facet::ALL.into_iter().filter(|facet| !facets.seen_on_all(*facet)) {
        out.unseen(facet.name(), subject.clone());
    }
}

/// No facet differs among what was seen.
fn agree(
    facets: &Facets<'_>,
    blind: Reason,
    lost: Option<&Doubt>,
    history: &mut History,
    subject: Subject,
    step: &Step,
    out: &mut Judgement,
) {
    let unseen_of_fired = history.fired().iter().any(|facet| !facets.seen_on_all(*facet));
    let cured = !history.fired().is_empty() && !unseen_of_fired;
    let hides = if !facets.versions_seen() {
        Some((blind, Vec::new()))
    } else if facets.somebody_silent() {
        Some((Reason::InstanceSilent, Vec::new()))
    } else if unseen_of_fired {
        Some((Reason::FacetUnseen, Vec::new()))
    } else {
        // Connections that were asked for and did not come may show what differs; those that
        // nobody asked for are a facet that is named instead.
        lost.map(reason)
    };
    match hides {
        Some((reason, hides)) if cured => {
            out.unknown_but_cured(subject, reason, hides);
            history.agreed(step);
        }
        Some((reason, hides)) => out.unknown(subject, reason, hides),
        None => {
            name_unseen(facets, &subject, out);
            out.ok(subject, facets.service.instances.keys().cloned());
            history.agreed(step);
        }
    }
}

/// No instance is known in this epoch.
fn absent(presence: &Presence, subject: Subject, history: &mut History, out: &mut Judgement) {
    match presence {
        Presence::Zero(_) => {
            *history = History::default();
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

/// A mix of versions that the configuration allows.
fn allowed<'a>(
    limits: &'a Limits<'_>,
    seen: &Seen,
    facets: &Facets<'_>,
    fired: &BTreeSet<Facet>,
) -> Option<&'a Mix> {
    if !fired.contains(&Facet::AppVersion) {
        return None;
    }
    let versions = facets.values(Facet::AppVersion);
    limits.exceptions().allowed_mixes.iter().find(|mix| {
        mix.service.matches(&seen.account, &seen.key.0, &seen.key.1)
            && (mix.versions.is_empty()
                || versions
                    .keys()
                    .all(|version| mix.versions.iter().any(|allowed| allowed == version)))
    })
}
