//! Windows of one subject, and what the members of each version served in them.
//!
//! A counter says something only against an earlier reading of the same process. So everything
//! here is a bound: what was certainly served inside the window, and what can have been at most.

#[cfg(test)]
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use smol_str::SmolStr;

use crate::verdict::{Step, millis_between, mixed_since};

/// Members that left, kept apart in case they return; those beyond are summed up.
const MAX_PAST: usize = 256;
/// Versions told apart in one window.
const MAX_VERSIONS: usize = 64;

/// Two counters that are read together: requests and errors, or messages in and out.
pub(super) type Pair = [u64; 2];

/// A reading of the counters of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Start of the process by its own word.
    pub(super) started: Timestamp,
    /// The counters.
    pub(super) counts: Pair,
}

/// A member of the subject as one epoch shows it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Id of the instance or server.
    pub(super) id: SmolStr,
    /// Its version.
    pub(super) version: SmolStr,
    /// When its process started at the earliest, by the collector's clock as nearly as it is known.
    pub(super) born: Option<Timestamp>,
    /// Since when it is certainly there: never earlier than it is.
    pub(super) there: Option<Timestamp>,
    /// Its counters.
    pub(super) reading: Option<Reading>,
    /// Client connections it holds; servers only.
    pub(super) connections: Option<u64>,
}

/// The windows of one subject in one track.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The last epoch in which no two versions were there.
    last_ok: Option<Timestamp>,
    /// Who was there then, by id.
    before: BTreeMap<SmolStr, Option<Reading>>,
    window: Option<Window>,
}

/// A window: the epochs in which more than one version was there.
#[derive(Debug)]
pub(super) struct Window {
    /// The last epoch before it that was good.
    floor: Option<Timestamp>,
    /// Two versions coexisted from here on as far as starts tell: what started later started in the
    /// window.
    since: Timestamp,
    /// They certainly did from here on.
    certain: Timestamp,
    /// Last epoch in which they did.
    last: Timestamp,
    /// Those that were there in that epoch, by id.
    present: BTreeMap<SmolStr, Process>,
    /// Those that were there before, last seen first to last.
    past: Vec<(SmolStr, Process)>,
    /// Those summed up, by version.
    folded: BTreeMap<SmolStr, Totals>,
    /// Those of which even the sum is left out.
    forgotten: usize,
    /// Most connections of a version in one epoch.
    peaks: BTreeMap<SmolStr, u64>,
}

/// One process in a window.
#[derive(Clone, Debug)]
struct Process {
    version: SmolStr,
    started: Option<Timestamp>,
    /// It started inside the window, so that its whole counter counts.
    inside: bool,
    /// What its counters were before the window could have opened.
    floor: Option<Pair>,
    /// What it certainly served in the window.
    least: Option<Pair>,
    /// Its last reading.
    last: Option<Pair>,
    /// That reading is of the last epoch of the window.
    to_the_end: bool,
    /// Its counters shrank, so that something is lost.
    shrank: bool,
    connections: Option<u64>,
}

/// What the members of one version served in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Processes.
    pub(super) members: usize,
    /// Those of which nothing is known.
    pub(super) unknown: usize,
    /// Those of which only one bound is known.
    pub(super) partly: usize,
    /// Certainly served; none if no process tells.
    pub(super) least: Option<Pair>,
    /// Served at most; none if some process does not tell.
    pub(super) most: Option<Pair>,
    /// Connections in the last epoch of the window; none if some member did not tell.
    pub(super) connections: Option<u64>,
    /// Most connections in one epoch.
    pub(super) connections_peak: Option<u64>,
}

/// A window in numbers.
#[derive(Debug)]
pub(super) struct Told {
    /// By version.
    pub(super) sides: BTreeMap<SmolStr, Totals>,
    /// Processes that were too many to keep.
    pub(super) forgotten: usize,
    /// Milliseconds the versions coexisted at least.
    pub(super) at_least_ms: i64,
    /// And at most, if the recording saw the time before.
    pub(super) at_most_ms: Option<i64>,
}

impl Ledger {
    pub(super) fn is_open(&self) -> bool {
        self.window.is_some()
    }

