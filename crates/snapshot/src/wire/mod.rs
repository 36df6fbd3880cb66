//! Tolerant structs of the replies of NATS servers and services.
//!
//! They hold what the model reads and nothing else; unknown fields are passed over. Every field
//! may be missing, `null` or set, because servers from 2.9 to 2.15 and four client libraries
//! differ in all three. Text is borrowed from the reply where it can be.

mod connz;
mod jwt;
mod server;
mod service;

pub use connz::{Connection, Connz, Subscriptions};
pub use jwt::UserClaims;
pub use server::{
    Accountz, ApiError, Bare, Cluster, Envelope, Leaf, Leafz, Peer, Routez, ServerInfo, Statsz,
    UserInfo, Varz,
};
pub use service::{Endpoint as ServiceEndpoint, REPLY_TYPE_PREFIX, ServiceReply};

use serde::{Deserialize, Deserializer};

/// Reads a list that may be missing or `null` as empty.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}
