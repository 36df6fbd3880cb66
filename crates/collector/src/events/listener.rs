//! The task that takes events as they come, and holds them until an epoch asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use async_nats::{Client, Message};
use futures::FutureExt;
use futures::stream::{BoxStream, SelectAll, StreamExt};
use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, ListenedLine, Status};
use tokio::sync::{mpsc, oneshot};

use super::Hearing;
use super::held::{Count, Heard, Held};
use super::kinds::Kind;

/// Messages that are still taken once an epoch has asked: what had come before it asked is among
/// them, and a flood cannot keep it waiting.
const WAITING: usize = 1 << 16;

/// Which part of an epoch asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its beginning: only for what has come so far.
    Begin,
    /// Its end: for the rest, and for the word on how it was listened.
    End,
}

/// What an epoch gets.
struct Taken {
    events: Vec<Heard>,
    counts: Vec<Count>,
}

/// The ear of one connection.
pub(crate) struct Listener {
    kinds: &'static [Kind],
    client: Client,
    hearing: Arc<Hearing>,
    requests: mpsc::Sender<(Part, oneshot::Sender<Taken>)>,
}

impl Listener {
    /// Subscribes. The client library subscribes again whenever it connects again.
    pub(crate) async fn start(
        client: Client,
        kinds: &'static [Kind],
        hearing: Arc<Hearing>,
    ) -> Option<Self> {
        let mut messages: SelectAll<BoxStream<'static, (usize, Message)>> = SelectAll::new();
        for (number, kind) in kinds.iter().enumerate() {
            let subscription = client.subscribe(kind.subject).await.ok()?;
            messages.push(subscription.map(move |message| (number, message)).boxed());
        }
        hearing.begin(Timestamp::now());
        let (requests, queue) = mpsc::channel(1);
        let zero = Instant::now();
        let held = kinds.iter().map(|kind| Held::new(kind, zero)).collect();
        let task = Task { messages, held, hearing: Arc::clone(&hearing) };
        tokio::spawn(task.run(queue));
        Some(Self { kinds, client, hearing, requests })
    }

    /// What came since it was last asked, and at the end of an epoch how it was listened.
    pub(crate) async fn take(
        &self,
        part: Part,
        account: Option<&String>,
    ) -> (Vec<Heard>, Vec<CaptureLine>) {
        let (answer, taken) = oneshot::channel();
        // The task ends with the program only.
        let _ = self.requests.send((part, answer)).await;
        let Ok(Taken { events, counts }) = taken.await else { return Default::default() };
        if part == Part::Begin {
            return (events, Vec::new());
        }
        let connects = self.client.statistics().connects.load(Ordering::Relaxed);
        let listened = self.hearing.period(connects, Timestamp::now());
        let through = self.client.server_info().server_id;
        let capture = |(kind, count): (&Kind, Count)| CaptureLine {
            account: account.cloned(),
            through: Some(through.clone()).filter(|id| !id.is_empty()),
            ..self.capture(kind, count, &listened)
        };
        (events, self.kinds.iter().zip(counts).map(capture).collect())
    }

    fn capture(&self, kind: &Kind, count: Count, listened: &ListenedLine) -> CaptureLine {
        let denied = self.hearing.is_denied(kind.subject);
        let (status, note) = if denied {
            (Status::Denied, Some("the user may not subscribe to these events"))
        } else if count.dropped > 0 {
            (Status::Partial, Some("more events came than are kept; the rest is counted"))
        } else if listened.gaps.is_empty() {
            (Status::Ok, None)
        } else {
            (Status::Partial, Some("the connection broke, and what was published then is missing"))
        };
        CaptureLine {
            endpoint: Endpoint::EVENTS,
            subject: kind.subject.to_owned(),
            status,
            received: count.kept,
            note: note.map(str::to_owned),
            listened: (!denied)
                .then(|| ListenedLine { dropped: count.dropped, ..listened.clone() }),
            ..CaptureLine::default()
        }
    }
}

struct Task {
    messages: SelectAll<BoxStream<'static, (usize, Message)>>,
    held: Vec<Held>,
    hearing: Arc<Hearing>,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<(Part, oneshot::Sender<Taken>)>) {
        loop {
            tokio::select! {
                Some((number, message)) = self.messages.next() => self.hold(number, &message),
                request = queue.recv() => match request {
                    Some((part, answer)) => {
                        let taken = self.take(part);
                        let _ = answer.send(taken);
                    }
                    None => return,
                },
            }
        }
    }

    fn hold(&mut self, number: usize, message: &Message) {
        let now = Timestamp::now();
        self.hearing.heard(now);
        if let Some(held) = self.held.get_mut(number) {
            held.take(&message.subject, &message.payload, now, Instant::now());
        }
    }

    /// What came before the question may still wait in the subscriptions.
    fn take(&mut self, part: Part) -> Taken {
        for _ in 0..WAITING {
            match self.messages.next().now_or_never() {
                Some(Some((number, message))) => self.hold(number, &message),
                _ => break,
            }
        }
        let mut events: Vec<Heard> = self.held.iter_mut().flat_map(Held::events).collect();
        events.sort_by_key(|event| event.arrival);
        let counts = match part {
            Part::Begin => Vec::new(),
            Part::End => self.held.iter_mut().map(Held::count).collect(),
        };
        Taken { events, counts }
    }
}
