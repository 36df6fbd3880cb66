//! Archives of `nats audit gather`, each an epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_bundle::{Artifact, ArtifactKind, Container, Gather, Reader};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_snapshot::lines::{
    AskedLine, CaptureLine, CollectorLine, ConnectionLine, EndLine, EpochLine, ExpectsLine,
    FormatName, RunLine,
};
use sha2::{Digest, Sha256};

use super::super::Problem;
use super::super::place::Place;
use super::identity::{self, Known, TELLING};
use super::outcome::{Matrix, outcomes};
use super::page::What;
use super::pages::{Filing, Of};
use super::streams::{self, Keepers};
use super::told::{NOT_GATHERED, accounts, discovered, not_gathered, peers};
use super::{Capture, Captured, as_problem, unreadable};

/// What the report calls the collector, and the format, of an archive.
const GATHERER: &str = "nats audit gather";

/// Cluster and name of a server, as the manifest tells them.
pub(super) type Seat = (Option<Arc<str>>, Arc<str>);

/// Everything of one archive while it is taken in.
struct Intaking<'a, 'r> {
    gather: &'a Gather,
    reader: &'a mut Reader<'r>,
    /// The servers of one name, by what their replies tell.
    servers: BTreeMap<Seat, Vec<Arc<Known>>>,
    matrix: Matrix,
    pages: Filing,
    /// Servers that others tell of and of which nothing is there: names by id.
    absent: BTreeMap<Arc<str>, String>,
}

/// Every capture of a container as an epoch, and what could not be made one.
pub(in super::super) fn archives(
    at: usize,
    place: &Place,
    container: &Container,
    reader: &mut Reader<'_>,
    limits: &Limits,
) -> (Vec<Captured>, Vec<Problem>) {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for gather in Gather::find(reader, limits) {
        match capture(at, place, container, reader, &gather) {
            Ok(captured) => all.push(captured),
            Err(problem) => problems.push(problem),
        }
    }
    (all, problems)
}

fn capture(
    at: usize,
    place: &Place,
    container: &Container,
    reader: &mut Reader<'_>,
    gather: &Gather,
) -> Result<Captured, Problem> {
    let (servers, matrix, pages) = (BTreeMap::new(), Matrix::gathered(), Filing::default());
    let absent = BTreeMap::new();
    let mut intaking = Intaking { gather, reader, servers, matrix, pages, absent };
    intaking.identify();
    intaking.page_all();
    intaking.expect_accounts();
    intaking.expect_servers();
    let Intaking { servers, matrix, pages, absent, .. } = intaking;
    let known: Vec<&Arc<Known>> = servers.values().flatten().collect();
    let times = known.iter().filter_map(|known| known.time);
    let ended = gather.metadata.as_ref().and_then(|metadata| metadata.capture_timestamp);
    let start = times.clone().min().or(ended).ok_or_else(|| Problem {
        epoch: None,
        kind: "capture_timeless",
        text: "the archive holds no reply that tells when it was taken; it is not used".to_owned(),
        where_: Some(place.name.clone()),
    })?;
    let end = ended.or(times.max()).unwrap_or(start).max(start);
    let digest = content(reader, gather, start);
    let uuid = as_uuid(&digest);
    let capture = keep(at, place, container, pages, matrix.captures())?;
    let captures = &capture.captures;
    let mut problems = problems(place, container, gather, &servers, &uuid);
    problems.extend(absent.values().map(|name| not_gathered(name, gather, place, &uuid)));
    problems.sort();
    let whole = !container.is_salvaged()
        && !gather.identity_from_path
        && gather.metadata.is_some()
        && problems.iter().all(|problem| HARMLESS.contains(&problem.kind));
    let captured = Captured {
        head: header(gather, &uuid, start, matrix.asked()),
        end: EndLine {
            end,
            frames: 0,
            replies: capture.pages.len() as u64,
            captures: captures.len() as u64,
            complete: captures.iter().all(|capture| capture.status.as_str() == "ok"),
            interrupted: gather.metadata.is_none(),
            outcomes: outcomes(captures),
            remember: ExpectsLine::default(),
        },
        digest: format!("sha256:{digest}"),
        whole,
        servers: known.len(),
        capture,
        problems,
    };
    Ok(captured)
}

/// The capture with the entries that it reads, and no others.
fn keep(
    at: usize,
    place: &Place,
    container: &Container,
    pages: Filing,
    captures: Vec<CaptureLine>,
) -> Result<Capture, Problem> {
    let (pages, entries) = pages.finish();
    let entries =
        container.keep(&entries).map_err(|error| unreadable(None, Some(place), &error))?;
    Ok(Capture { place: at, entries: Some(entries), pages, captures })
}

/// Problems that take nothing away.
const HARMLESS: [&str; 5] =
    ["entry_name_hostile", "servers_share_name", "entry_unlisted", "manifest_twice", NOT_GATHERED];

