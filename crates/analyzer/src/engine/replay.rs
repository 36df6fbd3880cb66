//! The ordered half: judges the epochs of one system one after the other.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use nats_hindsight_model::decode::Memo;
use nats_hindsight_model::intake::Intake;
use nats_hindsight_model::systems::System;
use rayon::ThreadPool;
use rayon::prelude::*;
use smol_str::SmolStr;

use super::coverage::Coverage;
use super::observe::{Observed, Taken, observe};
use super::tally::{Tally, VerdictRow};
use super::{Options, plain, problem};
use crate::check::{Check, Limits, Opaque, Scan};
use crate::report::rfc3339;
use crate::report::{EpochRow, Problem, SystemReport};
use crate::verdict::{Judgement, Step};

/// A step longer than this many usual ones is a gap in the recording.
const GAP_STEPS: i64 = 3;

/// Pages of an archive from which on it keeps all threads busy.
const MANY_PAGES: usize = 2000;

/// Epochs that are observed together, as positions with their tracks, and where they stand.
type Stretch<'a> = (&'a [(usize, usize)], &'a [Step]);

/// Everything that stays the same while systems are replayed.
pub(super) struct Run<'a> {
    pub(super) intake: &'a Intake,
    pub(super) options: &'a Options,
    pub(super) checks: &'a [&'static Check],
    pub(super) pool: &'a ThreadPool,
    pub(super) progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// One track while it is replayed.
struct Track {
    states: Vec<Option<Opaque>>,
    clocks: BTreeMap<SmolStr, Timestamp>,
    /// Index of its last epoch.
    last: Option<usize>,
    /// Usual step in milliseconds, if there are enough to have one.
    usual_ms: Option<i64>,
}

impl Run<'_> {
    /// Replays one system.
    pub(super) fn system(
        &self,
        plan: &System,
        problems: &mut Vec<Problem>,
        log: &mut Vec<VerdictRow>,
        done: &mut usize,
    ) -> SystemReport {
        let mut replay = Replay {
            run: self,
            plan,
            tracks: (0..plan.tracks.len()).map(|track| self.track(plan, track)).collect(),
            tally: Tally::new(self.checks, self.options),
            coverage: Coverage::default(),
            rows: Vec::new(),
            problems: Vec::new(),
        };
        let steps = steps(plan, self.intake);
        let memo = Memo::default();
        let window = self.window(plan);
        let mut windows = plan.epochs.chunks(window).zip(steps.chunks(window));
        let observe = |next: Option<Stretch<'_>>| {
            memo.next_stretch();
            next.map(|(chunk, steps)| self.observe(chunk, steps, &memo)).unwrap_or_default()
        };
        self.pool.install(|| {
            let mut current = windows.next();
            let mut observed = observe(current);
            while let Some((chunk, steps)) = current {
                let next = windows.next();
                let ready = std::mem::take(&mut observed);
                // While these epochs are judged in their order, the next ones are observed.
                let judge = || {
                    for ((observed, step), (_, track)) in ready.into_iter().zip(steps).zip(chunk) {
                        replay.judge(observed, step, *track);
                        *done += 1;
                        (self.progress)(*done, self.intake.epochs.len());
                    }
                };
                ((), observed) = rayon::join(judge, || observe(next));
                current = next;
            }
        });
        problems.append(&mut replay.problems);
        let said = replay.tally.take_log().into_iter();
        log.extend(said.map(|row| VerdictRow { system: plan.label.clone(), ..row }));
        replay.report()
    }

    /// How many epochs are observed together. A large archive keeps all threads busy by itself, and
    /// of such epochs no more than one is held.
    fn window(&self, plan: &System) -> usize {
        let mut epochs = plan.epochs.iter().map(|(at, _)| &self.intake.epochs[*at]);
        if epochs.any(|epoch| epoch.is_captured() && epoch.extent().0 > MANY_PAGES) {
            return 1;
        }
        self.pool.current_num_threads().max(1) * 2
    }

    /// Observes some epochs, in parallel.
    fn observe(&self, chunk: &[(usize, usize)], steps: &[Step], memo: &Memo) -> Vec<Observed> {
        let settings = &self.options.settings;
        let observe = |((at, _), step): (&(usize, usize), &Step)| {
            observe(&self.intake.epochs[*at], self.checks, settings, step, memo)
        };
        chunk.par_iter().zip(steps).map(observe).collect()
    }

    fn track(&self, plan: &System, track: usize) -> Track {
        let times: Vec<i64> = plan
            .epochs
            .iter()
            .filter(|(_, of)| *of == track)
            .map(|(at, _)| self.intake.epochs[*at].head.start.as_millisecond())
            .collect();
        let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_unstable();
        let states = self
            .checks
            .iter()
            .map(|check| match &check.scan {
                Scan::Follow(follow) => Some((follow.start)()),
                Scan::Epoch(_) => None,
            })
            .collect();
        // Of two steps neither is the usual one.
        let usual_ms = (steps.len() > 2).then(|| steps[(steps.len() - 1) / 2]);
        Track { states, clocks: BTreeMap::new(), last: None, usual_ms }
    }
}

