//! Statistics of accounts: `$SYS.REQ.ACCOUNT.PING.STATZ`.

use std::borrow::Cow;

use serde::Deserialize;

use super::tolerant::{block, field, rows};

/// The accounts of one server. Asked without `include_unused`, only those with connections; asked
/// for `accounts` by name, those of them it has, and no error for the others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountStatz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub now: Option<Cow<'a, str>>,
    /// The accounts, in no order; `null` without any.
    #[serde(borrow, deserialize_with = "rows")]
    pub account_statz: Vec<AccountStat<'a>>,
}

/// One account on one server. Counters begin with the server's process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountStat<'a> {
    /// Account: name, or id in operator mode.
    #[serde(rename = "acc", borrow, deserialize_with = "field")]
    pub account: Option<Cow<'a, str>>,
    /// Display name. From 2.11 on.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Client connections now.
    #[serde(deserialize_with = "field")]
    pub conns: Option<u64>,
    /// Leaf connections now.
    #[serde(deserialize_with = "field")]
    pub leafnodes: Option<u64>,
    /// The sum of both, now (not ever).
    #[serde(deserialize_with = "field")]
    pub total_conns: Option<u64>,
    /// Subscriptions now.
    #[serde(deserialize_with = "field")]
    pub num_subscriptions: Option<u64>,
    /// Sent by the server to connections of the account.
    #[serde(deserialize_with = "block")]
    pub sent: Option<Traffic>,
    /// Received by the server from connections of the account.
    #[serde(deserialize_with = "block")]
    pub received: Option<Traffic>,
    /// Connections closed or stalled because they were slow, ever.
    #[serde(deserialize_with = "field")]
    pub slow_consumers: Option<u64>,
}

/// Messages and bytes, of all kinds of connections together and of each.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Messages.
    #[serde(deserialize_with = "field")]
    pub msgs: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "field")]
    pub bytes: Option<u64>,
    /// Of these, over gateways. From 2.11 on.
    #[serde(deserialize_with = "block")]
    pub gateways: Option<Volume>,
    /// Of these, over routes. From 2.11 on.
    #[serde(deserialize_with = "block")]
    pub routes: Option<Volume>,
    /// Of these, over leaf connections. From 2.11 on.
    #[serde(deserialize_with = "block")]
    pub leafs: Option<Volume>,
}

/// Messages and bytes of one kind of connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Messages.
    #[serde(deserialize_with = "field")]
    pub msgs: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "field")]
    pub bytes: Option<u64>,
}
