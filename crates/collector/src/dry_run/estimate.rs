//! About how many bytes the answers of a run have.
//!
//! The numbers are sizes of replies of nats-server 2.10 to 2.15, rounded up; what is not known
//! before it is asked, such as the subscriptions of a connection, is taken as usual. A reply has
//! an envelope of about 350 bytes.

use nats_hindsight_snapshot::Endpoint;

use super::look::{Look, Sized};
use super::{Planned, Whom};
use crate::epoch::{FEW_ACCOUNTS, MOST_ACCOUNTS};
use crate::settings::Settings;
use crate::table::{CONNECTIONS, OF_SERVERS, OVER_HTTP, ROUTEZ, Row, STATSZ, Scope, Way};

/// Accounts of a server that are asked for one by one.
const MOST: u64 = MOST_ACCOUNTS as u64;

/// Accounts up to which connections are asked for account by account.
const FEW: u64 = FEW_ACCOUNTS as u64;

/// Bytes of a reply of a service.
const SERVICE: u64 = 600;

/// What a run asks, in the order of the table.
pub(super) fn requests(look: &Look, settings: &Settings, connections: usize) -> Vec<Planned> {
    let selection = &settings.selection;
    let mut planned = Vec::new();
    let over_nats: Vec<&Sized> = look.over_nats().collect();
    let mut first = vec![&STATSZ, &ROUTEZ];
    first.extend(selection.rows(OF_SERVERS));
    if !over_nats.is_empty() {
        planned.extend(first.into_iter().map(|row| of_servers(row, &over_nats)));
    }
    let ports: Vec<&Sized> = look.over_http().collect();
    if !ports.is_empty() {
        planned.extend(selection.rows(OVER_HTTP).map(|row| {
            let asked = of_servers(row, &ports);
            // Ports know no filter, so connections are not asked for account by account.
            let pages = |server: &&Sized| 1 + server.size.connections / CONNECTIONS;
            let replies =
                if row.lists_connections() { ports.iter().map(pages).sum() } else { asked.replies };
            Planned { whom: Whom::EachPort, requests: replies, replies, ..asked }
        }));
    }
    planned.extend(of_services(look, settings));
    if connections > 0 {
        let connections = connections as u64;
        planned.push(Planned {
            endpoint: Endpoint::USER_INFO,
            whom: Whom::Connection,
            requests: connections,
            replies: connections,
            bytes: connections * 600,
        });
    }
    planned
}

fn of_servers(row: &Row, servers: &[&Sized]) -> Planned {
    let whom = match row.way {
        Way::Broadcast | Way::BroadcastOnly => Whom::AllServers,
        Way::Directed => Whom::EachServer,
        Way::Alone => Whom::FewAtATime,
    };
    let replies = servers.iter().map(|server| replies_of(row, server)).sum();
    Planned {
        endpoint: row.endpoint.clone(),
        whom,
        requests: if whom == Whom::AllServers { 1 } else { replies },
        replies,
        bytes: servers.iter().map(|server| bytes_of(row, server)).sum(),
    }
}

fn replies_of(row: &Row, server: &Sized) -> u64 {
    let accounts = server.accounts.len() as u64;
    match row.scope {
        Scope::Server => 1,
        Scope::Account(_) if row.lists_connections() => {
            accounts.clamp(1, FEW).max(server.size.connections / CONNECTIONS)
        }
        Scope::Account(_) => accounts.min(MOST),
    }
}

/// Bytes of all replies of a server to one endpoint.
fn bytes_of(row: &Row, server: &Sized) -> u64 {
    let size = &server.size;
    let accounts = server.accounts.len() as u64;
    let assets = server.streams + server.consumers;
    let each = |endpoint: &Endpoint| row.endpoint == endpoint;
    let inside = match () {
        () if each(&Endpoint::STATSZ) => 1600 + 250 * size.routes,
        () if each(&Endpoint::VARZ) => 3000,
        () if each(&Endpoint::ACCOUNTZ) => 160 + 12 * accounts,
        () if each(&Endpoint::ACCOUNTZ_DETAIL) => 1500 * accounts.min(MOST),
        () if each(&Endpoint::ACCOUNT_STATZ) => 400 * accounts,
        () if each(&Endpoint::CONNZ) => 180 * replies_of(row, server) + 900 * size.connections,
        () if each(&Endpoint::CONNZ_CLOSED) => {
            let closed = size.total_connections.saturating_sub(size.connections);
            180 * replies_of(row, server) + 600 * closed.min(CONNECTIONS)
        }
        () if each(&Endpoint::ROUTEZ) => 150 + 700 * size.routes,
        () if each(&Endpoint::LEAFZ) => 150 + 500 * size.leafs,
        () if each(&Endpoint::GATEWAYZ) => 150 + 800 * size.gateways,
        () if each(&Endpoint::JSZ) => 800 + 2200 * server.streams + 1000 * server.consumers,
        () if each(&Endpoint::RAFTZ) => 800 + 700 * assets,
        () if each(&Endpoint::EXPVARZ) => 4500,
        () => 300,
    };
    inside + 350 * replies_of(row, server)
}

fn of_services(look: &Look, settings: &Settings) -> Vec<Planned> {
    let instances: u64 = look.instances.iter().sum();
    let accounts = look.instances.len() as u64;
    [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS]
        .into_iter()
        .filter(|endpoint| accounts > 0 && settings.selection.has(endpoint))
        .map(|endpoint| Planned {
            endpoint,
            whom: Whom::Services,
            requests: accounts,
            replies: instances,
            bytes: instances * SERVICE,
        })
        .collect()
}
