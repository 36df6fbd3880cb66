//! What the finding says.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::services::{
    Absence, Holder, LastGood, LastInstance, Seen, ServiceFacts, Zero,
};
use nats_hindsight_snapshot::Endpoint;
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::ends::{self, End};
use crate::report::Severity;
use crate::report::rfc3339;
use crate::verdict::{Face, Fact, Step, millis_between};

/// Most instances listed; the rest is counted.
const MAX_LISTED: usize = 50;

/// Services that went together.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Group {
    pub(super) services: Vec<String>,
    pub(super) cause: &'static str,
}

/// Everything a finding is made of.
pub(super) struct Outage<'a> {
    pub(super) seen: &'a Seen,
    pub(super) zero: &'a Zero,
    pub(super) before: &'a LastGood,
    pub(super) group: Option<Group>,
    pub(super) replaced_by: Option<SmolStr>,
    pub(super) nats_healthy: bool,
    pub(super) facts: &'a ServiceFacts,
    pub(super) step: &'a Step,
}

impl Outage<'_> {
    pub(super) fn face(&self, long_gone_ms: i64) -> Face {
        let gone_ms = self.before.time.map_or(0, |time| millis_between(time, self.step.time));
        let severity = if gone_ms > long_gone_ms { Severity::Info } else { Severity::Critical };
        Face {
            severity,
            summary: self.summary(),
            face: BTreeMap::from([("kind", self.zero.kind.as_str().into())]),
            details: self.details(),
            evidence: self.evidence(),
            members: BTreeSet::new(),
        }
    }

    fn through(&self) -> Option<&str> {
        let id = self.zero.asked_through.as_ref()?;
        Some(self.facts.census.servers.get(id).map_or(id.as_str(), |server| &server.name))
    }

    fn summary(&self) -> String {
        let had = match self.before.instances.len() {
            0 => "instances before".to_owned(),
            1 => "1 instance before".to_owned(),
            count => format!("{count} instances before"),
        };
        let what = match self.zero.kind {
            Absence::Silent => "connected but not answering".to_owned(),
            Absence::CutOff => format!(
                "unreachable with {} (hung, killed or separated); it may live on the other side",
                if self.zero.cut_off_with.is_empty() {
                    "its server".to_owned()
                } else {
                    self.zero.cut_off_with.join(", ")
                }
            ),
            Absence::Gone if self.zero.by_sweep => {
                "no connection lists it any more, by one sweep of connections".to_owned()
            }
            Absence::Gone => match self.through() {
                Some(server) => format!("nobody subscribes, asked through {server}"),
                None => "nobody subscribes".to_owned(),
            },
        };
        let doubt = if self.zero.servers_unknown && self.zero.kind == Absence::Gone {
            "; its servers were never seen, so it may also be cut off"
        } else {
            ""
        };
        let heir = self
            .replaced_by
            .as_ref()
            .map_or_else(String::new, |heir| format!("; {heir} serves its subjects now"));
        let why = ends::clause(&self.why()).map_or_else(String::new, |why| format!("; {why}"));
        format!("{what} ({had}){why}{doubt}{heir}")
    }

    fn last_instances(&self) -> Vec<Value> {
        let instances = self.before.instances.iter().take(MAX_LISTED);
        let row = |(id, last): (&SmolStr, &LastInstance)| {
            json!({
                "id": id,
                "version": last.version,
                "connection": last.connection,
                "server": last.server.as_ref().map(|id| self.server_name(id)),
                "age_s": last.age_ms.map(|ms| ms / 1000),
            })
        };
        instances.map(row).collect()
    }

    fn details(&self) -> Value {
        json!({
            "kind": self.zero.kind.as_str(),
            "asked_through": self.through(),
            "last_good": self.before.time.map(rfc3339),
            "instances_before": self.before.instances.len(),
            "last_instances": self.last_instances(),
            "servers": self.before.holders.values().map(|h| &h.name).collect::<BTreeSet<_>>(),
            "cut_off_with": self.zero.cut_off_with,
            "last_requests": self.before.served.map(|(requests, errors)| json!({
                "requests": requests,
                "errors": errors,
                "error_rate": rate(requests, errors),
            })),
            "stops": self.ends().iter().map(|end| json!({
                "id": end.id,
                "time": end.at.map(rfc3339),
                "server": self.server_name(end.server),
                "reason": end.reason,
                "connection": end.connection,
                "told_by": end.told_by,
            })).collect::<Vec<_>>(),
            "why": self.why(),
            "single_instance": self.before.instances.len() == 1,
            "new_instances": self.before.new_instances,
            "nats_healthy": self.nats_healthy,
            "group": self.group,
            "replaced_by": self.replaced_by,
            "proof": self.proof(),
            "effect": "requests are not queued: callers get no responders or time-outs, and \
                       nothing waits for its return",
        })
    }

    /// Why its last connections ended; nothing while they stand.
    fn why(&self) -> Vec<&'static str> {
        if self.zero.kind == Absence::Silent { Vec::new() } else { ends::why(&self.ends()) }
    }

    fn server_name(&self, id: &str) -> SmolStr {
        let told = self.facts.census.servers.get(id).map(|server| server.name.clone());
        told.or_else(|| self.before.holders.get(id).map(|holder: &Holder| holder.name.clone()))
            .unwrap_or_else(|| id.into())
    }

    fn ends(&self) -> Vec<End<'_>> {
        ends::of(self.before, self.facts, MAX_LISTED)
    }

    /// Whether it is known of any last connection how it ended, or it has not ended.
    pub(super) fn tells_ends(&self) -> bool {
        self.zero.kind == Absence::Silent || !self.ends().is_empty()
    }

    fn proof(&self) -> &'static str {
        match (self.zero.kind, self.zero.by_sweep, self.zero.servers_unknown) {
            (Absence::Silent, _, _) => "asked by name without an answer; connections list it",
            (_, true, _) => "complete connections of every server do not list it any more",
            (_, _, true) => {
                "no responders twice, asked by name; its servers were never seen, so gone cannot \
                 be told from cut off"
            }
            _ => "no responders twice, asked by name",
        }
    }

    fn evidence(&self) -> Vec<Fact> {
        let service = self.facts.roster.services.get(&self.seen.key);
        let through = self.through().unwrap_or("").to_owned();
        let mut facts: Vec<Fact> = service
            .into_iter()
            .flat_map(|service| &service.asks)
            .map(|ask| {
                Fact::new(
                    "answer",
                    format!("{} after {} ms", ask.status, ask.waited_us / 1000),
                    "SRV_PING",
                    through.clone(),
                    "capture.attempts",
                )
            })
            .collect();
        let listed = service
            .into_iter()
            .flat_map(|service| &service.instances)
            .filter_map(|(id, instance)| Some((id, instance.connection.as_ref()?)));
        facts.extend(listed.map(|(id, connection)| {
            let server = self.server_name(&connection.server);
            Fact::new("listed", id.as_str(), "CONNZ", server, "data.connections")
        }));
        facts.extend(self.ends().iter().map(|end| {
            let at = end.at.map_or_else(|| "at an unknown time".to_owned(), rfc3339);
            let server = self.server_name(end.server);
            let value = format!("{} {at}", end.reason);
            let event = end.told_by == Endpoint::EVENTS;
            let path = if event { "reason" } else { "data.connections" };
            Fact::new("connection ended", value, &end.told_by, server, path)
        }));
        if facts.is_empty() {
            let sweeps =
                self.facts.roster.sweeps.iter().filter(|sweep| sweep.covers(&self.seen.key.0));
            facts.extend(sweeps.map(|sweep| {
                let server = self.server_name(&sweep.server);
                Fact::new("listed", false, "CONNZ", server, "data.connections")
            }));
        }
        facts
    }
}

/// Errors per request, in four decimals.
fn rate(requests: u64, errors: u64) -> Option<f64> {
    (requests > 0).then(|| (errors as f64 / requests as f64 * 10_000.0).round() / 10_000.0)
}
