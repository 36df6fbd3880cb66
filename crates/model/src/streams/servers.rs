//! Which server a telling is from, and what is known of that server.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::Teller;
use crate::View;

/// The servers of an epoch.
#[derive(Default)]
pub(super) struct Servers {
    known: BTreeMap<SmolStr, Known>,
    /// Ids of servers that answered, by name.
    answering: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
    /// Ids of servers that others have routes to, by name.
    routed: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
    /// Ids of servers that an earlier epoch knew, by name.
    expected: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
}

/// One server that answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) name: Option<SmolStr>,
    pub(super) cluster: Option<SmolStr>,
    pub(super) domain: Option<SmolStr>,
}

impl Servers {
    pub(super) fn of(view: &View<'_>) -> Self {
        let census = view.census();
        let mut servers = Self::default();
        // Replies over HTTP tell no name, unless VARZ is among them. A census puts the id in its
        // place, as servers do that were given none.
        let told = view.sightings().filter(|sighting| sighting.who.name.is_some());
        let named: BTreeSet<&SmolStr> = told.map(|sighting| &sighting.who.server).collect();
        for server in census.servers.values() {
            let name = Some(server.name.clone()).filter(|_| named.contains(&server.id));
            if let Some(name) = name.clone() {
                servers.answering.entry(name).or_default().insert(server.id.clone());
            }
            let known = Known { name, cluster: server.cluster.clone(), domain: None };
            servers.known.insert(server.id.clone(), known);
        }
        for peer in census.routes.values().flatten() {
            servers.routed.entry(peer.name.clone()).or_default().insert(peer.id.clone());
        }
        for server in &census.expected.servers {
            let ids = servers.expected.entry(server.name.clone()).or_default();
            ids.insert(server.id.clone());
        }
        servers.learn_domains(view);
        servers
    }

    /// A server tells its domain in JSZ; in an envelope, where it has one.
    fn learn_domains(&mut self, view: &View<'_>) {
        let in_jsz = view.jsz().iter().filter_map(|record| {
            Some((record.teller.server.as_ref()?, record.teller.domain.as_ref()?))
        });
        let mut told: BTreeMap<&SmolStr, &SmolStr> = BTreeMap::new();
        for (server, domain) in in_jsz {
            // The domain of a process does not change, so that which of two counts is all one as
            // long as it is always the same.
            let known = told.entry(server).or_insert(domain);
            *known = (*known).max(domain);
        }
        for sighting in view.sightings() {
            if let Some(domain) = &sighting.who.domain {
                told.entry(&sighting.who.server).or_insert(domain);
            }
        }
        for (server, domain) in told {
            if let Some(known) = self.known.get_mut(server) {
                known.domain = Some(domain.clone());
            }
        }
    }

    /// The server that a telling is from; where that is not known, those that it may be from.
    pub(super) fn find(&self, teller: &Teller) -> Result<(SmolStr, Known), BTreeSet<SmolStr>> {
        if let Some(id) = &teller.server {
            let known = self.known.get(id).cloned().unwrap_or_else(|| Known {
                name: teller.name.clone(),
                cluster: teller.cluster.clone(),
                domain: teller.domain.clone(),
            });
            return Ok((id.clone(), known));
        }
        let fitting = teller.name.as_ref().and_then(|name| self.answering.get(name));
        let in_cluster = |id: &&SmolStr| {
            let cluster = self.known.get(*id).and_then(|known| known.cluster.as_ref());
            teller.cluster.is_none() || cluster == teller.cluster.as_ref()
        };
        Err(fitting.into_iter().flatten().filter(in_cluster).cloned().collect())
    }

    pub(super) fn name(&self, server: &str) -> Option<&SmolStr> {
        self.known.get(server)?.name.as_ref()
    }

    pub(super) fn name_and_cluster(&self, server: &str) -> (Option<SmolStr>, Option<SmolStr>) {
        let known = self.known.get(server).cloned().unwrap_or_default();
        (known.name, known.cluster)
    }

    /// Servers that answered under a name in a cluster.
    pub(super) fn called(&self, name: &str, cluster: Option<&SmolStr>) -> BTreeSet<SmolStr> {
        let ids = self.answering.get(name).into_iter().flatten();
        let of_cluster =
            |id: &&SmolStr| self.known.get(*id).and_then(|k| k.cluster.as_ref()) == cluster;
        ids.filter(of_cluster).cloned().collect()
    }

    /// The only server that is called so, whether it answered or not. Who answers is not who was
    /// expected, where it was started anew.
    pub(super) fn only(&self, name: &str) -> Option<SmolStr> {
        let told = [&self.answering, &self.routed, &self.expected];
        let ids = told.into_iter().find_map(|by_name| by_name.get(name))?;
        ids.first().filter(|_| ids.len() == 1).cloned()
    }
}
