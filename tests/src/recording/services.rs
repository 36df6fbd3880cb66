//! Edits of services.
//!
//! An instance is known by its id. An edit changes everything an epoch says about it: what it
//! answered to every verb, and the rows of connections that list it.

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{AttemptLine, CaptureLine, ExpectedService, Status};
use serde_json::{Value, json};

use super::connections::lists;
use super::{Epoch, Reply};

/// Microseconds between two requests that prove something, at the default setting.
pub const APART_US: u64 = 5_000_000;
/// When the first request by name is sent in edited epochs.
pub const FIRST_ASK_US: u64 = 1_000_000;
/// When connections are listed in edited epochs: after the last request by name.
pub const LISTED_US: u64 = 20_000_000;

impl Reply {
    /// Whether it is the answer of an instance to any verb.
    pub(super) fn answers_for(&self, id: &str) -> bool {
        self.is_verb() && self.body.get("id").and_then(Value::as_str) == Some(id)
    }

    pub(super) fn is_verb(&self) -> bool {
        is_verb(&self.line.endpoint)
    }
}

pub(super) fn is_verb(endpoint: &Endpoint) -> bool {
    [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS].contains(endpoint)
}

impl Epoch {
    /// Ids of the instances of a service that answered in an account, sorted.
    ///
    /// # Panics
    /// If none did: an edit of nothing proves nothing.
    pub fn instances(&self, account: &str, service: &str) -> Vec<String> {
        let mut ids: Vec<String> = self
            .replies
            .iter()
            .filter(|reply| reply.is_verb() && reply.line.account.as_deref() == Some(account))
            .filter(|reply| reply.body["name"] == service)
            .filter_map(|reply| Some(reply.body["id"].as_str()?.to_owned()))
            .collect();
        ids.sort();
        ids.dedup();
        assert!(!ids.is_empty(), "no instance of {service} answered in {account}");
        ids
    }

    /// An instance has ended: it answers nothing, and no connection lists it.
    pub fn end_instance(&mut self, id: &str) {
        self.replies.retain(|reply| !reply.answers_for(id));
        self.unlist(id);
    }

    /// An instance answers nothing, but stays connected.
    pub fn mute_instance(&mut self, id: &str) {
        self.replies.retain(|reply| !reply.answers_for(id));
    }

    /// The replies of an instance to the broadcasts were lost; it answered a ping by its id.
    pub fn answer_by_id_only(&mut self, id: &str) {
        let ping = |reply: &Reply| reply.line.endpoint == Endpoint::SRV_PING;
        self.replies.retain(|reply| !reply.answers_for(id) || ping(reply));
        for reply in self.answers(id) {
            let service = reply.body["name"].as_str().unwrap_or_default();
            reply.line.subject = format!("$SRV.PING.{service}.{id}");
        }
    }

    /// A further instance like one that is there.
    pub fn clone_instance(&mut self, of: &str, id: &str) {
        let mut copies: Vec<Reply> =
            self.replies.iter().filter(|reply| reply.answers_for(of)).cloned().collect();
        for copy in &mut copies {
            copy.line.source = Some(id.to_owned());
            copy.body["id"] = id.into();
        }
        self.replies.append(&mut copies);
        self.copy_rows(of, id);
    }

    /// An instance has another id, as after a restart.
    pub fn restart_instance(&mut self, old: &str, new: &str) {
        self.clone_instance(old, new);
        self.end_instance(old);
        self.set_connected_for(new, SignedDuration::from_secs(1));
    }

    /// An instance runs another version of the application.
    pub fn set_app_version(&mut self, id: &str, version: &str) {
        self.answers(id).for_each(|reply| reply.body["version"] = version.into());
    }

    /// What an instance answers as its metadata; `None` removes the field.
    pub fn set_metadata(&mut self, id: &str, metadata: Option<&Value>) {
        for reply in self.answers(id) {
            let Some(body) = reply.body.as_object_mut() else { continue };
            match metadata {
                Some(value) => drop(body.insert("metadata".to_owned(), value.clone())),
                None => drop(body.remove("metadata")),
            }
        }
    }

