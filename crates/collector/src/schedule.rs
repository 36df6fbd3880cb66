//! When epochs start.

use std::time::{Duration, Instant};

/// Ticks at fixed distances from the first one, so that they do not drift.
#[derive(Debug)]
pub(crate) struct Schedule {
    zero: Instant,
    every: Duration,
    /// Number of the last tick that was used.
    last: u128,
}

impl Schedule {
    /// The first tick is now.
    pub(crate) fn start(every: Duration) -> Self {
        Self { zero: Instant::now(), every: every.max(Duration::from_millis(1)), last: 0 }
    }

    /// The next tick after a moment, and how many were missed since the last one.
    pub(crate) fn next(&mut self, now: Instant) -> (Instant, u64) {
        let passed = now.saturating_duration_since(self.zero).as_nanos() / self.every.as_nanos();
        let next = passed.max(self.last) + 1;
        let skipped = u64::try_from(next - self.last - 1).unwrap_or(u64::MAX);
        self.last = next;
        let ticks = u32::try_from(next).unwrap_or(u32::MAX);
        (self.zero + self.every.saturating_mul(ticks), skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_drift_and_missed_ones_are_counted() {
        let mut schedule = Schedule::start(Duration::from_secs(10));
        let zero = schedule.zero;
        let second = Duration::from_secs(1);
        assert_eq!(schedule.next(zero + 3 * second), (zero + 10 * second, 0));
        assert_eq!(schedule.next(zero + 14 * second), (zero + 20 * second, 0));
        assert_eq!(schedule.next(zero + 51 * second), (zero + 60 * second, 3));
    }
}
