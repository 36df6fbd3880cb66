//! `HINT_004 credentials-expiring`: every row of its table, and what hides it.

#![expect(clippy::unwrap_used, reason = "a helper that finds nothing fails its test")]

mod hidden;
mod rows;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::Recording;

pub(crate) const CODE: &str = "HINT_004";
pub(crate) const FIXTURE: &str = "expiring-credentials";

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub(crate) fn days(count: i64) -> SignedDuration {
    hours(24 * count)
}

/// The first epoch, repeated: nobody renews anything while time goes on.
pub(crate) fn every(step: SignedDuration, count: usize) -> Recording {
    Recording::epoch(FIXTURE, 0).repeat(count, step)
}

/// Every chapter of the story: epoch, severity, stage.
pub(crate) fn chapters(finding: &Finding) -> Vec<(usize, &str, &str)> {
    let all = finding.changes.iter();
    all.map(|change| {
        let stage = change.face["stage"].as_str().unwrap();
        (change.moment.epoch, change.severity.as_str(), stage)
    })
    .collect()
}
