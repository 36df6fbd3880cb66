//! What a body tells, whoever asked for it and whenever it came.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Body;
use nats_hindsight_snapshot::wire::{
    Accountz, Connz, Envelope, Leafz, Routez, ServerInfo, Statsz, Varz,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::connections::ConnzTold;
use super::memo::Memo;
use super::{connections, owned, records, services, time};
use crate::epoch::{
    AccountzRecord, InstanceTold, LeafzRecord, RoutezRecord, SettingsRecord, StatszRecord,
    VarzRecord, Who,
};

/// What a body tells, shared by all who look at it.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// A server, in an envelope.
    Server(Arc<ServerTold>),
    /// A service instance.
    Instance(Arc<InstanceTold>),
    /// Nothing, and why.
    Unreadable(Arc<str>),
}

/// What a server tells in an envelope.
#[derive(Debug)]
pub(super) struct ServerTold {
    pub(super) who: Arc<Who>,
    pub(super) content: Content,
    /// Why the reply inside the envelope could not be read.
    pub(super) unreadable: Option<String>,
}

impl Told {
    pub(super) fn unreadable(why: impl Into<Arc<str>>) -> Self {
        Self::Unreadable(why.into())
    }
}

/// The reply of a server, as far as the tables hold it.
#[derive(Clone, Debug, Default)]
pub(super) enum Content {
    /// An error, or an endpoint of which only the envelope is read.
    #[default]
    Nothing,
    /// Settings are there even if VARZ cannot be read, and only where somebody wants them.
    Varz(Option<Arc<VarzRecord>>, Option<Arc<SettingsRecord>>),
    Statsz(Arc<StatszRecord>),
    Routez(Arc<RoutezRecord>),
    Accountz(Arc<AccountzRecord>),
    Leafz(Arc<LeafzRecord>),
    Connz(Arc<ConnzTold>),
}

/// Decodes a body that does not need to know who was asked: all but those over HTTP.
pub(super) fn told(endpoint: &Endpoint, body: &Body<'_>, memo: &Memo) -> Told {
    match endpoint {
        e if is_service(e) => services::told(e, body, memo),
        e if *e == Endpoint::VARZ => varz(body, memo.settings),
        e if *e == Endpoint::STATSZ => server(body, |id, statsz: &Statsz<'_>, now| {
            Content::Statsz(Arc::new(records::statsz(id, statsz, now)))
        }),
        e if *e == Endpoint::ROUTEZ => server(body, |id, routez: &Routez<'_>, _| {
            Content::Routez(Arc::new(records::routez(id, routez)))
        }),
        e if *e == Endpoint::ACCOUNTZ => server(body, |id, accountz: &Accountz<'_>, _| {
            Content::Accountz(Arc::new(records::accountz(id, accountz)))
        }),
        e if *e == Endpoint::LEAFZ => server(body, |id, leafz: &Leafz<'_>, _| {
            Content::Leafz(Arc::new(records::leafz(id, leafz)))
        }),
        e if is_connections(e) => server(body, |_, connz: &Connz<'_>, _| {
            Content::Connz(Arc::new(connections::told(connz)))
        }),
        _ => server(body, |_, _: &IgnoredAny, _| Content::Nothing),
    }
}

pub(super) fn is_service(endpoint: &Endpoint) -> bool {
    [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS].contains(endpoint)
}

pub(super) fn is_connections(endpoint: &Endpoint) -> bool {
    [Endpoint::CONNZ, Endpoint::CONNZ_CLOSED].contains(endpoint)
}

/// VARZ has its settings besides: a field of another type than expected must not cost them.
fn varz(body: &Body<'_>, wanted: bool) -> Told {
    let settings = |id: &SmolStr| wanted.then(|| settings(id, Arc::from(body.bytes()), false));
    let mut told = read(body, |id, varz: &Varz<'_>, _| {
        Content::Varz(Some(Arc::new(records::varz(id, varz))), settings(id))
    });
    if let Ok(ServerTold { who, content, unreadable: Some(_) }) = &mut told {
        *content = Content::Varz(None, settings(&who.server));
    }
    shared(told)
}

