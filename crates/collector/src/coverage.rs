//! How much of what was asked came, for people.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};

/// Remarks beyond this number are counted only.
const REMARKS: usize = 20;

/// Outcomes of the requests of one epoch.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Requests per endpoint and outcome.
    pub endpoints: BTreeMap<Endpoint, BTreeMap<Status, u64>>,
    /// Ids of servers that were asked one by one and did not answer at all.
    pub silent: BTreeSet<String>,
    /// What was denied, and other outcomes a person can do something about; each once.
    pub remarks: Vec<String>,
    /// Remarks that did not fit.
    pub more_remarks: usize,
}

impl Coverage {
    /// Takes notice of one capture.
    pub(crate) fn count(&mut self, capture: &CaptureLine) {
        let outcomes = self.endpoints.entry(capture.endpoint.clone()).or_default();
        *outcomes.entry(capture.status.clone()).or_default() += 1;
        if capture.endpoint == Endpoint::STATSZ
            && capture.status == Status::Timeout
            && let Some(server) = &capture.target
        {
            self.silent.insert(server.clone());
        }
        if matches!(
            capture.status,
            Status::Denied | Status::Skipped | Status::NoResponders | Status::Malformed
        ) && let Some(note) = &capture.note
        {
            self.remark(note);
        }
    }

    /// Adds a remark once.
    pub(crate) fn remark(&mut self, text: &str) {
        if self.remarks.iter().any(|known| known == text) {
            return;
        }
        if self.remarks.len() < REMARKS {
            self.remarks.push(text.to_owned());
        } else {
            self.more_remarks += 1;
        }
    }

    /// Requests of one endpoint.
    pub fn asked(&self, endpoint: &Endpoint) -> u64 {
        self.endpoints.get(endpoint).map_or(0, |outcomes| outcomes.values().sum())
    }
}
