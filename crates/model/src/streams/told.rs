//! What one server says of the streams it keeps.

use jiff::Timestamp;
use std::sync::Arc;

use smol_str::SmolStr;

/// The streams in one reply to JSZ, or in one file of an archive.
#[derive(Clone, Debug, Default)]
pub struct JszRecord {
    /// Who says so.
    pub teller: Teller,
    /// Whether whoever gathered it says whose it is, and the reply itself does not: files of an
    /// archive with one stream each.
    pub filed: bool,
    /// Microseconds from the start of the epoch to the arrival.
    pub arrival_us: u64,
    /// The streams.
    pub streams: Vec<Arc<StreamTold>>,
}

/// The server that tells of streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Teller {
    /// Server id; none where only a name is known, and no server or several have it.
    pub server: Option<SmolStr>,
    /// Server name, if it is told.
    pub name: Option<SmolStr>,
    /// Cluster, if it is told.
    pub cluster: Option<SmolStr>,
    /// JetStream domain: empty where the server says that it has none, and none where it says
    /// nothing of it.
    pub domain: Option<SmolStr>,
}

/// A stream, as one server tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamTold {
    /// Id of its account; the name outside of operator mode.
    pub account: Option<SmolStr>,
    /// Display name of its account.
    pub account_name: Option<SmolStr>,
    /// Name.
    pub name: Option<SmolStr>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Cluster of the server; none of a server without one.
    pub cluster: Option<SmolStr>,
    /// Raft group.
    pub group: Option<SmolStr>,
    /// Name of the server that leads; none while there is none.
    pub leader: Option<SmolStr>,
    /// The other members of its group, by name.
    pub members: Vec<MemberTold>,
    /// How many replicas it is configured to have.
    pub configured: Option<u64>,
    /// Messages.
    pub messages: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// First sequence.
    pub first_seq: Option<u64>,
    /// Last sequence.
    pub last_seq: Option<u64>,
    /// Consumers with a replica on this server.
    pub consumers: Option<u64>,
}

/// A member of a group, as another one sees it. Only what the leader says of it is to be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberTold {
    /// Name of its server.
    pub name: SmolStr,
    /// Whether it is up to date.
    pub current: Option<bool>,
    /// Whether it has not been heard for a while; servers omit that where it has.
    pub offline: Option<bool>,
    /// Operations it is behind; servers omit that where it is none.
    pub lag: Option<u64>,
    /// How long ago it was heard, in nanoseconds; 0 for never.
    pub active_ns: Option<i64>,
}
