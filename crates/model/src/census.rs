//! The servers of one epoch: who answered, who names whom, and how directed requests went.

mod servers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use smol_str::{SmolStr, format_smolstr};

use crate::View;
use crate::clusters::Stepped;
use crate::epoch::{PeerRecord, Sighting};
use crate::expected::Expected;
pub use servers::Servers;

/// Endpoints that servers answer, in the order in which their word on identity is preferred.
pub const SERVER_ENDPOINTS: &[Endpoint] = &[
    Endpoint::VARZ,
    Endpoint::STATSZ,
    Endpoint::ROUTEZ,
    Endpoint::CONNZ,
    Endpoint::CONNZ_CLOSED,
    Endpoint::ACCOUNTZ,
    Endpoint::LEAFZ,
];

/// Everything one epoch says about servers.
#[derive(Debug)]
pub struct Census {
    /// Servers that answered anything, by id.
    pub servers: Servers,
    /// Answered route lists, by id of the server that answered.
    pub routes: BTreeMap<SmolStr, Vec<PeerRecord>>,
    /// What the collector expected.
    pub expected: Arc<Expected>,
    /// How requests to one server went, by id or URL.
    pub directed: BTreeMap<SmolStr, Directed>,
    /// Servers that count the active ones.
    counting: u64,
    pub(crate) stepped: Mutex<Option<Stepped>>,
}

/// One server process.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// Server id.
    pub id: SmolStr,
    /// Name; the id where none is configured.
    pub name: SmolStr,
    /// Cluster, if it is in one.
    pub cluster: Option<SmolStr>,
    /// Version.
    pub version: Option<Told>,
    /// Commit the binary was built from.
    pub git_commit: Option<SmolStr>,
    /// Go release.
    pub go: Option<SmolStr>,
    /// Start of the process.
    pub start: Option<Timestamp>,
    /// The server's clock, as late in the epoch as it told it.
    pub now: Option<Timestamp>,
    /// Age of the process in milliseconds, from one and the same reply.
    pub age_ms: Option<i64>,
    /// Microseconds from the start of the epoch to the last reply that can have told the age,
    /// where somebody measured.
    pub heard_us: Option<u64>,
    /// Client connections.
    pub connections: Option<u64>,
    /// Whether JetStream runs.
    pub jetstream: Option<bool>,
    /// Servers connected by routes, by its own count.
    pub remotes: Option<u64>,
    /// Servers it counts as active, itself included; told by those of the system account only.
    pub active_servers: Option<u64>,
    /// Client address, a wildcard replaced by what its peers show.
    pub address: Option<SmolStr>,
    /// URL it was asked under, over HTTP.
    pub url: Option<SmolStr>,
}

/// A value and the reply that told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The value.
    pub value: SmolStr,
    /// Endpoint.
    pub endpoint: Endpoint,
    /// Path in the reply.
    pub path: &'static str,
}

/// How requests to one server went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directed {
    /// One was answered.
    pub answered: bool,
    /// One got no answer in time.
    pub timeout: bool,
    /// One was told that nobody listens.
    pub no_responders: bool,
}

impl Server {
    /// What successive processes of this server hold: the name, or the address if the name is the
    /// id; `None` if neither is known.
    pub fn seat(&self) -> Option<&SmolStr> {
        if self.name == self.id { self.address.as_ref() } else { Some(&self.name) }
    }

    /// When the process started, by the clock of the epoch and never earlier than it did.
    pub fn born(&self, epoch: Timestamp) -> Option<Timestamp> {
        self.ago(epoch, self.age_ms?)
    }

    /// The beginning of what VARZ or STATSZ tells the age of. An age is of the moment in which the
    /// reply was made, which may be seconds after the start of the epoch, so that it is taken from
    /// its arrival. Where nobody wrote that down, the server's own clock tells.
    pub fn ago(&self, epoch: Timestamp, age_ms: i64) -> Option<Timestamp> {
        let told = match self.heard_us {
            Some(us) => later_by_us(epoch, us)?,
            None => self.now?,
        };
        told.checked_sub(SignedDuration::from_millis(age_ms)).ok()
    }
}

impl Census {
    /// Takes the census of an epoch.
    pub fn of(view: &View<'_>) -> Self {
        let mut servers = Servers::default();
        let mut sightings: Vec<(usize, &Sighting)> =
            view.sightings().map(|sighting| (rank(&sighting.endpoint), sighting)).collect();
        sightings.sort_by(|(a, one), (b, other)| {
            (a, one.arrival_us, &one.who.server).cmp(&(b, other.arrival_us, &other.who.server))
        });
        for (_, sighting) in sightings {
            sight(servers.entry(&sighting.who.server), sighting);
        }
        let routes: BTreeMap<SmolStr, Vec<PeerRecord>> = view
            .routez()
            .iter()
            .map(|record| (record.server.clone(), record.peers.clone()))
            .collect();
        servers.sort();
        enrich(&mut servers, view, &addresses(&routes));
        spread_cluster(&mut servers, &routes);
        let expected = Arc::clone(&view.header().expects);
        let counting = servers.values().filter(|s| s.active_servers.is_some()).count() as u64;
        let (directed, stepped) = (directed(view), Mutex::default());
        Self { servers, routes, expected, directed, counting, stepped }
    }