    /// Two versions are there.
    pub(super) fn mixed(&mut self, members: &[Member], step: &Step) -> Told {
        let window = self.window.get_or_insert_with(|| Window {
            floor: self.last_ok,
            since: since(members, |member| member.born, self.last_ok, step.time),
            certain: since(members, |member| member.there, self.last_ok, step.time),
            last: step.time,
            present: BTreeMap::new(),
            past: Vec::new(),
            folded: BTreeMap::new(),
            forgotten: 0,
            peaks: BTreeMap::new(),
        });
        window.take(members, &self.before, step.time);
        window.told(None)
    }

    /// Nothing can be said of this epoch; gives the open window, which may last until now.
    pub(super) fn unknown(&self, step: &Step) -> Option<Told> {
        let window = self.window.as_ref()?;
        let told = window.told(None);
        let at_most_ms = window.floor.map(|floor| millis_between(floor, step.time));
        Some(Told { at_most_ms, ..told })
    }

    /// No two versions are there any more; gives the window that has ended with that.
    pub(super) fn agreed(&mut self, members: &[Member], step: &Step) -> Option<Told> {
        let after: BTreeMap<SmolStr, Option<Reading>> =
            members.iter().map(|member| (member.id.clone(), member.reading)).collect();
        let told = self.window.take().map(|window| window.told(Some((&after, step.time))));
        self.last_ok = Some(step.time);
        self.before = after;
        told
    }
}

/// The versions of some members.
pub(super) fn versions(members: &[Member]) -> BTreeSet<&str> {
    members.iter().map(|member| member.version.as_str()).collect()
}

/// From when on two versions coexisted, by the beginning that `of` tells of a member.
fn since(
    members: &[Member],
    of: impl Fn(&Member) -> Option<Timestamp>,
    last_ok: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    let mut oldest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for member in members {
        let Some(begin) = of(member) else { continue };
        let first = oldest.entry(&member.version).or_insert(begin);
        *first = (*first).min(begin);
    }
    mixed_since(oldest.into_values().collect(), last_ok, now)
}

impl Window {
    fn take(
        &mut self,
        members: &[Member],
        before: &BTreeMap<SmolStr, Option<Reading>>,
        now: Timestamp,
    ) {
        self.last = now;
        let mut absent = std::mem::take(&mut self.present);
        for member in members {
            let known = absent.remove(&member.id).or_else(|| self.returned(&member.id));
            let known = match known {
                Some(process) if process.is_of(member) => Some(process),
                Some(other) => {
                    self.past.push((member.id.clone(), other));
                    None
                }
                None => None,
            };
            let mut process = known.unwrap_or_else(|| self.enter(member, before));
            process.read(member);
            self.present.insert(member.id.clone(), process);
        }
        self.past.extend(absent);
        for (_, process) in &mut self.past {
            process.to_the_end = false;
        }
        self.fold();
        self.note_peaks();
    }

    /// A member that was away for an epoch.
    fn returned(&mut self, id: &str) -> Option<Process> {
        let at = self.past.iter().rposition(|(past, _)| past == id)?;
        Some(self.past.remove(at).1)
    }

    fn enter(&self, member: &Member, before: &BTreeMap<SmolStr, Option<Reading>>) -> Process {
        let started = member.reading.map(|reading| reading.started);
        let earlier = before.get(&member.id).filter(|earlier| {
            let start = earlier.map(|reading| reading.started);
            start.is_none() || started.is_none() || start == started
        });
        let born_after = |at: Timestamp| member.born.is_some_and(|born| born >= at);
        let inside = earlier.is_none() && born_after(self.since);
        let floor = match earlier {
            Some(earlier) => earlier.map(|reading| reading.counts),
            None if inside || self.floor.is_some_and(born_after) => Some([0, 0]),
            None => None,
        };
        Process {
            version: member.version.clone(),
            started,
            inside,
            floor,
            least: None,
            last: None,
            to_the_end: false,
            shrank: false,
            connections: None,
        }
    }

    /// Keeps the list of those that left short.
    fn fold(&mut self) {
        let surplus = self.past.len().saturating_sub(MAX_PAST);
        for (_, process) in self.past.drain(..surplus) {
            let room = self.folded.len() < MAX_VERSIONS;
            if room || self.folded.contains_key(&process.version) {
                let side = self.folded.entry(process.version.clone()).or_insert_with(Totals::none);
                side.add(&process, None);
            } else {
                self.forgotten += 1;
            }
        }
    }

