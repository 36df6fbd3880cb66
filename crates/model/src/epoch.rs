//! One epoch, decoded: a table of records per endpoint.
//!
//! The tables hold what replies said, not what it means. A record keeps who said it and when, so
//! that a verdict can name its source. What could not be read is counted, never guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, FilterLine};
use smol_str::SmolStr;

use crate::events::Leave;
use crate::expected::Header;
use crate::settings::Settings;
use crate::streams::JszRecord;
use crate::users::Credential;

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

/// A reply of a server, whatever it was about.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Endpoint answered.
    pub endpoint: Endpoint,
    /// Who answered, as far as the reply tells.
    pub who: Arc<Who>,
    /// URL it was asked under, over HTTP.
    pub url: Option<SmolStr>,
    /// Microseconds from the start of the epoch to the arrival.
    pub arrival_us: u64,
    /// Microseconds between request and reply, where somebody measured.
    pub rtt_us: Option<u64>,
}

/// What a reply says of the server it is from.
#[derive(Clone, Debug)]
pub struct Who {
    /// Server id.
    pub server: SmolStr,
    /// Server name, if the reply tells it.
    pub name: Option<SmolStr>,
    /// Cluster name, if the server is in one.
    pub cluster: Option<SmolStr>,
    /// JetStream domain, if the reply tells one.
    pub domain: Option<SmolStr>,
    /// Version, if the reply tells it.
    pub version: Option<SmolStr>,
    /// Where in the reply the version stood.
    pub version_path: &'static str,
    /// The server's clock.
    pub now: Option<Timestamp>,
    /// Whether JetStream runs.
    pub jetstream: Option<bool>,
}

/// What VARZ said.
#[derive(Clone, Debug, Default)]
pub struct VarzRecord {
    /// Server id.
    pub server: SmolStr,
    /// Commit the binary was built from.
    pub git_commit: Option<SmolStr>,
    /// Go release.
    pub go: Option<SmolStr>,
    /// Start of the process.
    pub start: Option<Timestamp>,
    /// The server's clock.
    pub now: Option<Timestamp>,
    /// Client connections.
    pub connections: Option<u64>,
    /// Servers connected by routes.
    pub remotes: Option<u64>,
    /// Messages received since the start, over connections of every kind.
    pub in_msgs: Option<u64>,
    /// Messages sent since the start, over connections of every kind.
    pub out_msgs: Option<u64>,
    /// Client listen address.
    pub host: Option<SmolStr>,
    /// Client listen port.
    pub port: Option<u64>,
    /// Whether JetStream runs.
    pub jetstream: bool,
    /// Whether accounts and users are JWTs of an operator.
    pub operator_mode: bool,
}

/// What VARZ said of a server's settings; there even if other fields of it cannot be read.
#[derive(Clone, Debug)]
pub struct SettingsRecord {
    /// Server id.
    pub server: SmolStr,
    /// Whether it came over HTTP, without an envelope.
    pub bare: bool,
    pub(crate) body: Arc<[u8]>,
    pub(crate) read: OnceLock<Settings>,
}

impl SettingsRecord {
    /// The settings. They are read when somebody asks for them first.
    pub fn settings(&self) -> &Settings {
        self.read.get_or_init(|| Settings::of_reply(&self.body, self.bare))
    }
}

/// What STATSZ said.
#[derive(Clone, Debug, Default)]
pub struct StatszRecord {
    /// Server id.
    pub server: SmolStr,
    /// Start of the process.
    pub start: Option<Timestamp>,
    /// The server's clock.
    pub now: Option<Timestamp>,
    /// Client connections.
    pub connections: Option<u64>,
    /// Servers it believes to be up.
    pub active_servers: Option<u64>,
}

/// What ROUTEZ said.
#[derive(Clone, Debug, Default)]
pub struct RoutezRecord {
    /// Server id.
    pub server: SmolStr,
    /// Peers, each once, sorted by id.
    pub peers: Vec<PeerRecord>,
}

/// A peer as ROUTEZ names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerRecord {
    /// Server id.
    pub id: SmolStr,
    /// Server name.
    pub name: SmolStr,
    /// Address.
    pub ip: Option<SmolStr>,
}

/// What ACCOUNTZ said.
#[derive(Clone, Debug, Default)]
pub struct AccountzRecord {
    /// Server id.
    pub server: SmolStr,
    /// The system account.
    pub system_account: Option<SmolStr>,
    /// All accounts loaded.
    pub accounts: Vec<SmolStr>,
}

/// What LEAFZ said.
#[derive(Clone, Debug, Default)]
pub struct LeafzRecord {
    /// Server id of the side that answered.
    pub server: SmolStr,
    /// Leaf connections: name of the other side and account.
    pub leafs: Vec<(SmolStr, Option<SmolStr>)>,
}

