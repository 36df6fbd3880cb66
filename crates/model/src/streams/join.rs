//! From tellings to streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use super::accounts::{Accounts, Against};
use super::replicas::{self, Telling};
use super::servers::{Known, Servers};
use super::{Doubt, JszRecord, StreamKey, StreamTold, Streams};
use crate::View;

/// Tellings of one stream, by the server that tells.
type Tellings<'a> = BTreeMap<SmolStr, Vec<Telling<'a>>>;

/// Joins what an epoch says of streams.
pub(super) fn join(view: &View<'_>) -> Streams {
    let (servers, accounts) = (Servers::of(view), Accounts::of(view.jsz()));
    let mut joining = Joining {
        servers: &servers,
        accounts: &accounts,
        joined: BTreeMap::new(),
        without_domain: Vec::new(),
        doubts: BTreeMap::new(),
    };
    for record in view.jsz() {
        joining.take(record);
    }
    joining.place();
    joining.unite_what_moves();
    joining.finish(view.streams_beyond())
}

struct Joining<'a> {
    servers: &'a Servers,
    accounts: &'a Accounts,
    joined: BTreeMap<StreamKey, Tellings<'a>>,
    /// Tellings of servers whose domain nobody tells.
    without_domain: Vec<(StreamKey, SmolStr, Telling<'a>)>,
    doubts: BTreeMap<Doubt, u64>,
}

impl<'a> Joining<'a> {
    fn doubt(&mut self, doubt: Doubt) {
        *self.doubts.entry(doubt).or_default() += 1;
    }

    fn take(&mut self, record: &'a JszRecord) {
        let (server, known) = match self.servers.find(&record.teller) {
            Ok(found) => found,
            Err(ids) => {
                let doubt = unplaced(record, ids);
                record.streams.iter().for_each(|_| self.doubt(doubt.clone()));
                return;
            }
        };
        for told in &record.streams {
            if let Err(doubt) = self.add(record, told, &server, &known) {
                self.doubt(doubt);
            }
        }
    }

    fn add(
        &mut self,
        record: &'a JszRecord,
        told: &'a Arc<StreamTold>,
        server: &SmolStr,
        known: &Known,
    ) -> Result<(), Doubt> {
        let (Some(name), Some(account)) = (told.name.clone(), self.accounts.id(told)) else {
            return Err(Doubt::Nameless { server: server.clone() });
        };
        match record.filed.then(|| self.accounts.against(told)).flatten() {
            Some(Against::Said(said)) => {
                return Err(Doubt::Misfiled { stream: name, account, said });
            }
            Some(Against::Filed(accounts)) => {
                return Err(Doubt::Accounts { stream: name, accounts });
            }
            None => {}
        }
        let cluster = told.cluster.clone().or_else(|| known.cluster.clone());
        let key = StreamKey { account, domain: known.domain.clone(), cluster, name };
        let telling = Telling { record, told };
        if key.domain.is_none() {
            self.without_domain.push((key, server.clone(), telling));
        } else {
            self.put(key, server.clone(), telling);
        }
        Ok(())
    }

    fn put(&mut self, key: StreamKey, server: SmolStr, telling: Telling<'a>) {
        self.joined.entry(key).or_default().entry(server).or_default().push(telling);
    }

    /// A server that does not tell its domain is in that of the others of its cluster, as far as
    /// these are in one.
    fn place(&mut self) {
        let rest = std::mem::take(&mut self.without_domain);
        if rest.is_empty() {
            return;
        }
        let mut domains: BTreeMap<StreamKey, BTreeSet<SmolStr>> = BTreeMap::new();
        for key in self.joined.keys() {
            let domain = key.domain.clone();
            let anywhere = StreamKey { domain: None, ..key.clone() };
            domains.entry(anywhere).or_default().extend(domain);
        }
        for (key, server, telling) in rest {
            match domains.get(&key) {
                Some(known) if known.len() > 1 => self.doubt(Doubt::Domains {
                    stream: key.name,
                    account: key.account,
                    server,
                    domains: known.clone(),
                }),
                known => {
                    let domain = known.and_then(BTreeSet::first).cloned();
                    self.put(StreamKey { domain, ..key }, server, telling);
                }
            }
        }
    }

    /// A stream that moves has replicas in two clusters, which share one Raft group. It is that of
    /// the cluster in which it is led.
    fn unite_what_moves(&mut self) {
        let mut places: BTreeMap<(StreamKey, &SmolStr), BTreeSet<StreamKey>> = BTreeMap::new();
        for (key, tellings) in &self.joined {
            let anywhere = StreamKey { cluster: None, ..key.clone() };
            for telling in tellings.values().flatten() {
                let Some(group) = &telling.told.group else { continue };
                places.entry((anywhere.clone(), group)).or_default().insert(key.clone());
            }
        }
        let moving: Vec<BTreeSet<StreamKey>> =
            places.into_values().filter(|keys| keys.len() > 1).collect();
        for keys in moving {
            let led = keys.iter().find(|key| self.is_led_in(key));
            let Some(home) = led.or(keys.first()).cloned() else { continue };
            for key in keys.iter().filter(|key| **key != home) {
                for (server, tellings) in self.joined.remove(key).unwrap_or_default() {
                    let of_home = self.joined.entry(home.clone()).or_default();
                    of_home.entry(server).or_default().extend(tellings);
                }
            }
        }
    }

    fn is_led_in(&self, key: &StreamKey) -> bool {
        self.joined.get(key).into_iter().flatten().any(|(server, tellings)| {
            let name = self.servers.name(server);
            name.is_some() && tellings.iter().any(|telling| telling.told.leader.as_ref() == name)
        })
    }

    fn finish(self, beyond: u64) -> Streams {
        let Self { servers, joined, mut doubts, .. } = self;
        let not_joined =
            doubts.iter().filter(|(doubt, _)| doubt.leaves_out()).map(|(_, count)| count).sum();
        let mut streams = BTreeMap::new();
        for (key, tellings) in joined {
            let (stream, doubt) = replicas::stream(&tellings, servers);
            for doubt in doubt {
                *doubts.entry(doubt).or_default() += 1;
            }
            streams.insert(key, stream);
        }
        Streams { streams, not_joined, doubts, beyond }
    }
}

/// Why streams of a record are those of no server that is known.
fn unplaced(record: &JszRecord, ids: BTreeSet<SmolStr>) -> Doubt {
    let server = record.teller.name.clone().unwrap_or_default();
    if ids.len() > 1 {
        Doubt::SharedName { server, cluster: record.teller.cluster.clone(), ids }
    } else {
        Doubt::UnknownServer { server }
    }
}
