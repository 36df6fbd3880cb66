//! `HINT_002`: a service has a single instance, whose loss would be an outage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::View;
use nats_hindsight_model::roster::{Instance, Roster, Service, ServiceKey};
use nats_hindsight_model::services::{
    Doubt, Presence, Seen, ServiceFacts, ServiceTracker, Services,
};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{ENRICHING, reason, server_name, service, services};
use crate::check::{Check, Follow, Followed, Limits, Scan};
use crate::report::{Severity, rfc3339};
use crate::verdict::{Face, Fact, Judgement, Reason, Step};

pub(super) static CHECK: Check = Check {
    code: "HINT_002",
    slug: "single-instance",
    title: "a service has a single instance, whose loss would be an outage",
    severity: Severity::Info,
    category: "Health",
    subject: "service",
    required: &[&[Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS, Endpoint::CONNZ]],
    enriching: ENRICHING,
    thresholds: &[],
    scan: Scan::Follow(Followed::of::<SingleInstance>()),
    page: include_str!("hint_002_single_instance.md"),
};

/// Most instances that went are listed; the rest is counted.
const MAX_LISTED: usize = 50;

struct SingleInstance;

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ServiceTracker,
    histories: BTreeMap<ServiceKey, History>,
}

#[derive(Default)]
struct History {
    /// When there was last more than one instance, and which.
    more: Option<(Timestamp, BTreeSet<SmolStr>)>,
    /// Since when it is known to be alone.
    alone_since: Option<Timestamp>,
}

impl Follow for SingleInstance {
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
            history.remember_expected(&seen.key, &facts.roster);
            judge(seen, &services, history, facts, limits, step, out);
        }
    }
}

impl History {
    /// What the collector remembers of instances before the first epoch.
    fn remember_expected(&mut self, key: &ServiceKey, roster: &Roster) {
        let told = roster.expected.service(&key.0, &key.1);
        if let (None, Some(told)) = (&self.more, told)
            && let (Some(last_seen), true) = (told.last_seen, told.instances.len() > 1)
        {
            self.more = Some((last_seen, told.instances.iter().cloned().collect()));
        }
    }
}

/// The instances of a service, by whether they are known to be alive.
struct Count<'a> {
    alive: BTreeMap<&'a SmolStr, &'a Instance>,
    /// Known to exist, and silent.
    mute: usize,
    /// Leaf nodes whose connection lists an instance of which nothing else is known.
    behind: Vec<SmolStr>,
}

impl<'a> Count<'a> {
    fn of(key: &ServiceKey, service: &'a Service, roster: &Roster) -> Self {
        let asked = match roster.accounts.get(&key.0) {
            Some(status) => !matches!(status, Status::Denied | Status::Skipped | Status::Other(_)),
            None => roster.lost_words.contains(&key.0),
        };
        // Where nobody asks, an instance is alive by its subscription.
        let alive = |id: &SmolStr, instance: &Instance| {
            instance.answered || (!asked && !service.mute_ids.contains(id))
        };
        let all = service.instances.iter();
        let alive: BTreeMap<_, _> = all.filter(|(id, instance)| alive(id, instance)).collect();
        let mute = service.instances.len() - alive.len();
        let unseen = |id: &&(SmolStr, SmolStr)| !service.instances.contains_key(&id.1);
        let listed = roster.leaf_instances.get(key).into_iter().flatten().filter(unseen);
        let behind: BTreeSet<SmolStr> = listed.map(|(leaf, _)| leaf.clone()).collect();
        Self { alive, mute, behind: behind.into_iter().collect() }
    }

    /// Whether lists of connections do not show the one that answered: then they would not show one
    /// that does not answer either.
    fn is_unlisted(&self, key: &ServiceKey, roster: &Roster) -> bool {
        let Some((id, instance)) = self.alive.first_key_value() else { return false };
        let mut behind = roster.leaf_instances.get(key).into_iter().flatten();
        instance.connection.is_none() && !behind.any(|(_, listed)| listed == *id)
    }

