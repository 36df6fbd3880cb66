//! From the lines of a snapshot to the tables of an epoch.

mod crowd;
mod events;
mod texts;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Line;
use nats_hindsight_snapshot::lines::ReplyLine;
use nats_hindsight_snapshot::wire::{
    Accountz, Bare, Connection, Connz, Envelope, Fields, Leafz, REPLY_TYPE_PREFIX, Routez,
    ServerInfo, ServiceEndpoint, ServiceReply, Statsz, Varz,
};
use serde::Deserialize;

use crate::epoch::{
    AccountzRecord, ConnectionRecord, ConnzPage, Epoch, LeafzRecord, Malformed, PeerRecord,
    RoutezRecord, ServedEndpoint, ServiceRecord, SettingsRecord, Sighting, StatszRecord,
    VarzRecord,
};
use crate::intake::{EpochIndex, Problem};
use crate::settings::Settings;
use crate::users::Credential;

/// Page size of a server that was not told one.
const DEFAULT_LIMIT: u64 = 1024;

/// Adds one reply to the tables. A reply that cannot be read becomes [`Malformed`].
pub fn reply(epoch: &mut Epoch, line: &ReplyLine<'_>) {
    let endpoint = &line.endpoint;
    let read = if is_service(endpoint) {
        service(epoch, line)
    } else if *endpoint == Endpoint::USER_INFO {
        Ok(())
    } else {
        server(epoch, line)
    };
    if let Err(why) = read {
        let source = line.source.clone().unwrap_or_default();
        epoch.malformed.push(Malformed { endpoint: endpoint.clone(), source, why });
    }
}

fn is_service(endpoint: &Endpoint) -> bool {
    [Endpoint::SRV_PING, Endpoint::SRV_INFO, Endpoint::SRV_STATS].contains(endpoint)
}

