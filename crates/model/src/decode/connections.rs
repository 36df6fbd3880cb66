//! From CONNZ to the rows that have to do with services, or carry a JWT.

use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::format::Reply;
use nats_hindsight_snapshot::wire::{Connection, Connz};
use smol_str::SmolStr;

use super::{owned, time};
use crate::epoch::{ConnectionRecord, ConnzPage};
use crate::users::Credential;

/// Page size of a server that was not told one.
const DEFAULT_LIMIT: u64 = 1024;

/// What CONNZ says, whatever page was asked for.
#[derive(Debug)]
pub(super) struct ConnzTold {
    offset: Option<u64>,
    limit: Option<u64>,
    total: Option<u64>,
    rows: u64,
    now: Option<Timestamp>,
    connections: Arc<[ConnectionRecord]>,
}

pub(super) fn told(connz: &Connz<'_>) -> ConnzTold {
    ConnzTold {
        offset: connz.offset,
        limit: connz.limit,
        total: connz.total,
        rows: connz.connections.len() as u64,
        now: time(connz.now.as_deref()),
        connections: connz.connections.iter().filter_map(connection).collect(),
    }
}

/// The page that a request asked for and a server told.
pub(super) fn page(id: &SmolStr, line: &Reply<'_>, told: &ConnzTold) -> ConnzPage {
    let mut page = ConnzPage {
        server: id.clone(),
        offset: line.page().map_or(told.offset.unwrap_or(0), |page| page.offset),
        limit: line
            .page()
            .map(|page| page.limit)
            .or(told.limit)
            .filter(|limit| *limit > 0)
            .unwrap_or(DEFAULT_LIMIT),
        total: told.total,
        rows: told.rows,
        arrival_us: line.arrival_us,
        now: told.now,
        connections: Arc::clone(&told.connections),
        ..ConnzPage::default()
    };
    page.restrict(line.filter(), line.account.as_deref());
    page
}

/// A row, if it announces a service, listens to all of them, or carries a JWT.
fn connection(row: &Connection<'_>) -> Option<ConnectionRecord> {
    let mut announces = Vec::new();
    let mut taps = false;
    for subject in row.subscriptions() {
        match announced(subject) {
            Some(Announced::Instance(name, id)) => announces.push((name, id)),
            Some(Announced::Tap) => taps = true,
            None => {}
        }
    }
    let credential = Credential::of(row);
    if announces.is_empty() && !taps && credential.is_none() {
        return None;
    }
    announces.sort();
    announces.dedup();
    // Of each service there were several: one for each verb.
    announces.shrink_to_fit();
    Some(ConnectionRecord {
        cid: row.cid.unwrap_or(0),
        // Servers before 2.9 name no kind; their rows are clients.
        kind: owned(row.kind.as_ref()).unwrap_or_else(|| "Client".into()),
        name: owned(row.name.as_ref()),
        lang: owned(row.lang.as_ref()),
        version: owned(row.version.as_ref()),
        ip: owned(row.ip.as_ref()),
        account: owned(row.account.as_ref()),
        // Servers of 2.10 put the name of the user here.
        account_name: owned(row.name_tag.as_ref()).filter(|name| {
            credential.as_ref().is_none_or(|known| known.name.as_ref() != Some(name))
        }),
        start: time(row.start.as_deref()),
        stop: time(row.stop.as_deref()),
        reason: owned(row.reason.as_ref()),
        announces,
        taps,
        credential,
    })
}

enum Announced {
    Instance(SmolStr, SmolStr),
    Tap,
}

/// What a subscription says about services: `$SRV.<verb>.<name>[.<id>]` announces one, a wildcard
/// that covers `$SRV.PING.<name>` taps all. Ids hold no dot, names neither.
fn announced(subject: &str) -> Option<Announced> {
    let tokens: Vec<&str> = subject.split('.').collect();
    if tokens.iter().any(|token| *token == "*" || *token == ">") {
        let covers = tokens
            .iter()
            .zip(["$SRV", "PING"])
            .all(|(token, wanted)| *token == wanted || *token == "*" || *token == ">");
        return covers.then_some(Announced::Tap);
    }
    match tokens.as_slice() {
        ["$SRV", "PING" | "INFO" | "STATS", name] => {
            Some(Announced::Instance((*name).into(), SmolStr::default()))
        }
        ["$SRV", "PING" | "INFO" | "STATS", name, id] => {
            Some(Announced::Instance((*name).into(), (*id).into()))
        }
        _ => None,
    }
}
