//! Which endpoint a reply is of, by its keys.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::wire::REPLY_TYPE_PREFIX;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A key, borrowed where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Keys of one object, each once.
#[derive(Default)]
pub(super) struct Keys<'a>(BTreeSet<Cow<'a, str>>);

impl<'a> Keys<'a> {
    /// Takes one, and gives it back.
    pub(super) fn add(&mut self, Key(key): Key<'a>) -> Result<Cow<'a, str>, String> {
        if !self.0.insert(key.clone()) {
            return Err(format!("the key `{}` twice", crate::problem::shortened(&key)));
        }
        Ok(key)
    }

    fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.0.contains(*key))
    }

    fn only(&self, keys: &[&str]) -> bool {
        self.0.iter().all(|key| keys.contains(&&**key))
    }
}

/// What a reply tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised<'a> {
    /// Which endpoint it is of. Replies that are empty look all the same and are of none.
    pub endpoint: Option<Endpoint>,
    /// Id of the server that sent it, where the reply itself says it.
    pub server_id: Option<Cow<'a, str>>,
    /// The server's clock when it answered, where the reply itself says it.
    pub now: Option<Timestamp>,
}

/// Tells by its content which endpoint a reply without envelope is of.
///
/// Fails where it is no object, or one with a key twice.
pub fn recognise(body: &str) -> Result<Recognised<'_>, serde_json::Error> {
    let signs: Signs<'_> = serde_json::from_str(body)?;
    let endpoint = signs.service().or_else(|| signs.monitoring()).or_else(|| signs.nested());
    let now = signs.now.and_then(text).and_then(|now| now.parse().ok());
    Ok(Recognised { endpoint, server_id: signs.server_id.and_then(text), now })
}

/// A value if it is text.
fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(value.get()).ok().map(|Key(text)| text)
}

/// What an object is recognised by.
#[derive(Default)]
struct Signs<'a> {
    keys: Keys<'a>,
    server_id: Option<&'a RawValue>,
    now: Option<&'a RawValue>,
    reply_type: Option<&'a RawValue>,
    connections: Option<&'a RawValue>,
    /// The first value that is an object.
    first: Option<&'a RawValue>,
    /// Whether all values are objects.
    objects: bool,
}

impl Signs<'_> {
    fn service(&self) -> Option<Endpoint> {
        let kind = self.reply_type.and_then(text)?;
        match kind.strip_prefix(REPLY_TYPE_PREFIX)? {
            "ping_response" => Some(Endpoint::SRV_PING),
            "info_response" => Some(Endpoint::SRV_INFO),
            "stats_response" => Some(Endpoint::SRV_STATS),
            _ => None,
        }
    }

    /// Replies of servers have keys that no other has.
    fn monitoring(&self) -> Option<Endpoint> {
        let table: [(&[&str], Endpoint); 13] = [
            (&["num_connections", "connections"], Endpoint::CONNZ),
            (&["num_routes", "routes"], Endpoint::ROUTEZ),
            (&["outbound_gateways", "inbound_gateways"], Endpoint::GATEWAYZ),
            (&["leafnodes", "leafs"], Endpoint::LEAFZ),
            (&["num_subscriptions", "num_cache"], Endpoint::SUBSZ),
            (&["memory", "storage", "streams", "consumers"], Endpoint::JSZ),
            (&["account_statz"], Endpoint::ACCOUNT_STATZ),
            (&["server_id", "account_detail"], Endpoint::ACCOUNTZ_DETAIL),
            (&["server_id", "now", "accounts"], Endpoint::ACCOUNTZ),
            (&["memstats", "cmdline"], Endpoint::EXPVARZ),
            (&["server_id", "version", "start", "mem", "in_msgs"], Endpoint::VARZ),
            (&["start", "mem", "cores", "sent", "received"], Endpoint::STATSZ),
            (&["user", "account"], Endpoint::USER_INFO),
        ];
        let found = table.into_iter().find(|(keys, _)| self.keys.has(keys)).map(|(_, name)| name);
        let health = ["status", "status_code", "error", "errors"];
        if found.is_none() && self.keys.has(&["status"]) && self.keys.only(&health) {
            return Some(Endpoint::HEALTHZ);
        }
        let closed = found == Some(Endpoint::CONNZ) && self.are_closed();
        if closed { Some(Endpoint::CONNZ_CLOSED) } else { found }
    }

    /// Whether the connections are closed ones: every one has an end. A list without any looks
    /// like one of open connections.
    fn are_closed(&self) -> bool {
        #[derive(Deserialize)]
        struct Connection {
            stop: Option<IgnoredAny>,
        }
        let connections = self.connections.map(|list| serde_json::from_str(list.get()));
        let Some(Ok(connections)) = connections else { return false };
        let connections: Vec<Connection> = connections;
        !connections.is_empty() && connections.iter().all(|connection| connection.stop.is_some())
    }

    /// Replies whose keys are names: queues, or accounts with their groups.
    fn nested(&self) -> Option<Endpoint> {
        let keys = |value: &RawValue| {
            serde_json::from_str::<Signs<'_>>(value.get())
                .ok()
                .map(|signs| signs.keys.has(&["pending"]))
        };
        let first = self.first.filter(|_| self.objects)?;
        if keys(first)? {
            return Some(Endpoint::IPQUEUESZ);
        }
        let groups: Signs<'_> = serde_json::from_str(first.get()).ok()?;
        let group: Signs<'_> = serde_json::from_str(groups.first?.get()).ok()?;
        group.keys.has(&["id", "state", "size"]).then_some(Endpoint::RAFTZ)
    }
}

impl<'de> Deserialize<'de> for Signs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Signs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Signs<'de>, A::Error> {
                let mut signs = Signs { objects: true, ..Signs::default() };
                while let Some(key) = map.next_key()? {
                    let key = signs.keys.add(key).map_err(A::Error::custom)?;
                    let value: &RawValue = map.next_value()?;
                    match &*key {
                        "server_id" => signs.server_id = Some(value),
                        "now" => signs.now = Some(value),
                        "type" => signs.reply_type = Some(value),
                        "connections" => signs.connections = Some(value),
                        _ => {}
                    }
                    let object = value.get().starts_with('{');
                    signs.objects &= object;
                    if object && signs.first.is_none() {
                        signs.first = Some(value);
                    }
                }
                Ok(signs)
            }
        }
        deserializer.deserialize_map(Object)
    }
}
