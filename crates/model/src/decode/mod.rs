//! From the lines of a snapshot to the tables of an epoch.
//!
//! A body is decoded by itself ([`told`]), and once only as long as it stays the same ([`memo`]).
//! What the collector says of the reply is added to it here, in the order of the lines; what a
//! reply tells by itself ([`seen`]) may have been decoded before, by another thread.

mod connections;
mod crowd;
mod events;
mod jetstream;
mod memo;
mod records;
mod seen;
mod services;
mod texts;
mod told;

use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Body, Limits, Line, Reply, UNTIMED};
use nats_hindsight_snapshot::wire::{Accountz, Bare, Connz, Leafz, Routez, Statsz, Varz};
use serde::Deserialize;
use smol_str::SmolStr;

pub use memo::Memo;

use crate::epoch::{Epoch, Malformed, ServiceRecord, Sighting, Who};
use crate::intake::{EpochIndex, Met, Problem};
use crowd::Crowd;
use seen::{Seen, Sight};
use told::{Content, Told};

/// Adds one reply to the tables. A reply that cannot be read becomes [`Malformed`].
pub fn reply(epoch: &mut Epoch, line: &Reply<'_>, limits: &Limits, memo: &Memo) {
    for seen in Sight::new(limits, memo).of(&[line]) {
        add_seen(epoch, line, seen, limits);
    }
}

/// Adds what was seen in a reply.
fn add_seen(epoch: &mut Epoch, line: &Reply<'_>, seen: Seen, limits: &Limits) {
    let read = match seen {
        Seen::Nothing => Ok(()),
        Seen::Told(told) => add(epoch, line, told),
        Seen::Owners(told) => {
            owners(epoch, line, told);
            Ok(())
        }
        Seen::Streams(held) => streams(epoch, line, &whole(line, &held), limits.max_streams),
        Seen::Bare(held, url) => bare(epoch, line, &whole(line, &held), &url),
        Seen::Unreadable(why) => Err(why),
    };
    if let Err(why) = read {
        malformed(epoch, line, why);
    }
}

/// The body of a line, which knows where it ends although fields of a later version stand behind
/// it; of a line that came without, what was held of it.
fn whole<'a>(line: &Reply<'a>, held: &'a [u8]) -> Body<'a> {
    line.body.unwrap_or_else(|| Body::new(held))
}

/// Adds the streams of one reply to the tables, as long as there are no more than `most` in all.
fn streams(epoch: &mut Epoch, line: &Reply<'_>, body: &Body<'_>, most: u64) -> Result<(), String> {
    let room = most.saturating_sub(epoch.streams_told);
    let beyond = jetstream::jsz(epoch, line, body, room)?;
    epoch.streams_beyond = epoch.streams_beyond.saturating_add(beyond);
    Ok(())
}

fn malformed(epoch: &mut Epoch, line: &Reply<'_>, why: String) {
    let source = line.source.clone().unwrap_or_default().into_owned();
    epoch.malformed.push(Malformed { endpoint: line.endpoint.clone(), source, why });
}

/// Adds what a body tells.
fn add(epoch: &mut Epoch, line: &Reply<'_>, told: Told) -> Result<(), String> {
    match told {
        Told::Unreadable(why) => return Err(why.to_string()),
        Told::Server(told) => {
            epoch.sightings.push(sighting(line, Arc::clone(&told.who), None));
            fill(epoch, line, &told.who.server, &told.content);
            if let Some(why) = &told.unreadable {
                return Err(why.clone());
            }
        }
        Told::Instance(told) => {
            for field in &told.odd {
                let why =
                    format!("`{field}` is of another type than the protocol has; passed over");
                let (endpoint, source) = (line.endpoint.clone(), told.id.clone());
                epoch.malformed.push(Malformed { endpoint, source: source.into(), why });
            }
            let account = line.account.as_deref().map(|id| account(epoch, id));
            epoch.services.push(ServiceRecord {
                endpoint: line.endpoint.clone(),
                account,
                told,
                arrival_us: line.arrival_us,
            });
        }
    }
    Ok(())
}

