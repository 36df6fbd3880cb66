//! What led to a mix of versions: which seats changed, who joined, who left, since when.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nats_hindsight_model::census::Server;
use nats_hindsight_model::version::direction;
use smol_str::SmolStr;

use super::Mix;
use crate::verdict::{Step, lasting_ms, millis_between, mixed_since};

/// Changes count from the last epoch in which all agreed, so that last week's rollback does not
/// explain this week's mix; only the memory of which versions ran before reaches further back.
#[derive(Default)]
pub(super) struct History {
    started: bool,
    first_epoch: Option<usize>,
    stories: BTreeMap<SmolStr, Story>,
    ever: BTreeMap<SmolStr, BTreeSet<SmolStr>>,
    majorities: BTreeSet<SmolStr>,
    complete: Option<BTreeSet<SmolStr>>,
    previous: BTreeMap<SmolStr, SmolStr>,
    silent_before: BTreeSet<SmolStr>,
    went: Went,
    last_ok: Option<Timestamp>,
    open_since: Option<Timestamp>,
    /// From when on the open mix certainly stood.
    certain_since: Option<Timestamp>,
    last_mix: Option<BTreeMap<SmolStr, SmolStr>>,
}

/// What changed since the last agreement.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each asked for alone")]
struct Went {
    up: bool,
    back: bool,
    any: bool,
    replaced_upward: bool,
}

/// One seat since the last agreement.
struct Story {
    present: SmolStr,
    changed: bool,
    appeared: bool,
    first_process: SmolStr,
    first_start: Option<Timestamp>,
}

/// What a mix looks like in the light of its history.
pub(super) struct Found {
    pub(super) stage: &'static str,
    pub(super) cause: &'static str,
}

impl History {
    /// Takes the servers that answered.
    pub(super) fn observe(&mut self, mix: &Mix<'_>, step: &Step) {
        let first = !std::mem::replace(&mut self.started, true);
        if first {
            self.first_epoch = Some(step.epoch);
        }
        for seat in &mix.cluster.shared_seats {
            self.stories.remove(seat);
        }
        let mut now: Vec<(&SmolStr, &SmolStr)> = Vec::new();
        for (id, seat) in &mix.cluster.seats {
            let Some(server) = mix.census.servers.get(id) else { continue };
            let (Some(seat), Some(version)) = (mix.own(seat, server), &server.version) else {
                continue;
            };
            now.push((seat, &version.value));
            let appeared = !first && mix.cluster.newcomers.contains(seat);
            self.tell(server, seat, &version.value, appeared);
        }
        if !self.stands(&now) {
            self.take(mix, &now);
        }
        let majority = mix.majority().filter(|majority| !self.majorities.contains(*majority));
        self.majorities.extend(majority.map(SmolStr::new));
        let certain = mix.cluster.silent.is_empty() && mix.cluster.membership_known;
        if self.complete.is_none() && certain {
            self.complete = Some(mix.cluster.seats.values().cloned().collect());
        }
        self.silent_before.retain(|seat| !self.previous.contains_key(seat));
        self.silent_before.extend(mix.cluster.silent.keys().cloned());
    }

    /// Whether these are the seats and versions of the epoch before, which is so in most.
    fn stands(&self, now: &[(&SmolStr, &SmolStr)]) -> bool {
        now.len() == self.previous.len()
            && now.iter().all(|(seat, version)| self.previous.get(*seat) == Some(*version))
    }

    /// Takes seats and versions that are not those of the epoch before.
    fn take(&mut self, mix: &Mix<'_>, now: &[(&SmolStr, &SmolStr)]) {
        let now: BTreeMap<SmolStr, SmolStr> =
            now.iter().map(|(seat, version)| ((*seat).clone(), (*version).clone())).collect();
        self.note_replacement(mix, &now);
        let changed = |seat: &SmolStr, version: &SmolStr| self.previous.get(seat) != Some(version);
        for (seat, version) in now.iter().filter(|(seat, version)| changed(seat, version)) {
            self.ever.entry(seat.clone()).or_default().insert(version.clone());
        }
        self.previous = now;
    }

