//! Recorded scenarios: what happens to a system, as data, and the driver that makes it happen.
//!
//! A scenario is a system and a list of steps. After each step the real collector takes one epoch.

mod collector;
mod credentials;
mod demo;
mod driver;
mod events;
mod gatherer;
mod hostile;
mod jetstream;
mod listening;
pub(crate) mod privacy;
mod provenance;
mod servers;
mod services;
mod silence;
mod topologies;
mod truth;

use std::time::Duration;

use serde_json::Value;

pub use demo::{RECENT, demo};
pub use driver::{News, Recording, gather, perform, record, rehearse};
pub use hostile::HOSTILE;
pub use provenance::{Epoch, Provenance, SentRun, ServerRun, ServiceRun};

use crate::error::Result;
use crate::plan::SystemBuilder;
use crate::servers::server_binary;
use crate::services::Service;
use crate::strangers::Stranger;

/// The largest that a recorded scenario may be, with its provenance.
pub const LARGEST: u64 = 300 * 1024;

/// The largest that the archives of one scenario may be: some gatherers do not compress.
pub const LARGEST_GATHERED: u64 = 2 * 1024 * 1024;

/// One story to be recorded.
#[derive(Debug)]
pub struct Scenario {
    /// The name of its folder.
    pub name: &'static str,
    /// What happens, in one sentence.
    pub about: &'static str,
    pub(crate) system: SystemBuilder,
    /// The server that the collector and the kit talk to; nothing happens to it while they do.
    pub(crate) through: &'static str,
    /// The accounts for which the collector gets a connection.
    pub(crate) accounts: Vec<&'static str>,
    pub(crate) steps: Vec<Step>,
    /// Time between epochs of one run that listens in between; each epoch is a run of its own if
    /// absent.
    pub(crate) every: Option<Duration>,
}

impl Scenario {
    /// Fetches and builds what will run in it, so that no step has to wait for that.
    pub fn prepare(&self) -> Result<()> {
        for server in &self.system.plan.servers {
            server_binary(&server.version)?;
        }
        for action in self.steps.iter().flat_map(|step| &step.actions) {
            match action {
                Action::Restart(_, version) => drop(server_binary(version)?),
                Action::Run(_, service) => crate::child::prepare(service.language())?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// What happens before one epoch.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) label: &'static str,
    pub(crate) actions: Vec<Action>,
}

/// One thing done to the system. Services are called by a key, so that several versions of one name
/// can be told apart.
#[derive(Debug)]
pub(crate) enum Action {
    /// SIGTERM to a server.
    Stop(&'static str),
    /// SIGKILL to a server.
    Kill(&'static str),
    /// SIGUSR2 to a server: lame duck mode.
    LameDuck(&'static str),
    /// Waits until a lame duck has ended.
    Left(&'static str),
    /// SIGSTOP to a server.
    Hang(&'static str),
    /// SIGCONT to a server.
    Resume(&'static str),
    /// Starts a server that is down.
    Start(&'static str),
    /// Restarts a server with this version, which may be the one it has.
    Restart(&'static str, &'static str),
    /// Has a server read its file again, with these lines of its own instead of those it had.
    Reload(&'static str, &'static str),
    /// Adds the routes of a server that was kept apart.
    Join(&'static str),
    /// Waits until the peers of a hung server have dropped it.
    Dropped(&'static str),
    /// Waits until no gateway and no leaf connection leads to a hung server any more.
    Unlinked(&'static str),
    /// Waits until a server's process is this old.
    Age(&'static str, Duration),
    /// Waits until so much time has passed since the last epoch.
    Pause(Duration),
    /// Starts the instances of a service and keeps them under the key.
    Run(&'static str, Box<Service>),
    /// Starts more instances.
    More(&'static str, usize),
    /// SIGTERM to the oldest instances.
    End(&'static str, usize),
    /// SIGSTOP to all instances.
    Mute(&'static str),
    /// Waits until the servers have closed the connections of all instances.
    Stale(&'static str),
    /// SIGCONT to all instances.
    Unmute(&'static str),
    /// Requests that the service answers.
    Requests(&'static str, usize),
    /// Requests that the service answers with errors.
    Failures(&'static str, usize),
    /// Requests with a payload of their own, which some instances may answer with an error.
    Send(&'static str, &'static str, usize),
    /// Makes a stream of so many replicas in `APP`.
    Stream(&'static str, u64),
    /// Clients that choose their names freely connect, and are kept under the key.
    Strangers(&'static str, Vec<Stranger>),
    /// They leave.
    Leave(&'static str),
    /// Makes a stream of this configuration in `APP`, with a consumer of this one.
    Assets(Box<(Value, Value)>),
    /// Somebody subscribes to a subject in `APP`.
    Sniff(&'static str),
}

/// Every scenario, in the order in which they are recorded.
pub fn all() -> Vec<Scenario> {
    vec![
        servers::healthy(),
        servers::rolling_upgrade(),
        servers::forgotten_server(),
        servers::tie(),
        servers::staging_joined(),
        servers::rollback(),
        servers::restart_same_version(),
        servers::server_lost(),
        servers::hung_server(),
        servers::settings_skew(),
        silence::hung_for_long(),
        silence::hung_afar(),
        topologies::supercluster(),
        topologies::leaf_nodes(),
        topologies::two_accounts(),
        services::service_down(),
        services::service_silent(),
        services::service_rollout(),
        services::rollout_under_load(),
        services::stalled_rollout(),
        services::canary(),
        services::language_mix(),
        services::contract_drift(),
        services::sniffer(),
        credentials::expiring_credentials(),
        events::clean_stop(),
        events::killed(),
        events::lame_duck(),
        jetstream::jetstream(),
        hostile::hostile_names(),
    ]
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

fn step(label: &'static str, actions: Vec<Action>) -> Step {
    Step { label, actions }
}

fn run(key: &'static str, service: Service) -> Action {
    Action::Run(key, Box::new(service))
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn scenarios_are_short_stories_with_names_of_their_own() {
        let names: BTreeSet<&str> = all().iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), all().len());
        for scenario in all() {
            assert!((3..=7).contains(&scenario.steps.len()), "{}", scenario.name);
        }
    }
}
