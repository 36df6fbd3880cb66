//! Replies of a recorded cluster, as templates.

use std::collections::BTreeMap;

use nats_hindsight_model::intake::{EpochIndex, Source, open};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Line};
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine};
use nats_hindsight_testkit::{Template, workspace_root};
use serde_json::Value;

use super::fleet::MEMBERS;

/// A recording of three servers and two services.
const SCENARIO: &str = "healthy";

/// A word of a reply that differs from server to server, instance to instance, epoch to epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Id of the member of the cluster at this position.
    Id(usize),
    /// Its name, in quotes.
    Name(usize),
    /// Name of the cluster, in quotes.
    Cluster,
    /// Version of the server or service, in quotes.
    Version,
    /// The server's clock, in quotes.
    Now,
    /// Start of the server, in quotes.
    Start,
    /// Id of the instance.
    Instance,
    /// Name of the service, in quotes.
    Service,
    /// Description of the service, in quotes.
    Description,
}

/// What is taken from the recording.
pub(super) struct Recorded {
    /// The header.
    pub(super) header: EpochLine,
    /// A reply of each member of the cluster, by endpoint.
    pub(super) servers: BTreeMap<Endpoint, Vec<Template<Slot>>>,
    /// A reply of an instance, by endpoint.
    pub(super) instances: BTreeMap<Endpoint, Template<Slot>>,
    /// How each endpoint was asked, of those that are asked once for all.
    pub(super) captures: BTreeMap<Endpoint, CaptureLine>,
}

type Failure = Box<dyn std::error::Error>;

/// One recorded reply.
struct Reply {
    source: String,
    text: String,
}

impl Recorded {
    /// Reads the second epoch, the first in which the collector knows whom to expect.
    pub(super) fn load() -> Result<Self, Failure> {
        let folder = workspace_root().join("fixtures").join(SCENARIO);
        let intake = open(&[Source::Path(folder)], &Limits::default(), &|_, _| {})?;
        let index = intake.epochs.get(1).ok_or("the recording has no second epoch")?;
        let header = index.header();
        let mut all: BTreeMap<Endpoint, Vec<Reply>> = BTreeMap::new();
        let mut captures = BTreeMap::new();
        read(index, &mut all, &mut captures);
        let members = members(&header)?;
        let (mut servers, mut instances) = (BTreeMap::new(), BTreeMap::new());
        for (endpoint, replies) in all {
            if endpoint.as_str().starts_with("SRV_") {
                let first = replies.first().ok_or("no reply of a service")?;
                instances.insert(endpoint, of_instance(first)?);
            } else if endpoint != Endpoint::USER_INFO {
                servers.insert(endpoint, of_servers(&replies, &members)?);
            }
        }
        Ok(Self { header, servers, instances, captures })
    }
}

fn read(
    index: &EpochIndex,
    all: &mut BTreeMap<Endpoint, Vec<Reply>>,
    captures: &mut BTreeMap<Endpoint, CaptureLine>,
) {
    index.read(&|_| true, &mut |line| match line {
        Line::Reply(reply) => {
            let text = reply.body.and_then(|body| body.text());
            if let (Some(source), Some(text)) = (reply.source, text) {
                let (source, text) = (source.into_owned(), text.to_owned());
                all.entry(reply.endpoint).or_default().push(Reply { source, text });
            }
        }
        Line::Capture(capture) => {
            captures.entry(capture.endpoint.clone()).or_insert(*capture);
        }
        _ => {}
    });
}

/// Id and name of the three servers.
fn members(header: &EpochLine) -> Result<Vec<(String, String)>, Failure> {
    let members: Vec<(String, String)> =
        header.expects.servers.iter().map(|one| (one.id.clone(), one.name.clone())).collect();
    if members.len() != MEMBERS {
        return Err(format!("fixtures/{SCENARIO} has {} servers", members.len()).into());
    }
    Ok(members)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The reply of each member, in their order.
fn of_servers(
    replies: &[Reply],
    members: &[(String, String)],
) -> Result<Vec<Template<Slot>>, Failure> {
    let find = |id: &str| replies.iter().find(|reply| reply.source == *id);
    let template = |(id, _): &(String, String)| {
        let reply = find(id).ok_or("a server did not answer")?;
        let body: Value = serde_json::from_str(&reply.text)?;
        let server = &body["server"];
        let mut words = vec![
            (quoted(server["cluster"].as_str().unwrap_or_default()), Slot::Cluster),
            (quoted(server["ver"].as_str().unwrap_or_default()), Slot::Version),
            (quoted(server["time"].as_str().unwrap_or_default()), Slot::Now),
        ];
        for part in ["data", "statsz"] {
            for (field, slot) in [("now", Slot::Now), ("start", Slot::Start)] {
                if let Some(time) = body[part][field].as_str() {
                    words.push((quoted(time), slot));
                }
            }
        }
        for (at, (id, name)) in members.iter().enumerate() {
            words.push((id.clone(), Slot::Id(at)));
            words.push((quoted(name), Slot::Name(at)));
        }
        Ok(Template::new(&reply.text, &words))
    };
    members.iter().map(template).collect()
}

fn of_instance(reply: &Reply) -> Result<Template<Slot>, Failure> {
    let body: Value = serde_json::from_str(&reply.text)?;
    let mut words = vec![(reply.source.clone(), Slot::Instance)];
    for (field, slot) in
        [("name", Slot::Service), ("version", Slot::Version), ("description", Slot::Description)]
    {
        if let Some(word) = body[field].as_str() {
            words.push((quoted(word), slot));
        }
    }
    Ok(Template::new(&reply.text, &words))
}
