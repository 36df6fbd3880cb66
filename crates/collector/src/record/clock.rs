//! The time of an epoch.

use std::time::Instant;

use jiff::Timestamp;

/// When an epoch began, by the wall clock once and from then on by one that cannot jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Start by the wall clock.
    pub(crate) start: Timestamp,
    zero: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Timestamp::now(), zero: Instant::now() }
    }

    /// Time since the start of the epoch.
    pub(crate) fn elapsed(&self) -> std::time::Duration {
        self.zero.elapsed()
    }

    /// Microseconds from the start of the epoch to a moment.
    pub(crate) fn us(&self, at: Instant) -> u64 {
        micros(self.zero, at)
    }
}

/// Microseconds between two moments.
pub(crate) fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}
