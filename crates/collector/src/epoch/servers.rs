//! What each server is asked.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use nats_hindsight_snapshot::lines::FilterLine;
use tokio::sync::watch;

use super::discovery::broadcast_capture;
use super::{Epoch, SERVICES, wait};
use crate::ask::{Next, Request, ask};
use crate::connect::Link;
use crate::table::{CONNZ, CONNZ_CLOSED, OF_SERVERS, Row, Way};

/// Up to this many accounts each is asked for on its own, which brings only the connections of
/// services. With more, one request for everything is cheaper.
const FEW: usize = 16;

impl Epoch<'_> {
    /// Asks all servers everything. `listed` is told when the connections of the servers that
    /// answer are listed: it does not wait for those that do not.
    pub(super) async fn ask_servers(
        &self,
        services_asked: watch::Receiver<bool>,
        listed: &watch::Sender<bool>,
    ) {
        let Some(link) = self.system else { return };
        let found = self.discover(link).await;
        self.ask_rows(link, &found).await;
        let living = async {
            wait(services_asked.clone()).await;
            self.list_connections(link, &found).await;
            listed.send_replace(true);
        };
        let missing = async {
            let late = self.ask_missing(link, self.missing()).await;
            self.ask_rows(link, &late).await;
            wait(services_asked.clone()).await;
            self.list_connections(link, &late).await;
        };
        futures::join!(living, missing);
    }

    async fn ask_rows(&self, link: &Link, servers: &BTreeSet<String>) {
        if servers.is_empty() {
            return;
        }
        join_all(OF_SERVERS.iter().map(|row| self.ask_row(link, row, servers))).await;
    }

    /// Asks one endpoint: everybody at once and then the missing, or one by one.
    async fn ask_row(&self, link: &Link, row: &'static Row, servers: &BTreeSet<String>) {
        // One or two servers are asked just as well by id.
        let answered = if row.way == Way::Broadcast && servers.len() > 2 {
            self.ask_all(link, row, servers).await
        } else {
            BTreeSet::new()
        };
        let each: FuturesUnordered<_> = servers
            .difference(&answered)
            .map(|server| self.ask_server(link, row, server, None))
            .collect();
        each.collect::<()>().await;
    }

    async fn ask_all(
        &self,
        link: &Link,
        row: &'static Row,
        servers: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let subject = row.broadcast();
        let body = Bytes::new();
        let request = Request { link, subject: subject.clone(), body, compressed: row.compressed };
        let mut answered = BTreeSet::new();
        let attempt = ask(&request, &self.clock, self.broadcast(), async |answer| {
            let Some(server) = self.server_reply(answer, row, &subject).await else {
                return Next::Foreign;
            };
            answered.insert(server.id);
            if answered.is_superset(servers) { Next::AllIn } else { Next::More }
        })
        .await;
        self.capture(broadcast_capture(row, attempt)).await;
        answered
    }

    /// Lists the connections of servers: those of services where accounts are few, else all.
    async fn list_connections(&self, link: &Link, servers: &BTreeSet<String>) {
        let filters = self.filters();
        let each: FuturesUnordered<_> = servers
            .iter()
            .map(|server| async {
                // One large answer of a server at a time: it holds all of them in memory.
                for filter in &filters {
                    for row in [&CONNZ, &CONNZ_CLOSED] {
                        self.ask_server(link, row, server, filter.clone()).await;
                    }
                }
            })
            .collect();
        each.collect::<()>().await;
    }

    fn filters(&self) -> Vec<Option<FilterLine>> {
        let mut accounts = self.seen.borrow().accounts.clone();
        if !accounts.is_empty() {
            accounts.extend(self.expects.services.iter().map(|service| service.account.clone()));
        }
        if accounts.is_empty() || accounts.len() > FEW {
            return vec![None];
        }
        accounts.into_iter().map(|account| Some(of_services(account))).collect()
    }
}

/// Only connections of an account that have to do with services.
pub(super) fn of_services(account: String) -> FilterLine {
    FilterLine { account: Some(account), subject: Some(SERVICES.to_owned()) }
}
