//! What replies of servers say of themselves and of each other.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use smol_str::SmolStr;

use crate::settings::Settings;

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
