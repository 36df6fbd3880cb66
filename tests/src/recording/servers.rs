//! Edits of servers.
//!
//! Servers are named as the recording names them. An edit changes everything an epoch says about
//! a server: its own replies, what its peers' route lists say, and how requests to it went.

use jiff::SignedDuration;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{
    AttemptLine, CaptureLine, ExpectedServer, ExpectsLine, Status,
};
use serde_json::{Value, json};

use super::{Epoch, Recording, Reply};

/// Keys under which replies hold the name of a server.
const NAMES: &[&str] = &["name", "server_name", "remote_name"];

impl Reply {
    /// What stands in the envelope about the server that answered.
    fn info(&self, key: &str) -> Option<&str> {
        self.body.get("server")?.get(key)?.as_str()
    }

    fn is_from(&self, id: &str) -> bool {
        self.info("id") == Some(id)
    }

    /// Routes of a ROUTEZ reply.
    fn routes(&mut self) -> Option<&mut Vec<Value>> {
        if self.line.endpoint != Endpoint::ROUTEZ {
            return None;
        }
        self.body.get_mut("data")?.get_mut("routes")?.as_array_mut()
    }
}

impl Epoch {
    /// Names of the servers that answered, sorted.
    pub fn servers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.replies.iter().filter_map(|r| r.info("name")).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Id of a server that answered.
    ///
    /// # Panics
    /// If no server of that name answered: an edit of nothing proves nothing.
    pub fn id(&self, server: &str) -> String {
        let found = self.replies.iter().find(|reply| reply.info("name") == Some(server));
        let Some(id) = found.and_then(|reply| reply.info("id")) else {
            panic!("no server {server} answered; there are {:?}", self.servers())
        };
        id.to_owned()
    }

    fn replies_of(&mut self, id: &str) -> impl Iterator<Item = &mut Reply> {
        self.replies.iter_mut().filter(move |reply| reply.is_from(id))
    }

    /// A server runs another version.
    pub fn set_version(&mut self, server: &str, version: &str) {
        let id = self.id(server);
        for reply in self.replies_of(&id) {
            reply.body["server"]["ver"] = version.into();
            if reply.line.endpoint == Endpoint::VARZ {
                reply.body["data"]["version"] = version.into();
            }
        }
    }

    /// A server's process is that old when the epoch starts.
    pub fn set_age(&mut self, server: &str, age: SignedDuration) {
        let id = self.id(server);
        let start = self.start().checked_sub(age).unwrap_or(self.start()).to_string();
        for reply in self.replies_of(&id) {
            if reply.line.endpoint == Endpoint::VARZ {
                reply.body["data"]["start"] = start.as_str().into();
            } else if reply.line.endpoint == Endpoint::STATSZ {
                reply.body["statsz"]["start"] = start.as_str().into();
            }
        }
    }

    /// A server was restarted: another id, and an age.
    pub fn restart(&mut self, server: &str, number: u64, age: SignedDuration) {
        let old = self.id(server);
        self.set_age(server, age);
        self.replace(&old, &later_id(&old, number));
    }

    /// A server has another name; its id stays.
    pub fn rename(&mut self, server: &str, name: &str) {
        let id = self.id(server);
        for reply in &mut self.replies {
            rename_at(&mut reply.body, &id, name);
        }
    }

    /// A server has no configured name, so that its id is its name.
    pub fn unname(&mut self, server: &str) {
        let id = self.id(server);
        self.rename(server, &id);
    }

    /// A server listens on all addresses, as most do.
    pub fn listen_everywhere(&mut self, server: &str) {
        let id = self.id(server);
        for reply in self.replies_of(&id).filter(|r| r.line.endpoint == Endpoint::VARZ) {
            reply.body["data"]["host"] = "0.0.0.0".into();
        }
    }

    /// A cluster has another name.
    pub fn rename_cluster(&mut self, from: &str, to: &str) {
        for reply in self.replies.iter_mut().filter(|r| r.info("cluster") == Some(from)) {
            reply.body["server"]["cluster"] = to.into();
            if reply.line.endpoint == Endpoint::VARZ {
                reply.body["data"]["cluster"]["name"] = to.into();
            }
        }
    }

