//! Replies that somebody saved by hand: from monitoring ports, or as `nats req` prints them.
//!
//! Nobody says which of them belong together. Those of one folder do, as long as less than a
//! minute is between one and the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_bundle::document::loose;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_snapshot::lines::{
    AskedLine, CollectorLine, ConnectionLine, EndLine, EpochLine, ExpectsLine, FormatName, RunLine,
};
use sha2::{Digest, Sha256};

use super::super::Problem;
use super::super::place::Place;
use super::archive::as_uuid;
use super::identity::{self, Known};
use super::outcome::{Matrix, outcomes};
use super::page::What;
use super::pages::{Filing, Of};
use super::{Capture, Captured, as_problem};

/// What the report calls the collector, and the format, of saved replies.
const BY_HAND: &str = "saved by hand";

/// A longer silence than this between two replies makes two epochs of them.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// One reply.
#[derive(Debug)]
pub(in super::super) struct Saved {
    place: usize,
    /// The folder it was in.
    folder: String,
    time: Option<Timestamp>,
    endpoint: Endpoint,
    known: Known,
    body: Arc<[u8]>,
}

/// Finds the replies in a text. Nothing where it holds none.
pub(in super::super) fn saved(
    at: usize,
    place: &Place,
    bytes: &[u8],
    limits: &Limits,
) -> (Vec<Saved>, Vec<Problem>) {
    let text = loose::text(bytes);
    let found = loose::find(&text, limits);
    let folder = place.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let replies = found.replies.iter().filter_map(|reply| {
        let (endpoint, body) = (reply.endpoint.clone()?, reply.body?);
        let told = identity::of_bytes(body.as_bytes()).unwrap_or_default();
        let mut known = reply.server.as_ref().map_or(told, identity::of_server);
        known.id = known.id.or_else(|| reply.server_id.as_deref().map(Into::into));
        known.time = reply.time;
        Some(Saved {
            place: at,
            folder: folder.to_owned(),
            time: reply.time,
            endpoint,
            known,
            body: Arc::from(body.as_bytes()),
        })
    });
    let replies: Vec<Saved> = replies.collect();
    // What holds no reply at all is no capture with something wrong in it.
    let problems = found.problems.iter().filter(|_| !replies.is_empty());
    let problems = problems.map(|problem| as_problem(problem, None, place)).collect();
    (replies, problems)
}

/// Puts replies together into epochs.
pub(in super::super) fn unite(
    mut saved: Vec<Saved>,
    places: &[Place],
) -> (Vec<Captured>, Vec<Problem>) {
    saved.sort_by(|a, b| {
        (&a.folder, a.time, &a.endpoint, &a.body).cmp(&(&b.folder, b.time, &b.endpoint, &b.body))
    });
    saved.dedup_by(|a, b| (&a.folder, &a.endpoint, &a.body) == (&b.folder, &b.endpoint, &b.body));
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for of_folder in saved.chunk_by(|a, b| a.folder == b.folder) {
        let timeless = of_folder.iter().take_while(|reply| reply.time.is_none()).count();
        let (timeless, timed) = of_folder.split_at(timeless);
        let mut epochs = timed.chunk_by(|a, b| within(a.time, b.time)).peekable();
        // Health, queues and Raft groups tell no time: they are of the first that do.
        let mut more = timeless;
        if epochs.peek().is_none() {
            problems.extend(timeless.first().map(|reply| untimed(reply, places)));
        }
        for replies in epochs {
            all.push(epoch(replies, std::mem::take(&mut more)));
        }
    }
    (all, problems)
}

fn within(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return true };
    b.duration_since(a) <= PAUSE
}

fn untimed(reply: &Saved, places: &[Place]) -> Problem {
    Problem {
        epoch: None,
        kind: "capture_timeless",
        text: "holds no reply that tells when it was taken; it is not used".to_owned(),
        where_: places.get(reply.place).map(|place| place.name.clone()),
    }
}

fn epoch(replies: &[Saved], timeless: &[Saved]) -> Captured {
    let all: Vec<&Saved> = replies.iter().chain(timeless).collect();
    let mut hasher = Sha256::new();
    let mut servers: BTreeMap<Arc<str>, Arc<Known>> = BTreeMap::new();
    for reply in &all {
        hasher.update(reply.endpoint.as_str());
        hasher.update(&reply.body);
        if let Some(id) = reply.known.id.clone().filter(|_| !of_service(reply)) {
            let known = servers.entry(id).or_insert_with(|| Arc::new(reply.known.clone()));
            // VARZ tells all there is to know.
            if known.version.is_none() && reply.known.version.is_some() {
                *known = Arc::new(reply.known.clone());
            }
        }
    }
    let digest = format!("{:x}", hasher.finalize());
    let mut matrix = Matrix::default();
    for (id, known) in &servers {
        matrix.server(id, known.jetstream);
    }
    let mut filing = Filing::default();
    for reply in &all {
        file(reply, &servers, &mut matrix, &mut filing);
    }
    let (pages, _) = filing.finish();
    let captures = matrix.captures();
    let times = || replies.iter().filter_map(|reply| reply.time);
    let start = times().min().unwrap_or_default();
    Captured {
        head: header(&as_uuid(&digest), start, matrix.asked()),
        end: EndLine {
            end: times().max().unwrap_or(start),
            frames: 0,
            replies: pages.len() as u64,
            captures: captures.len() as u64,
            complete: captures.iter().all(|capture| capture.status.as_str() == "ok"),
            interrupted: false,
            outcomes: outcomes(&captures),
            remember: ExpectsLine::default(),
        },
        digest: format!("sha256:{digest}"),
        whole: true,
        servers: servers.len(),
        capture: Capture {
            place: all.first().map_or(0, |reply| reply.place),
            entries: None,
            pages,
            captures,
        },
        problems: Vec::new(),
    }
}

fn of_service(reply: &Saved) -> bool {
    Endpoint::VERBS.contains(&reply.endpoint)
}

fn file(
    reply: &Saved,
    servers: &BTreeMap<Arc<str>, Arc<Known>>,
    matrix: &mut Matrix,
    pages: &mut Filing,
) {
    let id = reply.known.id.as_ref().filter(|_| !of_service(reply));
    // A reply that names nobody is of the only server there is.
    let id = id.or_else(|| servers.keys().next().filter(|_| servers.len() == 1));
    let target = id.filter(|_| !of_service(reply));
    if let Some(id) = target {
        matrix.page(id, &reply.endpoint);
    }
    let what = What { endpoint: reply.endpoint.clone(), of_stream: false };
    let server = target.and_then(|id| servers.get(id));
    pages.body(Of { what, account: None, server }, &reply.body);
}

fn header(uuid: &str, start: Timestamp, asked: Vec<Endpoint>) -> EpochLine {
    EpochLine {
        format: FormatName { name: BY_HAND.to_owned(), version: BY_HAND.to_owned() },
        uuid: uuid.to_owned(),
        system: "saved".to_owned(),
        system_set: false,
        collector: CollectorLine { id: BY_HAND.to_owned(), version: String::new() },
        run: RunLine::default(),
        start,
        asked: AskedLine { endpoints: asked, ..AskedLine::default() },
        connections: vec![ConnectionLine {
            kind: "system".to_owned(),
            state: "connected".to_owned(),
            ..ConnectionLine::default()
        }],
        expects: ExpectsLine::default(),
    }
}
