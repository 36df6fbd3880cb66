//! What led to a mix: which variant came when, who grew, who shrank.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::roster::Instance;
use nats_hindsight_model::version::direction;
use smol_str::SmolStr;

use super::facets::{Facet, Facets};
use crate::verdict::{Step, lasting_ms, millis_between, mixed_since};

/// Counts from the last epoch in which all agreed.
#[derive(Default)]
pub(super) struct History {
    first_epoch: Option<usize>,
    tracks: BTreeMap<Facet, Track>,
    fired: BTreeSet<Facet>,
    last_ok: Option<Timestamp>,
    open_since: Option<Timestamp>,
    /// From when on the open mix certainly stood.
    certain_since: Option<Timestamp>,
    served: BTreeMap<SmolStr, (u64, u64)>,
}

/// The variants of one facet.
#[derive(Default)]
struct Track {
    started: bool,
    first_seen: BTreeMap<SmolStr, Timestamp>,
    highest: BTreeMap<SmolStr, usize>,
    lowest: BTreeMap<SmolStr, usize>,
    /// Counts when all last agreed, else in the first epoch.
    base: BTreeMap<SmolStr, usize>,
    before: BTreeMap<SmolStr, usize>,
    /// When a variant last came, or grew at the cost of another.
    moved: Option<Timestamp>,
    /// Whether nothing changed since all agreed.
    settled: bool,
}

/// What a mix looks like in the light of its history.
pub(super) struct Found {
    /// The facet whose variants are the sides.
    pub(super) side: Facet,
    pub(super) stage: &'static str,
    pub(super) shape: Option<&'static str>,
    pub(super) lasting_ms: Option<i64>,
    pub(super) at_least_ms: i64,
    /// Whether ages rest on the services' own word for lack of connections.
    pub(super) ages_by_stats: bool,
}

impl History {
    /// Takes the instances of an epoch.
    pub(super) fn observe(&mut self, facets: &Facets<'_>, step: &Step) {
        self.first_epoch.get_or_insert(step.epoch);
        for facet in Facet::ALL {
            let values = facets.values(facet);
            let seen = self.tracks.get(&facet).is_some_and(|track| track.stands(values));
            if !values.is_empty() && !seen {
                self.tracks.entry(facet).or_default().take(facets.counts(facet), step.time);
            }
        }
    }

    /// Facets that fired in the open interval.
    pub(super) fn fired(&self) -> &BTreeSet<Facet> {
        &self.fired
    }

    pub(super) fn classify(
        &mut self,
        facets: &Facets<'_>,
        fired: &BTreeSet<Facet>,
        step: &Step,
        recent_ms: i64,
    ) -> Found {
        let side = fired.first().copied().unwrap_or(Facet::AppVersion);
        let (ages, ages_by_stats) = ages(facets, side, step);
        self.notice_newborn(facets, step, recent_ms);
        let stage = self.stage(fired, facets, step, recent_ms);
        let shape = (stage == "stalled").then(|| self.shape(facets, side, &ages));
        let last_ok = self.last_ok;
        let since = || mixed_since(arrivals(facets, side, step), last_ok, step.time);
        let since = *self.certain_since.get_or_insert_with(since);
        let at_least_ms = millis_between(since, step.time);
        let oldest = ages.values().copied().collect();
        let lasting_ms = lasting_ms(oldest, last_ok, self.open_since, step.time);
        let lasting_ms = lasting_ms.map(|ms| ms.max(at_least_ms));
        Found { side, stage, shape, lasting_ms, at_least_ms, ages_by_stats }
    }

    /// A service that appears in several variants, and is young, was not so for long: its variants
    /// came now. In the first epoch of a recording nobody can tell.
    fn notice_newborn(&mut self, facets: &Facets<'_>, step: &Step, recent_ms: i64) {
        let newborn = self.first_epoch == Some(step.epoch) && step.previous.is_some();
        if newborn && youngest(facets, step).is_some_and(|age| age <= recent_ms) {
            for track in self.tracks.values_mut().filter(|track| track.before.len() > 1) {
                track.settled = false;
                track.moved = Some(step.time);
            }
        }
    }

