//! Replies of services: `$SRV.PING`, `$SRV.INFO`, `$SRV.STATS`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::list;

/// What the `type` of every reply of a service starts with; anything else on these subjects
/// (a stream's publish acknowledgement, say) is foreign.
pub const REPLY_TYPE_PREFIX: &str = "io.nats.micro.v1.";

/// A reply to any of the three verbs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceReply<'a> {
    /// `io.nats.micro.v1.ping_response` and its siblings.
    #[serde(borrow, rename = "type")]
    pub reply_type: Option<Cow<'a, str>>,
    /// Service name.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// Instance id.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    /// Version of the application; opaque text.
    #[serde(borrow)]
    pub version: Option<Cow<'a, str>>,
    /// Metadata; unset is `{}`, `null` or missing.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Start of the service, RFC 3339 (STATS only).
    #[serde(borrow)]
    pub started: Option<Cow<'a, str>>,
    /// Endpoints (INFO and STATS).
    #[serde(borrow, deserialize_with = "list")]
    pub endpoints: Vec<Endpoint<'a>>,
}

/// One endpoint of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Endpoint<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// Subject it serves.
    #[serde(borrow)]
    pub subject: Option<Cow<'a, str>>,
    /// Queue group it shares requests in.
    #[serde(borrow)]
    pub queue_group: Option<Cow<'a, str>>,
    /// Requests served since the start (STATS only).
    pub num_requests: Option<u64>,
    /// Errors answered since the start (STATS only).
    pub num_errors: Option<u64>,
}
