//! What is seen in a reply without knowing the epoch it is of: so that replies can be decoded in any
//! order, by several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Body, Limits, Reply};

use super::Memo;
use super::memo::Sent;
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

/// Looks at replies.
pub(super) struct Sight<'a> {
    limits: &'a Limits,
    memo: &'a Memo,
    /// Whether no further reply counts.
    closed: AtomicBool,
}

impl<'a> Sight<'a> {
    pub(super) fn new(limits: &'a Limits, memo: &'a Memo) -> Self {
        Self { limits, memo, closed: AtomicBool::new(false) }
    }

    /// Looks at nothing from now on, if so.
    pub(super) fn close_if(&self, closed: bool) {
        if closed {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// What is seen in some replies. Bodies that may be known are looked up together.
    pub(super) fn of(&self, lines: &[&Reply<'_>]) -> Vec<Seen> {
        if self.closed.load(Ordering::Relaxed) {
            return lines.iter().map(|_| Seen::Nothing).collect();
        }
        let mut bodies = Vec::with_capacity(lines.len());
        let mut all: Vec<Seen> = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate() {
            all.push(match first_sight(line, self.limits.max_text) {
                Glance::Seen(seen) => seen,
                Glance::Body(body) => {
                    bodies.push((at, body));
                    Seen::Nothing
                }
            });
        }
        let sent: Vec<Sent<'_>> = bodies.iter().map(|(at, body)| sent(lines[*at], body)).collect();
        let told = self.memo.told(&sent, |piece| {
            let (at, body) = &bodies[piece];
            told::told(&lines[*at].endpoint, body, self.memo)
        });
        for ((at, _), told) in bodies.iter().zip(told) {
            all[*at] = Seen::Told(told);
        }
        all
    }
}

fn sent<'a>(line: &'a Reply<'_>, body: &Body<'a>) -> Sent<'a> {
    Sent {
        endpoint: &line.endpoint,
        source: line.source.as_deref(),
        first_row: line.page().map_or(0, |page| page.offset),
        body: body.bytes(),
    }
}

/// What one look tells.
enum Glance<'a> {
    /// All there is to see.
    Seen(Seen),
    /// A body that tells of its sender.
    Body(Body<'a>),
}

fn first_sight<'a>(line: &Reply<'a>, limit: u64) -> Glance<'a> {
    if line.body.is_some_and(|body| holds_longer(body.bytes(), limit)) {
        let why = format!("it holds a text longer than limit `max_text`, {limit} bytes");
        return Glance::Seen(Seen::Unreadable(why));
    }
    if line.endpoint == Endpoint::USER_INFO {
        return Glance::Seen(Seen::Nothing);
    }
    let url = line.source.as_deref().filter(|source| source.starts_with("http"));
    Glance::Seen(match (line.body, url) {
        (None, _) => Seen::Unreadable("the reply is not JSON".to_owned()),
        (Some(body), _) if line.endpoint == Endpoint::JSZ => Seen::Streams(Arc::from(body.bytes())),
        (Some(body), Some(url)) if !told::is_service(&line.endpoint) => {
            Seen::Bare(Arc::from(body.bytes()), url.to_owned())
        }
        (Some(body), _) if line.without_subscriptions() => {
            told::owners(&body).map_or_else(Seen::Unreadable, Seen::Owners)
        }
        (Some(body), _) => return Glance::Body(body),
    })
}
