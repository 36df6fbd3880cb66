//! Bounds held against the truth: processes whose every request is known, seen through epochs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Ledger, Member, Reading, Told, versions};
use crate::verdict::Step;

/// Ticks from one epoch to the next.
const STEP: i64 = 10;

/// A process as it really was.
#[derive(Clone, Debug)]
struct Truth {
    id: usize,
    version: usize,
    born: i64,
    dies: i64,
    /// When it served a request each, sorted or not.
    served: Vec<i64>,
    /// When its counter went back to zero although it went on.
    reset: Option<i64>,
    /// Epochs in which it did not answer.
    mute: Vec<i64>,
    /// Epochs in which it answered without its counters.
    untold: Vec<i64>,
}

impl Truth {
    fn alive(&self, tick: i64) -> bool {
        self.born <= tick && tick < self.dies
    }

    fn count(&self, from: i64, to: i64) -> u64 {
        let inside = |at: &&i64| self.alive(**at) && from < **at && **at <= to;
        self.served.iter().filter(inside).count() as u64
    }

    fn member(&self, epoch: i64) -> Member {
        let now = epoch * STEP;
        let from = self.reset.filter(|at| *at <= now).unwrap_or(i64::MIN);
        let requests = self.count(from, now);
        let reading = Reading { started: at(self.born), counts: [requests, requests * 2] };
        Member {
            id: self.id.to_string().into(),
            version: self.version.to_string().into(),
            born: Some(at(self.born)),
            there: Some(at(self.born)),
            reading: Some(reading).filter(|_| !self.untold.contains(&epoch)),
            connections: None,
        }
    }
}

fn at(tick: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(tick + 1_000)
}

fn tick(ms: i64) -> i64 {
    ms / 1_000
}

fn process(id: usize) -> impl Strategy<Value = Truth> {
    let ticks = -20_i64..80;
    let epochs = || prop::collection::vec(0_i64..8, 0..2);
    (
        0..2_usize,
        (ticks.clone(), 1_i64..120),
        prop::collection::vec(-20_i64..100, 0..30),
        prop::option::weighted(0.1, ticks),
        (epochs(), epochs()),
    )
        .prop_map(move |(version, (born, lives), served, reset, (mute, untold))| Truth {
            id,
            version,
            born,
            dies: born + lives,
            served,
            reset: reset.filter(|at| *at > born),
            mute,
            untold,
        })
}

/// A few processes; two of one id, one after the other, are a restart. Those always tell their
/// start: without it two processes of one id and version cannot be told apart. Servers and service
/// instances take a new id with every start.
fn processes() -> impl Strategy<Value = Vec<Truth>> {
    (process(0), process(0), process(1), process(2), process(3), 0_i64..30).prop_map(
        |(mut first, mut second, a, b, c, pause)| {
            first.untold.clear();
            second.untold.clear();
            let later = first.dies + pause - second.born;
            second.born += later;
            second.dies += later;
            second.served.iter_mut().for_each(|at| *at += later);
            second.reset = None;
            vec![first, second, a, b, c]
        },
    )
}

/// A window as the ledger told it, between the epochs that bound it.
struct Seen<'a> {
    told: Told,
    /// The last good epoch before it.
    floor: Option<i64>,
    /// Its last epoch.
    last: i64,
    /// The epoch that ended it, or the last.
    end: i64,
    members: Vec<&'a Truth>,
}

/// Plays the epochs, and hands over every window that is told.
fn play<'a>(all: &'a [Truth], each: &mut dyn FnMut(&Seen<'a>)) {
    let mut ledger = Ledger::default();
    let (mut floor, mut last, mut seen): (_, _, Vec<&Truth>) = (None, 0, Vec::new());
    for epoch in 0..8 {
        let now = epoch * STEP;
        let alive = || all.iter().filter(|truth| truth.alive(now));
        let answer = |truth: &&Truth| !truth.mute.contains(&epoch);
        let members: Vec<Member> = alive().filter(answer).map(|t| t.member(epoch)).collect();
        let step = Step { epoch: 0, time: at(now), previous: None, confirm_after_ms: 0 };
        let there = alive().filter(answer);
        if versions(&members).len() > 1 {
            last = now;
            for truth in there {
                if !seen.iter().any(|known| std::ptr::eq(*known, truth)) {
                    seen.push(truth);
                }
            }
            let told = ledger.mixed(&members, &step);
            each(&Seen { told, floor, last, end: now, members: seen.clone() });
        } else if alive().all(|truth| answer(&truth)) {
            // Somebody who is mute hides whether two versions are there.
            if let Some(told) = ledger.agreed(&members, &step) {
                each(&Seen { told, floor, last, end: now, members: seen.clone() });
            }
            (floor, seen) = (Some(now), Vec::new());
        }
    }
}

/// From the first to the last tick between two epochs at which two versions were there.
fn coexisted(all: &[Truth], from: i64, to: i64) -> Option<(i64, i64)> {
    let mixed = |tick: &i64| {
        let mut there = all.iter().filter(|truth| truth.alive(*tick)).map(|truth| truth.version);
        let first = there.next();
        there.any(|version| Some(version) != first)
    };
    let mut ticks = (from..=to).filter(mixed);
    let first = ticks.next()?;
    Some((first, ticks.next_back().unwrap_or(first)))
}

fn hold(all: &[Truth], seen: &Seen<'_>) -> Result<(), TestCaseError> {
    let since = seen.last - tick(seen.told.at_least_ms);
    let floor = seen.floor.unwrap_or(-40);
    let (first, until) = coexisted(all, floor, seen.end).unwrap_or((seen.last, seen.last));
    prop_assert!(first <= since, "certain since {since}, but two versions only since {first}");
    if let Some(most) = seen.told.at_most_ms {
        prop_assert!(tick(most) >= until - first);
    }
    let mut counts: BTreeMap<String, (u64, u64, bool)> = BTreeMap::new();
    for truth in &seen.members {
        let side = counts.entry(truth.version.to_string()).or_default();
        side.0 += truth.count(since - 1, seen.last);
        side.1 += truth.count(first - 1, until);
        side.2 |= truth.reset.is_some();
    }
    for (version, (certain, possible, reset)) in counts {
        let side = &seen.told.sides[version.as_str()];
        if let Some(least) = side.least {
            prop_assert!(least[0] <= certain, "{version}: at least {least:?}, served {certain}");
            prop_assert_eq!(least[1], least[0] * 2);
        }
        // A counter that went back and grew again beyond what it was cannot be told from one that
        // did not.
        if let Some(most) = side.most.filter(|_| !reset) {
            prop_assert!(most[0] >= possible, "{version}: at most {most:?}, served {possible}");
            prop_assert!(side.least.is_none_or(|least| least[0] <= most[0]));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_of_a_window_is_true(all in processes()) {
        let mut outcome = Ok(());
        play(&all, &mut |seen| {
            if outcome.is_ok() {
                outcome = hold(&all, seen);
            }
        });
        outcome?;
    }
}
