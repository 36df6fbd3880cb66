//! Who names whom: which replies speak of a subject.

use std::collections::{BTreeMap, BTreeSet};

use nats_hindsight_analyzer::check::{Check, Scan};
use nats_hindsight_analyzer::report::Subject;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::ExpectsLine;
use nats_hindsight_snapshot::wire::UserClaims;
use serde_json::Value;

use super::lost::{Lost, Told, told};
use crate::recording::{Epoch, Recording, Reply};

/// The names that one reply or event holds.
struct Names {
    endpoint: Endpoint,
    /// Servers and clusters: who answered, whom it has routes to. Lists of client, leaf and gateway
    /// connections show who is connected, and not who is a member.
    members: BTreeSet<String>,
    /// Everybody else.
    others: BTreeSet<String>,
}

impl Names {
    fn hold(&self, subject: &Subject, word: &str) -> bool {
        let of_members = matches!(subject, Subject::Cluster { .. } | Subject::Server { .. });
        if of_members { self.members.contains(word) } else { self.others.contains(word) }
    }
}

/// The names in every epoch of a recording.
pub(super) struct Naming {
    epochs: Vec<Vec<Names>>,
    expected: Vec<BTreeSet<String>>,
    /// What each header says was to be asked: endpoints, and accounts by id and name.
    asked: Vec<BTreeSet<String>>,
    /// Addresses of servers without a configured name, by id.
    addresses: BTreeMap<String, String>,
}

impl Naming {
    pub(super) fn of(recording: &Recording) -> Self {
        let names = |epoch: &Epoch| told(epoch).map(|told| names(&told)).collect();
        Self {
            epochs: recording.epochs.iter().map(names).collect(),
            expected: recording.epochs.iter().map(|e| expected(&e.header.expects)).collect(),
            asked: recording.epochs.iter().map(asked).collect(),
            addresses: recording.epochs.iter().flat_map(addresses).collect(),
        }
    }

    /// Whether anything left in the epochs from which something was lost knows of what was lost.
    pub(super) fn know(&self, lost: &Lost) -> bool {
        lost.epochs.iter().any(|at| {
            let header = [&self.expected[*at], &self.asked[*at]];
            let headed = !lost.headers.contains(at)
                && header.iter().any(|words| lost.names.iter().any(|name| words.contains(name)));
            headed
                || self.epochs[*at].iter().enumerate().any(|(place, names)| {
                    !lost.told.contains(&(*at, place))
                        && lost.names.iter().any(|name| names.members.contains(name))
                })
        })
    }

    /// The same subject as the whole recording calls it: a server without a configured name goes by
    /// its address, and by its id where nothing tells the address.
    pub(super) fn whole_name(&self, subject: &Subject) -> Subject {
        match subject {
            Subject::Server { cluster, server } => {
                let known = self.addresses.get(server.as_str());
                let server = known.map_or_else(|| server.clone(), Into::into);
                Subject::Server { cluster: cluster.clone(), server }
            }
            other => other.clone(),
        }
    }

    /// Whether anything that is left, and that the check may see, names the subject: in the epoch
    /// itself, and for a check that follows the sequence in those before it and in what the
    /// collector remembered.
    pub(super) fn is_left(
        &self,
        check: &Check,
        subject: &Subject,
        epoch: usize,
        lost: &Lost,
    ) -> bool {
        let word = word(subject);
        let follows = matches!(check.scan, Scan::Follow(_));
        let from = if follows { 0 } else { epoch };
        (from..=epoch).any(|at| {
            let told = self.epochs[at].iter().enumerate().any(|(place, names)| {
                check.declares(&names.endpoint)
                    && names.hold(subject, &word)
                    && !lost.told.contains(&(at, place))
            });
            let expected =
                follows && self.expected[at].contains(&word) && !lost.headers.contains(&at);
            told || expected
        })
    }
}

