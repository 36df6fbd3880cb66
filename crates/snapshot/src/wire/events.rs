//! What servers publish by themselves.
//!
//! `$SYS.SERVER.<id>.SHUTDOWN` and `.LAMEDUCK` are a bare [`ServerInfo`] and the last message of a
//! server: one in lame duck mode says no SHUTDOWN any more, and neither says which clients it
//! disconnects (measured on 2.10.25, 2.12.8 and 2.15.1). Events of clients are [`ClientEvent`].

use std::borrow::Cow;

use serde::Deserialize;

use super::ServerInfo;

/// `$SYS.ACCOUNT.<account>.CONNECT` and `.DISCONNECT`, `$SYS.SERVER.<id>.CLIENT.AUTH.ERR`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClientEvent<'a> {
    /// Server of the connection.
    #[serde(borrow)]
    pub server: Option<ServerInfo<'a>>,
    /// The connection.
    #[serde(borrow)]
    pub client: Option<EventClient<'a>>,
    /// Why it ended, in the server's words; absent from CONNECT.
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
}

/// A connection as events show it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EventClient<'a> {
    /// Connection id, the `cid` of CONNZ.
    pub id: Option<u64>,
    /// Account.
    #[serde(borrow)]
    pub acc: Option<Cow<'a, str>>,
    /// Name the client chose.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// Language the client says it is written in.
    #[serde(borrow)]
    pub lang: Option<Cow<'a, str>>,
    /// Version of the client library.
    #[serde(borrow)]
    pub ver: Option<Cow<'a, str>>,
    /// `Client`, `Leafnode`, …
    #[serde(borrow)]
    pub kind: Option<Cow<'a, str>>,
    /// Start of the connection, RFC 3339.
    #[serde(borrow)]
    pub start: Option<Cow<'a, str>>,
    /// End of the connection, RFC 3339; absent from CONNECT.
    #[serde(borrow)]
    pub stop: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_states_of_every_field() {
        for text in ["{}", r#"{"server":null,"client":null,"reason":null}"#] {
            let event: ClientEvent<'_> = serde_json::from_str(text).expect("it parses");
            assert!(event.server.is_none() && event.client.is_none() && event.reason.is_none());
        }
        for text in [r#"{"client":{}}"#, r#"{"client":{"id":null,"acc":null,"stop":null,"new":1}}"#]
        {
            let event: ClientEvent<'_> = serde_json::from_str(text).expect("it parses");
            let client = event.client.expect("it is there");
            assert!(client.id.is_none() && client.acc.is_none() && client.stop.is_none());
        }
        let text = r#"{"type":"io.nats.server.advisory.v1.client_disconnect","server":{"name":"a2","id":"NBP"},"client":{"start":"2026-11-21T14:10:07.289852284Z","id":17,"acc":"APP","user":"[REDACTED]","name":"svc","lang":"python3","ver":"2.16.0","stop":"2026-11-21T14:10:07.292349972Z","kind":"Client"},"reason":"Client Closed"}"#;
        let event: ClientEvent<'_> = serde_json::from_str(text).expect("it parses");
        let client = event.client.expect("it is there");
        assert_eq!((client.id, client.name.as_deref()), (Some(17), Some("svc")));
        assert_eq!(client.stop.as_deref(), Some("2026-11-21T14:10:07.292349972Z"));
        assert_eq!(event.server.and_then(|server| server.id).as_deref(), Some("NBP"));
        assert_eq!(event.reason.as_deref(), Some("Client Closed"));
    }
}
