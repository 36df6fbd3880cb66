//! Verbatim replies of every endpoint of one server version, for the tests of those who read them.
//!
//! A small system of that version is filled with streams and consumers and asked everything, then
//! loses one follower of a replicated stream, then the other and with it the meta group's quorum.

mod asked;
mod contents;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use self::asked::{Ask, Get};
use self::contents::LEADER;
use crate::error::{KitError, Result, io_at};
use crate::scenario::privacy;
use crate::system::{PATIENCE, System};
use crate::wait::wait_until;

/// A leader that lost its quorum notices after some ten seconds, and tells the meta group later.
const LOSS_LIMIT: Duration = Duration::from_mins(1);

/// What was asked for the replies of one version, and what came: `asked.json` beside them.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedReplies {
    /// Version of every server of the system.
    pub version: String,
    /// How to record them again.
    pub command: String,
    /// In the order in which they were asked.
    pub replies: Vec<RecordedReply>,
}

/// One request and where its reply is.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedReply {
    /// The file, below the folder of the version; nothing if nobody answered.
    pub file: Option<String>,
    /// The server that was asked.
    pub server: String,
    /// The subject, with `<id>` for the server's id; or the path and query at the monitor port.
    pub asked: String,
    /// What the request said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// 503 for *no responders*; over HTTP always there.
    pub status: Option<u16>,
    /// Bytes of the reply as it came, before it was packed.
    pub bytes: usize,
}

/// Records the replies of one version into `<folder>/<version>`, which is replaced only after
/// everything has worked.
pub fn record_replies(version: &str, folder: &Path) -> Result<RecordedReplies> {
    let mut system = contents::plan(version).start()?;
    let clients = contents::fill(&system)?;
    let mut kept = Kept::default();
    whole(&system, &mut kept)?;
    lose(&mut system, &mut kept)?;
    drop(clients);
    let recorded = RecordedReplies {
        version: version.to_owned(),
        command: format!("cargo xtask record-replies {version}"),
        replies: kept.replies,
    };
    publish(&recorded, &kept.files, &folder.join(version))?;
    Ok(recorded)
}

/// Everything runs: each question goes to the server whose answer has something in it.
fn whole(system: &System, kept: &mut Kept) -> Result<()> {
    kept.ask_all(system, LEADER, asked::OF_THE_LEADER)?;
    kept.ask_all(system, "a2", asked::OF_A_FOLLOWER)?;
    let hub = holder(system, "/leafz", |leafz| !leafz["leafs"][0].is_null())?;
    kept.ask_all(system, &hub, asked::OF_THE_HUB)?;
    let inbound =
        holder(system, "/gatewayz", |gatewayz| !gatewayz["inbound_gateways"]["B"][0].is_null())?;
    kept.ask_all(system, &inbound, asked::OF_AN_INBOUND_GATEWAY)?;
    let meta = system.monitor(LEADER, "/jsz")?["meta_cluster"]["leader"].clone();
    kept.ask_all(system, meta.as_str().unwrap_or_default(), asked::OF_THE_META_LEADER)?;
    kept.get_all(system, LEADER, asked::OVER_HTTP)?;
    kept.get_all(system, "leaf1", asked::OF_THE_LEAF)
}

/// A server of the first cluster that has what is looked for, which the servers decide by chance.
fn holder(system: &System, path: &str, has: impl Fn(&Value) -> bool) -> Result<String> {
    for server in system.names().into_iter().filter(|name| name.starts_with('a')) {
        if has(&system.monitor(server, path)?) {
            return Ok(server.to_owned());
        }
    }
    Err(KitError::Protocol(format!("no server has anything to say on {path}")))
}

/// One follower leaves, then all others that matter, and the leader is asked each time.
fn lose(system: &mut System, kept: &mut Kept) -> Result<()> {
    system.stop("a3")?;
    wait_until("the leader sees that a3 has left", PATIENCE, || {
        let orders = orders(system)?;
        let peers = orders["cluster"]["replicas"].as_array().cloned().unwrap_or_default();
        let left = peers.iter().any(|peer| peer["name"] == "a3" && peer["offline"] == true);
        if left && orders["cluster"]["leader"] == LEADER {
            return Ok(());
        }
        Err(orders["cluster"].to_string())
    })?;
    kept.ask_all(system, LEADER, asked::ONE_DOWN)?;
    // With a server of the other cluster the meta group loses its quorum too: two of five are left.
    system.stop("b2")?;
    system.stop("a2")?;
    wait_until("nobody leads any more", LOSS_LIMIT, || {
        let jsz = system.monitor(LEADER, "/jsz").map_err(|error| error.to_string())?;
        let orders = orders(system)?;
        let leaders = [&jsz["meta_cluster"]["leader"], &orders["cluster"]["leader"]];
        if leaders.iter().all(|leader| leader.as_str().unwrap_or_default().is_empty()) {
            return Ok(());
        }
        Err(format!("leaders: {leaders:?}"))
    })?;
    kept.ask_all(system, LEADER, asked::QUORUM_LOST)?;
    kept.get_all(system, LEADER, asked::QUORUM_LOST_OVER_HTTP)
}

