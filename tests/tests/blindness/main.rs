//! Taking replies away never makes anything good or bad: it only makes it unknown, and the report
//! says what was lost.

mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use nats_hindsight_analyzer::check::Check;
use nats_hindsight_analyzer::engine::{Options, VerdictRow};
use nats_hindsight_analyzer::registry;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, Status};
use nats_hindsight_tests::lattice::{Lattice, Loss, Lost, Told, told};
use nats_hindsight_tests::recording::prepared::{Prepared, open_bytes};
use nats_hindsight_tests::recording::{Epoch, Recording, scenarios};
use nats_hindsight_tests::verdicts::{Judged, judge, judge_opened};
use nats_hindsight_tests::workers::on_all_cores;
use serde_json::json;

static RECORDINGS: LazyLock<Vec<(String, Recording)>> =
    LazyLock::new(|| on_all_cores(&scenarios(), |name| (name.clone(), Recording::fixture(name))));

/// Whose replies are taken away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// All that was told on an endpoint.
    Endpoint(Endpoint),
    /// All that a server told, under whatever ids it had.
    Server { name: String, ids: BTreeSet<String> },
    /// All that was asked over the connection of an account.
    Account(String),
    /// The same, and what others told of its connections.
    AllOfAccount(String),
}

impl Whose {
    /// Everybody and everything that told something in a recording.
    fn all(recording: &Recording) -> BTreeSet<Self> {
        let mut all = BTreeSet::new();
        let mut servers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for epoch in &recording.epochs {
            all.extend(epoch.captures.iter().map(|c| Self::Endpoint(c.endpoint.clone())));
            all.extend(told(epoch).map(|told| Self::Endpoint(told.endpoint().clone())));
            for reply in &epoch.replies {
                let server = &reply.body["server"];
                if let (Some(name), Some(id)) = (server["name"].as_str(), server["id"].as_str()) {
                    servers.entry(name.to_owned()).or_default().insert(id.to_owned());
                }
                if let Some(account) = &reply.line.account {
                    all.insert(Self::Account(account.clone()));
                    all.insert(Self::AllOfAccount(account.clone()));
                }
            }
        }
        all.extend(servers.into_iter().map(|(name, ids)| Self::Server { name, ids }));
        all
    }

    fn told(&self, told: &Told<'_>) -> bool {
        let Told::Reply(reply) = told else {
            return *self == Self::Endpoint(Endpoint::EVENTS);
        };
        let line = &reply.line;
        match self {
            Self::Endpoint(endpoint) => line.endpoint == *endpoint,
            Self::Server { ids, .. } => {
                let of_server = |id: &str| ids.contains(id);
                line.source.as_deref().is_some_and(of_server)
                    || reply.body["server"]["id"].as_str().is_some_and(of_server)
            }
            Self::Account(account) => line.account.as_ref() == Some(account),
            Self::AllOfAccount(account) => {
                let filtered = line.filter.as_ref().and_then(|filter| filter.account.as_ref());
                line.account.as_ref() == Some(account) || filtered == Some(account)
            }
        }
    }

    /// Whether a capture is about nothing but what goes.
    fn asks(&self, capture: &CaptureLine) -> bool {
        match self {
            Self::Endpoint(endpoint) => capture.endpoint == *endpoint,
            Self::Server { ids, .. } => capture.target.as_ref().is_some_and(|id| ids.contains(id)),
            Self::Account(account) => capture.account.as_ref() == Some(account),
            Self::AllOfAccount(account) => {
                let filtered = capture.filter.as_ref().and_then(|filter| filter.account.as_ref());
                capture.account.as_ref() == Some(account) || filtered == Some(account)
            }
        }
    }

    /// What a report can call it.
    fn names(&self, recording: &Recording) -> Vec<String> {
        match self {
            Self::Endpoint(endpoint) => vec![endpoint.to_string()],
            Self::Server { name, ids } => {
                ids.iter().cloned().chain(std::iter::once(name.clone())).collect()
            }
            Self::Account(account) | Self::AllOfAccount(account) => {
                let connections = recording.epochs.iter().flat_map(|e| &e.header.connections);
                let of_account = connections.filter(|c| c.account.as_ref() == Some(account));
                let names = of_account.filter_map(|connection| connection.account_name.clone());
                names.chain([account.clone()]).collect()
            }
        }
    }

    fn is_in(&self, epoch: &Epoch) -> bool {
        told(epoch).any(|told| self.told(&told)) || epoch.captures.iter().any(|c| self.asks(c))
    }
}

/// One edit of one recording.
struct Edit {
    whose: Whose,
    loss: Loss,
    epochs: BTreeSet<usize>,
}

impl Edit {
    /// Every edit that changes something: each of the two losses, epoch by epoch and in all.
    fn all(recording: &Recording) -> Vec<Self> {
        let mut edits = Vec::new();
        for whose in Whose::all(recording) {
            let mut spans: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
            let epochs = recording.epochs.iter().enumerate();
            let all: BTreeSet<usize> =
                epochs.filter(|(_, epoch)| whose.is_in(epoch)).map(|(at, _)| at).collect();
            spans.extend(all.iter().map(|at| BTreeSet::from([*at])));
            spans.insert(all);
            for epochs in spans {
                for loss in [Loss::TimedOut, Loss::Gone] {
                    edits.push(Self { whose: whose.clone(), loss, epochs: epochs.clone() });
                }
            }
        }
        edits
    }

    fn lost(&self, whole: &Recording) -> Lost {
        let epochs = self.epochs.iter().copied();
        Lost::of(whole, self.loss, epochs, self.whose.names(whole), |told| self.whose.told(told))
    }

