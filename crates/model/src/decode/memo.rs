//! What was decoded once need not be decoded again, and tables that were filled once have room.
//!
//! A reply that is the same, byte for byte, as one of an epoch shortly before means the same.
//! Services tell the same of themselves for days, and an idle system little else.
//!
//! The bytes themselves are not held: they would be fetched from memory once more for each reply.
//! A reply is known by its endpoint, its sender, how it begins and a hash of all of it. The hash is
//! seeded anew in each process, so that no recording can be made for two replies to look alike, and
//! by chance it happens to one pair in 2^64.

use std::cell::Cell;
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
const SHARDS: usize = 8;

/// Bytes of bodies of which all shards hold what they mean, from one stretch.
const MOST_HELD: usize = 48 << 20;

/// The same for parts of replies of services.
const MOST_PARTS: usize = 4 << 20;

/// What a body longer than this means is not held: few are, and those change all the time.
const MOST_OF_ONE: usize = 64 << 10;

/// By its sender and so many of its first bytes a reply is looked for. They name the sender as well,
/// and little that changes. So a reply that changed meets the one before, and takes the place of an
/// older one.
const OUTSET: usize = 128;

/// Parts of replies begin alike and name nobody.
const ALL: usize = usize::MAX;

/// Rows of a table that are kept for the next epoch.
const MOST_ROWS: usize = 1 << 17;

/// A body, and where it comes from.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) source: Option<&'a str>,
    /// Of a paged endpoint.
    pub(super) first_row: u64,
    pub(super) body: &'a [u8],
}

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
    /// Whether somebody looks at the settings of servers.
    pub(super) settings: bool,
}

impl Memo {
    /// The same, before anything was decoded, with or without the settings of servers.
    #[must_use]
    pub fn with_settings(self, settings: bool) -> Self {
        Self { settings, ..self }
    }

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

    /// What bodies tell, each by its place; one is decoded only if its bytes are not known.
    pub(super) fn told(&self, bodies: &[Sent<'_>], decode: impl FnMut(usize) -> Told) -> Vec<Told> {
        self.replies.known_all(bodies, decode)
    }
}

/// What pieces of JSON mean, by their bytes and the endpoint they are of: of this stretch of a
/// sequence and of the one before, and of `MOST` bytes at most. Of those that have their sender and
/// their first `OUTSET` bytes in common, the last two are kept.
pub(super) struct Kept<T, const MOST: usize, const OUTSET: usize> {
    shards: [Mutex<Shard<T>>; SHARDS],
    outsets: RandomState,
    wholes: Whole,
}

/// Tells equal pieces from others. Its seed is its own.
type Whole = foldhash::quality::RandomState;

struct Shard<T> {
    /// By the hash of the endpoint, the sender and the outset.
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
    met: Cell<u64>,
}

struct Known<T> {
    /// Hash of all its bytes.
    whole: u64,
    told: T,
}

impl<T> Slot<T> {
    /// What a piece means, if it is known.
    fn find(&self, sought: &Sought) -> Option<&T> {
        let mut both = [Some(&self.newer), self.older.as_ref()].into_iter().flatten();
        both.find(|known| known.whole == sought.whole).map(|known| &known.told)
    }
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
        let sent = Sent { endpoint, source: None, first_row: 0, body: json };
        let Some(sought) = self.sought(&sent) else { return make() };
        let known = {
            let shard = lock(&self.shards[sought.shard()]);
            shard.slot(&sought).and_then(|slot| slot.find(&sought)).cloned()
        };
        known.unwrap_or_else(|| self.keep(sought, make()))
    }

