//! What servers say of the time: by their clocks, not by the collector's, epochs are in order.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::epoch::Epoch;

/// The first that each server of an epoch said of the time.
#[derive(Clone, Debug, Default)]
pub struct Clocks(HashMap<SmolStr, Timestamp, RandomState>);

/// How many clocks of the servers of two epochs went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// They tell a later time.
    pub forward: usize,
    /// They tell an earlier time.
    pub back: usize,
}

impl Clocks {
    /// Takes them from the replies of an epoch.
    pub fn of(epoch: &Epoch) -> Self {
        let mut first: HashMap<SmolStr, Timestamp, RandomState> = HashMap::default();
        for who in epoch.sightings.iter().map(|sighting| &sighting.who) {
            let Some(now) = who.now else { continue };
            match first.get_mut(&who.server) {
                Some(first) => *first = now.min(*first),
                None => drop(first.insert(who.server.clone(), now)),
            }
        }
        Self(first)
    }

    /// How they moved since another epoch. A clock that stands still is the same reply twice, and
    /// says nothing of the order.
    pub fn moved_since(&self, before: &Self) -> Moved {
        let common = self.0.iter().filter_map(|(id, now)| Some((now, before.0.get(id)?)));
        common.fold(Moved::default(), |moved, (now, before)| Moved {
            forward: moved.forward + usize::from(now > before),
            back: moved.back + usize::from(now < before),
        })
    }
}
