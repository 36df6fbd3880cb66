//! GATEWAYZ: connections between clusters, asked for with `accounts`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::tolerant::{block, field, named, named_rows, rows};

/// GATEWAYZ. Everything but `server_id` and `now` is missing or empty where no gateway is
/// configured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Gatewayz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub now: Option<Cow<'a, str>>,
    /// The server's own cluster, as its gateway block names it.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// By remote cluster, the one connection this server made to it. A remote that cannot be
    /// reached is not in it.
    #[serde(borrow, deserialize_with = "named")]
    pub outbound_gateways: BTreeMap<String, Gateway<'a>>,
    /// By remote cluster, the connections its servers made to this one. May be empty while the
    /// outbound one stands: other servers of this cluster can have them all.
    #[serde(borrow, deserialize_with = "named_rows")]
    pub inbound_gateways: BTreeMap<String, Vec<Gateway<'a>>>,
}

/// One connection to or from a remote cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Gateway<'a> {
    /// Whether this server's configuration names the remote cluster. For inbound connections
    /// `false` (2.10 to 2.15), configured or not.
    #[serde(deserialize_with = "field")]
    pub configured: Option<bool>,
    /// The connection itself.
    #[serde(borrow, deserialize_with = "block")]
    pub connection: Option<GatewayConnection<'a>>,
    /// Interest per account; only where the request says `accounts`.
    #[serde(borrow, deserialize_with = "rows")]
    pub accounts: Vec<GatewayAccount<'a>>,
}

/// The connection behind a gateway; the same shape as a row of CONNZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GatewayConnection<'a> {
    /// Connection id, unique while the server process lives.
    #[serde(deserialize_with = "field")]
    pub cid: Option<u64>,
    /// Id (not name) of the server at the other side.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Start of the connection, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub start: Option<Cow<'a, str>>,
    /// Round trip as Go duration text such as `285µs`; missing before the first ping was answered.
    #[serde(borrow, deserialize_with = "field")]
    pub rtt: Option<Cow<'a, str>>,
    /// Bytes waiting to be sent.
    #[serde(deserialize_with = "field")]
    pub pending_bytes: Option<u64>,
}

/// How one account uses a gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GatewayAccount<'a> {
    /// Account: name, or id in operator mode.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// `Optimistic`, `Transitioning` or `Interest-Only`.
    #[serde(borrow, deserialize_with = "field")]
    pub interest_mode: Option<Cow<'a, str>>,
    /// Subjects the other side said it has no interest in; omitted when zero.
    #[serde(deserialize_with = "field")]
    pub no_interest_count: Option<u64>,
    /// Subscriptions of the other side; omitted when zero.
    #[serde(deserialize_with = "field")]
    pub num_subs: Option<u64>,
}
