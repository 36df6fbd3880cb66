//! What each server is asked.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;
use nats_hindsight_snapshot::lines::FilterLine;
use tokio::sync::watch;

use super::discovery::broadcast_capture;
use super::{Epoch, SERVICES, wait};
use crate::ask::{Next, Request, ask};
use crate::connect::Link;
use crate::table::{CONNZ, CONNZ_CLOSED, OF_SERVERS, ROUTEZ, Row, Way};

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
        let living = async {
            self.ask_found(link, &found, services_asked.clone()).await;
            listed.send_replace(true);
        };
        let missing = async {
            // Who is missing is known once the others have named their peers.
            self.ask_each(link, &ROUTEZ, &found).await;
            let late = self.ask_missing(link, self.missing()).await;
            self.ask_each(link, &ROUTEZ, &late).await;
            self.ask_found(link, &late, services_asked.clone()).await;
        };
        futures::join!(living, missing);
    }

    /// Asks servers that are known to answer: small answers from all at once, then each on its
    /// own, so that one that stops answering keeps no other waiting.
    async fn ask_found(
        &self,
        link: &Link,
        servers: &BTreeSet<String>,
        services_asked: watch::Receiver<bool>,
    ) {
        if servers.is_empty() {
            return;
        }
        let broadcast = |row: &&Row| row.way == Way::Broadcast;
        let rows: Vec<&'static Row> = OF_SERVERS.iter().filter(broadcast).collect();
        let answered = join_all(rows.iter().map(|row| self.ask_all(link, row, servers))).await;
        let filters = self.filters();
        join_all(servers.iter().map(|server| async {
            for (row, answered) in rows.iter().zip(&answered) {
                if !answered.contains(server) {
                    self.ask_server(link, row, server, None).await;
                }
            }
            for row in OF_SERVERS.iter().filter(|row| !broadcast(row) && row.token != ROUTEZ.token)
            {
                self.ask_server(link, row, server, None).await;
            }
            wait(services_asked.clone()).await;
            self.list_connections(link, server, &filters).await;
        }))
        .await;
    }

    async fn ask_each(&self, link: &Link, row: &'static Row, servers: &BTreeSet<String>) {
        join_all(servers.iter().map(|server| self.ask_server(link, row, server, None))).await;
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

    /// Lists the connections of a server: those of services where accounts are few, else all. One
    /// answer at a time, because the server holds each of them in memory.
    async fn list_connections(&self, link: &Link, server: &str, filters: &[Option<FilterLine>]) {
        for filter in filters {
            for row in [&CONNZ, &CONNZ_CLOSED] {
                self.ask_server(link, row, server, filter.clone()).await;
            }
        }
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
