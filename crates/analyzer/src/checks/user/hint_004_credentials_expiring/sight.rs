//! How far the connections of an epoch were seen: a user can only be good if all of them were.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::clusters::{Cluster, Clusters};
use nats_hindsight_model::users::{Listing, UserFacts};
use smol_str::SmolStr;

use crate::checks::server::server;
use crate::report::Subject;
use crate::verdict::Reason;

/// What is known of the connections of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// It is not in operator mode.
    Foreign,
    /// They were not seen, or not all of them.
    Hidden(Reason),
    /// They were all looked at: those of services only, if that is what was asked for.
    Seen { restricted: bool },
}

/// What is known of the connections of all servers.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Every server that answered or should have.
    pub(super) seats: BTreeMap<Subject, Seat>,
    /// Names of servers, by id.
    pub(super) names: BTreeMap<SmolStr, SmolStr>,
    /// Ids of the servers all of whose connections were looked at.
    pub(super) whole: BTreeSet<SmolStr>,
    /// Whether some server listed only connections of services.
    pub(super) restricted: bool,
    /// Servers of which nobody knows whether they are there.
    doubtful: Vec<Subject>,
    /// What the servers that were seen listed.
    lists: Vec<(Subject, Listing)>,
}

impl Sight {
    pub(super) fn of(facts: &UserFacts, clusters: &Clusters) -> Self {
        let mut sight = Self::default();
        for (id, server) in &facts.census.servers {
            sight.names.insert(id.clone(), server.name.clone());
        }
        for cluster in &clusters.all {
            sight.cluster(facts, cluster);
        }
        sight
    }

    fn cluster(&mut self, facts: &UserFacts, cluster: &Cluster) {
        for (id, name) in &cluster.seats {
            let listing = facts.servers.get(id).cloned().unwrap_or_default();
            let seat = seat(facts, &listing);
            if let Seat::Seen { restricted } = seat {
                self.restricted |= restricted;
                self.whole.insert(id.clone());
                self.lists.push((server(&cluster.key, name), listing));
            }
            self.seats.insert(server(&cluster.key, name), seat);
        }
        for name in cluster.silent.keys() {
            // What the others say of operator mode is no word of this one.
            self.seats.insert(server(&cluster.key, name), Seat::Hidden(Reason::ServerSilent));
        }
        if !cluster.answered.is_empty() {
            let doubtful = cluster.doubts.iter().map(|(name, _)| server(&cluster.key, name));
            self.doubtful.extend(doubtful);
        }
    }

    /// Why a user of an account may have connections that nobody saw, and which servers hide them.
    pub(super) fn blind(&self, account: &str) -> Option<(Reason, Vec<Subject>)> {
        self.blind_to_all().or_else(|| {
            let other = self.lists.iter().filter(|(_, listing)| !listing.covers(account));
            let hides: Vec<Subject> = other.map(|(subject, _)| subject.clone()).collect();
            (!hides.is_empty()).then_some((Reason::ConnectionsIncomplete, hides))
        })
    }

    fn blind_to_all(&self) -> Option<(Reason, Vec<Subject>)> {
        let hidden = self.seats.iter().filter_map(|(subject, seat)| match seat {
            Seat::Hidden(reason) => Some((*reason, subject.clone())),
            _ => None,
        });
        let hidden: Vec<(Reason, Subject)> = hidden.collect();
        if let Some((reason, _)) = hidden.iter().min() {
            let same = hidden.iter().filter(|(other, _)| other == reason);
            return Some((*reason, same.map(|(_, subject)| subject.clone()).collect()));
        }
        let doubtful = !self.doubtful.is_empty();
        doubtful.then(|| (Reason::MembershipUnknown, self.doubtful.clone()))
    }
}

/// What the lists of a server that answered are worth.
fn seat(facts: &UserFacts, listing: &Listing) -> Seat {
    match operator(facts, listing) {
        Some(false) => Seat::Foreign,
        _ if !facts.asked => Seat::Hidden(Reason::NotAsked),
        _ if !listing.complete => Seat::Hidden(Reason::ConnectionsIncomplete),
        // Nothing in its lists tells whether its users have JWTs.
        None => Seat::Hidden(Reason::NotAsked),
        Some(true) if listing.nameless > 0 => Seat::Hidden(Reason::JwtUnreadable),
        Some(true) => Seat::Seen { restricted: !listing.unrestricted },
    }
}

/// Whether a server is in operator mode: by its own word, by what its connections carry, else by
/// the word of the others, which only differ where a leaf node is of another operator or of none.
fn operator(facts: &UserFacts, listing: &Listing) -> Option<bool> {
    if listing.jwts > 0 {
        return Some(true);
    }
    if listing.operator.is_some() {
        return listing.operator;
    }
    if listing.rows > 0 {
        return Some(false);
    }
    let told = || facts.servers.values().filter_map(|other| other.operator);
    let carried = facts.servers.values().any(|other| other.jwts > 0);
    if carried || told().any(|operator| operator) {
        return None;
    }
    told().next().map(|_| false)
}
