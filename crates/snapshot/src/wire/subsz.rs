//! SUBSZ: totals of subscriptions.

use std::borrow::Cow;

use serde::Deserialize;

use super::tolerant::field;

/// SUBSZ without `subscriptions`: totals over all accounts of the server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Subsz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub now: Option<Cow<'a, str>>,
    /// Subscriptions now.
    #[serde(deserialize_with = "field")]
    pub num_subscriptions: Option<u64>,
    /// Subscriptions ever added since the process started.
    #[serde(deserialize_with = "field")]
    pub num_inserts: Option<u64>,
    /// Subscriptions ever removed since the process started.
    #[serde(deserialize_with = "field")]
    pub num_removes: Option<u64>,
    /// Most subscriptions that a cached subject matches.
    #[serde(deserialize_with = "field")]
    pub max_fanout: Option<u64>,
    /// Subscriptions that a cached subject matches on average; a fraction.
    #[serde(deserialize_with = "field")]
    pub avg_fanout: Option<f64>,
}
