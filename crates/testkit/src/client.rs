//! A small blocking NATS client for driving tests: sends requests and collects replies.
//!
//! Blocking on purpose, because both plain tests and tests inside an async runtime use this kit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{KitError, Result, io};
use crate::operator::Creds;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Numbers of subscriptions, and with them inboxes, are never used twice in a process: servers
/// that still take away the inbox of one connection would lose replies to the same one of another.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Where and as whom to connect.
#[derive(Debug, Clone)]
pub struct Login {
    /// The client port on loopback.
    pub port: u16,
    /// The user, or nothing for a server without accounts.
    pub user: Option<(String, String)>,
    /// What takes the place of a user in operator mode.
    pub creds: Option<Creds>,
}

/// Closes a connection that another thread reads.
#[derive(Debug)]
pub(crate) struct Door(TcpStream);

impl Door {
    pub(crate) fn close(&self) {
        // It may be closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// One reply of a request.
#[derive(Debug, Clone)]
pub struct Message {
    /// The status line's code if the reply has one (503 is *no responders*).
    pub status: Option<u16>,
    /// Where an answer to it goes.
    pub reply: Option<String>,
    /// Whether the headers say that a service answers with an error.
    pub service_error: bool,
    /// The bytes after the headers.
    pub payload: Vec<u8>,
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects, and returns only when the server has accepted the user.
    pub fn connect(login: &Login) -> Result<Client> {
        Client::connect_as(login, &json!({}))
    }

    /// The same, saying these things of itself.
    pub(crate) fn connect_as(login: &Login, said: &Value) -> Result<Client> {
        let stream = TcpStream::connect(("127.0.0.1", login.port)).map_err(io("connecting"))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(io("connecting"))?;
        let mut client = Client { reader: BufReader::new(stream) };
        let info = client.line()?;
        if !info.starts_with("INFO ") {
            return Err(KitError::Protocol(format!("no INFO from the server but {info:?}")));
        }
        let mut options = json!({
            "verbose": false, "pedantic": false, "headers": true, "no_responders": true,
            "name": "testkit", "lang": "testkit", "version": "0", "protocol": 1,
        });
        for (key, value) in said.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        if let Some((user, password)) = &login.user {
            options["user"] = json!(user);
            options["pass"] = json!(password);
        }
        if let Some(creds) = &login.creds {
            let info: Value = serde_json::from_str(&info[5..]).unwrap_or(Value::Null);
            options["jwt"] = json!(creds.jwt);
            options["sig"] = json!(creds.sign(info["nonce"].as_str().unwrap_or_default())?);
        }
        client.send(&format!("CONNECT {options}\r\nPING\r\n"))?;
        client.until_pong()?;
        Ok(client)
    }

    /// One request and the first reply, or nothing within `limit`.
    pub fn request(
        &mut self,
        subject: &str,
        payload: &str,
        limit: Duration,
    ) -> Result<Option<Message>> {
        Ok(self.request_many(subject, payload, 1, limit)?.pop())
    }

    /// Publishes the same message so many times, and waits until the server has taken them.
    pub fn flood(&mut self, subject: &str, payload: &str, times: usize) -> Result<()> {
        let message = format!("PUB {subject} {}\r\n{payload}\r\n", payload.len());
        for _ in 0..times.div_ceil(1000) {
            self.send(&message.repeat(times.min(1000)))?;
        }
        self.send("PING\r\n")?;
        self.until_pong()
    }

    /// One request and all its replies, until there are `enough`, *no responders*, or `limit` is over.
    pub fn request_many(
        &mut self,
        subject: &str,
        payload: &str,
        enough: usize,
        limit: Duration,
    ) -> Result<Vec<Message>> {
        let number = next_number();
        let inbox = format!("_INBOX.testkit.{}.{number}", std::process::id());
        let length = payload.len();
        self.send(&format!(
            "SUB {inbox} {number}\r\nPUB {subject} {inbox} {length}\r\n{payload}\r\n"
        ))?;
        let end = Instant::now() + limit;
        let mut replies = Vec::new();
        while replies.len() < enough {
            let Some(message) = self.message(number, end)? else { break };
            let last = message.status == Some(503);
            replies.push(message);
            if last {
                break;
            }
        }
        self.send(&format!("UNSUB {number}\r\n"))?;
        Ok(replies)
    }

    /// A message that nobody answers.
    pub fn publish(&mut self, subject: &str, payload: &str) -> Result<()> {
        let length = payload.len();
        self.send(&format!("PUB {subject} {length}\r\n{payload}\r\n"))
    }

    /// Subscribes, and returns when the server knows of it: the number of the subscription. What is
    /// delivered is not kept.
    pub fn subscribe(&mut self, subject: &str) -> Result<u64> {
        let number = next_number();
        self.send(&format!("SUB {subject} {number}\r\nPING\r\n"))?;
        self.until_pong()?;
        Ok(number)
    }

    /// What closes this connection from another thread.
    pub(crate) fn door(&self) -> Result<Door> {
        self.reader.get_ref().try_clone().map(Door).map_err(io("cloning a connection"))
    }

    /// Answers requests by the number of the subscription, until the connection is closed.
    pub(crate) fn answer_until_closed(mut self, answers: &BTreeMap<u64, String>) {
        // Whatever fails here is a connection that has been closed.
        while let Ok(Some((number, message))) = self.next_message() {
            let (Some(reply), Some(text)) = (message.reply, answers.get(&number)) else { continue };
            if self.publish(&reply, text).is_err() {
                return;
            }
        }
    }

    fn next_message(&mut self) -> Result<Option<(u64, Message)>> {
        self.reader.get_ref().set_read_timeout(None).map_err(io("reading"))?;
        loop {
            let line = self.line()?;
            if line == "PING" {
                self.send("PONG\r\n")?;
            } else if let Some(message) = self.delivery(&line)? {
                return Ok(Some(message));
            }
        }
    }

    /// Subscribes to many subjects at once.
    pub fn subscribe_all(&mut self, subjects: &[String]) -> Result<()> {
        let lines = subjects.iter().map(|subject| format!("SUB {subject} {}\r\n", next_number()));
        self.send(&(lines.collect::<String>() + "PING\r\n"))?;
        self.until_pong()
    }

    /// Waits until the server has taken everything sent so far; what it delivers is passed over.
    fn until_pong(&mut self) -> Result<()> {
        self.reader.get_ref().set_read_timeout(Some(PATIENCE)).map_err(io("reading"))?;
        loop {
            let line = self.line()?;
            match line.as_str() {
                "PONG" => return Ok(()),
                "PING" => self.send("PONG\r\n")?,
                other if other.starts_with("-ERR") => {
                    return Err(KitError::Protocol(other.to_owned()));
                }
                other => drop(self.delivery(other)?),
            }
        }
    }

    /// The next message of subscription `number`, or nothing until `end`.
    fn message(&mut self, number: u64, end: Instant) -> Result<Option<Message>> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.reader.get_ref().set_read_timeout(Some(left)).map_err(io("reading"))?;
            let line = match self.line() {
                Err(KitError::Io { source, .. }) if is_timeout(&source) => return Ok(None),
                other => other?,
            };
            if line == "PING" {
                self.send("PONG\r\n")?;
            } else if line.starts_with("-ERR") {
                return Err(KitError::Protocol(line));
            } else if let Some((sid, message)) = self.delivery(&line)?
                && sid == number
            {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the payload that follows a `MSG` or `HMSG` line.
    fn delivery(&mut self, line: &str) -> Result<Option<(u64, Message)>> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let bad = || KitError::Protocol(format!("unreadable line from the server: {line:?}"));
        let number = |text: Option<&&str>| text.and_then(|text| text.parse::<usize>().ok());
        let headers = match fields.first() {
            Some(&"MSG") => 0,
            Some(&"HMSG") => number(fields.iter().rev().nth(1)).ok_or_else(bad)?,
            _ => return Ok(None),
        };
        let total = number(fields.last()).ok_or_else(bad)?;
        let sid = fields.get(2).and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let mut bytes = vec![0; total + 2];
        self.reader.read_exact(&mut bytes).map_err(io("reading a message"))?;
        bytes.truncate(total);
        let payload = bytes.split_off(headers.min(total));
        let head = String::from_utf8_lossy(&bytes);
        let status = head.strip_prefix("NATS/1.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let sizes = if headers == 0 { 1 } else { 2 };
        let reply = fields.get(3).filter(|_| fields.len() == 4 + sizes);
        let reply = reply.map(|&subject| subject.to_owned());
        let service_error = head.contains("\r\nNats-Service-Error-Code:");
        Ok(Some((sid, Message { status, reply, service_error, payload })))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let length = self.reader.read_line(&mut line).map_err(io("reading from the server"))?;
        if length == 0 {
            return Err(KitError::Protocol("the server closed the connection".to_owned()));
        }
        Ok(line.trim_end().to_owned())
    }

    fn send(&mut self, text: &str) -> Result<()> {
        self.reader.get_mut().write_all(text.as_bytes()).map_err(io("writing to the server"))
    }
}

impl Message {
    /// The payload as JSON, null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
