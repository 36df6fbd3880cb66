//! `SKEW_003`: the ledger of every window in which two versions coexisted.

mod details;
mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::View;
use nats_hindsight_model::census::{Census, SERVER_ENDPOINTS};
use nats_hindsight_model::clusters::{Cluster, Clusters};
use nats_hindsight_model::epoch::{ServedEndpoint, ServiceRecord, VarzRecord};
use nats_hindsight_model::roster::{Instance, Service, ServiceKey};
use nats_hindsight_model::services::{Presence, Seen, ServiceFacts, ServiceTracker, Services};
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use self::details::{CLUSTER, SERVICE, Terms, face};
use self::ledger::{Ledger, Member, Reading, versions};
use crate::check::{Check, Follow, Followed, Kind, Limits, Scan};
use crate::checks::server::{hidden_members, nobody_answered, server};
use crate::checks::service::{reason, service, services};
use crate::report::{Severity, Subject};
use crate::verdict::{Face, Fact, Judgement, Reason, Step};

/// Endpoints by which services tell their version.
const VERBS: &[Endpoint] = &[Endpoint::SRV_INFO, Endpoint::SRV_PING, Endpoint::SRV_STATS];
/// Endpoints by which it is known who belongs to a cluster.
const MEMBERSHIP: &[Endpoint] = &[Endpoint::ROUTEZ, Endpoint::VARZ];

pub(super) static CHECK: Check = Check {
    code: "SKEW_003",
    slug: "version-exposure",
    title: "ledger of the windows in which two versions of a cluster or service coexisted",
    severity: Severity::Info,
    category: "Consistency",
    subject: "cluster, service",
    required: &[SERVER_ENDPOINTS, MEMBERSHIP, VERBS],
    enriching: &[Endpoint::VARZ, Endpoint::SRV_STATS],
    thresholds: &[],
    scan: Scan::Follow(Followed::of::<VersionExposure>()),
    page: include_str!("page.md"),
};

struct VersionExposure;

/// What one epoch shows.
struct Facts {
    services: ServiceFacts,
    /// Counters of instances, by account, service and id.
    served: BTreeMap<(ServiceKey, SmolStr), Reading>,
    /// Counters of servers, by id.
    messages: BTreeMap<SmolStr, Reading>,
}

/// What is carried from epoch to epoch.
#[derive(Default)]
struct State {
    tracker: ServiceTracker,
    clusters: BTreeMap<SmolStr, Ledger>,
    services: BTreeMap<ServiceKey, Ledger>,
}

impl Follow for VersionExposure {
    type Facts = Facts;
    type State = State;
    const KINDS: &'static [Kind] = &[
        Kind { subject: "cluster", required: &[SERVER_ENDPOINTS, MEMBERSHIP] },
        Kind { subject: "service", required: &[VERBS] },
    ];

    fn observe(view: &View<'_>) -> Facts {
        Facts {
            services: ServiceFacts::of(view),
            served: view.services().filter_map(served).collect(),
            messages: view.varz().iter().filter_map(|varz| messages(varz)).collect(),
        }
    }

    fn judge(state: &mut State, facts: &Facts, _: &Limits<'_>, step: &Step, out: &mut Judgement) {
        let services = services(&mut state.tracker, &facts.services, 0, step, out);
        clusters(&services.clusters, &mut state.clusters, facts, step, out);
        for seen in &services.all {
            let ledger = state.services.entry(seen.key.clone()).or_default();
            let there = facts.services.roster.services.get(&seen.key);
            match there.filter(|there| !there.instances.is_empty()) {
                Some(there) => instances(seen, there, ledger, facts, &services, step, out),
                None => absent(seen, ledger, step, out),
            }
        }
    }
}

/// The counters of an instance, if it tells all of them and its start: a sum without one of its
/// parts is no sum.
fn served(record: &ServiceRecord) -> Option<((ServiceKey, SmolStr), Reading)> {
    if record.endpoint != Endpoint::SRV_STATS {
        return None;
    }
    let sum = |of: fn(&ServedEndpoint) -> Option<u64>| {
        record
            .told
            .endpoints
            .as_ref()?
            .iter()
            .try_fold(0, |sum: u64, endpoint| sum.checked_add(of(endpoint)?))
    };
    let counts = [sum(|endpoint| endpoint.requests)?, sum(|endpoint| endpoint.errors)?];
    let key = (record.account.clone().unwrap_or_default(), record.told.name.clone());
    Some(((key, record.told.id.clone()), Reading { started: record.told.started?, counts }))
}