pub(super) fn settings(id: &SmolStr, body: Arc<[u8]>, bare: bool) -> Arc<SettingsRecord> {
    Arc::new(SettingsRecord { server: id.clone(), bare, body, read: OnceLock::new() })
}

fn server<'a, T: Deserialize<'a>>(
    body: &Body<'a>,
    make: impl FnOnce(&SmolStr, &T, Option<Timestamp>) -> Content,
) -> Told {
    shared(read(body, make))
}

fn shared(told: Result<ServerTold, String>) -> Told {
    told.map_or_else(Told::unreadable, |told| Told::Server(Arc::new(told)))
}

/// Reads an envelope and the reply in it in one pass.
fn read<'a, T: Deserialize<'a>>(
    body: &Body<'a>,
    make: impl FnOnce(&SmolStr, &T, Option<Timestamp>) -> Content,
) -> Result<ServerTold, String> {
    let Ok(envelope) = body.parse::<Envelope<'a, T>>() else { return partly(body, make) };
    let who = envelope.server.as_ref().and_then(who).ok_or(NOBODY)?;
    let reply = envelope.data.or(envelope.statsz).filter(|_| envelope.error.is_none());
    let content = reply.map(|reply| make(&who.server, &reply, who.now)).unwrap_or_default();
    Ok(ServerTold { who: Arc::new(who), content, unreadable: None })
}

/// The envelope of a reply that cannot be read: who sent it is known all the same.
fn partly<'a, T: Deserialize<'a>>(
    body: &Body<'a>,
    make: impl FnOnce(&SmolStr, &T, Option<Timestamp>) -> Content,
) -> Result<ServerTold, String> {
    let envelope: Envelope<'a, &'a RawValue> = body.parse().map_err(|error| error.to_string())?;
    let who = envelope.server.as_ref().and_then(who).ok_or(NOBODY)?;
    let reply = envelope.data.or(envelope.statsz).filter(|_| envelope.error.is_none());
    let read = reply.map(|raw| serde_json::from_str::<T>(raw.get()).map_err(|e| e.to_string()));
    let (content, unreadable) = match read.transpose() {
        Ok(reply) => {
            (reply.map(|reply| make(&who.server, &reply, who.now)).unwrap_or_default(), None)
        }
        Err(why) => (Content::Nothing, Some(why)),
    };
    Ok(ServerTold { who: Arc::new(who), content, unreadable })
}

/// Whose connections a list tells that does not tell their subscriptions.
pub(super) struct Owners {
    pub(super) who: Arc<Who>,
    pub(super) cids: Vec<u64>,
}

/// Reads a list of connections for their ids alone.
pub(super) fn owners(body: &Body<'_>) -> Result<Owners, String> {
    let envelope: Envelope<'_, Connz<'_>> = body.parse().map_err(|error| error.to_string())?;
    let who = envelope.server.as_ref().and_then(who).ok_or(NOBODY)?;
    let rows = envelope.data.map(|connz| connz.connections).unwrap_or_default();
    Ok(Owners { who: Arc::new(who), cids: rows.iter().filter_map(|row| row.cid).collect() })
}

/// Why a reply is of no use that tells nobody.
pub(super) const NOBODY: &str = "the reply does not say which server it is from";

pub(super) fn who(info: &ServerInfo<'_>) -> Option<Who> {
    Some(Who {
        server: owned(info.id.as_ref())?,
        name: owned(info.name.as_ref()),
        cluster: owned(info.cluster.as_ref()),
        domain: owned(info.domain.as_ref()),
        version: owned(info.ver.as_ref()),
        version_path: "server.ver",
        now: time(info.time.as_deref()),
        jetstream: Some(info.jetstream.unwrap_or(false)),
    })
}
