//! Connections of the fleet: what is asked of them and how answers leave, late, twice or not at all.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_nats::{Client, HeaderMap, Message, Subject};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream::select_all;

use super::chance::Chance;
use crate::error::{KitError, Result};
use crate::system::System;

/// A question.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) subject: String,
    pub(super) payload: Vec<u8>,
    reply: Option<Subject>,
    gzip: bool,
}

/// One connection.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    client: Client,
    chance: Arc<Chance>,
}

impl Wire {
    pub(super) async fn connect(
        system: &System,
        through: &str,
        account: &str,
        chance: &Arc<Chance>,
    ) -> Result<Wire> {
        let (user, password) = system.credentials(account)?.unwrap_or_default();
        let client = async_nats::ConnectOptions::with_user_and_password(user, password)
            .name("fleet")
            .connect(system.address(through)?)
            .await
            .map_err(|error| failed(&error))?;
        Ok(Wire { client, chance: Arc::clone(chance) })
    }

    /// Subscribes and answers from then on. Returns once the server knows.
    pub(super) async fn serve(
        self,
        subjects: Vec<String>,
        say: impl Fn(&Wire, &Heard) + Send + 'static,
    ) -> Result<()> {
        let mut all = Vec::with_capacity(subjects.len());
        for subject in subjects {
            all.push(self.client.subscribe(subject).await.map_err(|error| failed(&error))?);
        }
        self.client.flush().await.map_err(|error| failed(&error))?;
        tokio::spawn(async move {
            let mut questions = select_all(all);
            while let Some(message) = questions.next().await {
                say(&self, &Heard::from(message));
            }
        });
        Ok(())
    }

    /// Sends an answer as chance will have it. The key says which answer it is.
    pub(super) fn answer(&self, key: &str, heard: &Heard, body: String) {
        let Some(reply) = heard.reply.clone() else { return };
        let gzip = heard.gzip;
        let delays = self.chance.delays(key);
        if delays.is_empty() {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            let (body, headers) = if gzip { packed(&body) } else { (body.into(), None) };
            for delay in delays {
                tokio::time::sleep(delay).await;
                let (reply, body) = (reply.clone(), body.clone().into());
                // A collector that has gone needs no answer.
                let _ = match headers.clone() {
                    Some(headers) => client.publish_with_headers(reply, headers, body).await,
                    None => client.publish(reply, body).await,
                };
            }
        });
    }

    /// Nothing was recorded for a question.
    pub(super) fn unknown(&self) {
        self.chance.counters.unknown.fetch_add(1, Ordering::Relaxed);
    }
}

impl From<Message> for Heard {
    fn from(message: Message) -> Self {
        // As servers do: only this spelling counts.
        let gzip = message.headers.as_ref().is_some_and(|headers| {
            headers.get("Accept-Encoding").is_some_and(|value| value.as_str() == "gzip")
        });
        Self {
            subject: message.subject.to_string(),
            payload: message.payload.to_vec(),
            reply: message.reply,
            gzip,
        }
    }
}

/// A body as servers send it to who takes it compressed.
fn packed(body: &str) -> (Vec<u8>, Option<HeaderMap>) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let bytes = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish());
    let mut headers = HeaderMap::new();
    headers.insert("Content-Encoding", "gzip");
    (bytes.unwrap_or_default(), Some(headers))
}

fn failed(error: &dyn std::error::Error) -> KitError {
    KitError::Protocol(format!("a connection of the fleet: {error}"))
}
