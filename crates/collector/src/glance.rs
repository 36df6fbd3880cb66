//! The little that the collector itself reads of replies: enough to know whom to ask next.
//!
//! What cannot be read is recorded all the same and simply leads nowhere here.

use std::borrow::Cow;

use nats_hindsight_snapshot::wire::{
    Accountz, Connz, Envelope, REPLY_TYPE_PREFIX, Routez, ServiceReply, UserInfo, Varz,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// Who answered a request to servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) cluster: Option<String>,
    pub(crate) version: Option<String>,
}

/// The envelope of a reply: who, and the error, if it is one.
pub(crate) fn envelope(body: &[u8]) -> Option<(Server, Option<String>)> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    let server = envelope.server?;
    let server = Server {
        id: server.id.filter(|id| is_token(id))?.into_owned(),
        name: server.name.unwrap_or_default().into_owned(),
        cluster: server.cluster.map(Into::into),
        version: server.ver.map(Into::into),
    };
    let error = envelope.error.map(|error| match error.code {
        Some(code) => format!("the server answered with error {code}"),
        None => "the server answered with an error".to_owned(),
    });
    Some((server, error))
}

/// The inner part of a reply: under an envelope, or bare over HTTP.
fn data<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    let envelope: Envelope<'a> = serde_json::from_slice(body).ok()?;
    match envelope.data {
        Some(data) => serde_json::from_str(data.get()).ok(),
        None => serde_json::from_slice(body).ok(),
    }
}

/// Ids and names of the peers a server names.
pub(crate) fn peers(body: &[u8]) -> Vec<(String, String)> {
    let Some(routez) = data::<Routez<'_>>(body) else { return Vec::new() };
    let mut peers: Vec<(String, String)> = routez
        .routes
        .into_iter()
        .filter_map(|route| {
            let id = route.remote_id.filter(|id| is_token(id))?;
            Some((id.into_owned(), route.remote_name.unwrap_or_default().into_owned()))
        })
        .collect();
    peers.sort();
    peers.dedup();
    peers
}

/// Accounts a server knows.
pub(crate) fn accounts(body: &[u8]) -> Vec<String> {
    let accountz = data::<Accountz<'_>>(body).unwrap_or_default();
    accountz.accounts.into_iter().map(Into::into).collect()
}

/// How large a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ServerSize {
    /// Client connections.
    pub(crate) connections: u64,
    /// All there were since the start.
    pub(crate) total_connections: u64,
    /// Route connections.
    pub(crate) routes: u64,
    /// Leaf connections.
    #[serde(rename = "leafnodes")]
    pub(crate) leafs: u64,
    /// Gateways, as far as they are configured.
    #[serde(rename = "gateway", deserialize_with = "gateways")]
    pub(crate) gateways: u64,
}

fn gateways<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Gateway {
        gateways: Vec<IgnoredAny>,
    }
    Gateway::deserialize(deserializer).map(|gateway| gateway.gateways.len() as u64)
}

/// The size of a server from VARZ.
pub(crate) fn server_size(body: &[u8]) -> Option<ServerSize> {
    data(body)
}

/// Streams and consumers of a server, from the totals of JSZ.
pub(crate) fn jetstream_size(body: &[u8]) -> Option<(u64, u64)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Totals {
        streams: u64,
        consumers: u64,
    }
    let totals: Totals = data(body)?;
    Some((totals.streams, totals.consumers))
}

/// Ids of the accounts on a page of JSZ, one per row; nothing if it cannot be read. A server without
/// JetStream has none.
pub(crate) fn jetstream_accounts(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Jetstream<'a> {
        #[serde(borrow)]
        account_details: Option<Vec<Account<'a>>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Account<'a> {
        #[serde(borrow)]
        id: Option<Cow<'a, str>>,
    }
    let rows = data::<Jetstream<'_>>(body)?.account_details.unwrap_or_default();
    Some(rows.into_iter().map(|row| row.id.unwrap_or_default().into_owned()).collect())
}

/// Account of a connection and its display name.
pub(crate) fn account_of(body: &[u8]) -> Option<(String, Option<String>)> {
    let info: UserInfo<'_> = data(body)?;
    Some((info.account?.into_owned(), info.account_name.map(Into::into)))
}

/// Identity in VARZ over HTTP, where there is no envelope.
pub(crate) fn bare_server(body: &[u8]) -> Option<Server> {
    let varz: Varz<'_> = serde_json::from_slice(body).ok()?;
    Some(Server {
        id: varz.server_id.filter(|id| is_token(id))?.into_owned(),
        name: varz.server_name.unwrap_or_default().into_owned(),
        cluster: varz.cluster.and_then(|cluster| cluster.name).map(Into::into),
        version: varz.version.map(Into::into),
    })
}

