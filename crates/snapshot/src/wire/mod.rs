//! Tolerant structs of the replies of NATS servers and services.
//!
//! They hold what the model reads and nothing else; unknown fields are passed over. Every field
//! may be missing, `null` or set, because servers from 2.9 to 2.15 and four client libraries
//! differ in all three. Text is borrowed from the reply where it can be.
//!
//! A server's number that is omitted when zero, and a flag omitted when false, stay `None` here:
//! only the doc of the field says what that means. A value of a type nobody expects reads as missing
//! and costs no more than its field. Fields say since which version they are there, measured on
//! 2.10.25, 2.10.26, 2.11.11, 2.12.8, 2.14.6 and 2.15.1; a table is in `docs/endpoints.md`.

mod account_statz;
mod accountz;
mod connz;
mod events;
mod expvarz;
mod fields;
mod gatewayz;
mod healthz;
mod ipqueuesz;
mod jsz;
mod jwt;
mod leafz;
mod raftz;
mod server;
mod service;
mod subsz;
mod tolerant;

pub use account_statz::{AccountStat, AccountStatz, Traffic, Volume};
pub use accountz::{
    AccountClaims, AccountDetail, AccountGrants, AccountLimits, AccountzDetail, Export, Import,
    JwtIssue, TierLimits,
};
pub use connz::{Connection, Connz, Subscriptions};
pub use events::{ClientEvent, EventClient};
pub use expvarz::{Expvarz, MemStats};
pub use fields::{Field, Fields};
pub use gatewayz::{Gateway, GatewayAccount, GatewayConnection, Gatewayz};
pub use healthz::{HealthError, Healthz};
pub use ipqueuesz::{IpQueue, IpQueuesz};
pub use jsz::{
    AccountStreams, AssetGroup, Consumer, ConsumerConfig, JetStreamAccount, JetStreamApi,
    JetStreamConfig, JetStreamStats, Jsz, JszStreams, ListedConfig, ListedMembers, ListedStream,
    MetaCluster, MetaSnapshot, PriorityGroup, RaftMembers, Replica, SequencePair, SourceConfig,
    SourceError, SourceState, Stream, StreamConfig, StreamState, VarzJetStream,
};
pub use jwt::UserClaims;
pub use leafz::{Leaf, Leafz};
pub use raftz::{RaftGroup, RaftGroups, RaftLog, RaftPeer, Raftz};
pub use server::{
    Accountz, ApiError, Bare, Cluster, Envelope, Peer, Routez, ServerInfo, Statsz, UserInfo, Varz,
};
pub use service::{
    Endpoint as ServiceEndpoint, Metadata as ServiceMetadata, REPLY_TYPE_PREFIX, ServiceOutline,
    ServiceReply, Told,
};
pub use subsz::Subsz;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// Reads text that may be missing or `null`, and borrows it where it holds no escapes: an
/// `Option<Cow>` alone would always be allocated.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
}

/// Reads a list that may be missing or `null` as empty.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}
