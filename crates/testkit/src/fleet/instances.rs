//! Instances of services that do not exist, and what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::FleetPlan;
use super::connections::{Heard, Wire};
use super::recorded::{Recorded, unreadable};
use crate::error::Result;

/// The verbs of services and the endpoints they are recorded under.
const VERBS: [(&str, &str); 3] =
    [("PING", "SRV_PING"), ("INFO", "SRV_INFO"), ("STATS", "SRV_STATS")];

/// One instance.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) service: String,
    pub(super) id: String,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Instances {
    all: Vec<Instance>,
    /// Name and id in the recorded bodies.
    recorded: Instance,
    bodies: BTreeMap<String, String>,
}

impl Instances {
    pub(super) fn new(recorded: &Recorded, plan: &FleetPlan) -> Result<Instances> {
        let ping = recorded.instance.get("SRV_PING").map_or("", String::as_str);
        let ping: Value = serde_json::from_str(ping).map_err(unreadable)?;
        let text = |key: &str| ping[key].as_str().unwrap_or_default().to_owned();
        let all = (0..plan.instances).map(|number| Instance {
            service: format!("svc-{:02}", number % plan.services.max(1)),
            id: format!("FLEETINSTANCE{number:09}"),
        });
        Ok(Instances {
            all: all.collect(),
            recorded: Instance { service: text("name"), id: text("id") },
            bodies: recorded.instance.clone(),
        })
    }

    pub(super) fn ids(&self) -> BTreeMap<String, Vec<String>> {
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for instance in &self.all {
            ids.entry(instance.service.clone()).or_default().push(instance.id.clone());
        }
        ids
    }

    /// Every so-manieth instance.
    pub(super) fn part(&self, (part, of): (usize, usize)) -> impl Iterator<Item = &Instance> {
        self.all.iter().skip(part).step_by(of.max(1))
    }

    /// Whether a connection is that of the recorded instance.
    pub(super) fn is_recorded(&self, row: &Value) -> bool {
        row.to_string().contains(&self.recorded.id)
    }

    /// A text about the recorded instance, as one about another.
    pub(super) fn copy(&self, text: &str, instance: &Instance) -> String {
        let text = text.replace(&self.recorded.id, &instance.id);
        text.replace(&self.recorded.service, &instance.service)
    }

    fn body(&self, endpoint: &str, instance: &Instance) -> Option<String> {
        Some(self.copy(self.bodies.get(endpoint)?, instance))
    }
}

/// Answers for a part of the instances over one connection.
pub(super) async fn answer(
    wire: Wire,
    instances: &Arc<Instances>,
    part: (usize, usize),
) -> Result<()> {
    let mut subjects: Vec<String> = Vec::new();
    for (verb, _) in VERBS {
        subjects.push(format!("$SRV.{verb}"));
        for Instance { service, id } in instances.part(part) {
            subjects.push(format!("$SRV.{verb}.{service}"));
            subjects.push(format!("$SRV.{verb}.{service}.{id}"));
        }
    }
    subjects.sort();
    subjects.dedup();
    let instances = Arc::clone(instances);
    wire.serve(subjects, move |wire, heard| say(wire, &instances, part, heard)).await
}

/// What all instances say that a subject is for.
fn say(wire: &Wire, instances: &Instances, part: (usize, usize), heard: &Heard) {
    let mut tokens = heard.subject.split('.').skip(1);
    let verb = tokens.next().unwrap_or_default();
    let (service, id) = (tokens.next(), tokens.next());
    let Some((_, endpoint)) = VERBS.into_iter().find(|(known, _)| *known == verb) else {
        return wire.unknown();
    };
    let wanted = |instance: &&Instance| {
        service.is_none_or(|service| service == instance.service)
            && id.is_none_or(|id| id == instance.id)
    };
    for instance in instances.part(part).filter(wanted) {
        match instances.body(endpoint, instance) {
            Some(body) => wire.answer(&format!("{verb} {}", instance.id), heard, body),
            None => wire.unknown(),
        }
    }
}
