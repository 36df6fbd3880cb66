//! What the tests of this check ask of a finding.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Finding;
use nats_hindsight_tests::recording::Epoch;
use nats_hindsight_tests::verdicts::Judged;

pub(crate) const CODE: &str = "SERVER_002";

/// Recordings take seconds, not hours.
pub(crate) const SECONDS: &[(&str, i64)] = &[("SERVER_002.recent", 3000)];

pub(crate) const OLD: &str = "2.12.8";
pub(crate) const NEW: &str = "2.14.6";

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub(crate) fn days(count: i64) -> SignedDuration {
    hours(24 * count)
}

/// Epoch of opening, last good epoch, and how and when it closed.
pub(crate) type Span = (usize, Option<usize>, Option<(usize, &'static str)>);

pub(crate) fn span(finding: &Finding) -> Span {
    let last_ok = finding.opened.last_ok.as_ref().map(|moment| moment.epoch);
    assert_eq!(finding.opened.at_or_before, last_ok.is_none());
    let closed = finding.closed.as_ref().map(|closed| (closed.moment.epoch, closed.how));
    (finding.opened.moment.epoch, last_ok, closed)
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

/// A text among the details; `-` where it is null.
pub(crate) fn detail<'a>(finding: &'a Finding, key: &str) -> &'a str {
    match &finding.details[key] {
        serde_json::Value::Null => "-",
        value => value.as_str().unwrap(),
    }
}

/// Stage, cause, gap and majority.
pub(crate) fn face(finding: &Finding) -> [&str; 4] {
    ["stage", "cause", "gap", "majority"].map(|key| detail(finding, key))
}

/// Names of the servers that are not on the majority version.
pub(crate) fn outliers(finding: &Finding) -> Vec<&str> {
    let all = finding.details["outliers"].as_array().unwrap();
    all.iter().map(|outlier| outlier["server"].as_str().unwrap()).collect()
}

/// How many servers run each version, the most first.
pub(crate) fn counts(finding: &Finding) -> Vec<(&str, u64)> {
    let all = finding.details["versions"].as_array().unwrap();
    all.iter()
        .map(|group| (group["version"].as_str().unwrap(), group["count"].as_u64().unwrap()))
        .collect()
}

pub(crate) fn lasting(finding: &Finding) -> SignedDuration {
    SignedDuration::from_secs(finding.details["lasting_s"].as_i64().unwrap())
}

pub(crate) fn overdue(finding: &Finding) -> bool {
    finding.details["overdue"].as_bool().unwrap()
}

pub(crate) fn because(finding: &Finding) -> &str {
    &finding.closed.as_ref().unwrap().because
}

/// What hides the answer of an unknown verdict of this check, by name.
pub(crate) fn hidden(judged: &Judged, epoch: usize) -> Vec<String> {
    let groups = judged.report.systems.iter().flat_map(|system| &system.unknowns);
    groups
        .filter(|group| group.code == CODE)
        .filter(|group| group.epochs.iter().any(|[from, to]| (*from..=*to).contains(&epoch)))
        .flat_map(|group| group.hides.iter().map(nats_hindsight_tests::verdicts::name))
        .collect()
}

/// A server was restarted with another version some time ago.
pub(crate) fn upgrade(epoch: &mut Epoch, server: &str, version: &str, age: SignedDuration) {
    let number = version.bytes().fold(100, |sum, byte| sum + u64::from(byte));
    epoch.set_version(server, version);
    epoch.restart(server, number, age);
}
