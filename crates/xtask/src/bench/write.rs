//! Writes the recording of a fleet, epoch by epoch, with the writer that the collector uses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{SnapshotWriter, file_name};
use nats_hindsight_snapshot::lines::{
    AskedLine, AttemptLine, CaptureLine, EpochLine, ExpectedServer, ExpectedService, ExpectsLine,
    ReplyLine, RunLine, Status,
};
use nats_hindsight_testkit::Template;
use serde_json::value::RawValue;

use super::fleet::{Fleet, INSTANCES, MEMBERS, Process, SERVER_VERSIONS, SERVICE_VERSIONS};
use super::recorded::{Recorded, Slot};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Time between two epochs.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// Account of all services, as in the recording.
const ACCOUNT: &str = "APP";

/// Replies and bytes of JSON written, by endpoint.
pub(super) type Composition = BTreeMap<String, (u64, u64)>;

/// A fleet and what it is made of.
pub(super) struct Writer<'a> {
    pub(super) fleet: Fleet,
    pub(super) recorded: &'a Recorded,
    /// Endpoints that are recorded.
    pub(super) endpoints: &'a [Endpoint],
}

impl Writer<'_> {
    /// Writes all epochs into a folder, on two threads. Tells what they are made of.
    pub(super) fn write(&self, folder: &Path) -> Result<Composition, Failure> {
        fs::create_dir_all(folder)?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<Composition, Failure> {
            let mut all = Composition::new();
            loop {
                let epoch = next.fetch_add(1, Ordering::Relaxed);
                if epoch >= self.fleet.epochs {
                    return Ok(all);
                }
                self.epoch(epoch, folder, &mut all)?;
            }
        };
        let (one, two) = std::thread::scope(|scope| {
            let other = scope.spawn(work);
            (work(), other.join())
        });
        let mut all = one?;
        for (endpoint, (replies, bytes)) in two.map_err(|_| "a thread failed")?? {
            let sum = all.entry(endpoint).or_default();
            *sum = (sum.0 + replies, sum.1 + bytes);
        }
        Ok(all)
    }

    fn start(&self, epoch: usize) -> Timestamp {
        let steps = i32::try_from(epoch).unwrap_or(i32::MAX);
        self.recorded.header.start + STEP * steps
    }

    fn epoch(&self, epoch: usize, folder: &Path, all: &mut Composition) -> Result<(), Failure> {
        let header = self.header(epoch);
        let path = folder.join(file_name(&header.system, header.start, &header.uuid));
        let mut writer = SnapshotWriter::start(BufWriter::new(File::create(path)?), &header)?;
        for endpoint in self.endpoints {
            let mut received = 0;
            let mut reply = |line: &ReplyLine<'_>, text: String| -> Result<(), Failure> {
                let sum = all.entry(endpoint.to_string()).or_default();
                *sum = (sum.0 + 1, sum.1 + text.len() as u64);
                received += 1;
                let body = RawValue::from_string(text)?;
                Ok(writer.reply(&ReplyLine { body: Some(&body), ..line.clone() })?)
            };
            if endpoint.as_str().starts_with("SRV_") {
                self.instances(endpoint, epoch, &mut reply)?;
            } else {
                self.servers(endpoint, epoch, &mut reply)?;
            }
            for capture in self.captures(endpoint, epoch, received) {
                writer.capture(&capture)?;
            }
        }
        writer.finish(header.start + STEP / 10, false, self.expects(epoch))?;
        Ok(())
    }

    /// How an endpoint was asked: once for all, and services that did not answer once more by name.
    fn captures(&self, endpoint: &Endpoint, epoch: usize, received: u64) -> Vec<CaptureLine> {
        let Some(recorded) = self.recorded.captures.get(endpoint) else { return Vec::new() };
        let through = Some(self.fleet.server(0, epoch).id);
        let all = CaptureLine { through, received, ..recorded.clone() };
        let mut captures = vec![all.clone()];
        let gone = (0..self.fleet.services())
            .filter(|service| self.fleet.instance(service * INSTANCES, epoch).is_none())
            .filter(|_| *endpoint == Endpoint::SRV_PING);
        captures.extend(gone.map(|service| {
            let name = service_name(service);
            let attempt =
                |at_us| AttemptLine { at_us, waited_us: 500, status: Status::NoResponders };
            CaptureLine {
                subject: format!("$SRV.PING.{name}"),
                service: Some(name),
                status: Status::NoResponders,
                attempts: vec![attempt(600_000), attempt(1_700_000)],
                received: 0,
                ..all.clone()
            }
        }));
        captures
    }

    fn header(&self, epoch: usize) -> EpochLine {
        let first = &self.recorded.header;
        EpochLine {
            uuid: format!("00000000-0000-4000-8000-{epoch:012}"),
            start: self.start(epoch),
            run: RunLine { sequence: epoch as u64, ..first.run.clone() },
            asked: AskedLine { endpoints: self.endpoints.to_vec(), ..first.asked.clone() },
            expects: epoch.checked_sub(1).map_or_else(ExpectsLine::default, |e| self.expects(e)),
            ..first.clone()
        }
    }

    fn expects(&self, epoch: usize) -> ExpectsLine {
        let last_seen = Some(self.start(epoch));
        let servers = (0..self.fleet.servers).map(|at| {
            let Process { id, generation, .. } = self.fleet.server(at, epoch);
            ExpectedServer {
                id,
                name: server_name(at),
                cluster: Some(cluster_name(at / MEMBERS)),
                version: Some(SERVER_VERSIONS[generation].to_owned()),
                last_seen,
            }
        });
        let services = (0..self.fleet.services()).map(|service| {
            let members =
                service * INSTANCES..((service + 1) * INSTANCES).min(self.fleet.instances);
            let instances = members.filter_map(|at| self.fleet.instance(at, epoch));
            ExpectedService {
                account: ACCOUNT.to_owned(),
                account_name: Some(ACCOUNT.to_owned()),
                name: service_name(service),
                last_seen,
                instances: instances.map(|process| process.id).collect(),
                servers: vec![self.fleet.server(service % self.fleet.servers, epoch).id],
            }
        });
        ExpectsLine {
            servers: servers.collect(),
            services: services.collect(),
            services_overflow: 0,
        }
    }

    fn servers(
        &self,
        endpoint: &Endpoint,
        epoch: usize,
        reply: &mut dyn FnMut(&ReplyLine<'_>, String) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let templates = self.recorded.servers.get(endpoint).ok_or("not recorded")?;
        for server in 0..self.fleet.servers {
            let process = self.fleet.server(server, epoch);
            let text = self.of_server(endpoint, server, epoch, &process, templates);
            let subject = format!("$SYS.REQ.SERVER.PING.{endpoint}");
            reply(&line(endpoint, subject, process.id, None, server), text)?;
        }
        Ok(())
    }

    fn of_server(
        &self,
        endpoint: &Endpoint,
        server: usize,
        epoch: usize,
        process: &Process,
        templates: &[Template<Slot>],
    ) -> String {
        let Process { id, generation, since } = process;
        let (cluster, member) = (server / MEMBERS, server % MEMBERS);
        let changed = self.fleet.changed(self.number(endpoint, server), epoch).max(*since);
        let peer = |at| cluster * MEMBERS + at;
        let now = self.start(changed) + SignedDuration::from_millis(200);
        let start = self.start(*since) - SignedDuration::from_secs(20);
        templates[member].fill(|slot, text| {
            let word = match slot {
                Slot::Id(at) if at == member => return text.push_str(id),
                Slot::Id(at) => return text.push_str(&self.fleet.server(peer(at), changed).id),
                Slot::Name(at) => server_name(peer(at)),
                Slot::Cluster => cluster_name(cluster),
                Slot::Version => SERVER_VERSIONS[*generation].to_owned(),
                Slot::Now => now.to_string(),
                Slot::Start => start.to_string(),
                Slot::Instance | Slot::Service | Slot::Description => return,
            };
            quote(text, &word);
        })
    }

    fn instances(
        &self,
        endpoint: &Endpoint,
        epoch: usize,
        reply: &mut dyn FnMut(&ReplyLine<'_>, String) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let template = self.recorded.instances.get(endpoint).ok_or("not recorded")?;
        for instance in 0..self.fleet.instances {
            let Some(Process { id, generation, since }) = self.fleet.instance(instance, epoch)
            else {
                continue;
            };
            let changed = self.fleet.changed(self.number(endpoint, instance), epoch).max(since);
            let text = template.fill(|slot, text| match slot {
                Slot::Instance => text.push_str(&id),
                Slot::Service => quote(text, &service_name(instance / INSTANCES)),
                Slot::Version => quote(text, SERVICE_VERSIONS[generation]),
                Slot::Description => quote(text, &format!("Takes orders, revision {changed}")),
                _ => {}
            });
            let subject = format!("$SRV.{}", &endpoint.as_str()[4..]);
            reply(&line(endpoint, subject, id.clone(), Some(ACCOUNT), instance), text)?;
        }
        Ok(())
    }

    /// A number of its own for every reply of an epoch.
    fn number(&self, endpoint: &Endpoint, at: usize) -> usize {
        let place = self.endpoints.iter().position(|one| one == endpoint).unwrap_or(0);
        place * self.fleet.servers.max(self.fleet.instances) + at
    }
}

fn line(
    endpoint: &Endpoint,
    subject: String,
    source: String,
    account: Option<&str>,
    at: usize,
) -> ReplyLine<'static> {
    ReplyLine {
        endpoint: endpoint.clone(),
        subject,
        source: Some(source),
        account: account.map(str::to_owned),
        arrival_us: 100_000 + at as u64 * 150,
        rtt_us: 1_000 + at as u64 * 140,
        page: None,
        filter: None,
        scrubbed: Vec::new(),
        body: None,
        body_base64: None,
    }
}

fn quote(text: &mut String, word: &str) {
    text.extend(["\"", word, "\""]);
}

fn cluster_name(cluster: usize) -> String {
    format!("cluster-{cluster:03}")
}

fn server_name(server: usize) -> String {
    format!("server-{server:03}")
}

fn service_name(service: usize) -> String {
    format!("service-{service:03}")
}
