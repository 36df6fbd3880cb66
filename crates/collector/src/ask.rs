//! One request and the answers to it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use nats_hindsight_snapshot::lines::{AttemptLine, Status};
use tokio::sync::OwnedSemaphorePermit;

use crate::connect::{Arrival, Link, SendError};
use crate::record::{Clock, micros};
use crate::unpack::{UnpackError, unpack};

/// What to ask, and over which connection.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) link: &'a Link,
    pub(crate) subject: String,
    pub(crate) body: Bytes,
    pub(crate) compressed: bool,
}

/// An answer, unpacked.
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
    pub(crate) rtt_us: u64,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// What an answer means for the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Not an answer to this question: somebody else listens on the subject.
    Foreign,
    /// Counted; there may be more.
    More,
    /// Counted; everybody who was expected has answered.
    AllIn,
    /// Counted; there is no other.
    Done,
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the first answer, and in all.
    pub(crate) most: Duration,
    /// For another answer after one.
    pub(crate) stall: Duration,
    /// For a newcomer once all expected answers are in.
    pub(crate) after_all: Duration,
}

/// How an attempt went.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) line: AttemptLine,
    /// Id of the server the connection was attached to.
    pub(crate) through: String,
    /// Answers that counted.
    pub(crate) received: u64,
    pub(crate) note: Option<&'static str>,
}

/// What has come so far, short of an answer that counts.
#[derive(Default)]
struct Tally {
    received: u64,
    foreign: bool,
    broken: Option<UnpackError>,
    lost: bool,
}

impl Tally {
    /// How the attempt ended, if nothing but answers and time decided.
    fn status(&self) -> (Status, Option<&'static str>) {
        match (self.received, self.broken) {
            (1.., _) => (Status::Ok, None),
            (0, Some(UnpackError::TooLarge)) => {
                (Status::TooLarge, Some("the answer has more than 64 MiB unpacked"))
            }
            (0, Some(UnpackError::Malformed)) => {
                (Status::Malformed, Some("the answer could not be unpacked"))
            }
            (0, None) if self.lost => (Status::Timeout, Some("the connection broke")),
            (0, None) if self.foreign => (Status::Timeout, Some("foreign reply")),
            (0, None) => (Status::Timeout, None),
        }
    }
}

/// Sends a request and hands every answer to `take` as it comes.
pub(crate) async fn ask(
    request: &Request<'_>,
    clock: &Clock,
    patience: Patience,
    mut take: impl AsyncFnMut(Answer) -> Next,
) -> Attempt {
    let link = request.link;
    let sent = link.send(&request.subject, &request.body, request.compressed, patience.most).await;
    let mut sent = match sent {
        Ok(sent) => sent,
        Err(error) => return unsent(link, clock, error),
    };
    let latest = sent.at + patience.most;
    let mut until = latest;
    let mut tally = Tally::default();
    let mut verdict = None;
    while let Some(arrival) = sent.waiting.next(until).await {
        match arrival {
            Arrival::Message(message) => {
                let at = message.at;
                let answer = match unpack(message.payload, message.gzip) {
                    Ok(body) => Answer {
                        body,
                        at,
                        rtt_us: micros(sent.at, at),
                        permit: Some(message.permit),
                    },
                    Err(error) => {
                        tally.broken = Some(error);
                        continue;
                    }
                };
                match take(answer).await {
                    Next::Foreign => tally.foreign = true,
                    next => {
                        tally.received += 1;
                        until = (Instant::now() + wait_after(next, patience)).min(latest);
                    }
                }
            }
            Arrival::NoResponders if tally.received == 0 => {
                verdict = Some((Status::NoResponders, None));
                break;
            }
            Arrival::NoResponders => {}
            Arrival::Denied => {
                verdict = Some((Status::Denied, Some(denied_note(link))));
                break;
            }
            Arrival::Lost => {
                tally.lost = true;
                break;
            }
        }
    }
    let ended = Instant::now();
    let (status, note) = match verdict {
        Some(verdict) if tally.received == 0 => verdict,
        _ => tally.status(),
    };
    Attempt {
        line: AttemptLine { at_us: clock.us(sent.at), waited_us: micros(sent.at, ended), status },
        through: sent.through,
        received: tally.received,
        note,
    }
}

fn wait_after(next: Next, patience: Patience) -> Duration {
    match next {
        Next::Foreign | Next::More => patience.stall,
        Next::AllIn => patience.after_all,
        Next::Done => Duration::ZERO,
    }
}

fn denied_note(link: &Link) -> &'static str {
    if link.inbox_denied() {
        "the user may not subscribe to its inbox (_INBOX.>): allow it, or use a context with an inbox prefix"
    } else {
        "the user may not publish on this subject"
    }
}

fn unsent(link: &Link, clock: &Clock, error: SendError) -> Attempt {
    let note = match error {
        SendError::NotConnected => "not connected",
        SendError::Subject => "this name cannot stand in a subject",
    };
    Attempt {
        line: AttemptLine {
            at_us: clock.us(Instant::now()),
            waited_us: 0,
            status: Status::Skipped,
        },
        through: link.through(),
        received: 0,
        note: Some(note),
    }
}
