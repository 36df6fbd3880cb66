//! Things that go wrong on running systems while the collector is at work, and what it makes of them.

mod credentials;
mod disk;
mod endings;
mod endurance;
mod growth;
mod links;
mod mid_epoch;
mod own_server;
mod process;
#[expect(dead_code, reason = "the live tests of the collector use what is not used here")]
#[path = "../collect_live/recorder.rs"]
mod recorder;
mod slow;

use std::panic::resume_unwind;
use std::thread;

use nats_hindsight_testkit::{V2_10, V2_15};

use crate::recorder::Any;

/// The oldest and the newest line of servers.
const VERSIONS: [&str; 2] = [V2_10, V2_15];

/// Runs a test with each version, side by side: most of its time goes by with waiting.
fn with_each(test: impl Fn(&'static str) -> Any<()> + Sync) -> Any<()> {
    thread::scope(|scope| {
        let test = &test;
        let run = |version| scope.spawn(move || test(version).map_err(|error| error.to_string()));
        for (version, run) in VERSIONS.map(|version| (version, run(version))) {
            match run.join() {
                Ok(result) => result.map_err(|error| format!("{version}: {error}"))?,
                Err(panic) => resume_unwind(panic),
            }
        }
        Ok(())
    })
}
