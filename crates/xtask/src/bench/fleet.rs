//! A large system made of a small recorded one: what runs in which epoch.
//!
//! Everything follows from the position of a server, an instance and an epoch, so that the same
//! plan gives the same bytes. A few clusters and services have a story, for checks to find.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

/// Servers of a cluster.
pub(super) const MEMBERS: usize = 3;

/// Instances of a service.
pub(super) const INSTANCES: usize = 20;

/// The releases servers go from and to.
pub(super) const SERVER_VERSIONS: [&str; 2] = ["2.14.6", "2.15.1"];

/// The releases services go from and to.
pub(super) const SERVICE_VERSIONS: [&str; 2] = ["1.2.0", "1.3.0"];

/// The size of a fleet and of its recording.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet {
    /// Epochs recorded.
    pub(super) epochs: usize,
    /// Servers, in clusters of three; the last cluster may be smaller.
    pub(super) servers: usize,
    /// Service instances, twenty of each service.
    pub(super) instances: usize,
    /// Of a hundred replies, how many are the same as in the epoch before.
    pub(super) unchanged: u64,
}

/// One process: a server, or an instance of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its id, in the alphabet and length of those that NATS makes.
    pub(super) id: String,
    /// Whether it is the one before (0) or behind (1) an upgrade.
    pub(super) generation: usize,
    /// The epoch before which it was started.
    pub(super) since: usize,
}

impl Fleet {
    /// The server at a position, in an epoch.
    pub(super) fn server(&self, server: usize, epoch: usize) -> Process {
        let (cluster, member) = (server / MEMBERS, server % MEMBERS);
        let upgraded = match cluster % 40 {
            // Upgraded one after the other.
            3 => Some(self.epochs * (member + 1) / 6),
            // One was upgraded, and the others never.
            7 if member == 2 => Some(0),
            _ => None,
        };
        let (generation, since) = at(upgraded, epoch);
        let digest = Sha256::digest(format!("server {server} {generation}"));
        let text = BASE32_NOPAD.encode(&[&digest[..], &digest[..3]].concat());
        Process { id: format!("N{}", &text[..55]), generation, since }
    }

    /// Number of services.
    pub(super) fn services(&self) -> usize {
        self.instances.div_ceil(INSTANCES)
    }

    /// The instance at a position, in an epoch; nothing while its service is down.
    pub(super) fn instance(&self, instance: usize, epoch: usize) -> Option<Process> {
        let (service, member) = (instance / INSTANCES, instance % INSTANCES);
        let upgraded = match service % 25 {
            3 => Some(self.epochs / 4 + member),
            7 if member == 0 => Some(0),
            11 if (self.epochs / 2..self.epochs * 2 / 3).contains(&epoch) => return None,
            _ => None,
        };
        let (generation, since) = at(upgraded, epoch);
        let digest = Sha256::digest(format!("instance {instance} {generation}"));
        let id = BASE32_NOPAD.encode(&digest)[..22].to_owned();
        Some(Process { id, generation, since })
    }

    /// The last epoch in which a reply was another than in the epoch before.
    pub(super) fn changed(&self, reply: usize, epoch: usize) -> usize {
        let changes = |epoch: &usize| {
            let digest = Sha256::digest(format!("reply {reply} {epoch}"));
            u64::from(digest[0]) * 100 >= 256 * self.unchanged
        };
        (1..=epoch).rev().find(changes).unwrap_or(0)
    }
}

/// Generation and first epoch of a process that is upgraded in some epoch.
fn at(upgraded: Option<usize>, epoch: usize) -> (usize, usize) {
    match upgraded {
        Some(since) if epoch >= since => (1, since),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::Fleet;

    const FLEET: Fleet = Fleet { epochs: 60, servers: 500, instances: 2000, unchanged: 50 };

    #[test]
    fn ids_are_of_the_right_length_and_differ() {
        let ids: std::collections::BTreeSet<String> =
            (0..500).map(|server| FLEET.server(server, 0).id).collect();
        assert_eq!(ids.len(), 500);
        assert!(ids.iter().all(|id| id.len() == 56 && id.starts_with('N')));
    }

    #[test]
    fn a_service_with_a_story_goes_and_comes_back() {
        let down: Vec<usize> =
            (0..60).filter(|epoch| FLEET.instance(11 * 20, *epoch).is_none()).collect();
        assert_eq!(down, (30..40).collect::<Vec<usize>>());
    }

    #[test]
    fn about_the_wanted_share_is_unchanged() {
        for unchanged in [0, 50, 95] {
            let fleet = Fleet { unchanged, ..FLEET };
            let same = (0..10_000_usize).filter(|reply| fleet.changed(*reply, 9) != 9).count();
            let share = same as u64 / 100;
            assert!(share.abs_diff(unchanged) <= 2, "{share} of 100, wanted {unchanged}");
        }
    }
}