/// What a subject goes by in replies.
fn word(subject: &Subject) -> String {
    // Further clusters and seats of one name carry a number that no reply knows.
    let plain = |name: &str| name.split('#').next().unwrap_or_default().to_owned();
    match subject {
        Subject::Cluster { cluster } => plain(cluster),
        Subject::Server { server, .. } => plain(server),
        Subject::LeafNode { leaf } => leaf.to_string(),
        Subject::Service { account_id, service, .. } => format!("{account_id}/{service}"),
        Subject::User { user_id, .. } => user_id.to_string(),
    }
}

fn expected(expects: &ExpectsLine) -> BTreeSet<String> {
    let servers = expects.servers.iter();
    let services = expects.services.iter();
    servers
        .flat_map(|s| [Some(s.id.clone()), Some(s.name.clone()), s.cluster.clone()])
        .flatten()
        .chain(services.map(|s| format!("{}/{}", s.account, s.name)))
        .collect()
}

fn asked(epoch: &Epoch) -> BTreeSet<String> {
    let endpoints = epoch.header.asked.endpoints.iter().map(ToString::to_string);
    let accounts = epoch.header.connections.iter().filter(|c| c.kind == "account");
    let named = accounts.flat_map(|c| [c.account.clone(), c.account_name.clone()]).flatten();
    endpoints.chain(named).collect()
}

fn addresses(epoch: &Epoch) -> Vec<(String, String)> {
    let varz = epoch.replies.iter().filter(|reply| reply.line.endpoint == Endpoint::VARZ);
    varz.filter_map(|reply| {
        let (server, data) = (&reply.body["server"], &reply.body["data"]);
        let id = server["id"].as_str().filter(|id| server["name"].as_str() == Some(id))?;
        Some((id.to_owned(), format!("{}:{}", data["host"].as_str()?, data["port"].as_u64()?)))
    })
    .collect()
}

fn names(told: &Told<'_>) -> Names {
    let (mut members, mut others) = (BTreeSet::new(), BTreeSet::new());
    match told {
        Told::Reply(reply) => {
            strings(&reply.body["server"], &mut members);
            if reply.line.endpoint == Endpoint::ROUTEZ {
                strings(&reply.body, &mut members);
            }
            // A closed connection is of a user, or of an instance, that left.
            if reply.line.endpoint != Endpoint::CONNZ_CLOSED {
                strings(&reply.body, &mut others);
                others.extend(services(reply));
            }
        }
        Told::Event(event) => {
            strings(&event.body, &mut members);
            members.extend(event.subject.split('.').map(str::to_owned));
        }
    }
    Names { endpoint: told.endpoint().clone(), members, others }
}

/// Every text in a body, and the user in every JWT.
fn strings(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            words.extend(UserClaims::of(text).and_then(|claims| claims.sub));
            words.insert(text.clone());
        }
        Value::Array(rows) => rows.iter().for_each(|row| strings(row, words)),
        Value::Object(map) => map.values().for_each(|value| strings(value, words)),
        _ => {}
    }
}

/// Services, as `account/name`.
fn services(reply: &Reply) -> Vec<String> {
    let endpoint = &reply.line.endpoint;
    let account = reply.line.account.as_deref();
    if endpoint.as_str().starts_with("SRV_") {
        let (account, name) = (account.unwrap_or_default(), reply.body["name"].as_str());
        return name.map(|name| format!("{account}/{name}")).into_iter().collect();
    }
    let rows = reply.body["data"]["connections"].as_array();
    let filtered = reply.line.filter.as_ref().and_then(|filter| filter.account.as_deref());
    let named = rows.into_iter().flatten().flat_map(|row| {
        let account = row["account"].as_str().or(filtered).or(account).unwrap_or_default();
        listed(row).into_iter().map(move |name| format!("{account}/{name}"))
    });
    named.collect()
}

/// Names of services whose subjects a row of connections lists.
fn listed(row: &Value) -> Vec<String> {
    let mut texts = BTreeSet::new();
    strings(row, &mut texts);
    let of_services = texts.iter().filter_map(|text| text.strip_prefix("$SRV."));
    of_services.filter_map(|rest| Some(rest.split('.').nth(1)?.to_owned())).collect()
}
