//! What instances announce, and in what those at one version differ.
//!
//! Only what an instance announces can differ: a queue group or a subject that a library leaves
//! out is not another one. Metadata is compared by its keys: values (a host, a zone) are an
//! instance's own, and unset metadata is `{}`, `null` or missing by library.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::epoch::ServedEndpoint;
use nats_hindsight_model::roster::{Instance, Service};
use serde_json::{Value, json};
use smol_str::SmolStr;

/// In which respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Some share the requests of a subject in another queue group, or in none.
    QueueGroup,
    /// Some serve an endpoint under another subject.
    Subject,
    /// Some do not have an endpoint.
    Endpoint,
    /// The metadata of the instance or of an endpoint has other keys.
    MetadataKeys,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::QueueGroup => "queue_group",
            Self::Subject => "subject",
            Self::Endpoint => "endpoint",
            Self::MetadataKeys => "metadata_keys",
        }
    }
}

/// What an instance announces in one respect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Announced {
    /// Whether it has the endpoint.
    There(bool),
    /// A subject.
    Subject(SmolStr),
    /// Queue groups of its endpoints on a subject; an empty name where the group is switched off.
    Groups(BTreeSet<SmolStr>),
    /// Keys of metadata.
    Keys(BTreeSet<SmolStr>),
}

impl Announced {
    /// As the report has it: a text, or a list of texts.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::There(_) | Self::Subject(_) => json!(self.words()),
            Self::Groups(groups) if groups.len() == 1 => json!(groups.first()),
            Self::Groups(texts) | Self::Keys(texts) => json!(texts),
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let group =
            |name: &SmolStr| if name.is_empty() { "none".to_owned() } else { name.to_string() };
        match self {
            Self::There(true) => "with".to_owned(),
            Self::There(false) => "without".to_owned(),
            Self::Subject(subject) => subject.to_string(),
            Self::Groups(groups) => groups.iter().map(group).collect::<Vec<_>>().join(" and "),
            Self::Keys(keys) if keys.is_empty() => "none".to_owned(),
            Self::Keys(keys) => keys.iter().cloned().collect::<Vec<_>>().join("+"),
        }
    }
}

/// One respect in which instances at one version differ.
pub(super) struct Difference<'a> {
    pub(super) version: &'a str,
    pub(super) kind: Kind,
    /// Name of the endpoint; none where it is about the instance itself.
    pub(super) endpoint: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
    /// Ids by what they announce; two or more.
    pub(super) sides: BTreeMap<Announced, Vec<&'a str>>,
}

impl<'a> Difference<'a> {
    /// What more than half announce.
    pub(super) fn majority(&self) -> Option<&Announced> {
        let all: usize = self.sides.values().map(Vec::len).sum();
        self.sides.iter().find(|(_, ids)| ids.len() * 2 > all).map(|(announced, _)| announced)
    }

    /// Instances that are not with the majority; all where there is none.
    pub(super) fn odd(&self) -> impl Iterator<Item = &'a str> + '_ {
        let majority = self.majority();
        let odd = self.sides.iter().filter(move |(side, _)| Some(*side) != majority);
        odd.flat_map(|(_, ids)| ids.iter().copied())
    }

    /// How often each request is served: once by every queue group, and once by every instance
    /// without one.
    pub(super) fn times_served(&self) -> Option<usize> {
        if self.kind != Kind::QueueGroup {
            return None;
        }
        let mut groups = BTreeSet::new();
        let mut alone = 0;
        for (announced, ids) in &self.sides {
            let Announced::Groups(names) = announced else { continue };
            groups.extend(names.iter().filter(|name| !name.is_empty()));
            alone += if names.contains("") { ids.len() } else { 0 };
        }
        Some(groups.len() + alone)
    }

    /// Instances without the endpoint, which may still announce it.
    pub(super) fn lacking(&self) -> Option<&[&'a str]> {
        (self.kind == Kind::Endpoint)
            .then(|| self.sides.get(&Announced::There(false)).map_or(&[][..], Vec::as_slice))
    }
}

type Member<'a> = (&'a str, &'a Instance, &'a [ServedEndpoint]);

/// The instances of a service, by what is known of their contract.
pub(super) struct Contracts<'a> {
    by_version: BTreeMap<&'a str, Vec<Member<'a>>>,
    /// Instances that are known to exist and answered nothing.
    pub(super) silent: Vec<&'a str>,
    /// Instances that answered, but no INFO that can be read.
    pub(super) untold: Vec<&'a str>,
    /// Instances that tell their contract, but not their version.
    pub(super) unversioned: Vec<&'a str>,
}

impl<'a> Contracts<'a> {
    pub(super) fn of(service: &'a Service) -> Self {
        let mut all = Self {
            by_version: BTreeMap::new(),
            silent: Vec::new(),
            untold: Vec::new(),
            unversioned: Vec::new(),
        };
        for (id, instance) in &service.instances {
            match (&instance.announces, &instance.version) {
                (Some(endpoints), Some(version)) => {
                    all.by_version.entry(version).or_default().push((id, instance, endpoints));
                }
                (Some(_), None) => all.unversioned.push(id),
                (None, _) if instance.answered => all.untold.push(id),
                (None, _) => all.silent.push(id),
            }
        }
        all
    }

    /// Whether any instance told its contract.
    pub(super) fn any(&self) -> bool {
        !self.by_version.is_empty() || !self.unversioned.is_empty()
    }

    /// Whether an instance leaves out the queue group of an endpoint.
    pub(super) fn groups_unseen(&self) -> bool {
        let mut endpoints = self.by_version.values().flatten().flat_map(|(_, _, all)| *all);
        endpoints.any(|endpoint| endpoint.queue_group.is_none())
    }

