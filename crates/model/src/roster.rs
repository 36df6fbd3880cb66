//! The services of one epoch: who answered, who is listed, how it was asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use smol_str::{SmolStr, format_smolstr};

use crate::View;
use crate::epoch::{ConnectionRecord, Owners, ServedEndpoint, ServiceRecord};
use crate::expected::Expected;
use crate::sweeps::{Sweep, sweeps};

/// Account id and service name.
pub type ServiceKey = (SmolStr, SmolStr);

/// Everything one epoch says about services.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Services of which something was seen or asked.
    pub services: BTreeMap<ServiceKey, Service>,
    /// Names of accounts, by id, where one is told.
    pub account_names: BTreeMap<SmolStr, SmolStr>,
    /// How the broadcast to an account's services went.
    pub accounts: BTreeMap<SmolStr, Status>,
    /// Accounts whose services were to be asked, and of which no word is left on how that went.
    pub lost_words: BTreeSet<SmolStr>,
    /// Whether connections were asked for and are to be had.
    pub connections_meant: bool,
    /// Whether a connection to some account failed, so that nothing was asked in it.
    pub account_lost: bool,
    /// Rows by which services are seen behind a leaf node: (server, leaf name) by service.
    pub behind_leafs: BTreeMap<ServiceKey, BTreeSet<(SmolStr, SmolStr)>>,
    /// Instances that rows of leaf connections list, as (leaf name, instance id) by service; the id
    /// is empty where a row lists only the service.
    pub leaf_instances: BTreeMap<ServiceKey, BTreeSet<(SmolStr, SmolStr)>>,
    /// Leaf connections that stand, as (server, leaf name, account).
    pub leafs: BTreeSet<(SmolStr, SmolStr, Option<SmolStr>)>,
    /// Servers that told their leaf connections.
    pub told_leafs: BTreeSet<SmolStr>,
    /// Complete lists of connections.
    pub sweeps: Vec<Sweep>,
    /// Service names listed on a row whose account is not known.
    pub unattributed: BTreeSet<SmolStr>,
    /// Services all of whose instances answered but belong to another account, which an import
    /// makes visible.
    pub imported: BTreeSet<ServiceKey>,
    /// Connections that ended, by instance id.
    pub stops: BTreeMap<SmolStr, Vec<Stop>>,
    /// What the collector remembered.
    pub expected: Arc<Expected>,
}

/// One service of one account.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Instances by id.
    pub instances: BTreeMap<SmolStr, Instance>,
    /// Requests to it by name, in order.
    pub asks: Vec<Ask>,
    /// It was to be asked by name, and its name cannot stand in a subject.
    pub unaskable: bool,
    /// Requests to single instances that were not answered, by id.
    pub mute_ids: BTreeSet<SmolStr>,
}

/// One instance.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// Whether it answered any verb.
    pub answered: bool,
    /// Version of the application.
    pub version: Option<SmolStr>,
    /// Endpoint that told the version.
    pub told_by: Option<Endpoint>,
    /// Metadata.
    pub metadata: Arc<BTreeMap<String, String>>,
    /// Endpoints it announces, without numbers; none if INFO was not seen or cannot be read.
    pub announces: Option<Arc<[ServedEndpoint]>>,
    /// Its metadata as INFO tells it; none if INFO was not seen or cannot be read.
    pub announced_metadata: Option<Arc<BTreeMap<String, String>>>,
    /// Requests and errors since its start, over all endpoints.
    pub served: Option<(u64, u64)>,
    /// Start as STATS tells it.
    pub started: Option<Timestamp>,
    /// Its connection, if a Client row lists it.
    pub connection: Option<Box<InstanceConnection>>,
}

/// The connection of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceConnection {
    /// Server that holds it.
    pub server: SmolStr,
    /// Connection id.
    pub cid: u64,
    /// Name the client chose.
    pub name: Option<SmolStr>,
    /// Address.
    pub ip: Option<SmolStr>,
    /// Language of the client, by family.
    pub lang: Option<SmolStr>,
    /// Version of the client library.
    pub library: Option<SmolStr>,
    /// When it connected, by the server's clock.
    pub start: Option<Timestamp>,
    /// Milliseconds since it connected, by the server's clock: a lower bound of the age.
    pub uptime_ms: Option<i64>,
    /// Microseconds from the start of the epoch to the arrival of the row; 0 where nobody measured.
    pub arrival_us: u64,
}

