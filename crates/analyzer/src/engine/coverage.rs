//! What was asked and what came, endpoint by endpoint.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};

use crate::report::runs;
use crate::report::{CoverageGap, CoverageRow};

/// Most servers, services or URLs listed in one gap.
const MAX_TARGETS: usize = 20;

/// Status of what was to be asked and of which no word is left.
const UNRECORDED: &str = "unrecorded";

/// How the requests of one epoch went, by endpoint, status and whom they were for.
pub(super) struct Asked {
    outcomes: BTreeMap<(Endpoint, Status, String), u64>,
}

impl Asked {
    /// From the captures of endpoints that were read, and from the totals of those that were not.
    pub(super) fn of(epoch: &Epoch, read: &dyn Fn(&Endpoint) -> bool) -> Self {
        // In most epochs nobody is asked alone, and no name is needed.
        let names = LazyCell::new(|| names(epoch));
        let accounts = accounts(epoch);
        let show = |target: Option<&str>| -> String {
            target.map_or("", |id| names.get(id).copied().unwrap_or(id)).to_owned()
        };
        let mut outcomes: BTreeMap<(Endpoint, Status, String), u64> = BTreeMap::new();
        for capture in &epoch.captures {
            let target = capture.service.as_deref().or(capture.target.as_deref());
            // A broadcast that nobody was expected to answer got all that was counted on. Of how
            // many instances an account had, the header tells.
            let nobody = capture.status == Status::NoResponders
                && target.is_none()
                && capture.expected.unwrap_or(0) == 0
                && !expects_services(epoch, capture);
            let status = if nobody { Status::Ok } else { capture.status.clone() };
            let account = || accounts.get(capture.account.as_deref()?).copied();
            let asked = match (&capture.service, &capture.target) {
                (Some(service), _) => service.clone(),
                (None, Some(target)) => show(Some(target)),
                (None, None) => account().unwrap_or_default().to_owned(),
            };
            let key = (capture.endpoint.clone(), status, asked);
            *outcomes.entry(key).or_default() += 1;
        }
        for outcome in epoch.end.iter().flat_map(|end| &end.outcomes) {
            if !read(&outcome.endpoint) {
                let target = show(outcome.target.as_deref());
                let key = (outcome.endpoint.clone(), outcome.status.clone(), target);
                // A stranger writes what he likes: a sum that is too large is only large.
                let sum = outcomes.entry(key).or_default();
                *sum = sum.saturating_add(outcome.count);
            }
        }
        for (endpoint, target) in unrecorded(epoch, read, &outcomes, &accounts) {
            let status = Status::Other(UNRECORDED.to_owned());
            outcomes.insert((endpoint, status, show(target.as_deref())), 1);
        }
        Self { outcomes }
    }
}

/// Whether instances were to answer a question that went to all services of an account.
fn expects_services(epoch: &Epoch, capture: &CaptureLine) -> bool {
    let of = |account: &str| capture.account.as_deref() == Some(account);
    let services = &epoch.header.expects.services;
    Endpoint::VERBS.contains(&capture.endpoint)
        && services.iter().any(|service| of(&service.account) && !service.instances.is_empty())
}

