//! Taking replies away never makes anything good or bad: it only makes it unknown.

use nats_hindsight_analyzer::engine::VerdictRow;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording, Reply};
use nats_hindsight_tests::verdicts::{Judged, judge, name};

/// Scenarios whose verdicts differ most.
const SCENARIOS: [&str; 12] = [
    "healthy",
    "forgotten-server",
    "hung-server",
    "server-lost",
    "service-down",
    "two-accounts",
    "stalled-rollout",
    "leaf-nodes",
    "language-mix",
    "service-silent",
    "expiring-credentials",
    "settings-skew",
];

/// Whether the replies were lost with the word on how they were asked for, or timed out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    TimedOut,
    Gone,
}

/// Whether a verdict may move this way when replies are taken away.
fn allowed(loss: Loss, before: &VerdictRow, after: Option<&VerdictRow>) -> bool {
    let Some(after) = after else { return true };
    match (before.verdict, after.verdict) {
        (a, b) if a == b => true,
        (_, "unknown") => true,
        // Silence is what a hung server and a mute service look like.
        ("ok", "finding") => {
            loss == Loss::TimedOut && ["HINT_001", "SERVICE_002"].contains(&before.code)
        }
        _ => false,
    }
}

fn compare(what: &str, loss: Loss, before: &Judged, after: &Judged, wrong: &mut Vec<String>) {
    for row in &before.log {
        let same =
            |r: &&VerdictRow| (r.code, &r.subject, r.epoch) == (row.code, &row.subject, row.epoch);
        let now = after.log.iter().find(same);
        if !allowed(loss, row, now) {
            wrong.push(format!(
                "{what}, {loss:?}: {} on {} in epoch {}: {} became {:?}",
                row.code,
                name(&row.subject),
                row.epoch,
                row.verdict,
                now.map(|r| r.verdict)
            ));
        }
    }
}

/// Takes away what an endpoint answered.
fn without_endpoint(epoch: &mut Epoch, endpoint: &Endpoint, loss: Loss) {
    epoch.replies.retain(|reply| reply.line.endpoint != *endpoint);
    epoch.events.retain(|_| *endpoint != Endpoint::EVENTS);
    forget(epoch, loss, |capture| capture.endpoint == *endpoint);
}

/// Takes away what a server answered.
fn without_server(epoch: &mut Epoch, id: &str, loss: Loss) {
    let from = |reply: &Reply| reply.line.source.as_deref() == Some(id);
    epoch.replies.retain(|reply| !from(reply));
    forget(epoch, loss, |capture| capture.target.as_deref() == Some(id));
}

fn forget(
    epoch: &mut Epoch,
    loss: Loss,
    mut which: impl FnMut(&nats_hindsight_snapshot::lines::CaptureLine) -> bool,
) {
    if loss == Loss::Gone {
        epoch.captures.retain(|capture| !which(capture));
        return;
    }
    for capture in epoch.captures.iter_mut().filter(|capture| which(capture)) {
        capture.status = Status::Timeout;
        capture.received = 0;
        capture.attempts.iter_mut().for_each(|attempt| attempt.status = Status::Timeout);
    }
}

#[test]
fn an_endpoint_that_was_lost_only_hides() {
    let mut wrong = Vec::new();
    for scenario in SCENARIOS {
        let whole = Recording::fixture(scenario);
        let before = judge(&whole, &[]);
        for endpoint in Endpoint::KNOWN {
            for loss in [Loss::TimedOut, Loss::Gone] {
                for at in 0..whole.epochs.len() {
                    let edited =
                        whole.clone().at(at, |epoch| without_endpoint(epoch, endpoint, loss));
                    let what = format!("{scenario} without {endpoint} in epoch {at}");
                    compare(&what, loss, &before, &judge(&edited, &[]), &mut wrong);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong moves:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_server_that_was_lost_only_hides() {
    let mut wrong = Vec::new();
    for scenario in SCENARIOS {
        let whole = Recording::fixture(scenario);
        let before = judge(&whole, &[]);
        for loss in [Loss::TimedOut, Loss::Gone] {
            for at in 0..whole.epochs.len() {
                let mut ids: Vec<String> = whole.epochs[at]
                    .replies
                    .iter()
                    .filter(|reply| reply.line.endpoint == Endpoint::STATSZ)
                    .filter_map(|reply| reply.line.source.clone())
                    .collect();
                ids.sort();
                ids.dedup();
                for id in ids {
                    let edited = whole.clone().at(at, |epoch| without_server(epoch, &id, loss));
                    let what = format!("{scenario} without server {id} in epoch {at}");
                    compare(&what, loss, &before, &judge(&edited, &[]), &mut wrong);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong moves:\n{}", wrong.len(), wrong.join("\n"));
}
