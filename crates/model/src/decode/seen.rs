//! What is seen in a reply without knowing the epoch it is of: so that replies can be decoded in any
//! order, by several threads.

use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Reply};

use super::Memo;
use super::texts::holds_longer;
use super::told::{self, Owners, Told};

/// What is seen in a reply.
pub(super) enum Seen {
    /// Nothing that belongs into a table.
    Nothing,
    /// What its body tells.
    Told(Told),
    /// Whose connections are whose.
    Owners(Owners),
    /// A list of streams: how many of them there is room for, only the epoch knows.
    Streams(Arc<[u8]>),
    /// A reply over HTTP and its URL: only the epoch knows whose it is.
    Bare(Arc<[u8]>, String),
    /// Why it cannot be read.
    Unreadable(String),
}

impl Seen {
    pub(super) fn of(line: &Reply<'_>, limits: &Limits, memo: &Memo) -> Self {
        let limit = limits.max_text;
        if line.body.is_some_and(|body| holds_longer(body.bytes(), limit)) {
            let why = format!("it holds a text longer than limit `max_text`, {limit} bytes");
            return Self::Unreadable(why);
        }
        if line.endpoint == Endpoint::USER_INFO {
            return Self::Nothing;
        }
        let url = line.source.as_deref().filter(|source| source.starts_with("http"));
        match (&line.body, url) {
            (None, _) => Self::Unreadable("the reply is not JSON".to_owned()),
            (Some(body), _) if line.endpoint == Endpoint::JSZ => {
                Self::Streams(Arc::from(body.bytes()))
            }
            (Some(body), Some(url)) if !told::is_service(&line.endpoint) => {
                Self::Bare(Arc::from(body.bytes()), url.to_owned())
            }
            (Some(body), _) if line.without_subscriptions => {
                told::owners(body).map_or_else(Self::Unreadable, Self::Owners)
            }
            (Some(body), _) => {
                let decode = || told::told(&line.endpoint, body, memo);
                Self::Told(memo.told(&line.endpoint, body.bytes(), decode))
            }
        }
    }
}
