//! The recorded archive that others are made of.

use std::fs::File;
use std::io::Read as _;

use nats_hindsight_testkit::workspace_root;
use serde_json::{Map, Value};
use zip::ZipArchive;

use super::client::{Client, cid};
use super::list::List;

/// Three servers of cluster A, with services in account APP.
const RECORDED: &str = "fixtures/bundles/healthy/epoch-000.zip";

/// Where its manifest is.
pub(super) const MANIFEST: &str = "capture/misc/manifest.json";

/// Its servers.
pub(super) const SERVERS: [&str; 3] = ["a1", "a2", "a3"];

pub(super) type Any<T> = Result<T, Box<dyn std::error::Error>>;

/// An artifact of the recorded archive.
pub(super) struct Artifact {
    pub(super) text: String,
    pub(super) server: String,
    pub(super) account: String,
    pub(super) stream: String,
    pub(super) kind: String,
}

/// The recorded archive, in memory.
pub(super) struct Recorded {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) metadata: String,
    pub(super) log: String,
    /// Ids of its servers.
    pub(super) ids: Vec<String>,
    /// Connections of service instances.
    pub(super) services: Vec<Client>,
    /// Connections of others.
    pub(super) others: Vec<Client>,
}

impl Recorded {
    pub(super) fn load() -> Any<Self> {
        let mut zip = ZipArchive::new(File::open(workspace_root().join(RECORDED))?)?;
        let manifest: Map<String, Value> = serde_json::from_str(&text(&mut zip, MANIFEST)?)?;
        let mut artifacts = Vec::new();
        for (path, tags) in &manifest {
            let tag = |name: &str| {
                let tags = tags.as_array().into_iter().flatten();
                let tag = tags.into_iter().find(|tag| tag["Name"] == name);
                tag.and_then(|tag| tag["Value"].as_str()).unwrap_or_default().to_owned()
            };
            if tag("special").is_empty() {
                artifacts.push(Artifact {
                    text: text(&mut zip, path)?,
                    server: tag("server"),
                    account: tag("account"),
                    stream: tag("stream"),
                    kind: tag("artifact_type"),
                });
            }
        }
        let ids: Any<Vec<String>> = SERVERS.iter().map(|server| id(&artifacts, server)).collect();
        let (services, others) = clients(&artifacts)?;
        let metadata = text(&mut zip, "capture/misc/audit_gather_metadata.json")?;
        let log = text(&mut zip, "capture/misc/audit_gather_log.log")?;
        Ok(Self { ids: ids?, artifacts, metadata, log, services, others })
    }
}

fn text(zip: &mut ZipArchive<File>, path: &str) -> Any<String> {
    let mut text = String::new();
    zip.by_name(path)?.read_to_string(&mut text)?;
    Ok(text)
}

fn find<'a>(artifacts: &'a [Artifact], kind: &str, server: &str) -> Any<&'a Artifact> {
    let found = artifacts.iter().find(|of| of.server == server && of.kind == kind);
    Ok(found.ok_or_else(|| format!("{kind} of {server} was not recorded"))?)
}

fn id(artifacts: &[Artifact], server: &str) -> Any<String> {
    let reply: Value = serde_json::from_str(&find(artifacts, "variables", server)?.text)?;
    Ok(reply["server"]["id"].as_str().ok_or("VARZ without an id was recorded")?.to_owned())
}

/// Every recorded connection, those of service instances first.
fn clients(artifacts: &[Artifact]) -> Any<(Vec<Client>, Vec<Client>)> {
    let mut all = Vec::new();
    for server in SERVERS {
        let full = List::cut(&find(artifacts, "connections", server)?.text, &CONNECTIONS)?;
        let listed = List::cut(&find(artifacts, "subs", server)?.text, &SUBSCRIPTIONS)?;
        let of_accounts = artifacts
            .iter()
            .filter(|of| of.server == server && of.kind == "account_connections")
            .filter_map(|of| List::cut(&of.text, &CONNECTIONS).ok());
        let brief: Vec<String> = of_accounts.flat_map(|list| list.rows).collect();
        for row in &full.rows {
            let same = |other: &&String| cid(other) == cid(row);
            let of_account = brief.iter().find(same).ok_or("a connection of no account")?;
            let subscriptions: Vec<&String> = listed.rows.iter().filter(same).collect();
            let client = Client::new(server, row, of_account, &subscriptions);
            all.push(client.ok_or("a connection cannot be copied")?);
        }
    }
    let (services, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|of| of.is_service);
    if services.is_empty() || others.is_empty() {
        return Err(format!("{RECORDED} has services or others alone").into());
    }
    Ok((services, others))
}

/// Where connections are listed.
pub(super) const CONNECTIONS: [&str; 2] = ["data", "connections"];

/// Where subscriptions are listed.
pub(super) const SUBSCRIPTIONS: [&str; 2] = ["data", "subscriptions_list"];
