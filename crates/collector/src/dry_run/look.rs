//! A first look at a system: how large it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use nats_hindsight_snapshot::lines::Status;

use crate::ask::{Attempt, Next, Patience, Request, ask};
use crate::connect::Link;
use crate::connections::Connections;
use crate::glance::{self, ServerSize};
use crate::http::{HttpClient, HttpTarget};
use crate::record::Clock;
use crate::settings::{Settings, Waits};
use crate::table::{ACCOUNTZ, JSZ, Row, STATSZ, VARZ};

/// One server, as far as the first look shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sized {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) size: ServerSize,
    pub(crate) accounts: BTreeSet<String>,
    pub(crate) streams: u64,
    pub(crate) consumers: u64,
}

/// What the first look shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// Servers of the system connection by id, then those of the ports.
    pub(crate) servers: BTreeMap<String, Sized>,
    /// Ids of the servers that answer on monitoring ports.
    pub(crate) ports: Vec<String>,
    /// Instances that answer, per account connection.
    pub(crate) instances: Vec<u64>,
    pub(crate) troubles: Vec<String>,
    /// Ports that could not be looked at, and why.
    pub(crate) dead_ports: BTreeMap<String, String>,
}

impl Look {
    /// Looks at everything the settings reach.
    pub(crate) async fn at(connections: &Connections, settings: &Settings, clock: &Clock) -> Self {
        let mut look = Self::default();
        let waits = &settings.waits;
        if let Some(link) = connections.system() {
            look.at_servers(link, waits, clock).await;
        }
        for account in connections.accounts() {
            let subject = "$SRV.PING".to_owned();
            let mut instances = 0;
            replies(account.link, subject, Bytes::new(), waits, clock, |body| {
                instances += u64::from(glance::instance(body).is_some());
            })
            .await;
            look.instances.push(instances);
        }
        let ports = settings.http.iter().map(|target| at_port(target, waits.timeout));
        for (target, port) in settings.http.iter().zip(join_all(ports).await) {
            match port {
                Ok((id, server)) => {
                    look.ports.push(id.clone());
                    look.servers.insert(id, server);
                }
                Err(note) => drop(look.dead_ports.insert(target.to_string(), note)),
            }
        }
        look
    }

    async fn at_servers(&mut self, link: &Link, waits: &Waits, clock: &Clock) {
        for row in [&STATSZ, &VARZ, &ACCOUNTZ, &JSZ] {
            // Without options JSZ tells totals.
            let (subject, body) = (row.broadcast(), Bytes::new());
            let mut taken = Vec::new();
            let attempt =
                replies(link, subject, body, waits, clock, |body| taken.push(body.clone())).await;
            for body in taken {
                self.take(row, &body);
            }
            if row.token == STATSZ.token && attempt.line.status == Status::NoResponders {
                self.troubles.push(
                    "no server answers this user: it is not in the system account".to_owned(),
                );
            }
        }
    }

    fn take(&mut self, row: &Row, body: &[u8]) {
        let Some((who, _)) = glance::envelope(body) else { return };
        let server = self.servers.entry(who.id).or_default();
        server.name = who.name;
        server.version = who.version.unwrap_or_default();
        server.take(row, body);
    }

    /// All accounts.
    pub(crate) fn accounts(&self) -> BTreeSet<&String> {
        self.servers.values().flat_map(|server| &server.accounts).collect()
    }

    /// Streams and consumers.
    pub(crate) fn assets(&self) -> (u64, u64) {
        let sum = |of: fn(&Sized) -> u64| self.servers.values().map(of).sum();
        (sum(|server| server.streams), sum(|server| server.consumers))
    }

    /// The servers of the system connection.
    pub(crate) fn over_nats(&self) -> impl Iterator<Item = &Sized> {
        self.servers.iter().filter(|(id, _)| !self.ports.contains(id)).map(|(_, server)| server)
    }

    /// The servers behind monitoring ports.
    pub(crate) fn over_http(&self) -> impl Iterator<Item = &Sized> {
        self.ports.iter().filter_map(|id| self.servers.get(id))
    }
}

impl Sized {
    fn take(&mut self, row: &Row, body: &[u8]) {
        if row.token == VARZ.token {
            self.size = glance::server_size(body).unwrap_or_default();
        } else if row.token == ACCOUNTZ.token {
            self.accounts.extend(glance::accounts(body));
        } else if row.token == JSZ.token {
            (self.streams, self.consumers) = glance::jetstream_size(body).unwrap_or_default();
        }
    }
}

/// Asks one subject and hands over what comes. How it went.
async fn replies(
    link: &Link,
    subject: String,
    body: Bytes,
    waits: &Waits,
    clock: &Clock,
    mut take: impl FnMut(&Bytes),
) -> Attempt {
    let request = Request { link, subject, body, compressed: false };
    let stall = waits.stall.min(waits.timeout);
    let patience = Patience { most: waits.timeout, stall, after_all: stall };
    ask(&request, clock, patience, async |answer| {
        take(&answer.body);
        Next::More
    })
    .await
}

/// Id and size of the server behind a port.
async fn at_port(target: &HttpTarget, timeout: Duration) -> Result<(String, Sized), String> {
    let client = HttpClient::new(target).map_err(|failure| failure.note)?;
    let body = client.get("/varz", timeout).await.map_err(|failure| failure.note)?;
    let who = glance::bare_server(&body).ok_or("this is no reply of a NATS server")?;
    let version = who.version.unwrap_or_default();
    let mut server = Sized { name: who.name, version, ..Sized::default() };
    server.take(&VARZ, &body);
    for (row, path) in [(&ACCOUNTZ, "/accountz"), (&JSZ, "/jsz")] {
        if let Ok(body) = client.get(path, timeout).await {
            server.take(row, &body);
        }
    }
    Ok((who.id, server))
}
