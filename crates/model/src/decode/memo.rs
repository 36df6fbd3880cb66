//! What was decoded once need not be decoded again, and tables that were filled once have room.
//!
//! A reply that is the same, byte for byte, as one of an epoch shortly before means the same.
//! Services tell the same of themselves for days, and an idle system little else.
//!
//! The bytes themselves are not held: they would be fetched from memory once more for each reply.
//! A reply is known by its endpoint, its length, how it begins and a hash of all of it. The hash is
//! seeded anew in each process, so that no recording can be made for two replies to look alike, and
//! by chance it happens to one pair in 2^64.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use nats_hindsight_snapshot::Endpoint;

use super::services::{Announced, Metadata};
use super::told::Told;
use crate::epoch::Epoch;
use crate::expected::Header;

/// Threads seldom want the same shard at the same time.
const SHARDS: usize = 16;

/// Bytes of bodies of which all shards hold what they mean, from one stretch.
const MOST_HELD: usize = 48 << 20;

/// The same for parts of replies of services.
const MOST_PARTS: usize = 4 << 20;

/// What a body longer than this means is not held: few are, and those change all the time.
const MOST_OF_ONE: usize = 64 << 10;

/// By so many of its first bytes, and its length, a reply is looked for: they name its sender. So
/// a reply that changed meets the one before, and takes the place of an older one.
const OUTSET: usize = 192;

/// Parts of replies begin alike and name nobody.
const ALL: usize = usize::MAX;

/// Rows of a table that are kept for the next epoch.
const MOST_ROWS: usize = 1 << 17;

/// What was decoded shortly before.
///
/// It never changes what is decoded, only how often.
#[derive(Default)]
pub struct Memo {
    replies: Kept<Told, MOST_HELD, OUTSET>,
    /// Parts of the replies of services, which are the same for all instances of one.
    pub(super) metadata: Kept<Metadata, MOST_PARTS, ALL>,
    pub(super) endpoints: Kept<Announced, MOST_PARTS, ALL>,
    /// Epochs that nobody looks at any more: never more than are looked at at the same time.
    spare: Mutex<Vec<Epoch>>,
}

impl Memo {
    /// Begins the next stretch: what was not met since the last call but one is forgotten.
    pub fn next_stretch(&self) {
        self.replies.next_stretch();
        self.metadata.next_stretch();
        self.endpoints.next_stretch();
    }

    /// An epoch without records, in tables that may have served another one before.
    pub(super) fn empty(&self, header: Header) -> Epoch {
        match lock(&self.spare).pop() {
            Some(spare) => Epoch { header, ..spare },
            None => Epoch::empty(header),
        }
    }

    /// Takes back an epoch that nobody looks at any more. An unusually large one is forgotten.
    pub fn take_back(&self, epoch: Epoch) {
        if epoch.sightings.capacity().max(epoch.services.capacity()) <= MOST_ROWS {
            let spare = epoch.emptied();
            lock(&self.spare).push(spare);
        }
    }

    /// What a body tells; decoded only if its bytes are not known.
    pub(super) fn told(
        &self,
        endpoint: &Endpoint,
        body: &[u8],
        decode: impl FnOnce() -> Told,
    ) -> Told {
        self.replies.known(endpoint, body, decode)
    }
}

/// What pieces of JSON mean, by their bytes and the endpoint they are of: of this stretch of a
/// sequence and of the one before, and of `MOST` bytes at most. Of those that have their length and
/// their first `OUTSET` bytes in common, the last two are kept.
pub(super) struct Kept<T, const MOST: usize, const OUTSET: usize> {
    shards: [Mutex<Shard<T>>; SHARDS],
    outsets: RandomState,
    wholes: Whole,
}

/// Tells equal pieces from others. Its seed is its own.
type Whole = foldhash::quality::RandomState;

struct Shard<T> {
    /// By the hash of the endpoint, the length and the outset.
    slots: HashMap<u64, Slot<T>, RandomState>,
    stretch: u64,
    /// Bytes that came in this stretch.
    held: usize,
}

/// The last two that begin alike.
struct Slot<T> {
    newer: Known<T>,
    older: Option<Known<T>>,
    /// The stretch in which one of them was met.
    met: u64,
}

struct Known<T> {
    /// Hash of all its bytes.
    whole: u64,
    told: T,
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Self { slots: HashMap::default(), stretch: 0, held: 0 }
    }
}

impl<T, const MOST: usize, const OUTSET: usize> Default for Kept<T, MOST, OUTSET> {
    fn default() -> Self {
        Self {
            shards: Default::default(),
            outsets: RandomState::default(),
            wholes: Whole::default(),
        }
    }
}

impl<T: Clone, const MOST: usize, const OUTSET: usize> Kept<T, MOST, OUTSET> {
    fn next_stretch(&self) {
        self.shards.iter().for_each(|shard| lock(shard).forget());
    }

