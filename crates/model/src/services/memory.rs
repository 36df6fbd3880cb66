//! What is remembered of a service from the last epoch in which it was there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_snapshot::lines::ExpectedService;

use super::{Absence, Known, Presence, ServiceFacts};
use crate::clusters::Clusters;
use crate::events::{Ended, Events};
use crate::roster::{Instance, Service, ServiceKey};

/// A service in the last epoch in which it had instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastGood {
    /// Index of that epoch; none if only the recording's header remembers it.
    pub epoch: Option<usize>,
    /// Start of that epoch.
    pub time: Option<Timestamp>,
    /// Its instances, by id.
    pub instances: BTreeMap<String, LastInstance>,
    /// Servers that held their connections, by id.
    pub holders: BTreeMap<String, Holder>,
    /// Whether Client rows listed it.
    pub listed: bool,
    /// Leaf connections by which it was seen: (server, leaf name).
    pub leafs: BTreeSet<(String, String)>,
    /// Requests and errors since the start of its instances, where all told.
    pub served: Option<(u64, u64)>,
    /// Subjects its endpoints served.
    pub subjects: BTreeSet<String>,
    /// Whether some of its instances had not been there the epoch before.
    pub new_instances: bool,
    /// How the connections of its instances ended, by instance id, where an event told.
    pub ends: BTreeMap<String, Ended>,
}

/// An instance as it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastInstance {
    /// Version of the application.
    pub version: Option<String>,
    /// Id of the server that held its connection.
    pub server: Option<String>,
    /// Id of the connection on that server.
    pub cid: Option<u64>,
    /// Name of the connection.
    pub connection: Option<String>,
    /// Milliseconds it had been connected: a lower bound of its age.
    pub age_ms: Option<i64>,
}

/// A server that held instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Cluster it was in.
    pub cluster: String,
    /// Seat it held.
    pub seat: String,
    /// Its name.
    pub name: String,
}

impl LastGood {
    /// What the header of the first epoch remembers.
    pub(super) fn remembered(
        expected: &ExpectedService,
        last_seen: Timestamp,
        facts: &ServiceFacts,
        clusters: &Clusters,
    ) -> Self {
        let holder = |id: &String| {
            let told = facts.census.expected.iter().find(|server| server.id == *id);
            let name = told.map_or(id, |server| &server.name).clone();
            let known = holder(id, facts, clusters).unwrap_or_else(|| Holder {
                cluster: told.and_then(|s| s.cluster.clone()).unwrap_or_else(|| name.clone()),
                seat: name.clone(),
                name,
            });
            (id.clone(), known)
        };
        Self {
            time: Some(last_seen),
            instances: expected
                .instances
                .iter()
                .map(|id| (id.clone(), LastInstance::default()))
                .collect(),
            holders: expected.servers.iter().map(holder).collect(),
            listed: !expected.servers.is_empty(),
            ..Self::default()
        }
    }
}

/// Where a server that answers sits.
fn holder(id: &str, facts: &ServiceFacts, clusters: &Clusters) -> Option<Holder> {
    let server = facts.census.servers.get(id)?;
    let cluster = clusters.all.iter().find(|cluster| cluster.seats.contains_key(id))?;
    Some(Holder {
        cluster: cluster.key.clone(),
        seat: cluster.seats.get(id)?.clone(),
        name: server.name.clone(),
    })
}

/// The servers that hold the instances of a service.
fn holders(
    service: &Service,
    before: &LastGood,
    facts: &ServiceFacts,
    clusters: &Clusters,
) -> BTreeMap<String, Holder> {
    let connected = service.instances.values().filter_map(|instance| instance.connection.as_ref());
    let seen =
        connected.filter_map(|c| Some((c.server.clone(), holder(&c.server, facts, clusters)?)));
    // An instance that answers and is listed nowhere, for want of a list, is where it was.
    let unlisted = service.instances.iter().filter(|(_, now)| now.connection.is_none());
    let carried = unlisted.filter_map(|(id, _)| {
        let server = before.instances.get(id)?.server.clone()?;
        let held = before.holders.get(&server)?.clone();
        Some((server, held))
    });
    seen.chain(carried).collect()
}

