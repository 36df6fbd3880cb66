//! Clusters along a sequence: which servers are one cluster, who is expected, silent or gone.
//!
//! A cluster is a connected component of the route graph among servers of one cluster name. Helm
//! charts give twenty edge sites the same names, so a name alone joins nobody; and a cluster that
//! falls apart stays one subject, so that a split does not look like two clean halves.

mod components;
mod matching;
mod membership;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, PoisonError};

use jiff::Timestamp;
use smol_str::{SmolStr, format_smolstr};

use crate::census::{Census, Server};
use components::Component;

/// Follows the clusters of one track from epoch to epoch.
#[derive(Debug)]
pub struct ClusterTracker {
    state: Arc<State>,
}

/// What is remembered from the epochs so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    subjects: Vec<Remembered>,
    /// Start of the epoch before.
    last: Option<Timestamp>,
}

/// A step that was made from a census. Whoever remembers the same and sees the same concludes the
/// same, so that of several checks only the first one makes it.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    before: Arc<State>,
    time: Timestamp,
    after: Arc<State>,
    clusters: Arc<Clusters>,
}

impl Default for ClusterTracker {
    fn default() -> Self {
        static NOTHING: LazyLock<Arc<State>> = LazyLock::new(Arc::default);
        Self { state: Arc::clone(&NOTHING) }
    }
}

/// What is remembered of a cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    /// Name, with a number from the second of that name on.
    pub key: SmolStr,
    /// Cluster name.
    pub name: SmolStr,
    /// Members that are still expected or were lost, by seat.
    pub members: BTreeMap<SmolStr, Member>,
}

/// A server as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// What its successive processes hold.
    pub seat: SmolStr,
    /// Name to show.
    pub name: SmolStr,
    /// Id of the last process seen or named.
    pub id: SmolStr,
    /// Last version seen.
    pub version: Option<SmolStr>,
    /// Start of the last epoch in which it answered.
    pub last_seen: Option<Timestamp>,
    /// URL it was asked under, over HTTP.
    pub url: Option<SmolStr>,
    /// Client address.
    pub address: Option<SmolStr>,
    /// Another server held the name as well, so that the seat is its own invention.
    pub doubled: bool,
}

/// The clusters of one epoch.
#[derive(Debug, Default)]
pub struct Clusters {
    /// Every cluster known, in the order in which they were first seen.
    pub all: Vec<Cluster>,
    /// What is odd about them, as (kind, sentence).
    pub problems: Vec<(&'static str, String)>,
}

/// One cluster in one epoch.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Name, with a number from the second of that name on.
    pub key: SmolStr,
    /// Ids of the servers that answered.
    pub answered: Vec<SmolStr>,
    /// Seat of each server that answered, by id.
    pub seats: BTreeMap<SmolStr, SmolStr>,
    /// Expected members that did not answer, by seat.
    pub silent: BTreeMap<SmolStr, Member>,
    /// Earlier members that did not answer and are named by no answered route list, by seat.
    pub departed: BTreeMap<SmolStr, Member>,
    /// Members that answer in another cluster now.
    pub moved: BTreeMap<SmolStr, Member>,
    /// Peers that name a member which did not answer, by seat.
    pub named_by: BTreeMap<SmolStr, Vec<SmolStr>>,
    /// Seats held by two servers at once.
    pub shared_seats: BTreeSet<SmolStr>,
    /// Seats that were not there in the epoch before.
    pub newcomers: BTreeSet<SmolStr>,
    /// Whether it is certain that there are no further members.
    pub membership_known: bool,
    /// Why not: the server that leaves the doubt, and what it is.
    pub doubts: Vec<(SmolStr, String)>,
    /// Whether any route list of this cluster was answered.
    pub has_routes: bool,
    /// All of its seats answer under another cluster name.
    pub renamed_to: Option<SmolStr>,
}

impl ClusterTracker {
    /// Takes the next epoch of the track.
    pub fn step(&mut self, census: &Census, time: Timestamp) -> Arc<Clusters> {
        let mut made = census.stepped.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |made: &&Stepped| Arc::ptr_eq(&made.before, &self.state) && made.time == time;
        if let Some(made) = made.as_ref().filter(same) {
            self.state = Arc::clone(&made.after);
            return Arc::clone(&made.clusters);
        }
        let mut state = State::clone(&self.state);
        let clusters = Arc::new(state.step(census, time));
        let before = std::mem::replace(&mut self.state, Arc::new(state));
        let after = Arc::clone(&self.state);
        *made = Some(Stepped { before, time, after, clusters: Arc::clone(&clusters) });
        clusters
    }
}

