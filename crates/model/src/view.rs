//! What a check may see of an epoch: the endpoints it declared, and nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::CaptureLine;

use crate::census::Census;
use crate::epoch::{
    AccountzRecord, ConnzPage, Epoch, EventRecord, LeafzRecord, Owners, RoutezRecord,
    ServiceRecord, SettingsRecord, Sighting, StatszRecord, VarzRecord,
};
use crate::expected::Header;
use crate::roster::Roster;
use crate::streams::{JszRecord, Streams};

/// What was joined from an epoch for one check and is the same for others: those that declare the
/// same of what is there.
#[derive(Default)]
pub struct Joined {
    censuses: RefCell<BTreeMap<u64, Arc<Census>>>,
    rosters: RefCell<BTreeMap<u64, Arc<Roster>>>,
    streams: RefCell<BTreeMap<u64, Arc<Streams>>>,
}

/// An epoch through the eyes of a check.
#[derive(Clone, Copy)]
pub struct View<'a> {
    epoch: &'a Epoch,
    declares: &'a (dyn Fn(&Endpoint) -> bool + Sync),
    joined: &'a Joined,
    settings: bool,
}

impl<'a> View<'a> {
    /// The part of an epoch that `declares` admits. `joined` belongs to the epoch, and to no other.
    pub fn new(
        epoch: &'a Epoch,
        declares: &'a (dyn Fn(&Endpoint) -> bool + Sync),
        joined: &'a Joined,
    ) -> Self {
        Self { epoch, declares, joined, settings: false }
    }

    /// The same, with the settings of servers or without. An epoch may hold them for somebody else.
    #[must_use]
    pub fn with_settings(self, settings: bool) -> Self {
        Self { settings, ..self }
    }

    /// The servers, by what is declared.
    pub fn census(&self) -> Arc<Census> {
        let of_services = [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS];
        // A census looks at every endpoint that servers answer, and at none of services.
        let declared = self.declared(|endpoint| !of_services.contains(endpoint));
        kept(&self.joined.censuses, declared, || Census::of(self))
    }

    /// The services, by what is declared.
    pub fn roster(&self) -> Arc<Roster> {
        kept(&self.joined.rosters, self.declared(|_| true), || Roster::of(self))
    }

    /// The streams with their replicas, for a check that declares JSZ; empty for one that does
    /// not. Names of servers over HTTP are in VARZ, and who else should have a replica in ROUTEZ.
    pub fn streams(&self) -> Arc<Streams> {
        kept(&self.joined.streams, self.declared(|_| true), || Streams::of(self))
    }

    /// One bit for every declared endpoint of which the epoch holds anything.
    fn declared(&self, counts: impl Fn(&Endpoint) -> bool) -> u64 {
        let bits = Endpoint::KNOWN.iter().enumerate().filter(|(_, endpoint)| {
            counts(endpoint) && (self.declares)(endpoint) && self.epoch.holds(endpoint)
        });
        bits.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    fn table<T>(&self, endpoint: &Endpoint, rows: &'a [T]) -> &'a [T] {
        if (self.declares)(endpoint) { rows } else { &[] }
    }

    /// Header of the epoch.
    pub fn header(&self) -> &'a Header {
        &self.epoch.header
    }

    /// Start of the epoch.
    pub fn time(&self) -> Timestamp {
        self.epoch.time()
    }

    /// Whether nothing of the recording of the epoch is lost or damaged.
    pub fn whole(&self) -> bool {
        self.epoch.whole
    }

    /// How the requests to the declared endpoints went.
    pub fn captures(&self) -> impl Iterator<Item = &'a CaptureLine> + use<'a> {
        let declares = self.declares;
        self.epoch.captures.iter().filter(move |capture| declares(&capture.endpoint))
    }

    /// Which server answered a declared endpoint.
    pub fn sightings(&self) -> impl Iterator<Item = &'a Sighting> + use<'a> {
        let declares = self.declares;
        self.epoch.sightings.iter().filter(move |sighting| declares(&sighting.endpoint))
    }

    /// VARZ, if declared.
    pub fn varz(&self) -> &'a [Arc<VarzRecord>] {
        self.table(&Endpoint::VARZ, &self.epoch.varz)
    }

