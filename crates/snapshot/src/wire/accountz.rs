//! ACCOUNTZ with `account`: one account in full.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::tolerant::{block, field, named, rows};

/// ACCOUNTZ of one account. An account the server does not have is an error instead, see
/// `docs/endpoints.md`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountzDetail<'a> {
    /// Server id.
    #[serde(borrow, deserialize_with = "field")]
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock, RFC 3339.
    #[serde(borrow, deserialize_with = "field")]
    pub now: Option<Cow<'a, str>>,
    /// Name of the system account.
    #[serde(borrow, deserialize_with = "field")]
    pub system_account: Option<Cow<'a, str>>,
    /// The account; `null` or missing where the server has none of this name.
    #[serde(borrow, deserialize_with = "block")]
    pub account_detail: Option<AccountDetail<'a>>,
}

/// One account. Limits stand only in the decoded JWT, so a server configured by file tells none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountDetail<'a> {
    /// Name, or id in operator mode.
    #[serde(borrow, deserialize_with = "field")]
    pub account_name: Option<Cow<'a, str>>,
    /// Display name; the name itself without operator mode. 2.10 omits it then.
    #[serde(borrow, deserialize_with = "field")]
    pub name_tag: Option<Cow<'a, str>>,
    /// Whether it is the system account; omitted when it is not.
    #[serde(deserialize_with = "field")]
    pub is_system: Option<bool>,
    /// Whether its JWT has expired.
    #[serde(deserialize_with = "field")]
    pub expired: Option<bool>,
    /// Whether it may use JetStream on this server.
    #[serde(deserialize_with = "field")]
    pub jetstream_enabled: Option<bool>,
    /// Client connections to this server.
    #[serde(deserialize_with = "field")]
    pub client_connections: Option<u64>,
    /// Leaf connections to this server.
    #[serde(deserialize_with = "field")]
    pub leafnode_connections: Option<u64>,
    /// Subscriptions on this server.
    #[serde(deserialize_with = "field")]
    pub subscriptions: Option<u64>,
    /// What it exports; missing without any.
    #[serde(borrow, deserialize_with = "rows")]
    pub exports: Vec<Export<'a>>,
    /// What it imports. The server adds imports from the system account of its own, among them
    /// `$JS.API.>`.
    #[serde(borrow, deserialize_with = "rows")]
    pub imports: Vec<Import<'a>>,
    /// JWT as text, without its signature in a recording; operator mode only.
    #[serde(borrow, deserialize_with = "field")]
    pub jwt: Option<Cow<'a, str>>,
    /// Claims of the JWT; operator mode only.
    #[serde(borrow, deserialize_with = "block")]
    pub decoded_jwt: Option<AccountClaims<'a>>,
    /// What is wrong with the JWT; operator mode only.
    #[serde(borrow, deserialize_with = "rows")]
    pub validation_result_jwt: Vec<JwtIssue<'a>>,
}

/// Something an account lets others import.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Export<'a> {
    /// Subject, often a wildcard.
    #[serde(borrow, deserialize_with = "field")]
    pub subject: Option<Cow<'a, str>>,
    /// `stream` or `service`.
    #[serde(rename = "type", borrow, deserialize_with = "field")]
    pub kind: Option<Cow<'a, str>>,
    /// Whether an importer needs an activation token; omitted when not.
    #[serde(deserialize_with = "field")]
    pub token_required: Option<bool>,
}

/// Something an account uses of another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Import<'a> {
    /// Name of the import in the JWT; omitted in config files.
    #[serde(borrow, deserialize_with = "field")]
    pub name: Option<Cow<'a, str>>,
    /// Subject in the exporting account.
    #[serde(borrow, deserialize_with = "field")]
    pub subject: Option<Cow<'a, str>>,
    /// The exporting account: name, or id in operator mode.
    #[serde(borrow, deserialize_with = "field")]
    pub account: Option<Cow<'a, str>>,
    /// Subject in the importing account of a service, and the older way to say it of a stream.
    #[serde(borrow, deserialize_with = "field")]
    pub to: Option<Cow<'a, str>>,
    /// Subject in the importing account.
    #[serde(borrow, deserialize_with = "field")]
    pub local_subject: Option<Cow<'a, str>>,
    /// `stream` or `service`.
    #[serde(rename = "type", borrow, deserialize_with = "field")]
    pub kind: Option<Cow<'a, str>>,
    /// Activation token, where the export requires one.
    #[serde(borrow, deserialize_with = "field")]
    pub token: Option<Cow<'a, str>>,
    /// Whether the server does not honour it.
    #[serde(deserialize_with = "field")]
    pub invalid: Option<bool>,
}

/// The claims of an account's JWT. From the source of the server and its JWT library: recordings
/// are from systems configured by file, which have none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountClaims<'a> {
    /// Public key that signed it: the operator or one of its signing keys.
    #[serde(rename = "iss", borrow, deserialize_with = "field")]
    pub issuer: Option<Cow<'a, str>>,
    /// When it was signed, seconds since 1970.
    #[serde(rename = "iat", deserialize_with = "field")]
    pub issued_at: Option<i64>,
    /// When it ends, seconds since 1970; omitted where it does not.
    #[serde(rename = "exp", deserialize_with = "field")]
    pub expires: Option<i64>,
    /// What it grants.
    #[serde(deserialize_with = "block")]
    pub nats: Option<AccountGrants>,
}

/// The part of the claims that is about NATS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountGrants {
    /// Limits.
    #[serde(deserialize_with = "block")]
    pub limits: Option<AccountLimits>,
}

/// Limits of an account; -1 is unlimited, and what is omitted is 0.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountLimits {
    /// Subscriptions.
    #[serde(deserialize_with = "field")]
    pub subs: Option<i64>,
    /// Client connections.
    #[serde(deserialize_with = "field")]
    pub conn: Option<i64>,
    /// Leaf connections.
    #[serde(deserialize_with = "field")]
    pub leaf: Option<i64>,
    /// JetStream in memory, bytes.
    #[serde(deserialize_with = "field")]
    pub mem_storage: Option<i64>,
    /// JetStream on disk, bytes.
    #[serde(deserialize_with = "field")]
    pub disk_storage: Option<i64>,
    /// Streams.
    #[serde(deserialize_with = "field")]
    pub streams: Option<i64>,
    /// Consumers.
    #[serde(deserialize_with = "field")]
    pub consumer: Option<i64>,
    /// JetStream limits by number of replicas (`R1`, `R3`), instead of those above.
    #[serde(deserialize_with = "named")]
    pub tiered_limits: BTreeMap<String, TierLimits>,
}

/// JetStream limits of streams with one number of replicas; -1 is unlimited.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TierLimits {
    /// In memory, bytes.
    #[serde(deserialize_with = "field")]
    pub mem_storage: Option<i64>,
    /// On disk, bytes.
    #[serde(deserialize_with = "field")]
    pub disk_storage: Option<i64>,
    /// Streams.
    #[serde(deserialize_with = "field")]
    pub streams: Option<i64>,
    /// Consumers.
    #[serde(deserialize_with = "field")]
    pub consumer: Option<i64>,
}

/// One thing wrong with a JWT.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JwtIssue<'a> {
    /// In words.
    #[serde(borrow, deserialize_with = "field")]
    pub description: Option<Cow<'a, str>>,
    /// Whether it makes the JWT useless.
    #[serde(deserialize_with = "field")]
    pub blocking: Option<bool>,
    /// Whether it is about a time, such as expiry.
    #[serde(deserialize_with = "field")]
    pub time_check: Option<bool>,
}
