//! The collector against real servers and services of three lines of versions.

mod connecting;
mod endpoints;
mod events;
mod recorder;
mod retention;
mod running;
mod secrets;
mod servers;
mod services;
mod ways_in;

use nats_hindsight_testkit::{V2_10, V2_12, V2_15};

/// Versions the collector is tested with: the oldest, a middle and the newest supported line.
const VERSIONS: [&str; 3] = [V2_10, V2_12, V2_15];
