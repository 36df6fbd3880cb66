//! Connected components of the route graph of one epoch.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::census::Census;
use crate::epoch::PeerRecord;

/// Servers of one cluster name that are connected by routes.
#[derive(Clone, Debug)]
pub(super) struct Component<'a> {
    /// Cluster name; the server's own name for one without a cluster.
    pub(super) name: &'a SmolStr,
    /// Ids of all of them.
    pub(super) ids: BTreeSet<&'a SmolStr>,
    /// Seats of those that answered, as far as they have one.
    pub(super) seats: BTreeSet<&'a SmolStr>,
    /// Ids of those that answered, in order.
    pub(super) answered: Vec<&'a SmolStr>,
    /// Those that did not, with the ids of the peers that name them.
    pub(super) silent: BTreeMap<&'a PeerRecord, Vec<&'a SmolStr>>,
    /// Why its extent is uncertain.
    pub(super) doubts: Vec<(SmolStr, String)>,
}

/// The components of an epoch, sorted by name, then size, then least id.
pub(super) fn of(census: &Census) -> Vec<Component<'_>> {
    let mut groups: BTreeMap<&SmolStr, Vec<&SmolStr>> = BTreeMap::new();
    let mut all = Vec::new();
    for (id, server) in &census.servers {
        if let Some(cluster) = &server.cluster {
            groups.entry(cluster).or_default().push(id);
        } else {
            let alone = BTreeSet::from([id]);
            all.push(component(census, &server.name, alone, Vec::new()));
        }
    }
    for (name, ids) in groups {
        all.extend(connect(census, name, &ids));
    }
    all.sort_by(|a, b| {
        (a.name, b.ids.len(), a.ids.first()).cmp(&(b.name, a.ids.len(), b.ids.first()))
    });
    all
}

/// Joins the servers of one cluster name.
fn connect<'a>(census: &'a Census, name: &'a SmolStr, ids: &[&'a SmolStr]) -> Vec<Component<'a>> {
    let mut sets: Vec<BTreeSet<&SmolStr>> = Vec::new();
    let mut unplaced: Vec<&SmolStr> = Vec::new();
    let named: BTreeSet<&SmolStr> =
        ids.iter().filter_map(|id| census.routes.get(*id)).flatten().map(|peer| &peer.id).collect();
    for id in ids {
        match census.routes.get(*id) {
            Some(peers) => {
                let mut reach: BTreeSet<&SmolStr> = peers.iter().map(|peer| &peer.id).collect();
                reach.insert(*id);
                absorb(&mut sets, reach);
            }
            None if named.contains(id) => {}
            None => unplaced.push(id),
        }
    }
    let doubts = place(census, &mut sets, &unplaced);
    sets.into_iter()
        .map(|set| {
            let mine = doubts
                .iter()
                .filter(|(id, _, _)| set.contains(*id))
                .map(|(_, name, doubt)| (name.clone(), doubt.clone()))
                .collect();
            component(census, name, set, mine)
        })
        .collect()
}

/// Adds a set, uniting all sets it touches.
fn absorb<'a>(sets: &mut Vec<BTreeSet<&'a SmolStr>>, mut set: BTreeSet<&'a SmolStr>) {
    sets.retain_mut(|other| {
        let touches = !other.is_disjoint(&set);
        if touches {
            set.append(other);
        }
        !touches
    });
    sets.push(set);
}

/// Places servers that neither told their routes nor are named by anybody: alone if they count no
/// peers, else, for want of better, with the largest cluster of their name, which leaves a doubt.
fn place<'a>(
    census: &Census,
    sets: &mut Vec<BTreeSet<&'a SmolStr>>,
    unplaced: &[&'a SmolStr],
) -> Vec<(&'a SmolStr, SmolStr, String)> {
    let mut doubts = Vec::new();
    let mut loose: BTreeSet<&SmolStr> = BTreeSet::new();
    let nobody_told = sets.is_empty();
    for id in unplaced {
        let remotes = census.servers.get(id).and_then(|server| server.remotes);
        if remotes == Some(0) {
            sets.push(BTreeSet::from([*id]));
            continue;
        }
        loose.insert(*id);
        if !nobody_told {
            let name = census.servers.get(id).map_or(*id, |server| &server.name);
            doubts.push((*id, name.clone(), "no answered route list names it".to_owned()));
        }
    }
    if !loose.is_empty() {
        let largest = (0..sets.len()).max_by_key(|i| (sets[*i].len(), std::cmp::Reverse(*i)));
        match largest.filter(|_| !nobody_told) {
            Some(index) => sets[index].append(&mut loose),
            None => sets.push(loose),
        }
    }
    doubts
}

fn component<'a>(
    census: &'a Census,
    name: &'a SmolStr,
    ids: BTreeSet<&'a SmolStr>,
    doubts: Vec<(SmolStr, String)>,
) -> Component<'a> {
    let answered: Vec<&SmolStr> =
        ids.iter().copied().filter(|id| census.servers.contains_key(id)).collect();
    let mut silent: BTreeMap<&PeerRecord, Vec<&SmolStr>> = BTreeMap::new();
    let mut first: BTreeMap<&SmolStr, &PeerRecord> = BTreeMap::new();
    for by in &answered {
        for peer in census.routes.get(*by).into_iter().flatten() {
            if !census.servers.contains_key(&peer.id) {
                let peer = first.entry(&peer.id).or_insert(peer);
                silent.entry(peer).or_default().push(by);
            }
        }
    }
    let seats = answered.iter().filter_map(|id| census.servers.get(id)?.seat()).collect();
    Component { name, ids, seats, answered, silent, doubts }
}
