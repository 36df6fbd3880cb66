//! `HINT_001 server-lost`: every row of its table, and the rules behind them.

#![expect(clippy::unwrap_used, reason = "a helper that finds nothing fails its test")]

mod notice;
mod recorded;
mod rows;
mod rules;

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::recording::servers::cluster;

pub(crate) const CODE: &str = "HINT_001";

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Three servers in hourly epochs.
pub(crate) fn hourly(count: usize) -> Recording {
    let age = hours(200);
    let three = [("a1", "2.14.6", age), ("a2", "2.14.6", age), ("a3", "2.14.6", age)];
    cluster(&three).repeat(count, hours(1))
}

/// Epoch of opening, last good epoch, and how and when it closed.
pub(crate) fn span(finding: &Finding) -> (usize, Option<usize>, Option<(usize, &'static str)>) {
    let last_ok = finding.opened.last_ok.as_ref().map(|moment| moment.epoch);
    assert_eq!(finding.opened.at_or_before, last_ok.is_none());
    let closed = finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how));
    (finding.opened.moment.epoch, last_ok, closed)
}

/// Every chapter of the story: epoch, severity, kind.
pub(crate) fn chapters(finding: &Finding) -> Vec<(usize, &str, &str)> {
    let all = finding.changes.iter();
    all.map(|change| {
        let kind = change.face["kind"].as_str().unwrap();
        (change.moment.epoch, change.severity.as_str(), kind)
    })
    .collect()
}