/// The counters of a server, if it tells both and its start.
fn messages(varz: &VarzRecord) -> Option<(SmolStr, Reading)> {
    let reading = Reading { started: varz.start?, counts: [varz.in_msgs?, varz.out_msgs?] };
    Some((varz.server.clone(), reading))
}

fn clusters(
    clusters: &Clusters,
    ledgers: &mut BTreeMap<SmolStr, Ledger>,
    facts: &Facts,
    step: &Step,
    out: &mut Judgement,
) {
    for (kind, text) in &clusters.problems {
        out.problem(kind, text.clone());
    }
    for cluster in &clusters.all {
        let ledger = ledgers.entry(cluster.key.clone()).or_default();
        if cluster.answered.is_empty() {
            let subject = Subject::Cluster { cluster: cluster.key.clone() };
            go_on(CLUSTER, &subject, ledger, step, out);
            nobody_answered(cluster, out, |subject, out| {
                close(CLUSTER, &[], subject, ledger, step, out);
            });
        } else {
            servers(cluster, ledger, facts, step, out);
        }
    }
}

fn servers(
    cluster: &Cluster,
    ledger: &mut Ledger,
    facts: &Facts,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = Subject::Cluster { cluster: cluster.key.clone() };
    let members: Vec<Member> =
        cluster.answered.iter().filter_map(|id| server_member(id, facts, step)).collect();
    let seats: BTreeSet<SmolStr> = cluster.seats.values().cloned().collect();
    if versions(&members).len() > 1 {
        let told = ledger.mixed(&members, step);
        let evidence = server_evidence(&members, &facts.services.census);
        let face = Face { members: seats, ..face(CLUSTER, &members, &told, evidence) };
        if members.iter().any(|member| member.reading.is_none()) {
            out.unseen("messages", subject.clone());
        }
        if members.iter().any(|member| member.connections.is_none()) {
            out.unseen("connections", subject.clone());
        }
        out.finding(subject, face);
    } else if let Some((reason, hides)) = hidden_servers(cluster, &members, facts) {
        go_on(CLUSTER, &subject, ledger, step, out);
        out.unknown(subject, reason, hides);
    } else {
        close(CLUSTER, &members, &subject, ledger, step, out);
        out.ok(subject, seats);
    }
}

/// Why the versions seen are not those of all servers.
fn hidden_servers(
    cluster: &Cluster,
    members: &[Member],
    facts: &Facts,
) -> Option<(Reason, Vec<Subject>)> {
    let seen: BTreeSet<&SmolStr> = members.iter().map(|member| &member.id).collect();
    let unseen = cluster.answered.iter().filter(|id| !seen.contains(id));
    let hides: Vec<Subject> =
        unseen.map(|id| server(&cluster.key, name(id, &facts.services.census))).collect();
    if hides.is_empty() { hidden_members(cluster) } else { Some((Reason::VersionUnseen, hides)) }
}

fn name<'a>(id: &'a str, census: &'a Census) -> &'a str {
    census.servers.get(id).map_or(id, |server| &server.name)
}

/// One version is left, or nobody: what was open is over, and its numbers are final.
fn close(
    terms: Terms,
    members: &[Member],
    subject: &Subject,
    ledger: &mut Ledger,
    step: &Step,
    out: &mut Judgement,
) {
    if let Some(told) = ledger.agreed(members, step) {
        out.conclude(subject.clone(), details::of(terms, &told));
    }
}

/// Nothing can be said: what is open may last until now.
fn go_on(terms: Terms, subject: &Subject, ledger: &Ledger, step: &Step, out: &mut Judgement) {
    if let Some(told) = ledger.unknown(step) {
        out.conclude(subject.clone(), details::of(terms, &told));
    }
}

/// A server whose version is told.
fn server_member(id: &SmolStr, facts: &Facts, step: &Step) -> Option<Member> {
    let server = facts.services.census.servers.get(id)?;
    let born = server.born(step.time);
    Some(Member {
        id: id.clone(),
        version: server.version.as_ref()?.value.clone(),
        born,
        there: born,
        reading: facts.messages.get(id).copied(),
        connections: server.connections,
    })
}