impl Intaking<'_, '_> {
    /// Finds out which servers answered: of each name, by the first reply that tells an id.
    fn identify(&mut self) {
        let of_streams = |artifact: &&Artifact| artifact.kind == ArtifactKind::StreamInfo;
        let others = self.gather.artifacts.iter().filter(|artifact| !of_streams(artifact));
        self.servers.extend(others.filter_map(seat).map(|seat| (seat, Vec::new())));
        let names: BTreeSet<Arc<str>> =
            self.servers.keys().map(|(_, name)| Arc::clone(name)).collect();
        for (cluster, name) in self.gather.artifacts.iter().filter(of_streams).filter_map(seat) {
            // A stream that tells no cluster may be of a server that does.
            if cluster.is_some() || !names.contains(&name) {
                self.servers.entry((cluster, name)).or_default();
            }
        }
        for kind in TELLING {
            for artifact in self.gather.artifacts.iter().filter(|artifact| artifact.kind == kind) {
                let Some(seat) = seat(artifact) else { continue };
                if self.servers.get(&seat).is_some_and(|known| !known.is_empty()) {
                    continue;
                }
                let known = artifact.pages.iter().filter_map(|page| {
                    let told = identity::of_page(self.reader, *page)?;
                    told.id.is_some().then(|| Arc::new(named(told, &seat)))
                });
                let mut known: Vec<Arc<Known>> = known.collect();
                known.sort_by(|a, b| a.id.cmp(&b.id));
                known.dedup_by(|a, b| a.id == b.id);
                self.servers.insert(seat, known);
            }
        }
        for known in self.servers.values().flatten() {
            if let Some(id) = &known.id {
                self.matrix.server(id, known.jetstream);
            }
        }
    }

    fn page_all(&mut self) {
        let keepers = Keepers::of(&self.servers);
        for artifact in &self.gather.artifacts {
            if artifact.kind == ArtifactKind::StreamInfo {
                let entries = self.reader.container().entries();
                let stored = |entry: usize| entries.get(entry).map_or(0, |e| e.stored);
                streams::file(artifact, &keepers, &stored, &mut self.pages);
                continue;
            }
            let Some(endpoint) = endpoint(artifact) else { continue };
            let Some(seat) = seat(artifact).or_else(|| self.seat_of_folder(artifact)) else {
                continue;
            };
            let known = self.servers.get(&seat).map_or(&[][..], Vec::as_slice);
            for entry in &artifact.pages {
                // Pages of servers of one name are told apart by what they say themselves.
                let server = match known {
                    [one] => Some(Arc::clone(one)),
                    _ => identity::of_page(self.reader, *entry)
                        .map(|told| Arc::new(named(told, &seat))),
                };
                let target = server.as_ref().and_then(|known| known.id.as_ref());
                if let (Some(id), None) = (target, &artifact.account) {
                    self.matrix.page(id, &endpoint);
                }
                let stored = self.reader.container().entries().get(*entry).map_or(0, |e| e.stored);
                let what = What { endpoint: endpoint.clone(), of_stream: false };
                let account = artifact.account.as_ref();
                self.pages.entry(Of { what, account, server: server.as_ref() }, *entry, stored);
            }
            let missing = u64::from(artifact.missing);
            for id in known.iter().filter_map(|known| known.id.as_ref()).filter(|_| missing > 0) {
                self.matrix.missing(id, &endpoint, missing);
            }
        }
    }

    /// The server whose artifacts are in a folder `<cluster>__<server>`, if there is just one.
    fn seat_of_folder(&self, artifact: &Artifact) -> Option<Seat> {
        let folder = artifact.folder.as_deref()?;
        let mut fitting = self.servers.keys().filter(|(cluster, name)| {
            format!("{}__{name}", cluster.as_deref().unwrap_or("unclustered")) == folder
        });
        let seat = fitting.next().cloned();
        seat.filter(|_| fitting.next().is_none())
    }

    /// Servers that peers name, or that the gatherer says it discovered, should be there.
    fn expect_servers(&mut self) {
        let routes = self.gather.artifacts.iter().filter(|a| a.kind == ArtifactKind::Routes);
        let entries: Vec<usize> = routes.flat_map(|artifact| artifact.pages.clone()).collect();
        let named: Vec<_> =
            entries.into_iter().flat_map(|entry| peers(self.reader, entry)).collect();
        let log = self.gather.log.as_deref().unwrap_or_default();
        for (id, name) in named.into_iter().chain(discovered(log)) {
            if self.matrix.knows(&id) {
                continue;
            }
            self.matrix.server(&id, false);
            self.absent.insert(id, name);
        }
    }

    /// Servers are asked for the connections of every account that they list.
    fn expect_accounts(&mut self) {
        let of_kind = |kind: ArtifactKind| {
            self.gather.artifacts.iter().filter(move |artifact| artifact.kind == kind)
        };
        let there: BTreeSet<(Option<Seat>, Option<&Arc<str>>)> =
            of_kind(ArtifactKind::AccountConnections)
                .map(|artifact| {
                    (
                        seat(artifact).or_else(|| self.seat_of_folder(artifact)),
                        artifact.account.as_ref(),
                    )
                })
                .collect();
        // A run may have been told to leave accounts out.
        if there.is_empty() {
            return;
        }
        let mut lacking = Vec::new();
        for artifact in of_kind(ArtifactKind::Accounts) {
            let Some(seat) = seat(artifact) else { continue };
            let Some([known]) = self.servers.get(&seat).map(Vec::as_slice) else { continue };
            let Some(id) = &known.id else { continue };
            for entry in &artifact.pages {
                let listed = accounts(self.reader, *entry).into_iter();
                let absent =
                    listed.filter(|account| !there.contains(&(Some(seat.clone()), Some(account))));
                lacking.extend(absent.map(|account| (Arc::clone(id), account)));
            }
        }
        for (id, account) in lacking {
            self.matrix.account(&id, &account);
        }
    }
}

