//! Clients that say of themselves whatever they like, in the plain protocol.
//!
//! Client libraries keep people from names that a server would take all the same. Whoever means
//! harm needs no library.

use std::collections::BTreeMap;
use std::thread::JoinHandle;

use serde_json::json;

use crate::client::{Client, Door};
use crate::error::Result;
use crate::system::System;

/// A client before it connects.
#[derive(Debug, Clone)]
pub struct Stranger {
    account: String,
    server: String,
    name: String,
    lang: String,
    version: String,
    answers: Vec<(String, String)>,
}

impl Stranger {
    /// A client of an account at a server, with the name it gives itself.
    pub fn new(account: &str, server: &str, name: &str) -> Stranger {
        let own = str::to_owned;
        let (account, server, name) = (own(account), own(server), own(name));
        let (lang, version) = (own("testkit"), own("0"));
        Stranger { account, server, name, lang, version, answers: Vec::new() }
    }

    /// The language and the version of its library, as it says.
    #[must_use]
    pub fn library(mut self, lang: &str, version: &str) -> Stranger {
        lang.clone_into(&mut self.lang);
        version.clone_into(&mut self.version);
        self
    }

    /// Answers every request on a subject with the same text.
    #[must_use]
    pub fn answers(mut self, subject: &str, text: &str) -> Stranger {
        self.answers.push((subject.to_owned(), text.to_owned()));
        self
    }

    /// Behaves like an instance of a service. The text goes into its description, its metadata and
    /// the name of its endpoint. Where the name can stand in a subject, its connection tells of it.
    #[must_use]
    pub fn serves(mut self, name: &str, id: &str, version: &str, text: &str) -> Stranger {
        let own = json!({ "name": name, "id": id, "version": version, "metadata": { text: text } });
        let endpoint = json!({ "name": text, "subject": "x", "queue_group": text });
        let stats = json!({ "name": text, "subject": "x", "num_requests": 1, "num_errors": 0,
            "last_error": text, "processing_time": 1, "average_processing_time": 1 });
        let verbs = [
            ("PING", "ping", json!({})),
            ("INFO", "info", json!({ "description": text, "endpoints": [endpoint] })),
            ("STATS", "stats", json!({ "started": "2026-11-21T09:00:00Z", "endpoints": [stats] })),
        ];
        let token =
            !name.contains(|c: char| c.is_whitespace() || matches!(c, '.' | '*' | '>' | '\0'));
        for (verb, kind, more) in verbs {
            let mut body = own.clone();
            body["type"] = json!(format!("io.nats.micro.v1.{kind}_response"));
            for (key, value) in more.as_object().into_iter().flatten() {
                body[key] = value.clone();
            }
            let mut subjects = vec![format!("$SRV.{verb}")];
            if token {
                subjects.push(format!("$SRV.{verb}.{name}"));
                subjects.push(format!("$SRV.{verb}.{name}.{id}"));
            }
            self.answers.extend(subjects.into_iter().map(|subject| (subject, body.to_string())));
        }
        self
    }

    /// Connects and stays until what is given back is dropped.
    pub fn connect(&self, system: &System) -> Result<Present> {
        let login = system.login(&self.server, &self.account)?;
        let said = json!({ "name": self.name, "lang": self.lang, "version": self.version });
        let mut client = Client::connect_as(&login, &said)?;
        let mut answers = BTreeMap::new();
        for (subject, text) in &self.answers {
            answers.insert(client.subscribe(subject)?, text.clone());
        }
        let door = client.door()?;
        let thread = std::thread::spawn(move || client.answer_until_closed(&answers));
        Ok(Present { door, thread: Some(thread) })
    }
}

/// A client that is connected, until it is dropped.
#[derive(Debug)]
pub struct Present {
    door: Door,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.door.close();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell, not even when it failed.
            let _ = thread.join();
        }
    }
}
