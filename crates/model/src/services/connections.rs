//! Whether lists of connections are so complete that absence from them proves something.

use smol_str::SmolStr;

use super::{Doubt, ServiceFacts};
use crate::clusters::Clusters;
use crate::roster::ServiceKey;

type Servers = Vec<(SmolStr, SmolStr)>;

/// Whether every expected server gave all connections that could list a service.
pub(super) fn complete(
    key: &ServiceKey,
    facts: &ServiceFacts,
    clusters: &Clusters,
) -> Result<(), Doubt> {
    let silent: Servers = clusters
        .all
        .iter()
        .flat_map(|c| c.silent.values().map(|m| (c.key.clone(), m.name.clone())))
        .collect();
    if !silent.is_empty() {
        return Err(Doubt::ServerSilent(silent));
    }
    let (account, name) = key;
    let mut lacking: Servers = Vec::new();
    for cluster in &clusters.all {
        for id in &cluster.answered {
            let sweeps = facts.roster.sweeps_of(id);
            if !sweeps.iter().any(|sweep| sweep.covers(account)) {
                let server = facts.census.servers.get(id);
                let name = server.map_or(id, |server| &server.name);
                lacking.push((cluster.key.clone(), name.clone()));
            }
        }
    }
    let nobody = facts.census.servers.is_empty();
    if lacking.is_empty() && !nobody && !facts.roster.unattributed.contains(name) {
        Ok(())
    } else {
        Err(Doubt::ConnectionsIncomplete(lacking))
    }
}

/// Whether it is certain that no server is missing of which nobody knows.
pub(super) fn membership_known(clusters: &Clusters) -> Result<(), Doubt> {
    let doubtful: Servers = clusters
        .all
        .iter()
        .filter(|cluster| !cluster.answered.is_empty())
        .flat_map(|c| c.doubts.iter().map(|(name, _)| (c.key.clone(), name.clone())))
        .collect();
    if doubtful.is_empty() { Ok(()) } else { Err(Doubt::ConnectionsIncomplete(doubtful)) }
}