/// A request to a service by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Microseconds from the start of the epoch to the sending.
    pub at_us: u64,
    /// Microseconds until it was over.
    pub waited_us: u64,
    /// How it ended.
    pub status: Status,
    /// Server it was asked through.
    pub through: Option<SmolStr>,
}

/// How a connection of an instance ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stop {
    /// When.
    pub at: Option<Timestamp>,
    /// Server that held it.
    pub server: SmolStr,
    /// Why, in the server's words.
    pub reason: SmolStr,
    /// Name of the connection.
    pub name: Option<SmolStr>,
}

impl Roster {
    /// Calls the roll of an epoch.
    pub fn of(view: &View<'_>) -> Self {
        let mut roster = Self { sweeps: sweeps(view.connz()), ..Self::default() };
        for connection in &view.header().connections {
            roster.account_lost |= connection.kind == "account" && connection.state != "connected";
            if let (Some(id), Some(name)) = (&connection.account, &connection.account_name) {
                roster.account_names.insert(id.into(), name.into());
            }
        }
        for expected in &view.header().expects.services {
            if let Some(name) = &expected.account_name {
                roster
                    .account_names
                    .entry(expected.account.clone())
                    .or_insert_with(|| name.clone());
            }
        }
        roster.answers(view);
        roster.list(view.owners());
        roster.settle_doubles();
        roster.asked(view);
        roster.leafs(view);
        roster.stopped(view);
        roster.expected = Arc::clone(&view.header().expects);
        roster
    }

    fn service(&mut self, account: &str, name: &str) -> &mut Service {
        self.services.entry((account.into(), name.into())).or_default()
    }

    /// Takes the replies, service by service.
    fn answers(&mut self, view: &View<'_>) {
        let mut services: HashMap<(&str, &str), Vec<Reply<'_>>, RandomState> = HashMap::default();
        for record in view.services() {
            let account = record.account.as_deref().unwrap_or_default();
            let replies = services.entry((account, &record.told.name)).or_default();
            replies.push((head(&record.told.id), record));
        }
        let services: BTreeMap<_, _> = services.into_iter().collect();
        for ((account, name), mut replies) in services {
            let same = |a: &Reply<'_>, b: &Reply<'_>| a.0 == b.0 && a.1.told.id == b.1.told.id;
            // Replies of one instance stay in their order.
            replies.sort_by_key(|(head, _)| *head);
            for alike in replies.chunk_by_mut(|(a, _), (b, _)| a == b) {
                if alike.windows(2).any(|two| !same(&two[0], &two[1])) {
                    alike.sort_by(|(_, one), (_, other)| one.told.id.cmp(&other.told.id));
                }
            }
            let instances = replies.chunk_by(same).map(|replies| {
                let mut instance = Instance::default();
                for (_, reply) in replies {
                    instance.answer(reply);
                }
                (replies[0].1.told.id.clone(), instance)
            });
            self.service(account, name).instances = instances.collect();
        }
    }

    /// Takes the rows of the newest complete sweep of each server, or of all where none is.
    fn list(&mut self, owners: Option<&Owners>) {
        let mut sweeps = std::mem::take(&mut self.sweeps);
        for sweep in &mut sweeps {
            for row in sweep.rows().filter(|_| !sweep.superseded) {
                self.row(sweep, row, owners);
            }
            // Who asks later asks what a sweep covers. Its rows would be held until all is judged.
            sweep.pages = Vec::new();
        }
        self.sweeps = sweeps;
    }