    fn tell(&mut self, server: &Server, seat: &SmolStr, version: &SmolStr, appeared: bool) {
        let Some(story) = self.stories.get_mut(seat) else {
            let story = Story {
                present: version.clone(),
                changed: false,
                appeared,
                first_process: server.id.clone(),
                first_start: server.start,
            };
            self.stories.insert(seat.clone(), story);
            return;
        };
        if story.present != *version {
            let before = self.ever.get(seat).is_some_and(|ever| ever.contains(version));
            match direction(&story.present, version) {
                Some(Ordering::Less) => self.went.up = true,
                Some(Ordering::Greater) => {
                    self.went.back |= before || self.majorities.contains(version);
                }
                _ => {}
            }
            self.went.any = true;
            story.present = version.clone();
            story.changed = true;
            story.first_process = server.id.clone();
            story.first_start = server.start;
        } else if story.first_start.is_none() && story.first_process == server.id {
            story.first_start = server.start;
        }
    }

    /// A newcomer on a newer version while a member on an older one left, between the same two
    /// epochs, is that member's replacement.
    fn note_replacement(&mut self, mix: &Mix<'_>, now: &BTreeMap<SmolStr, SmolStr>) {
        let left: Vec<&SmolStr> = self
            .previous
            .iter()
            .filter(|(seat, _)| {
                !now.contains_key(*seat) && mix.cluster.departed.contains_key(*seat)
            })
            .map(|(_, version)| version)
            .collect();
        let replaced = now
            .iter()
            .filter(|(seat, _)| mix.cluster.newcomers.contains(*seat))
            .any(|(_, new)| left.iter().any(|old| direction(old, new) == Some(Ordering::Less)));
        self.went.replaced_upward |= replaced;
    }

    /// Stage and cause of a mix.
    pub(super) fn classify(&self, mix: &Mix<'_>, step: &Step, recent_ms: i64) -> Found {
        let stage = self.stage(mix, step, recent_ms);
        let cause = if stage == "unknown" { "undetermined" } else { self.cause(mix, recent_ms) };
        Found { stage, cause }
    }

