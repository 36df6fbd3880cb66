//! JSZ: JetStream of one server, asked for with `accounts`, `streams`, `consumer`, `config` and
//! `raft`.
//!
//! Every server tells of the streams it has a replica of, so one stream is in several replies.
//! Numbers of a stream are those of its leader's reply, the one whose server's name is
//! `cluster.leader`.

mod cluster;
mod consumer;
mod stream;
mod streams;

use std::borrow::Cow;

use serde::Deserialize;

use super::tolerant::{block, field, rows};
pub use cluster::{RaftMembers, Replica};
pub use consumer::{Consumer, ConsumerConfig, PriorityGroup, SequencePair};
pub use stream::{
    AssetGroup, SourceConfig, SourceError, SourceState, Stream, StreamConfig, StreamState,
};
pub use streams::{AccountStreams, JszStreams, ListedConfig, ListedMembers, ListedStream};

/// JSZ. The totals are of the whole server, whichever page or account was asked for. A server
/// without JetStream says `disabled` and zeros.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Jsz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub now: Option<Cow<'a, str>>,
    /// Whether JetStream is off; omitted when it runs.
    #[serde(deserialize_with = "field")]
    pub disabled: Option<bool>,
    /// Limits of the server.
    #[serde(borrow, deserialize_with = "block")]
    pub config: Option<JetStreamConfig<'a>>,
    /// Bytes of streams in memory here.
    #[serde(deserialize_with = "field")]
    pub memory: Option<u64>,
    /// Bytes of streams on disk here.
    #[serde(deserialize_with = "field")]
    pub storage: Option<u64>,
    /// Bytes promised to streams and accounts in memory.
    #[serde(deserialize_with = "field")]
    pub reserved_memory: Option<u64>,
    /// Bytes promised to streams and accounts on disk.
    #[serde(deserialize_with = "field")]
    pub reserved_storage: Option<u64>,
    /// Accounts with JetStream.
    #[serde(deserialize_with = "field")]
    pub accounts: Option<u64>,
    /// Replicas of Raft groups here, the meta group included.
    #[serde(deserialize_with = "field")]
    pub ha_assets: Option<u64>,
    /// Requests to the API.
    #[serde(deserialize_with = "block")]
    pub api: Option<JetStreamApi>,
    /// Replicas of streams here.
    #[serde(deserialize_with = "field")]
    pub streams: Option<u64>,
    /// Streams led here; omitted when zero. From 2.11 on.
    #[serde(deserialize_with = "field")]
    pub streams_leader: Option<u64>,
    /// Replicas of consumers here.
    #[serde(deserialize_with = "field")]
    pub consumers: Option<u64>,
    /// Consumers led here; omitted when zero. From 2.11 on.
    #[serde(deserialize_with = "field")]
    pub consumers_leader: Option<u64>,
    /// Messages of all replicas here.
    #[serde(deserialize_with = "field")]
    pub messages: Option<u64>,
    /// Their bytes.
    #[serde(deserialize_with = "field")]
    pub bytes: Option<u64>,
    /// The group that places streams and consumers; missing without a cluster.
    #[serde(borrow, deserialize_with = "block")]
    pub meta_cluster: Option<MetaCluster<'a>>,
    /// This page of accounts; on 2.10 in any order, then by name. Missing on a page past the end,
    /// and where no accounts were asked for.
    #[serde(borrow, deserialize_with = "rows")]
    pub account_details: Vec<JetStreamAccount<'a>>,
    /// Accounts of all pages. From 2.11 on: before, pages go on until one is short.
    #[serde(deserialize_with = "field")]
    pub total: Option<u64>,
}

/// Limits of a server; also the `config` of VARZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JetStreamConfig<'a> {
    /// Most bytes in memory.
    #[serde(deserialize_with = "field")]
    pub max_memory: Option<i64>,
    /// Most bytes on disk.
    #[serde(deserialize_with = "field")]
    pub max_storage: Option<i64>,
    /// Folder on the server.
    #[serde(borrow, deserialize_with = "field")]
    pub store_dir: Option<Cow<'a, str>>,
    /// Domain; omitted without one.
    #[serde(borrow, deserialize_with = "field")]
    pub domain: Option<Cow<'a, str>>,
    /// Tag that keeps replicas apart; omitted without one.
    #[serde(borrow, deserialize_with = "field")]
    pub unique_tag: Option<Cow<'a, str>>,
}

/// Requests to the JetStream API, since the process started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JetStreamApi {
    /// API level. From 2.11 on.
    #[serde(deserialize_with = "field")]
    pub level: Option<u64>,
    /// Requests.
    #[serde(deserialize_with = "field")]
    pub total: Option<u64>,
    /// Requests answered with an error.
    #[serde(deserialize_with = "field")]
    pub errors: Option<u64>,
    /// Requests being served now; omitted when zero.
    #[serde(deserialize_with = "field")]
    pub inflight: Option<u64>,
}

