//! Consumers in JSZ.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::tolerant::{block, field, labels, rows, texts};
use super::cluster::RaftMembers;

/// One consumer, on a server that has a replica of it. The leader's numbers count: a follower's
/// `num_pending` is stale.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Consumer<'a> {
    /// Stream.
    #[serde(rename = "stream_name", borrow, deserialize_with = "field")]
    pub stream: Option<Cow<'a, str>>,
    /// Name.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// When it was made, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub created: Option<Cow<'a, str>>,
    /// When the server looked, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub ts: Option<Cow<'a, str>>,
    /// Configuration; followers tell it too.
    #[serde(borrow, deserialize_with = "block")]
    pub config: Option<ConsumerConfig<'a>>,
    /// Last message delivered.
    #[serde(borrow, deserialize_with = "block")]
    pub delivered: Option<SequencePair<'a>>,
    /// Last message up to which all are acknowledged.
    #[serde(borrow, deserialize_with = "block")]
    pub ack_floor: Option<SequencePair<'a>>,
    /// Delivered and not acknowledged.
    #[serde(deserialize_with = "field")]
    pub num_ack_pending: Option<u64>,
    /// Of these, delivered more than once.
    #[serde(deserialize_with = "field")]
    pub num_redelivered: Option<u64>,
    /// Pull requests waiting.
    #[serde(deserialize_with = "field")]
    pub num_waiting: Option<u64>,
    /// Matching messages not delivered yet; right from the leader only.
    #[serde(deserialize_with = "field")]
    pub num_pending: Option<u64>,
    /// Whether somebody takes what a push consumer delivers; omitted when not.
    #[serde(deserialize_with = "field")]
    pub push_bound: Option<bool>,
    /// Who keeps it.
    #[serde(borrow, deserialize_with = "block")]
    pub cluster: Option<RaftMembers<'a>>,
    /// State of its priority groups. From 2.11 on.
    #[serde(borrow, deserialize_with = "rows")]
    pub priority_groups: Vec<PriorityGroup<'a>>,
}

/// A place in a consumer and its stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SequencePair<'a> {
    /// Deliveries up to here.
    #[serde(deserialize_with = "field")]
    pub consumer_seq: Option<u64>,
    /// Sequence in the stream.
    #[serde(deserialize_with = "field")]
    pub stream_seq: Option<u64>,
    /// When it last moved, RFC 3339; omitted where never.
    #[serde(borrow, deserialize_with = "field")]
    pub last_active: Option<Cow<'a, str>>,
}

/// One priority group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PriorityGroup<'a> {
    /// Name.
    #[serde(borrow, deserialize_with = "field")]
    pub group: Option<Cow<'a, str>>,
    /// Id of the pinned client; omitted without one.
    #[serde(borrow, deserialize_with = "field")]
    pub pinned_client_id: Option<Cow<'a, str>>,
    /// Since when it is pinned, RFC 3339; `0001-01-01T00:00:00Z` for never.
    #[serde(borrow, deserialize_with = "field")]
    pub pinned_ts: Option<Cow<'a, str>>,
}

/// Configuration of a consumer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConsumerConfig<'a> {
    /// Name of a durable consumer; omitted for an ephemeral one.
    #[serde(borrow, deserialize_with = "field")]
    pub durable_name: Option<Cow<'a, str>>,
    /// Where a push consumer delivers; omitted for a pull consumer.
    #[serde(borrow, deserialize_with = "field")]
    pub deliver_subject: Option<Cow<'a, str>>,
    /// `none`, `all` or `explicit`.
    #[serde(borrow, deserialize_with = "field")]
    pub ack_policy: Option<Cow<'a, str>>,
    /// How long an acknowledgement may take, ns; omitted without acknowledgements.
    #[serde(deserialize_with = "field")]
    pub ack_wait: Option<i64>,
    /// Most deliveries of one message; -1 is unlimited.
    #[serde(deserialize_with = "field")]
    pub max_deliver: Option<i64>,
    /// Most messages in flight; -1 is unlimited, omitted without acknowledgements.
    #[serde(deserialize_with = "field")]
    pub max_ack_pending: Option<i64>,
    /// The one subject it takes; omitted for all.
    #[serde(borrow, deserialize_with = "field")]
    pub filter_subject: Option<Cow<'a, str>>,
    /// The subjects it takes, if several.
    #[serde(borrow, deserialize_with = "texts")]
    pub filter_subjects: Vec<Cow<'a, str>>,
    /// Replicas; 0 for as many as the stream.
    #[serde(deserialize_with = "field")]
    pub num_replicas: Option<u64>,
    /// Its priority groups. From 2.11 on.
    #[serde(borrow, deserialize_with = "texts")]
    pub priority_groups: Vec<Cow<'a, str>>,
    /// `none`, `overflow`, `pinned_client` or `prioritized`; omitted for `none`. From 2.11 on.
    #[serde(borrow, deserialize_with = "field")]
    pub priority_policy: Option<Cow<'a, str>>,
    /// Free text by name, thresholds under `io.nats.monitor.` among it. From 2.11 on the server
    /// adds `_nats.` names of its own.
    #[serde(deserialize_with = "labels")]
    pub metadata: BTreeMap<String, String>,
}
