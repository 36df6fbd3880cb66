//! JetStream over its plain API: what tests need to make streams and consumers and to use them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, Message};
use crate::error::{KitError, Result};
use crate::system::PATIENCE;
use crate::wait::wait_until;

/// How long one request may take; leaders are being elected while others are asked.
const LIMIT: Duration = Duration::from_secs(5);

/// No server can take the stream, which the leader says of servers it has not heard of yet.
const NO_PEERS: u64 = 10_005;

impl Client {
    /// One call such as `STREAM.INFO.ORDERS`. An empty `body` is sent as nothing at all.
    ///
    /// Repeats what cannot be answered yet: nobody is there, no leader is elected, no peer is ready.
    pub fn jetstream(&mut self, call: &str, body: &Value) -> Result<Value> {
        let subject = format!("$JS.API.{call}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        wait_until(&format!("{call} is answered"), PATIENCE, || {
            let reply = match self.request(&subject, &body, LIMIT) {
                Ok(Some(reply)) => reply,
                Ok(None) => return Err("silence".to_owned()),
                Err(error) => return Ok(Err(error)),
            };
            let json = reply.json();
            let code = json["error"]["code"].as_u64().or(reply.status.map(u64::from));
            match code {
                None => Ok(Ok(json)),
                Some(503) => Err(format!("not yet: {json}")),
                _ if json["error"]["err_code"] == NO_PEERS => Err(format!("not yet: {json}")),
                Some(_) => Ok(Err(KitError::Protocol(format!("{call}: {json}")))),
            }
        })?
    }

    /// Makes a stream of a configuration with a `name`; gives what the server says of it.
    pub fn add_stream(&mut self, config: &Value) -> Result<Value> {
        let name = config["name"].as_str().unwrap_or_default();
        self.jetstream(&format!("STREAM.CREATE.{name}"), config)
    }

    /// Makes a durable consumer of a configuration with a `durable_name`.
    pub fn add_consumer(&mut self, stream: &str, config: &Value) -> Result<Value> {
        let name = config["durable_name"].as_str().unwrap_or_default();
        let body = json!({ "stream_name": stream, "config": config });
        self.jetstream(&format!("CONSUMER.DURABLE.CREATE.{stream}.{name}"), &body)
    }

    /// Publishes into a stream and waits until it is stored.
    pub fn store(&mut self, subject: &str, payload: &str) -> Result<()> {
        let reply = self.request(subject, payload, LIMIT)?;
        match reply.map(|reply| reply.json()) {
            Some(json) if json["seq"].is_u64() => Ok(()),
            other => Err(KitError::Protocol(format!("{subject} was not stored: {other:?}"))),
        }
    }

    /// Takes so many messages that are there from a pull consumer; does not acknowledge them.
    pub fn pull(&mut self, stream: &str, consumer: &str, count: usize) -> Result<Vec<Message>> {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        let body = json!({ "batch": count, "no_wait": true }).to_string();
        let messages = self.request_many(&subject, &body, count, LIMIT)?;
        let got = messages.iter().filter(|message| message.status.is_none()).count();
        if got == count {
            return Ok(messages);
        }
        Err(KitError::Protocol(format!("{consumer} gave {got} messages of {count}")))
    }

    /// Acknowledges a message.
    pub fn acknowledge(&mut self, message: &Message) -> Result<()> {
        let subject = message.reply.clone().unwrap_or_default();
        let reply = self.request(&subject, "+ACK", LIMIT)?;
        match reply {
            Some(reply) if reply.status.is_none() => Ok(()),
            other => Err(KitError::Protocol(format!("not acknowledged: {other:?}"))),
        }
    }
}
