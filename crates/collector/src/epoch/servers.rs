//! What each server is asked.

use std::collections::BTreeSet;

use futures::future::join_all;
use futures::{StreamExt, stream};
use nats_hindsight_snapshot::lines::{CaptureLine, FilterLine, Status};
use tokio::sync::watch;

use super::discovery::{add, broadcast_capture};
use super::{Epoch, SERVICES, wait};
use crate::ask::{Attempt, Next, Request, ask};
use crate::connect::Link;
use crate::glance;
use crate::table::{OF_SERVERS, RAFTZ, ROUTEZ, Row, Scope, Way};

/// Up to this many accounts each is asked for on its own, which brings only the connections of
/// services. With more, one request for everything is cheaper.
pub(crate) const FEW_ACCOUNTS: usize = 16;

/// Answers of all servers that are waited for at the same time. Many more stand in line behind each
/// other for so long that those at its end seem to be lost.
const ANSWERS_AT_ONCE: usize = 4_096;

/// Accounts of a server that are asked for one by one. How the others are is left open, and said.
pub(crate) const MOST_ACCOUNTS: usize = 64;

/// Times all servers are asked where none can be asked alone.
const ROUNDS: usize = 2;

/// Which servers are asked for small answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    /// All of the system, at once.
    All,
    /// A few that were found late, one by one.
    Few,
}