impl State {
    fn step(&mut self, census: &Census, time: Timestamp) -> Clusters {
        let components = components::of(census);
        let mut clusters = Clusters::default();
        let assigned = matching::assign(&mut self.subjects, &components, &mut clusters.problems);
        let last = self.last.replace(time);
        let first = last.is_none();
        memory::recall(&mut self.subjects, census, &assigned, &components, last);
        let to = assigned.iter().copied().map(Some);
        let of_each = matching::of_each(self.subjects.len(), &components, to);
        for (subject, mine) in self.subjects.iter_mut().zip(of_each) {
            let cluster = subject.see(census, &mine, time, first);
            report_shared(&cluster, &mut clusters.problems);
            clusters.all.push(cluster);
        }
        self.find_renamed(census, &mut clusters);
        clusters
    }

    /// A cluster without any server of its own whose seats all answer elsewhere was renamed.
    fn find_renamed(&mut self, census: &Census, clusters: &mut Clusters) {
        if clusters.all.iter().all(|one| one.silent.is_empty() && one.departed.is_empty()) {
            return;
        }
        let elsewhere: BTreeMap<SmolStr, SmolStr> = clusters
            .all
            .iter()
            .flat_map(|cluster| {
                cluster.seats.values().map(|seat| (seat.clone(), cluster.key.clone()))
            })
            .collect();
        let by_id: BTreeMap<&SmolStr, &SmolStr> = clusters
            .all
            .iter()
            .flat_map(|cluster| cluster.answered.iter().map(|id| (id, &cluster.key)))
            .collect();
        let mut moves: Vec<(usize, SmolStr, SmolStr)> = Vec::new();
        for (index, cluster) in clusters.all.iter().enumerate() {
            let gone = cluster.silent.iter().chain(&cluster.departed);
            for (seat, member) in gone {
                let by_seat =
                    elsewhere.get(seat).filter(|key| newly_there(census, clusters, key, seat));
                let to = by_id.get(&member.id).copied().or(by_seat);
                if let Some(to) = to.filter(|to| **to != cluster.key) {
                    moves.push((index, seat.clone(), to.clone()));
                }
            }
        }
        for (index, seat, to) in moves {
            let cluster = &mut clusters.all[index];
            let member = cluster.silent.remove(&seat).or_else(|| cluster.departed.remove(&seat));
            if let Some(member) = member {
                cluster.moved.insert(seat.clone(), member);
                self.subjects[index].members.remove(&seat);
            }
            let empty = cluster.answered.is_empty() && cluster.silent.is_empty();
            if empty && cluster.departed.is_empty() {
                cluster.renamed_to = Some(to);
            }
        }
    }
}

/// Whether a seat of another cluster was taken only now: twenty sites with the same server names
/// must not look like servers that wander.
fn newly_there(census: &Census, clusters: &Clusters, key: &str, seat: &str) -> bool {
    census.servers.len() > 1
        && clusters.all.iter().any(|c| c.key == key && c.newcomers.contains(seat))
}