    fn row(&mut self, sweep: &Sweep, row: &ConnectionRecord, owners: Option<&Owners>) {
        let account = sweep.account_of(row, owners);
        if let (Some(id), Some(name)) = (&account, &row.account_name) {
            self.account_names.entry(id.clone()).or_insert_with(|| name.clone());
        }
        let names: BTreeSet<&SmolStr> = row.announces.iter().map(|(name, _)| name).collect();
        let Some(account) = account else {
            self.unattributed.extend(names.into_iter().cloned());
            return;
        };
        if row.kind == "Leafnode" {
            let leaf = row.name.clone().unwrap_or_default();
            for (name, id) in instances(row) {
                let key = (account.clone(), name.clone());
                self.leaf_instances.entry(key).or_default().insert((leaf.clone(), id.clone()));
            }
            for name in names {
                self.behind_leafs
                    .entry((account.clone(), name.clone()))
                    .or_default()
                    .insert((sweep.server.clone(), leaf.clone()));
            }
        } else if row.kind == "Client" {
            for (name, id) in instances(row) {
                let id = if id.is_empty() {
                    format_smolstr!("connection {} of {}", row.cid, sweep.server)
                } else {
                    id.clone()
                };
                let instance = self.service(&account, name).instances.entry(id).or_default();
                let newer = |known: &InstanceConnection| known.arrival_us > sweep.arrival_us;
                if !instance.connection.as_deref().is_some_and(newer) {
                    instance.connection = Some(Box::new(sweep.connection(row)));
                }
            }
        }
    }

    /// An id that answers in two accounts (an import does this) belongs to the one whose Client
    /// row holds it.
    fn settle_doubles(&mut self) {
        // Only what no row of its account lists can be of another one, and that is little, unless
        // nobody was asked for rows: then nothing can be settled.
        let listed = self.services.values().any(Service::listed);
        let mut unlisted: BTreeSet<(&SmolStr, &SmolStr)> = BTreeSet::new();
        for ((_, name), service) in self.services.iter().filter(|_| listed) {
            let without = service.instances.iter().filter(|(_, i)| i.connection.is_none());
            unlisted.extend(without.map(|(id, _)| (name, id)));
        }
        let mut held: BTreeMap<(SmolStr, SmolStr), BTreeSet<SmolStr>> = BTreeMap::new();
        for ((account, name), service) in self.services.iter().filter(|_| !unlisted.is_empty()) {
            let listed = service.instances.iter().filter(|(_, i)| i.connection.is_some());
            for (id, _) in listed.filter(|(id, _)| unlisted.contains(&(name, *id))) {
                held.entry((name.clone(), id.clone())).or_default().insert(account.clone());
            }
        }
        let services = self.services.iter_mut().filter(|_| !held.is_empty());
        for ((account, name), service) in services {
            service.instances.retain(|id, instance| {
                instance.connection.is_some()
                    || held
                        .get(&(name.clone(), id.clone()))
                        .is_none_or(|accounts| accounts.contains(account))
            });
        }
        let imported = &mut self.imported;
        self.services.retain(|key, service| {
            let here = !service.instances.is_empty();
            if !here {
                imported.insert(key.clone());
            }
            here
        });
    }

    fn asked(&mut self, view: &View<'_>) {
        for capture in view.captures().filter(|c| c.endpoint == Endpoint::SRV_PING) {
            let account = capture.account.clone().unwrap_or_default();
            let Some(name) = &capture.service else {
                self.accounts.insert(account.into(), capture.status.clone());
                continue;
            };
            let service = self.service(&account, name);
            // Whatever else keeps the collector from asking, it has tried.
            let unaskable = capture.status == Status::Skipped && capture.attempts.is_empty();
            if let Some(id) = &capture.target {
                if capture.status != Status::Ok && !unaskable {
                    service.mute_ids.insert(id.into());
                }
                continue;
            }
            service.unaskable |= unaskable;
            service.asks.extend(capture.attempts.iter().map(|attempt| Ask {
                at_us: attempt.at_us,
                waited_us: attempt.waited_us,
                status: attempt.status.clone(),
                through: capture.through.clone().map(SmolStr::from),
            }));
        }
        for service in self.services.values_mut() {
            service.asks.sort_by_key(|ask| ask.at_us);
        }
        self.meant(view);
    }

