//! From replies of servers to records.

use jiff::Timestamp;
use nats_hindsight_snapshot::wire::{Accountz, Leafz, Routez, Statsz, Varz};

use super::{owned, time};
use crate::epoch::{
    AccountzRecord, LeafzRecord, PeerRecord, RoutezRecord, StatszRecord, VarzRecord,
};

pub(super) fn varz(id: &str, varz: &Varz<'_>) -> VarzRecord {
    VarzRecord {
        server: id.to_owned(),
        git_commit: owned(varz.git_commit.as_ref()),
        go: owned(varz.go.as_ref()),
        start: time(varz.start.as_deref()),
        now: time(varz.now.as_deref()),
        connections: varz.connections,
        remotes: varz.remotes,
        in_msgs: varz.in_msgs,
        out_msgs: varz.out_msgs,
        host: owned(varz.host.as_ref()),
        port: varz.port,
        jetstream: varz.jetstream.is_some_and(|block| !matches!(block.get(), "{}" | "null")),
        operator_mode: [varz.trusted_operators_jwt, varz.trusted_operators_claim]
            .into_iter()
            .flatten()
            .any(|list| !matches!(list.get(), "[]" | "null")),
    }
}

pub(super) fn statsz(id: &str, statsz: &Statsz<'_>, now: Option<Timestamp>) -> StatszRecord {
    StatszRecord {
        server: id.to_owned(),
        start: time(statsz.start.as_deref()),
        now,
        connections: statsz.connections,
        active_servers: statsz.active_servers,
    }
}

pub(super) fn routez(id: &str, routez: &Routez<'_>) -> RoutezRecord {
    let mut peers: Vec<PeerRecord> = routez
        .routes
        .iter()
        .filter_map(|route| {
            let id = owned(route.remote_id.as_ref())?;
            let name = owned(route.remote_name.as_ref()).unwrap_or_else(|| id.clone());
            Some(PeerRecord { id, name, ip: owned(route.ip.as_ref()) })
        })
        .collect();
    peers.sort();
    peers.dedup_by(|a, b| a.id == b.id);
    RoutezRecord { server: id.to_owned(), peers }
}

pub(super) fn accountz(id: &str, accountz: &Accountz<'_>) -> AccountzRecord {
    AccountzRecord {
        server: id.to_owned(),
        system_account: owned(accountz.system_account.as_ref()),
        accounts: accountz.accounts.iter().map(|name| name.clone().into_owned()).collect(),
    }
}

pub(super) fn leafz(id: &str, leafz: &Leafz<'_>) -> LeafzRecord {
    let mut sides: Vec<(String, Option<String>)> = leafz
        .leafs
        .iter()
        .map(|leaf| (owned(leaf.name.as_ref()).unwrap_or_default(), owned(leaf.account.as_ref())))
        .collect();
    sides.sort();
    LeafzRecord { server: id.to_owned(), leafs: sides }
}
