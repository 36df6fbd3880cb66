//! Services along a sequence: which were there, and whether they are there now.
//!
//! Zero instances must be proven: a reply that did not come is not an outage. [`Presence`] says
//! how much is known, and what hides the rest.

mod connections;
mod memory;
mod presence;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;

use crate::View;
use crate::census::Census;
use crate::clusters::{ClusterTracker, Clusters};
use crate::events::{Events, Farewells};
use crate::expected::ExpectedService;
use crate::roster::{Roster, Service, ServiceKey};
pub use memory::{Holder, LastGood, LastInstance};

/// What one epoch says about services and the servers that hold them.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The servers.
    pub census: Arc<Census>,
    /// The services.
    pub roster: Arc<Roster>,
    /// What servers said by themselves.
    pub events: Events,
}

impl ServiceFacts {
    /// Takes the facts from an epoch.
    pub fn of(view: &View<'_>) -> Self {
        Self { census: view.census(), roster: view.roster(), events: Events::of(view) }
    }
}

/// Follows the services of one track from epoch to epoch.
#[derive(Debug, Default)]
pub struct ServiceTracker {
    clusters: ClusterTracker,
    known: BTreeMap<ServiceKey, Known>,
    /// Names of accounts, by id: not every epoch tells them.
    names: BTreeMap<SmolStr, SmolStr>,
    farewells: Farewells,
}

/// What is remembered of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The last epoch in which it had instances.
    pub last_good: LastGood,
    /// Whether it stopped answering while it was listed: then only an answer counts.
    pub silent: bool,
}

/// The times by which absence is judged, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Least distance between two proofs.
    pub confirm_after_ms: u64,
    /// A server younger than this may still be getting its clients back.
    pub settle_after_ms: i64,
}

/// The services of one epoch.
#[derive(Debug)]
pub struct Services {
    /// The clusters they run on.
    pub clusters: Arc<Clusters>,
    /// Every service that is there now or was before.
    pub all: Vec<Seen>,
}

impl Services {
    /// What hides connections that were asked for and could show more of a service, such as an
    /// instance that is mute; nothing if all were seen, or if they were never to be had.
    pub fn connections_lost(
        &self,
        key: &ServiceKey,
        service: &Service,
        facts: &ServiceFacts,
    ) -> Option<Doubt> {
        // Behind a leaf node an instance has no connection to be seen.
        let leaf = facts.roster.behind_leafs.contains_key(key);
        let mut instances = service.instances.values();
        let unlisted = instances.any(|instance| instance.connection.is_none());
        if leaf || !unlisted || !facts.roster.connections_meant {
            return None;
        }
        connections::complete(key, facts, &self.clusters).err()
    }

    /// Whether every connection that could show an instance of a service was seen.
    ///
    /// # Errors
    /// What hides further ones.
    pub fn all_connections(&self, key: &ServiceKey, facts: &ServiceFacts) -> Result<(), Doubt> {
        connections::complete(key, facts, &self.clusters)?;
        connections::membership_known(&self.clusters)
    }
}

/// One service in one epoch.
#[derive(Debug)]
pub struct Seen {
    /// Account id and name.
    pub key: ServiceKey,
    /// Name of the account for display; its id where no epoch so far told one.
    pub account: SmolStr,
    /// Whether it is there.
    pub presence: Presence,
    /// What it was when it was last there, if it is not there now.
    pub before: Option<LastGood>,
}

/// Whether a service is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// An instance answered.
    Answers,
    /// It was not asked by name, but a Client row lists it.
    Listed,
    /// It is not there.
    Zero(Zero),
    /// Nothing can be said.
    Unknown(Doubt),
}

/// How a service is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zero {
    /// In which way.
    pub kind: Absence,
    /// Server it was asked through.
    pub asked_through: Option<SmolStr>,
    /// Servers that held instances and are out of sight.
    pub cut_off_with: Vec<SmolStr>,
    /// Whether it is known only by its absence from connections.
    pub by_sweep: bool,
    /// Whether its servers were never known, so that being cut off cannot be told from having
    /// gone.
    pub servers_unknown: bool,
}

