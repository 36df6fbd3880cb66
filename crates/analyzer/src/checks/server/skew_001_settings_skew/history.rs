//! What led to a difference: which servers took up other settings, who left, since when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_model::settings::{Comparable, Settings, Stated};
use serde_json::Value;
use smol_str::SmolStr;

use super::skew::Skew;
use crate::verdict::{Step, lasting_ms, millis_between, mixed_since};

/// Changes count from the last epoch in which all agreed, so that last week's rollout does not
/// explain this week's difference.
#[derive(Default)]
pub(super) struct History {
    first_epoch: Option<usize>,
    stories: BTreeMap<SmolStr, Story>,
    silent_before: BTreeSet<SmolStr>,
    last_ok: Option<Timestamp>,
    open_since: Option<Timestamp>,
    /// From when on what differs certainly did.
    certain_since: Option<Timestamp>,
    /// Who had which value of what differed last, by seat.
    last_differed: Option<BTreeMap<SmolStr, Values>>,
}

type Values = BTreeMap<Comparable, Value>;

/// One seat: what it is set to, and when it took up what changed since the last agreement.
#[derive(Default)]
struct Story {
    values: Values,
    taken_up: BTreeMap<Comparable, Timestamp>,
}

impl History {
    /// Takes the servers that told their settings.
    pub(super) fn observe(&mut self, skew: &Skew<'_>, step: &Step) {
        self.first_epoch.get_or_insert(step.epoch);
        let cluster = skew.cluster;
        self.stories.retain(|seat, _| {
            let held = cluster.seats.values().any(|held| held == seat);
            let known = cluster.silent.contains_key(seat) || cluster.departed.contains_key(seat);
            (held || known) && !cluster.shared_seats.contains(seat)
        });
        for id in &cluster.answered {
            let (Some(seat), Some(settings)) = (skew.seat(id), skew.settings(id)) else { continue };
            // The moment on the collector's clock, which is the one that epochs are told by.
            let age = SignedDuration::from_millis(settings.age_ms().unwrap_or(0));
            let loaded = step.time.checked_sub(age).unwrap_or(step.time);
            let story = self.stories.entry(seat.into()).or_default();
            for (of, said) in &settings.stated {
                let Stated::Value(value) = said else { continue };
                let before = story.values.insert(of.clone(), value.clone());
                if before.is_some_and(|before| before != *value) {
                    story.taken_up.insert(of.clone(), loaded);
                }
            }
            story.values.retain(|of, _| settings.stated.contains_key(of));
            story.taken_up.retain(|of, _| settings.stated.contains_key(of));
        }
        self.silent_before.retain(|seat| !cluster.seats.values().any(|held| held == seat));
        self.silent_before.extend(cluster.silent.keys().cloned());
    }

    /// `rolling` while a server took up what it differs in, or what others differ in from it,
    /// within `recent`; `unknown` where the recording began too late to tell; else `standing`.
    pub(super) fn stage(&self, skew: &Skew<'_>, step: &Step, recent_ms: i64) -> &'static str {
        let fresh = |since: &Timestamp| millis_between(*since, step.time) <= recent_ms;
        let rolling = self.stories.values().any(|story| {
            let mut differing = skew.differences.iter();
            differing.any(|difference| story.taken_up.get(difference.of).is_some_and(fresh))
        });
        if rolling {
            return "rolling";
        }
        let mut involved = skew
            .differences
            .iter()
            .flat_map(|difference| difference.groups.iter().flat_map(|(_, ids)| ids));
        let in_doubt = self.first_epoch == Some(step.epoch)
            && involved.any(|id| {
                let age_ms = skew.settings(id).and_then(Settings::age_ms);
                age_ms.is_none_or(|age| age <= recent_ms)
            });
        if in_doubt { "unknown" } else { "standing" }
    }

    /// How long some setting has certainly differed.
    pub(super) fn at_least_ms(&mut self, skew: &Skew<'_>, step: &Step) -> i64 {
        let loaded = |id: &&str| {
            let age_ms = skew.settings(id)?.age_ms()?;
            skew.census.servers.get(id)?.ago(step.time, age_ms)
        };
        let last_ok = self.last_ok;
        let each = skew.differences.iter().map(|difference| {
            let groups = difference.groups.iter();
            let oldest = groups.filter_map(|(_, ids)| ids.iter().filter_map(loaded).min());
            mixed_since(oldest.collect(), last_ok, step.time)
        });
        let since = each.min().unwrap_or(step.time);
        millis_between(*self.certain_since.get_or_insert(since), step.time)
    }

    /// How long some setting has differed, as far as ages tell.
    pub(super) fn lasting_ms(&self, skew: &Skew<'_>, step: &Step) -> Option<i64> {
        let ages = |ids: &[&str]| ids.iter().filter_map(|id| skew.settings(id)?.age_ms()).max();
        let each = skew.differences.iter().map(|difference| {
            let ages = difference.groups.iter().filter_map(|(_, ids)| ages(ids)).collect();
            lasting_ms(ages, self.last_ok, self.open_since, step.time)
        });
        each.max().flatten()
    }

    /// Notes what differs.
    pub(super) fn differed(&mut self, skew: &Skew<'_>, step: &Step) {
        self.open_since.get_or_insert(step.time);
        let mut by_seat: BTreeMap<SmolStr, Values> = BTreeMap::new();
        for difference in &skew.differences {
            for (value, ids) in &difference.groups {
                for seat in ids.iter().filter_map(|id| skew.cluster.seats.get(*id)) {
                    let values = by_seat.entry(seat.clone()).or_default();
                    values.insert(difference.of.clone(), (*value).clone());
                }
            }
        }
        self.last_differed = Some(by_seat);
    }

    /// Why a difference is over although nobody who is left changed what differed.
    pub(super) fn over(&self, skew: &Skew<'_>) -> Option<String> {
        let last = self.last_differed.as_ref()?;
        let mut gone: Vec<&SmolStr> = Vec::new();
        for (seat, values) in last {
            let held = skew.cluster.seats.values().any(|held| held == seat);
            let Some(story) = self.stories.get(seat).filter(|_| held) else {
                gone.push(seat);
                continue;
            };
            let changed = |(of, value)| story.values.get(of).is_some_and(|now| now != value);
            if values.iter().any(changed) {
                return None;
            }
        }
        if gone.is_empty() {
            let because = "what differed is compared no more: another release runs, or a part of a \
                           server is off";
            return Some(because.to_owned());
        }
        let (cut, left): (Vec<&SmolStr>, Vec<&SmolStr>) =
            gone.into_iter().partition(|seat| self.silent_before.contains(*seat));
        let told = [("cut off: ", cut), ("left or cut off: ", left)];
        let parts: Vec<String> = told
            .iter()
            .filter(|(_, seats)| !seats.is_empty())
            .map(|(how, seats)| format!("{how}{}", names(seats)))
            .collect();
        Some(parts.join("; "))
    }

    /// Notes that all agree, from which changes count anew.
    pub(super) fn agreed(&mut self, step: &Step) {
        self.last_ok = Some(step.time);
        self.open_since = None;
        self.certain_since = None;
        self.last_differed = None;
        self.silent_before.clear();
        for story in self.stories.values_mut() {
            story.taken_up.clear();
        }
    }
}

fn names(seats: &[&SmolStr]) -> String {
    seats.iter().map(|seat| seat.as_str()).collect::<Vec<_>>().join(", ")
}