    /// What the collector meant to ask, held against how it went.
    fn meant(&mut self, view: &View<'_>) {
        let header = view.header();
        if header.asked.endpoints.contains(&Endpoint::SRV_PING) {
            let connected = header.connections.iter().filter(|connection| {
                connection.kind == "account" && connection.state == "connected"
            });
            self.lost_words = connected
                .filter_map(|connection| connection.account.as_deref().map(SmolStr::new))
                .filter(|account| !self.accounts.contains_key(account))
                .collect();
        }
        let mut captures =
            view.captures().filter(|capture| capture.endpoint == Endpoint::CONNZ).peekable();
        let refused = |status: &Status| {
            matches!(
                status,
                Status::Denied | Status::NotSupported | Status::NoResponders | Status::Skipped
            )
        };
        // Of a recording that is not whole, the word on those that did come may be what is lost.
        self.connections_meant = header.asked.endpoints.contains(&Endpoint::CONNZ)
            && (!view.whole()
                || captures.peek().is_none()
                || captures.any(|capture| !refused(&capture.status)));
    }

    /// The sweeps of one server.
    pub fn sweeps_of(&self, server: &str) -> &[Sweep] {
        let from = self.sweeps.partition_point(|sweep| sweep.server.as_str() < server);
        let to = self.sweeps.partition_point(|sweep| sweep.server.as_str() <= server);
        &self.sweeps[from..to]
    }

    fn leafs(&mut self, view: &View<'_>) {
        for record in view.leafz() {
            self.told_leafs.insert(record.server.clone());
            for (name, account) in &record.leafs {
                self.leafs.insert((record.server.clone(), name.clone(), account.clone()));
            }
        }
        for ((account, _), rows) in &self.behind_leafs {
            for (server, leaf) in rows {
                self.leafs.insert((server.clone(), leaf.clone(), Some(account.clone())));
            }
        }
    }

    fn stopped(&mut self, view: &View<'_>) {
        for page in view.closed() {
            for row in page.connections.iter().filter(|row| row.kind == "Client") {
                for (_, id) in row.announces.iter().filter(|(_, id)| !id.is_empty()) {
                    self.stops.entry(id.clone()).or_default().push(Stop {
                        at: row.stop,
                        server: page.server.clone(),
                        reason: row.reason.clone().unwrap_or_default(),
                        name: row.name.clone(),
                    });
                }
            }
        }
        for stops in self.stops.values_mut() {
            stops.sort();
            stops.dedup();
        }
    }
}

/// A reply, with what decides the order of most ids.
type Reply<'a> = (u64, &'a ServiceRecord);

/// The first bytes of an id as a number, in the order of ids as far as they go.
fn head(id: &str) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(id.bytes()).for_each(|(to, byte)| *to = byte);
    u64::from_be_bytes(head)
}

/// The instances a row announces, as (name, id): by name alone where it announces no id.
fn instances(row: &ConnectionRecord) -> impl Iterator<Item = &(SmolStr, SmolStr)> {
    row.announces.iter().filter(|(name, id)| {
        !id.is_empty() || !row.announces.iter().any(|(n, id)| n == name && !id.is_empty())
    })
}

impl Instance {
    /// Takes one reply.
    fn answer(&mut self, record: &ServiceRecord) {
        let told = &record.told;
        self.answered = true;
        if self.version.is_none() || record.endpoint == Endpoint::SRV_INFO {
            self.version = told.version.clone().or(self.version.take());
            self.told_by = Some(record.endpoint.clone());
        }
        if let Some(metadata) = told.metadata.as_ref().filter(|all| !all.is_empty()) {
            self.metadata = Arc::clone(metadata);
        }
        if record.endpoint == Endpoint::SRV_INFO {
            self.announces.clone_from(&told.endpoints);
            self.announced_metadata.clone_from(&told.metadata);
        }
        if record.endpoint == Endpoint::SRV_STATS {
            self.started = told.started;
            self.served = told.endpoints.as_ref().map(|endpoints| {
                let count = |of: fn(&ServedEndpoint) -> Option<u64>| -> u64 {
                    endpoints.iter().filter_map(of).fold(0, u64::saturating_add)
                };
                (count(|e| e.requests), count(|e| e.errors))
            });
        }
    }
}

impl Service {
    /// Whether any instance answered.
    pub fn answers(&self) -> bool {
        self.instances.values().any(|instance| instance.answered)
    }

    /// Whether a Client row lists it.
    pub fn listed(&self) -> bool {
        self.instances.values().any(|instance| instance.connection.is_some())
    }
}
