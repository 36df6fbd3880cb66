//! Conditions of a running system, read from the monitor ports of its servers.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::error::Result;
use crate::http;
use crate::system::{PATIENCE, State, System};
use crate::wait::wait_until;

/// Whether a port takes connections.
fn accepts(port: u16) -> Seen<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("port {port}: {error}")),
    }
}

type Seen<T> = std::result::Result<T, String>;

impl System {
    /// Waits until all running servers answer, know each other by their present ids, and have
    /// connected their gateways and leaf connections.
    pub fn wait_ready(&mut self) -> Result<()> {
        wait_until("the servers have found each other", PATIENCE, || self.ready())
    }

    /// Waits until all answering servers of the clusters name one leader of JetStream, and know of
    /// each other there. Nothing to wait for without JetStream.
    pub fn wait_meta_leader(&self) -> Result<()> {
        if !self.plan.jetstream {
            return Ok(());
        }
        wait_until("the meta group has a leader", PATIENCE, || self.meta_ready())
    }

    fn meta_ready(&self) -> Seen<()> {
        let mut leaders = BTreeSet::new();
        let clustered: Vec<usize> =
            self.answering().filter(|&index| self.plan.servers[index].cluster.is_some()).collect();
        for &index in &clustered {
            let name = &self.plan.servers[index].name;
            let jsz = http::get(self.ports[index].monitor, "/jsz")?;
            let meta = &jsz["meta_cluster"];
            let leader = meta["leader"].as_str().unwrap_or_default();
            if leader.is_empty() {
                return Err(format!("{name} knows no leader"));
            }
            let replicas = meta["replicas"].as_array();
            // Not `current`: on 2.10 a peer can stay behind until there is something to replicate.
            let here = |peer: &&Value| peer["offline"] != true;
            let peers = replicas.map_or(0, |peers| peers.iter().filter(here).count());
            if leader == name && peers + 1 < clustered.len() {
                return Err(format!("{name} leads and sees {peers} peers"));
            }
            leaders.insert(leader.to_owned());
        }
        if leaders.len() > 1 { Err(format!("there are leaders {leaders:?}")) } else { Ok(()) }
    }

    /// Waits until no answering server names this one in its routes any more.
    pub fn wait_dropped(&self, server: &str, limit: Duration) -> Result<()> {
        let name = server.to_owned();
        wait_until(&format!("nobody has a route to {name}"), limit, || {
            for index in self.answering() {
                let routes = http::get(self.ports[index].monitor, "/routez")?;
                if texts(&routes["routes"], "remote_name").contains(&name) {
                    return Err(format!("{} has one", self.plan.servers[index].name));
                }
            }
            Ok(())
        })
    }

    /// Waits until no server that answers has a gateway to the server's cluster, or a leaf
    /// connection of the server.
    pub fn wait_unlinked(&self, server: &str, limit: Duration) -> Result<()> {
        let cluster = self.plan.servers[self.index(server)?].cluster.clone();
        wait_until(&format!("nobody is linked to {server}"), limit, || {
            for index in self.answering() {
                let gateways = http::get(self.ports[index].monitor, "/gatewayz")?;
                let outbound = cluster.as_ref().map(|name| &gateways["outbound_gateways"][name]);
                let leafs = http::get(self.ports[index].monitor, "/leafz")?;
                let leaf = texts(&leafs["leafs"], "name").contains(server);
                if leaf || outbound.is_some_and(|gateway| !gateway.is_null()) {
                    return Err(format!("{} is", self.plan.servers[index].name));
                }
            }
            Ok(())
        })
    }

    /// Waits until the server's process is at least this old by its own account.
    pub fn wait_age(&self, server: &str, age: Duration) -> Result<()> {
        let port = self.ports[self.index(server)?].monitor;
        let limit = age + PATIENCE;
        wait_until(&format!("{server} is {} s old", age.as_secs()), limit, || {
            let varz = http::get(port, "/varz")?;
            let uptime = varz["uptime"].as_str().unwrap_or_default();
            match seconds(uptime) {
                Some(up) if up >= age.as_secs() => Ok(()),
                _ => Err(format!("it is up {uptime}")),
            }
        })
    }

    /// Waits until the server has exactly so many client connections.
    pub fn wait_connections(&self, server: &str, count: u64, limit: Duration) -> Result<()> {
        let port = self.ports[self.index(server)?].monitor;
        wait_until(&format!("{server} has {count} connections"), limit, || {
            let connz = http::get(port, "/connz")?;
            let found = connz["num_connections"].as_u64();
            if found == Some(count) { Ok(()) } else { Err(format!("it has {found:?}")) }
        })
    }

