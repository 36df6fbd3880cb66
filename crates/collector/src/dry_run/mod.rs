//! What a run would ask, of whom, and about how many bytes would come.
//!
//! The answers that say how large a system is are small, so they are asked for; nothing else is,
//! and nothing is written.

mod estimate;
mod look;

use std::collections::BTreeSet;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::ConnectionLine;
use tokio::runtime;

use crate::connections::Connections;
use crate::record::Clock;
use crate::run::{CollectError, recall};
use crate::settings::Settings;

pub(crate) use self::look::Look;

/// What a run would do.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The connections, each with its state.
    pub connections: Vec<ConnectionLine>,
    /// Servers that answer: name and version.
    pub servers: Vec<(String, String)>,
    /// Servers that are expected and did not answer at once: names.
    pub missing: Vec<String>,
    /// Accounts that servers know.
    pub accounts: usize,
    /// Client connections of all servers.
    pub clients: u64,
    /// Streams and consumers of all servers; replicas count.
    pub assets: (u64, u64),
    /// Instances of services that answer on the account connections, if there are any.
    pub instances: Option<u64>,
    /// What is asked, endpoint by endpoint.
    pub requests: Vec<Planned>,
    /// What went wrong, as a run would say it.
    pub troubles: Vec<String>,
}

/// Requests to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Of whom.
    pub whom: Whom,
    /// How many requests are sent.
    pub requests: u64,
    /// How many replies are expected.
    pub replies: u64,
    /// About how many bytes these have before they are compressed.
    pub bytes: u64,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All servers with one request.
    AllServers,
    /// Each server on its own.
    EachServer,
    /// Each server, as many at a time as there is room for what they answer.
    FewAtATime,
    /// Each monitoring port.
    EachPort,
    /// The services of an account.
    Services,
    /// The server of a connection, about the connection itself.
    Connection,
}

/// Looks at a system and says what a run with these settings would ask.
pub fn dry_run(settings: &Settings) -> Result<DryRun, CollectError> {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let planned = runtime.block_on(plan(settings));
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    planned
}

async fn plan(settings: &Settings) -> Result<DryRun, CollectError> {
    let expects = recall(settings)?;
    let mut connections = Connections::new(&settings.connections, false);
    let errors = connections.connect(&settings.waits).await;
    if !errors.is_empty() && errors.len() == settings.connections.len() && settings.http.is_empty()
    {
        return Err(CollectError::Connect(errors));
    }
    let clock = Clock::start();
    connections.identify(&clock, &settings.waits).await;
    let look = Look::at(&connections, settings, &clock).await;
    let known: BTreeSet<&String> = look.servers.keys().collect();
    let missing = expects.servers.iter().filter(|server| !known.contains(&server.id));
    let mut troubles: Vec<String> = errors.iter().map(ToString::to_string).collect();
    troubles.extend(look.troubles.iter().cloned());
    let mut servers: Vec<(String, String)> =
        look.servers.values().map(|one| (one.name.clone(), one.version.clone())).collect();
    servers.sort();
    let mut lines = connections.lines(&settings.http);
    for line in &mut lines {
        if let Some(note) = look.dead_ports.get(&line.url) {
            line.state.clone_from(note);
            troubles.push(format!("{} cannot be asked", line.url));
        }
    }
    Ok(DryRun {
        connections: lines,
        servers,
        missing: missing.map(|server| server.name.clone()).collect(),
        accounts: look.accounts().len(),
        clients: look.servers.values().map(|one| one.size.connections).sum(),
        assets: look.assets(),
        instances: (!look.instances.is_empty()).then(|| look.instances.iter().sum()),
        requests: estimate::requests(&look, settings, connections.count()),
        troubles,
    })
}
