//! One epoch: one pass over all servers, accounts and services.

mod accounts;
mod by_id;
mod confirm;
mod discovery;
mod identity;
mod over_http;
mod pages;
mod seen;
mod servers;
mod services;
mod tries;

use std::cell::RefCell;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, ExpectsLine, FilterLine, PageLine};
use tokio::sync::watch;

use crate::ask::{Answer, Patience};
use crate::connect::Link;
use crate::http::HttpTarget;
use crate::record::{Clock, Recorder, Reply, Secretive};
use crate::selection::Selection;
use crate::settings::Waits;

pub(crate) use identity::{Identified, identify};
pub(crate) use seen::{Seen, ServiceKey};
pub(crate) use servers::{FEW_ACCOUNTS, MOST_ACCOUNTS};

/// Prefix of all subjects that services are asked on, as a filter of connections.
const SERVICES: &str = "$SRV.>";

/// A connection whose account's services are asked.
pub(crate) struct Account<'a> {
    pub(crate) link: &'a Link,
    /// Its account; absent if the server would not tell.
    pub(crate) id: Option<String>,
}

/// One pass, while it runs.
pub(crate) struct Epoch<'a> {
    pub(crate) waits: Waits,
    pub(crate) clock: Clock,
    pub(crate) recorder: Recorder,
    /// The system connection, if there is one and its user is in the system account.
    pub(crate) system: Option<&'a Link>,
    pub(crate) accounts: Vec<Account<'a>>,
    pub(crate) http: &'a [HttpTarget],
    pub(crate) selection: &'a Selection,
    pub(crate) expects: &'a ExpectsLine,
    pub(crate) seen: RefCell<Seen>,
}

/// What a reply is recorded under.
struct Label<'r> {
    endpoint: &'r Endpoint,
    subject: &'r str,
    source: Option<String>,
    account: Option<&'r String>,
    page: Option<PageLine>,
    filter: Option<&'r FilterLine>,
    secretive: &'static [Secretive],
}

impl Epoch<'_> {
    /// Asks everything. Servers and services are asked at the same time; connections are listed
    /// once no service has a request open that is to prove its absence, so that the list is later
    /// than the last of them; and the instances it shows that did not answer are asked last.
    pub(crate) async fn collect(&self) {
        let (asked, services_asked) = watch::channel(false);
        let (listed, connections_listed) = watch::channel(false);
        let services = async {
            self.ask_services().await;
            asked.send_replace(true);
            self.list_own_connections().await;
            wait(connections_listed).await;
            self.ask_by_id().await;
        };
        let servers = async {
            self.ask_servers(services_asked.clone(), &listed).await;
            listed.send_replace(true);
        };
        let http = self.ask_over_http(services_asked.clone());
        futures::join!(services, servers, http);
    }

    /// Patience with a broadcast.
    fn broadcast(&self) -> Patience {
        let waits = &self.waits;
        let after_all = waits.stall.min(std::time::Duration::from_millis(150));
        Patience { most: waits.timeout, stall: waits.stall.min(waits.timeout), after_all }
    }

    /// Records an answer as it came.
    async fn record(&self, answer: Answer, label: Label<'_>) {
        self.recorder
            .reply(Reply {
                endpoint: label.endpoint.clone(),
                subject: label.subject.to_owned(),
                source: label.source,
                account: label.account.cloned(),
                arrival_us: self.clock.us(answer.at),
                rtt_us: answer.rtt_us,
                page: label.page,
                filter: label.filter.cloned(),
                body: answer.body,
                secretive: label.secretive,
                permit: answer.permit,
            })
            .await;
    }

    /// Records how a request went.
    async fn capture(&self, capture: CaptureLine) {
        self.recorder.capture(capture).await;
    }
}

/// Waits until a part of the epoch is done.
async fn wait(mut done: watch::Receiver<bool>) {
    // The sender lives as long as the epoch; should it go, there is nothing to wait for.
    let _ = done.wait_for(|done| *done).await;
}