    fn note_peaks(&mut self) {
        let mut now: BTreeMap<&str, u64> = BTreeMap::new();
        for process in self.present.values() {
            let Some(connections) = process.connections else { continue };
            let sum = now.entry(&process.version).or_default();
            *sum = sum.saturating_add(connections);
        }
        for (version, sum) in now {
            if self.peaks.len() < MAX_VERSIONS || self.peaks.contains_key(version) {
                let peak = self.peaks.entry(version.into()).or_default();
                *peak = (*peak).max(sum);
            }
        }
    }

    /// The window in numbers: as far as it has come, or, once it is over, with who was there after
    /// it and when that was.
    fn told(&self, after: Option<(&BTreeMap<SmolStr, Option<Reading>>, Timestamp)>) -> Told {
        let mut sides = self.folded.clone();
        let past = self.past.iter().map(|(id, process)| (id, process));
        for (id, process) in past.chain(&self.present) {
            let end = match after {
                Some((after, _)) => process.after(after.get(id).copied().flatten()),
                None => process.last.filter(|_| process.to_the_end),
            };
            let side = sides.entry(process.version.clone()).or_insert_with(Totals::none);
            side.add(process, end);
        }
        for (version, side) in &mut sides {
            side.connections_peak = self.peaks.get(version).copied();
            side.connections = self.connections(version);
        }
        let end = after.map_or(self.last, |(_, end)| end);
        Told {
            sides,
            forgotten: self.forgotten,
            at_least_ms: millis_between(self.certain, self.last),
            at_most_ms: self.floor.map(|floor| millis_between(floor, end)),
        }
    }

    fn connections(&self, version: &str) -> Option<u64> {
        let mut side = self.present.values().filter(|process| process.version == version);
        side.try_fold(0, |sum: u64, process| Some(sum.saturating_add(process.connections?)))
    }
}

impl Process {
    /// Whether a member is this process: nothing that is known of both differs.
    fn is_of(&self, member: &Member) -> bool {
        let started = member.reading.map(|reading| reading.started);
        let same = self.started.is_none() || started.is_none() || self.started == started;
        same && self.version == member.version
    }

    fn read(&mut self, member: &Member) {
        self.connections = member.connections;
        self.to_the_end = member.reading.is_some();
        let Some(Reading { started, counts }) = member.reading else { return };
        self.started = Some(started);
        match self.last.replace(counts) {
            None if self.inside => self.least = Some(counts),
            None => {}
            Some(last) => match less(counts, last) {
                Some(step) => self.least = Some(plus(self.least.unwrap_or_default(), step)),
                None => self.shrank = true,
            },
        }
    }

    /// Its counters in the epoch after the window, if it is still the same process.
    fn after(&self, reading: Option<Reading>) -> Option<Pair> {
        let reading = reading.filter(|reading| self.started == Some(reading.started))?;
        less(reading.counts, self.last?).map(|_| reading.counts)
    }

    /// What it can have served at most, if its counters at the end are known.
    fn most(&self, end: Option<Pair>) -> Option<Pair> {
        if self.shrank { None } else { less(end?, self.floor?) }
    }
}

impl Totals {
    /// Of nobody: nothing was served, and that is certain.
    fn none() -> Self {
        Self { most: Some([0, 0]), ..Self::default() }
    }

    fn add(&mut self, process: &Process, end: Option<Pair>) {
        let most = process.most(end);
        self.members += 1;
        self.unknown += usize::from(process.least.is_none() && most.is_none());
        self.partly += usize::from(process.least.is_none() != most.is_none());
        if let Some(least) = process.least {
            self.least = Some(plus(self.least.unwrap_or_default(), least));
        }
        self.most = self.most.zip(most).and_then(|(sum, most)| {
            Some([sum[0].checked_add(most[0])?, sum[1].checked_add(most[1])?])
        });
    }
}

/// A sum that is at least as large as told, also where it does not fit.
fn plus(one: Pair, other: Pair) -> Pair {
    [one[0].saturating_add(other[0]), one[1].saturating_add(other[1])]
}

/// The difference of two readings; none if a counter shrank.
fn less(later: Pair, earlier: Pair) -> Option<Pair> {
    Some([later[0].checked_sub(earlier[0])?, later[1].checked_sub(earlier[1])?])
}