    fn stage(&self, mix: &Mix<'_>, step: &Step, recent_ms: i64) -> &'static str {
        let oldest = mix.oldest();
        let mut doubt = false;
        for id in &mix.cluster.answered {
            let Some(story) = mix.seat(id).and_then(|seat| self.stories.get(seat)) else {
                continue;
            };
            let newer = oldest.is_some_and(|oldest| story.present != oldest);
            let took_up = story.changed || (story.appeared && newer);
            if !took_up {
                continue;
            }
            let now = mix.census.servers.get(id).and_then(|server| server.now);
            match story.first_start {
                Some(start) if millis_between(start, now.unwrap_or(step.time)) <= recent_ms => {
                    return "rolling";
                }
                Some(_) => {}
                None => doubt = true,
            }
        }
        if self.first_epoch == Some(step.epoch) {
            doubt |= mix
                .versions
                .iter()
                .filter(|(version, _)| Some(**version) != oldest)
                .flat_map(|(_, ids)| ids)
                .any(|id| mix.age_ms(id).is_none_or(|age| age < recent_ms));
        }
        if doubt { "unknown" } else { "stalled" }
    }

    fn cause(&self, mix: &Mix<'_>, recent_ms: i64) -> &'static str {
        if self.went.back {
            "rollback"
        } else if self.went.up || self.went.replaced_upward {
            "upgrade"
        } else if !self.went.any && self.joined(mix) {
            "joined"
        } else if !self.went.any && forgotten(mix, recent_ms) {
            "forgotten"
        } else {
            "undetermined"
        }
    }

    /// Whether the odd side is made of servers that were not there at the first complete epoch.
    fn joined(&self, mix: &Mix<'_>) -> bool {
        let Some(complete) = &self.complete else { return false };
        let absent =
            |id: &str| mix.cluster.seats.get(id).is_some_and(|seat| !complete.contains(seat));
        if mix.majority().is_some() {
            let outliers = mix.outliers();
            return !outliers.is_empty() && outliers.into_iter().all(absent);
        }
        mix.versions.values().any(|ids| ids.iter().all(|id| absent(id)))
    }

    /// How long the mix has certainly lasted.
    pub(super) fn at_least_ms(&mut self, mix: &Mix<'_>, step: &Step) -> i64 {
        let born = |id: &&str| mix.census.servers.get(id)?.born(step.time);
        let oldest = || mix.versions.values().filter_map(|ids| ids.iter().filter_map(born).min());
        let last_ok = self.last_ok;
        let since = || mixed_since(oldest().collect(), last_ok, step.time);
        millis_between(*self.certain_since.get_or_insert_with(since), step.time)
    }

    /// How long the mix has lasted, as far as ages tell.
    pub(super) fn lasting_ms(&self, mix: &Mix<'_>, step: &Step) -> Option<i64> {
        let oldest = mix
            .versions
            .values()
            .filter_map(|ids| ids.iter().filter_map(|id| mix.age_ms(id)).max())
            .collect();
        lasting_ms(oldest, self.last_ok, self.open_since, step.time)
    }

    /// Notes that the cluster is mixed.
    pub(super) fn mixed(&mut self, step: &Step) {
        self.open_since.get_or_insert(step.time);
        self.last_mix = Some(self.previous.clone());
    }

    /// Whether a mix is over only because servers vanished: nobody who is left changed version,
    /// and nobody took the place of those who went.
    pub(super) fn vanished(&self, mix: &Mix<'_>) -> Option<String> {
        let last = self.last_mix.as_ref()?;
        let changed = self
            .previous
            .iter()
            .any(|(seat, version)| last.get(seat).is_some_and(|before| before != version));
        let replaced = mix.cluster.newcomers.iter().any(|seat| self.previous.contains_key(seat));
        if changed || (replaced && self.went.replaced_upward) {
            return None;
        }
        let gone: Vec<&SmolStr> =
            last.keys().filter(|seat| !self.previous.contains_key(*seat)).collect();
        if gone.is_empty() {
            return None;
        }
        let (cut, left): (Vec<&SmolStr>, Vec<&SmolStr>) =
            gone.into_iter().partition(|seat| self.silent_before.contains(*seat));
        let mut parts = Vec::new();
        if !cut.is_empty() {
            parts.push(format!("cut off: {}", names(&cut)));
        }
        if !left.is_empty() {
            parts.push(format!("left or cut off: {}", names(&left)));
        }
        Some(parts.join("; "))
    }

    /// Notes that all agree, from which changes count anew.
    pub(super) fn agreed(&mut self, mix: &Mix<'_>, step: &Step) {
        self.last_ok = Some(step.time);
        self.open_since = None;
        self.certain_since = None;
        self.last_mix = None;
        self.went = Went::default();
        self.silent_before.clear();
        let seats = &mix.cluster.seats;
        let same = |complete: &BTreeSet<SmolStr>| {
            complete.len() == seats.len() && seats.values().all(|seat| complete.contains(seat))
        };
        if !self.complete.as_ref().is_some_and(same) {
            self.complete = Some(seats.values().cloned().collect());
        }
        // Seats that are away keep their story: one that comes back on another version changed it.
        for story in self.stories.values_mut() {
            story.changed = false;
            story.appeared = false;
        }
    }
}

/// There is a majority, and everybody else is older, in version and by far in age.
fn forgotten(mix: &Mix<'_>, recent_ms: i64) -> bool {
    let Some(majority) = mix.majority() else { return false };
    let ages = |ids: &[&str]| -> Option<Vec<i64>> { ids.iter().map(|id| mix.age_ms(id)).collect() };
    let Some(newest) = mix.versions.get(majority).and_then(|ids| ages(ids)) else { return false };
    let outliers = mix.outliers();
    let older = outliers
        .iter()
        .filter_map(|id| mix.version(id))
        .all(|version| direction(version, majority) == Some(Ordering::Less));
    let Some(odd) = ages(&outliers) else { return false };
    older && odd.iter().min() >= newest.iter().max().map(|age| age + recent_ms).as_ref()
}

fn names(seats: &[&SmolStr]) -> String {
    seats.iter().map(|seat| seat.as_str()).collect::<Vec<_>>().join(", ")
}