/// What the monitor port of the leader tells of the replicated stream.
fn orders(system: &System) -> std::result::Result<Value, String> {
    let jsz = system.monitor(LEADER, "/jsz?accounts=1&streams=1").map_err(|e| e.to_string())?;
    let accounts = jsz["account_details"].as_array().into_iter().flatten();
    let streams = accounts.filter_map(|account| account["stream_detail"].as_array()).flatten();
    let orders = streams.into_iter().find(|stream| stream["name"] == "ORDERS");
    orders.cloned().ok_or_else(|| "the stream is not there".to_owned())
}

#[derive(Default)]
struct Kept {
    replies: Vec<RecordedReply>,
    /// Names and bytes of those that answered.
    files: Vec<(String, Vec<u8>)>,
}

impl Kept {
    fn ask_all(&mut self, system: &System, server: &str, asks: &[Ask]) -> Result<()> {
        asks.iter().try_for_each(|ask| self.ask(system, server, ask))
    }

    fn get_all(&mut self, system: &System, server: &str, gets: &[Get]) -> Result<()> {
        gets.iter().try_for_each(|get| self.get(system, server, get))
    }

    fn ask(&mut self, system: &System, server: &str, ask: &Ask) -> Result<()> {
        let mut client = system.client(server, "SYS")?;
        let subject = ask.subject.replace("<id>", &system.id(server)?);
        // A request to everybody is answered by everybody; only the reply of one server is kept.
        let enough = if subject.contains(".PING.") { system.names().len() } else { 1 };
        let limit = if enough == 1 { PATIENCE } else { Duration::from_secs(1) };
        let replies = client.request_many(&subject, ask.body, enough, limit)?;
        let silent = replies.iter().find(|reply| reply.status == Some(503));
        let reply = match silent {
            Some(silent) => silent,
            None => replies
                .iter()
                .find(|reply| reply.json()["server"]["name"] == server)
                .ok_or_else(|| KitError::Protocol(format!("{server} is silent on {subject}")))?,
        };
        let file = reply.status.is_none().then(|| format!("{}.json.zst", ask.name));
        self.keep(file, server, ask.subject, ask.body, reply.status, &reply.payload);
        Ok(())
    }

    fn get(&mut self, system: &System, server: &str, get: &Get) -> Result<()> {
        let (status, body) = system.monitor_bytes(server, get.path)?;
        let json = serde_json::from_slice::<Value>(&body).is_ok();
        let file = json.then(|| format!("http/{}.json.zst", get.name));
        self.keep(file, server, get.path, "", Some(status), &body);
        Ok(())
    }

    fn keep(
        &mut self,
        file: Option<String>,
        server: &str,
        asked: &str,
        request: &str,
        status: Option<u16>,
        body: &[u8],
    ) {
        if let Some(file) = &file {
            self.files.push((file.clone(), body.to_vec()));
        }
        self.replies.push(RecordedReply {
            file,
            server: server.to_owned(),
            asked: asked.to_owned(),
            request: request.to_owned(),
            status,
            bytes: body.len(),
        });
    }
}

/// Writes everything beside its place, looks at what it tells, and puts it there.
fn publish(recorded: &RecordedReplies, files: &[(String, Vec<u8>)], folder: &Path) -> Result<()> {
    let fresh = folder.with_extension("fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(io_at("cannot remove", &fresh))?;
    }
    fs::create_dir_all(fresh.join("http")).map_err(io_at("cannot create", &fresh))?;
    let mut text = serde_json::to_string_pretty(recorded)
        .map_err(|error| KitError::Protocol(error.to_string()))?;
    text.push('\n');
    write(&fresh.join("asked.json"), text.as_bytes())?;
    for (name, body) in files {
        let path = fresh.join(name);
        let packed = zstd::encode_all(body.as_slice(), 19).map_err(io_at("cannot pack", &path))?;
        write(&path, &packed)?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(io_at("cannot replace", folder))?;
    }
    fs::rename(&fresh, folder).map_err(io_at("cannot place", folder))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(io_at("cannot write", path))?;
    privacy::check(path)
}
