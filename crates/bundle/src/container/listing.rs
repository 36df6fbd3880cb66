//! Collects the entries of a container and bounds what they may give together.

use nats_hindsight_snapshot::format::Limits;

use super::entry::{Entry, Place, Refusal};
use super::{Container, Kind};
use crate::problem::{Problem, Problems, shortened};

/// Bytes that are taken for entries, and for names, before any is there: a directory may tell of more
/// than it has.
const FORESEEN: u64 = 16 << 20;

/// Deflate cannot do better: 258 bytes of a run in two bits.
const MOST_DEFLATED: u64 = 1032;

/// An entry as it was found.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) name: &'a [u8],
    pub(super) length: u64,
    pub(super) stored: u64,
    pub(super) crc: Option<u32>,
    pub(super) place: Place,
    pub(super) deflated: bool,
    pub(super) refused: Option<Refusal>,
}

/// Whether a listing has room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Room {
    Some,
    /// The limit was told; the rest is not looked at.
    None,
}

#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) limits: &'a Limits,
    names: String,
    pub(super) entries: Vec<Entry>,
    problems: Problems,
    /// Bytes that all entries may unpack to together.
    pub(super) budget: u64,
}

impl<'a> Listing<'a> {
    /// A listing of a container of this many bytes.
    pub(super) fn new(limits: &'a Limits, size: u64) -> Self {
        let budget = limits.min_unpacked.saturating_add(size.saturating_mul(limits.max_ratio));
        Self {
            limits,
            names: String::new(),
            entries: Vec::new(),
            problems: Problems::default(),
            budget,
        }
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.add(problem);
    }

    /// Makes room for entries that there should be, and for their names, so that what grows need not
    /// be copied again and again. That it grows all the same is no failure.
    pub(super) fn expect(&mut self, entries: u64, names: u64) {
        let most = FORESEEN / size_of::<Entry>() as u64;
        let entries = entries.min(most).min(self.limits.max_entries);
        let names = names.min(FORESEEN).min(self.limits.max_names);
        let room = |count: u64| usize::try_from(count).unwrap_or(0);
        let _ = self.entries.try_reserve_exact(room(entries));
        let _ = self.names.try_reserve_exact(room(names));
    }

    /// Adds an entry. Whether it may be read is decided in [`Self::finish`].
    pub(super) fn add(&mut self, found: &Found<'_>) -> Room {
        let Limits { max_entries, max_entry_name, max_names, .. } = *self.limits;
        let offset = found.place.offset();
        if self.entries.len() as u64 >= max_entries {
            return self
                .full(offset, &format!("more entries than limit `max_entries`, {max_entries}"));
        }
        if (self.names.len() + found.name.len()) as u64 > max_names {
            let text = format!("names of more bytes than limit `max_names`, {max_names}");
            return self.full(offset, &text);
        }
        let name = String::from_utf8_lossy(found.name);
        if found.name.len() as u64 > max_entry_name {
            let text = format!(
                "has a name of {} bytes, limit `max_entry_name` is {max_entry_name}; it is passed \
                 over",
                found.name.len()
            );
            self.problem(Problem::new("limit", text).of(&name).at(offset));
            return Room::Some;
        }
        if leads_out(&name) {
            let text = "has a name that leads out of the archive or cannot be a file's; nothing is \
                        ever written, so it is read like any other";
            self.problem(Problem::new("entry_name_hostile", text).of(&name).at(offset));
        }
        let start = self.names.len();
        self.names.push_str(&name);
        self.entries.push(Entry {
            length: found.length,
            stored: found.stored,
            crc: found.crc,
            lossy_name: matches!(name, std::borrow::Cow::Owned(_)),
            refused: found.refused,
            name: start..self.names.len(),
            place: found.place,
            deflated: found.deflated,
        });
        Room::Some
    }

    fn full(&mut self, offset: u64, what: &str) -> Room {
        let text = format!("the archive has {what}; the rest is not read");
        self.problem(Problem::new("limit", text).at(offset));
        Room::None
    }

    /// Refuses what shares bytes with what comes before it: of two entries with the same bytes the
    /// first is kept. `end` is where the entries have to end.
    pub(super) fn refuse_overlaps(&mut self, end: u64) {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|index| (self.entries[*index].place.offset(), *index));
        let mut reached = 0;
        for index in order {
            let entry = &mut self.entries[index];
            let offset = entry.place.offset();
            // The length of the name is left out: a lossy one has another length than the stored.
            let after =
                offset.saturating_add(super::local::FIXED as u64).saturating_add(entry.stored);
            if offset < reached || after > end {
                entry.refused.get_or_insert(Refusal::Overlaps);
            } else {
                reached = after;
            }
        }
    }

    /// Decides what may be read, and says what may not.
    pub(super) fn finish(mut self, kind: Kind, salvaged: bool, held: Option<Vec<u8>>) -> Container {
        let mut left = self.budget;
        for entry in &mut self.entries {
            let refused = entry.refused.or_else(|| refuse(entry, self.limits, self.budget, left));
            entry.refused = refused;
            let Some(refusal) = refused else {
                left -= entry.length;
                continue;
            };
            let name = self.names.get(entry.name.clone()).unwrap_or("");
            self.problems.add(refusal.problem().of(&shortened(name)).at(entry.place.offset()));
        }
        let Self { names, entries, problems, .. } = self;
        Container {
            kind,
            salvaged,
            names,
            entries,
            problems: problems.finish(),
            held: held.map(Into::into),
        }
    }
}

fn refuse(entry: &Entry, limits: &Limits, budget: u64, left: u64) -> Option<Refusal> {
    let most =
        if entry.deflated { entry.stored.saturating_mul(MOST_DEFLATED) } else { entry.stored };
    if entry.length > most {
        Some(Refusal::Impossible)
    } else if entry.length > limits.max_entry_length || entry.stored > limits.max_entry_length {
        Some(Refusal::TooLong(limits.max_entry_length))
    } else if entry.length > left {
        Some(Refusal::Budget(budget))
    } else {
        None
    }
}

/// Whether a name would be dangerous to whoever unpacked it, or cannot be one.
fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    name.starts_with(['/', '\\'])
        || drive
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..")
}
