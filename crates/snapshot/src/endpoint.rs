//! The endpoints a snapshot can hold replies of.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Name of an endpoint as it stands in frames, replies and captures.
///
/// The set is open: a recording of a newer collector may name endpoints this build does not
/// know, so this is text with constants rather than an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Endpoint(Cow<'static, str>);

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Endpoint {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($text));)*
            /// Every endpoint this build knows, in the order of their names here.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

endpoints! {
    /// First frame of an epoch: the header line, not a reply of anybody.
    EPOCH = "epoch";
    /// Last frame of an epoch: totals, not a reply of anybody.
    END = "end";
    /// `$SYS.REQ.SERVER.PING.STATSZ` and `$SYS.REQ.SERVER.<id>.STATSZ`.
    STATSZ = "STATSZ";
    /// `$SYS.REQ.SERVER.*.VARZ`, HTTP `/varz`.
    VARZ = "VARZ";
    /// The list of accounts: `$SYS.REQ.SERVER.*.ACCOUNTZ`, HTTP `/accountz`.
    ACCOUNTZ = "ACCOUNTZ";
    /// One account in full: the same subject with `account`, HTTP `/accountz?acc=`.
    ACCOUNTZ_DETAIL = "ACCOUNTZ_DETAIL";
    /// Statistics of accounts: `$SYS.REQ.ACCOUNT.PING.STATZ`, HTTP `/accstatz`.
    ACCOUNT_STATZ = "ACCOUNT_STATZ";
    /// Open connections: `$SYS.REQ.SERVER.*.CONNZ`, `$SYS.REQ.ACCOUNT.PING.CONNZ`, HTTP `/connz`.
    CONNZ = "CONNZ";
    /// Closed connections: the same subjects with `state: 1`.
    CONNZ_CLOSED = "CONNZ_CLOSED";
    /// `$SYS.REQ.SERVER.*.ROUTEZ`, HTTP `/routez`.
    ROUTEZ = "ROUTEZ";
    /// Leaf connections: `$SYS.REQ.SERVER.*.LEAFZ`, HTTP `/leafz`.
    LEAFZ = "LEAFZ";
    /// Gateway connections: `$SYS.REQ.SERVER.*.GATEWAYZ`, HTTP `/gatewayz`.
    GATEWAYZ = "GATEWAYZ";
    /// Totals of subscriptions: `$SYS.REQ.SERVER.*.SUBSZ` without `subscriptions`, HTTP `/subsz`.
    SUBSZ = "SUBSZ";
    /// JetStream, page by page of accounts: `$SYS.REQ.SERVER.*.JSZ`, HTTP `/jsz`.
    JSZ = "JSZ";
    /// Health with details: `$SYS.REQ.SERVER.*.HEALTHZ`, HTTP `/healthz`.
    HEALTHZ = "HEALTHZ";
    /// Raft groups: `$SYS.REQ.SERVER.*.RAFTZ`, HTTP `/raftz`. From 2.10.26 on.
    RAFTZ = "RAFTZ";
    /// Queues inside a server: `$SYS.REQ.SERVER.*.IPQUEUESZ`, HTTP `/ipqueuesz`. From 2.10.26 on.
    IPQUEUESZ = "IPQUEUESZ";
    /// Variables of the Go runtime: `$SYS.REQ.SERVER.*.EXPVARZ`, HTTP `/debug/vars`.
    EXPVARZ = "EXPVARZ";
    /// What servers published of themselves between epochs: no reply, but `event` lines.
    EVENTS = "EVENTS";
    /// `$SYS.REQ.USER.INFO` on each connection.
    USER_INFO = "USER_INFO";
    /// `$SRV.PING`, also by name and by id.
    SRV_PING = "SRV_PING";
    /// `$SRV.INFO`, also by name and by id.
    SRV_INFO = "SRV_INFO";
    /// `$SRV.STATS`, also by name and by id.
    SRV_STATS = "SRV_STATS";
}

impl Endpoint {
    /// Verbs of the service protocol, which are asked in accounts.
    pub const VERBS: &'static [Self] = &[Self::SRV_PING, Self::SRV_INFO, Self::SRV_STATS];

    /// An endpoint by its text, known or not.
    pub fn named(text: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|known| known.as_str() == text)
            .cloned()
            .unwrap_or_else(|| Self(Cow::Owned(text.to_owned())))
    }

    /// The text as it stands in a snapshot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this build knows what the endpoint answers.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(self)
    }
}

/// One stands in every line, so that a known one is not allocated.
impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Endpoint;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an endpoint")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Endpoint, E> {
                Ok(Endpoint::named(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0.into_owned()
    }
}

impl From<&Endpoint> for String {
    fn from(endpoint: &Endpoint) -> Self {
        endpoint.as_str().to_owned()
    }
}