    /// Settings of servers, if they and VARZ are declared.
    pub fn settings(&self) -> &'a [Arc<SettingsRecord>] {
        if self.settings { self.table(&Endpoint::VARZ, &self.epoch.settings) } else { &[] }
    }

    /// STATSZ, if declared.
    pub fn statsz(&self) -> &'a [Arc<StatszRecord>] {
        self.table(&Endpoint::STATSZ, &self.epoch.statsz)
    }

    /// ROUTEZ, if declared.
    pub fn routez(&self) -> &'a [Arc<RoutezRecord>] {
        self.table(&Endpoint::ROUTEZ, &self.epoch.routez)
    }

    /// ACCOUNTZ, if declared.
    pub fn accountz(&self) -> &'a [Arc<AccountzRecord>] {
        self.table(&Endpoint::ACCOUNTZ, &self.epoch.accountz)
    }

    /// LEAFZ, if declared.
    pub fn leafz(&self) -> &'a [Arc<LeafzRecord>] {
        self.table(&Endpoint::LEAFZ, &self.epoch.leafz)
    }

    /// JSZ as far as it tells of streams, if declared.
    pub fn jsz(&self) -> &'a [Arc<JszRecord>] {
        self.table(&Endpoint::JSZ, &self.epoch.jsz)
    }

    /// Streams that JSZ tells of and that are too many to be held, if declared.
    pub fn streams_beyond(&self) -> u64 {
        if (self.declares)(&Endpoint::JSZ) { self.epoch.streams_beyond } else { 0 }
    }

    /// CONNZ of open connections, if declared.
    pub fn connz(&self) -> &'a [ConnzPage] {
        self.table(&Endpoint::CONNZ, &self.epoch.connz)
    }

    /// Accounts of connections, by server and connection id, if CONNZ is declared.
    pub fn owners(&self) -> Option<&'a Owners> {
        (self.declares)(&Endpoint::CONNZ).then_some(&self.epoch.owners)
    }

    /// CONNZ of closed connections, if declared.
    pub fn closed(&self) -> &'a [ConnzPage] {
        self.table(&Endpoint::CONNZ_CLOSED, &self.epoch.closed)
    }

    /// What servers published by themselves, if declared.
    pub fn events(&self) -> &'a [EventRecord] {
        self.table(&Endpoint::EVENTS, &self.epoch.events)
    }

    /// Replies of service instances to the declared verbs.
    pub fn services(&self) -> impl Iterator<Item = &'a ServiceRecord> + use<'a> {
        let declares = self.declares;
        self.epoch.services.iter().filter(move |record| declares(&record.endpoint))
    }
}

/// What is kept under a key, made where it is not there yet.
fn kept<T>(of: &RefCell<BTreeMap<u64, Arc<T>>>, key: u64, make: impl FnOnce() -> T) -> Arc<T> {
    if let Some(known) = of.borrow().get(&key) {
        return Arc::clone(known);
    }
    let made = Arc::new(make());
    of.borrow_mut().insert(key, Arc::clone(&made));
    made
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use nats_hindsight_snapshot::Endpoint;
    use nats_hindsight_snapshot::lines::EpochLine;

    use super::{Joined, View};
    use crate::epoch::{Epoch, SettingsRecord};

    #[test]
    fn settings_are_seen_by_those_alone_that_declare_them() {
        let header = r#"{"format":{"name":"n","version":"1.0"},"uuid":"u","system":"s","collector":{"id":"c"},"start":"2026-11-21T09:00:00Z"}"#;
        let header: EpochLine = serde_json::from_str(header).unwrap();
        let mut epoch = Epoch::empty(header.expecting(Arc::default()));
        epoch.settings.push(Arc::new(SettingsRecord {
            server: "N1".into(),
            bare: false,
            body: Arc::from(b"{}".as_slice()),
            read: OnceLock::new(),
        }));
        let joined = Joined::default();
        let varz = |endpoint: &Endpoint| *endpoint == Endpoint::VARZ;
        let nothing = |_: &Endpoint| false;
        assert_eq!(View::new(&epoch, &varz, &joined).settings().len(), 0);
        assert_eq!(View::new(&epoch, &varz, &joined).with_settings(true).settings().len(), 1);
        assert_eq!(View::new(&epoch, &nothing, &joined).with_settings(true).settings().len(), 0);
    }
}
