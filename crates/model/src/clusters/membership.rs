//! Whether all members of a cluster are known.

use super::Cluster;
use crate::census::{Census, Server};

/// Whether nobody can be missing: every member's route list was answered, or its own count of
/// peers is that of the others.
pub(super) fn judge(census: &Census, cluster: &mut Cluster) {
    let peers = (cluster.answered.len() + cluster.silent.len()).saturating_sub(1) as u64;
    for id in &cluster.answered {
        let Some(server) = census.servers.get(id) else { continue };
        if census.routes.contains_key(id) || server.cluster.is_none() {
            continue;
        }
        let doubt = match server.remotes {
            Some(remotes) if remotes == peers => continue,
            Some(remotes) => format!("gave no route list and counts {remotes} peers, not {peers}"),
            None if peers == 0 && is_leaf_out_of_reach(census, server) => continue,
            None => "gave neither a route list nor VARZ".to_owned(),
        };
        cluster.doubts.push((server.name.clone(), doubt));
    }
    cluster.membership_known = cluster.doubts.is_empty() && !cluster.answered.is_empty();
}

/// A leaf server without a cluster block reports its own name as cluster. Where its system account
/// is its own, only the requests of an account reach it; that says nothing of further members as
/// long as others did tell their peers, so that it was asked.
fn is_leaf_out_of_reach(census: &Census, server: &Server) -> bool {
    server.cluster.as_ref() == Some(&server.name)
        && (!census.routes.is_empty() || census.servers.values().any(|s| s.remotes.is_some()))
}
