//! A simulated fleet: the one simulation there is, because nobody has 500 machines at hand.
//!
//! Clients of the system account of one real server answer for servers that do not exist, and
//! clients of an ordinary account for instances of services. What they answer was recorded from a
//! real cluster, which is copied as often as is needed, with names, ids and times of its own in
//! every copy. Answers are late by chance, a few are lost and a few come twice; chance is a
//! function of a seed, so that every run loses the same.

mod chance;
mod connections;
mod instances;
mod recorded;
mod servers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::error::{KitError, Result, io};
use crate::system::System;
use chance::Chance;
use connections::Wire;
use instances::Instances;
use recorded::Recorded;
use servers::Servers;

/// Connections that answer for servers.
const SERVER_CONNECTIONS: usize = 8;

/// Connections that answer for instances.
const INSTANCE_CONNECTIONS: usize = 20;

/// What a fleet consists of, and how it answers.
#[derive(Debug, Clone)]
pub struct FleetPlan {
    /// Folder of the recording whose last epoch is copied.
    pub recording: PathBuf,
    /// Servers that are simulated; rounded up to whole clusters.
    pub servers: usize,
    /// Names of services.
    pub services: usize,
    /// Instances, in turns of one service and the next.
    pub instances: usize,
    /// The first so many servers run this version instead of the recorded one.
    pub upgraded: (usize, String),
    /// The longest that an answer is late.
    pub jitter: Duration,
    /// Answers of a hundred that are lost.
    pub lost: u64,
    /// Answers of a hundred that come twice.
    pub twice: u64,
    /// What chance depends on.
    pub seed: u64,
}

impl FleetPlan {
    /// 500 servers and 2,000 instances of 40 services; 1 % is lost, 2 % come twice.
    pub fn new(recording: &Path) -> FleetPlan {
        FleetPlan {
            recording: recording.to_owned(),
            servers: 500,
            services: 40,
            instances: 2_000,
            upgraded: (0, String::new()),
            jitter: Duration::from_millis(50),
            lost: 1,
            twice: 2,
            seed: 1,
        }
    }
}

/// What happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Answers that were due.
    pub due: u64,
    /// Those that were lost.
    pub lost: u64,
    /// Those that were sent twice.
    pub twice: u64,
    /// Questions that nothing was recorded for.
    pub unknown: u64,
}

#[derive(Debug, Default)]
struct Counters {
    due: AtomicU64,
    lost: AtomicU64,
    twice: AtomicU64,
    unknown: AtomicU64,
}

/// A fleet that answers until it is dropped.
#[derive(Debug)]
pub struct Fleet {
    servers: Arc<Servers>,
    instances: Arc<Instances>,
    counters: Arc<Counters>,
    runtime: Option<Runtime>,
}

impl Fleet {
    /// Starts answering through a real server: in `SYS` for servers, in `APP` for instances. Returns
    /// once the server knows of all subscriptions.
    pub fn start(system: &System, through: &str, plan: &FleetPlan) -> Result<Fleet> {
        let recorded = Recorded::read(&plan.recording)?;
        let instances = Arc::new(Instances::new(&recorded, plan)?);
        let servers = Arc::new(Servers::new(&recorded, plan, &instances)?);
        let counters = Arc::new(Counters::default());
        let chance = Arc::new(Chance::new(plan, Arc::clone(&counters)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(io("cannot start the fleet"))?;
        runtime.block_on(async {
            for part in 0..SERVER_CONNECTIONS {
                let wire = Wire::connect(system, through, "SYS", &chance).await?;
                servers::answer(wire, &servers, (part, SERVER_CONNECTIONS)).await?;
            }
            for part in 0..INSTANCE_CONNECTIONS {
                let wire = Wire::connect(system, through, "APP", &chance).await?;
                instances::answer(wire, &instances, (part, INSTANCE_CONNECTIONS)).await?;
            }
            Ok::<(), KitError>(())
        })?;
        Ok(Fleet { servers, instances, counters, runtime: Some(runtime) })
    }

    /// Ids of the simulated servers.
    pub fn server_ids(&self) -> Vec<String> {
        self.servers.ids()
    }

    /// Ids of the simulated instances, by the name of their service.
    pub fn instance_ids(&self) -> BTreeMap<String, Vec<String>> {
        self.instances.ids()
    }

    /// What happened so far.
    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            due: read(&self.counters.due),
            lost: read(&self.counters.lost),
            twice: read(&self.counters.twice),
            unknown: read(&self.counters.unknown),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // A runtime must not be waited for where another one may be running.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
