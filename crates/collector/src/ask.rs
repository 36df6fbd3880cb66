//! One request and the answers to it.

use std::future::pending;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nats_hindsight_snapshot::lines::{AttemptLine, Status};
use tokio::sync::OwnedSemaphorePermit;

use crate::connect::{Arrival, Link, Role, SendError};
use crate::glance;
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

/// A request that is under way: what has come so far, and until when more is awaited.
struct Asked {
    at: Instant,
    patience: Patience,
    until: Instant,
    received: u64,
    foreign: bool,
    broken: Option<UnpackError>,
    lost: bool,
    refused: Option<Status>,
    /// Whether what came is all there is.
    done: bool,
}

/// What to do with an arrival.
enum Sorted {
    Answer(Answer),
    Nothing,
    End,
}

impl Asked {
    fn new(at: Instant, patience: Patience) -> Self {
        Self {
            at,
            patience,
            until: at + patience.most,
            received: 0,
            foreign: false,
            broken: None,
            lost: false,
            refused: None,
            done: false,
        }
    }

    fn sort(&mut self, arrival: Arrival) -> Sorted {
        match arrival {
            Arrival::Message(message) => match unpack(message.payload, message.gzip) {
                Ok(body) => Sorted::Answer(Answer {
                    body,
                    at: message.at,
                    rtt_us: micros(self.at, message.at),
                    permit: Some(message.permit),
                }),
                Err(error) => {
                    self.broken = Some(error);
                    Sorted::Nothing
                }
            },
            Arrival::NoResponders => {
                self.refused = Some(Status::NoResponders);
                Sorted::End
            }
            Arrival::Denied => {
                self.refused = Some(Status::Denied);
                Sorted::End
            }
            Arrival::Lost => {
                self.lost = true;
                Sorted::End
            }
        }
    }

    fn count(&mut self, next: Next) {
        let wait = match next {
            Next::Foreign => {
                self.foreign = true;
                return;
            }
            Next::More => self.patience.stall,
            Next::AllIn => self.patience.after_all,
            Next::Done => Duration::ZERO,
        };
        self.received += 1;
        self.done = next == Next::Done;
        self.until = (Instant::now() + wait).min(self.at + self.patience.most);
    }

    /// How the attempt ended. What came counts more than what did not.
    fn outcome(&self, link: &Link) -> (Status, Option<&'static str>) {
        match (self.received, &self.refused, self.broken) {
            // Others may have answered into a connection that was gone.
            (1.., ..) if self.lost => {
                (Status::Partial, Some("the connection broke while answers came"))
            }
            (1.., ..) => (Status::Ok, None),
            (0, Some(Status::Denied), _) => (Status::Denied, Some(denied_note(link))),
            (0, Some(refused), _) => (refused.clone(), None),
            (0, None, Some(UnpackError::TooLarge)) => {
                (Status::TooLarge, Some("the answer has more than 64 MiB unpacked"))
            }
            (0, None, Some(UnpackError::Malformed)) => {
                (Status::Malformed, Some("the answer could not be unpacked"))
            }
            // Nobody could have answered: that is no silence of whoever was asked.
            (0, None, None) if self.lost => (Status::Skipped, Some("the connection broke")),
            (0, None, None) if self.foreign => (Status::Timeout, Some("foreign reply")),
            (0, None, None) => (Status::Timeout, None),
        }
    }
}

/// Sends a request and hands every answer to `take` as it comes.
pub(crate) async fn ask(
    request: &Request<'_>,
    clock: &Clock,
    patience: Patience,
    take: impl AsyncFnMut(Answer) -> Next,
) -> Attempt {
    ask_unless(pending(), request, clock, patience, take).await
}

/// The same, but waits no longer once `lost` says that no answer can come any more.
pub(crate) async fn ask_unless(
    lost: impl Future<Output = ()>,
    request: &Request<'_>,
    clock: &Clock,
    patience: Patience,
    mut take: impl AsyncFnMut(Answer) -> Next,
) -> Attempt {
    let Request { link, subject, body, compressed } = request;
    let mut sent = match link.send(subject, body, *compressed, patience.most).await {
        Ok(sent) => sent,
        Err(error) => return unsent(link, clock, error),
    };
    let mut asked = Asked::new(sent.at, patience);
    let mut lost = pin!(lost);
    loop {
        let arrival = tokio::select! {
            biased;
            arrival = sent.waiting.next(asked.until) => arrival,
            () = &mut lost => None,
        };
        let Some(arrival) = arrival else { break };
        match asked.sort(arrival) {
            Sorted::Answer(answer) => asked.count(take(answer).await),
            Sorted::Nothing => {}
            Sorted::End => break,
        }
        if asked.done {
            break;
        }
    }
    let (status, note) = asked.outcome(link);
    Attempt {
        line: AttemptLine {
            at_us: clock.us(sent.at),
            waited_us: micros(sent.at, Instant::now()),
            status,
        },
        through: sent.through,
        received: asked.received,
        note,
    }
}

fn denied_note(link: &Link) -> &'static str {
    if link.inbox_denied() {
        "the user may not subscribe to its inbox (_INBOX.>): allow it, or use a context with an inbox prefix"
    } else {
        match link.spec.role {
            Role::System => {
                "the user may not publish on this subject: allow $SYS.REQ.SERVER.> and \
                 $SYS.REQ.USER.INFO"
            }
            Role::Account => {
                "the user may not publish on this subject: allow $SRV.>, \
                 $SYS.REQ.ACCOUNT.PING.CONNZ and $SYS.REQ.USER.INFO"
            }
        }
    }
}

fn unsent(link: &Link, clock: &Clock, error: SendError) -> Attempt {
    let note = match error {
        SendError::NotConnected => "not connected",
        SendError::Subject => glance::NO_TOKEN,
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
