//! What a run of the collector is told to do.

use std::path::PathBuf;
use std::time::Duration;

use nats_hindsight_snapshot::Endpoint;

use crate::connect::ConnectionSpec;
use crate::http::HttpTarget;
use crate::record::Output;
use crate::retention::Keep;
use crate::selection::Selection;

/// Everything a run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, the system connection first if there is one.
    pub connections: Vec<ConnectionSpec>,
    /// Monitoring ports to ask over HTTP.
    pub http: Vec<HttpTarget>,
    /// Label of the system.
    pub system: String,
    /// Whether somebody chose the label.
    pub system_set: bool,
    /// Id of this collector; found in or put into the output folder if absent.
    pub collector_id: Option<String>,
    /// Where epochs go.
    pub output: Output,
    /// Time between the starts of epochs; a single epoch if absent.
    pub every: Option<Duration>,
    /// Epochs to record; until stopped if absent and `every` is set.
    pub count: Option<u64>,
    /// How many of its own epochs stay in the output folder.
    pub keep: Keep,
    /// Snapshot to take the memory from, instead of the newest one in the output folder.
    pub expect_from: Option<PathBuf>,
    /// Which endpoints are asked.
    pub selection: Selection,
    /// Times of waiting.
    pub waits: Waits,
}

impl Settings {
    /// Whether it listens between epochs to what servers publish: only who records again and again
    /// does.
    pub(crate) fn listens(&self) -> bool {
        self.every.is_some() && self.selection.has(&Endpoint::EVENTS)
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For one answer.
    pub timeout: Duration,
    /// For another reply to a broadcast after the last one.
    pub stall: Duration,
    /// Between two requests that are to prove that a service has gone.
    pub confirm_after: Duration,
    /// After this time a server or service that is gone is no longer expected.
    pub forget_after: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            stall: Duration::from_millis(500),
            confirm_after: Duration::from_secs(5),
            forget_after: Duration::from_hours(48),
        }
    }
}
