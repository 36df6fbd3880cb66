//! Which epochs belong to one system, in which order, and by which collector.
//!
//! A system is a label. A label that nobody set (the host of a URL) says little: epochs that share
//! a server id are one system whatever they are called, and epochs that share nothing are two
//! even under one label, for twenty edge sites recorded as `localhost` must not become one cluster
//! that upgrades and rolls back for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use crate::census::Census;

/// Clocks of servers and collectors may differ by this much before a start counts as "before".
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// What an epoch says about who it is of.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Label of the system.
    pub label: String,
    /// Whether somebody set it.
    pub label_set: bool,
    /// Id of the collector.
    pub collector: String,
    /// Place in the collector's run.
    pub sequence: u64,
    /// Start of the epoch.
    pub start: Timestamp,
    /// UUID of the epoch.
    pub uuid: String,
    /// Server processes that answered.
    pub servers: Arc<[Process]>,
}

/// A server process, as far as it tells systems apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Server id.
    pub id: SmolStr,
    /// Cluster and seat.
    pub seat: (SmolStr, SmolStr),
    /// Start of the process.
    pub start: Option<Timestamp>,
}

/// The epochs of one system in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Label, with a number from the second system of that label on.
    pub label: String,
    /// Epochs, as positions in the list of identities, each with its track.
    pub epochs: Vec<(usize, usize)>,
    /// Ids of the collectors, by track.
    pub tracks: Vec<String>,
}

/// The processes that a census found.
pub fn processes(census: &Census) -> Vec<Process> {
    census
        .servers
        .values()
        .map(|server| Process {
            id: server.id.clone(),
            seat: (
                server.cluster.clone().unwrap_or_default(),
                server.seat().unwrap_or(&server.id).to_owned(),
            ),
            start: server.start,
        })
        .collect()
}

