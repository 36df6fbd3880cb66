//! What is remembered of a service from the last epoch in which it was there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;

use super::{Absence, Known, Presence, ServiceFacts};
use crate::clusters::Clusters;
use crate::events::{Ended, Events};
use crate::expected::ExpectedService;
use crate::roster::{Instance, Service, ServiceKey};

/// A service in the last epoch in which it had instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastGood {
    /// Index of that epoch; none if only the recording's header remembers it.
    pub epoch: Option<usize>,
    /// Start of that epoch.
    pub time: Option<Timestamp>,
    /// Its instances, by id.
    pub instances: BTreeMap<SmolStr, LastInstance>,
    /// Servers that held their connections, by id.
    pub holders: BTreeMap<SmolStr, Holder>,
    /// Whether Client rows listed it.
    pub listed: bool,
    /// Leaf connections by which it was seen: (server, leaf name).
    pub leafs: BTreeSet<(SmolStr, SmolStr)>,
    /// Requests and errors since the start of its instances, where all told.
    pub served: Option<(u64, u64)>,
    /// Subjects its endpoints served.
    pub subjects: BTreeSet<SmolStr>,
    /// Whether some of its instances had not been there the epoch before.
    pub new_instances: bool,
    /// How the connections of its instances ended, by instance id, where an event told.
    pub ends: BTreeMap<SmolStr, Ended>,
}

/// An instance as it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastInstance {
    /// Version of the application.
    pub version: Option<SmolStr>,
    /// Id of the server that held its connection.
    pub server: Option<SmolStr>,
    /// Id of the connection on that server.
    pub cid: Option<u64>,
    /// Name of the connection.
    pub connection: Option<SmolStr>,
    /// Milliseconds it had been connected: a lower bound of its age.
    pub age_ms: Option<i64>,
}

/// A server that held instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Cluster it was in.
    pub cluster: SmolStr,
    /// Seat it held.
    pub seat: SmolStr,
    /// Its name.
    pub name: SmolStr,
}

impl LastGood {
    /// What the header of the first epoch remembers.
    pub(super) fn remembered(
        expected: &ExpectedService,
        last_seen: Timestamp,
        facts: &ServiceFacts,
        clusters: &Clusters,
    ) -> Self {
        let holder = |id: &SmolStr| {
            let told = facts.census.expected.server(id);
            let name = told.map_or(id, |server| &server.name).clone();
            let known = holder(id, facts, clusters).unwrap_or_else(|| Holder {
                cluster: told
                    .and_then(|server| server.cluster.clone())
                    .unwrap_or_else(|| name.clone()),
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
) -> BTreeMap<SmolStr, Holder> {
    let connected = service.instances.values().filter_map(|instance| instance.connection.as_ref());
    let seen =
        connected.filter_map(|c| Some((c.server.clone(), holder(&c.server, facts, clusters)?)));
    // An instance that answers and is listed nowhere, for want of a list, is where it was.
    let unlisted = service.instances.iter().filter(|(_, now)| now.connection.is_none());
    let unlisted = unlisted.filter(|_| !before.holders.is_empty());
    let carried = unlisted.filter_map(|(id, _)| {
        let server = before.instances.get(id)?.server.clone()?;
        let held = before.holders.get(&server)?.clone();
        Some((server, held))
    });
    seen.chain(carried).collect()
}

/// Leaf connections that alone show instances of a service. A leaf connection shows every service
/// of its side; only where an instance is on no Client row does it show something of its own.
fn leafs(
    key: &ServiceKey,
    service: &Service,
    facts: &ServiceFacts,
) -> BTreeSet<(SmolStr, SmolStr)> {
    let hidden = service.instances.values().any(|instance| instance.connection.is_none());
    let leafs = facts.roster.behind_leafs.get(key).filter(|_| hidden);
    leafs.cloned().unwrap_or_default()
}

/// Brings the instances up to date, and says whether there are new ones.
fn renew(instances: &mut BTreeMap<SmolStr, LastInstance>, service: &Service) -> bool {
    if instances.keys().eq(service.instances.keys()) {
        let all = instances.values_mut().zip(service.instances.values());
        all.for_each(|(last, now)| last.renew(now));
        return false;
    }
    let (mut before, mut news) = (std::mem::take(instances), false);
    // A tree that is made of all at once takes half of what one takes that grows in order.
    let now = service.instances.iter().map(|(id, now)| {
        let mut last = before.remove(id).unwrap_or_else(|| {
            news = true;
            LastInstance::default()
        });
        last.renew(now);
        (id.clone(), last)
    });
    *instances = now.collect();
    news
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
        let mut before = std::mem::take(&mut self.last_good);
        let holders = holders(service, &before, facts, clusters);
        let leafs = leafs(key, service, facts);
        let new_instances = renew(&mut before.instances, service) && before.epoch.is_some();
        // Where no connection was seen, what is known of them from before still helps.
        let (holders, leafs, listed) = if service.listed() || !leafs.is_empty() {
            (holders, leafs, service.listed())
        } else {
            (before.holders, before.leafs, before.listed)
        };
        self.last_good = LastGood {
            epoch: Some(epoch),
            time: Some(time),
            new_instances,
            instances: before.instances,
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
        if events.ended.is_empty() && events.farewells.is_empty() {
            return;
        }
        let LastGood { instances, ends, .. } = &mut self.last_good;
        for (id, last) in instances {
            let (Some(server), Some(cid)) = (&last.server, last.cid) else { continue };
            if let Some(ended) = events.ended.get(&(server.clone(), cid)) {
                ends.insert(id.clone(), ended.clone());
            } else if let Some(farewell) = events.farewells.get(server) {
                ends.entry(id.clone()).or_insert_with(|| Ended {
                    at: farewell.at,
                    server: server.clone(),
                    reason: SmolStr::new_static(farewell.leave.word()),
                    name: last.connection.clone(),
                });
            }
        }
    }
}

impl LastInstance {
    /// Takes what an epoch tells; what it does not tell stays as it was.
    fn renew(&mut self, now: &Instance) {
        if now.version.is_some() {
            self.version.clone_from(&now.version);
        }
        let Some(connection) = &now.connection else { return };
        self.server = Some(connection.server.clone());
        self.cid = Some(connection.cid);
        self.connection = connection.name.clone().or(self.connection.take());
        self.age_ms = connection.uptime_ms.or(self.age_ms);
    }
}

fn served<'a>(instances: impl Iterator<Item = &'a Instance>) -> Option<(u64, u64)> {
    let all: Vec<(u64, u64)> = instances.filter_map(|instance| instance.served).collect();
    let sum = |of: fn(&(u64, u64)) -> u64| all.iter().map(of).fold(0, u64::saturating_add);
    (!all.is_empty()).then(|| (sum(|s| s.0), sum(|s| s.1)))
}

fn subjects<'a>(instances: impl Iterator<Item = &'a Instance>) -> Option<BTreeSet<SmolStr>> {
    let mut told: Vec<_> = instances.filter_map(|instance| instance.announces.as_ref()).collect();
    // Most instances of a service announce the same.
    told.dedup_by(|next, first| Arc::ptr_eq(next, first));
    (!told.is_empty()).then(|| {
        told.into_iter()
            .flat_map(|all| all.iter())
            .map(|endpoint| endpoint.subject.clone())
            .collect()
    })
}