    /// Requests and errors of the first endpoint of an instance since its start.
    pub fn set_served(&mut self, id: &str, requests: u64, errors: u64) {
        for reply in self.answers(id).filter(|r| r.line.endpoint == Endpoint::SRV_STATS) {
            let endpoint = &mut reply.body["endpoints"][0];
            endpoint["num_requests"] = requests.into();
            endpoint["num_errors"] = errors.into();
        }
    }

    /// Changes what an instance answers to INFO.
    ///
    /// # Panics
    /// If it answered none: an edit of nothing proves nothing.
    pub fn edit_info(&mut self, id: &str, edit: impl Fn(&mut Value)) {
        let infos = self.answers(id).filter(|r| r.line.endpoint == Endpoint::SRV_INFO);
        let count = infos.map(|reply| edit(&mut reply.body)).count();
        assert!(count > 0, "{id} answered no INFO");
    }

    /// An instance announces a further endpoint.
    pub fn announce(&mut self, id: &str, name: &str, subject: &str) {
        let endpoint = json!({ "name": name, "subject": subject, "queue_group": "q" });
        self.edit_info(id, |body| {
            if let Some(endpoints) = body["endpoints"].as_array_mut() {
                endpoints.push(endpoint.clone());
            }
        });
    }

    /// The first endpoint of an instance is announced with this queue group; `None` removes the
    /// field.
    ///
    /// # Panics
    /// If it announces no endpoint.
    pub fn set_queue_group(&mut self, id: &str, group: Option<&Value>) {
        self.edit_info(id, |body| {
            let endpoint = body["endpoints"][0].as_object_mut();
            match (endpoint, group) {
                (Some(endpoint), Some(group)) => {
                    endpoint.insert("queue_group".to_owned(), group.clone());
                }
                (Some(endpoint), None) => drop(endpoint.remove("queue_group")),
                (None, _) => panic!("{id} announces no endpoint"),
            }
        });
    }

    /// The INFO of an instance was lost; what it answered to the other verbs was not.
    pub fn drop_info(&mut self, id: &str) {
        let info = |reply: &Reply| reply.line.endpoint == Endpoint::SRV_INFO;
        self.replies.retain(|reply| !(reply.answers_for(id) && info(reply)));
    }

    /// An instance started that long before its epoch, by its own word.
    pub fn set_started(&mut self, id: &str, age: SignedDuration) {
        let started = self.header.start.checked_sub(age).unwrap_or(self.header.start);
        for reply in self.answers(id).filter(|r| r.line.endpoint == Endpoint::SRV_STATS) {
            reply.body["started"] = started.to_string().into();
        }
    }

