//! Services of the accounts we have a connection to.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};

use super::discovery::add;
use super::{Account, Epoch, Label, ServiceKey};
use crate::ask::{Answer, Next, Request, ask};
use crate::glance;

/// One of the three questions every service answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    pub(super) endpoint: &'static Endpoint,
    pub(super) name: &'static str,
}

pub(super) const PING: Verb = Verb { endpoint: &Endpoint::SRV_PING, name: "PING" };
const INFO: Verb = Verb { endpoint: &Endpoint::SRV_INFO, name: "INFO" };
const STATS: Verb = Verb { endpoint: &Endpoint::SRV_STATS, name: "STATS" };
pub(super) const VERBS: [Verb; 3] = [PING, INFO, STATS];

impl Verb {
    /// Subject for everybody, one service, or one instance.
    pub(super) fn subject(self, service: Option<&str>, instance: Option<&str>) -> String {
        let mut subject = format!("$SRV.{}", self.name);
        for part in service.into_iter().chain(instance) {
            subject.push('.');
            subject.push_str(part);
        }
        subject
    }
}

impl Epoch<'_> {
    /// Asks all services of all accounts, and then those by name that did not answer.
    pub(super) async fn ask_services(&self) {
        join_all(self.accounts.iter().map(|account| async {
            let verbs = VERBS.into_iter().filter(|verb| self.selection.has(verb.endpoint));
            let asked = verbs.map(|verb| self.ask_everybody(account, verb));
            let statuses = join_all(asked).await;
            // Who may not ask everybody may still be allowed to ask each by name, so that is tried
            // even then: the outcome of each request stands for itself.
            if statuses.iter().all(|status| *status == Status::Skipped) {
                return;
            }
            self.confirm_absences(account).await;
        }))
        .await;
    }

    /// Ids of instances that this account had when it was last recorded.
    fn remembered(&self, account: &Account<'_>) -> BTreeSet<&str> {
        self.expects
            .services
            .iter()
            .filter(|service| Some(&service.account) == account.id.as_ref())
            .flat_map(|service| service.instances.iter().map(String::as_str))
            .collect()
    }

    async fn ask_everybody(&self, account: &Account<'_>, verb: Verb) -> Status {
        let subject = verb.subject(None, None);
        let mut expected = self.remembered(account);
        let remembered = !expected.is_empty();
        let request = service_request(account, &subject);
        let attempt = ask(&request, &self.clock, self.broadcast(), async |answer| {
            let Some((_, id)) = self.service_reply(answer, account, verb, &subject).await else {
                return Next::Foreign;
            };
            expected.remove(id.as_str());
            if remembered && expected.is_empty() { Next::AllIn } else { Next::More }
        })
        .await;
        let status = attempt.line.status.clone();
        let mut capture = service_capture(account, verb, subject);
        add(&mut capture, attempt);
        self.capture(capture).await;
        status
    }

    /// Records a reply and, if a service sent it, remembers who. What is no reply of a service is
    /// recorded too: it explains why absence could not be proven.
    pub(super) async fn service_reply(
        &self,
        answer: Answer,
        account: &Account<'_>,
        verb: Verb,
        subject: &str,
    ) -> Option<(String, String)> {
        let instance = glance::instance(&answer.body);
        if let (Some((name, id)), Some(key)) = (&instance, &account.id) {
            let key = ServiceKey { account: key.clone(), name: name.clone() };
            self.seen.borrow_mut().answer(key, verb.name, id.clone());
        }
        let label = Label {
            endpoint: verb.endpoint,
            subject,
            source: instance.as_ref().map(|(_, id)| id.clone()),
            account: account.id.as_ref(),
            page: None,
            filter: None,
            secretive: &[],
        };
        self.record(answer, label).await;
        instance
    }
}

pub(super) fn service_request<'a>(account: &Account<'a>, subject: &str) -> Request<'a> {
    Request {
        link: account.link,
        subject: subject.to_owned(),
        body: Bytes::new(),
        compressed: false,
    }
}

pub(super) fn service_capture(account: &Account<'_>, verb: Verb, subject: String) -> CaptureLine {
    CaptureLine {
        endpoint: verb.endpoint.clone(),
        subject,
        account: account.id.clone(),
        ..CaptureLine::default()
    }
}