fn body<'a, T: Deserialize<'a>>(line: &ReplyLine<'a>) -> Result<T, String> {
    let raw = line.body.ok_or("the reply is not JSON")?;
    serde_json::from_str(raw.get()).map_err(|error| error.to_string())
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

fn owned(text: Option<&impl AsRef<str>>) -> Option<String> {
    text.map(|text| text.as_ref().to_owned()).filter(|text| !text.is_empty())
}

/// A reply of a server: in an envelope over NATS, bare over HTTP.
fn server(epoch: &mut Epoch, line: &ReplyLine<'_>) -> Result<(), String> {
    let url = line.source.as_deref().filter(|source| source.starts_with("http"));
    if let Some(url) = url {
        let raw = line.body.ok_or("the reply is not JSON")?;
        let Some(sighting) = bare_sighting(epoch, line, url)? else { return Ok(()) };
        let id = sighting.server.clone();
        epoch.sightings.push(sighting);
        return record(epoch, line, &id, raw.get(), None);
    }
    let envelope: Envelope<'_> = body(line)?;
    let info = envelope.server.ok_or("the reply does not say which server it is from")?;
    let id = owned(info.id.as_ref()).ok_or("the reply does not say which server it is from")?;
    epoch.sightings.push(sighting(line, &id, &info));
    if envelope.error.is_some() {
        return Ok(());
    }
    let Some(data) = envelope.data.or(envelope.statsz) else { return Ok(()) };
    record(epoch, line, &id, data.get(), time(info.time.as_deref()))
}

fn sighting(line: &ReplyLine<'_>, id: &str, info: &ServerInfo<'_>) -> Sighting {
    Sighting {
        endpoint: line.endpoint.clone(),
        server: id.to_owned(),
        name: owned(info.name.as_ref()),
        cluster: owned(info.cluster.as_ref()),
        version: owned(info.ver.as_ref()),
        version_path: "server.ver",
        now: time(info.time.as_deref()),
        jetstream: Some(info.jetstream.unwrap_or(false)),
        url: None,
        arrival_us: line.arrival_us,
        rtt_us: line.rtt_us,
    }
}

/// What a reply without envelope says of its server; VARZ has all of it, others only the id, and
/// some not even that: then the port is what is known. Nothing where that port never told its id.
fn bare_sighting(
    epoch: &Epoch,
    line: &ReplyLine<'_>,
    url: &str,
) -> Result<Option<Sighting>, String> {
    let bare: Bare<'_> = body(line)?;
    let of_port = || {
        let known = epoch.sightings.iter().find(|known| known.url.as_deref() == Some(url));
        known.map(|known| known.server.clone())
    };
    let id = match owned(bare.server_id.as_ref()) {
        Some(id) => id,
        None if line.endpoint == Endpoint::VARZ => {
            return Err("the reply does not say which server it is from".to_owned());
        }
        // Health, Raft groups and queues are told without an id, and SUBSZ is before 2.12.
        None => match of_port() {
            Some(id) => id,
            None => return Ok(None),
        },
    };
    let whole = line.endpoint == Endpoint::VARZ;
    Ok(Some(Sighting {
        endpoint: line.endpoint.clone(),
        server: id,
        name: owned(bare.server_name.as_ref()),
        cluster: owned(bare.cluster.as_ref().and_then(|cluster| cluster.name.as_ref())),
        version: owned(bare.version.as_ref()),
        version_path: "version",
        now: time(bare.now.as_deref()),
        jetstream: whole.then(|| bare.jetstream.is_some_and(|block| block.get() != "{}")),
        url: Some(url.to_owned()),
        arrival_us: line.arrival_us,
        rtt_us: line.rtt_us,
    }))
}

fn record(
    epoch: &mut Epoch,
    line: &ReplyLine<'_>,
    id: &str,
    data: &str,
    now: Option<Timestamp>,
) -> Result<(), String> {
    let endpoint = &line.endpoint;
    if *endpoint == Endpoint::VARZ {
        // A field of another type than expected must not cost the settings.
        let settings = Settings::of(&parse::<Fields<'_>>(data)?);
        let bare = line.source.as_deref().is_some_and(|source| source.starts_with("http"));
        epoch.settings.push(SettingsRecord { server: id.to_owned(), settings, bare });
        epoch.varz.push(varz(id, &parse(data)?));
    } else if *endpoint == Endpoint::STATSZ {
        epoch.statsz.push(statsz(id, &parse(data)?, now));
    } else if *endpoint == Endpoint::ROUTEZ {
        epoch.routez.push(routez(id, &parse(data)?));
    } else if *endpoint == Endpoint::ACCOUNTZ {
        epoch.accountz.push(accountz(id, &parse(data)?));
    } else if *endpoint == Endpoint::LEAFZ {
        epoch.leafz.push(leafz(id, &parse(data)?));
    } else if *endpoint == Endpoint::CONNZ {
        epoch.connz.push(connz(id, line, &parse(data)?));
    } else if *endpoint == Endpoint::CONNZ_CLOSED {
        epoch.closed.push(connz(id, line, &parse(data)?));
    }
    Ok(())
}

fn parse<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, String> {
    serde_json::from_str(data).map_err(|error| error.to_string())
}

fn varz(id: &str, varz: &Varz<'_>) -> VarzRecord {
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

fn statsz(id: &str, statsz: &Statsz<'_>, now: Option<Timestamp>) -> StatszRecord {
    StatszRecord {
        server: id.to_owned(),
        start: time(statsz.start.as_deref()),
        now,
        connections: statsz.connections,
        active_servers: statsz.active_servers,
    }
}

fn routez(id: &str, routez: &Routez<'_>) -> RoutezRecord {
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

fn accountz(id: &str, accountz: &Accountz<'_>) -> AccountzRecord {
    AccountzRecord {
        server: id.to_owned(),
        system_account: owned(accountz.system_account.as_ref()),
        accounts: accountz.accounts.iter().map(|name| name.clone().into_owned()).collect(),
    }
}

fn leafz(id: &str, leafz: &Leafz<'_>) -> LeafzRecord {
    let mut sides: Vec<(String, Option<String>)> = leafz
        .leafs
        .iter()
        .map(|leaf| (owned(leaf.name.as_ref()).unwrap_or_default(), owned(leaf.account.as_ref())))
        .collect();
    sides.sort();
    LeafzRecord { server: id.to_owned(), leafs: sides }
}

fn connz(id: &str, line: &ReplyLine<'_>, connz: &Connz<'_>) -> ConnzPage {
    let mut page = ConnzPage {
        server: id.to_owned(),
        offset: line.page.map_or(connz.offset.unwrap_or(0), |page| page.offset),
        limit: line
            .page
            .map(|page| page.limit)
            .or(connz.limit)
            .filter(|limit| *limit > 0)
            .unwrap_or(DEFAULT_LIMIT),
        total: connz.total,
        rows: connz.connections.len() as u64,
        arrival_us: line.arrival_us,
        now: time(connz.now.as_deref()),
        connections: connz.connections.iter().filter_map(connection).collect(),
        ..ConnzPage::default()
    };
    page.restrict(line.filter.as_ref(), line.account.as_deref());
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
    Some(ConnectionRecord {
        cid: row.cid.unwrap_or(0),
        // Servers before 2.9 name no kind; their rows are clients.
        kind: owned(row.kind.as_ref()).unwrap_or_else(|| "Client".to_owned()),
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
    Instance(String, String),
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
            Some(Announced::Instance((*name).to_owned(), String::new()))
        }
        ["$SRV", "PING" | "INFO" | "STATS", name, id] => {
            Some(Announced::Instance((*name).to_owned(), (*id).to_owned()))
        }
        _ => None,
    }
}

fn service(epoch: &mut Epoch, line: &ReplyLine<'_>) -> Result<(), String> {
    let reply: ServiceReply<'_> = body(line)?;
    let typed = reply.reply_type.as_deref().is_some_and(|t| t.starts_with(REPLY_TYPE_PREFIX));
    let (Some(name), Some(id), true) =
        (owned(reply.name.as_ref()), owned(reply.id.as_ref()), typed)
    else {
        return Err("not a reply of a service (a stream that listens to `$SRV` answers too)".into());
    };
    let endpoints = reply.endpoints.readable().map(|all| {
        let mut all: Vec<ServedEndpoint> = all.iter().map(served).collect();
        all.sort();
        all
    });
    for (field, odd) in odd_fields(&reply) {
        if odd {
            let why = format!("`{field}` is of another type than the protocol has; passed over");
            let (endpoint, source) = (line.endpoint.clone(), id.clone());
            epoch.malformed.push(Malformed { endpoint, source, why });
        }
    }
    epoch.services.push(ServiceRecord {
        endpoint: line.endpoint.clone(),
        account: line.account.clone(),
        name,
        id,
        version: owned(reply.version.as_ref()),
        metadata: reply.metadata.readable().map(|all| all.0),
        started: time(reply.started.as_deref()),
        endpoints,
        arrival_us: line.arrival_us,
    });
    Ok(())
}

/// Fields that others read and that may be of an unexpected type.
fn odd_fields(reply: &ServiceReply<'_>) -> [(&'static str, bool); 3] {
    let odd_group = |all: &Vec<ServiceEndpoint<'_>>| all.iter().any(|e| e.queue_group.is_odd());
    [
        ("metadata", reply.metadata.is_odd()),
        ("endpoints", reply.endpoints.is_odd()),
        ("queue_group", reply.endpoints.set().is_some_and(odd_group)),
    ]
}

fn served(endpoint: &ServiceEndpoint<'_>) -> ServedEndpoint {
    ServedEndpoint {
        name: owned(endpoint.name.as_ref()).unwrap_or_default(),
        subject: owned(endpoint.subject.as_ref()).unwrap_or_default(),
        queue_group: endpoint.queue_group.set().map(|group| group.clone().into_owned()),
        metadata_keys: endpoint.metadata.readable().map(|all| all.0.into_keys().collect()),
        requests: endpoint.num_requests,
        errors: endpoint.num_errors,
    }
}

/// Reads the wanted endpoints of an epoch into its tables. What could not be used is told in the
/// problems, and the epoch is not whole then.
pub fn load(index: &EpochIndex, wanted: &dyn Fn(&Endpoint) -> bool) -> (Epoch, Vec<Problem>) {
    let mut epoch = Epoch::empty(index.head.clone());
    let always = |endpoint: &Endpoint| {
        *endpoint == Endpoint::EPOCH || *endpoint == Endpoint::END || wanted(endpoint)
    };
    let mut crowd = crowd::Crowd::of(index.limits());
    let mut problems = index.read(&always, &mut |line| match line {
        Line::Epoch(header) => crowd.header(&mut epoch, *header),
        Line::Reply(line) => crowd.reply(&mut epoch, &line),
        Line::Event(line) => events::event(&mut epoch, &line),
        Line::Capture(capture) => crowd.capture(&mut epoch, *capture),
        Line::End(end) => epoch.end = Some(*end),
        Line::Unknown { kind } => *epoch.unknown_lines.entry(kind).or_default() += 1,
        Line::OtherMajor { .. } | Line::Malformed { .. } => {}
    });
    problems.extend(crowd.problem(&mut epoch, index));
    epoch.whole = index.complete && problems.is_empty();
    epoch.digest.clone_from(&index.digest);
    epoch.malformed.sort();
    (epoch, problems)
}
