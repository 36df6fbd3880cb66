//! Instances that are known to exist and did not answer: each asked once more by its id.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};

use super::discovery::add;
use super::services::{PING, VERBS, Verb, service_capture, service_request};
use super::{Account, Epoch};
use crate::ask::{Next, ask};
use crate::glance;

/// Requests by id per account and epoch. Beyond it something else is wrong, and says so itself.
const MOST: usize = 512;

/// One question to one instance.
struct Question {
    verb: Verb,
    service: String,
    instance: String,
}

impl Question {
    fn can_be_asked(&self) -> bool {
        glance::is_token(&self.service) && glance::is_token(&self.instance)
    }
}

impl Epoch<'_> {
    /// So that three lost replies of two thousand are no news.
    pub(super) async fn ask_by_id(&self) {
        let accounts = self.accounts.iter().filter(|account| account.id.is_some());
        let all: FuturesUnordered<_> =
            accounts.map(|account| self.ask_instances(account)).collect();
        all.collect::<()>().await;
    }

    async fn ask_instances(&self, account: &Account<'_>) {
        let all = self.open_questions(account).into_iter();
        let (mut questions, unaskable): (Vec<_>, Vec<_>) = all.partition(Question::can_be_asked);
        for question in unaskable.into_iter().take(MOST) {
            self.cannot_ask(account, question).await;
        }
        let beyond = questions.len().saturating_sub(MOST);
        questions.truncate(MOST);
        let each: FuturesUnordered<_> =
            questions.into_iter().map(|question| self.ask_instance(account, question)).collect();
        each.collect::<()>().await;
        if beyond > 0 {
            self.capture(CaptureLine {
                endpoint: PING.endpoint.clone(),
                subject: PING.subject(None, None),
                account: account.id.clone(),
                status: Status::Skipped,
                expected: Some(beyond as u64),
                note: Some(format!(
                    "{beyond} more instances did not answer; only {MOST} are asked by id"
                )),
                ..CaptureLine::default()
            })
            .await;
        }
    }

    /// Who is known to exist and has not answered: to a PING if to nothing at all, else to the
    /// verb that is missing.
    fn open_questions(&self, account: &Account<'_>) -> Vec<Question> {
        let seen = self.seen.borrow();
        let mut questions = Vec::new();
        let mut ask = |verb, service: &str, instance: &String| {
            let (service, instance) = (service.to_owned(), instance.clone());
            questions.push(Question { verb, service, instance });
        };
        let here = |of: &String| Some(of) == account.id.as_ref();
        let services = seen.services.iter().filter(|(key, _)| here(&key.account));
        for (key, sighting) in services {
            let alive = sighting.alive();
            sighting.listed.iter().filter(|id| !alive.contains(id)).for_each(|id| {
                ask(PING, &key.name, id);
            });
            for verb in VERBS.into_iter().filter(|verb| self.selection.has(verb.endpoint)) {
                let answered = sighting.answered(verb.name);
                let silent = alive.iter().filter(|id| !answered.is_some_and(|a| a.contains(**id)));
                silent.for_each(|id| ask(verb, &key.name, id));
            }
        }
        let listed: BTreeSet<(&str, &String)> = seen
            .services
            .iter()
            .filter(|(key, _)| here(&key.account))
            .flat_map(|(key, sighting)| {
                sighting.listed.iter().chain(sighting.alive()).map(|id| (key.name.as_str(), id))
            })
            .collect();
        for service in self.expects.services.iter().filter(|service| here(&service.account)) {
            for id in &service.instances {
                if !listed.contains(&(service.name.as_str(), id)) {
                    ask(PING, &service.name, id);
                }
            }
        }
        questions
    }

    /// Whoever reads the recording is to know that nobody tried, and why.
    async fn cannot_ask(&self, account: &Account<'_>, question: Question) {
        let Question { verb, service, instance } = question;
        let subject = verb.subject(Some(&service), Some(&instance));
        self.capture(CaptureLine {
            status: Status::Skipped,
            note: Some(glance::NO_TOKEN.to_owned()),
            target: Some(instance),
            service: Some(service),
            ..service_capture(account, verb, subject)
        })
        .await;
    }

    async fn ask_instance(&self, account: &Account<'_>, question: Question) {
        let Question { verb, service, instance } = question;
        let _place = account.link.small().await;
        let subject = verb.subject(Some(&service), Some(&instance));
        let request = service_request(account, &subject);
        let mut capture = service_capture(account, verb, subject.clone());
        for patience in self.tries_of_instance() {
            let attempt = ask(&request, &self.clock, patience, async |answer| {
                match self.service_reply(answer, account, verb, &subject).await {
                    Some((_, id)) if id == instance => Next::Done,
                    _ => Next::Foreign,
                }
            })
            .await;
            add(&mut capture, attempt);
            if capture.status != Status::Timeout {
                break;
            }
        }
        self.capture(CaptureLine { target: Some(instance), service: Some(service), ..capture })
            .await;
    }
}
