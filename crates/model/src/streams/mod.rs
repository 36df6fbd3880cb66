//! The streams of one epoch: what all servers tell of them, joined into one stream with replicas.
//!
//! Every server tells of the replicas that it keeps, so a stream with three replicas is in three
//! replies, and in archives of `nats audit gather` twice in each. What is joined to what:
//!
//! ```text
//! telling ─► server (by id; by name and cluster where an archive knows no more)
//!         ─► account (by what servers say themselves, before what an archive says of them)
//!         ─► domain (of the server) ─► stream (account, domain, cluster, name) ─► replica (server)
//! ```
//!
//! Where two servers, accounts or domains fit, the telling is joined to none of them: it is counted
//! and becomes a [`Doubt`]. What replicas tell differently is kept as each of them tells it.

mod accounts;
mod doubt;
mod join;
mod replicas;
mod servers;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

pub use doubt::Doubt;
pub use told::{JszRecord, MemberTold, StreamTold, Teller};

use crate::View;

/// Everything one epoch says about streams.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// The streams.
    pub streams: BTreeMap<StreamKey, Stream>,
    /// Tellings of streams that are joined to no stream.
    pub not_joined: u64,
    /// What could not be joined for certain, and of how many tellings that is so.
    pub doubts: BTreeMap<Doubt, u64>,
    /// Tellings that are not held because there are more than limit `max_streams`; then there are
    /// no streams here, and nothing is known of any.
    pub beyond: u64,
}

/// What makes a stream the one it is. In one domain and account a name is used once; the cluster
/// tells apart systems that do not know of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Id of the account; its name outside of operator mode.
    pub account: SmolStr,
    /// JetStream domain: empty where there is none, and none where no server tells.
    pub domain: Option<SmolStr>,
    /// Cluster that keeps it; none for a server without one.
    pub cluster: Option<SmolStr>,
    /// Name.
    pub name: SmolStr,
}

/// One stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Display name of its account, where one is told.
    pub account_name: Option<SmolStr>,
    /// Replicas whose servers tell of them, by name and id of the server.
    pub replicas: Vec<Replica>,
    /// Replicas that others list and whose servers tell nothing of them, by name.
    pub silent: Vec<Silent>,
    /// Replicas that it is configured to have beside those, and that nobody lists.
    pub unlisted: u64,
}

/// A replica whose server tells of it.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Server id.
    pub server: SmolStr,
    /// Server name; none where no reply tells it.
    pub name: Option<SmolStr>,
    /// Cluster of the server: another than that of the stream while it moves.
    pub cluster: Option<SmolStr>,
    /// Whether it says that it leads; none where its name does not tell that.
    pub leads: Option<bool>,
    /// What it tells.
    pub told: Arc<StreamTold>,
    /// How often its server tells of it; the last word of the server itself counts.
    pub tellings: u64,
}

/// A replica that others list and whose server tells nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Name of its server.
    pub name: SmolStr,
    /// Id of its server, where just one is called so.
    pub server: Option<SmolStr>,
    /// How the leader sees it, where the leader tells.
    pub by_leader: Option<MemberTold>,
}

impl Streams {
    /// Joins what an epoch says of streams. What is not declared is not there to be joined.
    pub fn of(view: &View<'_>) -> Self {
        join::join(view)
    }

    /// Replicas whose servers tell of them.
    pub fn replicas(&self) -> u64 {
        self.streams.values().map(|stream| stream.replicas.len() as u64).sum()
    }

    /// Replicas that are listed and silent.
    pub fn silent(&self) -> u64 {
        self.streams.values().map(|stream| stream.silent.len() as u64).sum()
    }

    /// Replicas that are configured and that nobody lists.
    pub fn unlisted(&self) -> u64 {
        self.streams.values().map(|stream| stream.unlisted).fold(0, u64::saturating_add)
    }
}

impl Stream {
    /// Who leads, by what each replica says: ids of those that say so, by name of the leader. Of a
    /// stream that is well there is one name; replicas that see no leader are under none.
    pub fn leaders(&self) -> BTreeMap<Option<&str>, BTreeSet<&str>> {
        self.by(|replica| replica.told.leader.as_deref())
    }

    /// How many replicas it is configured to have: ids of those that say so, by number.
    pub fn configured(&self) -> BTreeMap<Option<u64>, BTreeSet<&str>> {
        self.by(|replica| replica.told.configured)
    }

    /// The Raft groups that replicas say they are in. Several mean that it was made anew, or that
    /// two streams are taken for one.
    pub fn groups(&self) -> BTreeMap<Option<&str>, BTreeSet<&str>> {
        self.by(|replica| replica.told.group.as_deref())
    }

    /// Least and largest last sequence of replicas that tell one.
    pub fn last_seq(&self) -> Option<(u64, u64)> {
        let seqs = || self.replicas.iter().filter_map(|replica| replica.told.last_seq);
        Some((seqs().min()?, seqs().max()?))
    }

    /// Whether replicas differ in who leads, how many they should be or which group they are in.
    pub fn differs(&self) -> bool {
        self.leaders().len() > 1 || self.configured().len() > 1 || self.groups().len() > 1
    }

    fn by<'a, T: Ord>(&'a self, told: impl Fn(&'a Replica) -> T) -> BTreeMap<T, BTreeSet<&'a str>> {
        let mut by: BTreeMap<T, BTreeSet<&str>> = BTreeMap::new();
        for replica in &self.replicas {
            by.entry(told(replica)).or_default().insert(&replica.server);
        }
        by
    }
}
