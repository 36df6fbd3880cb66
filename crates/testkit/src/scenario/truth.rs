//! What is true of a recorded scenario, from what really ran: `expected.json` beside its archives.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Provenance;
use super::provenance::Epoch;

/// What can be true of something in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    ServerVersion,
    ServiceVersion,
    ServiceLanguage,
    ServiceDown,
}

impl Fact {
    const ALL: [Self; 4] =
        [Self::ServerVersion, Self::ServiceVersion, Self::ServiceLanguage, Self::ServiceDown];

    fn name(self) -> &'static str {
        match self {
            Self::ServerVersion => "server_version",
            Self::ServiceVersion => "service_version",
            Self::ServiceLanguage => "service_language",
            Self::ServiceDown => "service_down",
        }
    }

    /// Why it is not true in an epoch.
    fn why_not(self) -> &'static str {
        match self {
            Self::ServerVersion => "the servers of the cluster run one version",
            Self::ServiceVersion => "the instances of the service run one version",
            Self::ServiceLanguage => "the instances of the service are in one language",
            Self::ServiceDown => "the service has an instance, or never had one",
        }
    }
}

/// What a fact is about: a cluster, or a service of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Cluster(String),
    Service(String, String),
}

impl Subject {
    fn tell(&self, mut fact: Value) -> Value {
        match self {
            Self::Cluster(cluster) => fact["cluster"] = json!(cluster),
            Self::Service(account, service) => {
                fact["account"] = json!(account);
                fact["service"] = json!(service);
            }
        }
        fact
    }
}

/// The facts of a scenario. `times` is when each epoch began to be gathered.
///
/// What ran is known here; whether an archive can show it is for whoever holds the two together.
pub(super) fn expected(provenance: &Provenance, times: &[Timestamp]) -> Value {
    let epochs = provenance.epochs.iter().zip(times).enumerate();
    let epochs: Vec<Value> = epochs
        .map(|(number, (epoch, time))| {
            json!({ "epoch": number, "label": epoch.label, "time": format!("{time:.3}") })
        })
        .collect();
    let (mut expected, mut forbidden) = (Vec::new(), Vec::new());
    for fact in Fact::ALL {
        let all = intervals(fact, &provenance.epochs);
        if all.is_empty() {
            forbidden.push(json!({ "fact": fact.name(), "epochs": null, "why": fact.why_not() }));
        }
        for (subject, intervals) in all {
            let bad =
                |epoch: &usize| intervals.iter().any(|(from, to)| (from..to).contains(&epoch));
            let good: Vec<usize> = (0..epochs.len()).filter(|epoch| !bad(epoch)).collect();
            let told = json!({ "fact": fact.name(), "epochs": good, "why": fact.why_not() });
            forbidden.push(subject.tell(told));
            for (opened, closed) in &intervals {
                let closed = (*closed < epochs.len()).then_some(closed);
                let told = json!({ "fact": fact.name(), "opened": opened, "closed": closed });
                expected.push(subject.tell(told));
            }
        }
    }
    json!({
        "scenario": provenance.scenario,
        "doc": provenance.about,
        "epochs": epochs,
        "expected": expected,
        "forbidden": forbidden,
    })
}

/// For each subject of which a fact is ever true, from which epoch to before which.
fn intervals(fact: Fact, epochs: &[Epoch]) -> BTreeMap<Subject, Vec<(usize, usize)>> {
    let mut all: BTreeMap<Subject, Vec<(usize, usize)>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for (number, epoch) in epochs.iter().enumerate() {
        for subject in true_of(fact, epoch, &mut known) {
            let intervals = all.entry(subject).or_default();
            match intervals.last_mut() {
                Some((_, to)) if *to == number => *to += 1,
                _ => intervals.push((number, number + 1)),
            }
        }
    }
    all
}

/// Of whom a fact is true in an epoch. `known` are the services of the epochs before.
fn true_of(fact: Fact, epoch: &Epoch, known: &mut BTreeSet<Subject>) -> BTreeSet<Subject> {
    let of = |run: &super::ServiceRun| Subject::Service(run.account.clone(), run.service.clone());
    let mut sides: BTreeMap<Subject, BTreeSet<&str>> = BTreeMap::new();
    match fact {
        Fact::ServerVersion => {
            for server in epoch.servers.iter().filter(|server| server.state == "running") {
                let Some(cluster) = &server.cluster else { continue };
                let subject = Subject::Cluster(cluster.clone());
                sides.entry(subject).or_default().insert(&server.version);
            }
        }
        Fact::ServiceVersion => {
            for run in &epoch.services {
                sides.entry(of(run)).or_default().insert(&run.version);
            }
        }
        Fact::ServiceLanguage => {
            for run in &epoch.services {
                sides.entry(of(run)).or_default().insert(run.language);
            }
        }
        Fact::ServiceDown => {
            let here: BTreeSet<Subject> = epoch.services.iter().map(of).collect();
            known.extend(here.iter().cloned());
            return known.difference(&here).cloned().collect();
        }
    }
    sides.retain(|_, sides| sides.len() > 1);
    sides.into_keys().collect()
}