/// One page of connections.
#[derive(Clone, Debug, Default)]
pub struct ConnzPage {
    /// Server id.
    pub server: SmolStr,
    /// Account the page is restricted to, if it is.
    pub account: Option<SmolStr>,
    /// Subject the page is restricted to, if it is.
    pub subject: Option<SmolStr>,
    /// First row.
    pub offset: u64,
    /// Most rows.
    pub limit: u64,
    /// Rows before filtering.
    pub total: Option<u64>,
    /// Rows in the page.
    pub rows: u64,
    /// Microseconds from the start of the epoch to the arrival.
    pub arrival_us: u64,
    /// The server's clock.
    pub now: Option<Timestamp>,
    /// Rows that have to do with services, or carry a JWT.
    pub connections: Arc<[ConnectionRecord]>,
}

/// A connection that announces, or listens to, services, or that logged in with a JWT.
#[derive(Clone, Debug, Default)]
pub struct ConnectionRecord {
    /// Connection id on its server.
    pub cid: u64,
    /// `Client`, `Leafnode`, …
    pub kind: SmolStr,
    /// Name.
    pub name: Option<SmolStr>,
    /// Language of the client.
    pub lang: Option<SmolStr>,
    /// Version of the client library.
    pub version: Option<SmolStr>,
    /// Address.
    pub ip: Option<SmolStr>,
    /// Account, if the row tells it.
    pub account: Option<SmolStr>,
    /// Display name of the account, if the row tells it.
    pub account_name: Option<SmolStr>,
    /// Start of the connection.
    pub start: Option<Timestamp>,
    /// End of a closed connection.
    pub stop: Option<Timestamp>,
    /// Why a closed connection ended.
    pub reason: Option<SmolStr>,
    /// Services it announces literally, as (name, instance id), sorted; the id is empty where
    /// only `$SRV.<verb>.<name>` is listed.
    pub announces: Vec<(SmolStr, SmolStr)>,
    /// Whether it listens to `$SRV` by wildcard.
    pub taps: bool,
    /// What it logged in with, in operator mode.
    pub credential: Option<Credential>,
}

/// What a service instance answered.
#[derive(Clone, Debug)]
pub struct ServiceRecord {
    /// Verb.
    pub endpoint: Endpoint,
    /// Account id of the connection that asked.
    pub account: Option<SmolStr>,
    /// What it answered.
    pub told: Arc<InstanceTold>,
    /// Microseconds from the start of the epoch to the arrival.
    pub arrival_us: u64,
}

/// What stands in the reply of a service instance.
#[derive(Clone, Debug)]
pub struct InstanceTold {
    /// Service name.
    pub name: SmolStr,
    /// Instance id.
    pub id: SmolStr,
    /// Version of the application.
    pub version: Option<SmolStr>,
    /// Metadata, empty if unset; none if it cannot be read.
    pub metadata: Option<Arc<BTreeMap<String, String>>>,
    /// Start of the service.
    pub started: Option<Timestamp>,
    /// Endpoints, where the verb tells them, sorted; each once where it tells no numbers. None if
    /// they cannot be read.
    pub endpoints: Option<Arc<[ServedEndpoint]>>,
}

/// An endpoint of a service instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServedEndpoint {
    /// Name.
    pub name: SmolStr,
    /// Subject.
    pub subject: SmolStr,
    /// Queue group; empty if it is switched off, none if it is not announced.
    pub queue_group: Option<SmolStr>,
    /// Keys of its metadata (INFO only), none of them if unset; nothing if it cannot be read.
    pub metadata_keys: Option<BTreeSet<SmolStr>>,
    /// Requests since the start (STATS only).
    pub requests: Option<u64>,
    /// Errors since the start (STATS only).
    pub errors: Option<u64>,
}

/// Something a server published by itself.
#[derive(Clone, Debug)]
pub struct EventRecord {
    /// When it was heard, by the collector's clock.
    pub arrival: Timestamp,
    /// What it says.
    pub what: What,
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum What {
    /// A server leaves.
    Farewell {
        /// Server id.
        server: SmolStr,
        /// How.
        leave: Leave,
    },
    /// A connection ended.
    Disconnect {
        /// Server id.
        server: SmolStr,
        /// Connection id.
        cid: u64,
        /// Why, in the server's words.
        reason: SmolStr,
        /// Name the client chose.
        name: Option<SmolStr>,
        /// When, by the server's clock.
        stop: Option<Timestamp>,
    },
}

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

    /// Start by the collector's clock.
    pub fn time(&self) -> Timestamp {
        self.header.start
    }

    /// Whether the recording is whole and every request got what was counted on.
    pub fn complete(&self) -> bool {
        self.whole && self.end.as_ref().is_some_and(|end| end.complete)
    }
}

impl ConnzPage {
    pub(crate) fn restrict(&mut self, filter: Option<&FilterLine>, account: Option<&str>) {
        self.account = filter
            .and_then(|filter| filter.account.clone())
            .or_else(|| account.map(str::to_owned))
            .map(SmolStr::from);
        self.subject = filter.and_then(|filter| filter.subject.clone()).map(SmolStr::from);
    }
}