/// Sorts epochs into systems; the sentences are problems.
pub fn sort(identities: &[Identity]) -> (Vec<System>, Vec<(&'static str, String)>) {
    let labels = unite_labels(identities);
    let mut order: Vec<usize> = (0..identities.len()).collect();
    order.sort_by(|a, b| key(&identities[*a]).cmp(&key(&identities[*b])));
    let mut groups: BTreeMap<&str, Vec<Group>> = BTreeMap::new();
    for index in order {
        let groups = groups.entry(labels[index].as_str()).or_default();
        place(groups, identities, index);
    }
    let mut systems = Vec::new();
    let mut problems = Vec::new();
    for (label, groups) in groups {
        for (number, group) in groups.into_iter().enumerate() {
            let name =
                if number == 0 { label.to_owned() } else { format!("{label} ({})", number + 1) };
            if number > 0 {
                problems.push((
                    "several_systems",
                    format!(
                        "epochs labelled {label} are of different systems, which share no server; \
                         one is called {name} here (--system names a recording)"
                    ),
                ));
            }
            systems.push(group.system(name, identities));
        }
    }
    (systems, problems)
}

fn key(identity: &Identity) -> (Timestamp, u64, &str, &str) {
    (identity.start, identity.sequence, &identity.collector, &identity.uuid)
}

/// The label of every epoch, after labels that nobody set were merged with those of epochs that
/// share a server id.
fn unite_labels(identities: &[Identity]) -> Vec<String> {
    // With one label there is nothing to merge.
    if identities.windows(2).all(|two| two[0].label == two[1].label) {
        return identities.iter().map(|identity| identity.label.clone()).collect();
    }
    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for identity in identities {
        for process in identity.servers.iter() {
            holders.entry(&process.id).or_default().insert(&identity.label);
        }
    }
    let mut names: BTreeMap<&str, String> =
        identities.iter().map(|i| (i.label.as_str(), i.label.clone())).collect();
    let set: BTreeSet<&str> =
        identities.iter().filter(|i| i.label_set).map(|i| i.label.as_str()).collect();
    // Labels spread along shared ids until nothing changes. A label that was set never yields, and
    // every step goes down in (free, name), so this ends.
    let rank = |name: &String| (!set.contains(name.as_str()), name.clone());
    loop {
        let mut changed = false;
        for labels in holders.values() {
            let Some(least) = labels.iter().map(|label| rank(&names[label])).min() else {
                continue;
            };
            for label in labels.iter().filter(|label| !set.contains(*label)) {
                if rank(&names[label]) > least {
                    names.insert(label, least.1.clone());
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    identities.iter().map(|identity| names[identity.label.as_str()].clone()).collect()
}

/// Epochs of one system while they are gathered.
#[derive(Default)]
struct Group {
    epochs: Vec<usize>,
    ids: BTreeSet<SmolStr>,
    /// When each seat was last seen, but in the last epoch.
    seats: BTreeMap<(SmolStr, SmolStr), Timestamp>,
    /// The servers of the last epoch, and when that was: the epochs of a run share them.
    last: Option<(Arc<[Process]>, Timestamp)>,
    collectors: BTreeSet<String>,
}

fn place(groups: &mut Vec<Group>, identities: &[Identity], index: usize) {
    let identity = &identities[index];
    let found = if identity.servers.is_empty() {
        groups
            .iter()
            .position(|group| group.collectors.contains(&identity.collector))
            .or((!groups.is_empty()).then_some(0))
    } else {
        united(groups, identities, identity)
            .or_else(|| groups.iter_mut().position(|group| group.continues(identity)))
    };
    let at = found.unwrap_or_else(|| {
        groups.push(Group::default());
        groups.len() - 1
    });
    groups[at].take(identity, index);
}

/// The group that shares a server with an epoch. Where several do, they were parts of one system,
/// of which each epoch before saw others: they become one.
fn united(groups: &mut Vec<Group>, identities: &[Identity], identity: &Identity) -> Option<usize> {
    let first = groups.iter().position(|group| group.shares_id(identity))?;
    let (mut at, mut joined) = (first + 1, false);
    while at < groups.len() {
        if groups[at].shares_id(identity) {
            let other = groups.remove(at);
            groups[first].absorb(other);
            joined = true;
        } else {
            at += 1;
        }
    }
    if joined {
        groups[first].epochs.sort_by(|a, b| key(&identities[*a]).cmp(&key(&identities[*b])));
    }
    Some(first)
}

impl Group {
    fn absorb(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        self.epochs.extend(other.epochs);
        self.ids.extend(other.ids);
        self.collectors.extend(other.collectors);
        for (seat, seen) in other.seats {
            let last = self.seats.entry(seat).or_insert(seen);
            *last = (*last).max(seen);
        }
    }

    fn shares_id(&self, identity: &Identity) -> bool {
        identity.servers.iter().any(|process| self.ids.contains(&process.id))
    }

    /// Whether the epoch can be a later one of the same servers: half of the seats are the same,
    /// and no seat's process started while the one before was still seen.
    fn continues(&mut self, identity: &Identity) -> bool {
        self.settle();
        if self.seats.is_empty() {
            return true;
        }
        let mut shared: Vec<(&Process, Timestamp)> = identity
            .servers
            .iter()
            .filter_map(|process| Some((process, *self.seats.get(&process.seat)?)))
            .collect();
        if shared.is_empty() {
            shared = self.shared_by_name(identity);
        }
        let fewer = identity.servers.len().min(self.seats.len());
        shared.len() * 2 >= fewer
            && shared.iter().all(|(process, last_seen)| {
                process.start.is_none_or(|start| {
                    start.checked_add(SLACK).is_ok_and(|late| late >= *last_seen)
                })
            })
    }

    /// Seats without their cluster, for a cluster may have been renamed: that takes a restart of
    /// all its servers.
    fn shared_by_name<'a>(&self, identity: &'a Identity) -> Vec<(&'a Process, Timestamp)> {
        let mut names: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for ((_, name), last_seen) in &self.seats {
            let latest = names.entry(name).or_insert(*last_seen);
            *latest = (*latest).max(*last_seen);
        }
        let servers = identity.servers.iter();
        servers.filter_map(|p| Some((p, *names.get(p.seat.1.as_str())?))).collect()
    }

    fn take(&mut self, identity: &Identity, index: usize) {
        self.epochs.push(index);
        self.collectors.insert(identity.collector.clone());
        if let Some((servers, last_seen)) = &mut self.last
            && Arc::ptr_eq(servers, &identity.servers)
        {
            *last_seen = identity.start;
            return;
        }
        self.settle();
        self.ids.extend(identity.servers.iter().map(|process| process.id.clone()));
        self.last = Some((Arc::clone(&identity.servers), identity.start));
    }

    /// Notes the seats of the last epoch.
    fn settle(&mut self) {
        if let Some((servers, last_seen)) = self.last.take() {
            let seats = servers.iter().map(|process| (process.seat.clone(), last_seen));
            self.seats.extend(seats);
        }
    }

    fn system(self, label: String, identities: &[Identity]) -> System {
        // An epoch that lost its header does not tell its collector. Where there is only one, it is
        // of that one: damage must not look like a second collector.
        let mut tracks: Vec<String> = self.collectors.into_iter().collect();
        if let [unknown, _] = &tracks[..]
            && unknown.is_empty()
        {
            tracks.remove(0);
        }
        let epochs = self
            .epochs
            .into_iter()
            .map(|index| {
                let collector = &identities[index].collector;
                let track = tracks.iter().position(|id| id == collector).unwrap_or(0);
                (index, track)
            })
            .collect();
        System { label, epochs, tracks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(label: &str, set: bool, second: i64, servers: &[(&str, &str, i64)]) -> Identity {
        Identity {
            label: label.to_owned(),
            label_set: set,
            collector: "c".to_owned(),
            sequence: 0,
            start: Timestamp::from_second(second).unwrap(),
            uuid: format!("{label}-{second}"),
            servers: servers
                .iter()
                .map(|(id, seat, start)| Process {
                    id: (*id).into(),
                    seat: ("A".into(), (*seat).into()),
                    start: Timestamp::from_second(*start).ok(),
                })
                .collect(),
        }
    }

    fn shape(identities: &[Identity]) -> Vec<(String, Vec<usize>)> {
        sort(identities)
            .0
            .into_iter()
            .map(|system| (system.label, system.epochs.iter().map(|(index, _)| *index).collect()))
            .collect()
    }

    #[test]
    fn epochs_are_ordered_by_start_whatever_their_order() {
        let epochs = [
            epoch("prod", true, 2000, &[("x", "a1", 100)]),
            epoch("prod", true, 1000, &[("x", "a1", 100)]),
        ];
        assert_eq!(shape(&epochs), [("prod".to_owned(), vec![1, 0])]);
    }

    #[test]
    fn labels_that_nobody_set_merge_where_they_share_an_id() {
        let epochs = [
            epoch("10.0.0.1", false, 1000, &[("x", "a1", 100)]),
            epoch("10.0.0.2", false, 2000, &[("x", "a1", 100)]),
            epoch("prod", true, 3000, &[("x", "a1", 100)]),
        ];
        assert_eq!(shape(&epochs), [("prod".to_owned(), vec![0, 1, 2])]);
    }

    #[test]
    fn an_epoch_without_a_header_is_of_the_only_collector_there_is() {
        let by = |collector: &str, second| Identity {
            collector: collector.to_owned(),
            ..epoch("prod", true, second, &[("x", "a1", 100)])
        };
        let tracks = |identities: &[Identity]| {
            let (systems, _) = sort(identities);
            let [system] = &systems[..] else { panic!("{systems:?}") };
            let of_epochs: Vec<usize> = system.epochs.iter().map(|(_, track)| *track).collect();
            (system.tracks.clone(), of_epochs)
        };
        let one = tracks(&[by("c", 1000), by("", 2000), by("c", 3000)]);
        assert_eq!(one, (vec!["c".to_owned()], vec![0, 0, 0]));
        // Of two, nobody knows which.
        let (two, of_epochs) = tracks(&[by("c", 1000), by("", 2000), by("d", 3000)]);
        assert_eq!((two.len(), of_epochs), (3, vec![1, 0, 2]));
        assert_eq!(tracks(&[by("", 1000)]).0, [""]);
    }

    #[test]
    fn labels_that_were_set_stay_apart() {
        let epochs = [
            epoch("blue", true, 1000, &[("x", "a1", 100)]),
            epoch("green", true, 2000, &[("x", "a1", 100)]),
        ];
        assert_eq!(shape(&epochs).len(), 2);
    }

    #[test]
    fn sites_with_the_same_names_are_two_systems() {
        // The second site's process on the same seat started long before the first was last seen.
        let epochs = [
            epoch("localhost", false, 100_000, &[("x", "a1", 100)]),
            epoch("localhost", false, 200_000, &[("y", "a1", 150)]),
            epoch("localhost", false, 300_000, &[("x", "a1", 100)]),
        ];
        let shape = shape(&epochs);
        assert_eq!(shape[0], ("localhost".to_owned(), vec![0, 2]));
        assert_eq!(shape[1], ("localhost (2)".to_owned(), vec![1]));
        assert_eq!(sort(&epochs).1.len(), 1);
    }

    #[test]
    fn an_epoch_that_saw_all_unites_those_that_saw_a_part() {
        let epochs = [
            epoch("localhost", false, 1000, &[("x", "a1", 100)]),
            epoch("localhost", false, 2000, &[("y", "a2", 100)]),
            epoch("localhost", false, 3000, &[("x", "a1", 100), ("y", "a2", 100)]),
        ];
        assert_eq!(shape(&epochs), [("localhost".to_owned(), vec![0, 1, 2])]);
        assert_eq!(sort(&epochs).1, []);
    }

    #[test]
    fn a_restart_of_every_server_stays_one_system() {
        let epochs = [
            epoch("prod", true, 1000, &[("x", "a1", 100), ("y", "a2", 100)]),
            epoch("prod", true, 2000, &[("z", "a1", 1500), ("w", "a2", 1500)]),
        ];
        assert_eq!(shape(&epochs), [("prod".to_owned(), vec![0, 1])]);
    }
}
