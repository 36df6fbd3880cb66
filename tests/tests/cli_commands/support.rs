//! Small recordings written on the spot, and the binary that reads them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{ReplyBody, SnapshotWriter};
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine, ExpectsLine, ReplyLine, Status};
use nats_hindsight_tests::schema;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Start of the first epoch of every recording here.
const START: &str = "2026-11-21T09:00:00Z";

/// The binary.
fn binary() -> PathBuf {
    nats_hindsight_testkit::hindsight().unwrap()
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The report on standard output, which holds to its published schema.
    pub(crate) fn report(&self) -> Value {
        schema::parse(schema::REPORT, &self.stdout)
    }

    /// The survey of `inspect` on standard output, held to its schema.
    pub(crate) fn survey(&self) -> Value {
        schema::parse(schema::INSPECT, &self.stdout)
    }

    /// The list of `checks` on standard output, held to its schema.
    pub(crate) fn checks(&self) -> Value {
        schema::parse(schema::CHECKS, &self.stdout)
    }
}

/// The binary, ready to be run with arguments.
pub(crate) fn command(args: &[&dyn AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the binary.
pub(crate) fn hindsight(args: &[&dyn AsRef<OsStr>]) -> Ran {
    let output = command(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// One epoch of a cluster `A`: servers with their versions, all of which answered.
pub(crate) struct Epoch {
    number: u8,
    servers: Vec<(String, String)>,
    failed: bool,
}

/// An epoch in which these servers answered VARZ and ROUTEZ.
pub(crate) fn epoch(number: u8, servers: &[(&str, &str)]) -> Epoch {
    let own = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    Epoch { number, servers: servers.iter().map(own).collect(), failed: false }
}

impl Epoch {
    /// Adds a request that got no answer.
    pub(crate) fn incomplete(mut self) -> Self {
        self.failed = true;
        self
    }

    /// The epoch as stored.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let start: Timestamp = START.parse().unwrap();
        let start = start + SignedDuration::from_mins(i64::from(self.number));
        let header: EpochLine = serde_json::from_value(json!({
            "format": { "name": "nats-hindsight-snapshot", "version": "1.0" },
            "uuid": format!("00000000-0000-4000-8000-0000000000{:02}", self.number),
            "system": "prod", "system_set": true, "collector": { "id": "c", "version": "0.1.0" },
            "run": { "id": "r", "sequence": self.number }, "start": start,
        }))
        .unwrap();
        let mut writer = SnapshotWriter::start(Vec::new(), &header).unwrap();
        for server in &self.servers {
            self.answers(&mut writer, start, server);
        }
        if self.failed {
            capture(&mut writer, Endpoint::CONNZ, Some("NX".into()), Status::Timeout);
        }
        writer.finish(start, false, ExpectsLine::default()).unwrap().1
    }

    fn answers(
        &self,
        writer: &mut SnapshotWriter<Vec<u8>>,
        start: Timestamp,
        (name, version): &(String, String),
    ) {
        let id = |name: &str| format!("N{name}");
        let peers = self.servers.iter().filter(|(peer, _)| peer != name);
        let routes: Vec<Value> = peers
            .clone()
            .map(|(peer, _)| json!({ "remote_id": id(peer), "remote_name": peer, "rid": 1 }))
            .collect();
        let server = json!({
            "name": name, "id": id(name), "cluster": "A", "ver": version, "time": start,
        });
        let varz = json!({
            "server_id": id(name), "server_name": name, "version": version, "now": start,
            "start": "2026-11-01T00:00:00Z", "cluster": { "name": "A" }, "remotes": peers.count(),
        });
        let routez = json!({ "server_id": id(name), "routes": routes, "num_routes": routes.len() });
        for (endpoint, data) in [(Endpoint::VARZ, varz), (Endpoint::ROUTEZ, routez)] {
            let body = json!({ "server": server, "data": data }).to_string();
            let body = ReplyBody::from_bytes(body.as_bytes());
            let empty = format!(r#"{{"endpoint":"{endpoint}"}}"#);
            let mut reply: ReplyLine<'_> = serde_json::from_str(&empty).unwrap();
            reply.source = Some(id(name));
            reply.body = body.json();
            writer.reply(&reply).unwrap();
            capture(writer, endpoint, Some(id(name)), Status::Ok);
        }
    }
}

fn capture(
    writer: &mut SnapshotWriter<Vec<u8>>,
    endpoint: Endpoint,
    target: Option<String>,
    status: Status,
) {
    let received = u64::from(status == Status::Ok);
    let line = CaptureLine {
        endpoint,
        target,
        status,
        expected: Some(1),
        received,
        ..CaptureLine::default()
    };
    writer.capture(&line).unwrap();
}

/// A folder with one snapshot per epoch.
pub(crate) fn folder(epochs: &[Epoch]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for epoch in epochs {
        let name = format!("prod.{}.ndjson.zst", epoch.number);
        std::fs::write(folder.path().join(name), epoch.bytes()).unwrap();
    }
    folder
}

/// A cluster on one version, and the same cluster with one server that lags behind.
pub(crate) const EVEN: &[(&str, &str)] = &[("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.14.6")];
pub(crate) const MIXED: &[(&str, &str)] = &[("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.10.25")];
