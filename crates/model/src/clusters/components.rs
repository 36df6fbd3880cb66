//! Connected components of the route graph of one epoch.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::census::Census;
use crate::epoch::PeerRecord;

/// Servers of one cluster name that are connected by routes.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Cluster name; the server's own name for one without a cluster.
    pub name: SmolStr,
    /// Ids of all of them.
    pub ids: BTreeSet<SmolStr>,
    /// Seats of those that answered, as far as they have one.
    pub seats: BTreeSet<SmolStr>,
    /// Ids of those that answered.
    pub answered: Vec<SmolStr>,
    /// Those that did not, with the ids of the peers that name them.
    pub silent: BTreeMap<PeerRecord, Vec<SmolStr>>,
    /// Why its extent is uncertain.
    pub doubts: Vec<(SmolStr, String)>,
}

/// The components of an epoch, sorted by name, then size, then least id.
pub(super) fn of(census: &Census) -> Vec<Component> {
    let mut groups: BTreeMap<&SmolStr, Vec<&SmolStr>> = BTreeMap::new();
    let mut all = Vec::new();
    for (id, server) in &census.servers {
        if let Some(cluster) = &server.cluster {
            groups.entry(cluster).or_default().push(id);
        } else {
            let alone = BTreeSet::from([id.clone()]);
            all.push(component(census, &server.name, alone, Vec::new()));
        }
    }
    for (name, ids) in groups {
        all.extend(connect(census, name, &ids));
    }
    all.sort_by(|a, b| {
        (&a.name, b.ids.len(), a.ids.first()).cmp(&(&b.name, a.ids.len(), b.ids.first()))
    });
    all
}

/// Joins the servers of one cluster name.
fn connect(census: &Census, name: &SmolStr, ids: &[&SmolStr]) -> Vec<Component> {
    let mut sets: Vec<BTreeSet<SmolStr>> = Vec::new();
    let mut unplaced: Vec<&SmolStr> = Vec::new();
    let named: BTreeSet<&SmolStr> =
        ids.iter().filter_map(|id| census.routes.get(*id)).flatten().map(|peer| &peer.id).collect();
    for id in ids {
        match census.routes.get(*id) {
            Some(peers) => {
                let mut reach: BTreeSet<SmolStr> = peers.iter().map(|p| p.id.clone()).collect();
                reach.insert((*id).clone());
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
fn absorb(sets: &mut Vec<BTreeSet<SmolStr>>, mut set: BTreeSet<SmolStr>) {
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
    sets: &mut Vec<BTreeSet<SmolStr>>,
    unplaced: &[&'a SmolStr],
) -> Vec<(&'a SmolStr, SmolStr, String)> {
    let mut doubts = Vec::new();
    let mut loose: BTreeSet<SmolStr> = BTreeSet::new();
    let nobody_told = sets.is_empty();
    for id in unplaced {
        let remotes = census.servers.get(id).and_then(|server| server.remotes);
        if remotes == Some(0) {
            sets.push(BTreeSet::from([(*id).clone()]));
            continue;
        }
        loose.insert((*id).clone());
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

fn component(
    census: &Census,
    name: &SmolStr,
    ids: BTreeSet<SmolStr>,
    doubts: Vec<(SmolStr, String)>,
) -> Component {
    let answered: Vec<SmolStr> =
        ids.iter().filter(|id| census.servers.contains_key(id)).cloned().collect();
    let mut silent: BTreeMap<PeerRecord, Vec<SmolStr>> = BTreeMap::new();
    let mut first: BTreeMap<&SmolStr, PeerRecord> = BTreeMap::new();
    for by in &answered {
        for peer in census.routes.get(by).into_iter().flatten() {
            if !census.servers.contains_key(&peer.id) {
                let peer = first.entry(&peer.id).or_insert_with(|| peer.clone());
                silent.entry(peer.clone()).or_default().push(by.clone());
            }
        }
    }
    let seats = answered.iter().filter_map(|id| census.servers.get(id)?.seat()).cloned().collect();
    Component { name: name.clone(), ids, seats, answered, silent, doubts }
}