/// What a reply tells of its server, with what the manifest tells besides.
fn named(told: Known, (cluster, name): &Seat) -> Known {
    let name = if told.name.is_empty() { name.to_string() } else { told.name };
    let cluster = told.cluster.or_else(|| cluster.as_ref().map(ToString::to_string));
    Known { name, cluster, ..told }
}

fn seat(artifact: &Artifact) -> Option<Seat> {
    Some((artifact.cluster.clone(), artifact.server.clone()?))
}

/// The endpoint whose replies an artifact holds, where they are those that a server gives of
/// itself, or tell whose connections are whose.
fn endpoint(artifact: &Artifact) -> Option<Endpoint> {
    let of_server = artifact.account.is_none() && artifact.stream.is_none();
    let wanted = of_server || artifact.kind == ArtifactKind::AccountConnections;
    artifact.kind.endpoint().filter(|_| wanted)
}

fn header(gather: &Gather, uuid: &str, start: Timestamp, asked: Vec<Endpoint>) -> EpochLine {
    let metadata = gather.metadata.clone().unwrap_or_default();
    let url = metadata.connect_url.unwrap_or_default();
    let version = metadata.version.unwrap_or_default();
    EpochLine {
        format: FormatName { name: GATHERER.to_owned(), version: GATHERER.to_owned() },
        uuid: uuid.to_owned(),
        system: host(&url).unwrap_or("gathered").to_owned(),
        system_set: false,
        collector: CollectorLine { id: GATHERER.to_owned(), version },
        run: RunLine::default(),
        start,
        asked: AskedLine { endpoints: asked, ..AskedLine::default() },
        connections: vec![ConnectionLine {
            kind: "system".to_owned(),
            url,
            state: "connected".to_owned(),
            ..ConnectionLine::default()
        }],
        expects: ExpectsLine::default(),
    }
}

/// The host of a URL, which is how a system is called that nobody named.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split([',', '/']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let name = rest.rsplit_once(':').map_or(rest, |(name, _)| name);
    Some(name).filter(|name| !name.is_empty())
}

/// A digest of what is in an archive, whatever the archive is called and however it was packed: ZIP
/// tells the checksum of each page, and tar lets it be computed without unpacking anything.
fn content(reader: &mut Reader<'_>, gather: &Gather, start: Timestamp) -> String {
    let container = reader.container();
    let mut hasher = Sha256::new();
    hasher.update(start.to_string());
    for artifact in &gather.artifacts {
        hasher.update(artifact.kind.as_str());
        let tags = [&artifact.cluster, &artifact.server, &artifact.account, &artifact.stream];
        for tag in tags {
            hasher.update([0]);
            hasher.update(tag.as_deref().unwrap_or_default());
        }
        for page in &artifact.pages {
            let Some(entry) = container.entries().get(*page) else { continue };
            hasher.update(entry.length.to_be_bytes());
            hasher.update(reader.checksum(*page).unwrap_or_default().to_be_bytes());
        }
    }
    format!("{:x}", hasher.finalize())
}

/// A digest in the shape of a UUID.
pub(super) fn as_uuid(digest: &str) -> String {
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn problems(
    place: &Place,
    container: &Container,
    gather: &Gather,
    servers: &BTreeMap<Seat, Vec<Arc<Known>>>,
    uuid: &str,
) -> Vec<Problem> {
    let parts = container.problems().iter().chain(&gather.problems);
    let mut all: Vec<Problem> =
        parts.map(|problem| as_problem(problem, Some(uuid), place)).collect();
    let problem = |kind, text| Problem {
        epoch: Some(uuid.to_owned()),
        kind,
        text,
        where_: Some(place.name.clone()),
    };
    for ((cluster, name), known) in servers {
        let cluster = cluster.as_deref().unwrap_or("no cluster");
        if known.len() > 1 {
            let ids: Vec<&str> = known.iter().filter_map(|known| known.id.as_deref()).collect();
            let text = format!(
                "{} servers are called {name} in {cluster}; their replies are told apart by id: {}",
                known.len(),
                ids.join(", ")
            );
            all.push(problem("servers_share_name", text));
        } else if known.is_empty() {
            let text = format!(
                "nothing tells the id of server {name} in {cluster}; what there is of it alone \
                 cannot be used"
            );
            all.push(problem("server_without_id", text));
        }
    }
    if gather.metadata.is_none() {
        let text = "the run did not end: it was stopped or failed, and what it had not gathered by \
                    then is missing";
        all.push(problem("capture_cut", text.to_owned()));
    }
    all.sort();
    all
}
