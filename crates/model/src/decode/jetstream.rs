//! From JSZ to the streams that a server keeps.
//!
//! It is never kept from one epoch to the next: a server puts its clock and the ages of what it
//! heard into every reply, so that no two are the same.

use std::sync::Arc;

use nats_hindsight_snapshot::format::{Body, Reply};
use nats_hindsight_snapshot::wire::{Envelope, JszStreams, ListedStream, Replica, ServerInfo};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::told::{NOBODY, who};
use super::{bare_who, owned, sighting, time};
use crate::epoch::{Epoch, Who};
use crate::streams::{JszRecord, MemberTold, StreamTold, Teller};

/// Adds the streams of a reply, `most` of them; gives how many more there are.
pub(super) fn jsz(
    epoch: &mut Epoch,
    line: &Reply<'_>,
    body: &Body<'_>,
    most: u64,
) -> Result<u64, String> {
    let source = line.source.as_deref();
    let (teller, json) = if let Some(url) = source.filter(|source| source.starts_with("http")) {
        let Some(who) = bare_who(epoch, line, body, url)? else { return Ok(0) };
        (seen(epoch, line, who, Some(url)), body.text())
    } else if line.filter().is_some() {
        filed(body)?
    } else {
        let envelope: Envelope<'_> = body.parse().map_err(|error| error.to_string())?;
        let who = envelope.server.as_ref().and_then(who).ok_or(NOBODY)?;
        (seen(epoch, line, who, None), content(&envelope))
    };
    let Some(json) = json else { return Ok(0) };
    let told = JszStreams::read(json, most).map_err(|error| error.to_string())?;
    if !told.accounts.is_empty() || told.config.is_some() {
        let record = record(line, teller, &told);
        epoch.streams_told = epoch.streams_told.saturating_add(record.streams.len() as u64);
        epoch.jsz.push(Arc::new(record));
    }
    Ok(told.beyond)
}

/// The reply in an envelope, where it is none that says why there is none.
fn content<'a>(envelope: &Envelope<'a>) -> Option<&'a str> {
    envelope.data.filter(|_| envelope.error.is_none()).map(RawValue::get)
}

/// A file with one stream. It may be of a server that is known by its name alone, and that the
/// server is there is told by others.
fn filed<'a>(body: &Body<'a>) -> Result<(Teller, Option<&'a str>), String> {
    let envelope: Envelope<'a> = body.parse().map_err(|error| error.to_string())?;
    let server = envelope.server.as_ref().map(named).unwrap_or_default();
    Ok((server, content(&envelope)))
}

fn named(info: &ServerInfo<'_>) -> Teller {
    Teller {
        server: owned(info.id.as_ref()),
        name: owned(info.name.as_ref()),
        cluster: owned(info.cluster.as_ref()),
        domain: owned(info.domain.as_ref()),
    }
}

fn seen(epoch: &mut Epoch, line: &Reply<'_>, who: Who, url: Option<&str>) -> Teller {
    let teller = Teller {
        server: Some(who.server.clone()),
        name: who.name.clone(),
        cluster: who.cluster.clone(),
        domain: who.domain.clone(),
    };
    epoch.sightings.push(sighting(line, Arc::new(who), url));
    teller
}

fn record(line: &Reply<'_>, teller: Teller, told: &JszStreams<'_>) -> JszRecord {
    // What the configuration does not say, it denies; an envelope may be of a server without
    // JetStream.
    let domain = told.config.as_ref().map(|config| owned(config.domain.as_ref()));
    let domain = domain.map(Option::unwrap_or_default).or(teller.domain);
    let streams = told.accounts.iter().flat_map(|account| {
        let name = owned(account.name.as_ref());
        let id = owned(account.id.as_ref()).or_else(|| name.clone());
        account.streams.iter().map(move |listed| {
            let (account, account_name) = (id.clone(), name.clone());
            Arc::new(StreamTold { account, account_name, ..stream(listed) })
        })
    });
    JszRecord {
        teller: Teller { domain, ..teller },
        filed: line.filter().is_some(),
        arrival_us: line.arrival_us,
        streams: streams.collect(),
    }
}

fn stream(listed: &ListedStream<'_>) -> StreamTold {
    let cluster = listed.cluster.as_ref();
    let state = listed.state.as_ref();
    let group = owned(listed.stream_raft_group.as_ref());
    let mut members: Vec<MemberTold> = cluster
        .into_iter()
        .flat_map(|cluster| &cluster.replicas)
        .filter_map(|replica| Some(member(replica, owned(replica.name.as_ref())?)))
        .collect();
    members.sort();
    StreamTold {
        account: None,
        account_name: None,
        name: owned(listed.name.as_ref()),
        created: time(listed.created.as_deref()),
        cluster: cluster.and_then(|cluster| owned(cluster.name.as_ref())),
        group: group.or_else(|| cluster.and_then(|cluster| owned(cluster.raft_group.as_ref()))),
        leader: cluster.and_then(|cluster| owned(cluster.leader.as_ref())),
        members,
        configured: listed.config.as_ref().and_then(|config| config.num_replicas),
        messages: state.and_then(|state| state.messages),
        bytes: state.and_then(|state| state.bytes),
        first_seq: state.and_then(|state| state.first_seq),
        last_seq: state.and_then(|state| state.last_seq),
        consumers: state.and_then(|state| state.consumer_count),
    }
}

fn member(replica: &Replica<'_>, name: SmolStr) -> MemberTold {
    MemberTold {
        name,
        current: replica.current,
        offline: replica.offline,
        lag: replica.lag,
        active_ns: replica.active,
    }
}
