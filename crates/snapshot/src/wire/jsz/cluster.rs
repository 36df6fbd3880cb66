//! Who keeps a stream or consumer.

use std::borrow::Cow;

use serde::Deserialize;

use super::super::tolerant::{field, rows};

/// The servers that keep a stream or consumer, as the server that answers sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RaftMembers<'a> {
    /// Cluster.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Raft group; omitted with one replica.
    #[serde(borrow, deserialize_with = "field")]
    pub raft_group: Option<Cow<'a, str>>,
    /// Name of the server that leads; omitted while there is none.
    #[serde(borrow, deserialize_with = "field")]
    pub leader: Option<Cow<'a, str>>,
    /// Since when it leads, RFC 3339; told by the leader only. From 2.11 on.
    #[serde(borrow, deserialize_with = "field")]
    pub leader_since: Option<Cow<'a, str>>,
    /// The others than the one that answers, so the leader's reply lists all followers and a
    /// follower's lists the leader. Without a leader all members are listed, the one that answers
    /// included. Missing with one replica.
    #[serde(borrow, deserialize_with = "rows")]
    pub replicas: Vec<Replica<'a>>,
}

/// One member, as the server that answers sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Replica<'a> {
    /// Name of its server.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Raft id.
    #[serde(borrow, deserialize_with = "field")]
    pub peer: Option<Cow<'a, str>>,
    /// Whether it is up to date. Only the leader knows: a follower says `false` of all but the
    /// leader, in a healthy group too.
    #[serde(deserialize_with = "field")]
    pub current: Option<bool>,
    /// Whether it has not been heard for a while; omitted when it has. At once after a clean end,
    /// some ten seconds after a kill.
    #[serde(deserialize_with = "field")]
    pub offline: Option<bool>,
    /// How long ago the one that answers heard of it, ns; 0 for never.
    #[serde(deserialize_with = "field")]
    pub active: Option<i64>,
    /// Operations it is behind; omitted when none. Right from the leader only: up to 2.11 followers
    /// tell a lag of others that have none.
    #[serde(deserialize_with = "field")]
    pub lag: Option<u64>,
}