    /// Whether none of these servers counts more active ones than answered. One that hangs stays
    /// counted for longer than its peers name it; one in lame duck mode said that it leaves, and is
    /// not counted from then on.
    pub fn count_nobody_else(&self, ids: &[SmolStr]) -> bool {
        let counts = |id: &SmolStr| self.servers.get(id)?.active_servers;
        !ids.is_empty()
            && ids.iter().all(|id| counts(id).is_some_and(|count| count <= self.counting))
    }

    /// How requests to a server went, asked by id or under its URL.
    pub fn directed(&self, id: &str, url: Option<&str>) -> Option<&Directed> {
        self.directed.get(id).or_else(|| self.directed.get(url?))
    }
}

/// A time that is some microseconds later.
pub(crate) fn later_by_us(time: Timestamp, us: u64) -> Option<Timestamp> {
    time.checked_add(SignedDuration::from_micros(i64::try_from(us).ok()?)).ok()
}

fn rank(endpoint: &Endpoint) -> usize {
    SERVER_ENDPOINTS.iter().position(|known| known == endpoint).unwrap_or(SERVER_ENDPOINTS.len())
}

fn sight(server: &mut Server, sighting: &Sighting) {
    if server.name == server.id
        && let Some(name) = &sighting.who.name
    {
        server.name.clone_from(name);
    }
    if server.cluster.is_none() {
        server.cluster.clone_from(&sighting.who.cluster);
    }
    if server.version.is_none()
        && let Some(version) = &sighting.who.version
    {
        server.version = Some(Told {
            value: version.clone(),
            endpoint: sighting.endpoint.clone(),
            path: sighting.who.version_path,
        });
    }
    if server.jetstream.is_none() {
        server.jetstream = sighting.who.jetstream;
    }
    server.now = server.now.max(sighting.who.now);
    let tells_age = matches!(sighting.endpoint, Endpoint::VARZ | Endpoint::STATSZ);
    if tells_age && sighting.rtt_us.is_some() {
        server.heard_us = server.heard_us.max(Some(sighting.arrival_us));
    }
    if server.url.is_none() {
        server.url.clone_from(&sighting.url);
    }
}

/// The address under which peers see each server.
fn addresses(routes: &BTreeMap<SmolStr, Vec<PeerRecord>>) -> BTreeMap<SmolStr, SmolStr> {
    routes.values().flatten().filter_map(|peer| Some((peer.id.clone(), peer.ip.clone()?))).collect()
}

/// Routes exist only within a cluster, so a server whose replies do not tell its cluster (ROUTEZ
/// over HTTP does not) is in that of whoever names it.
fn spread_cluster(servers: &mut Servers, routes: &BTreeMap<SmolStr, Vec<PeerRecord>>) {
    let told: Vec<(SmolStr, SmolStr)> = routes
        .iter()
        .filter_map(|(by, peers)| Some((servers.get(by)?.cluster.clone()?, peers)))
        .flat_map(|(cluster, peers)| {
            peers.iter().map(move |peer| (peer.id.clone(), cluster.clone()))
        })
        .collect();
    for (id, cluster) in told {
        if let Some(server) = servers.get_mut(&id) {
            server.cluster.get_or_insert(cluster);
        }
    }
}

fn enrich(servers: &mut Servers, view: &View<'_>, seen_at: &BTreeMap<SmolStr, SmolStr>) {
    for varz in view.varz() {
        let Some(server) = servers.get_mut(&varz.server) else { continue };
        server.git_commit = server.git_commit.take().or_else(|| varz.git_commit.clone());
        server.go = server.go.take().or_else(|| varz.go.clone());
        server.start = server.start.or(varz.start);
        server.now = server.now.max(varz.now);
        server.age_ms = server.age_ms.or_else(|| age(varz.now, varz.start));
        server.connections = server.connections.or(varz.connections);
        server.remotes = server.remotes.or(varz.remotes);
        if varz.jetstream {
            server.jetstream = Some(true);
        }
        if let (Some(host), Some(port)) = (&varz.host, varz.port) {
            let host = match host.as_str() {
                "0.0.0.0" | "::" | "[::]" | "" => seen_at.get(&varz.server),
                _ => Some(host),
            };
            server.address = host.map(|host| format_smolstr!("{host}:{port}"));
        }
    }
    for statsz in view.statsz() {
        let Some(server) = servers.get_mut(&statsz.server) else { continue };
        server.start = server.start.or(statsz.start);
        server.age_ms = server.age_ms.or_else(|| age(statsz.now, statsz.start));
        server.connections = server.connections.or(statsz.connections);
        server.active_servers = server.active_servers.or(statsz.active_servers);
    }
}

fn age(now: Option<Timestamp>, start: Option<Timestamp>) -> Option<i64> {
    Some((now?.as_millisecond() - start?.as_millisecond()).max(0))
}

fn directed(view: &View<'_>) -> BTreeMap<SmolStr, Directed> {
    let mut all: BTreeMap<SmolStr, Directed> = BTreeMap::new();
    for capture in view.captures().filter(|capture| capture.service.is_none()) {
        let Some(target) = &capture.target else { continue };
        let entry = all.entry(target.into()).or_default();
        match capture.status {
            Status::Ok | Status::Partial | Status::TooLarge => entry.answered = true,
            Status::Timeout => entry.timeout = true,
            Status::NoResponders => entry.no_responders = true,
            _ => {}
        }
    }
    all
}