/// The id of an account, shared with the reply before, which is of the same account in most cases.
fn account(epoch: &Epoch, id: &str) -> SmolStr {
    let before = epoch.services.last().and_then(|record| record.account.as_ref());
    before.filter(|before| *before == id).cloned().unwrap_or_else(|| SmolStr::new(id))
}

/// Connections of one account, of which it is not told what they listen to.
fn owners(epoch: &mut Epoch, line: &Reply<'_>, told::Owners { who, cids }: told::Owners) {
    let account = line.filter().and_then(|filter| filter.account.as_deref());
    if let Some(account) = account.map(SmolStr::new) {
        let of_server = epoch.owners.entry(who.server.clone()).or_default();
        of_server.extend(cids.into_iter().map(|cid| (cid, account.clone())));
    }
    epoch.sightings.push(sighting(line, who, None));
}

fn sighting(line: &Reply<'_>, who: Arc<Who>, url: Option<&str>) -> Sighting {
    Sighting {
        endpoint: line.endpoint.clone(),
        who,
        url: url.map(SmolStr::new),
        arrival_us: line.arrival_us,
        rtt_us: Some(line.rtt_us).filter(|rtt| *rtt != UNTIMED),
    }
}

fn fill(epoch: &mut Epoch, line: &Reply<'_>, id: &SmolStr, content: &Content) {
    match content {
        Content::Nothing => {}
        Content::Varz(varz, settings) => {
            epoch.settings.extend(settings.clone());
            epoch.varz.extend(varz.clone());
        }
        Content::Statsz(statsz) => epoch.statsz.push(Arc::clone(statsz)),
        Content::Routez(routez) => epoch.routez.push(Arc::clone(routez)),
        Content::Accountz(accountz) => epoch.accountz.push(Arc::clone(accountz)),
        Content::Leafz(leafz) => epoch.leafz.push(Arc::clone(leafz)),
        Content::Connz(told) => {
            let page = connections::page(id, line, told);
            let closed = line.endpoint == Endpoint::CONNZ_CLOSED;
            if closed { &mut epoch.closed } else { &mut epoch.connz }.push(page);
        }
    }
}

/// A reply over HTTP, which has no envelope.
fn bare(epoch: &mut Epoch, line: &Reply<'_>, body: &Body<'_>, url: &str) -> Result<(), String> {
    let Some(who) = bare_who(epoch, line, body, url)? else { return Ok(()) };
    let id = who.server.clone();
    epoch.sightings.push(sighting(line, Arc::new(who), Some(url)));
    if line.endpoint == Endpoint::VARZ {
        // A field of another type than expected must not cost the settings.
        epoch.settings.push(told::settings(&id, Arc::from(body.bytes()), true));
    }
    let content = bare_content(line, body, &id)?;
    fill(epoch, line, &id, &content);
    Ok(())
}

