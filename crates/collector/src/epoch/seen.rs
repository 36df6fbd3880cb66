//! What an epoch has come to know while it runs: whom to ask next, and what to remember.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::glance::{Listed, Server};

/// A service of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceKey {
    pub(crate) account: String,
    pub(crate) name: String,
}

/// What was seen of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sighting {
    /// Ids of instances per verb that they answered.
    pub(crate) answered: BTreeMap<&'static str, BTreeSet<String>>,
    /// Ids of instances that connections announce.
    pub(crate) listed: BTreeSet<String>,
    /// Ids of servers that hold such connections.
    pub(crate) servers: BTreeSet<String>,
}

impl Sighting {
    /// Ids of instances that answered anything.
    pub(crate) fn alive(&self) -> BTreeSet<&String> {
        self.answered.values().flatten().collect()
    }

    /// Ids of instances that answered a verb.
    pub(crate) fn answered(&self, verb: &str) -> Option<&BTreeSet<String>> {
        self.answered.get(verb)
    }
}

/// What an epoch knows.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Servers that answered anything, by id.
    pub(crate) answered: BTreeMap<String, Server>,
    /// Those of them that answered over the system connection.
    pub(crate) answered_system: BTreeSet<String>,
    /// Servers that a peer named, by id; the cluster is the peer's.
    pub(crate) named: BTreeMap<String, Server>,
    /// Servers that answered at first and then let a request time out.
    pub(crate) stalled: BTreeSet<String>,
    /// The longest that each server has needed for an answer.
    pub(crate) slowest_of: BTreeMap<String, Duration>,
    /// Servers nobody listens for any more.
    pub(crate) gone: BTreeSet<String>,
    /// Accounts that servers know.
    pub(crate) accounts: BTreeSet<String>,
    /// The same by the server that knows them.
    pub(crate) accounts_of: BTreeMap<String, BTreeSet<String>>,
    /// Accounts that use JetStream, by the server that says so.
    pub(crate) jetstream_of: BTreeMap<String, BTreeSet<String>>,
    /// Display names of accounts.
    pub(crate) account_names: BTreeMap<String, String>,
    /// Services.
    pub(crate) services: BTreeMap<ServiceKey, Sighting>,
}

impl Seen {
    /// A server answered.
    pub(crate) fn server(&mut self, server: &Server) {
        self.answered.entry(server.id.clone()).or_insert_with(|| server.clone());
    }

    /// A server needed so long for an answer.
    pub(crate) fn needed(&mut self, server: &str, time: Duration) {
        let slowest = self.slowest_of.entry(server.to_owned()).or_default();
        *slowest = (*slowest).max(time);
    }

    /// A server named its peers.
    pub(crate) fn peers(&mut self, namer: &Server, peers: Vec<(String, String)>) {
        for (id, name) in peers {
            let cluster = namer.cluster.clone();
            let peer = Server { id: id.clone(), name, cluster, version: None };
            self.named.entry(id).or_insert(peer);
        }
    }

    /// A server named the accounts it knows.
    pub(crate) fn accounts(&mut self, server: &str, accounts: Vec<String>) {
        self.accounts.extend(accounts.iter().cloned());
        self.accounts_of.entry(server.to_owned()).or_default().extend(accounts);
    }

    /// A server named the accounts that use JetStream, one per row. Number of rows.
    pub(crate) fn jetstream(&mut self, server: &str, accounts: Vec<String>) -> u64 {
        let rows = accounts.len() as u64;
        // A row without an id still counts, but leads nowhere.
        let ids = accounts.into_iter().filter(|id| !id.is_empty());
        self.jetstream_of.entry(server.to_owned()).or_default().extend(ids);
        rows
    }

    /// An instance answered. Whether it is the first time for this verb.
    pub(crate) fn answer(&mut self, key: ServiceKey, verb: &'static str, id: String) -> bool {
        let sighting = self.services.entry(key).or_default();
        sighting.answered.entry(verb).or_default().insert(id)
    }

    /// A connection of a server announces an instance.
    pub(crate) fn listed(&mut self, server: &str, otherwise: Option<&str>, listed: Listed) {
        let account = listed.account.or_else(|| otherwise.map(str::to_owned));
        let Some(account) = account else { return };
        if let Some(name) = listed.account_name {
            self.account_names.entry(account.clone()).or_insert(name);
        }
        let key = ServiceKey { account, name: listed.service };
        let sighting = self.services.entry(key).or_default();
        sighting.listed.extend(listed.instance);
        sighting.servers.insert(server.to_owned());
    }
}