/// Where each epoch of a system stands in its track.
fn steps(plan: &System, intake: &Intake) -> Vec<Step> {
    let mut last: BTreeMap<usize, Timestamp> = BTreeMap::new();
    plan.epochs
        .iter()
        .enumerate()
        .map(|(epoch, (at, track))| {
            let time = intake.epochs[*at].head.start;
            let previous = last.insert(*track, time);
            Step { epoch, time, previous, confirm_after_ms: 0 }
        })
        .collect()
}

/// The replay of one system.
struct Replay<'a> {
    run: &'a Run<'a>,
    plan: &'a System,
    tracks: Vec<Track>,
    tally: Tally<'a>,
    coverage: Coverage,
    rows: Vec<EpochRow>,
    problems: Vec<Problem>,
}

impl Replay<'_> {
    fn judge(&mut self, observed: Observed, step: &Step, track: usize) {
        let label = Some(self.plan.label.as_str());
        let step = Step { confirm_after_ms: observed.epoch.confirm_after_ms, ..*step };
        self.problems.extend(observed.problems.iter().map(|p| problem(p, label)));
        for (kind, text) in &observed.epoch.remarks {
            let mut problem = plain(kind, text.clone(), label);
            problem.epoch = Some(observed.epoch.uuid.clone());
            self.problems.push(problem);
        }
        self.coverage.add(step.epoch, &observed.asked);
        let state = &mut self.tracks[track];
        if let (Some(last), Some(usual)) = (state.last, state.usual_ms)
            && step.since_previous_ms() > usual.saturating_mul(GAP_STEPS)
        {
            self.tally.not_recorded(last, step.epoch);
        }
        let in_order = state.advance(&observed.epoch.clocks);
        // Checks know nothing of each other; what they say is taken in their order.
        let said: Vec<Option<Judgement>> = observed
            .taken
            .into_par_iter()
            .zip(&mut state.states)
            .enumerate()
            .map(|(at, (taken, state))| self.run.said(at, taken, state, &step, in_order))
            .collect();
        for (at, said) in said.into_iter().enumerate() {
            match said {
                Some(said) => {
                    for (kind, text) in &said.problems {
                        self.problems.push(plain(kind, text.clone(), label));
                    }
                    self.tally.take(at, track, &step, said);
                }
                None => self.tally.out_of_order(at, &step, in_order),
            }
        }
        state.last = Some(step.epoch);
        self.rows.push(EpochRow {
            index: step.epoch,
            uuid: observed.epoch.uuid,
            time: rfc3339(observed.epoch.time),
            collector: observed.epoch.collector,
            complete: observed.epoch.complete,
            digest: observed.epoch.digest,
        });
    }

    fn report(self) -> SystemReport {
        let uuids: Vec<String> = self.rows.iter().map(|row| row.uuid.clone()).collect();
        self.tally.report(self.plan.label.clone(), self.rows, &uuids, self.coverage.rows())
    }
}

impl Run<'_> {
    /// What a check says of an epoch; nothing if it failed, or if the epoch cannot be compared
    /// with the one before.
    fn said(
        &self,
        at: usize,
        taken: Taken,
        state: &mut Option<Opaque>,
        step: &Step,
        in_order: bool,
    ) -> Option<Judgement> {
        let check = self.checks[at];
        match (&check.scan, taken) {
            (_, Taken::Said(said)) => Some(said),
            (Scan::Follow(follow), Taken::Facts(facts)) if in_order => {
                let limits = Limits { check, settings: &self.options.settings };
                let state: &mut (dyn Any + Send) = state.as_deref_mut()?;
                let mut said = Judgement::default();
                let judged = catch_unwind(AssertUnwindSafe(|| {
                    (follow.judge)(state, facts.as_ref(), &limits, step, &mut said);
                }));
                judged.is_ok().then_some(said)
            }
            _ => None,
        }
    }
}

impl Track {
    /// Takes the servers' clocks of the next epoch, and says whether they advanced: a pair of
    /// epochs in the wrong order must not be read as a change. A single clock that was set back
    /// is not enough to say so.
    fn advance(&mut self, clocks: &[(SmolStr, Timestamp)]) -> bool {
        // A clock that stands still is the same reply twice, and says nothing of the order.
        let moved = clocks.iter().filter_map(|(id, now)| {
            let before = self.clocks.get(id)?;
            (now != before).then_some(now > before)
        });
        let common: Vec<bool> = moved.collect();
        let advanced = common.iter().filter(|advanced| **advanced).count();
        let in_order = common.is_empty() || advanced * 2 >= common.len();
        if in_order {
            self.clocks = clocks.iter().cloned().collect();
        }
        in_order
    }
}
