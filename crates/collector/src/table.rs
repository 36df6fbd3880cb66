//! Everything that can be asked of servers, one row per endpoint.
//!
//! Another endpoint is another row: how it is asked, paged, scrubbed and recorded follows from it.
//! The options of requests and their names over HTTP are those of nats-server (`monitor.go`).

use std::fmt::Write;

use bytes::Bytes;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{FilterLine, PageLine};

use crate::record::Secretive;

/// Connections of a page. The default of servers: larger pages risk the limit of pending bytes.
pub(crate) const CONNECTIONS: u64 = 1024;

/// Accounts of a page of JSZ. Each comes with all its streams and consumers, so pages are small.
const JETSTREAM_ACCOUNTS: u64 = 32;

/// How servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// All at once, and those that did not answer one by one. For small answers.
    Broadcast,
    /// All at once. There is no subject for one server, so who did not answer is asked with all
    /// the others again.
    BroadcastOnly,
    /// One by one, only so many at a time. For answers that can be large.
    Directed,
    /// One by one, as many at once as there is room for, with more patience. For answers that can be
    /// huge.
    Alone,
}

/// What is asked for in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All the server has.
    Server,
    /// One account. The text is the name of the option that says which.
    Account(&'static str),
}

/// How much of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// It is no list.
    None,
    /// Page by page, until one has fewer rows than this.
    All(u64),
    /// The first page: what is beyond it is old.
    First(u64),
}

/// One endpoint of servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Name in a snapshot.
    pub(crate) endpoint: &'static Endpoint,
    /// Last token of the subject.
    pub(crate) token: &'static str,
    /// How it is asked.
    pub(crate) way: Way,
    /// What is asked for.
    pub(crate) scope: Scope,
    /// Options of the request: members of a JSON object.
    options: &'static str,
    /// The same as a query over HTTP.
    query: &'static str,
    /// Whether and how it is paged.
    pub(crate) paging: Paging,
    /// Whether servers compress it when asked to.
    pub(crate) compressed: bool,
    /// Fields that can carry credentials.
    pub(crate) secretive: &'static [Secretive],
    /// Path over HTTP, if there is one.
    http: Option<&'static str>,
}

const CONNECTION_SECRETS: &[Secretive] =
    &[Secretive::UserName("authorized_user"), Secretive::JwtSignature("jwt")];

/// Imports carry the JWT that activates them.
const ACCOUNT_SECRETS: &[Secretive] =
    &[Secretive::JwtSignature("jwt"), Secretive::JwtSignature("token")];

/// Passwords can stand on command lines.
const PROCESS_SECRETS: &[Secretive] = &[Secretive::Texts("cmdline")];

/// User names are asked for nothing, and 2.10 answers the token itself where tokens log in.
pub(crate) const USER_SECRETS: &[Secretive] = &[
    Secretive::UserName("user"),
    Secretive::UserName("authorized_user"),
    Secretive::JwtSignature("jwt"),
];

/// Statistics; small, never compressed, and therefore also how servers are discovered.
pub(crate) const STATSZ: Row = Row {
    endpoint: &Endpoint::STATSZ,
    token: "STATSZ",
    way: Way::Broadcast,
    scope: Scope::Server,
    options: "",
    query: "",
    paging: Paging::None,
    compressed: false,
    secretive: &[],
    http: None,
};

/// What a server is and how it is configured.
pub(crate) const VARZ: Row = Row {
    endpoint: &Endpoint::VARZ,
    token: "VARZ",
    compressed: true,
    http: Some("/varz"),
    ..STATSZ
};

/// The accounts a server knows.
pub(crate) const ACCOUNTZ: Row =
    Row { endpoint: &Endpoint::ACCOUNTZ, token: "ACCOUNTZ", http: Some("/accountz"), ..VARZ };

/// Gateway connections, without what is per account.
const GATEWAYZ: Row =
    Row { endpoint: &Endpoint::GATEWAYZ, token: "GATEWAYZ", http: Some("/gatewayz"), ..VARZ };

/// Totals of subscriptions.
const SUBSZ: Row = Row { endpoint: &Endpoint::SUBSZ, token: "SUBSZ", http: Some("/subsz"), ..VARZ };

/// Health, with every error.
const HEALTHZ: Row = Row {
    endpoint: &Endpoint::HEALTHZ,
    token: "HEALTHZ",
    options: r#""details":true"#,
    query: "details=1",
    http: Some("/healthz"),
    ..VARZ
};