/// What was to be asked, of whom, and of which the recording holds neither an answer nor a word on
/// how it went: an endpoint, a server that is expected or named by its peers, an account.
fn unrecorded(
    epoch: &Epoch,
    read: &dyn Fn(&Endpoint) -> bool,
    outcomes: &BTreeMap<(Endpoint, Status, String), u64>,
    accounts: &BTreeMap<&str, &str>,
) -> Vec<(Endpoint, Option<String>)> {
    let asked = &epoch.header.asked.endpoints;
    // Of most endpoints there is a word on how the requests went, so that no reply is looked at.
    let spoken = |endpoint: &Endpoint| {
        outcomes.keys().any(|(of, _, _)| of == endpoint)
            || epoch.sightings.iter().any(|sighting| sighting.endpoint == *endpoint)
            || epoch.services.iter().any(|record| record.endpoint == *endpoint)
    };
    let meant = |endpoint: &Endpoint| {
        let verb = Endpoint::VERBS.contains(endpoint);
        let http = epoch.header.connections.iter().all(|c| c.kind == "http");
        !http && (!verb || !accounts.is_empty())
    };
    let mut missing: Vec<(Endpoint, Option<String>)> = Vec::new();
    for endpoint in asked.iter().filter(|endpoint| !spoken(endpoint) && meant(endpoint)) {
        if Endpoint::VERBS.contains(endpoint) {
            let of_all = accounts.values().map(|name| (endpoint.clone(), Some((*name).to_owned())));
            missing.extend(of_all);
        } else {
            missing.push((endpoint.clone(), None));
        }
    }
    let whole =
        |endpoint: &Endpoint| asked.contains(endpoint) && read(endpoint) && spoken(endpoint);
    if whole(&Endpoint::STATSZ) {
        let servers = epoch.unheard_servers().into_iter();
        missing.extend(servers.map(|id| (Endpoint::STATSZ, Some(id.to_owned()))));
    }
    if whole(&Endpoint::SRV_PING) {
        let told: BTreeSet<&str> =
            epoch.captures.iter().filter_map(|capture| capture.account.as_deref()).collect();
        let lost = accounts.iter().filter(|(id, _)| !told.contains(*id));
        missing.extend(lost.map(|(_, name)| (Endpoint::SRV_PING, Some((*name).to_owned()))));
    }
    missing
}

/// Accounts in which services were to be asked, with the name to show.
fn accounts(epoch: &Epoch) -> BTreeMap<&str, &str> {
    let connections = epoch
        .header
        .connections
        .iter()
        .filter(|connection| connection.kind == "account" && connection.state == "connected");
    connections
        .filter_map(|connection| {
            let id = connection.account.as_deref()?;
            Some((id, connection.account_name.as_deref().unwrap_or(id)))
        })
        .collect()
}

fn names(epoch: &Epoch) -> BTreeMap<&str, &str> {
    let expected = epoch.header.expects.servers.iter();
    let peers = epoch.routez.iter().flat_map(|record| &record.peers);
    expected
        .map(|server| (server.id.as_str(), server.name.as_str()))
        .chain(peers.map(|peer| (peer.id.as_str(), peer.name.as_str())))
        .chain(epoch.sightings.iter().filter_map(|sighting| {
            Some((sighting.who.server.as_str(), sighting.who.name.as_deref()?))
        }))
        .filter(|(_, name)| !name.is_empty())
        .collect()
}

/// Coverage of a whole sequence.
#[derive(Default)]
pub(super) struct Coverage {
    endpoints: BTreeMap<Endpoint, Row>,
}

#[derive(Default)]
struct Row {
    asked: u64,
    ok: u64,
    gaps: BTreeMap<Status, Gap>,
}

#[derive(Default)]
struct Gap {
    count: u64,
    epochs: BTreeSet<usize>,
    targets: BTreeSet<String>,
}

impl Coverage {
    pub(super) fn add(&mut self, epoch: usize, asked: &Asked) {
        for ((endpoint, status, target), count) in &asked.outcomes {
            let row = self.endpoints.entry(endpoint.clone()).or_default();
            row.asked = row.asked.saturating_add(*count);
            if *status == Status::Ok {
                row.ok = row.ok.saturating_add(*count);
                continue;
            }
            let gap = row.gaps.entry(status.clone()).or_default();
            gap.count = gap.count.saturating_add(*count);
            gap.epochs.insert(epoch);
            if !target.is_empty() {
                gap.targets.insert(target.clone());
            }
        }
    }

    pub(super) fn rows(self) -> Vec<CoverageRow> {
        self.endpoints
            .into_iter()
            .map(|(endpoint, row)| CoverageRow {
                endpoint: endpoint.to_string(),
                asked: row.asked,
                ok: row.ok,
                gaps: row.gaps.into_iter().map(|(status, gap)| gap.show(&status)).collect(),
            })
            .collect()
    }
}

impl Gap {
    fn show(self, status: &Status) -> CoverageGap {
        CoverageGap {
            status: status.to_string(),
            count: self.count,
            epochs: runs(&self.epochs),
            targets: self.targets.into_iter().take(MAX_TARGETS).collect(),
        }
    }
}
