//! From the tellings of one stream to its replicas, and to those of which nobody tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use super::servers::Servers;
use super::{Doubt, JszRecord, MemberTold, Replica, Silent, Stream, StreamTold};

/// What one server says of one stream.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) record: &'a JszRecord,
    pub(super) told: &'a Arc<StreamTold>,
}

/// Makes a stream of what its servers tell, by server id.
pub(super) fn stream(
    tellings: &BTreeMap<SmolStr, Vec<Telling<'_>>>,
    servers: &Servers,
) -> (Stream, BTreeSet<Doubt>) {
    let mut doubts = BTreeSet::new();
    let mut replicas: Vec<Replica> = Vec::new();
    for (server, tellings) in tellings {
        let Some(told) = last_word(tellings) else { continue };
        let (name, cluster) = servers.name_and_cluster(server);
        let (leads, doubt) = leads(told, name.as_ref(), cluster.as_ref(), servers);
        doubts.extend(doubt);
        let (server, told) = (server.clone(), Arc::clone(told));
        replicas.push(Replica {
            server,
            name,
            cluster,
            leads,
            told,
            tellings: tellings.len() as u64,
        });
    }
    replicas.sort_by(|a, b| (&a.name, &a.server).cmp(&(&b.name, &b.server)));
    let silent = silent(&replicas, servers);
    let account_name = account_name(tellings);
    let mut stream = Stream { account_name, replicas, silent, unlisted: 0 };
    stream.unlisted = unlisted(&stream);
    (stream, doubts)
}

/// A server tells of a replica once for all, and in archives once more for each stream. Its own
/// word has a time and goes before; the last one counts.
fn last_word<'a>(tellings: &[Telling<'a>]) -> Option<&'a Arc<StreamTold>> {
    let last = tellings.iter().max_by_key(|telling| {
        let record = telling.record;
        (!record.filed, record.arrival_us)
    });
    last.map(|telling| telling.told)
}

/// The display name, which servers tell themselves; what is filed has the id only.
fn account_name(tellings: &BTreeMap<SmolStr, Vec<Telling<'_>>>) -> Option<SmolStr> {
    tellings.values().flatten().find_map(|telling| telling.told.account_name.clone())
}

/// Whether a replica says of itself that it leads. It says so by name.
fn leads(
    told: &StreamTold,
    name: Option<&SmolStr>,
    cluster: Option<&SmolStr>,
    servers: &Servers,
) -> (Option<bool>, Option<Doubt>) {
    let Some(leader) = &told.leader else { return (Some(false), None) };
    let Some(name) = name else { return (None, None) };
    if leader != name {
        return (Some(false), None);
    }
    let ids = servers.called(leader, cluster);
    if ids.len() < 2 {
        return (Some(true), None);
    }
    let (leader, cluster) = (leader.clone(), cluster.cloned());
    (None, Some(Doubt::SharedLeader { leader, cluster, ids }))
}

/// Members that are listed and tell nothing. The leader's list counts: others may not have heard
/// yet who left. Without it, everybody's does.
fn silent(replicas: &[Replica], servers: &Servers) -> Vec<Silent> {
    // Where a replica has no name it may be any of those that are listed.
    if replicas.iter().any(|replica| replica.name.is_none()) {
        return Vec::new();
    }
    let leading: Vec<&Replica> = replicas.iter().filter(|r| r.leads == Some(true)).collect();
    let mut listed: BTreeMap<&SmolStr, Option<&MemberTold>> = BTreeMap::new();
    for member in leading.iter().flat_map(|replica| &replica.told.members) {
        listed.insert(&member.name, Some(member));
    }
    for replica in replicas.iter().filter(|_| leading.is_empty()) {
        let members = replica.told.members.iter().map(|member| &member.name);
        listed.extend(members.chain(&replica.told.leader).map(|name| (name, None)));
    }
    for replica in replicas {
        if let Some(name) = &replica.name {
            listed.remove(name);
        }
    }
    let silent = listed.into_iter().map(|(name, by_leader)| Silent {
        name: name.clone(),
        server: servers.only(name),
        by_leader: by_leader.cloned(),
    });
    silent.collect()
}

/// How many replicas lack that all are agreed there should be.
fn unlisted(stream: &Stream) -> u64 {
    let configured = stream.configured();
    let mut numbers = configured.keys().flatten();
    let (Some(wanted), None) = (numbers.next(), numbers.next()) else { return 0 };
    let known = (stream.replicas.len() + stream.silent.len()) as u64;
    wanted.saturating_sub(known)
}
