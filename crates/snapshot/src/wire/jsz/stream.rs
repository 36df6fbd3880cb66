//! Streams in JSZ.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::tolerant::{block, field, labels, rows, texts};
use super::cluster::RaftMembers;
use super::consumer::Consumer;

/// One stream, on a server that has a replica of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stream<'a> {
    /// Name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// When it was made, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub created: Option<Cow<'a, str>>,
    /// Who keeps it.
    #[serde(borrow, deserialize_with = "block")]
    pub cluster: Option<RaftMembers<'a>>,
    /// Configuration.
    #[serde(borrow, deserialize_with = "block")]
    pub config: Option<StreamConfig<'a>>,
    /// What is in it here.
    #[serde(borrow, deserialize_with = "block")]
    pub state: Option<StreamState<'a>>,
    /// Consumers with a replica here. One with fewer replicas than the stream may be on other
    /// servers only.
    #[serde(borrow, deserialize_with = "rows")]
    pub consumer_detail: Vec<Consumer<'a>>,
    /// How far the copy of another stream is; told by the leader of a mirror.
    #[serde(borrow, deserialize_with = "block")]
    pub mirror: Option<SourceState<'a>>,
    /// How far the copies of other streams are; told by the leader.
    #[serde(borrow, deserialize_with = "rows")]
    pub sources: Vec<SourceState<'a>>,
    /// Raft group, told with one replica too.
    #[serde(borrow, deserialize_with = "field")]
    pub stream_raft_group: Option<Cow<'a, str>>,
    /// Raft groups of the consumers.
    #[serde(borrow, deserialize_with = "rows")]
    pub consumer_raft_groups: Vec<AssetGroup<'a>>,
}

/// The Raft group of a consumer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AssetGroup<'a> {
    /// Consumer.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Raft group.
    #[serde(borrow, deserialize_with = "field")]
    pub raft_group: Option<Cow<'a, str>>,
}

/// What is in a stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StreamState<'a> {
    /// Messages.
    #[serde(deserialize_with = "field")]
    pub messages: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "field")]
    pub bytes: Option<u64>,
    /// First sequence; last + 1 in an empty stream that was used.
    #[serde(deserialize_with = "field")]
    pub first_seq: Option<u64>,
    /// Last sequence.
    #[serde(deserialize_with = "field")]
    pub last_seq: Option<u64>,
    /// When the last message came, RFC 3339; `0001-01-01T00:00:00Z` for never.
    #[serde(borrow, deserialize_with = "field")]
    pub last_ts: Option<Cow<'a, str>>,
    /// Subjects with messages; omitted when zero.
    #[serde(deserialize_with = "field")]
    pub num_subjects: Option<u64>,
    /// Sequences missing between first and last; omitted when zero.
    #[serde(deserialize_with = "field")]
    pub num_deleted: Option<u64>,
    /// Consumers with a replica here, not of the stream as a whole.
    #[serde(deserialize_with = "field")]
    pub consumer_count: Option<u64>,
}

/// How far a copy of another stream is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SourceState<'a> {
    /// The stream that is copied.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Messages it is behind, as last heard.
    #[serde(deserialize_with = "field")]
    pub lag: Option<u64>,
    /// How long ago something was heard, ns; -1 for never.
    #[serde(deserialize_with = "field")]
    pub active: Option<i64>,
    /// Why it does not get on; omitted while it does.
    #[serde(borrow, deserialize_with = "block")]
    pub error: Option<SourceError<'a>>,
    /// The one subject that is copied; omitted for all.
    #[serde(borrow, deserialize_with = "field")]
    pub filter_subject: Option<Cow<'a, str>>,
}

/// Why a copy does not get on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SourceError<'a> {
    /// As in HTTP.
    #[serde(deserialize_with = "field")]
    pub code: Option<i64>,
    /// Number of the error in the JetStream API.
    #[serde(deserialize_with = "field")]
    pub err_code: Option<i64>,
    /// In words.
    #[serde(borrow, deserialize_with = "field")]
    pub description: Option<Cow<'a, str>>,
}

/// Configuration of a stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StreamConfig<'a> {
    /// Name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Subjects it takes; missing in a mirror.
    #[serde(borrow, deserialize_with = "texts")]
    pub subjects: Vec<Cow<'a, str>>,
    /// `limits`, `interest` or `workqueue`.
    #[serde(borrow, deserialize_with = "field")]
    pub retention: Option<Cow<'a, str>>,
    /// `file` or `memory`.
    #[serde(borrow, deserialize_with = "field")]
    pub storage: Option<Cow<'a, str>>,
    /// `old` or `new`: what a full stream refuses.
    #[serde(borrow, deserialize_with = "field")]
    pub discard: Option<Cow<'a, str>>,
    /// Replicas.
    #[serde(deserialize_with = "field")]
    pub num_replicas: Option<u64>,
    /// Most consumers; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_consumers: Option<i64>,
    /// Most messages; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_msgs: Option<i64>,
    /// Most bytes; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_bytes: Option<i64>,
    /// Oldest message, ns; 0 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_age: Option<i64>,
    /// Most messages of a subject; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_msgs_per_subject: Option<i64>,
    /// Largest message, bytes; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_msg_size: Option<i64>,
    /// How long doubles are looked for, ns; omitted in a mirror.
    #[serde(deserialize_with = "field")]
    pub duplicate_window: Option<i64>,
    /// `none` or `s2`.
    #[serde(borrow, deserialize_with = "field")]
    pub compression: Option<Cow<'a, str>>,
    /// Whether every replica answers reads.
    #[serde(deserialize_with = "field")]
    pub allow_direct: Option<bool>,
    /// Whether nothing can change any more.
    #[serde(deserialize_with = "field")]
    pub sealed: Option<bool>,
    /// Whether publishers get no acknowledgement; omitted when they do.
    #[serde(deserialize_with = "field")]
    pub no_ack: Option<bool>,
    /// The stream it copies; omitted where it is no mirror.
    #[serde(borrow, deserialize_with = "block")]
    pub mirror: Option<SourceConfig<'a>>,
    /// The streams it takes from; missing without any.
    #[serde(borrow, deserialize_with = "rows")]
    pub sources: Vec<SourceConfig<'a>>,
    /// Free text by name, thresholds under `io.nats.monitor.` among it. From 2.11 on the server
    /// adds `_nats.` names of its own.
    #[serde(deserialize_with = "labels")]
    pub metadata: BTreeMap<String, String>,
}

/// A stream that is copied.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SourceConfig<'a> {
    /// Its name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// The one subject that is copied; omitted for all.
    #[serde(borrow, deserialize_with = "field")]
    pub filter_subject: Option<Cow<'a, str>>,
}
