//! Scales the recorded archive up.

use std::collections::BTreeSet;
use std::path::Path;

use super::client::{Copied, cid};
use super::list::List;
use super::out::{Composition, Out, Tags};
use super::recorded::{Any, Artifact, CONNECTIONS, Recorded, SERVERS, SUBSCRIPTIONS};

/// How large an archive is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) name: &'static str,
    /// Clusters of three servers.
    pub(super) clusters: usize,
    pub(super) accounts: usize,
    /// Streams, each on the three servers of a cluster.
    pub(super) streams: usize,
    /// Connections of each server, every other one of a service instance.
    pub(super) connections: usize,
}

/// One archive of a size.
pub(super) struct Scaled<'a> {
    pub(super) recorded: &'a Recorded,
    pub(super) size: Size,
    /// So many minutes after the recorded one.
    pub(super) minutes: usize,
}

/// One server of it.
struct Server<'a> {
    cluster: usize,
    name: String,
    copied: Vec<Copied<'a>>,
    /// Cids of the service instances that were recorded on it.
    services: BTreeSet<u64>,
}

impl Scaled<'_> {
    /// Writes it, and tells what it is made of.
    pub(super) fn write(&self, path: &Path) -> Any<Composition> {
        let mut out = Out::create(path)?;
        for cluster in 0..self.size.clusters {
            for (at, recorded) in SERVERS.iter().enumerate() {
                self.server(&self.server_of(cluster, at), recorded, &mut out)?;
            }
        }
        self.streams(&mut out)?;
        let Recorded { log, metadata, .. } = self.recorded;
        out.special("audit_gather_log", "log", &self.log(log))?;
        out.special("audit_gather_metadata", "json", &self.later(metadata))?;
        out.finish()
    }

    fn server_of(&self, cluster: usize, at: usize) -> Server<'_> {
        let Size { connections, accounts, .. } = self.size;
        let Recorded { services, others, .. } = self.recorded;
        let server = cluster * SERVERS.len() + at;
        let copied = (0..connections).map(|number| {
            let of = if number % 2 == 0 { services } else { others };
            let client = &of[number / 2 % of.len()];
            Copied { client, account: number * accounts / connections, server, number }
        });
        let recorded = services.iter().filter(|of| of.server == SERVERS[at]);
        Server {
            cluster,
            name: name(cluster, SERVERS[at]),
            copied: copied.collect(),
            services: recorded.map(|of| of.cid).collect(),
        }
    }

    /// What a server says of itself, and then of one account after the other.
    fn server(&self, server: &Server<'_>, recorded: &str, out: &mut Out) -> Any<()> {
        let cluster = format!("C{}", server.cluster);
        let mut of_accounts = Vec::new();
        for of in self.recorded.artifacts.iter().filter(|of| of.server == recorded) {
            let Artifact { kind, account, .. } = of;
            let tags = Tags { kind, cluster: &cluster, server: &server.name, account, stream: "" };
            let text = self.of_cluster(&of.text, server.cluster);
            match &*of.account {
                _ if !of.stream.is_empty() => {}
                "" => out.pages(tags, &self.of_server(of, &text, server)?)?,
                "APP" => of_accounts.push((tags, OfAccount::new(kind, text, server)?)),
                // What the system account's own connections are stays as it was recorded.
                "SYS" => out.pages(tags, &[text])?,
                _ => {}
            }
        }
        for account in 0..self.size.accounts {
            let name = account_name(account);
            for (tags, of) in &of_accounts {
                out.pages(Tags { account: &name, ..*tags }, &of.pages(account, server))?;
            }
        }
        Ok(())
    }

    /// The pages of an artifact of a server.
    fn of_server(&self, of: &Artifact, text: &str, server: &Server<'_>) -> Any<Vec<String>> {
        Ok(match &*of.kind {
            "connections" => {
                let list = List::cut(text, &CONNECTIONS)?;
                let mut rows = server.of_itself(&list);
                rows.extend(server.copied.iter().map(Copied::full));
                list.pages(&rows, "num_connections")
            }
            "subs" => {
                let list = List::cut(text, &SUBSCRIPTIONS)?;
                let mut rows = server.of_itself(&list);
                rows.extend(server.copied.iter().flat_map(Copied::subscriptions));
                list.pages(&rows, "num_subscriptions")
            }
            "accounts" => {
                let list = List::cut(text, &["data", "accounts"])?;
                let names = (0..self.size.accounts).map(account_name);
                let names = names.chain(["SYS".to_owned()]).map(|name| format!("\"{name}\""));
                vec![list.with(&names.collect::<Vec<_>>())]
            }
            "jetstream_info" => vec![self.jetstream(text, server.cluster)?],
            _ => vec![text.to_owned()],
        })
    }

    /// JSZ with the streams of a cluster, by accounts.
    fn jetstream(&self, text: &str, cluster: usize) -> Any<String> {
        let list = List::cut(text, &["data", "account_details"])?;
        let of_account = list.rows.iter().find(|row| row.contains("\"ORDERS\""));
        let row = of_account.ok_or("no stream was recorded")?;
        let details = List::cut(row, &["stream_detail"])?;
        let recorded = details.rows.iter().find(|row| row.contains("\"ORDERS\""));
        let recorded = recorded.ok_or("no stream was recorded")?;
        let rows = (0..self.size.accounts).filter_map(|account| {
            let streams = self.streams_of(cluster).filter(|of| of % self.size.accounts == account);
            let streams: Vec<String> =
                streams.map(|of| recorded.replace("ORDERS", &stream_name(of))).collect();
            let name = format!("\"{}\"", account_name(account));
            (!streams.is_empty()).then(|| details.with(&streams).replace("\"APP\"", &name))
        });
        Ok(list.with(&rows.collect::<Vec<_>>()))
    }

    fn streams_of(&self, cluster: usize) -> impl Iterator<Item = usize> {
        (cluster..self.size.streams).step_by(self.size.clusters)
    }

    /// Every stream, as each server that has it tells.
    fn streams(&self, out: &mut Out) -> Any<()> {
        for cluster in 0..self.size.clusters {
            for of in self.recorded.artifacts.iter().filter(|of| of.stream == "ORDERS") {
                let text = self.of_cluster(&of.text, cluster);
                for stream in self.streams_of(cluster) {
                    let stream_name = stream_name(stream);
                    let tags = Tags {
                        kind: &of.kind,
                        cluster: &format!("C{cluster}"),
                        server: &name(cluster, &of.server),
                        account: &account_name(stream % self.size.accounts),
                        stream: &stream_name,
                    };
                    out.pages(tags, &[text.replace("ORDERS", &stream_name)])?;
                }
            }
        }
        Ok(())
    }

    /// What a server of the recorded cluster says, as one of another cluster.
    fn of_cluster(&self, text: &str, cluster: usize) -> String {
        let mut text = self.later(text).replace("\"A\"", &format!("\"C{cluster}\""));
        for (server, id) in SERVERS.iter().zip(&self.recorded.ids) {
            text = text.replace(id, &server_id(id, cluster));
            text =
                text.replace(&format!("\"{server}\""), &format!("\"{}\"", name(cluster, server)));
        }
        text
    }

    /// The log, with the servers that there are.
    fn log(&self, log: &str) -> String {
        let mut lines = String::new();
        for line in log.lines() {
            let found = SERVERS.iter().zip(&self.recorded.ids).find(|(_, id)| line.contains(*id));
            let Some((server, id)) = found else {
                lines.extend([line, "\n"]);
                continue;
            };
            for cluster in 0..self.size.clusters {
                let line = line.replace(id, &server_id(id, cluster));
                let line =
                    line.replace(&format!("'{server}'"), &format!("'{}'", name(cluster, server)));
                lines.extend([&*line, "\n"]);
            }
        }
        lines
    }

    fn later(&self, text: &str) -> String {
        text.replace("T09:44:", &format!("T09:{}:", 44 + self.minutes))
    }
}