/// What a reply without envelope says of its server; VARZ has all of it, others only the id, and
/// some not even that: then the port is what is known. Nothing where that port never told its id.
fn bare_who(
    epoch: &Epoch,
    line: &Reply<'_>,
    body: &Body<'_>,
    url: &str,
) -> Result<Option<Who>, String> {
    let bare: Bare<'_> = parse(body)?;
    let of_port = || {
        let known = epoch.sightings.iter().find(|known| known.url.as_deref() == Some(url));
        known.map(|known| known.who.server.clone())
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
    Ok(Some(Who {
        server: id,
        name: owned(bare.server_name.as_ref()),
        cluster: owned(bare.cluster.as_ref().and_then(|cluster| cluster.name.as_ref())),
        domain: None,
        version: owned(bare.version.as_ref()),
        version_path: "version",
        now: time(bare.now.as_deref()),
        jetstream: whole.then(|| bare.jetstream.is_some_and(|block| block.get() != "{}")),
    }))
}

fn bare_content(line: &Reply<'_>, body: &Body<'_>, id: &SmolStr) -> Result<Content, String> {
    let endpoint = &line.endpoint;
    Ok(if *endpoint == Endpoint::VARZ {
        Content::Varz(Some(Arc::new(records::varz(id, &parse::<Varz<'_>>(body)?))), None)
    } else if *endpoint == Endpoint::STATSZ {
        Content::Statsz(Arc::new(records::statsz(id, &parse::<Statsz<'_>>(body)?, None)))
    } else if *endpoint == Endpoint::ROUTEZ {
        Content::Routez(Arc::new(records::routez(id, &parse::<Routez<'_>>(body)?)))
    } else if *endpoint == Endpoint::ACCOUNTZ {
        Content::Accountz(Arc::new(records::accountz(id, &parse::<Accountz<'_>>(body)?)))
    } else if *endpoint == Endpoint::LEAFZ {
        Content::Leafz(Arc::new(records::leafz(id, &parse::<Leafz<'_>>(body)?)))
    } else if told::is_connections(endpoint) {
        Content::Connz(Arc::new(connections::told(&parse::<Connz<'_>>(body)?)))
    } else {
        Content::Nothing
    })
}

fn parse<'a, T: Deserialize<'a>>(body: &Body<'a>) -> Result<T, String> {
    body.parse().map_err(|error| error.to_string())
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

fn owned(text: Option<&impl AsRef<str>>) -> Option<SmolStr> {
    text.map(AsRef::as_ref).filter(|text| !text.is_empty()).map(SmolStr::new)
}

/// Reads the replies of the wanted endpoints and nothing else: no header, no totals, no problems.
pub fn replies(index: &EpochIndex, wanted: &dyn Fn(&Endpoint) -> bool) -> Epoch {
    let (mut epoch, memo) =
        (Epoch::empty(index.head.clone().expecting(Arc::default())), Memo::default());
    let mut crowd = Crowd::of(index.limits(), wanted);
    let sight = Sight::new(index.limits(), &memo);
    index.read_ahead(wanted, &|lines| sight.of(lines), &mut |met| {
        if let Met::Reply(line, seen) = met {
            crowd.reply(&mut epoch, line, seen);
            sight.close_if(crowd.is_beyond());
        }
    });
    crowd.problems(&mut epoch, index);
    epoch
}

/// Adds a line that is no reply.
fn other(epoch: &mut Epoch, crowd: &mut Crowd<'_>, line: Line<'_>) {
    match line {
        Line::Epoch(header) => crowd.header(epoch, *header),
        Line::Event(line) => events::event(epoch, &line),
        Line::Capture(capture) => crowd.capture(epoch, *capture),
        Line::End(end) => epoch.end = Some(end.without_memory()),
        Line::Unknown { kind } => *epoch.unknown_lines.entry(kind).or_default() += 1,
        Line::Reply(_) | Line::OtherMajor { .. } | Line::Malformed { .. } => {}
    }
}

/// Reads the wanted endpoints of an epoch into its tables. What could not be used is told in the
/// problems, and the epoch is not whole then.
pub fn load(
    index: &EpochIndex,
    wanted: &dyn Fn(&Endpoint) -> bool,
    memo: &Memo,
) -> (Epoch, Vec<Problem>) {
    let mut epoch = memo.empty(index.head.clone().expecting(Arc::default()));
    let always = |endpoint: &Endpoint| {
        *endpoint == Endpoint::EPOCH || *endpoint == Endpoint::END || wanted(endpoint)
    };
    let known_end = index.known_end();
    let unread = |endpoint: &Endpoint| {
        always(endpoint) && !(known_end.is_some() && *endpoint == Endpoint::END)
    };
    let mut crowd = Crowd::of(index.limits(), wanted);
    let sight = Sight::new(index.limits(), memo);
    let look = |lines: &[&Reply<'_>]| sight.of(lines);
    let mut problems = index.read_ahead(&unread, &look, &mut |met| match met {
        Met::Reply(line, seen) => {
            crowd.reply(&mut epoch, line, seen);
            sight.close_if(crowd.is_beyond());
        }
        Met::Other(line) => other(&mut epoch, &mut crowd, line),
    });
    problems.extend(crowd.problems(&mut epoch, index));
    epoch.end = known_end.cloned().or(epoch.end);
    epoch.read =
        index.endpoints().into_iter().filter(|endpoint| always(endpoint)).cloned().collect();
    epoch.whole = index.complete && problems.is_empty();
    epoch.digest.clone_from(&index.digest);
    epoch.malformed.sort();
    (epoch, problems)
}
