//! What really ran in each epoch, written beside the recording.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::http;
use crate::services::{Language, Sent, Service};
use crate::system::{State, System};

/// The file beside the epochs of a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// The name of the scenario.
    pub scenario: String,
    /// What happens, in one sentence.
    pub about: String,
    /// Name and version of the tool that recorded it.
    pub tool: String,
    /// How to record it again.
    pub command: String,
    /// The label of the recorded system.
    pub system: String,
    /// The server the collector was connected to.
    pub through: String,
    /// The accounts for which the collector had a connection, beside the system account.
    pub accounts: Vec<String>,
    /// One entry per epoch, in order.
    pub epochs: Vec<Epoch>,
}

/// One epoch.
#[derive(Debug, Clone, Serialize)]
pub struct Epoch {
    /// What has just happened.
    pub label: String,
    /// The file of the epoch, empty in a rehearsal.
    pub file: String,
    /// Every server of the plan.
    pub servers: Vec<ServerRun>,
    /// The services with at least one instance.
    pub services: Vec<ServiceRun>,
    /// Requests that were sent to services since the epoch before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentRun>,
}

/// Requests to a service, as the client that sent them saw it.
#[derive(Debug, Clone, Serialize)]
pub struct SentRun {
    /// Its account.
    pub account: String,
    /// Its name.
    pub service: String,
    /// All requests; every one was answered.
    pub requests: usize,
    /// Those that were answered with an error.
    pub errors: usize,
}

/// A server in one epoch.
#[derive(Debug, Clone, Serialize)]
pub struct ServerRun {
    /// Its name; for a server without one, the name the scenario calls it by.
    pub name: String,
    /// Its cluster, null for a leaf server.
    pub cluster: Option<String>,
    /// The version it reports, or for one that cannot answer the one it was started with.
    pub version: String,
    /// `running`, `hung`, `lame duck` or `down`.
    pub state: &'static str,
}

/// Instances of a service that have version and library in common, in one epoch.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceRun {
    /// Its account.
    pub account: String,
    /// Its name.
    pub service: String,
    /// The version it announces.
    pub version: String,
    /// The language and library version its connections announce; null where no server could tell.
    pub client: Option<String>,
    /// `python` or `rust`, as started.
    pub language: &'static str,
    /// How many there are.
    pub instances: usize,
    /// How many of them were stopped with SIGSTOP.
    pub mute: usize,
}

/// What was sent, as it is written.
pub(super) fn sent(all: BTreeMap<(String, String), Sent>) -> Vec<SentRun> {
    let runs = all.into_iter().map(|((account, service), sent)| SentRun {
        account,
        service,
        requests: sent.requests,
        errors: sent.errors,
    });
    runs.collect()
}

/// Looks at the servers through their monitor ports.
pub(super) fn servers(system: &System) -> Vec<ServerRun> {
    let mut runs = Vec::new();
    for (index, plan) in system.plan.servers.iter().enumerate() {
        let state = system.servers[index].state;
        let seen = if state == State::Running {
            http::get(system.ports[index].monitor, "/varz").ok()
        } else {
            None
        };
        let version = seen.as_ref().and_then(|varz| varz["version"].as_str());
        runs.push(ServerRun {
            name: plan.name.clone(),
            cluster: plan.cluster.clone(),
            version: version.unwrap_or(&plan.version).to_owned(),
            state: match state {
                State::Running => "running",
                State::Hung => "hung",
                State::LameDuck => "lame duck",
                State::Down => "down",
            },
        });
    }
    runs
}

/// Counts the instances, and what their connections say of themselves.
pub(super) fn services<'a>(
    system: &System,
    groups: impl Iterator<Item = &'a Service>,
) -> Vec<ServiceRun> {
    let clients = clients(system);
    let mut counts: BTreeMap<ServiceRun, (usize, usize)> = BTreeMap::new();
    for group in groups {
        for instance in group.running() {
            let run = ServiceRun {
                account: group.account_name().to_owned(),
                service: group.name().to_owned(),
                version: instance.version().to_owned(),
                client: clients.get(instance.id()).cloned(),
                language: match instance.language() {
                    Language::Python => "python",
                    Language::Rust => "rust",
                },
                instances: 0,
                mute: 0,
            };
            let count = counts.entry(run).or_default();
            count.0 += 1;
            count.1 += usize::from(instance.is_hung());
        }
    }
    counts
        .into_iter()
        .map(|(run, (instances, mute))| ServiceRun { instances, mute, ..run })
        .collect()
}

/// Ids of the instances that are connected to a running server.
pub(super) fn listed(system: &System) -> BTreeSet<String> {
    clients(system).into_keys().collect()
}

/// Language and library version by instance id, from the subscriptions on the connections.
fn clients(system: &System) -> BTreeMap<String, String> {
    let mut clients = BTreeMap::new();
    for (index, server) in system.servers.iter().enumerate() {
        if server.state != State::Running {
            continue;
        }
        let Ok(connz) = http::get(system.ports[index].monitor, "/connz?subs=1") else { continue };
        for row in connz["connections"].as_array().into_iter().flatten() {
            // A leaf connection carries the subscriptions of its whole side.
            if row["kind"] == "Leafnode" {
                continue;
            }
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let said = format!("{} {}", text("lang"), text("version"));
            for subject in row["subscriptions_list"].as_array().into_iter().flatten() {
                let subject = subject.as_str().unwrap_or_default();
                let id = subject.strip_prefix("$SRV.PING.").and_then(|rest| rest.split_once('.'));
                if let Some((_, id)) = id {
                    clients.insert(id.to_owned(), said.clone());
                }
            }
        }
    }
    clients
}
