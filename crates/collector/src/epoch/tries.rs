//! How often one target is asked, and how long each time.
//!
//! A lost answer should not cost what a hung server costs. So the first wait is short, in proportion
//! to what the target has needed so far, and each further one twice as long.

use std::future::pending;
use std::time::Duration;

use super::Epoch;
use crate::ask::{Next, Patience, Request, ask};
use crate::connect::Link;
use crate::glance;
use crate::settings::Waits;
use crate::table::{Row, VARZ, Way};

/// The first wait is this part of the time-out, at least.
const FIRST: u32 = 4;

/// And this many times what the target has needed so far, but never more than the time-out.
const SLACK: u32 = 4;

/// How much longer an answer may take that can be huge.
pub(super) const PATIENCE: u32 = 5;

/// Times an answer is asked for. Of a hundred answers that are lost one by one, two attempts would
/// still miss one.
const TRIES: usize = 3;

/// The waits for one answer: together less than two time-outs, unless the target is slow.
fn waits(timeout: Duration, slowest: Duration) -> [Duration; TRIES] {
    let mut next = (slowest * SLACK).clamp(timeout / FIRST, timeout);
    [(); TRIES].map(|()| {
        let wait = next;
        next = (next * 2).min(timeout);
        wait
    })
}

/// Patience for the only answer there can be.
fn alone(most: Duration, waits: &Waits) -> Patience {
    Patience { most, stall: most, after_all: waits.stall }
}

impl Epoch<'_> {
    /// The patience of each attempt for one answer of a server.
    pub(super) fn tries(&self, row: &Row, server: &str) -> Vec<Patience> {
        if row.way == Way::Alone {
            return vec![alone(self.waits.timeout * PATIENCE, &self.waits); TRIES];
        }
        let waits = waits(self.waits.timeout, self.slowest(server)).into_iter();
        waits.map(|wait| alone(wait, &self.waits)).collect()
    }

    /// Takes notice of how long a server needed when it was asked alone. Where all are asked at once
    /// it is the number of answers that takes time, and what can be huge says nothing of the others.
    pub(super) fn took(&self, row: &Row, server: &str, rtt_us: u64) {
        if row.way != Way::Alone {
            self.seen.borrow_mut().needed(server, Duration::from_micros(rtt_us));
        }
    }

    /// The longest that a server has needed so far.
    fn slowest(&self, server: &str) -> Duration {
        self.seen.borrow().slowest_of.get(server).copied().unwrap_or_default()
    }

    /// How long to wait before an answer of a server may be taken for lost.
    fn first_wait(&self, server: &str) -> Duration {
        waits(self.waits.timeout, self.slowest(server))[0]
    }

    /// The patience of each attempt for one answer of an instance.
    pub(super) fn tries_of_instance(&self) -> Vec<Patience> {
        let waits = waits(self.waits.timeout, Duration::ZERO).into_iter();
        waits.map(|wait| alone(wait, &self.waits)).collect()
    }

    /// Ends once it is clear that an answer is lost and not merely long in the making; for answers
    /// that are small, never.
    ///
    /// Servers work on such questions one after the other. So one that answers a small question that
    /// was asked later has done with the large one before. Should a server of some other version
    /// work on both at once, it is asked again in vain, a few times.
    pub(super) async fn answer_is_lost(&self, link: &Link, row: &Row, server: &str) {
        if row.way != Way::Alone {
            return pending().await;
        }
        let timeout = self.waits.timeout;
        let probe = Request {
            link,
            subject: VARZ.directed(server),
            body: VARZ.request(None, None),
            compressed: VARZ.compressed,
        };
        tokio::time::sleep(self.first_wait(server)).await;
        loop {
            let mut answered = false;
            ask(&probe, &self.clock, alone(timeout, &self.waits), async |answer| {
                answered |= glance::envelope(&answer.body).is_some();
                Next::Done
            })
            .await;
            if answered {
                return;
            }
            // Where nothing could even be sent, asking at once again would never let go.
            tokio::time::sleep(timeout / FIRST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(timeout: u64, slowest: u64) -> Vec<u128> {
        let waits = waits(Duration::from_millis(timeout), Duration::from_millis(slowest));
        waits.iter().map(Duration::as_millis).collect()
    }

    #[test]
    fn waits_grow_up_to_the_time_out() {
        assert_eq!(millis(2000, 0), [500, 1000, 2000]);
        assert_eq!(millis(2000, 50), [500, 1000, 2000]);
        assert_eq!(millis(2000, 250), [1000, 2000, 2000]);
        assert_eq!(millis(2000, 9000), [2000, 2000, 2000]);
    }
}