    /// A further server like one that is there, with routes to all its peers and no clients.
    pub fn clone_server(&mut self, of: &str, name: &str) {
        let id = self.id(of);
        let number = self.servers().len() as u64 + 1;
        let new = other_id(&id, number);
        let mut copies = self.clone();
        copies.retain(|r| r.is_from(&id), |c| c.target.as_deref() == Some(&*id));
        copies.replace(&id, &new);
        for reply in &mut copies.replies {
            rename_at(&mut reply.body, &new, name);
            without_clients(reply, number);
            if let Some(routes) = reply.routes() {
                let peer = routes.first().cloned().unwrap_or_else(|| json!({"ip": "127.0.0.1"}));
                routes.push(peer_row(peer, &id, of));
            }
        }
        for reply in &mut self.replies {
            let own = reply.is_from(&id);
            let Some(routes) = reply.routes() else { continue };
            let like = routes.iter().find(|row| own || row["remote_id"] == *id).cloned();
            if own || like.is_some() {
                let row = like.unwrap_or_else(|| json!({"ip": "127.0.0.1"}));
                routes.push(peer_row(row, &new, name));
            }
        }
        self.replies.append(&mut copies.replies);
        self.captures.append(&mut copies.captures);
        self.count_peers();
    }

    /// Lets every VARZ count the peers that the route lists name.
    fn count_peers(&mut self) {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for reply in &mut self.replies {
            let id = reply.info("id").unwrap_or_default().to_owned();
            if let Some(routes) = reply.routes() {
                let mut ids: Vec<&str> =
                    routes.iter().filter_map(|row| row["remote_id"].as_str()).collect();
                ids.sort_unstable();
                ids.dedup();
                counts.push((id, ids.len()));
            }
        }
        for (id, count) in counts {
            for reply in self.replies_of(&id).filter(|r| r.line.endpoint == Endpoint::VARZ) {
                reply.body["data"]["remotes"] = count.into();
            }
        }
    }

    /// A server answers nothing, and requests to it end as told.
    fn silence(&mut self, id: &str, status: Status) {
        self.retain(|r| !r.is_from(id), |c| c.target.as_deref() != Some(id));
        for capture in &mut self.captures {
            if capture.target.is_none() && capture.subject.starts_with("$SYS.REQ.SERVER.PING") {
                capture.received = capture.received.saturating_sub(1);
            }
        }
        self.ask(id, status);
    }

    /// A directed request was made, and ended as told.
    pub fn ask(&mut self, id: &str, status: Status) {
        let attempt = AttemptLine { at_us: 600_000, waited_us: 1000, status: status.clone() };
        self.captures.push(CaptureLine {
            endpoint: Endpoint::STATSZ,
            subject: format!("$SYS.REQ.SERVER.{id}.STATSZ"),
            target: Some(id.to_owned()),
            status,
            attempts: vec![attempt],
            expected: Some(1),
            ..CaptureLine::default()
        });
    }

    /// A server was killed, or dropped by its peers: no reply, no route, nobody listens.
    pub fn kill(&mut self, server: &str) {
        let id = self.id(server);
        self.silence(&id, Status::NoResponders);
        self.unroute(|_, to| to == id);
    }

    /// A server hangs or is leaving: no reply, but its peers still have routes to it.
    pub fn hang(&mut self, server: &str) {
        let id = self.id(server);
        self.silence(&id, Status::Timeout);
    }

    /// A server is in lame duck mode: as if it hung, but its peers do not count it as active.
    pub fn lame_duck(&mut self, server: &str) {
        self.hang(server);
        for reply in self.replies.iter_mut().filter(|r| r.line.endpoint == Endpoint::STATSZ) {
            let count = reply.body["statsz"]["active_servers"].as_u64().unwrap_or_default();
            reply.body["statsz"]["active_servers"] = count.saturating_sub(1).into();
        }
    }

    /// Nobody asked a server that did not answer.
    pub fn forget_requests(&mut self, id: &str) {
        self.captures.retain(|capture| capture.target.as_deref() != Some(id));
    }

    /// Removes routes, told by the ids of both ends.
    fn unroute(&mut self, cut: impl Fn(&str, &str) -> bool) {
        for reply in &mut self.replies {
            let from = reply.info("id").unwrap_or_default().to_owned();
            if let Some(routes) = reply.routes() {
                routes.retain(|row| !cut(&from, row["remote_id"].as_str().unwrap_or_default()));
            }
        }
        self.count_peers();
    }

    /// No route connects these servers with the others; all still answer.
    pub fn split(&mut self, servers: &[&str]) {
        let ids: Vec<String> = servers.iter().map(|server| self.id(server)).collect();
        let inside = |id: &str| ids.iter().any(|known| known == id);
        self.unroute(|from, to| inside(from) != inside(to));
    }