/// Leaf connections that alone show instances of a service. A leaf connection shows every service
/// of its side; only where an instance is on no Client row does it show something of its own.
fn leafs(key: &ServiceKey, service: &Service, facts: &ServiceFacts) -> BTreeSet<(String, String)> {
    let hidden = service.instances.values().any(|instance| instance.connection.is_none());
    let leafs = facts.roster.behind_leafs.get(key).filter(|_| hidden);
    leafs.cloned().unwrap_or_default()
}

fn instances(service: &Service, before: &LastGood) -> BTreeMap<String, LastInstance> {
    let all = service.instances.iter();
    all.map(|(id, now)| (id.clone(), last(now, before.instances.get(id)))).collect()
}

impl Known {
    /// Remembers the service as it is in this epoch, if it is there.
    pub(super) fn update(
        &mut self,
        key: &ServiceKey,
        presence: &Presence,
        facts: &ServiceFacts,
        clusters: &Clusters,
        epoch: usize,
        time: Timestamp,
    ) {
        match presence {
            Presence::Answers => self.silent = false,
            Presence::Listed => {}
            Presence::Zero(zero) => {
                self.silent |= zero.kind == Absence::Silent;
                return;
            }
            Presence::Unknown(_) => return,
        }
        let Some(service) = facts.roster.services.get(key) else { return };
        let before = std::mem::take(&mut self.last_good);
        let holders = holders(service, &before, facts, clusters);
        let leafs = leafs(key, service, facts);
        let instances = instances(service, &before);
        // Where no connection was seen, what is known of them from before still helps.
        let (holders, leafs, listed) = if service.listed() || !leafs.is_empty() {
            (holders, leafs, service.listed())
        } else {
            (before.holders, before.leafs, before.listed)
        };
        self.last_good = LastGood {
            epoch: Some(epoch),
            time: Some(time),
            new_instances: before.epoch.is_some()
                && instances.keys().any(|id| !before.instances.contains_key(id)),
            instances,
            holders,
            listed,
            leafs,
            served: served(service.instances.values()),
            subjects: subjects(service.instances.values()).unwrap_or(before.subjects),
            ends: BTreeMap::new(),
        };
    }

    /// Remembers how the connections of its last instances ended. A server that leaves does not
    /// say so of each connection, but ends them all.
    pub(super) fn note_ends(&mut self, events: &Events) {
        let LastGood { instances, ends, .. } = &mut self.last_good;
        for (id, last) in instances {
            let (Some(server), Some(cid)) = (&last.server, last.cid) else { continue };
            if let Some(ended) = events.ended.get(&(server.clone(), cid)) {
                ends.insert(id.clone(), ended.clone());
            } else if let Some(farewell) = events.farewells.get(server) {
                ends.entry(id.clone()).or_insert_with(|| Ended {
                    at: farewell.at,
                    server: server.clone(),
                    reason: farewell.leave.word().to_owned(),
                    name: last.connection.clone(),
                });
            }
        }
    }
}

fn last(now: &Instance, before: Option<&LastInstance>) -> LastInstance {
    let connection = now.connection.as_ref();
    LastInstance {
        version: now.version.clone().or_else(|| before?.version.clone()),
        server: connection.map(|c| c.server.clone()).or_else(|| before?.server.clone()),
        cid: connection.map(|c| c.cid).or_else(|| before?.cid),
        connection: connection.and_then(|c| c.name.clone()).or_else(|| before?.connection.clone()),
        age_ms: connection.and_then(|c| c.uptime_ms).or_else(|| before?.age_ms),
    }
}

fn served<'a>(instances: impl Iterator<Item = &'a Instance>) -> Option<(u64, u64)> {
    let all: Vec<(u64, u64)> = instances.filter_map(|instance| instance.served).collect();
    let sum = |of: fn(&(u64, u64)) -> u64| all.iter().map(of).fold(0, u64::saturating_add);
    (!all.is_empty()).then(|| (sum(|s| s.0), sum(|s| s.1)))
}

fn subjects<'a>(instances: impl Iterator<Item = &'a Instance>) -> Option<BTreeSet<String>> {
    let told: Vec<_> = instances.filter_map(|instance| instance.announces.as_ref()).collect();
    (!told.is_empty()).then(|| {
        told.into_iter()
            .flat_map(|all| all.iter())
            .map(|endpoint| endpoint.subject.clone())
            .collect()
    })
}
