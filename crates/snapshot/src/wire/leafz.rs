//! LEAFZ: leaf connections, at both of their ends.

use std::borrow::Cow;

use serde::Deserialize;

use super::tolerant::{field, rows};

/// LEAFZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Leafz<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// Leaf connections, one per account and remote. Missing, `null` or empty without any.
    #[serde(borrow, deserialize_with = "rows")]
    pub leafs: Vec<Leaf<'a>>,
}

/// One connection of LEAFZ.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Leaf<'a> {
    /// Name of the server at the other side.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Account it is bound to at this side.
    #[serde(borrow, deserialize_with = "field")]
    pub account: Option<Cow<'a, str>>,
    /// Whether this server is the leaf (`true`) or the hub.
    #[serde(deserialize_with = "field")]
    pub is_spoke: Option<bool>,
    /// Address of the other side.
    #[serde(borrow, deserialize_with = "field")]
    pub ip: Option<Cow<'a, str>>,
    /// Round trip as Go duration text such as `513µs`; omitted before it is known.
    #[serde(borrow, deserialize_with = "field")]
    pub rtt: Option<Cow<'a, str>>,
    /// Subscriptions known from the other side.
    #[serde(deserialize_with = "field")]
    pub subscriptions: Option<u64>,
    /// Mode in effect: `off`, `s2_uncompressed`, `s2_fast`, …; omitted where neither side
    /// compresses or knows of it.
    #[serde(borrow, deserialize_with = "field")]
    pub compression: Option<Cow<'a, str>>,
}