    fn stage(
        &self,
        fired: &BTreeSet<Facet>,
        facets: &Facets<'_>,
        step: &Step,
        recent_ms: i64,
    ) -> &'static str {
        let moved = fired.iter().filter_map(|facet| self.tracks.get(facet)?.moved).max();
        if moved.is_some_and(|moved| millis_between(moved, step.time) <= recent_ms) {
            return "rolling";
        }
        let first = self.first_epoch == Some(step.epoch);
        if first && youngest(facets, step).is_none_or(|age| age <= recent_ms) {
            return "unknown";
        }
        "stalled"
    }

    /// What a stalled mix is: a few ahead, a few behind, or neither.
    fn shape(
        &self,
        facets: &Facets<'_>,
        side: Facet,
        ages: &BTreeMap<SmolStr, i64>,
    ) -> &'static str {
        let counts = facets.counts(side);
        let mut sorted: Vec<(&SmolStr, usize)> = counts.iter().map(|(v, n)| (v, *n)).collect();
        sorted.sort_by_key(|(_, count)| *count);
        let [(minority, few), (majority, many)] = sorted.as_slice() else { return "split" };
        if few == many {
            return "split";
        }
        match self.newer(side, minority, majority, ages) {
            Some(true) => "canary",
            Some(false) => "stalled_rollout",
            None => "split",
        }
    }

    /// Whether one variant is newer than another: by semver, else first seen later, else younger.
    fn newer(
        &self,
        side: Facet,
        one: &str,
        other: &str,
        ages: &BTreeMap<SmolStr, i64>,
    ) -> Option<bool> {
        if let Some((one, other)) = side.comparable(one, other)
            && let Some(direction) = direction(other, one)
        {
            return Some(direction.is_lt());
        }
        let seen = self.tracks.get(&side).map(|track| &track.first_seen);
        let first = |variant: &str| seen.and_then(|seen| seen.get(variant));
        if let (Some(a), Some(b)) = (first(one), first(other))
            && a != b
        {
            return Some(a > b);
        }
        let (a, b) = (ages.get(one)?, ages.get(other)?);
        (a != b).then_some(a < b)
    }

    /// Requests and errors of an instance since the epoch before, if its process is the same.
    pub(super) fn served_since(&self, id: &str, now: (u64, u64)) -> Option<(u64, u64)> {
        let before = self.served.get(id)?;
        Some((now.0.checked_sub(before.0)?, now.1.checked_sub(before.1)?))
    }

    /// Notes that the service is mixed.
    pub(super) fn mixed(&mut self, fired: &BTreeSet<Facet>, step: &Step) {
        self.open_since.get_or_insert(step.time);
        self.fired.extend(fired);
    }

    /// Notes that all agree, from which changes count anew.
    pub(super) fn agreed(&mut self, step: &Step) {
        self.last_ok = Some(step.time);
        self.open_since = None;
        self.certain_since = None;
        self.fired.clear();
        for track in self.tracks.values_mut().filter(|track| !track.settled) {
            track.settled = true;
            track.moved = None;
            track.highest.clone_from(&track.before);
            track.lowest.clone_from(&track.before);
            track.base.clone_from(&track.before);
            track.first_seen.retain(|variant, _| track.before.contains_key(variant));
        }
    }

    /// Keeps the counters for the next epoch.
    pub(super) fn remember(&mut self, facets: &Facets<'_>) {
        self.served = facets
            .service
            .instances
            .iter()
            .filter_map(|(id, instance)| Some((id.clone(), instance.served?)))
            .collect();
    }
}

impl Track {
    /// Whether there are as many of each variant as in the epoch before: then nothing moves.
    fn stands(&self, values: &BTreeMap<SmolStr, Vec<&str>>) -> bool {
        let counts = values.iter().map(|(variant, ids)| (variant, ids.len()));
        self.started && self.before.iter().map(|(variant, count)| (variant, *count)).eq(counts)
    }

