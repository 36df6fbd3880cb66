//! From replies of servers to records.

use jiff::Timestamp;
use nats_hindsight_snapshot::wire::{Accountz, Leafz, Routez, Statsz, Varz};
use smol_str::SmolStr;

use super::{owned, time};
use crate::epoch::{
    AccountzRecord, LeafzRecord, PeerRecord, RoutezRecord, StatszRecord, VarzRecord,
};

pub(super) fn varz(id: &SmolStr, varz: &Varz<'_>) -> VarzRecord {
    VarzRecord {
        server: id.clone(),
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

pub(super) fn statsz(id: &SmolStr, statsz: &Statsz<'_>, now: Option<Timestamp>) -> StatszRecord {
    StatszRecord {
        server: id.clone(),
        start: time(statsz.start.as_deref()),
        now,
        connections: statsz.connections,
        active_servers: statsz.active_servers,
    }
}

pub(super) fn routez(id: &SmolStr, routez: &Routez<'_>) -> RoutezRecord {
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
    RoutezRecord { server: id.clone(), peers }
}

pub(super) fn accountz(id: &SmolStr, accountz: &Accountz<'_>) -> AccountzRecord {
    AccountzRecord {
        server: id.clone(),
        system_account: owned(accountz.system_account.as_ref()),
        accounts: accountz.accounts.iter().map(SmolStr::new).collect(),
    }
}

pub(super) fn leafz(id: &SmolStr, leafz: &Leafz<'_>) -> LeafzRecord {
    let mut sides: Vec<(SmolStr, Option<SmolStr>)> = leafz
        .leafs
        .iter()
        .map(|leaf| (owned(leaf.name.as_ref()).unwrap_or_default(), owned(leaf.account.as_ref())))
        .collect();
    sides.sort();
    LeafzRecord { server: id.clone(), leafs: sides }
}