/// An artifact of an account, of which there are many.
enum OfAccount {
    Connections(List),
    /// The list, and its rows that are of the server itself.
    Subscriptions(List, Vec<String>),
    Other(String),
}

impl OfAccount {
    fn new(kind: &str, text: String, server: &Server<'_>) -> Any<Self> {
        Ok(match kind {
            "account_connections" => Self::Connections(List::cut(&text, &CONNECTIONS)?),
            "account_subs" => {
                let list = List::cut(&text, &SUBSCRIPTIONS)?;
                let kept = server.of_itself(&list);
                Self::Subscriptions(list, kept)
            }
            _ => Self::Other(text),
        })
    }

    /// Its pages, of one of the accounts.
    fn pages(&self, account: usize, server: &Server<'_>) -> Vec<String> {
        let copied = server.copied.iter().filter(|of| of.account == account);
        let pages = match self {
            Self::Connections(list) => {
                let rows: Vec<String> = copied.map(Copied::brief).collect();
                list.clone().pages(&rows, "num_connections")
            }
            Self::Subscriptions(list, kept) => {
                let rows = kept.iter().cloned().chain(copied.flat_map(Copied::subscriptions));
                list.clone().pages(&rows.collect::<Vec<_>>(), "num_subscriptions")
            }
            Self::Other(text) => vec![text.clone()],
        };
        let name = format!("\"{}\"", account_name(account));
        pages.into_iter().map(|page| page.replace("\"APP\"", &name)).collect()
    }
}

