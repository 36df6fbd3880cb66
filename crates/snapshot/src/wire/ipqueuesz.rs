//! IPQUEUESZ: queues inside a server.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::tolerant::{field, named};

/// IPQUEUESZ: queues by name. Only those with something in them, unless the request says `all`. From
/// 2.10.26 on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct IpQueuesz(#[serde(deserialize_with = "named")] pub BTreeMap<String, IpQueue>);

/// One queue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct IpQueue {
    /// Elements waiting.
    #[serde(deserialize_with = "field")]
    pub pending: Option<u64>,
    /// Elements being worked on; omitted when none.
    #[serde(deserialize_with = "field")]
    pub in_progress: Option<u64>,
}