/// One page of connections.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) rows: u64,
    pub(crate) cids: Vec<u64>,
    pub(crate) listed: Vec<Listed>,
}

/// An instance that a connection announces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Account of the connection, where the reply says it.
    pub(crate) account: Option<String>,
    pub(crate) account_name: Option<String>,
    pub(crate) service: String,
    /// Absent where only the service is announced.
    pub(crate) instance: Option<String>,
}

/// Reads a page of CONNZ.
pub(crate) fn page(body: &[u8]) -> Option<Page> {
    let connz: Connz<'_> = data(body)?;
    let mut page = Page { rows: connz.connections.len() as u64, ..Page::default() };
    for row in &connz.connections {
        page.cids.extend(row.cid);
        // A leaf connection carries the subscriptions of a whole side, none of which are here.
        if row.kind.as_deref() != Some("Client") {
            continue;
        }
        let mut seen: Vec<(&str, Option<&str>)> =
            row.subscriptions().filter_map(service_subject).collect();
        seen.sort_unstable();
        seen.dedup();
        page.listed.extend(seen.into_iter().map(|(service, instance)| Listed {
            account: row.account.as_deref().map(str::to_owned),
            account_name: row.name_tag.as_deref().map(str::to_owned),
            service: service.to_owned(),
            instance: instance.map(str::to_owned),
        }));
    }
    Some(page)
}

/// Service and instance that a literal subscription announces. Wildcards announce nobody.
fn service_subject(subject: &str) -> Option<(&str, Option<&str>)> {
    let mut parts = subject.strip_prefix("$SRV.")?.split('.');
    let verb = parts.next()?;
    let service = parts.next()?;
    let instance = parts.next();
    let literal = |text: &str| !matches!(text, "" | "*" | ">");
    let plain = matches!(verb, "PING" | "INFO" | "STATS")
        && literal(service)
        && instance.is_none_or(literal)
        && parts.next().is_none();
    plain.then_some((service, instance))
}

/// Name and id of the instance a service reply comes from; nothing if it is no service reply.
pub(crate) fn instance(body: &[u8]) -> Option<(String, String)> {
    let reply: ServiceReply<'_> = serde_json::from_slice(body).ok()?;
    let of_service =
        reply.reply_type.as_deref().is_some_and(|kind| kind.starts_with(REPLY_TYPE_PREFIX));
    if !of_service {
        return None;
    }
    let name = reply.name.filter(|name| !name.is_empty())?;
    let id = reply.id.filter(|id| !id.is_empty())?;
    Some((name.into_owned(), id.into_owned()))
}

/// Why something was not asked that is no such token.
pub(crate) const NO_TOKEN: &str = "this name cannot stand in a subject";

/// Whether a text can stand in a subject as one token: ids from replies are put into subjects, and
/// one with a wildcard or a dot would ask somebody else.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literal_subscriptions_announce_a_service() {
        assert_eq!(service_subject("$SRV.PING.a.1"), Some(("a", Some("1"))));
        assert_eq!(service_subject("$SRV.STATS.a"), Some(("a", None)));
        for other in
            ["$SRV.>", "$SRV.PING", "$SRV.PING.*", "$SRV.PING.a.>", "$SRV.X.a.1", "x.PING.a"]
        {
            assert_eq!(service_subject(other), None, "{other}");
        }
    }

    #[test]
    fn a_publish_acknowledgement_is_no_service() {
        assert_eq!(instance(br#"{"stream":"SRV", "seq":1}"#), None);
        let ping = br#"{"type":"io.nats.micro.v1.ping_response","name":"a","id":"1"}"#;
        assert_eq!(instance(ping), Some(("a".to_owned(), "1".to_owned())));
    }

    #[test]
    fn ids_that_would_ask_somebody_else_are_no_ids() {
        assert!(envelope(br#"{"server":{"id":"*"}}"#).is_none());
        assert!(
            envelope(br#"{"server":{"id":"N1"},"error":{"code":500}}"#)
                .is_some_and(|(server, error)| server.id == "N1" && error.is_some())
        );
    }

    #[test]
    fn leaf_rows_list_nobody() {
        let body = br#"{"data":{"connections":[
            {"cid":1,"kind":"Leafnode","subscriptions_list":["$SRV.PING.a.1"]},
            {"cid":2,"kind":"Client","account":"APP","subscriptions_list":["$SRV.PING.b.2","$SRV.INFO.b.2"]}]}}"#;
        let page = page(body).unwrap_or_default();
        assert_eq!((page.rows, page.cids.as_slice()), (2, [1, 2].as_slice()));
        assert_eq!(page.listed.len(), 1);
    }
}
