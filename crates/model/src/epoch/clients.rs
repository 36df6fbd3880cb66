//! Who is connected: connections as servers list them, services as their instances answer, and what
//! servers publish of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::FilterLine;
use smol_str::SmolStr;

use crate::events::Leave;
use crate::users::Credential;

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

impl ConnzPage {
    pub(crate) fn restrict(&mut self, filter: Option<&FilterLine>, account: Option<&str>) {
        self.account = filter
            .and_then(|filter| filter.account.clone())
            .or_else(|| account.map(str::to_owned))
            .map(SmolStr::from);
        self.subject = filter.and_then(|filter| filter.subject.clone()).map(SmolStr::from);
    }
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
    /// Fields of another type than the protocol has.
    pub odd: Vec<&'static str>,
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