    /// The recording without what goes.
    fn bytes(&self, prepared: &Prepared<'_>, lost: &Lost) -> Vec<u8> {
        prepared.without(
            &self.epochs,
            &|at, place| lost.told.contains(&(at, place)),
            &|at, line| self.capture(&prepared.whole.epochs[at], line),
        )
    }

    /// What is left of a capture. A request to many of whom some are gone was answered in part.
    fn capture(&self, epoch: &Epoch, line: &CaptureLine) -> Option<CaptureLine> {
        let answers = |told: &Told<'_>| match told {
            Told::Reply(reply) => {
                let reply = &reply.line;
                (&reply.endpoint, &reply.subject, &reply.account, &reply.filter)
                    == (&line.endpoint, &line.subject, &line.account, &line.filter)
            }
            Told::Event(_) => false,
        };
        let all = told(epoch).filter(answers).count();
        let gone = told(epoch).filter(|told| answers(told) && self.whose.told(told)).count();
        let whole = self.whose.asks(line) || (gone > 0 && gone == all);
        match self.loss {
            Loss::Gone if whole => None,
            Loss::TimedOut if whole => Some(timed_out(line)),
            Loss::TimedOut if gone > 0 => Some(CaptureLine {
                status: Status::Partial,
                received: line.received.saturating_sub(gone as u64),
                ..line.clone()
            }),
            _ => Some(line.clone()),
        }
    }
}

/// A request that was waited for in vain.
fn timed_out(line: &CaptureLine) -> CaptureLine {
    let mut line = CaptureLine { status: Status::Timeout, received: 0, ..line.clone() };
    line.attempts.iter_mut().for_each(|attempt| attempt.status = Status::Timeout);
    line.listened = None;
    line
}

/// Everything wrong about every edit of a recording, and how many edits there were.
fn wrong_moves(name: &str, whole: &Recording) -> (usize, Vec<String>) {
    let before = judge(whole, &[]);
    let lattice = Lattice::of(whole, &before);
    let prepared = Prepared::of(whole);
    let mut wrong = Vec::new();
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    for edit in Edit::all(whole) {
        let lost = edit.lost(whole);
        let bytes = edit.bytes(&prepared, &lost);
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        if !seen.insert(hasher.finish()) {
            continue;
        }
        let after = judge_opened(&open_bytes(bytes), Options::default());
        let what = format!("{name} without {:?} in {:?}, {:?}", edit.whose, edit.epochs, edit.loss);
        wrong.extend(lattice.wrong(&after, &lost).into_iter().map(|w| format!("{what}: {w}")));
    }
    (seen.len(), wrong)
}

#[test]
fn what_was_lost_only_hides() {
    let done = on_all_cores(&RECORDINGS, |(name, whole)| wrong_moves(name, whole));
    let (counts, wrong): (Vec<usize>, Vec<Vec<String>>) = done.into_iter().unzip();
    let (count, wrong) = (counts.iter().sum::<usize>(), wrong.concat());
    assert!(count > 1000, "only {count} edits changed anything");
    assert!(
        wrong.is_empty(),
        "{} wrong moves of {count} edits:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What one check says, as far as a reader sees it: verdicts, findings, unknowns.
fn said(judged: &Judged) -> (Vec<VerdictRow>, String) {
    let parts: Vec<_> = judged
        .report
        .systems
        .iter()
        .map(|system| json!([system.findings, system.unknowns, system.checks, system.unseen]))
        .collect();
    (judged.log.clone(), json!(parts).to_string())
}

#[test]
fn an_endpoint_that_is_not_declared_is_never_missed() {
    let jobs: Vec<(&(String, Recording), &'static Check)> = RECORDINGS
        .iter()
        .flat_map(|recording| registry::all().into_iter().map(move |check| (recording, check)))
        .collect();
    let done = on_all_cores(&jobs, |((name, whole), check)| undeclared(name, whole, check));
    let (counts, wrong): (Vec<usize>, Vec<Vec<String>>) = done.into_iter().unzip();
    assert!(counts.iter().sum::<usize>() > 500, "hardly an endpoint was taken away");
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} reports changed:\n{}", wrong.len(), wrong.join("\n"));
}

/// Takes every endpoint away that a check does not declare, one by one, and then all of them.
fn undeclared(name: &str, whole: &Recording, check: &'static Check) -> (usize, Vec<String>) {
    let judge = |bytes: Vec<u8>| {
        judge_opened(&open_bytes(bytes), Options { checks: vec![check], ..Options::default() })
    };
    let prepared = Prepared::of(whole);
    let before = said(&judge(whole.to_bytes()));
    let endpoints: BTreeSet<Endpoint> = whole
        .epochs
        .iter()
        .flat_map(|epoch| told(epoch).map(|told| told.endpoint().clone()))
        .filter(|endpoint| !check.declares(endpoint))
        .collect();
    let each = endpoints.iter().map(|endpoint| BTreeSet::from([endpoint.clone()]));
    let mut wrong = Vec::new();
    for gone in each.chain([endpoints.clone()]) {
        let all = (0..whole.epochs.len()).collect();
        let told = |at: usize, place: usize| {
            let mut all = told(&whole.epochs[at]);
            all.nth(place).is_some_and(|told| gone.contains(told.endpoint()))
        };
        let left = |_: usize, line: &CaptureLine| {
            Some(line.clone()).filter(|line| !gone.contains(&line.endpoint))
        };
        if said(&judge(prepared.without(&all, &told, &left))) != before {
            wrong.push(format!("{}: {name} without {gone:?}", check.code));
        }
    }
    (endpoints.len(), wrong)
}