impl Server<'_> {
    /// The rows that are no connection of a service instance, nor a subscription of one: those of
    /// the server itself, and of the gatherer.
    fn of_itself(&self, list: &List) -> Vec<String> {
        let of_itself = |row: &&String| !cid(row).is_some_and(|cid| self.services.contains(&cid));
        list.rows.iter().filter(of_itself).cloned().collect()
    }
}

fn account_name(account: usize) -> String {
    format!("ACC{account}")
}

fn stream_name(stream: usize) -> String {
    format!("S{stream}")
}

/// The name of a server in a cluster.
fn name(cluster: usize, server: &str) -> String {
    format!("c{cluster}-{server}")
}

/// The id of a server in a cluster.
fn server_id(recorded: &str, cluster: usize) -> String {
    let head = recorded.get(..recorded.len().saturating_sub(6)).unwrap_or(recorded);
    format!("{head}{cluster:06}")
}

#[cfg(test)]
mod tests {
    use nats_hindsight_model::intake::{Source, open};
    use nats_hindsight_snapshot::format::Limits;

    use super::super::recorded::Recorded;
    use super::{Scaled, Size};

    #[test]
    fn an_archive_is_the_same_every_time_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let recorded = Recorded::load().unwrap();
        let size = Size { name: "S", clusters: 2, accounts: 3, streams: 5, connections: 800 };
        let write = |name: &str| {
            let path = folder.path().join(name);
            let composition =
                Scaled { recorded: &recorded, size, minutes: 1 }.write(&path).unwrap();
            (composition, std::fs::read(path).unwrap())
        };
        let (composition, bytes) = write("a.zip");
        assert_eq!((composition["connections"].0, composition["stream_info"].0), (6, 15));
        assert!(composition["subs"].0 > 6, "lists of subscriptions have several pages");
        assert!((composition, bytes) == write("b.zip"));
        let source = Source::Path(folder.path().join("a.zip"));
        let intake = open(&[source], &Limits::default(), &|_, _| {}).unwrap();
        assert_eq!(intake.problems, []);
        let epoch = &intake.epochs[0];
        assert_eq!((intake.epochs.len(), &epoch.problems[..]), (1, &[][..]));
        assert!(epoch.complete && epoch.end().unwrap().complete);
    }
}