    /// The same of many, each made by its place. They are looked up together, because each lookup
    /// waits for memory, and that side by side.
    fn known_all(&self, pieces: &[Sent<'_>], mut make: impl FnMut(usize) -> T) -> Vec<T> {
        let sought: Vec<_> = pieces.iter().map(|sent| self.sought(sent)).collect();
        let mut by_shard: [Vec<(usize, Sought)>; SHARDS] = Default::default();
        for (at, sought) in sought.iter().enumerate() {
            if let Some(sought) = sought {
                by_shard[sought.shard()].push((at, *sought));
            }
        }
        let mut known: Vec<Option<T>> = pieces.iter().map(|_| None).collect();
        let asked = self.shards.iter().zip(&by_shard).filter(|(_, asked)| !asked.is_empty());
        for (shard, asked) in asked {
            let shard = lock(shard);
            let slots: Vec<_> = asked.iter().map(|(_, sought)| shard.slot(sought)).collect();
            for ((at, sought), slot) in asked.iter().zip(slots) {
                known[*at] = slot.and_then(|slot| slot.find(sought)).cloned();
            }
        }
        let made = known.into_iter().zip(sought).enumerate().map(|(at, (known, sought))| {
            known.unwrap_or_else(|| match sought {
                Some(sought) => self.keep(sought, make(at)),
                None => make(at),
            })
        });
        made.collect()
    }

    /// By what a piece is looked for; nothing if it is so long that it is not held.
    fn sought(&self, sent: &Sent<'_>) -> Option<Sought> {
        let Sent { endpoint, source, first_row, body } = *sent;
        let outset = &body[..body.len().min(OUTSET)];
        (body.len() <= MOST_OF_ONE).then(|| Sought {
            outset: self.outsets.hash_one((endpoint, source, first_row, outset)),
            whole: self.wholes.hash_one(body),
            length: body.len(),
        })
    }

    fn keep(&self, sought: Sought, told: T) -> T {
        lock(&self.shards[sought.shard()]).keep(sought, told.clone(), MOST / SHARDS);
        told
    }
}

/// By what a piece is looked for.
#[derive(Clone, Copy)]
struct Sought {
    /// Hash of its endpoint, its sender and how it begins.
    outset: u64,
    /// Hash of all its bytes.
    whole: u64,
    length: usize,
}

impl Sought {
    fn shard(&self) -> usize {
        (self.outset >> 60) as usize % SHARDS
    }
}

/// A decoder that failed leaves at most one reply out.
fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Shard<T> {
    /// Where a piece is kept, if it is known.
    fn slot(&self, sought: &Sought) -> Option<&Slot<T>> {
        let slot = self.slots.get(&sought.outset)?;
        slot.met.set(self.stretch);
        Some(slot)
    }

    fn keep(&mut self, sought: Sought, told: T, most: usize) {
        let Sought { outset, whole, length } = sought;
        let known = Known { whole, told };
        match self.slots.entry(outset) {
            Entry::Occupied(slot) => {
                let slot = slot.into_mut();
                // Two threads, or one that looks at many at once, may have made the same.
                if slot.newer.whole == whole {
                    return;
                }
                slot.older = Some(std::mem::replace(&mut slot.newer, known));
            }
            Entry::Vacant(slot) => {
                slot.insert(Slot { newer: known, older: None, met: Cell::new(self.stretch) });
            }
        }
        self.held += length;
        if self.held > most {
            self.forget();
        }
    }

    /// Forgets what was not met in this stretch, and begins the next.
    fn forget(&mut self) {
        let stretch = self.stretch;
        self.slots.retain(|_, slot| slot.met.get() == stretch);
        self.stretch += 1;
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use nats_hindsight_snapshot::Endpoint;

    use super::{MOST_HELD, MOST_OF_ONE, Memo, OUTSET, Sent};
    use crate::decode::told::Told;

    fn sent<'a>(endpoint: &'a Endpoint, body: &'a [u8]) -> Sent<'a> {
        Sent { endpoint, source: Some("N1"), first_row: 0, body }
    }

    /// How often each of these bodies is decoded.
    fn decoded(memo: &Memo, bodies: &[&[u8]]) -> usize {
        let count = Cell::new(0);
        for body in bodies {
            memo.told(&[sent(&Endpoint::VARZ, body)], |_| {
                count.set(count.get() + 1);
                Told::unreadable(String::from_utf8_lossy(body))
            });
        }
        count.get()
    }

    /// What a body tells; `new` if it was not known.
    fn text(memo: &Memo, endpoint: &Endpoint, body: &[u8]) -> String {
        let told = memo.told(&[sent(endpoint, body)], |_| Told::unreadable("new"));
        told.iter().map(unread).collect()
    }

    fn unread(told: &Told) -> &str {
        let Told::Unreadable(text) = told else { panic!("{told:?}") };
        text
    }

    #[test]
    fn many_at_once_are_told_in_their_order() {
        let memo = Memo::default();
        let bodies: Vec<Vec<u8>> =
            (0..500).map(|number: u32| (number % 300).to_string().into()).collect();
        decoded(&memo, &bodies[..100].iter().map(Vec::as_slice).collect::<Vec<_>>());
        let long = vec![b'x'; MOST_OF_ONE + 1];
        let all = bodies.iter().map(Vec::as_slice).chain([long.as_slice()]);
        let all: Vec<Sent<'_>> = all.map(|body| sent(&Endpoint::VARZ, body)).collect();
        // Of 501 two hundred are known, and the second time all but the one that is too long.
        for fresh in [301, 1] {
            let mut made = 0;
            let told = memo.told(&all, |at| {
                made += 1;
                Told::unreadable(String::from_utf8_lossy(all[at].body))
            });
            assert_eq!(made, fresh);
            for (sent, told) in all.iter().zip(&told) {
                assert_eq!(unread(told).as_bytes(), sent.body);
            }
        }
    }

    #[test]
    fn the_same_bytes_are_decoded_once_and_give_the_same() {
        let memo = Memo::default();
        assert_eq!(decoded(&memo, &[b"a", b"b", b"a", b"a"]), 2);
        assert_eq!(text(&memo, &Endpoint::VARZ, b"b"), "b");
    }

    #[test]
    fn another_endpoint_is_another_reply() {
        let memo = Memo::default();
        assert_eq!(text(&memo, &Endpoint::VARZ, b"a"), "new");
        assert_eq!(text(&memo, &Endpoint::STATSZ, b"a"), "new");
        let both = [sent(&Endpoint::STATSZ, b"a"), sent(&Endpoint::ROUTEZ, b"a")];
        let told = memo.told(&both, |at| Told::unreadable(at.to_string()));
        assert_eq!(told.iter().map(unread).collect::<Vec<_>>(), ["new", "1"]);
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
        let reply = |rest: &str| [&[b'x'; OUTSET], rest.as_bytes()].concat();
        let [a, b, c] = [reply("a"), reply("longer"), reply("c")];
        assert_eq!(decoded(&memo, &[&a, &b, &a, &b]), 2);
        assert_eq!(decoded(&memo, &[&c, &b, &c]), 1);
        assert_eq!(text(&memo, &Endpoint::VARZ, &c).as_bytes(), c);
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
