//! One connection, and requests over it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::inbox::Inbox;
use super::login;
use super::room::{Place, Room};
use crate::connect::{ConnectError, ConnectionSpec, Waiting};
use crate::events::{Hearing, Listener, kinds};
use crate::table::Row;

/// Small requests in flight at once: enough that hundreds of silent targets time out together.
const SMALL: usize = 256;

/// Why a request could not even be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The connection is down, or has only just come up.
    NotConnected,
    /// The subject holds something a subject cannot.
    Subject,
}

/// A request on its way.
pub(crate) struct Sent {
    /// Its answers.
    pub(crate) waiting: Waiting,
    /// When it left.
    pub(crate) at: Instant,
    /// Id of the server the connection is attached to.
    pub(crate) through: String,
}

/// One connection to a system.
pub(crate) struct Link {
    /// How it was made.
    pub(crate) spec: ConnectionSpec,
    client: Client,
    inbox: Arc<Inbox>,
    hearing: Arc<Hearing>,
    prefix: String,
    small: Semaphore,
    room: Room,
}

impl Link {
    /// Connects. Later on the client library reconnects by itself.
    pub(crate) async fn connect(
        spec: ConnectionSpec,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let inbox = Inbox::new();
        let hearing = Arc::new(Hearing::default());
        let noticing = (Arc::clone(&inbox), Arc::clone(&hearing));
        let mut options = login::options(&spec, timeout)?.event_callback(move |event| {
            noticing.0.event(&event);
            noticing.1.event(&event, Timestamp::now());
            std::future::ready(())
        });
        if let Some(prefix) = &spec.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        let address = spec.address.to_string();
        let failed = |error: &async_nats::ConnectError| {
            ConnectError::from_library(&address, error, timeout.as_secs())
        };
        let client =
            options.connect(spec.address.servers()).await.map_err(|error| failed(&error))?;
        let prefix = client.new_inbox();
        let link = Self {
            client,
            inbox,
            hearing,
            prefix,
            spec,
            small: Semaphore::new(SMALL),
            room: Room::new(),
        };
        link.open_inbox().await.map_err(|()| ConnectError::Unreachable {
            address,
            detail: "the connection broke at once".to_owned(),
        })?;
        Ok(link)
    }

    async fn open_inbox(&self) -> Result<(), ()> {
        let subject = format!("{}.*", self.prefix);
        self.inbox.listens_on(&subject);
        let mut answers = self.client.subscribe(subject).await.map_err(|_| ())?;
        let (inbox, hearing) = (Arc::clone(&self.inbox), Arc::clone(&self.hearing));
        tokio::spawn(async move {
            while let Some(message) = answers.next().await {
                hearing.heard(Timestamp::now());
                inbox.deliver(message).await;
            }
        });
        Ok(())
    }

    /// Listens to what servers publish by themselves. Nothing if the connection broke at once.
    pub(crate) async fn listen(&self) -> Option<Listener> {
        let hearing = Arc::clone(&self.hearing);
        Listener::start(self.client.clone(), kinds(self.spec.role), hearing).await
    }

    /// Sends a request, once the connection has settled.
    pub(crate) async fn send(
        &self,
        subject: &str,
        body: &Bytes,
        compressed: bool,
        limit: Duration,
    ) -> Result<Sent, SendError> {
        if !self.inbox.settled(limit).await {
            return Err(SendError::NotConnected);
        }
        let waiting = self.inbox.wait_for(subject);
        let reply = format!("{}.{}", self.prefix, waiting.token());
        let through = self.client.server_info().server_id;
        let at = Instant::now();
        let subject = subject.to_owned();
        let publish = async {
            if compressed {
                // The name of this header is case-sensitive for servers.
                let mut headers = HeaderMap::new();
                headers.insert("Accept-Encoding", "gzip");
                let client = &self.client;
                client.publish_with_reply_and_headers(subject, reply, headers, body.clone()).await
            } else {
                self.client.publish_with_reply(subject, reply, body.clone()).await
            }
        };
        match tokio::time::timeout(limit, publish).await {
            Ok(Ok(())) => Ok(Sent { waiting, at, through }),
            Ok(Err(_)) => Err(SendError::Subject),
            Err(_) => Err(SendError::NotConnected),
        }
    }

    /// A place among the small requests. Never closed, so never refused.
    pub(crate) async fn small(&self) -> Option<SemaphorePermit<'_>> {
        self.small.acquire().await.ok()
    }

    /// Room for an answer that can be large.
    pub(crate) async fn room(&self, row: &Row) -> Place<'_> {
        self.room.take(row).await
    }

    /// Takes notice of how large an answer is.
    pub(crate) fn learn(&self, row: &Row, bytes: usize) {
        self.room.learn(row, bytes);
    }

    /// Looks for another server: the one at hand does not answer. Where one is being looked for
    /// already, being told again would make the library leave the one it finds.
    pub(crate) async fn move_on(&self) {
        if self.client.connection_state() == State::Connected {
            let _ = self.client.force_reconnect().await;
        }
    }

    /// Begins to wait anew for a connection that is down.
    pub(crate) fn hope(&self) {
        self.inbox.hope();
    }

    /// Whether the server no longer takes the credentials, as far as is known.
    pub(crate) fn is_refused(&self) -> bool {
        self.inbox.is_refused()
    }

    /// Whether answers can come in at all.
    pub(crate) fn inbox_denied(&self) -> bool {
        self.inbox.is_denied()
    }

    /// Id of the server the connection is attached to.
    pub(crate) fn through(&self) -> String {
        self.client.server_info().server_id
    }
}
