//! In which respects the instances of a service can differ.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::roster::{Instance, Service};
use smol_str::{SmolStr, format_smolstr};

/// One respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Facet {
    /// Version of the application, opaque text.
    AppVersion,
    /// Language of the client, by family.
    Language,
    /// Version of the client library, within one language.
    LibraryVersion,
}

impl Facet {
    pub(super) const ALL: [Self; 3] = [Self::AppVersion, Self::Language, Self::LibraryVersion];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AppVersion => "app_version",
            Self::Language => "language",
            Self::LibraryVersion => "library_version",
        }
    }

    /// Two variants as versions that can be compared, if they are: libraries are within one
    /// language only, languages never.
    pub(super) fn comparable<'a>(self, one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
        match self {
            Self::AppVersion => Some((one, other)),
            Self::Language => None,
            Self::LibraryVersion => {
                let (lang, one) = one.split_once(' ')?;
                let (other_lang, other) = other.split_once(' ')?;
                (lang == other_lang).then_some((one, other))
            }
        }
    }

    /// What one instance shows.
    fn of(self, instance: &Instance) -> Option<SmolStr> {
        let connection = instance.connection.as_ref();
        match self {
            Self::AppVersion => instance.version.clone(),
            Self::Language => connection?.lang.clone(),
            Self::LibraryVersion => {
                let connection = connection?;
                Some(format_smolstr!(
                    "{} {}",
                    connection.lang.as_deref()?,
                    connection.library.as_deref()?
                ))
            }
        }
    }
}

/// The instances of a service that are known to exist, by what they show.
pub(super) struct Facets<'a> {
    pub(super) service: &'a Service,
    values: BTreeMap<Facet, BTreeMap<SmolStr, Vec<&'a str>>>,
}

impl<'a> Facets<'a> {
    pub(super) fn of(service: &'a Service) -> Self {
        let mut values: BTreeMap<Facet, BTreeMap<SmolStr, Vec<&str>>> = BTreeMap::new();
        let connected = service.listed();
        for facet in Facet::ALL {
            let groups = values.entry(facet).or_default();
            // Without a connection nothing but the version shows.
            let instances = service.instances.iter();
            for (id, instance) in instances.filter(|_| connected || facet == Facet::AppVersion) {
                let Some(value) = facet.of(instance) else { continue };
                match groups.get_mut(&value) {
                    Some(ids) => ids.push(id.as_str()),
                    None => drop(groups.insert(value, vec![id.as_str()])),
                }
            }
        }
        Self { service, values }
    }

    /// Ids of the instances by what they show.
    pub(super) fn values(&self, facet: Facet) -> &BTreeMap<SmolStr, Vec<&'a str>> {
        &self.values[&facet]
    }

    /// Facets that differ. Libraries are compared within one language only: two languages have two
    /// libraries, which says nothing new.
    pub(super) fn fired(&self) -> BTreeSet<Facet> {
        let mut fired: BTreeSet<Facet> = [Facet::AppVersion, Facet::Language]
            .into_iter()
            .filter(|facet| self.values(*facet).len() > 1)
            .collect();
        let mut languages = BTreeSet::new();
        let repeats = self
            .values(Facet::LibraryVersion)
            .keys()
            .filter_map(|value| value.split(' ').next())
            .any(|language| !languages.insert(language.to_owned()));
        if repeats {
            fired.insert(Facet::LibraryVersion);
        }
        fired
    }

    /// Whether some instance answered, and all that did told their version.
    pub(super) fn versions_seen(&self) -> bool {
        let mut answered = self.service.instances.values().filter(|i| i.answered).peekable();
        answered.peek().is_some() && answered.all(|instance| instance.version.is_some())
    }

    pub(super) fn seen_on_all(&self, facet: Facet) -> bool {
        let seen: usize = self.values(facet).values().map(Vec::len).sum();
        seen == self.service.instances.len()
    }

    /// Whether an instance that is known to exist answered nothing.
    pub(super) fn somebody_silent(&self) -> bool {
        self.service.instances.values().any(|instance| !instance.answered)
    }

    pub(super) fn nobody_answered(&self) -> bool {
        !self.service.instances.values().any(|instance| instance.answered)
    }

    pub(super) fn silent(&self) -> Vec<&'a str> {
        let silent = self.service.instances.iter().filter(|(_, instance)| !instance.answered);
        silent.map(|(id, _)| id.as_str()).collect()
    }

    pub(super) fn ids(&self) -> BTreeSet<SmolStr> {
        self.service.instances.keys().cloned().collect()
    }

    pub(super) fn counts(&self, facet: Facet) -> BTreeMap<SmolStr, usize> {
        self.values(facet).iter().map(|(value, ids)| (value.clone(), ids.len())).collect()
    }
}
