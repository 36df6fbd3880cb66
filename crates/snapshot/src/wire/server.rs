//! Replies of servers: the envelope, VARZ, STATSZ, ROUTEZ, ACCOUNTZ, USER.INFO.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tolerant::field;
use super::{list, text};

/// What every reply over `$SYS` but IDZ is wrapped in. Over HTTP there is no envelope. The reply
/// inside is left as text, or read in the same pass where `T` says as what.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Envelope<'a, T = &'a RawValue> {
    /// Who answered.
    #[serde(borrow, default)]
    pub server: Option<ServerInfo<'a>>,
    /// The reply, of all endpoints but STATSZ.
    #[serde(default = "none")]
    pub data: Option<T>,
    /// The reply of STATSZ and plain PING.
    #[serde(default = "none")]
    pub statsz: Option<T>,
    /// Why there is no reply.
    #[serde(borrow, default)]
    pub error: Option<ApiError<'a>>,
}

fn none<T>() -> Option<T> {
    None
}

/// Why a server refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApiError<'a> {
    /// As in HTTP.
    pub code: Option<i64>,
    /// In words.
    #[serde(borrow, deserialize_with = "text")]
    pub description: Option<Cow<'a, str>>,
}

/// The server part of an envelope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerInfo<'a> {
    /// Server id; new with every process.
    #[serde(borrow, deserialize_with = "text")]
    pub id: Option<Cow<'a, str>>,
    /// Server name; the id where none is configured.
    #[serde(borrow, deserialize_with = "text")]
    pub name: Option<Cow<'a, str>>,
    /// Cluster; a leaf server without one reports its own name.
    #[serde(borrow, deserialize_with = "text")]
    pub cluster: Option<Cow<'a, str>>,
    /// JetStream domain; omitted without one.
    #[serde(borrow, deserialize_with = "field")]
    pub domain: Option<Cow<'a, str>>,
    /// Version.
    #[serde(borrow, deserialize_with = "text")]
    pub ver: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub time: Option<Cow<'a, str>>,
    /// Whether JetStream runs; omitted when it does not.
    pub jetstream: Option<bool>,
}

/// VARZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Varz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "text")]
    pub server_id: Option<Cow<'a, str>>,
    /// Server name.
    #[serde(borrow, deserialize_with = "text")]
    pub server_name: Option<Cow<'a, str>>,
    /// Version.
    #[serde(borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
    /// Commit the binary was built from, short.
    #[serde(borrow, deserialize_with = "text")]
    pub git_commit: Option<Cow<'a, str>>,
    /// Go release the binary was built with.
    #[serde(borrow, deserialize_with = "text")]
    pub go: Option<Cow<'a, str>>,
    /// Client listen address.
    #[serde(borrow, deserialize_with = "text")]
    pub host: Option<Cow<'a, str>>,
    /// Client listen port.
    pub port: Option<u64>,
    /// Start of the process, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub start: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub now: Option<Cow<'a, str>>,
    /// Client connections.
    pub connections: Option<u64>,
    /// Servers connected by routes (`routes` counts pooled connections).
    pub remotes: Option<u64>,
    /// Messages received since the start, over connections of every kind.
    pub in_msgs: Option<u64>,
    /// Messages sent since the start, over connections of every kind.
    pub out_msgs: Option<u64>,
    /// Cluster block; empty without a cluster.
    #[serde(borrow)]
    pub cluster: Option<Cluster<'a>>,
    /// JetStream block; empty without JetStream.
    #[serde(borrow)]
    pub jetstream: Option<&'a RawValue>,
    /// JWTs of the operators, in operator mode.
    #[serde(borrow)]
    pub trusted_operators_jwt: Option<&'a RawValue>,
    /// What they say.
    #[serde(borrow)]
    pub trusted_operators_claim: Option<&'a RawValue>,
}

/// What a reply over HTTP, which has no envelope, says of its server: all of it in VARZ, little
/// more than the id in others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Bare<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "text")]
    pub server_id: Option<Cow<'a, str>>,
    /// Server name.
    #[serde(borrow, deserialize_with = "text")]
    pub server_name: Option<Cow<'a, str>>,
    /// Version.
    #[serde(borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub now: Option<Cow<'a, str>>,
    /// Cluster block of VARZ.
    #[serde(borrow)]
    pub cluster: Option<Cluster<'a>>,
    /// JetStream block of VARZ.
    #[serde(borrow)]
    pub jetstream: Option<&'a RawValue>,
}

/// The cluster block of VARZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cluster<'a> {
    /// Name.
    #[serde(borrow, deserialize_with = "text")]
    pub name: Option<Cow<'a, str>>,
}

/// STATSZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Statsz<'a> {
    /// Start of the process, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub start: Option<Cow<'a, str>>,
    /// Client connections.
    pub connections: Option<u64>,
    /// Servers this one believes to be up; too high for half a minute after a kill.
    pub active_servers: Option<u64>,
}

/// ROUTEZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Routez<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "text")]
    pub server_id: Option<Cow<'a, str>>,
    /// Server name.
    #[serde(borrow, deserialize_with = "text")]
    pub server_name: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "text")]
    pub now: Option<Cow<'a, str>>,
    /// Number of routes; set even where the list is omitted.
    pub num_routes: Option<u64>,
    /// One entry per pooled connection, so peers repeat.
    #[serde(borrow, deserialize_with = "list")]
    pub routes: Vec<Peer<'a>>,
}

/// One route of ROUTEZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Peer<'a> {
    /// Server id of the peer.
    #[serde(borrow, deserialize_with = "text")]
    pub remote_id: Option<Cow<'a, str>>,
    /// Name of the peer.
    #[serde(borrow, deserialize_with = "text")]
    pub remote_name: Option<Cow<'a, str>>,
    /// Address of the peer.
    #[serde(borrow, deserialize_with = "text")]
    pub ip: Option<Cow<'a, str>>,
}

/// ACCOUNTZ without a chosen account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Accountz<'a> {
    /// The system account.
    #[serde(borrow, deserialize_with = "text")]
    pub system_account: Option<Cow<'a, str>>,
    /// Names or, in operator mode, ids of all accounts the server has loaded.
    #[serde(borrow, deserialize_with = "list")]
    pub accounts: Vec<Cow<'a, str>>,
}

/// `$SYS.REQ.USER.INFO`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UserInfo<'a> {
    /// Account of the connection: name, or id in operator mode.
    #[serde(borrow, deserialize_with = "text")]
    pub account: Option<Cow<'a, str>>,
    /// Display name of the account, from 2.12 on in operator mode.
    #[serde(borrow, deserialize_with = "text")]
    pub account_name: Option<Cow<'a, str>>,
}
