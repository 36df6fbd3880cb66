//! Proof that a service has no instance: asked by name, and again some time later.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nats_hindsight_snapshot::lines::{CaptureLine, ExpectedService, Status};

use super::discovery::add;
use super::services::{PING, service_request};
use super::{Account, Epoch, ServiceKey, identify};
use crate::ask::{Next, ask};
use crate::glance;

/// A service is asked by name until two answers in a row agree, but not more often than this.
const MOST: usize = 4;

impl Epoch<'_> {
    /// Asks each expected service that did not answer the broadcasts by its name, all at once.
    /// Where every expected service answered this costs nothing.
    pub(super) async fn confirm_absences(&self, account: &Account<'_>) {
        let missing: FuturesUnordered<_> = self
            .expects
            .services
            .iter()
            .filter(|service| self.is_missing(account, service))
            .map(|service| self.confirm(account, service))
            .collect();
        missing.collect::<()>().await;
    }

    fn is_missing(&self, account: &Account<'_>, service: &ExpectedService) -> bool {
        let key = ServiceKey { account: service.account.clone(), name: service.name.clone() };
        let seen = self.seen.borrow();
        let answered = seen.services.get(&key).is_some_and(|seen| !seen.answered.is_empty());
        account.id.as_ref() == Some(&service.account) && !answered
    }

    /// One service: one capture with all attempts.
    async fn confirm(&self, account: &Account<'_>, service: &ExpectedService) {
        let subject = PING.subject(Some(&service.name), None);
        let mut capture = CaptureLine {
            endpoint: PING.endpoint.clone(),
            subject: subject.clone(),
            service: Some(service.name.clone()),
            account: account.id.clone(),
            ..CaptureLine::default()
        };
        if !glance::is_token(&service.name) {
            capture.note = Some(glance::NO_TOKEN.to_owned());
            return self.capture(capture).await;
        }
        let mut before = None;
        for _ in 0..MOST {
            self.ask_by_name(account, service, &subject, &mut capture).await;
            let settled = before.as_ref() == Some(&capture.status);
            if settled || matches!(capture.status, Status::Ok | Status::Denied) {
                break;
            }
            before = Some(capture.status.clone());
            // From the end of this attempt to the start of the next: so the answers lie at least
            // as far apart as the requests.
            tokio::time::sleep(self.waits.confirm_after + MARGIN).await;
        }
        if capture.status == Status::Timeout {
            self.hold_against_link(account, &mut capture).await;
        }
        self.capture(capture).await;
    }

    /// Where the server at hand does not answer either, the silence says nothing about the service.
    async fn hold_against_link(&self, account: &Account<'_>, capture: &mut CaptureLine) {
        let control = identify(account.link, &self.clock, self.waits.timeout, 1).await;
        if control.answers() {
            return;
        }
        for attempt in capture.attempts.iter_mut().filter(|one| one.status == Status::Timeout) {
            attempt.status = Status::Skipped;
        }
        capture.status = Status::Skipped;
        capture.note = Some("the connection answers nothing, its own server included".to_owned());
    }

    async fn ask_by_name(
        &self,
        account: &Account<'_>,
        service: &ExpectedService,
        subject: &str,
        capture: &mut CaptureLine,
    ) {
        let _place = account.link.small().await;
        let request = service_request(account, subject);
        let mut expected: Vec<&String> = service.instances.iter().collect();
        let remembered = !expected.is_empty();
        let attempt = ask(&request, &self.clock, self.broadcast(), async |answer| {
            match self.service_reply(answer, account, PING, subject).await {
                Some((name, id)) if name == service.name => {
                    expected.retain(|known| **known != id);
                    if remembered && expected.is_empty() { Next::AllIn } else { Next::More }
                }
                _ => Next::Foreign,
            }
        })
        .await;
        add(capture, attempt);
    }
}

/// Timers are precise to a millisecond and may round down.
const MARGIN: Duration = Duration::from_millis(2);
