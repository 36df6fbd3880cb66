//! Epochs with more servers or instances, and replies with longer texts, than one can hold.
//!
//! A reply with such a text is not read. Dropping some servers of many would make a part look like
//! the whole, so nothing of such an epoch is used but its header and end: its checks know nothing
//! then, and say so. Of one with more streams than that, no stream is used.

use std::collections::BTreeSet;
use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Reply};
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine, Unread};

use super::seen::Seen;
use crate::epoch::Epoch;
use crate::expected::Expected;
use crate::intake::{EpochIndex, Problem};

/// Watches how many there are while an epoch is read.
pub(super) struct Crowd<'a> {
    limits: &'a Limits,
    /// Rows from which on it is worth counting again.
    next: u64,
    beyond: Option<(&'static str, &'static str, u64)>,
    expects: Option<(&'static str, String)>,
    /// Whether services are looked at, and with them what is expected of them.
    services: bool,
}

impl<'a> Crowd<'a> {
    pub(super) fn of(limits: &'a Limits, wanted: &dyn Fn(&Endpoint) -> bool) -> Self {
        let services = Endpoint::VERBS.iter().any(wanted) || wanted(&Endpoint::CONNZ);
        let mut crowd = Self { limits, next: 0, beyond: None, expects: None, services };
        crowd.next = crowd.least();
        crowd
    }

    /// Fewer rows than this are within every limit.
    fn least(&self) -> u64 {
        self.limits.max_servers.min(self.limits.max_instances)
    }

    /// Whether there are so many that no further reply counts.
    pub(super) fn is_beyond(&self) -> bool {
        self.beyond.is_some()
    }

    pub(super) fn reply(&mut self, epoch: &mut Epoch, line: &Reply<'_>, seen: Seen) {
        if self.beyond.is_some() {
            return;
        }
        super::add_seen(epoch, line, seen, self.limits);
        let rows = rows(epoch);
        if rows > self.next {
            self.next = rows.saturating_mul(2);
            self.count(epoch);
        }
    }

    /// Takes over a header. What it expects is told by many small entries.
    pub(super) fn header(&mut self, epoch: &mut Epoch, header: EpochLine<Unread<'_>>) {
        let expects = self.expected(&header.expects);
        let expects = expects.map_err(|why| self.expects = Some(why)).unwrap_or_default();
        epoch.header = header.expecting(Arc::new(expects));
    }

    fn expected(&self, unread: &Unread<'_>) -> Result<Expected, (&'static str, String)> {
        let Limits { max_servers, max_instances, .. } = *self.limits;
        let expects = Expected::read(unread, self.services).map_err(|error| {
            ("line_malformed", format!("EPOCH: what is expected cannot be read: {error}"))
        })?;
        let (what, name, limit) = if expects.servers.len() as u64 > max_servers {
            ("servers", "max_servers", max_servers)
        } else if expects.services.len() as u64 > max_instances {
            ("services", "max_instances", max_instances)
        } else {
            return Ok(expects);
        };
        let text = format!(
            "the epoch expects more {what} than limit `{name}`, {limit}; what it expects is not used"
        );
        Err(("limit", text))
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
            let text = format!(
                "the servers of the epoch tell of {count} streams, more than limit `max_streams`, \
                 {limit}; none of its streams is used"
            );
            ("limit", text)
        });
        let of_others = self.others(epoch);
        let said = streams.into_iter().chain(of_others);
        let problem = |(kind, text)| {
            let (epoch, where_) = (Some(index.uuid.clone()), index.place());
            Problem { epoch, kind, text, where_ }
        };
        said.map(problem).collect()
    }

    fn others(mut self, epoch: &mut Epoch) -> Option<(&'static str, String)> {
        // Rows may have come since the last count.
        if self.beyond.is_none() && rows(epoch) > self.least() {
            self.count(epoch);
        }
        let Some((what, name, limit)) = self.beyond else { return self.expects };
        let text = format!(
            "the epoch has more {what} than limit `{name}`, {limit}; none of its replies is used"
        );
        Some(("limit", text))
    }
}

fn rows(epoch: &Epoch) -> u64 {
    epoch.sightings.len().max(epoch.services.len()) as u64
}
