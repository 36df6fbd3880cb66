//! Epochs with more servers or instances, and replies with longer texts, than one can hold.
//!
//! A reply with such a text is not read. Dropping some servers of many would make a part look like
//! the whole, so nothing of such an epoch is used but its header and end: its checks know nothing
//! then, and say so. Of one with more streams than that, no stream is used.

use std::collections::BTreeSet;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Reply};
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine, ExpectsLine};

use super::Memo;
use super::texts::holds_longer;
use crate::epoch::{Epoch, Malformed};
use crate::intake::{EpochIndex, Problem};

/// Watches how many there are while an epoch is read.
pub(super) struct Crowd<'a> {
    limits: &'a Limits,
    /// Rows from which on it is worth counting again.
    next: u64,
    beyond: Option<(&'static str, &'static str, u64)>,
    expects: Option<(&'static str, &'static str, u64)>,
}

impl<'a> Crowd<'a> {
    pub(super) fn of(limits: &'a Limits) -> Self {
        let mut crowd = Self { limits, next: 0, beyond: None, expects: None };
        crowd.next = crowd.least();
        crowd
    }

    /// Fewer rows than this are within every limit.
    fn least(&self) -> u64 {
        self.limits.max_servers.min(self.limits.max_instances)
    }

    pub(super) fn reply(&mut self, epoch: &mut Epoch, line: &Reply<'_>, memo: &Memo) {
        if self.beyond.is_some() {
            return;
        }
        let limit = self.limits.max_text;
        if line.body.is_some_and(|body| holds_longer(body.bytes(), limit)) {
            let source = line.source.clone().unwrap_or_default().into_owned();
            let endpoint = line.endpoint.clone();
            let why = format!("it holds a text longer than limit `max_text`, {limit} bytes");
            epoch.malformed.push(Malformed { endpoint, source, why });
            return;
        }
        if line.endpoint == Endpoint::JSZ {
            super::streams(epoch, line, self.limits.max_streams);
        } else {
            super::reply(epoch, line, memo);
        }
        let rows = rows(epoch);
        if rows > self.next {
            self.next = rows.saturating_mul(2);
            self.count(epoch);
        }
    }

    /// Takes over a header. What it expects is told by many small entries.
    pub(super) fn header(&mut self, epoch: &mut Epoch, header: EpochLine) {
        epoch.header = header;
        let Limits { max_servers, max_instances, .. } = *self.limits;
        let expects = &epoch.header.expects;
        self.expects = if expects.servers.len() as u64 > max_servers {
            Some(("servers", "max_servers", max_servers))
        } else if expects.services.len() as u64 > max_instances {
            Some(("services", "max_instances", max_instances))
        } else {
            return;
        };
        epoch.header.expects = ExpectsLine::default();
    }

    pub(super) fn capture(&self, epoch: &mut Epoch, capture: CaptureLine) {
        if self.beyond.is_none() {
            epoch.captures.push(capture);
        }
    }

    fn count(&mut self, epoch: &mut Epoch) {
        let Limits { max_servers, max_instances, .. } = *self.limits;
        let servers: BTreeSet<&str> =
            epoch.sightings.iter().map(|sighting| sighting.who.server.as_str()).collect();
        let instances: BTreeSet<&str> =
            epoch.services.iter().map(|record| record.told.id.as_str()).collect();
        if servers.len() as u64 > max_servers {
            self.beyond = Some(("servers", "max_servers", max_servers));
        } else if instances.len() as u64 > max_instances {
            self.beyond = Some(("service instances", "max_instances", max_instances));
        }
        if self.beyond.is_some() {
            *epoch = Epoch::empty(epoch.header.clone());
        }
    }

    /// What is to be told, once all of the epoch was read.
    pub(super) fn problems(self, epoch: &mut Epoch, index: &EpochIndex) -> Vec<Problem> {
        let streams = (epoch.streams_beyond > 0).then(|| {
            let told = std::mem::take(&mut epoch.streams_told);
            epoch.streams_beyond = epoch.streams_beyond.saturating_add(told);
            epoch.jsz.clear();
            let (count, limit) = (epoch.streams_beyond, self.limits.max_streams);
            format!(
                "the servers of the epoch tell of {count} streams, more than limit `max_streams`, \
                 {limit}; none of its streams is used"
            )
        });
        let of_others = self.others(epoch);
        let texts = streams.into_iter().chain(of_others);
        let problem = |text| {
            let (epoch, where_) = (Some(index.uuid.clone()), index.place());
            Problem { epoch, kind: "limit", text, where_ }
        };
        texts.map(problem).collect()
    }

    fn others(mut self, epoch: &mut Epoch) -> Option<String> {
        // Rows may have come since the last count.
        if self.beyond.is_none() && rows(epoch) > self.least() {
            self.count(epoch);
        }
        Some(if let Some((what, name, limit)) = self.beyond {
            format!(
                "the epoch has more {what} than limit `{name}`, {limit}; none of its replies is used"
            )
        } else {
            let (what, name, limit) = self.expects?;
            format!(
                "the epoch expects more {what} than limit `{name}`, {limit}; what it expects is not used"
            )
        })
    }
}

fn rows(epoch: &Epoch) -> u64 {
    epoch.sightings.len().max(epoch.services.len()) as u64
}