/// In which way a service is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Absence {
    /// Nobody subscribes any more.
    Gone,
    /// It is unreachable together with its server.
    CutOff,
    /// It is connected and does not answer.
    Silent,
}

impl Absence {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::CutOff => "cut_off",
            Self::Silent => "silent",
        }
    }
}

/// Why nothing can be said of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It gives *no responders* and is listed.
    Contradiction,
    /// Servers did not answer: (cluster, name).
    ServerSilent(Vec<(SmolStr, SmolStr)>),
    /// It runs behind leaf nodes: their names.
    BehindLeaf(Vec<SmolStr>),
    /// No connection to its account could ask.
    AccountUnreachable,
    /// Permissions forbid asking.
    Denied,
    /// Lists of connections are not complete: (cluster, name) of the servers that lack.
    ConnectionsIncomplete(Vec<(SmolStr, SmolStr)>),
    /// A server that held it restarted a moment ago.
    Settling(Vec<(SmolStr, SmolStr)>),
    /// It is listed, and none of its instances answered when asked by id.
    InstanceSilent,
    /// It did not answer, and cannot be asked by its name.
    Unaskable,
    /// It did not answer, and nothing proves that it is not there.
    ZeroUnproven,
}

impl ServiceTracker {
    /// Takes the next epoch of the track.
    pub fn step(
        &mut self,
        facts: &ServiceFacts,
        epoch: usize,
        time: Timestamp,
        patience: Patience,
    ) -> Services {
        let clusters = self.clusters.step(&facts.census, time);
        self.farewells.step(&facts.events);
        self.names.extend(facts.roster.account_names.clone());
        self.remember_expected(facts, &clusters);
        self.meet(facts);
        let mut all = Vec::with_capacity(self.known.len());
        for (key, known) in &mut self.known {
            let presence = presence::of(key, known, facts, &clusters, &self.farewells, patience);
            let zero = matches!(presence, Presence::Zero(_));
            known.update(key, &presence, facts, &clusters, epoch, time);
            known.note_ends(&facts.events);
            let before = zero.then(|| known.last_good.clone());
            let account = self.names.get(&key.0).unwrap_or(&key.0).clone();
            all.push(Seen { key: key.clone(), account, presence, before });
        }
        let holders = |known: &Known, id: &str| known.last_good.holders.contains_key(id);
        self.farewells.keep(|id| self.known.values().any(|known| holders(known, id)));
        Services { clusters, all }
    }

    /// Every service that is there is known from now on.
    fn meet(&mut self, facts: &ServiceFacts) {
        let roster = &facts.roster;
        let there = roster.services.iter().filter(|(_, service)| !service.instances.is_empty());
        for key in there.map(|(key, _)| key).chain(roster.behind_leafs.keys()) {
            self.known.entry(key.clone()).or_default();
        }
        // What was taken for a service of this account may turn out to be another account's.
        self.known.retain(|key, _| !roster.imported.contains(key));
    }

    /// Services that the header expects were there before, though no epoch given shows them: it
    /// was the first, or those between are missing.
    fn remember_expected(&mut self, facts: &ServiceFacts, clusters: &Clusters) {
        let expected = &facts.roster.expected.services;
        let mut news: Vec<(ServiceKey, &ExpectedService, Timestamp)> = expected
            .iter()
            .filter_map(|service| {
                let key = (service.account.clone(), service.name.clone());
                Some((key, service, service.last_seen?))
            })
            .collect();
        news.retain(|(key, _, _)| !self.known.contains_key(key));
        if news.is_empty() {
            return;
        }
        let listed: BTreeSet<(&SmolStr, &SmolStr)> = expected
            .iter()
            .filter(|service| !service.servers.is_empty())
            .flat_map(|service| service.instances.iter().map(|id| (&service.name, id)))
            .collect();
        for (key, expected, last_seen) in news {
            // Instances that only another account's connections held were imported from there.
            let imported = expected.servers.is_empty()
                && expected.instances.iter().any(|id| listed.contains(&(&expected.name, id)));
            if imported {
                continue;
            }
            let last_good = LastGood::remembered(expected, last_seen, facts, clusters);
            self.known.insert(key, Known { last_good, silent: false });
        }
    }
}