    fn take(&mut self, counts: BTreeMap<SmolStr, usize>, time: Timestamp) {
        self.settled = false;
        let first = !std::mem::replace(&mut self.started, true);
        let came = counts.keys().any(|variant| !self.first_seen.contains_key(variant));
        let grew = counts.iter().any(|(variant, count)| {
            let highest = self.highest.get(variant).copied().unwrap_or(0);
            let others = self.before.iter().filter(|(other, _)| *other != variant);
            let mut others =
                others.map(|(other, was)| counts.get(other).copied().unwrap_or(0) < *was);
            *count > highest && others.any(|fell| fell)
        });
        if first {
            self.base.clone_from(&counts);
        } else if came || grew || self.takes_over(&counts) {
            self.moved = Some(time);
        }
        for (variant, lowest) in &mut self.lowest {
            *lowest = (*lowest).min(counts.get(variant).copied().unwrap_or(0));
        }
        for (variant, count) in &counts {
            self.first_seen.entry(variant.clone()).or_insert(time);
            let highest = self.highest.entry(variant.clone()).or_default();
            *highest = (*highest).max(*count);
            self.lowest.entry(variant.clone()).or_insert(*count);
        }
        self.before = counts;
    }

    /// A rollout that adds new instances before it takes old ones away goes on when an old one
    /// goes: a variant falls below its lowest so far, another has grown since all agreed, and there
    /// are still as many instances as then. One that merely crashed leaves fewer.
    fn takes_over(&self, counts: &BTreeMap<SmolStr, usize>) -> bool {
        let enough = counts.values().sum::<usize>() >= self.base.values().sum();
        let grown = |(variant, count): (&SmolStr, &usize)| {
            (*count > self.base.get(variant).copied().unwrap_or(0)).then(|| variant.clone())
        };
        let grown: BTreeSet<SmolStr> = counts.iter().filter_map(grown).collect();
        enough
            && self.lowest.iter().any(|(variant, lowest)| {
                counts.get(variant).copied().unwrap_or(0) < *lowest
                    && grown.iter().any(|other| other != variant)
            })
    }
}

/// Age of the youngest instance in milliseconds, if any age is known.
fn youngest(facets: &Facets<'_>, step: &Step) -> Option<i64> {
    facets.service.instances.values().filter_map(|instance| age(instance, step)).map(|a| a.0).min()
}

/// Age of an instance in milliseconds, and whether it rests on its own word: its connection is a
/// lower bound by the server's clock; without one, the start it tells against the epoch's time.
fn age(instance: &Instance, step: &Step) -> Option<(i64, bool)> {
    let connected = instance.connection.as_ref().and_then(|connection| connection.uptime_ms);
    match connected {
        Some(age) => Some((age, false)),
        None => Some((millis_between(instance.started?, step.time), true)),
    }
}

/// Since when the oldest instance of every variant is certainly there.
fn arrivals(facets: &Facets<'_>, side: Facet, step: &Step) -> Vec<Timestamp> {
    let there = |id: &&str| {
        let instance = facets.service.instances.get(*id)?;
        let connected = instance.connection.as_ref().and_then(|c| c.since(step.time));
        connected.or(instance.started.filter(|started| *started <= step.time))
    };
    let variants = facets.values(side).values();
    variants.filter_map(|ids| ids.iter().filter_map(there).min()).collect()
}

/// The greatest age of every variant.
fn ages(facets: &Facets<'_>, side: Facet, step: &Step) -> (BTreeMap<SmolStr, i64>, bool) {
    let mut by_stats = false;
    let mut all = BTreeMap::new();
    for (variant, ids) in facets.values(side) {
        let ages = ids.iter().filter_map(|id| age(facets.service.instances.get(*id)?, step));
        let oldest = ages.inspect(|(_, own_word)| by_stats |= own_word).map(|(age, _)| age).max();
        if let Some(age) = oldest {
            all.insert(variant.clone(), age);
        }
    }
    (all, by_stats)
}
