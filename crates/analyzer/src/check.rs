//! What a check is: data and pure functions.

use std::any::Any;
use std::fmt;

use nats_hindsight_model::View;
use nats_hindsight_snapshot::Endpoint;

use crate::report::Severity;
use crate::verdict::{Judgement, Step};

/// Everything known about a check.
pub struct Check {
    /// Code, such as `SERVER_002`; never reused.
    pub code: &'static str,
    /// Slug, such as `server-version-mismatch`; as good as the code everywhere.
    pub slug: &'static str,
    /// What it reports, lower case, no full stop.
    pub title: &'static str,
    /// Default severity.
    pub severity: Severity,
    /// Consistency, Health, …
    pub category: &'static str,
    /// Kind of its subjects: `cluster`, `server`, `service`; separated by commas where it judges
    /// several, which [`Check::kinds`] tells apart.
    pub subject: &'static str,
    /// Groups of endpoints without which it cannot say `ok`; of each group any one is enough.
    pub required: &'static [&'static [Endpoint]],
    /// Endpoints that add to what it says.
    pub enriching: &'static [Endpoint],
    /// Thresholds with their defaults.
    pub thresholds: &'static [&'static Threshold],
    /// Whether it looks at one epoch or follows the sequence.
    pub scan: Scan,
    /// Its page, in Markdown.
    pub page: &'static str,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Check {
    /// Whether the check may see replies of an endpoint.
    pub fn declares(&self, endpoint: &Endpoint) -> bool {
        self.required.iter().any(|group| group.contains(endpoint))
            || self.enriching.contains(endpoint)
    }

    /// Whether it looks at the settings of servers.
    pub(crate) fn reads_settings(&self) -> bool {
        matches!(&self.scan, Scan::Follow(follow) if follow.settings)
    }

    /// The kinds of subjects it judges, each with what it requires.
    pub fn kinds(&self) -> Vec<Kind> {
        match &self.scan {
            Scan::Follow(follow) if !follow.kinds.is_empty() => follow.kinds.to_vec(),
            _ => vec![Kind { subject: self.subject, required: self.required }],
        }
    }
}

/// How a check looks at a recording.
pub enum Scan {
    /// At one epoch by itself.
    Epoch(fn(&View<'_>, &Limits<'_>, &Step, &mut Judgement)),
    /// Along the sequence.
    Follow(Followed),
}

/// One kind of subject of a check, and what it takes to judge those.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `cluster`, `server`, `service`.
    pub subject: &'static str,
    /// Groups of endpoints without which it cannot say `ok` of such a subject.
    pub required: &'static [&'static [Endpoint]],
}

/// A check that follows the sequence in two pure halves.
pub trait Follow {
    /// What it takes from one epoch; small.
    type Facts: Send + 'static;
    /// What it carries from epoch to epoch of one track; small and bounded.
    type State: Default + Send + 'static;
    /// The kinds of subjects, for a check that judges several; what they require together is
    /// required of the check.
    const KINDS: &'static [Kind] = &[];
    /// Whether it looks at the settings of servers ([`View::settings`]). They are held only for
    /// those that do, because they are most of VARZ.
    const SETTINGS: bool = false;
    /// Takes the facts from one epoch. Runs in parallel.
    fn observe(view: &View<'_>) -> Self::Facts;
    /// Judges the next epoch of a track. Runs in order.
    fn judge(
        state: &mut Self::State,
        facts: &Self::Facts,
        limits: &Limits<'_>,
        step: &Step,
        out: &mut Judgement,
    );
}

/// Facts or state of some check, which only that check can open.
pub type Opaque = Box<dyn Any + Send>;

type JudgeFn = fn(&mut dyn Any, &dyn Any, &Limits<'_>, &Step, &mut Judgement);

/// The halves of a [`Follow`] check with their types erased.
pub struct Followed {
    pub(crate) observe: fn(&View<'_>) -> Opaque,
    pub(crate) start: fn() -> Opaque,
    pub(crate) judge: JudgeFn,
    pub(crate) kinds: &'static [Kind],
    pub(crate) settings: bool,
}

impl Followed {
    /// Erases the types of a check.
    pub const fn of<T: Follow>() -> Self {
        Self {
            observe: observe::<T>,
            start: start::<T>,
            judge: judge::<T>,
            kinds: T::KINDS,
            settings: T::SETTINGS,
        }
    }
}

fn observe<T: Follow>(view: &View<'_>) -> Opaque {
    Box::new(T::observe(view))
}

fn start<T: Follow>() -> Opaque {
    Box::new(T::State::default())
}

fn judge<T: Follow>(
    state: &mut dyn Any,
    facts: &dyn Any,
    limits: &Limits<'_>,
    step: &Step,
    out: &mut Judgement,
) {
    // The engine pairs facts and state of one check; a mismatch is impossible and says nothing.
    if let (Some(state), Some(facts)) =
        (state.downcast_mut::<T::State>(), facts.downcast_ref::<T::Facts>())
    {
        T::judge(state, facts, limits, step, out);
    }
}

/// A number a check compares with, which can be set.
#[derive(Debug)]
pub struct Threshold {
    /// Key, as in `SERVER_002.recent`.
    pub key: &'static str,
    /// Value unless set.
    pub default: Setting,
    /// What it means, in one line.
    pub doc: &'static str,
}

/// Value of a threshold; its variant is the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Milliseconds.
    Duration(i64),
    /// A plain count.
    Count(u64),
}

impl Threshold {
    /// A threshold in time; `default_s` in seconds.
    pub const fn seconds(key: &'static str, default_s: i64, doc: &'static str) -> Self {
        Self { key, default: Setting::Duration(default_s * 1000), doc }
    }

    /// A threshold that is a count.
    pub const fn count(key: &'static str, default: u64, doc: &'static str) -> Self {
        Self { key, default: Setting::Count(default), doc }
    }
}

/// Thresholds and exceptions in force for one check.
pub struct Limits<'a> {
    pub(crate) check: &'a Check,
    pub(crate) settings: &'a crate::settings::Settings,
}

impl Limits<'_> {
    /// Milliseconds of a threshold in time.
    pub fn millis(&self, threshold: &Threshold) -> i64 {
        match self.settings.threshold(self.check.code, threshold) {
            Setting::Duration(millis) => millis,
            Setting::Count(count) => i64::try_from(count).unwrap_or(i64::MAX),
        }
    }

    /// Value of a threshold that is a count.
    pub fn count(&self, threshold: &Threshold) -> u64 {
        match self.settings.threshold(self.check.code, threshold) {
            Setting::Count(count) => count,
            Setting::Duration(millis) => u64::try_from(millis).unwrap_or(0),
        }
    }

    /// What the operator allows on purpose.
    pub fn exceptions(&self) -> &crate::settings::Exceptions {
        &self.settings.exceptions
    }
}