fn server_evidence(members: &[Member], census: &Census) -> Vec<Fact> {
    let version = |member: &Member| {
        let told = census.servers.get(&member.id)?.version.as_ref()?;
        let source = name(&member.id, census);
        Some(Fact::new("version", told.value.as_str(), &told.endpoint, source, told.path))
    };
    members.iter().filter_map(version).collect()
}

fn instances(
    seen: &Seen,
    there: &Service,
    ledger: &mut Ledger,
    facts: &Facts,
    services: &Services,
    step: &Step,
    out: &mut Judgement,
) {
    let subject = service(&seen.key);
    let all = there.instances.iter();
    let members: Vec<Member> =
        all.filter_map(|(id, instance)| member(&seen.key, id, instance, facts, step)).collect();
    if versions(&members).len() > 1 {
        let told = ledger.mixed(&members, step);
        let ids = there.instances.keys().cloned().collect();
        let face = Face { members: ids, ..face(SERVICE, &members, &told, evidence(there)) };
        let told = members.iter().filter(|member| member.reading.is_some()).count();
        if told < there.instances.len() {
            out.unseen("requests", subject.clone());
        }
        return out.finding(subject, face);
    }
    let asked = facts.services.roster.accounts.contains_key(&seen.key.0);
    if let Some(reason) = hidden(there, asked) {
        go_on(SERVICE, &subject, ledger, step, out);
        return out.unknown(subject, reason, Vec::new());
    }
    let lost = services.connections_lost(&seen.key, there, &facts.services);
    let open = ledger.is_open();
    if lost.is_none() || open {
        close(SERVICE, &members, &subject, ledger, step, out);
    }
    match lost.as_ref().map(reason) {
        None => out.ok(subject, there.instances.keys().cloned()),
        Some((reason, hides)) if open => out.unknown_but_cured(subject, reason, hides),
        Some((reason, hides)) => out.unknown(subject, reason, hides),
    }
}

/// Why the versions seen are not those of all instances.
fn hidden(there: &Service, asked: bool) -> Option<Reason> {
    let mut instances = there.instances.values();
    let told = |instance: &Instance| instance.answered && instance.version.is_none();
    let nobody = !there.answers();
    // Where the account was asked, a version that nobody told was not told by mute instances.
    if nobody && asked {
        Some(Reason::InstanceSilent)
    } else if nobody || there.instances.values().any(told) {
        Some(Reason::AppVersionUnseen)
    } else if instances.any(|instance| !instance.answered) {
        Some(Reason::InstanceSilent)
    } else {
        None
    }
}

/// An instance whose version is told.
fn member(
    key: &ServiceKey,
    id: &str,
    instance: &Instance,
    facts: &Facts,
    step: &Step,
) -> Option<Member> {
    let reading = facts.served.get(&(key.clone(), id.into())).copied();
    let connected = instance.connection.as_ref().and_then(|c| c.since(step.time));
    // The start is the instance's own word; its connection shows that it is no younger than that.
    let started = reading.map(|reading| reading.started);
    let born = match (started, connected) {
        (Some(started), Some(connected)) => Some(started.min(connected)),
        (started, _) => started.filter(|started| *started <= step.time),
    };
    let version = instance.version.clone()?;
    let there = connected.or(born);
    Some(Member { id: id.into(), version, born, there, reading, connections: None })
}

fn evidence(there: &Service) -> Vec<Fact> {
    let version = |(id, instance): (&SmolStr, &Instance)| {
        let endpoint = instance.told_by.clone().unwrap_or(Endpoint::SRV_PING);
        Some(Fact::new(
            "version",
            instance.version.as_deref()?,
            endpoint.to_string(),
            id.as_str(),
            "version",
        ))
    };
    there.instances.iter().filter_map(version).collect()
}

/// No instance is known in this epoch.
fn absent(seen: &Seen, ledger: &mut Ledger, step: &Step, out: &mut Judgement) {
    let subject = service(&seen.key);
    match &seen.presence {
        Presence::Zero(_) => {
            close(SERVICE, &[], &subject, ledger, step, out);
            out.ended(subject, "the service has no instance any more");
        }
        Presence::Unknown(doubt) => {
            let (reason, hides) = reason(doubt);
            go_on(SERVICE, &subject, ledger, step, out);
            out.unknown(subject, reason, hides);
        }
        // What answers or is listed has an instance, and so is not absent.
        Presence::Answers | Presence::Listed => {}
    }
}