    /// A server did not answer one endpoint.
    pub fn drop_reply(&mut self, server: &str, endpoint: &Endpoint) {
        let id = self.id(server);
        self.replies.retain(|r| !(r.is_from(&id) && r.line.endpoint == *endpoint));
        self.captures.retain(|c| !(c.target.as_deref() == Some(&id) && c.endpoint == *endpoint));
    }

    /// A second site, of which everything is the same but the ids and what the edit does, answers
    /// too.
    pub fn second_site(&mut self, edit: impl FnOnce(&mut Self)) {
        let ids: Vec<String> = self.servers().iter().map(|server| self.id(server)).collect();
        let mut site = self.clone();
        site.retain(|r| r.info("id").is_some(), |c| c.target.is_some());
        for id in ids {
            site.replace(&id, &other_id(&id, 900));
        }
        site.replies.iter_mut().for_each(|reply| without_clients(reply, 0));
        edit(&mut site);
        self.replies.append(&mut site.replies);
        self.captures.append(&mut site.captures);
    }

    /// The header expects a server that was seen an hour before.
    pub fn expect_server(&mut self, id: &str, name: &str, cluster: &str, version: &str) {
        let seen = self.header.start.checked_sub(SignedDuration::from_hours(1));
        self.header.expects.servers.push(ExpectedServer {
            id: id.to_owned(),
            name: name.to_owned(),
            cluster: Some(cluster.to_owned()),
            version: Some(version.to_owned()),
            last_seen: seen.ok(),
        });
    }
}

impl Recording {
    /// Applies an edit to some epochs.
    #[must_use]
    pub fn during(
        mut self,
        epochs: impl IntoIterator<Item = usize>,
        edit: impl Fn(&mut Epoch),
    ) -> Self {
        for index in epochs {
            edit(&mut self.epochs[index]);
        }
        self
    }
}

/// The id of another server. Server ids are nkeys, of which only the first letter means something.
fn other_id(id: &str, number: u64) -> String {
    marked(id, 1, number)
}

/// The id of a later process of the same server.
pub fn later_id(id: &str, number: u64) -> String {
    marked(id, 10, number)
}

fn marked(id: &str, at: usize, number: u64) -> String {
    let mark = format!("X{number:03}X");
    format!("{}{mark}{}", &id[..at], &id[at + mark.len()..])
}

fn peer_row(mut row: Value, id: &str, name: &str) -> Value {
    row["remote_id"] = id.into();
    row["remote_name"] = name.into();
    row
}

/// Sets the name wherever a reply names the server of this id.
fn rename_at(value: &mut Value, id: &str, name: &str) {
    match value {
        Value::Object(map) => {
            let about = ["id", "server_id", "remote_id"]
                .iter()
                .any(|key| map.get(*key).and_then(Value::as_str) == Some(id));
            for (key, value) in map.iter_mut() {
                if about && NAMES.contains(&key.as_str()) {
                    *value = name.into();
                } else {
                    rename_at(value, id, name);
                }
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| rename_at(row, id, name)),
        _ => {}
    }
}

/// A server made by an edit has no clients, and a port of its own.
fn without_clients(reply: &mut Reply, number: u64) {
    let Some(data) = reply.body.get_mut("data") else { return };
    if reply.line.endpoint == Endpoint::VARZ {
        data["port"] = (data["port"].as_u64().unwrap_or(4222) + number * 1000).into();
    } else if data.get("connections").is_some_and(Value::is_array) {
        data["connections"] = json!([]);
        data["num_connections"] = 0.into();
        data["total"] = 0.into();
    }
}

/// One cluster `A` of servers with their versions and ages, at one time: a real recording, edited.
pub fn cluster(servers: &[(&str, &str, SignedDuration)]) -> Recording {
    let mut recording = Recording::epoch("healthy", 0);
    let epoch = &mut recording.epochs[0];
    epoch.header.expects = ExpectsLine::default();
    let recorded = epoch.servers();
    for (index, (name, _, _)) in servers.iter().enumerate() {
        match recorded.get(index) {
            Some(old) => epoch.rename(old, name),
            None => epoch.clone_server(servers[0].0, name),
        }
    }
    for surplus in recorded.iter().skip(servers.len()) {
        let id = epoch.id(surplus);
        epoch.kill(surplus);
        epoch.forget_requests(&id);
    }
    for (name, version, age) in servers {
        epoch.set_version(name, version);
        epoch.set_age(name, *age);
    }
    recording
}
