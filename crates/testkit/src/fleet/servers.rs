//! Servers that do not exist, and what they answer.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::FleetPlan;
use super::connections::{Heard, Wire};
use super::instances::{Instance, Instances};
use super::recorded::{Member, Question, Recorded, unreadable};
use crate::error::Result;
use crate::template::Template;

/// The account whose services run on the fleet.
const ACCOUNT: &str = "APP";

/// Texts before the time of an answer.
const TIMES: [&str; 2] = [r#""time":""#, r#""now":""#];

/// What every copy of an answer has of its own.
#[derive(Debug, Clone, Copy)]
enum Hole {
    /// Id of a member of the cluster.
    Id(usize),
    /// Name of a member, with its quotation marks.
    Name(usize),
    /// Name of the cluster, with its quotation marks.
    Cluster,
    /// Version of the server that answers, with its quotation marks.
    Version,
    /// The time at which it answers, with its key, one of `TIMES`, in front.
    Now(&'static str),
}

/// All servers: copies of one recorded cluster.
#[derive(Debug)]
pub(super) struct Servers {
    count: usize,
    members: Vec<Copied>,
    version: String,
    upgraded: (usize, String),
    /// Connections of services, by server; too different to be one template.
    connections: Vec<Template<Hole>>,
}

/// A member of the recorded cluster.
#[derive(Debug)]
struct Copied {
    name: String,
    bodies: BTreeMap<Question, Template<Hole>>,
}

impl Servers {
    pub(super) fn new(
        recorded: &Recorded,
        plan: &FleetPlan,
        instances: &Instances,
    ) -> Result<Servers> {
        let size = recorded.members.len();
        let count = plan.servers.div_ceil(size) * size;
        let holes = holes(recorded);
        let copied = |member: &Member| Copied {
            name: member.name.clone(),
            bodies: member
                .bodies
                .iter()
                .map(|(question, body)| (question.clone(), template(body, &holes)))
                .collect(),
        };
        let mut connections = Vec::with_capacity(count);
        for server in 0..count {
            let body = connections_of(recorded, instances, server, count)?;
            connections.push(template(&body, &holes));
        }
        Ok(Servers {
            count,
            members: recorded.members.iter().map(copied).collect(),
            version: recorded.version.clone(),
            upgraded: plan.upgraded.clone(),
            connections,
        })
    }

    pub(super) fn ids(&self) -> Vec<String> {
        (0..self.count).map(|server| self.id(server)).collect()
    }

    fn id(&self, server: usize) -> String {
        // As long as the id of a real server.
        let (cluster, member) = (server / self.members.len(), server % self.members.len());
        format!("N{:A<55}", format!("FLEETCLUSTER{cluster:05}MEMBER{member}"))
    }

    /// The answer of a server, or nothing if none was recorded.
    fn body(&self, server: usize, question: &Question) -> Option<String> {
        let size = self.members.len();
        let template = match question {
            (endpoint, Some(account)) if endpoint == "CONNZ" && account == ACCOUNT => {
                self.connections.get(server)?
            }
            _ => self.members[server % size].bodies.get(question)?,
        };
        let (upgraded, version) = &self.upgraded;
        let version = if server < *upgraded { version } else { &self.version };
        let first = server - server % size;
        let cluster = server / size;
        // As servers write it.
        let now = format!("{:.9}", Timestamp::now());
        Some(template.fill(|hole, body| {
            // Writing to a string cannot fail.
            let _ = match hole {
                Hole::Id(member) => write!(body, "{}", self.id(first + member)),
                Hole::Name(member) => {
                    write!(body, "\"c{cluster:03}-{}\"", self.members[member].name)
                }
                Hole::Cluster => write!(body, "\"C{cluster:03}\""),
                Hole::Version => write!(body, "\"{version}\""),
                Hole::Now(key) => write!(body, "{key}{now}"),
            };
        }))
    }
}

fn holes(recorded: &Recorded) -> Vec<(String, Hole)> {
    let mut holes = vec![
        (format!("\"{}\"", recorded.cluster), Hole::Cluster),
        (format!("\"{}\"", recorded.version), Hole::Version),
    ];
    for (number, member) in recorded.members.iter().enumerate() {
        holes.push((member.id.clone(), Hole::Id(number)));
        holes.push((format!("\"{}\"", member.name), Hole::Name(number)));
    }
    holes
}

/// A body with holes at these words, and where the time of the answer stands.
fn template(body: &str, holes: &[(String, Hole)]) -> Template<Hole> {
    let mut words = holes.to_vec();
    for key in TIMES {
        for (at, _) in body.match_indices(key) {
            let end =
                body[at + key.len()..].find('"').map_or(body.len(), |end| at + key.len() + end);
            words.push((body[at..end].to_owned(), Hole::Now(key)));
        }
    }
    words.sort_by(|a, b| a.0.cmp(&b.0));
    words.dedup_by(|a, b| a.0 == b.0);
    Template::new(body, &words)
}

/// The recorded list of connections with one row for each instance that is on this server.
fn connections_of(
    recorded: &Recorded,
    instances: &Instances,
    server: usize,
    of: usize,
) -> Result<String> {
    let question = ("CONNZ".to_owned(), Some(ACCOUNT.to_owned()));
    let bodies = recorded.members.iter().filter_map(|member| member.bodies.get(&question));
    let mut row = Value::Null;
    for body in bodies {
        let body: Value = serde_json::from_str(body).map_err(unreadable)?;
        let rows = body["data"]["connections"].as_array().cloned().unwrap_or_default();
        row = rows.into_iter().find(|row| instances.is_recorded(row)).unwrap_or(row);
    }
    let own = &recorded.members[server % recorded.members.len()];
    let own = own.bodies.get(&question).map_or("{}", String::as_str);
    let mut body: Value = serde_json::from_str(own).map_err(unreadable)?;
    let row = row.to_string();
    let copies: Vec<Value> = instances
        .part((server, of))
        .enumerate()
        .map(|(number, instance)| copy_row(&row, instances, instance, number))
        .collect();
    body["data"]["num_connections"] = json!(copies.len());
    body["data"]["total"] = json!(copies.len());
    body["data"]["connections"] = json!(copies);
    Ok(body.to_string())
}

fn copy_row(row: &str, instances: &Instances, instance: &Instance, number: usize) -> Value {
    let mut row: Value =
        serde_json::from_str(&instances.copy(row, instance)).unwrap_or(Value::Null);
    row["cid"] = json!(100 + number);
    row
}

/// Answers for a part of the servers over one connection.
pub(super) async fn answer(
    wire: Wire,
    servers: &Arc<Servers>,
    (part, of): (usize, usize),
) -> Result<()> {
    let mine: BTreeMap<String, usize> =
        (part..servers.count).step_by(of).map(|server| (servers.id(server), server)).collect();
    let mut subjects =
        vec!["$SYS.REQ.SERVER.PING.*".to_owned(), "$SYS.REQ.ACCOUNT.PING.STATZ".to_owned()];
    subjects.extend(mine.keys().map(|id| format!("$SYS.REQ.SERVER.{id}.*")));
    let servers = Arc::clone(servers);
    wire.serve(subjects, move |wire, heard| say(wire, &servers, &mine, heard)).await
}

fn say(wire: &Wire, servers: &Servers, mine: &BTreeMap<String, usize>, heard: &Heard) {
    let tokens: Vec<&str> = heard.subject.split('.').collect();
    let [_, _, kind, whom, token] = tokens.as_slice() else { return wire.unknown() };
    let question = question(kind, token, &heard.payload);
    for (id, server) in mine.iter().filter(|(id, _)| *whom == "PING" || *whom == id.as_str()) {
        match servers.body(*server, &question) {
            Some(body) => wire.answer(&format!("{id} {question:?}"), heard, body),
            None => wire.unknown(),
        }
    }
}

/// What a request asks for, as it is recorded.
fn question(kind: &str, token: &str, payload: &[u8]) -> Question {
    let options: Value = serde_json::from_slice(payload).unwrap_or(Value::Null);
    let account = ["acc", "account"].into_iter().find_map(|name| options[name].as_str());
    let endpoint = match (kind, token) {
        ("ACCOUNT", "STATZ") => "ACCOUNT_STATZ",
        (_, "CONNZ") if options["state"] == 1 => "CONNZ_CLOSED",
        (_, "ACCOUNTZ") if account.is_some() => "ACCOUNTZ_DETAIL",
        (_, token) => token,
    };
    (endpoint.to_owned(), account.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_as_they_are_recorded() {
        let ask = |kind, token, payload: &str| question(kind, token, payload.as_bytes());
        assert_eq!(ask("SERVER", "VARZ", ""), ("VARZ".into(), None));
        assert_eq!(ask("SERVER", "CONNZ", r#"{"acc":"A","state":1}"#).0, "CONNZ_CLOSED");
        assert_eq!(
            ask("SERVER", "ACCOUNTZ", r#"{"account":"A"}"#),
            ("ACCOUNTZ_DETAIL".into(), Some("A".into()))
        );
    }
}