    fn answers<'a>(&'a mut self, id: &'a str) -> impl Iterator<Item = &'a mut Reply> + use<'a> {
        self.replies.iter_mut().filter(move |reply| reply.answers_for(id))
    }

    /// All instances of a service have another name, and so have their subjects.
    pub fn rename_service(&mut self, account: &str, from: &str, to: &str) {
        for (number, id) in self.instances(account, from).into_iter().enumerate() {
            let new = format!("{to}{number}");
            self.restart_instance(&id, &new);
            self.rename_instance(&new, from, to);
        }
    }

    /// One instance is of another service, and serves the same subjects.
    pub fn rename_instance(&mut self, id: &str, from: &str, to: &str) {
        self.answers(id).for_each(|reply| reply.body["name"] = to.into());
        self.rename_row(id, from, to);
    }

    /// A service has no instance any more. How that shows is up to further edits.
    pub fn end_service(&mut self, account: &str, service: &str) {
        for id in self.instances(account, service) {
            self.end_instance(&id);
        }
    }

    /// A service has no instance any more, asked by name twice, and connections listed after that.
    pub fn down(&mut self, account: &str, service: &str) {
        self.end_service(account, service);
        self.asked(account, service, &[Status::NoResponders, Status::NoResponders]);
    }

    /// A service was asked by name, each time as far apart as a proof needs, and this came of it.
    pub fn asked(&mut self, account: &str, service: &str, outcomes: &[Status]) {
        self.asked_apart(account, service, outcomes, APART_US);
    }

    /// A service was asked by name, that far apart, and this came of it.
    pub fn asked_apart(&mut self, account: &str, service: &str, outcomes: &[Status], apart: u64) {
        self.header.asked.confirm_after_ms = APART_US / 1000;
        self.list_connections_at(LISTED_US);
        let attempts = outcomes.iter().zip(0_u64..).map(|(status, n)| AttemptLine {
            at_us: FIRST_ASK_US + n * apart,
            waited_us: if *status == Status::Timeout { 2_000_000 } else { 800 },
            status: status.clone(),
        });
        let through = self.captures.iter().find_map(|capture| capture.through.clone());
        self.captures.push(CaptureLine {
            endpoint: Endpoint::SRV_PING,
            subject: format!("$SRV.PING.{service}"),
            service: Some(service.to_owned()),
            account: Some(account.to_owned()),
            through,
            status: outcomes.last().cloned().unwrap_or_default(),
            attempts: attempts.collect(),
            ..CaptureLine::default()
        });
    }

    /// An instance was asked by id, and this came of it.
    pub fn asked_by_id(&mut self, account: &str, service: &str, id: &str, outcome: &Status) {
        self.asked(account, service, std::slice::from_ref(outcome));
        if let Some(capture) = self.captures.last_mut() {
            capture.target = Some(id.to_owned());
            capture.subject = format!("$SRV.PING.{service}.{id}");
        }
    }

    /// The broadcast to the services of an account ended like this.
    pub fn broadcast_ended(&mut self, account: &str, outcome: &Status) {
        let of_account = |c: &&mut CaptureLine| c.account.as_deref() == Some(account);
        for capture in self.captures.iter_mut().filter(of_account) {
            if is_verb(&capture.endpoint) && capture.service.is_none() {
                capture.status = outcome.clone();
            }
        }
    }

    /// A stream that listens to `$SRV.>` acknowledges a ping as if it had been published to it.
    ///
    /// # Panics
    /// If no service answered: an acknowledgement is made of such a reply.
    pub fn acknowledge(&mut self, account: &str, service: &str) {
        let Some(mut reply) = self.replies.iter().find(|reply| reply.is_verb()).cloned() else {
            panic!("no service answered, so there is no reply to make an acknowledgement of")
        };
        reply.line.endpoint = Endpoint::SRV_PING;
        reply.line.subject = format!("$SRV.PING.{service}");
        reply.line.source = None;
        reply.line.account = Some(account.to_owned());
        reply.body = json!({ "stream": "SRV", "seq": 1 });
        self.replies.push(reply);
    }

    /// The same instances answer in another account too, as through an import.
    pub fn import(&mut self, service: &str, from: &str, into: &str) {
        let mut copies: Vec<Reply> = self
            .replies
            .iter()
            .filter(|r| r.is_verb() && r.line.account.as_deref() == Some(from))
            .filter(|r| r.body["name"] == service)
            .cloned()
            .collect();
        for copy in &mut copies {
            copy.line.account = Some(into.to_owned());
        }
        self.replies.append(&mut copies);
    }

    /// The header expects a service as another epoch shows it, last seen at its start.
    pub fn expect_service(&mut self, account: &str, service: &str, as_in: &Self) {
        let instances = as_in.instances(account, service);
        let mut servers: Vec<String> = as_in
            .connections()
            .filter(|(_, row)| instances.iter().any(|id| lists(row, id)))
            .map(|(server, _)| server.to_owned())
            .collect();
        servers.sort();
        servers.dedup();
        self.header.expects.services.push(ExpectedService {
            account: account.to_owned(),
            account_name: None,
            name: service.to_owned(),
            last_seen: Some(as_in.header.start),
            instances,
            servers,
        });
    }

    /// Start of the epoch.
    pub fn start(&self) -> Timestamp {
        self.header.start
    }
}