    fn answering(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.servers.len()).filter(|&index| self.servers[index].state == State::Running)
    }

    fn ready(&mut self) -> Seen<()> {
        for (index, server) in self.servers.iter_mut().enumerate() {
            if server.process.as_mut().is_some_and(|process| process.exited().is_some()) {
                let name = &self.plan.servers[index].name;
                let log = crate::process::tail_of(&server.folder.join("server.log"));
                return Err(format!("{name} has ended: {log}"));
            }
        }
        let mut ids = vec![None; self.servers.len()];
        for index in self.answering() {
            let varz = http::get(self.ports[index].monitor, "/varz")?;
            ids[index] = varz["server_id"].as_str().map(str::to_owned);
            // The monitor port answers before clients are accepted, with JetStream long before.
            accepts(self.ports[index].client)?;
        }
        for index in self.answering() {
            self.routes_ready(index, &ids)?;
            self.gateways_ready(index)?;
            self.leaf_ready(index)?;
        }
        self.interest_ready()
    }

    /// Routes stand before the interest of new servers has crossed them: until then a request is
    /// answered by some servers only. Waits until every server of the clusters hears every other.
    fn interest_ready(&self) -> Seen<()> {
        if !self.plan.system_account {
            return Ok(());
        }
        let clustered = |index: &usize| {
            let server = &self.plan.servers[*index];
            server.cluster.is_some() && server.hub.is_none() && !server.apart
        };
        let members: Vec<usize> = self.answering().filter(clustered).collect();
        for index in &members {
            let name = &self.plan.servers[*index].name;
            let asked = "$SYS.REQ.ACCOUNT.PING.CONNZ";
            let limit = Duration::from_millis(500);
            let replies = self
                .client(name, "SYS")
                .and_then(|mut client| client.request_many(asked, "", members.len(), limit))
                .map_err(|error| error.to_string())?;
            let heard = replies.iter().filter(|reply| reply.status.is_none()).count();
            if heard < members.len() {
                return Err(format!("{name} hears {heard} of {} servers", members.len()));
            }
        }
        Ok(())
    }

    fn routes_ready(&self, index: usize, ids: &[Option<String>]) -> Seen<()> {
        let own = &self.plan.servers[index];
        if own.cluster.is_none() || own.apart {
            return Ok(());
        }
        let routes = http::get(self.ports[index].monitor, "/routez")?;
        let known = texts(&routes["routes"], "remote_id");
        for (other, id) in ids.iter().enumerate() {
            let server = &self.plan.servers[other];
            let Some(id) = id.as_ref().filter(|_| other != index) else { continue };
            let member = server.cluster == own.cluster && !server.apart;
            if member && !known.contains(id) {
                return Err(format!("{} has no route to {}", own.name, server.name));
            }
        }
        Ok(())
    }

    fn gateways_ready(&self, index: usize) -> Seen<()> {
        let own = &self.plan.servers[index];
        let clusters = self.plan.clusters();
        if own.cluster.is_none() || clusters.len() < 2 {
            return Ok(());
        }
        let gateways = http::get(self.ports[index].monitor, "/gatewayz")?;
        for name in clusters {
            let alive = self
                .answering()
                .any(|other| self.plan.servers[other].cluster.as_deref() == Some(name));
            let connected = !gateways["outbound_gateways"][name].is_null();
            if own.cluster.as_deref() != Some(name) && alive && !connected {
                return Err(format!("{} has no gateway to {name}", own.name));
            }
        }
        Ok(())
    }

    fn leaf_ready(&self, index: usize) -> Seen<()> {
        let own = &self.plan.servers[index];
        let Some(hub) = &own.hub else { return Ok(()) };
        let leafs = http::get(self.ports[index].monitor, "/leafz")?;
        let accounts = texts(&leafs["leafs"], "account");
        match hub.accounts.iter().find(|&account| !accounts.contains(account)) {
            Some(account) => Err(format!("{} has no leaf connection for {account}", own.name)),
            None => Ok(()),
        }
    }
}

/// The texts under one key of all objects in a list, which may be missing or null.
fn texts(list: &Value, key: &str) -> BTreeSet<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item[key].as_str().map(str::to_owned))
        .collect()
}

/// Whole seconds of a server's `uptime` such as `1m2s`.
fn seconds(uptime: &str) -> Option<u64> {
    let mut total = 0;
    let mut digits = String::new();
    for letter in uptime.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let count: u64 = digits.parse().ok()?;
        digits.clear();
        total += count
            * match letter {
                'y' => 31_536_000,
                'd' => 86_400,
                'h' => 3_600,
                'm' => 60,
                _ => 1,
            };
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn uptime_is_read_in_seconds() {
        assert_eq!(seconds("0s"), Some(0));
        assert_eq!(seconds("1m2s"), Some(62));
        assert_eq!(seconds("1d2h0m5s"), Some(93_605));
    }
}
