//! How the requests of a capture must have gone, from what is there and what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, FilterLine, OutcomeLine, Status};

/// What every release of the gatherer asks of every server.
const ASKED: [Endpoint; 8] = [
    Endpoint::VARZ,
    Endpoint::CONNZ,
    Endpoint::ROUTEZ,
    Endpoint::GATEWAYZ,
    Endpoint::LEAFZ,
    Endpoint::SUBSZ,
    Endpoint::ACCOUNTZ,
    Endpoint::HEALTHZ,
];

/// What a reader is told of a reply that is not in a capture.
const ABSENT: &str = "not in the archive: the gatherer drops what does not answer in time, and \
                      says so in its log alone";

/// What is there of each server.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    /// What is asked of everybody, whether anybody answered or not.
    always: Vec<Endpoint>,
    /// Pages that are there and pages that are not, by server id and endpoint.
    cells: BTreeMap<(Arc<str>, Endpoint), (u64, u64)>,
    /// Servers, and whether they run JetStream.
    servers: BTreeMap<Arc<str>, bool>,
    /// Accounts of which a server should have listed connections and did not.
    accounts: BTreeSet<(Arc<str>, Arc<str>)>,
}

impl Matrix {
    /// Of a run of the gatherer, which asks every server for the same.
    pub(super) fn gathered() -> Self {
        Self { always: ASKED.to_vec(), ..Self::default() }
    }

    pub(super) fn server(&mut self, id: &Arc<str>, jetstream: bool) {
        *self.servers.entry(Arc::clone(id)).or_default() |= jetstream;
    }

    /// Whether a server is known.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.servers.contains_key(id)
    }

    pub(super) fn page(&mut self, id: &Arc<str>, endpoint: &Endpoint) {
        self.cells.entry((Arc::clone(id), endpoint.clone())).or_default().0 += 1;
    }

    pub(super) fn missing(&mut self, id: &Arc<str>, endpoint: &Endpoint, pages: u64) {
        self.cells.entry((Arc::clone(id), endpoint.clone())).or_default().1 += pages;
    }

    /// The connections of an account are not there.
    pub(super) fn account(&mut self, id: &Arc<str>, account: &Arc<str>) {
        self.accounts.insert((Arc::clone(id), Arc::clone(account)));
    }

    /// The endpoints that were to be asked: those of every release, and what anybody answered.
    pub(super) fn asked(&self) -> Vec<Endpoint> {
        let told = self.cells.keys().map(|(_, endpoint)| endpoint.clone());
        let all: BTreeSet<Endpoint> = self.always.iter().cloned().chain(told).collect();
        all.into_iter().collect()
    }

    /// A capture for each server and endpoint.
    pub(super) fn captures(&self) -> Vec<CaptureLine> {
        let mut captures = Vec::new();
        for endpoint in self.asked() {
            let of_endpoint = |(_, told): &&(Arc<str>, Endpoint)| *told == endpoint;
            if !self.cells.keys().any(|cell| of_endpoint(&cell)) {
                captures.push(CaptureLine {
                    endpoint,
                    status: Status::Skipped,
                    note: Some("nothing of it is in the archive".to_owned()),
                    ..CaptureLine::default()
                });
                continue;
            }
            for (id, jetstream) in &self.servers {
                let cell = self.cells.get(&(Arc::clone(id), endpoint.clone()));
                // Servers without JetStream are not asked for it.
                if cell.is_some() || endpoint != Endpoint::JSZ || *jetstream {
                    captures.push(capture(id, &endpoint, cell.copied().unwrap_or_default()));
                }
            }
        }
        captures.extend(self.accounts.iter().map(|(id, account)| CaptureLine {
            filter: Some(FilterLine { account: Some(account.to_string()), subject: None }),
            ..capture(id, &Endpoint::CONNZ, (0, 0))
        }));
        captures
    }
}

fn capture(id: &Arc<str>, endpoint: &Endpoint, (there, missing): (u64, u64)) -> CaptureLine {
    let status = match (there, missing) {
        (0, _) => Status::Timeout,
        (_, 0) => Status::Ok,
        _ => Status::Partial,
    };
    CaptureLine {
        endpoint: endpoint.clone(),
        target: Some(id.to_string()),
        note: (status != Status::Ok).then(|| ABSENT.to_owned()),
        status,
        expected: Some(there.saturating_add(missing).max(1)),
        received: there,
        ..CaptureLine::default()
    }
}

/// Captures counted, as the end of an epoch tells them.
pub(super) fn outcomes(captures: &[CaptureLine]) -> Vec<OutcomeLine> {
    let mut counts: BTreeMap<(&Endpoint, &Option<String>, &str), (u64, &Status)> = BTreeMap::new();
    for capture in captures {
        let key = (&capture.endpoint, &capture.target, capture.status.as_str());
        counts.entry(key).or_insert((0, &capture.status)).0 += 1;
    }
    let outcome = |((endpoint, target, _), (count, status)): (
        (&Endpoint, &Option<String>, _),
        (u64, &Status),
    )| OutcomeLine {
        endpoint: endpoint.clone(),
        target: target.clone(),
        status: status.clone(),
        count,
    };
    counts.into_iter().map(outcome).collect()
}
