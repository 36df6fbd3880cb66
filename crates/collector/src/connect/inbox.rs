//! Who waits for which answer on one connection.
//!
//! One wildcard subscription takes all answers; the last token of the subject says which request
//! an answer belongs to. So a request costs no subscription, many answers to one request are no
//! special case, and what the server says outside of answers (permission errors, a lost
//! connection) reaches the requests it concerns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{ClientError, Event, ServerError, StatusCode};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of answers that may wait in memory per connection, in units of [`UNIT`].
const BUDGET: u32 = 128 << 10;

/// What one permit of the budget stands for.
const UNIT: usize = 1 << 10;

/// After a (re)connect some servers say *no responders* for a moment though there are some.
const SETTLE: Duration = Duration::from_millis(100);

/// One answer.
pub(crate) struct Message {
    /// What was sent.
    pub(crate) payload: Bytes,
    /// `Content-Encoding: gzip`.
    pub(crate) gzip: bool,
    /// When it came.
    pub(crate) at: Instant,
    /// Its place in the budget, given back when it is dropped.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What can come back for a request.
pub(crate) enum Arrival {
    /// An answer.
    Message(Message),
    /// The server says that nobody subscribes.
    NoResponders,
    /// The server says that this user may not, in its own words.
    Denied,
    /// The connection broke.
    Lost,
}

#[derive(Default)]
struct Requests {
    next: u64,
    waiting: BTreeMap<u64, Entry>,
    inbox_denied: bool,
    connected: Option<Instant>,
    /// Since when the connection is awaited, while it is down.
    down: Option<Instant>,
    /// Whether the server no longer takes the credentials, as far as is known.
    refused: bool,
}

struct Entry {
    /// In lower case: some servers change the case of subjects in errors.
    subject: String,
    sender: mpsc::UnboundedSender<Arrival>,
}

/// The requests of one connection that wait for answers.
pub(crate) struct Inbox {
    /// Subject all answers come in on, in lower case, once it is known.
    subject: OnceLock<String>,
    requests: Mutex<Requests>,
    budget: Arc<Semaphore>,
}

impl Inbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            subject: OnceLock::new(),
            requests: Mutex::default(),
            budget: Arc::new(Semaphore::new(BUDGET as usize)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says on which subject answers come in, before it is subscribed to.
    pub(super) fn listens_on(&self, subject: &str) {
        let _ = self.subject.set(subject.to_lowercase());
    }

    /// Registers a request before it is sent.
    pub(super) fn wait_for(self: &Arc<Self>, subject: &str) -> Waiting {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut requests = self.lock();
        if requests.inbox_denied {
            // No answer could ever come in; the server said so once, when the inbox was opened.
            let _ = sender.send(Arrival::Denied);
        }
        let token = requests.next;
        requests.next += 1;
        requests.waiting.insert(token, Entry { subject: subject.to_lowercase(), sender });
        Waiting { token, receiver, inbox: Arc::clone(self) }
    }

    /// Begins to wait anew for a connection that is down.
    pub(super) fn hope(&self) {
        let mut requests = self.lock();
        requests.down = requests.connected.is_none().then(Instant::now);
    }

    /// Waits until the connection stands for [`SETTLE`], and while it is down at most until it has
    /// been down for `limit`: all requests of an epoch together wait so long, not each of them.
    pub(super) async fn settled(&self, limit: Duration) -> bool {
        let until = self.lock().down.unwrap_or_else(Instant::now) + limit;
        loop {
            let since = self.lock().connected;
            let age = since.map(|since| since.elapsed());
            let pause = match age {
                Some(age) if age >= SETTLE => return true,
                Some(age) => SETTLE.saturating_sub(age),
                None => Duration::from_millis(20),
            };
            if Instant::now() + pause > until {
                return false;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Hands a message on to its request. Waits while too many bytes are in memory.
    pub(super) async fn deliver(&self, message: async_nats::Message) {
        let Some(sender) = self.sender_of(&message.subject) else { return };
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            let _ = sender.send(Arrival::NoResponders);
            return;
        }
        let at = Instant::now();
        let units = u32::try_from(message.payload.len() / UNIT + 1).unwrap_or(BUDGET).min(BUDGET);
        // The budget is never closed; without a permit the message has nowhere to go.
        let Ok(permit) = Arc::clone(&self.budget).acquire_many_owned(units).await else { return };
        let gzip = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get("Content-Encoding"))
            .is_some_and(|value| value.as_str() == "gzip");
        let payload = message.payload;
        let _ = sender.send(Arrival::Message(Message { payload, gzip, at, permit }));
    }

    fn sender_of(&self, subject: &str) -> Option<mpsc::UnboundedSender<Arrival>> {
        let token: u64 = subject.rsplit('.').next()?.parse().ok()?;
        self.lock().waiting.get(&token).map(|entry| entry.sender.clone())
    }

    /// Takes notice of what happens to the connection.
    pub(super) fn event(&self, event: &Event) {
        match event {
            Event::Connected => {
                let mut requests = self.lock();
                requests.connected = Some(Instant::now());
                (requests.down, requests.refused) = (None, false);
            }
            Event::Disconnected | Event::Closed => self.lost(),
            Event::ServerError(ServerError::AuthorizationViolation) => self.lock().refused = true,
            Event::ServerError(ServerError::Other(text)) => self.refused(&text.to_lowercase()),
            // What the library met when it tried to connect again.
            Event::ClientError(ClientError::Other(text)) => {
                self.lock().refused |= text.to_lowercase().contains("authorization violation");
            }
            _ => {}
        }
    }

    fn lost(&self) {
        let mut requests = self.lock();
        requests.connected = None;
        requests.down.get_or_insert_with(Instant::now);
        for entry in requests.waiting.values() {
            let _ = entry.sender.send(Arrival::Lost);
        }
    }

    /// `permissions violation for publish to "$SRV.PING"`, `… for subscription to "_INBOX.…"`.
    /// `user authentication revoked`, `user authentication expired`, `account authentication …`.
    fn refused(&self, text: &str) {
        if text.contains(" authentication ") {
            self.lock().refused = true;
        }
        if !text.contains("permissions violation") {
            return;
        }
        // Events may be refused too, which is no concern of any request.
        let mine = |subject: &String| text.contains(&format!("\"{subject}\""));
        let inbox = text.contains("for subscription") && self.subject.get().is_some_and(mine);
        let mut requests = self.lock();
        requests.inbox_denied |= inbox;
        for entry in requests.waiting.values() {
            if inbox || text.contains(&format!("\"{}\"", entry.subject)) {
                let _ = entry.sender.send(Arrival::Denied);
            }
        }
    }

    /// Whether the server no longer takes the credentials, as far as is known.
    pub(super) fn is_refused(&self) -> bool {
        self.lock().refused
    }

    /// Whether the server refused the subscription that all answers come in on.
    pub(super) fn is_denied(&self) -> bool {
        self.lock().inbox_denied
    }
}

/// A request whose answers are awaited. Late ones are passed over once it is dropped.
pub(crate) struct Waiting {
    token: u64,
    receiver: mpsc::UnboundedReceiver<Arrival>,
    inbox: Arc<Inbox>,
}

impl Waiting {
    pub(super) fn token(&self) -> u64 {
        self.token
    }

    /// The next arrival, or nothing before `until`.
    pub(crate) async fn next(&mut self, until: Instant) -> Option<Arrival> {
        tokio::time::timeout_at(until.into(), self.receiver.recv()).await.ok().flatten()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.inbox.lock().waiting.remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reaches_the_request_it_names_whatever_its_case() {
        let inbox = Inbox::new();
        let mut named = inbox.wait_for("$SRV.PING.Billing");
        let mut other = inbox.wait_for("$SRV.PING");
        inbox.event(&Event::ServerError(ServerError::Other(
            "Permissions Violation for Publish to \"$srv.ping.billing\"".to_owned(),
        )));
        assert!(matches!(named.receiver.try_recv(), Ok(Arrival::Denied)));
        assert!(other.receiver.try_recv().is_err());
    }

    #[test]
    fn a_refused_inbox_denies_everything() {
        let inbox = Inbox::new();
        inbox.listens_on("_INBOX.x.*");
        let mut before = inbox.wait_for("a");
        inbox.event(&Event::ServerError(ServerError::Other(
            "Permissions Violation for Subscription to \"_INBOX.x.*\"".to_owned(),
        )));
        let mut after = inbox.wait_for("b");
        assert!(matches!(before.receiver.try_recv(), Ok(Arrival::Denied)));
        assert!(matches!(after.receiver.try_recv(), Ok(Arrival::Denied)));
    }

    #[test]
    fn a_refused_subscription_to_events_denies_no_request() {
        let inbox = Inbox::new();
        inbox.listens_on("_INBOX.x.*");
        let mut waiting = inbox.wait_for("a");
        inbox.event(&Event::ServerError(ServerError::Other(
            "Permissions Violation for Subscription to \"$js.event.advisory.stream.>\"".to_owned(),
        )));
        assert!(waiting.receiver.try_recv().is_err());
        assert!(!inbox.is_denied());
    }
}