impl Epoch<'_> {
    /// Asks all servers everything. `listed` is told when the connections of the servers that
    /// answer are listed: it does not wait for those that do not, nor for what comes after.
    pub(super) async fn ask_servers(
        &self,
        services_asked: watch::Receiver<bool>,
        listed: &watch::Sender<bool>,
    ) {
        let Some(link) = self.system else { return };
        let found = self.discover(link).await;
        let (asked, all_asked) = watch::channel(false);
        let living = async {
            let answered = self.ask_at_once(link, &found, Asking::All).await;
            asked.send_replace(true);
            self.ask_one_by_one(link, &found, &answered, services_asked.clone()).await;
            listed.send_replace(true);
            self.ask_alone(link, &found).await;
        };
        let missing = async {
            // Who is missing is known once the others have named their peers, and everybody had the
            // chance to answer something else.
            self.ask_each(link, &ROUTEZ, &found).await;
            wait(all_asked).await;
            let late = self.ask_missing(link, self.missing(&found)).await;
            self.ask_each(link, &ROUTEZ, &late).await;
            let answered = self.ask_at_once(link, &late, Asking::Few).await;
            self.ask_one_by_one(link, &late, &answered, services_asked.clone()).await;
            self.ask_alone(link, &late).await;
        };
        futures::join!(living, missing);
    }

    /// Asks servers that are known to answer for what is small. Who answered, by what was asked.
    async fn ask_at_once(
        &self,
        link: &Link,
        servers: &BTreeSet<String>,
        asking: Asking,
    ) -> Vec<(&'static Row, BTreeSet<String>)> {
        let at_once = |row: &&Row| matches!(row.way, Way::Broadcast | Way::BroadcastOnly);
        let rows = self.selection.rows(OF_SERVERS).filter(at_once);
        let asked = rows.map(async |row| {
            // The others have been asked, and would all answer again.
            let one_by_one = asking == Asking::Few && row.way != Way::BroadcastOnly;
            if one_by_one || servers.is_empty() {
                return (row, BTreeSet::new());
            }
            (row, self.ask_all(link, row, servers).await)
        });
        let side_by_side = (ANSWERS_AT_ONCE / servers.len().max(1)).max(1);
        stream::iter(asked).buffered(side_by_side).collect().await
    }

    /// Asks each server on its own for all that has not come yet, so that one that stops answering
    /// keeps no other waiting.
    async fn ask_one_by_one(
        &self,
        link: &Link,
        servers: &BTreeSet<String>,
        answered: &[(&'static Row, BTreeSet<String>)],
        services_asked: watch::Receiver<bool>,
    ) {
        let filters = self.filters();
        join_all(servers.iter().map(|server| async {
            for (row, answered) in answered {
                if !answered.contains(server) {
                    self.ask_again(link, row, server).await;
                }
            }
            for row in self.selection.rows(OF_SERVERS).filter(|row| row.way == Way::Directed) {
                if !row.lists_connections() {
                    self.ask_scope(link, row, server).await;
                }
            }
            wait(services_asked.clone()).await;
            self.list_connections(link, server, &filters).await;
        }))
        .await;
    }

    async fn ask_each(&self, link: &Link, row: &'static Row, servers: &BTreeSet<String>) {
        join_all(servers.iter().map(|server| self.ask_server(link, row, server, None))).await;
    }

    /// Asks for what can be huge, one question after the other of each server, and of as many
    /// servers at once as there is room for. Last, because everything else is needed more.
    async fn ask_alone(&self, link: &Link, servers: &BTreeSet<String>) {
        join_all(servers.iter().map(async |server| {
            for row in self.selection.rows(OF_SERVERS).filter(|row| row.way == Way::Alone) {
                self.ask_scope(link, row, server).await;
            }
        }))
        .await;
    }

    /// Asks one server for all of what an endpoint has: as a whole, or account by account.
    async fn ask_scope(&self, link: &Link, row: &'static Row, server: &str) {
        if row.scope == Scope::Server {
            return self.ask_server(link, row, server, None).await;
        }
        if row.token == RAFTZ.token {
            // Servers tell the groups of the system account if none is named.
            self.ask_server(link, row, server, None).await;
        }
        let accounts = self.accounts_for(row, server);
        for account in accounts.iter().take(MOST_ACCOUNTS) {
            let filter = FilterLine { account: Some(account.clone()), subject: None };
            self.ask_server(link, row, server, Some(filter)).await;
        }
        if let Some(capture) = beyond(row, &row.subject(server), server, accounts.len()) {
            self.capture(capture).await;
        }
    }

    /// The accounts of a server that an endpoint is asked for.
    pub(super) fn accounts_for(&self, row: &Row, server: &str) -> BTreeSet<String> {
        let seen = self.seen.borrow();
        // Only accounts with JetStream have Raft groups.
        let known = if row.token == RAFTZ.token { &seen.jetstream_of } else { &seen.accounts_of };
        known.get(server).cloned().unwrap_or_default()
    }

    /// Asks a server alone that did not answer with the others.
    async fn ask_again(&self, link: &Link, row: &'static Row, server: &str) {
        if row.way != Way::BroadcastOnly {
            return self.ask_server(link, row, server, None).await;
        }
        self.capture(CaptureLine {
            endpoint: row.endpoint.clone(),
            subject: row.broadcast(),
            target: Some(server.to_owned()),
            status: Status::Timeout,
            expected: Some(1),
            note: Some("did not answer with the others, and cannot be asked alone".to_owned()),
            ..CaptureLine::default()
        })
        .await;
    }

    /// Asks all servers at once, again where none can be asked alone. Ids of those that answered.
    async fn ask_all(
        &self,
        link: &Link,
        row: &'static Row,
        servers: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mut answered = BTreeSet::new();
        let first = self.ask_round(link, row, servers, &mut answered, false).await;
        let mut capture = broadcast_capture(row, first);
        for _ in 1..ROUNDS {
            if row.way != Way::BroadcastOnly || answered.is_superset(servers) {
                break;
            }
            add(&mut capture, self.ask_round(link, row, servers, &mut answered, true).await);
        }
        if !answered.is_empty() {
            capture.status = Status::Ok;
        }
        self.capture(capture).await;
        answered
    }

    async fn ask_round(
        &self,
        link: &Link,
        row: &'static Row,
        servers: &BTreeSet<String>,
        answered: &mut BTreeSet<String>,
        again: bool,
    ) -> Attempt {
        let subject = row.broadcast();
        let body = row.request(None, None);
        let request = Request { link, subject: subject.clone(), body, compressed: row.compressed };
        ask(&request, &self.clock, self.broadcast(), async |answer| {
            // Who answers again in a second round has nothing new to say.
            let known = || glance::envelope(&answer.body).map(|(server, _)| server.id);
            if again && known().is_some_and(|id| answered.contains(&id)) {
                return Next::More;
            }
            let Some(server) = self.server_reply(answer, row, &subject).await else {
                return Next::Foreign;
            };
            answered.insert(server.id);
            if answered.is_superset(servers) { Next::AllIn } else { Next::More }
        })
        .await
    }

    /// Lists the connections of a server: those of services where accounts are few, else all. One
    /// answer at a time, because the server holds each of them in memory.
    async fn list_connections(&self, link: &Link, server: &str, filters: &[Option<FilterLine>]) {
        for filter in filters {
            for row in self.selection.rows(OF_SERVERS).filter(|row| row.lists_connections()) {
                self.ask_server(link, row, server, filter.clone()).await;
            }
        }
    }

    fn filters(&self) -> Vec<Option<FilterLine>> {
        let mut accounts = self.seen.borrow().accounts.clone();
        if !accounts.is_empty() {
            accounts.extend(self.expects.services.iter().map(|service| service.account.clone()));
        }
        if accounts.is_empty() || accounts.len() > FEW_ACCOUNTS || self.selection.all_connections()
        {
            return vec![None];
        }
        accounts.into_iter().map(|account| Some(self.connections_of(account))).collect()
    }

    /// The connections of an account that are asked for: those that have to do with services, or
    /// all of them.
    pub(super) fn connections_of(&self, account: String) -> FilterLine {
        let subject = (!self.selection.all_connections()).then(|| SERVICES.to_owned());
        FilterLine { account: Some(account), subject }
    }
}

/// What is not asked for because a server has too many accounts.
pub(super) fn beyond(
    row: &Row,
    subject: &str,
    target: &str,
    accounts: usize,
) -> Option<CaptureLine> {
    let more = accounts.checked_sub(MOST_ACCOUNTS).filter(|more| *more > 0)?;
    Some(CaptureLine {
        endpoint: row.endpoint.clone(),
        subject: subject.to_owned(),
        target: Some(target.to_owned()),
        status: Status::Skipped,
        expected: Some(more as u64),
        note: Some(format!("only {MOST_ACCOUNTS} accounts of a server are asked for one by one")),
        ..CaptureLine::default()
    })
}
