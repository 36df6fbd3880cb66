//! Which settings differ between the servers of a cluster that told them, and who is the odd one.

use std::collections::BTreeMap;

use nats_hindsight_model::census::Census;
use nats_hindsight_model::clusters::Cluster;
use nats_hindsight_model::settings::{Comparable, Settings, Stated};
use serde_json::Value;
use smol_str::SmolStr;

use super::{Facts, Told};

/// Settings that a sentence names; the rest is counted.
const MAX_NAMED: usize = 5;

/// A cluster and what its servers say of their settings.
pub(super) struct Skew<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) told: &'a BTreeMap<SmolStr, Told>,
    pub(super) census: &'a Census,
    /// Settings with more than one value, in the order in which they are documented.
    pub(super) differences: Vec<Difference<'a>>,
    /// Ids of servers that answered and did not tell all their settings, with the settings that
    /// cannot be read; those without any VARZ have none.
    pub(super) unseen: BTreeMap<&'a str, Vec<&'a str>>,
}

/// One setting with more than one value.
pub(super) struct Difference<'a> {
    pub(super) of: &'a Comparable,
    /// Values with the ids of their servers, the most frequent first.
    pub(super) groups: Vec<(&'a Value, Vec<&'a str>)>,
}

impl<'a> Skew<'a> {
    pub(super) fn of(cluster: &'a Cluster, facts: &'a Facts) -> Self {
        let mut skew = Self {
            cluster,
            told: &facts.told,
            census: &facts.census,
            differences: Vec::new(),
            unseen: BTreeMap::new(),
        };
        let mut by_setting: BTreeMap<&Comparable, Vec<(&Value, &str)>> = BTreeMap::new();
        for id in &cluster.answered {
            let Some(settings) = skew.settings(id) else {
                skew.unseen.insert(id, Vec::new());
                continue;
            };
            for (of, said) in &settings.stated {
                match said {
                    Stated::Value(value) => by_setting.entry(of).or_default().push((value, id)),
                    Stated::Unreadable => skew.unseen.entry(id).or_default().push(&of.path),
                }
            }
        }
        for (of, said) in by_setting {
            let groups = skew.groups(said);
            if groups.len() > 1 {
                skew.differences.push(Difference { of, groups });
            }
        }
        skew
    }

    /// Servers by value: the most frequent first, among equals the one whose servers come first by
    /// name.
    fn groups(&self, mut said: Vec<(&'a Value, &'a str)>) -> Vec<(&'a Value, Vec<&'a str>)> {
        said.sort_by_key(|(_, id)| (self.name(id), *id));
        let mut groups: Vec<(&Value, Vec<&str>)> = Vec::new();
        for (value, id) in said {
            match groups.iter_mut().find(|(known, _)| *known == value) {
                Some((_, ids)) => ids.push(id),
                None => groups.push((value, vec![id])),
            }
        }
        groups.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
        groups
    }

    /// A sentence for each server whose VARZ holds settings that cannot be read.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = String> {
        let odd = self.unseen.iter().filter(|(_, paths)| !paths.is_empty());
        odd.map(|(id, paths)| {
            let some: Vec<&str> = paths.iter().copied().take(MAX_NAMED).collect();
            let more = match paths.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "VARZ of {} does not tell in a readable way: {}{more}",
                self.name(id),
                some.join(", ")
            )
        })
    }

    pub(super) fn settings(&self, id: &str) -> Option<&'a Settings> {
        self.told.get(id).map(|told| &told.settings)
    }

    pub(super) fn name(&self, id: &'a str) -> &'a str {
        self.census.servers.get(id).map_or(id, |server| server.name.as_str())
    }

    /// Seat of a server, unless two servers hold it at once.
    pub(super) fn seat(&self, id: &str) -> Option<&'a str> {
        let seat = self.cluster.seats.get(id)?;
        let name = self.census.servers.get(id)?.seat().unwrap_or(seat);
        (!self.cluster.shared_seats.contains(name)).then_some(seat)
    }

    /// Who is not of the majority in a setting that has one, with name, id, setting and value; by
    /// name.
    pub(super) fn outliers(&self) -> Vec<(&'a str, &'a str, &'a Comparable, &'a Value)> {
        let mut all = Vec::new();
        for difference in self.differences.iter().filter(|d| d.majority().is_some()) {
            for (value, ids) in difference.groups.iter().skip(1) {
                all.extend(ids.iter().map(|id| (self.name(id), *id, difference.of, *value)));
            }
        }
        all.sort_by_key(|(name, id, of, _)| (*name, *id, *of));
        all
    }
}

impl<'a> Difference<'a> {
    /// The value of more than half of those that state one.
    pub(super) fn majority(&self) -> Option<&'a Value> {
        let all: usize = self.groups.iter().map(|(_, ids)| ids.len()).sum();
        self.groups.first().filter(|(_, ids)| ids.len() * 2 > all).map(|(value, _)| *value)
    }
}