/// The meta group, as this server sees it; also the `meta` of VARZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MetaCluster<'a> {
    /// Cluster of this server.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Name of the server that leads; omitted while there is none.
    #[serde(borrow, deserialize_with = "field")]
    pub leader: Option<Cow<'a, str>>,
    /// Raft id of the leader; empty or missing while there is none.
    #[serde(borrow, deserialize_with = "field")]
    pub peer: Option<Cow<'a, str>>,
    /// The other members. Up to 2.14 the leader alone lists them, so without a leader nobody does.
    /// On 2.15 a follower does too, but vouches for the leader only and shows all others `current:
    /// false`; and without a leader a server lists all members, itself included.
    #[serde(borrow, deserialize_with = "rows")]
    pub replicas: Vec<Replica<'a>>,
    /// Members the group is meant to have, configured gateways included.
    #[serde(deserialize_with = "field")]
    pub cluster_size: Option<u64>,
    /// Members a decision needs. 2.15.
    #[serde(deserialize_with = "field")]
    pub quorum_needed: Option<u64>,
    /// Raft entries not applied yet.
    #[serde(deserialize_with = "field")]
    pub pending: Option<u64>,
    /// Requests to create or delete, waiting. From 2.14 on.
    #[serde(deserialize_with = "field")]
    pub pending_requests: Option<u64>,
    /// Requests for information, waiting. From 2.14 on.
    #[serde(deserialize_with = "field")]
    pub pending_infos: Option<u64>,
    /// The last snapshot of the group. From 2.11 on.
    #[serde(borrow, deserialize_with = "block")]
    pub snapshot: Option<MetaSnapshot<'a>>,
}

/// Snapshots of the meta group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MetaSnapshot<'a> {
    /// Entries since the last one.
    #[serde(deserialize_with = "field")]
    pub pending_entries: Option<u64>,
    /// Their bytes.
    #[serde(deserialize_with = "field")]
    pub pending_size: Option<u64>,
    /// When the last one was taken, RFC 3339; `0001-01-01T00:00:00Z` for never.
    #[serde(borrow, deserialize_with = "field")]
    pub last_time: Option<Cow<'a, str>>,
    /// How long it took, ns; omitted where none was taken.
    #[serde(deserialize_with = "field")]
    pub last_duration: Option<i64>,
}

/// One account with JetStream on this server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JetStreamAccount<'a> {
    /// Name, or display name in operator mode.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Name, or id in operator mode.
    #[serde(borrow, deserialize_with = "field")]
    pub id: Option<Cow<'a, str>>,
    /// Bytes in memory, of all servers as far as this one has heard.
    #[serde(deserialize_with = "field")]
    pub memory: Option<u64>,
    /// Bytes on disk, of all servers as far as this one has heard.
    #[serde(deserialize_with = "field")]
    pub storage: Option<u64>,
    /// Its limit in memory; 2^64-1 for none.
    #[serde(deserialize_with = "field")]
    pub reserved_memory: Option<u64>,
    /// Its limit on disk; 2^64-1 for none.
    #[serde(deserialize_with = "field")]
    pub reserved_storage: Option<u64>,
    /// Streams with a replica here, in no order; missing without any.
    #[serde(borrow, deserialize_with = "rows")]
    pub stream_detail: Vec<Stream<'a>>,
}

/// The `jetstream` block of VARZ: the same facts without streams. Empty without JetStream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VarzJetStream<'a> {
    /// Limits of the server.
    #[serde(borrow, deserialize_with = "block")]
    pub config: Option<JetStreamConfig<'a>>,
    /// What is in use.
    #[serde(deserialize_with = "block")]
    pub stats: Option<JetStreamStats>,
    /// The meta group.
    #[serde(borrow, deserialize_with = "block")]
    pub meta: Option<MetaCluster<'a>>,
}

/// What JetStream uses on a server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JetStreamStats {
    /// Bytes of streams in memory.
    #[serde(deserialize_with = "field")]
    pub memory: Option<u64>,
    /// Bytes of streams on disk.
    #[serde(deserialize_with = "field")]
    pub storage: Option<u64>,
    /// Bytes promised in memory.
    #[serde(deserialize_with = "field")]
    pub reserved_memory: Option<u64>,
    /// Bytes promised on disk.
    #[serde(deserialize_with = "field")]
    pub reserved_storage: Option<u64>,
    /// Accounts with JetStream.
    #[serde(deserialize_with = "field")]
    pub accounts: Option<u64>,
    /// Replicas of Raft groups, the meta group included.
    #[serde(deserialize_with = "field")]
    pub ha_assets: Option<u64>,
    /// Requests to the API.
    #[serde(deserialize_with = "block")]
    pub api: Option<JetStreamApi>,
}
