//! One epoch, decoded: a table of records per endpoint.
//!
//! The tables hold what replies said, not what it means. A record keeps who said it and when, so
//! that a verdict can name its source. What could not be read is counted, never guessed.

mod clients;
mod servers;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine};
use smol_str::SmolStr;

pub use clients::{
    ConnectionRecord, ConnzPage, EventRecord, InstanceTold, ServedEndpoint, ServiceRecord, What,
};
pub use servers::{
    AccountzRecord, LeafzRecord, PeerRecord, RoutezRecord, SettingsRecord, Sighting, StatszRecord,
    VarzRecord, Who,
};

use crate::expected::Header;
use crate::streams::JszRecord;

/// A decoded epoch.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// Header as recorded.
    pub header: Header,
    /// Totals; missing if the recording was cut.
    pub end: Option<EndLine>,
    /// Whether no frame is missing or damaged and the end was written.
    pub whole: bool,
    /// `sha256:…` over the stored frames in order.
    pub digest: String,
    /// How every request went.
    pub captures: Vec<CaptureLine>,
    /// Which server answered what, one per reply.
    pub sightings: Vec<Sighting>,
    /// VARZ.
    pub varz: Vec<Arc<VarzRecord>>,
    /// Settings, from VARZ.
    pub settings: Vec<Arc<SettingsRecord>>,
    /// STATSZ.
    pub statsz: Vec<Arc<StatszRecord>>,
    /// ROUTEZ.
    pub routez: Vec<Arc<RoutezRecord>>,
    /// ACCOUNTZ.
    pub accountz: Vec<Arc<AccountzRecord>>,
    /// LEAFZ.
    pub leafz: Vec<Arc<LeafzRecord>>,
    /// JSZ, as far as it tells of streams.
    pub jsz: Vec<Arc<JszRecord>>,
    /// Streams in `jsz`; one with three replicas counts three times.
    pub streams_told: u64,
    /// Streams that servers tell of beside those in `jsz`, because there are too many.
    pub streams_beyond: u64,
    /// CONNZ of open connections, page by page.
    pub connz: Vec<ConnzPage>,
    /// CONNZ of closed connections, page by page.
    pub closed: Vec<ConnzPage>,
    /// Accounts of connections, from lists that tell nothing else.
    pub owners: Owners,
    /// Replies of service instances to any verb.
    pub services: Vec<ServiceRecord>,
    /// What servers published by themselves, as far as checks read it.
    pub events: Vec<EventRecord>,
    /// Endpoints of which a frame was to be read.
    pub read: BTreeSet<Endpoint>,
    /// Replies that could not be read.
    pub malformed: Vec<Malformed>,
    /// Lines of kinds this build does not know, counted by kind.
    pub unknown_lines: BTreeMap<String, u64>,
}

/// Accounts of connections, by server and then by connection id.
pub type Owners = BTreeMap<SmolStr, BTreeMap<u64, SmolStr>>;

/// A reply that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Malformed {
    /// Endpoint asked.
    pub endpoint: Endpoint,
    /// Who answered, as far as it is known.
    pub source: String,
    /// What is wrong.
    pub why: String,
}

impl Epoch {
    /// An epoch without any record yet.
    pub fn empty(header: Header) -> Self {
        Self {
            header,
            end: None,
            whole: false,
            digest: String::new(),
            captures: Vec::new(),
            sightings: Vec::new(),
            varz: Vec::new(),
            settings: Vec::new(),
            statsz: Vec::new(),
            routez: Vec::new(),
            accountz: Vec::new(),
            leafz: Vec::new(),
            jsz: Vec::new(),
            streams_told: 0,
            streams_beyond: 0,
            connz: Vec::new(),
            closed: Vec::new(),
            owners: BTreeMap::new(),
            services: Vec::new(),
            events: Vec::new(),
            read: BTreeSet::new(),
            malformed: Vec::new(),
            unknown_lines: BTreeMap::new(),
        }
    }

    /// The same tables without their rows, but with their memory.
    pub(crate) fn emptied(self) -> Self {
        fn bare<T>(mut rows: Vec<T>) -> Vec<T> {
            rows.clear();
            rows
        }
        Self {
            captures: bare(self.captures),
            sightings: bare(self.sightings),
            varz: bare(self.varz),
            settings: bare(self.settings),
            statsz: bare(self.statsz),
            routez: bare(self.routez),
            accountz: bare(self.accountz),
            leafz: bare(self.leafz),
            jsz: bare(self.jsz),
            connz: bare(self.connz),
            closed: bare(self.closed),
            services: bare(self.services),
            events: bare(self.events),
            malformed: bare(self.malformed),
            ..Self::empty(self.header)
        }
    }

    /// Whether the epoch has a frame of an endpoint, with replies or with how requests went.
    pub(crate) fn holds(&self, endpoint: &Endpoint) -> bool {
        self.read.contains(endpoint)
    }

    /// Ids of servers that answered nothing, although others know them, and of which no request tells.
    pub fn unheard_servers(&self) -> BTreeSet<&str> {
        let answered = self.sightings.iter().map(|sighting| sighting.who.server.as_str());
        let asked = self.captures.iter().filter_map(|capture| capture.target.as_deref());
        let told: HashSet<&str, RandomState> = answered.chain(asked).collect();
        let expected = self.header.expects.servers.iter().map(|server| server.id.as_str());
        let peers =
            self.routez.iter().flat_map(|record| &record.peers).map(|peer| peer.id.as_str());
        expected.chain(peers).filter(|id| !told.contains(id)).collect()
    }

    /// Start by the collector's clock.
    pub fn time(&self) -> Timestamp {
        self.header.start
    }

    /// Whether the recording is whole and every request got what was counted on.
    pub fn complete(&self) -> bool {
        self.whole && self.end.as_ref().is_some_and(|end| end.complete)
    }
}
