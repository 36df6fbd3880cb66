//! One page of an artifact, or one saved reply, and how it becomes a line.

use std::borrow::Cow;
use std::sync::Arc;

use nats_hindsight_bundle::{Reader, document};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Body, Further, Reply, UNTIMED};
use nats_hindsight_snapshot::lines::FilterLine;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::super::Problem;
use super::super::place::Place;
use super::identity::Known;
use super::streams;

/// Where the bytes of a page are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held<'a> {
    /// An entry of the container.
    Entry(usize),
    /// In memory.
    Bytes(&'a Arc<[u8]>),
}

/// What a page is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct What {
    pub(super) endpoint: Endpoint,
    /// Whether it holds one stream and nothing else.
    pub(super) of_stream: bool,
}

/// One page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) what: &'a What,
    /// Account it is restricted to.
    pub(super) account: Option<&'a Arc<str>>,
    /// What is known of the server where the page itself may not tell it.
    pub(super) server: Option<&'a Arc<Known>>,
    pub(super) held: Held<'a>,
}

/// Why a page is of no use.
pub(super) enum Useless {
    /// Something in the archive.
    Entry(nats_hindsight_bundle::Problem),
    /// It does not say whose it is, and nothing else does.
    Nameless,
    /// The input it is in cannot be read, which is told by itself.
    Lost,
}

/// How much a page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// All that is asked of its endpoint.
    All,
    /// Connections without what they listen to.
    Part,
}

impl Useless {
    pub(super) fn told(&self, uuid: &str, place: Option<&Place>, page: &Page<'_>) -> Problem {
        let of = page.server.map_or("a server", |known| &known.name);
        let (kind, text, entry) = match self {
            Self::Entry(problem) => (problem.kind, problem.text.as_str(), problem.entry.as_deref()),
            Self::Nameless => ("reply_nameless", "does not say which server it is from", None),
            Self::Lost => ("input_unreadable", "cannot be read", None),
        };
        let entry = entry.map(|entry| format!(", entry {entry}")).unwrap_or_default();
        Problem {
            epoch: Some(uuid.to_owned()),
            kind,
            text: format!("{} of {of}: {text}", page.what.endpoint),
            where_: place.map(|place| format!("{}{entry}", place.name)),
        }
    }
}

impl<'a> Page<'a> {
    /// Id of the server, where it is known.
    pub(super) fn target(&self) -> Option<&'a str> {
        self.server.and_then(|known| known.id.as_deref())
    }

    /// Reads the page and shows the reply in it.
    pub(super) fn show<T>(
        &self,
        reader: Option<&mut Reader<'_>>,
        look: impl FnOnce(&Reply<'_>) -> T,
    ) -> Result<(Told, T), Useless> {
        let bytes: &[u8] = match (self.held, reader) {
            (Held::Bytes(bytes), _) => bytes,
            (Held::Entry(index), Some(reader)) => reader.read(index).map_err(Useless::Entry)?,
            (Held::Entry(_), None) => return Err(Useless::Lost),
        };
        let body = self.in_envelope(bytes)?;
        // Lists of accounts never tell subscriptions, so nobody need look for them.
        let of_server = self.what.endpoint == Endpoint::CONNZ && self.account.is_none();
        let told = if of_server && !tells_subscriptions(&body) { Told::Part } else { Told::All };
        let reply = Reply { body: Some(Body::new(&body)), ..self.reply(told) };
        Ok((told, look(&reply)))
    }

    /// What is said of the reply, without its body.
    pub(super) fn reply(&self, told: Told) -> Reply<'a> {
        let What { endpoint, of_stream } = self.what;
        let account = self.account.map(ToString::to_string);
        let filter =
            (account.is_some() || *of_stream).then_some(FilterLine { account, subject: None });
        let further = Further {
            without_subscriptions: *endpoint == Endpoint::CONNZ
                && (told == Told::Part || self.account.is_some()),
            filter,
            ..Further::default()
        };
        Reply {
            endpoint: endpoint.clone(),
            subject: Cow::Borrowed(""),
            source: self.target().map(Cow::Borrowed),
            account: None,
            arrival_us: 0,
            rtt_us: UNTIMED,
            body: None,
            further: further.boxed(),
        }
    }

    /// The reply in its envelope; where it has none, in one made of what is known of the server.
    fn in_envelope<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Useless> {
        if Endpoint::VERBS.contains(&self.what.endpoint) || begins_with_server(bytes) {
            return Ok(Cow::Borrowed(bytes));
        }
        let document = document::split(bytes).map_err(Useless::Entry)?;
        if document.server.is_some() {
            return Ok(Cow::Borrowed(bytes));
        }
        if self.what.of_stream {
            let known = self.server.ok_or(Useless::Nameless)?;
            let stream = document.body.unwrap_or("null");
            let reply = streams::reply(known, self.account.map(AsRef::as_ref), stream);
            return Ok(Cow::Owned(reply.into_bytes()));
        }
        let known = self.server.filter(|known| known.id.is_some());
        let known = known.ok_or(Useless::Nameless)?;
        let server = json!({
            "id": known.id,
            "name": known.name,
            "cluster": known.cluster,
            "ver": known.version,
            "time": known.time,
            "jetstream": known.jetstream,
        });
        let data = document.body.unwrap_or("null");
        Ok(Cow::Owned(format!("{{\"server\":{server},\"data\":{data}}}").into_bytes()))
    }
}

/// Whether the outermost object begins with the server, as envelopes do: then it need not be taken
/// apart to know that it is one.
fn begins_with_server(bytes: &[u8]) -> bool {
    let rest = bytes.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(b"\"server\""));
    let rest = rest.map(<[u8]>::trim_ascii_start).and_then(|rest| rest.strip_prefix(b":"));
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
}

/// Whether a list of connections tells what they listen to: not where it was asked for without.
fn tells_subscriptions(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        subscriptions: u64,
        subscriptions_list: Option<IgnoredAny>,
        subscriptions_list_detail: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Rows {
        #[serde(default)]
        connections: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Envelope {
        data: Option<Rows>,
    }
    if memchr::memmem::find(body, b"\"subscriptions_list").is_some() {
        return true;
    }
    let Ok(Envelope { data: Some(rows) }) = serde_json::from_slice(body) else { return true };
    rows.connections.iter().all(|row| {
        row.subscriptions == 0
            || row.subscriptions_list.is_some()
            || row.subscriptions_list_detail.is_some()
    })
}
