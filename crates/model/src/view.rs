//! What a check may see of an epoch: the endpoints it declared, and nothing else.

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine};

use crate::epoch::{
    AccountzRecord, ConnzPage, Epoch, EventRecord, LeafzRecord, RoutezRecord, ServiceRecord,
    SettingsRecord, Sighting, StatszRecord, VarzRecord,
};

/// An epoch through the eyes of a check.
#[derive(Clone, Copy)]
pub struct View<'a> {
    epoch: &'a Epoch,
    declares: &'a (dyn Fn(&Endpoint) -> bool + Sync),
}

impl<'a> View<'a> {
    /// The part of an epoch that `declares` admits.
    pub fn new(epoch: &'a Epoch, declares: &'a (dyn Fn(&Endpoint) -> bool + Sync)) -> Self {
        Self { epoch, declares }
    }

    fn table<T>(&self, endpoint: &Endpoint, rows: &'a [T]) -> &'a [T] {
        if (self.declares)(endpoint) { rows } else { &[] }
    }

    /// Header of the epoch.
    pub fn header(&self) -> &'a EpochLine {
        &self.epoch.header
    }

    /// Start of the epoch.
    pub fn time(&self) -> Timestamp {
        self.epoch.time()
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
    pub fn varz(&self) -> &'a [VarzRecord] {
        self.table(&Endpoint::VARZ, &self.epoch.varz)
    }

    /// Settings of servers, if VARZ is declared.
    pub fn settings(&self) -> &'a [SettingsRecord] {
        self.table(&Endpoint::VARZ, &self.epoch.settings)
    }

    /// STATSZ, if declared.
    pub fn statsz(&self) -> &'a [StatszRecord] {
        self.table(&Endpoint::STATSZ, &self.epoch.statsz)
    }

    /// ROUTEZ, if declared.
    pub fn routez(&self) -> &'a [RoutezRecord] {
        self.table(&Endpoint::ROUTEZ, &self.epoch.routez)
    }

    /// ACCOUNTZ, if declared.
    pub fn accountz(&self) -> &'a [AccountzRecord] {
        self.table(&Endpoint::ACCOUNTZ, &self.epoch.accountz)
    }

    /// LEAFZ, if declared.
    pub fn leafz(&self) -> &'a [LeafzRecord] {
        self.table(&Endpoint::LEAFZ, &self.epoch.leafz)
    }

    /// CONNZ of open connections, if declared.
    pub fn connz(&self) -> &'a [ConnzPage] {
        self.table(&Endpoint::CONNZ, &self.epoch.connz)
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
