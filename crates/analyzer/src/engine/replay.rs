//! The ordered half: judges the epochs of one system one after the other.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use nats_hindsight_model::clocks::Clocks;
use nats_hindsight_model::decode::Memo;
use nats_hindsight_model::intake::Intake;
use nats_hindsight_model::systems::System;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::ahead::Ahead;
use super::coverage::Coverage;
use super::observe::{Observed, Taken, observe};
use super::tally::{Tally, VerdictRow};
use super::{Options, plain, problem};
use crate::check::{Check, Limits, Opaque, Scan};
use crate::pace::Pace;
use crate::report::rfc3339;
use crate::report::{EpochRow, Problem, SystemReport};
use crate::verdict::{Judgement, Step};

/// Epochs after which bodies that were not met again are forgotten.
const STRETCH: usize = 4;

/// Pages of an archive from which on it keeps all threads busy.
const MANY_PAGES: usize = 2000;

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
    clocks: Clocks,
    /// Index of its last epoch.
    last: Option<usize>,
    pace: Pace,
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
        let settings = self.checks.iter().any(|check| check.reads_settings());
        let memo = Memo::default().with_settings(settings);
        let ahead = Ahead::of(self.window(plan));
        self.pool.install(|| {
            rayon::scope_fifo(|scope| {
                let observe = |epoch: usize| {
                    let Some(((at, _), step)) = plan.epochs.get(epoch).zip(steps.get(epoch)) else {
                        return;
                    };
                    if epoch.is_multiple_of(STRETCH) {
                        memo.next_stretch();
                    }
                    let (index, memo, ahead) = (&self.intake.epochs[*at], &memo, &ahead);
                    scope.spawn_fifo(move |_| {
                        ahead.observed(epoch, || {
                            observe(index, self.checks, &self.options.settings, step, memo)
                        });
                    });
                };
                // While an epoch is judged in its order, the next ones are observed.
                (0..ahead.window()).for_each(observe);
                for (epoch, ((_, track), step)) in plan.epochs.iter().zip(&steps).enumerate() {
                    replay.judge(ahead.take(epoch), step, *track);
                    observe(epoch + ahead.window());
                    *done += 1;
                    (self.progress)(*done, self.intake.epochs.len());
                }
            });
        });
        // What is not needed any more is given back while the report is made.
        let states = replay.tracks.drain(..).map(|track| track.states).collect::<Vec<_>>();
        self.pool.spawn(move || drop((memo, states)));
        problems.append(&mut replay.problems);
        let said = replay.tally.take_log().into_iter();
        log.extend(said.map(|row| VerdictRow { system: plan.label.clone(), ..row }));
        replay.report()
    }

    /// How many epochs may be ahead: of each thread one in the making and one that waits. More would
    /// take more memory and gain nothing. A large archive keeps all threads busy by itself, and of
    /// such epochs no more than one is held.
    fn window(&self, plan: &System) -> usize {
        let mut epochs = plan.epochs.iter().map(|(at, _)| &self.intake.epochs[*at]);
        if epochs.any(|epoch| epoch.is_captured() && epoch.extent().0 > MANY_PAGES) {
            return 1;
        }
        self.pool.current_num_threads().max(1) * 2
    }

    fn track(&self, plan: &System, track: usize) -> Track {
        let times: Vec<i64> = plan
            .epochs
            .iter()
            .filter(|(_, of)| *of == track)
            .map(|(at, _)| self.intake.epochs[*at].head.start.as_millisecond())
            .collect();
        let pace = Pace::of(times.windows(2).map(|pair| pair[1] - pair[0]).collect());
        let states = self
            .checks
            .iter()
            .map(|check| match &check.scan {
                Scan::Follow(follow) => Some((follow.start)()),
                Scan::Epoch(_) => None,
            })
            .collect();
        Track { states, clocks: Clocks::default(), last: None, pace }
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
        if let Some(last) = state.last
            && state.pace.is_gap(step.since_previous_ms())
        {
            self.tally.not_recorded(last, step.epoch);
        }
        let in_order = state.advance(observed.epoch.clocks);
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
    fn advance(&mut self, clocks: Clocks) -> bool {
        let moved = clocks.moved_since(&self.clocks);
        let in_order = moved.forward >= moved.back;
        if in_order {
            self.clocks = clocks;
        }
        in_order
    }
}
