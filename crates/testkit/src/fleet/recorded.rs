//! What a real cluster answered, read from the last epoch of a recording.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{KitError, Result, io_at};

/// What a server is asked: the endpoint, and the account if it is asked for one.
pub(super) type Question = (String, Option<String>);

/// A server of the recorded cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bodies: BTreeMap<Question, String>,
}

/// The replies of one epoch.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) cluster: String,
    pub(super) version: String,
    /// By id.
    pub(super) members: Vec<Member>,
    /// What one instance of a service answered, by endpoint.
    pub(super) instance: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Line {
    reply: Option<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    endpoint: String,
    source: Option<String>,
    account: Option<String>,
    filter: Option<Filter>,
    body: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Filter {
    account: Option<String>,
}

impl Recorded {
    /// The last epoch in a folder.
    pub(super) fn read(folder: &Path) -> Result<Recorded> {
        let entries = fs::read_dir(folder).map_err(io_at("cannot list", folder))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let path = paths
            .filter(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
            .max()
            .ok_or_else(|| KitError::Plan(format!("no epoch in {}", folder.display())))?;
        let bytes = fs::read(&path).map_err(io_at("cannot read", &path))?;
        let text = zstd::decode_all(bytes.as_slice()).map_err(io_at("cannot unpack", &path))?;
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Result<Recorded> {
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        let mut instances: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for line in text.lines() {
            let line: Line = serde_json::from_str(line).map_err(unreadable)?;
            let Some(Reply { endpoint, source: Some(source), account, filter, body: Some(body) }) =
                line.reply
            else {
                continue;
            };
            let body = body.get().to_owned();
            if endpoint.starts_with("SRV_") {
                instances.entry(source).or_default().insert(endpoint, body);
            } else if account.is_none() && endpoint != "USER_INFO" {
                let question = (endpoint, filter.and_then(|filter| filter.account));
                members.entry(source).or_default().bodies.insert(question, body);
            }
        }
        Self::whole(members, instances)
    }

    fn whole(
        members: BTreeMap<String, Member>,
        instances: BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Recorded> {
        let missing = |what: &str| KitError::Plan(format!("the recording has no {what}"));
        let whole = |bodies: &BTreeMap<String, String>| bodies.len() == 3;
        let instance = instances.into_values().find(whole).ok_or_else(|| missing("instance"))?;
        let mut recorded = Recorded {
            cluster: String::new(),
            version: String::new(),
            members: Vec::new(),
            instance,
        };
        for (id, mut member) in members {
            let varz =
                member.bodies.get(&("VARZ".to_owned(), None)).ok_or_else(|| missing("VARZ"))?;
            let varz: serde_json::Value = serde_json::from_str(varz).map_err(unreadable)?;
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            recorded.cluster = text(&varz["server"]["cluster"]);
            recorded.version = text(&varz["server"]["ver"]);
            member.name = text(&varz["server"]["name"]);
            member.id = id;
            recorded.members.push(member);
        }
        if recorded.members.is_empty() { Err(missing("server")) } else { Ok(recorded) }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn unreadable(error: serde_json::Error) -> KitError {
    KitError::Protocol(format!("the recording cannot be read: {error}"))
}