/// Queues inside a server, as far as something waits in them.
const IPQUEUESZ: Row =
    Row { endpoint: &Endpoint::IPQUEUESZ, token: "IPQUEUESZ", http: Some("/ipqueuesz"), ..VARZ };

/// Statistics of accounts. Those without connections too: a server that has none to tell of says
/// nothing at all.
const ACCOUNT_STATZ: Row = Row {
    endpoint: &Endpoint::ACCOUNT_STATZ,
    token: "STATZ",
    way: Way::BroadcastOnly,
    options: r#""include_unused":true"#,
    query: "unused=1",
    http: Some("/accstatz"),
    ..VARZ
};

/// The peers of a server.
pub(crate) const ROUTEZ: Row = Row {
    endpoint: &Endpoint::ROUTEZ,
    token: "ROUTEZ",
    way: Way::Directed,
    http: Some("/routez"),
    ..VARZ
};

/// The leaf connections of a server.
const LEAFZ: Row =
    Row { endpoint: &Endpoint::LEAFZ, token: "LEAFZ", http: Some("/leafz"), ..ROUTEZ };

/// One account in full.
const ACCOUNTZ_DETAIL: Row = Row {
    endpoint: &Endpoint::ACCOUNTZ_DETAIL,
    token: "ACCOUNTZ",
    scope: Scope::Account("account"),
    secretive: ACCOUNT_SECRETS,
    http: Some("/accountz"),
    ..ROUTEZ
};

/// Variables of the Go runtime.
const EXPVARZ: Row = Row {
    endpoint: &Endpoint::EXPVARZ,
    token: "EXPVARZ",
    secretive: PROCESS_SECRETS,
    http: Some("/debug/vars"),
    ..ROUTEZ
};

/// JetStream: accounts with their streams and consumers, their configuration and Raft groups.
pub(crate) const JSZ: Row = Row {
    endpoint: &Endpoint::JSZ,
    token: "JSZ",
    way: Way::Alone,
    options: r#""accounts":true,"streams":true,"consumer":true,"config":true,"raft":true"#,
    query: "accounts=1&streams=1&consumers=1&config=1&raft=1",
    paging: Paging::All(JETSTREAM_ACCOUNTS),
    http: Some("/jsz"),
    ..ROUTEZ
};

/// The Raft groups of an account; servers tell those of the system account if none is named.
pub(crate) const RAFTZ: Row = Row {
    endpoint: &Endpoint::RAFTZ,
    token: "RAFTZ",
    way: Way::Alone,
    scope: Scope::Account("account"),
    http: Some("/raftz"),
    ..ROUTEZ
};

/// Open connections.
pub(crate) const CONNZ: Row = Row {
    endpoint: &Endpoint::CONNZ,
    token: "CONNZ",
    scope: Scope::Account("acc"),
    options: r#""auth":true,"subscriptions":true"#,
    query: "auth=1&subs=1",
    paging: Paging::All(CONNECTIONS),
    secretive: CONNECTION_SECRETS,
    http: Some("/connz"),
    ..ROUTEZ
};

/// Closed connections: a ring, so only its first page.
pub(crate) const CONNZ_CLOSED: Row = Row {
    endpoint: &Endpoint::CONNZ_CLOSED,
    options: r#""auth":true,"subscriptions":true,"state":1"#,
    query: "auth=1&subs=1&state=closed",
    paging: Paging::First(CONNECTIONS),
    ..CONNZ
};

/// What every server is asked for once it is known, in this order.
pub(crate) const OF_SERVERS: &[Row] = &[
    VARZ,
    ACCOUNTZ,
    GATEWAYZ,
    SUBSZ,
    HEALTHZ,
    IPQUEUESZ,
    ACCOUNT_STATZ,
    LEAFZ,
    ACCOUNTZ_DETAIL,
    EXPVARZ,
    CONNZ,
    CONNZ_CLOSED,
    JSZ,
    RAFTZ,
];

/// What is asked over HTTP, in this order.
pub(crate) const OVER_HTTP: &[Row] = &[
    VARZ,
    ACCOUNTZ,
    ROUTEZ,
    LEAFZ,
    GATEWAYZ,
    SUBSZ,
    HEALTHZ,
    IPQUEUESZ,
    ACCOUNT_STATZ,
    ACCOUNTZ_DETAIL,
    EXPVARZ,
    CONNZ,
    CONNZ_CLOSED,
    JSZ,
    RAFTZ,
];

