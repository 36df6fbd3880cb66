//! Room for answers that are under way.
//!
//! Whatever is asked for at once may come in at once, and the server this connection is attached to
//! holds all of it for us up to a limit, beyond which it closes the connection. So as much is asked
//! for at once as would fit if every answer were as large as the largest of its kind so far. Nobody
//! knows before the first one: until then a kind counts as large as such answers get.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use crate::table::{Row, Way};

/// Bytes of answers that may be under way: half of what servers hold for one connection.
const ROOM: u64 = 32 << 20;

/// Bytes of one permit. No answer counts less, so this also limits their number.
const UNIT: u64 = 128 << 10;

/// What an answer counts that can be large, until one has come.
const LARGE: u64 = 1 << 20;

/// The room of one connection.
pub(super) struct Room {
    places: Semaphore,
    /// Whoever is the first to ask for what can be huge.
    first: Mutex<()>,
    /// Largest answer so far, by the token of its subject.
    largest: std::sync::Mutex<BTreeMap<&'static str, u64>>,
}

/// Room that was taken, until it is dropped.
pub(crate) struct Place<'r> {
    _room: Option<SemaphorePermit<'r>>,
    _first: Option<MutexGuard<'r, ()>>,
}

impl Room {
    pub(super) fn new() -> Self {
        let places = Semaphore::new(units(ROOM) as usize);
        Self { places, first: Mutex::default(), largest: std::sync::Mutex::default() }
    }

    /// Waits for the room that an answer may need.
    pub(super) async fn take(&self, row: &Row) -> Place<'_> {
        // The others wait here for what the first one learns, and not each for all of the room.
        let mut first = None;
        if row.way == Way::Alone && self.known(row).is_none() {
            first = Some(self.first.lock().await).filter(|_| self.known(row).is_none());
        }
        let wanted = self.weight(row);
        // Never closed, so never refused.
        let mut room = self.places.acquire_many(wanted).await.ok();
        // It may have become known that less is enough.
        let extra = wanted.saturating_sub(self.weight(row)) as usize;
        drop(room.as_mut().and_then(|room| room.split(extra)));
        Place { _room: room, _first: first }
    }

    /// Takes notice of how large an answer is.
    pub(super) fn learn(&self, row: &Row, bytes: usize) {
        let mut largest = self.largest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = largest.entry(row.token).or_default();
        *known = (*known).max(bytes as u64);
    }

    fn known(&self, row: &Row) -> Option<u64> {
        self.largest.lock().unwrap_or_else(PoisonError::into_inner).get(row.token).copied()
    }

    fn weight(&self, row: &Row) -> u32 {
        let unknown = if row.way == Way::Alone { ROOM } else { LARGE };
        units(self.known(row).unwrap_or(unknown))
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.clamp(1, ROOM).div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::sync::Barrier;

    use super::*;
    use crate::table::{CONNZ, JSZ, ROUTEZ};

    #[test]
    fn what_can_be_huge_is_alone_until_its_size_is_known() {
        let room = Room::new();
        assert_eq!(room.weight(&JSZ), units(ROOM));
        assert_eq!(units(ROOM) / room.weight(&CONNZ), 32);
        room.learn(&JSZ, 5_000);
        assert_eq!(room.weight(&JSZ), 1);
        room.learn(&JSZ, 3 << 20);
        room.learn(&JSZ, 5_000);
        assert_eq!(units(ROOM) / room.weight(&JSZ), 10);
        room.learn(&JSZ, 64 << 20);
        assert_eq!(room.weight(&JSZ), units(ROOM));
        room.learn(&ROUTEZ, 0);
        assert_eq!(room.weight(&ROUTEZ), 1);
    }
    /// Hundreds that wait while nothing is known go at once when something is.
    #[tokio::test]
    async fn who_waits_gains_from_what_the_first_one_learns() {
        let room = Room::new();
        let together = Barrier::new(199);
        let alone = AtomicUsize::new(0);
        let all = join_all((0..200).map(|_| async {
            let _place = room.take(&JSZ).await;
            if room.known(&JSZ).is_none() {
                alone.fetch_add(1, Ordering::Relaxed);
                room.learn(&JSZ, 5_000);
            } else {
                // Nobody leaves before all the others are in.
                together.wait().await;
            }
        }));
        let ended = tokio::time::timeout(Duration::from_secs(10), all).await;
        assert!(ended.is_ok(), "somebody waited for all of the room");
        assert_eq!(alone.into_inner(), 1);
    }
}