    /// What could hide a further instance.
    fn doubt(&self, services: &Services, key: &ServiceKey, facts: &ServiceFacts) -> Option<Doubt> {
        if self.mute > 0 {
            Some(Doubt::InstanceSilent)
        } else if !self.behind.is_empty() {
            Some(Doubt::BehindLeaf(self.behind.clone()))
        } else {
            services.all_connections(key, facts).err()
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
    let (account_id, name) = &seen.key;
    let exceptions = limits.exceptions();
    let retired = exceptions.retired.iter().find(|retired| {
        step.time >= retired.from && retired.service.matches(&seen.account, account_id, name)
    });
    if let Some(retired) = retired {
        return out.ended(subject, format!("retired: {}", retired.service.reason));
    }
    match &seen.presence {
        Presence::Zero(_) => {
            history.alone_since = None;
            return out.ended(subject, "no instance is left, which SERVICE_002 tells");
        }
        Presence::Unknown(doubt) => {
            let (reason, hides) = reason(doubt);
            return out.unknown(subject, reason, hides);
        }
        Presence::Answers | Presence::Listed => {}
    }
    let Some(there) = facts.roster.services.get(&seen.key) else { return };
    let count = Count::of(&seen.key, there, &facts.roster);
    if count.alive.len() > 1 {
        let ids: BTreeSet<SmolStr> = count.alive.keys().map(|id| (*id).clone()).collect();
        *history = History { more: Some((step.time, ids.clone())), alone_since: None };
        return out.ok(subject, ids);
    }
    let doubt = count.doubt(services, &seen.key, facts);
    if doubt.is_none() && count.is_unlisted(&seen.key, &facts.roster) {
        return out.unknown(subject, Reason::Unlisted, Vec::new());
    }
    match (count.alive.first_key_value(), doubt) {
        (Some((id, instance)), None) => {
            let mut patterns = exceptions.may_be_zero.iter();
            let allowed = patterns.find(|p| p.matches(&seen.account, account_id, name));
            if let Some(pattern) = allowed {
                out.ok(subject.clone(), BTreeSet::from([(*id).clone()]));
                return out.exception("may_be_zero", subject, pattern.reason.clone());
            }
            history.alone_since.get_or_insert(step.time);
            out.finding(subject, Alone { id, instance, history, facts, key: &seen.key }.face());
        }
        (_, doubt) => {
            let (reason, hides) = reason(&doubt.unwrap_or(Doubt::InstanceSilent));
            out.unknown(subject, reason, hides);
        }
    }
}

/// The one instance, and what was before.
struct Alone<'a> {
    id: &'a str,
    instance: &'a Instance,
    history: &'a History,
    facts: &'a ServiceFacts,
    key: &'a ServiceKey,
}

impl Alone<'_> {
    fn face(&self) -> Face {
        let more = self.history.more.as_ref();
        let kind = if more.is_some() { "left" } else { "alone" };
        Face {
            severity: Severity::Info,
            summary: self.summary(),
            face: BTreeMap::from([("kind", kind.into())]),
            details: json!({
                "kind": kind,
                "alone_since": self.history.alone_since.map(rfc3339),
                "instances_before": more.map(|(_, ids)| ids.len()),
                "last_with_more": more.map(|(time, _)| rfc3339(*time)),
                "known_by": if self.instance.answered { "answer" } else { "connection" },
                "instances": [self.row()],
                "gone": self.gone(),
                "effect": "requests are not queued: without it callers get no responders",
            }),
            evidence: self.evidence(),
            members: BTreeSet::from([self.id.into()]),
        }
    }

    fn summary(&self) -> String {
        let place = match (&self.instance.connection, self.leaf()) {
            (Some(connection), _) => {
                format!("on {}", server_name(&connection.server, self.facts))
            }
            (None, Some(leaf)) => format!("behind leaf node {leaf}"),
            // Of such an instance nothing is found.
            (None, None) => "on no list of connections".to_owned(),
        };
        let by = if self.instance.answered { "" } else { ", by its connection alone" };
        match &self.history.more {
            Some((_, ids)) => format!("1 instance is left of {}, {place}{by}", ids.len()),
            None => format!("1 instance, {place}{by}"),
        }
    }

    /// Leaf node whose connection alone lists it.
    fn leaf(&self) -> Option<&str> {
        let mut listed = self.facts.roster.leaf_instances.get(self.key)?.iter();
        listed.find(|(_, id)| id == self.id).map(|(leaf, _)| leaf.as_str())
    }

    fn row(&self) -> Value {
        let connection = self.instance.connection.as_ref();
        json!({
            "id": self.id,
            "version": self.instance.version,
            "server": connection.map(|c| server_name(&c.server, self.facts)),
            "connection": connection.and_then(|c| c.name.as_deref()),
            "address": connection.and_then(|c| c.ip.as_deref()),
            "language": connection.and_then(|c| c.lang.as_deref()),
            "age_s": connection.and_then(|c| c.uptime_ms).map(|ms| ms / 1000),
        })
    }

    /// Instances that were there when there were more, with the end of their connections where a
    /// server still remembers it.
    fn gone(&self) -> Vec<Value> {
        let ids = self.history.more.iter().flat_map(|(_, ids)| ids);
        let row = |id: &SmolStr| {
            let stop = self.facts.roster.stops.get(id).and_then(|stops| stops.last());
            json!({
                "id": id,
                "server": stop.map(|stop| server_name(&stop.server, self.facts)),
                "time": stop.and_then(|stop| stop.at).map(rfc3339),
                "reason": stop.map(|stop| &stop.reason),
                "connection": stop.and_then(|stop| stop.name.as_deref()),
            })
        };
        ids.filter(|id| *id != self.id).take(MAX_LISTED).map(row).collect()
    }

    /// Its answer, and how many each server lists.
    fn evidence(&self) -> Vec<Fact> {
        let told = self
            .instance
            .told_by
            .as_ref()
            .map(|endpoint| Fact::new("instance", self.id, endpoint, self.id, "id"));
        let on = self.instance.connection.as_ref().map(|connection| connection.server.as_str());
        let sweeps = self.facts.roster.sweeps.iter();
        let listed: BTreeMap<&str, u64> = sweeps
            .filter(|sweep| sweep.covers(&self.key.0))
            .map(|sweep| (sweep.server.as_str(), u64::from(on == Some(sweep.server.as_str()))))
            .collect();
        let listed = listed.into_iter().map(|(id, count)| {
            let server = server_name(id, self.facts);
            Fact::new("instances listed", count, "CONNZ", server, "data.connections")
        });
        told.into_iter().chain(listed).collect()
    }
}