impl Row {
    /// Subject that all servers listen on.
    pub(crate) fn broadcast(&self) -> String {
        let whose = if self.way == Way::BroadcastOnly { "ACCOUNT" } else { "SERVER" };
        format!("$SYS.REQ.{whose}.PING.{}", self.token)
    }

    /// Subject that one server listens on.
    pub(crate) fn directed(&self, server: &str) -> String {
        format!("$SYS.REQ.SERVER.{server}.{}", self.token)
    }

    /// Whether it lists connections.
    pub(crate) fn lists_connections(&self) -> bool {
        self.token == CONNZ.token
    }

    /// Whether every page of it is asked for.
    pub(crate) fn lists_all(&self) -> bool {
        matches!(self.paging, Paging::All(_))
    }

    /// The page that starts at a row of a list.
    pub(crate) fn page(&self, offset: u64) -> Option<PageLine> {
        match self.paging {
            Paging::None => None,
            Paging::All(limit) | Paging::First(limit) => Some(PageLine { offset, limit }),
        }
    }

    /// Subject that one server is asked on.
    pub(crate) fn subject(&self, server: &str) -> String {
        if self.way == Way::BroadcastOnly { self.broadcast() } else { self.directed(server) }
    }

    /// Whether there may be another page behind this one.
    pub(crate) fn goes_on(&self, page: Option<PageLine>, rows: u64) -> bool {
        self.lists_all() && page.is_some_and(|page| rows >= page.limit)
    }

    /// The body of a request.
    pub(crate) fn request(&self, page: Option<PageLine>, filter: Option<&FilterLine>) -> Bytes {
        let mut members: Vec<String> = Vec::new();
        if !self.options.is_empty() {
            members.push(self.options.to_owned());
        }
        if let Some(page) = page {
            members.push(format!(r#""limit":{},"offset":{}"#, page.limit, page.offset));
        }
        let mut text = |name: &str, value: &str| {
            members.push(format!("{}:{}", serde_json::json!(name), serde_json::json!(value)));
        };
        if let Some(filter) = filter {
            if let (Scope::Account(option), Some(account)) = (self.scope, &filter.account) {
                text(option, account);
            }
            if let Some(subject) = &filter.subject {
                text("filter_subject", subject);
            }
        }
        if members.is_empty() { Bytes::new() } else { format!("{{{}}}", members.join(",")).into() }
    }

    /// The path and query over HTTP. Ports know no filter by subject.
    pub(crate) fn url_path(&self, page: Option<PageLine>, account: Option<&str>) -> Option<String> {
        let path = self.http?;
        let mut query = self.query.to_owned();
        let mut add = |part: String| {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&part);
        };
        if let Some(PageLine { offset, limit }) = page {
            add(format!("offset={offset}&limit={limit}"));
        }
        if let Some(account) = account {
            add(format!("acc={}", percent_encode(account)));
        }
        Some(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
    }
}

/// Names of accounts are nearly any text.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(account: &str) -> FilterLine {
        FilterLine { account: Some(account.to_owned()), subject: None }
    }

    #[test]
    fn requests_are_json_whatever_accounts_are_called() {
        let body = CONNZ.request(CONNZ.page(1024), Some(&filter("a\"b")));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        assert_eq!(
            value,
            serde_json::json!({"auth": true, "subscriptions": true, "limit": 1024, "offset": 1024,
                "acc": "a\"b"})
        );
        assert_eq!(VARZ.request(None, None), Bytes::new());
        assert_eq!(RAFTZ.request(None, Some(&filter("A"))), Bytes::from(r#"{"account":"A"}"#));
    }

    #[test]
    fn every_request_of_the_table_can_be_read_as_json() {
        for row in OF_SERVERS.iter().chain(OVER_HTTP) {
            let body = row.request(row.page(0), Some(&filter("A")));
            assert!(
                body.is_empty() || serde_json::from_slice::<serde_json::Value>(&body).is_ok(),
                "{}",
                row.token
            );
            assert!(row.url_path(row.page(0), Some("A")).is_some(), "{}", row.token);
        }
    }

    #[test]
    fn queries_are_escaped() {
        assert_eq!(RAFTZ.url_path(None, Some("a&b c")), Some("/raftz?acc=a%26b%20c".to_owned()));
        assert_eq!(VARZ.url_path(None, None), Some("/varz".to_owned()));
        assert_eq!(
            CONNZ_CLOSED.url_path(CONNZ_CLOSED.page(0), None),
            Some("/connz?auth=1&subs=1&state=closed&offset=0&limit=1024".to_owned())
        );
    }
}
