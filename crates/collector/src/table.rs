//! Everything that can be asked of servers, one row per endpoint.
//!
//! Another endpoint is another row: how it is asked, paged, scrubbed and recorded follows from it.

use bytes::Bytes;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{FilterLine, PageLine};
use serde_json::{Map, Value};

use crate::record::Secretive;

/// Rows of a page. The default of servers: larger pages risk the limit of pending bytes.
const PAGE: u64 = 1024;

/// How servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// All at once, and those that did not answer one by one. For small answers.
    Broadcast,
    /// One by one, only so many at a time. For answers that can be large.
    Directed,
}

/// What the body of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// Open connections with accounts and subscriptions.
    OpenConnections,
    /// The same of closed connections.
    ClosedConnections,
}

/// How much of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// It is no list.
    None,
    /// Page by page, until one is short.
    All,
    /// The first page: what is beyond it is old.
    First,
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
    /// What the request says.
    pub(crate) body: Body,
    /// Whether and how it is paged.
    pub(crate) paging: Paging,
    /// Whether servers compress it when asked to.
    pub(crate) compressed: bool,
    /// Fields that can carry credentials.
    pub(crate) secretive: &'static [Secretive],
    /// Path over HTTP, if it is asked there.
    pub(crate) http: Option<&'static str>,
}

const CONNECTION_SECRETS: &[Secretive] =
    &[Secretive::UserName("authorized_user"), Secretive::JwtSignature("jwt")];

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
    body: Body::Empty,
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
    Row { endpoint: &Endpoint::ACCOUNTZ, token: "ACCOUNTZ", http: None, ..VARZ };

/// The peers of a server.
pub(crate) const ROUTEZ: Row = Row {
    endpoint: &Endpoint::ROUTEZ,
    token: "ROUTEZ",
    way: Way::Directed,
    http: Some("/routez"),
    ..VARZ
};

/// The leaf connections of a server.
pub(crate) const LEAFZ: Row =
    Row { endpoint: &Endpoint::LEAFZ, token: "LEAFZ", http: Some("/leafz"), ..ROUTEZ };

/// Open connections.
pub(crate) const CONNZ: Row = Row {
    endpoint: &Endpoint::CONNZ,
    token: "CONNZ",
    way: Way::Directed,
    body: Body::OpenConnections,
    paging: Paging::All,
    compressed: true,
    secretive: CONNECTION_SECRETS,
    http: Some("/connz"),
};

/// Closed connections: a ring, so only its first page.
pub(crate) const CONNZ_CLOSED: Row = Row {
    endpoint: &Endpoint::CONNZ_CLOSED,
    body: Body::ClosedConnections,
    paging: Paging::First,
    ..CONNZ
};

/// What every server is asked for once it is known, in this order.
pub(crate) const OF_SERVERS: &[Row] = &[VARZ, ACCOUNTZ, ROUTEZ, LEAFZ];

/// What is asked over HTTP.
pub(crate) const OVER_HTTP: &[Row] = &[VARZ, ROUTEZ, LEAFZ, CONNZ, CONNZ_CLOSED];

/// All that is asked, as the header of an epoch says it.
pub(crate) const ASKED: &[Endpoint] = &[
    Endpoint::STATSZ,
    Endpoint::VARZ,
    Endpoint::ACCOUNTZ,
    Endpoint::CONNZ,
    Endpoint::CONNZ_CLOSED,
    Endpoint::ROUTEZ,
    Endpoint::LEAFZ,
    Endpoint::USER_INFO,
    Endpoint::SRV_PING,
    Endpoint::SRV_INFO,
    Endpoint::SRV_STATS,
];

impl Row {
    /// Subject that all servers listen on.
    pub(crate) fn broadcast(&self) -> String {
        format!("$SYS.REQ.SERVER.PING.{}", self.token)
    }

    /// Subject that one server listens on.
    pub(crate) fn directed(&self, server: &str) -> String {
        format!("$SYS.REQ.SERVER.{server}.{}", self.token)
    }

    /// The page that starts at a row of a list.
    pub(crate) fn page(&self, offset: u64) -> Option<PageLine> {
        (self.paging != Paging::None).then_some(PageLine { offset, limit: PAGE })
    }

    /// The body of a request.
    pub(crate) fn request(&self, page: Option<PageLine>, filter: Option<&FilterLine>) -> Bytes {
        if self.body == Body::Empty {
            return Bytes::new();
        }
        let mut body = Map::new();
        body.insert("auth".to_owned(), true.into());
        body.insert("subscriptions".to_owned(), true.into());
        if self.body == Body::ClosedConnections {
            body.insert("state".to_owned(), 1.into());
        }
        if let Some(page) = page {
            body.insert("offset".to_owned(), page.offset.into());
            body.insert("limit".to_owned(), page.limit.into());
        }
        if let Some(account) = filter.and_then(|filter| filter.account.as_deref()) {
            body.insert("acc".to_owned(), account.into());
        }
        if let Some(subject) = filter.and_then(|filter| filter.subject.as_deref()) {
            body.insert("filter_subject".to_owned(), subject.into());
        }
        Value::Object(body).to_string().into()
    }

    /// The path and query of a page over HTTP.
    pub(crate) fn url_path(&self, page: Option<PageLine>) -> Option<String> {
        let path = self.http?;
        let query = match self.body {
            Body::Empty => return Some(path.to_owned()),
            Body::OpenConnections => "auth=1&subs=1",
            Body::ClosedConnections => "auth=1&subs=1&state=closed",
        };
        Some(match page {
            Some(PageLine { offset, limit }) => {
                format!("{path}?{query}&offset={offset}&limit={limit}")
            }
            None => format!("{path}?{query}"),
        })
    }
}