fn report_shared(cluster: &Cluster, problems: &mut Vec<(&'static str, String)>) {
    for seat in &cluster.shared_seats {
        problems.push((
            "shared_seat",
            format!(
                "two servers of cluster {} answer as {seat} at once; both are judged, told apart \
                 by id, and no change is concluded for them",
                cluster.key
            ),
        ));
    }
}

impl Remembered {
    fn named(name: &str) -> Self {
        Self { key: name.into(), name: name.into(), members: BTreeMap::new() }
    }

    /// Looks at the components that belong to this cluster, and remembers what they hold.
    fn see(
        &mut self,
        census: &Census,
        components: &[&Component<'_>],
        time: Timestamp,
        first: bool,
    ) -> Cluster {
        let mut cluster = Cluster { key: self.key.clone(), ..Cluster::default() };
        for component in components {
            cluster.answered.extend(component.answered.iter().copied().cloned());
            cluster.doubts.extend(component.doubts.iter().cloned());
        }
        cluster.answered.sort();
        cluster.has_routes = cluster.answered.iter().any(|id| census.routes.contains_key(id));
        self.seat(census, &mut cluster, time, first);
        self.missing(census, &mut cluster, components);
        membership::judge(census, &mut cluster);
        cluster
    }

    /// Seats the servers that answered.
    fn seat(&mut self, census: &Census, cluster: &mut Cluster, time: Timestamp, first: bool) {
        let mut held: BTreeSet<SmolStr> = BTreeSet::new();
        let unseated = |id: &SmolStr| census.servers.get(id).is_some_and(|s| s.seat().is_none());
        let known = cluster.answered.iter().any(unseated).then(|| self.seats_by_id());
        let seat_of = |id: &str| known.as_ref().and_then(|seats| seats.get(id)).cloned();
        for id in &cluster.answered {
            let Some(server) = census.servers.get(id) else { continue };
            let mut seat =
                server.seat().cloned().unwrap_or_else(|| seat_of(id).unwrap_or_else(|| id.clone()));
            let doubled = !held.insert(seat.clone());
            if doubled {
                cluster.shared_seats.insert(seat.clone());
                seat = format_smolstr!("{seat} ({id})");
            }
            cluster.seats.insert(id.clone(), seat.clone());
            let known = self.members.contains_key(&seat)
                || (server.name == server.id && self.members.contains_key(id));
            if !first && !known {
                cluster.newcomers.insert(seat.clone());
            }
            // An unnamed server may have been known by its id before its address was seen.
            if seat != *id {
                self.members.remove(id);
            }
            let member = self
                .members
                .entry(seat)
                .or_insert_with_key(|seat| Member { seat: seat.clone(), ..Member::default() });
            member.answers(server, doubled, time);
        }
    }

    /// Sorts the members that did not answer into silent and departed.
    fn missing(&mut self, census: &Census, cluster: &mut Cluster, components: &[&Component<'_>]) {
        let present: BTreeSet<&SmolStr> = cluster.seats.values().collect();
        let mut names: BTreeMap<SmolStr, (SmolStr, Vec<SmolStr>)> = BTreeMap::new();
        let silent = components.iter().any(|component| !component.silent.is_empty());
        let known = if silent { self.seats_by_id() } else { BTreeMap::new() };
        for component in components {
            for (peer, by) in &component.silent {
                // The seat of its id, else its name.
                let seat = known.get(&peer.id).unwrap_or(&peer.name).clone();
                if present.contains(&seat) {
                    continue;
                }
                let entry = names.entry(seat).or_insert_with(|| (peer.id.clone(), Vec::new()));
                entry.1.extend(
                    by.iter().filter_map(|id| census.servers.get(id)).map(|s| s.name.clone()),
                );
            }
        }
        for (seat, (id, by)) in names {
            let member = self.members.entry(seat.clone()).or_insert_with(|| Member {
                seat: seat.clone(),
                name: seat.clone(),
                ..Member::default()
            });
            member.id = id;
            cluster.silent.insert(seat.clone(), member.clone());
            cluster.named_by.insert(seat, by);
        }
        // No change is concluded for a name that two servers held: the second one is followed only
        // for as long as it is seen.
        self.members.retain(|seat, member| {
            !member.doubled || present.contains(seat) || cluster.silent.contains_key(seat)
        });
        for (seat, member) in &self.members {
            if present.contains(seat) || cluster.silent.contains_key(seat) {
                continue;
            }
            let side = if cluster.has_routes { &mut cluster.departed } else { &mut cluster.silent };
            side.insert(seat.clone(), member.clone());
        }
    }

    /// The seat of a server that is not there: that of its id, else its name.
    fn seat_of(&self, id: &str, name: &str) -> SmolStr {
        self.members
            .iter()
            .find(|(_, member)| member.id == id)
            .map_or_else(|| name.into(), |(seat, _)| seat.clone())
    }

    /// The seat that each server id was last seen on.
    fn seats_by_id(&self) -> BTreeMap<SmolStr, SmolStr> {
        let members = self.members.iter().rev();
        members.map(|(seat, member)| (member.id.clone(), seat.clone())).collect()
    }
}

impl Member {
    /// Takes what a server tells that answers. Most tells the same as before, and is not copied.
    fn answers(&mut self, server: &Server, doubled: bool, time: Timestamp) {
        let renew = |old: &mut SmolStr, new: &SmolStr| {
            if old != new {
                old.clone_from(new);
            }
        };
        let renew_some = |old: &mut Option<SmolStr>, new: Option<&SmolStr>| {
            if old.as_ref() != new {
                *old = new.cloned();
            }
        };
        renew(&mut self.name, &server.name);
        renew(&mut self.id, &server.id);
        renew_some(&mut self.version, server.version.as_ref().map(|told| &told.value));
        renew_some(&mut self.url, server.url.as_ref());
        renew_some(&mut self.address, server.address.as_ref());
        self.last_seen = Some(time);
        self.doubled = doubled;
    }
}