    /// What a piece of JSON means; made only if its bytes are not known.
    pub(super) fn known(&self, endpoint: &Endpoint, json: &[u8], make: impl FnOnce() -> T) -> T {
        if json.len() > MOST_OF_ONE {
            return make();
        }
        let hash = self.outsets.hash_one((endpoint, json.len(), &json[..json.len().min(OUTSET)]));
        let shard = &self.shards[(hash >> 60) as usize % SHARDS];
        // The hash of the whole is taken while its slot is on its way from memory.
        let whole = || self.wholes.hash_one(json);
        let (whole, found) = lock(shard).find(hash, whole);
        if let Some(told) = found {
            return told;
        }
        let told = make();
        let known = Known { whole, told: told.clone() };
        lock(shard).keep(hash, known, json.len(), MOST / SHARDS);
        told
    }
}

/// A decoder that failed leaves at most one reply out.
fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Clone> Shard<T> {
    /// The hash of a piece, and what it means, if it is known.
    fn find(&mut self, hash: u64, whole: impl Fn() -> u64) -> (u64, Option<T>) {
        let Some(slot) = self.slots.get_mut(&hash) else { return (whole(), None) };
        slot.met = self.stretch;
        let whole = whole();
        let mut both = [Some(&slot.newer), slot.older.as_ref()].into_iter().flatten();
        (whole, both.find(|known| known.whole == whole).map(|known| known.told.clone()))
    }

    fn keep(&mut self, hash: u64, known: Known<T>, length: usize, most: usize) {
        self.held += length;
        match self.slots.entry(hash) {
            Entry::Occupied(slot) => {
                let slot = slot.into_mut();
                slot.older = Some(std::mem::replace(&mut slot.newer, known));
            }
            Entry::Vacant(slot) => {
                slot.insert(Slot { newer: known, older: None, met: self.stretch });
            }
        }
        if self.held > most {
            self.forget();
        }
    }

    /// Forgets what was not met in this stretch, and begins the next.
    fn forget(&mut self) {
        let stretch = self.stretch;
        self.slots.retain(|_, slot| slot.met == stretch);
        self.stretch += 1;
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use nats_hindsight_snapshot::Endpoint;

    use super::{MOST_HELD, MOST_OF_ONE, Memo, OUTSET};
    use crate::decode::told::Told;

    /// How often each of these bodies is decoded.
    fn decoded(memo: &Memo, bodies: &[&[u8]]) -> usize {
        let count = Cell::new(0);
        for body in bodies {
            memo.told(&Endpoint::VARZ, body, || {
                count.set(count.get() + 1);
                Told::unreadable(String::from_utf8_lossy(body))
            });
        }
        count.get()
    }

    #[test]
    fn the_same_bytes_are_decoded_once_and_give_the_same() {
        let memo = Memo::default();
        assert_eq!(decoded(&memo, &[b"a", b"b", b"a", b"a"]), 2);
        let again = memo.told(&Endpoint::VARZ, b"b", || Told::unreadable("other"));
        assert!(matches!(again, Told::Unreadable(text) if &*text == "b"));
    }

    #[test]
    fn another_endpoint_is_another_reply() {
        let memo = Memo::default();
        memo.told(&Endpoint::VARZ, b"a", || Told::unreadable("varz"));
        let other = memo.told(&Endpoint::STATSZ, b"a", || Told::unreadable("statsz"));
        assert!(matches!(other, Told::Unreadable(text) if &*text == "statsz"));
    }

    #[test]
    fn what_was_not_met_for_two_stretches_is_forgotten() {
        let memo = Memo::default();
        decoded(&memo, &[b"a", b"b"]);
        memo.next_stretch();
        assert_eq!(decoded(&memo, &[b"a"]), 0);
        memo.next_stretch();
        assert_eq!(decoded(&memo, &[b"a", b"b"]), 1);
    }

    #[test]
    fn of_replies_that_begin_alike_the_last_two_are_kept() {
        let memo = Memo::default();
        let reply = |last: u8| [vec![b'x'; OUTSET], vec![last]].concat();
        let [a, b, c] = [reply(b'a'), reply(b'b'), reply(b'c')];
        assert_eq!(decoded(&memo, &[&a, &b, &a, &b]), 2);
        assert_eq!(decoded(&memo, &[&c, &b, &c]), 1);
        let told = memo.told(&Endpoint::VARZ, &c, || Told::unreadable("other"));
        assert!(matches!(told, Told::Unreadable(text) if text.as_bytes() == c));
    }

    #[test]
    fn it_holds_no_more_than_its_bound() {
        let memo = Memo::default();
        let body =
            |number: usize| [number.to_le_bytes().into(), vec![b'x'; MOST_OF_ONE - 8]].concat();
        for number in 0..4 * MOST_HELD / MOST_OF_ONE {
            decoded(&memo, &[&body(number)]);
        }
        let slots = memo.replies.shards.iter().map(|shard| super::lock(shard).slots.len());
        let held = slots.sum::<usize>() * MOST_OF_ONE;
        assert!((1..=2 * MOST_HELD + 32 * MOST_OF_ONE).contains(&held), "{held}");
    }
}