    /// Whether the metadata of an instance or an endpoint cannot be read.
    pub(super) fn metadata_unseen(&self) -> bool {
        self.by_version.values().flatten().any(|(_, instance, endpoints)| {
            instance.announced_metadata.is_none()
                || endpoints.iter().any(|e| e.metadata_keys.is_none())
        })
    }

    /// What differs within one version, the worst kind first.
    pub(super) fn differences(&self) -> Vec<Difference<'a>> {
        let mut all = Vec::new();
        for (version, members) in self.by_version.iter().filter(|(_, all)| all.len() > 1) {
            by_group(version, members, &mut all);
            by_endpoint(version, members, &mut all);
            by_metadata(version, members, &mut all);
        }
        all.sort_by_key(|difference| (difference.kind, difference.version, difference.endpoint));
        all
    }
}

/// Adds a difference if what was announced is not the same everywhere.
fn add<'a>(
    difference: Difference<'a>,
    announced: impl Iterator<Item = (Announced, &'a str)>,
    all: &mut Vec<Difference<'a>>,
) {
    let mut difference = difference;
    for (announced, id) in announced {
        difference.sides.entry(announced).or_default().push(id);
    }
    if difference.sides.len() > 1 {
        all.push(difference);
    }
}

fn blank(version: &str, kind: Kind) -> Difference<'_> {
    Difference { version, kind, endpoint: None, subject: None, sides: BTreeMap::new() }
}

/// Queue groups by subject: two groups on one subject both get every request.
fn by_group<'a>(version: &'a str, members: &[Member<'a>], all: &mut Vec<Difference<'a>>) {
    let mut subjects: BTreeMap<&'a str, &'a str> = BTreeMap::new();
    for endpoint in members.iter().flat_map(|(_, _, endpoints)| *endpoints) {
        if !endpoint.subject.is_empty() {
            subjects.entry(&endpoint.subject).or_insert(&endpoint.name);
        }
    }
    for (subject, name) in subjects {
        let announced = members.iter().filter_map(|(id, _, endpoints)| {
            let here = endpoints.iter().filter(|endpoint| endpoint.subject == subject);
            let groups: Option<BTreeSet<SmolStr>> = here.map(|e| e.queue_group.clone()).collect();
            let groups = groups.filter(|groups| !groups.is_empty())?;
            Some((Announced::Groups(groups), *id))
        });
        let blank = blank(version, Kind::QueueGroup);
        add(Difference { endpoint: Some(name), subject: Some(subject), ..blank }, announced, all);
    }
}

/// Subjects an instance serves under one name of an endpoint.
fn subjects_of<'a>(endpoints: &'a [ServedEndpoint], name: &str) -> Vec<&'a str> {
    let named = endpoints.iter().filter(|endpoint| endpoint.name == name);
    named.map(|endpoint| endpoint.subject.as_str()).filter(|s| !s.is_empty()).collect()
}

/// Endpoints by name. Where each has the name once, it is the subject that differs; two endpoints
/// of one name are told apart by their subjects.
fn by_endpoint<'a>(version: &'a str, members: &[Member<'a>], all: &mut Vec<Difference<'a>>) {
    let endpoints = members.iter().flat_map(|(_, _, endpoints)| *endpoints);
    let names: BTreeSet<&'a str> = endpoints.map(|endpoint| endpoint.name.as_str()).collect();
    for name in names {
        let served: Vec<(&'a str, Vec<&'a str>)> =
            members.iter().map(|(id, _, endpoints)| (*id, subjects_of(endpoints, name))).collect();
        let has = |(_, _, endpoints): &Member<'_>| endpoints.iter().any(|e| e.name == name);
        if members.iter().all(has) && served.iter().all(|(_, subjects)| subjects.len() <= 1) {
            let told = served.iter().filter_map(|(id, subjects)| {
                Some((Announced::Subject((*subjects.first()?).into()), *id))
            });
            let blank = blank(version, Kind::Subject);
            add(Difference { endpoint: Some(name), ..blank }, told, all);
            continue;
        }
        let subjects: BTreeSet<&'a str> = served.iter().flat_map(|(_, s)| s).copied().collect();
        for subject in subjects {
            let there = served.iter().map(|(id, s)| (Announced::There(s.contains(&subject)), *id));
            let blank = blank(version, Kind::Endpoint);
            add(Difference { endpoint: Some(name), subject: Some(subject), ..blank }, there, all);
        }
    }
}

/// Keys of the metadata of instances, and of endpoints that several have.
fn by_metadata<'a>(version: &'a str, members: &[Member<'a>], all: &mut Vec<Difference<'a>>) {
    let keys = members.iter().filter_map(|(id, instance, _)| {
        let metadata = instance.announced_metadata.as_deref()?;
        Some((Announced::Keys(metadata.keys().map(SmolStr::new).collect()), *id))
    });
    add(blank(version, Kind::MetadataKeys), keys, all);
    let endpoints = members.iter().flat_map(|(_, _, endpoints)| *endpoints);
    let named: BTreeSet<(&'a str, &'a str)> =
        endpoints.map(|endpoint| (endpoint.name.as_str(), endpoint.subject.as_str())).collect();
    for (name, subject) in named {
        let keys = members.iter().filter_map(|(id, _, endpoints)| {
            let same = |e: &&ServedEndpoint| e.name == name && e.subject == subject;
            let endpoint = endpoints.iter().find(same)?;
            Some((Announced::Keys(endpoint.metadata_keys.clone()?), *id))
        });
        let blank = blank(version, Kind::MetadataKeys);
        add(Difference { endpoint: Some(name), subject: Some(subject), ..blank }, keys, all);
    }
}
