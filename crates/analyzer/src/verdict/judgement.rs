//! What a check says: verdicts, one per subject, and remarks beside them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::reason::Reason;
use crate::report::{Severity, Subject};

/// Where in a sequence a check judges.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Index of the epoch in the timeline of its system.
    pub epoch: usize,
    /// Start of the epoch: the only "now" there is.
    pub time: Timestamp,
    /// Start of the previous epoch of the same track.
    pub previous: Option<Timestamp>,
    /// Milliseconds that two proofs of absence must be apart, as the collector was told.
    pub confirm_after_ms: u64,
}

impl Step {
    /// Milliseconds since the previous epoch of the track; 0 in the first.
    pub fn since_previous_ms(&self) -> i64 {
        self.previous.map_or(0, |previous| millis_between(previous, self.time))
    }

    /// What "recent" means here: daily epochs must not turn every rollout into a stall.
    pub fn recent_ms(&self, threshold_ms: i64) -> i64 {
        threshold_ms.max(self.since_previous_ms())
    }
}

/// How long a mix of variants has lasted as far as ages tell, in milliseconds: since the younger of
/// two different variants came (`ages` holds the greatest age of each); never longer than since the
/// last agreement, never shorter than since the mix was first seen. What is older than the last
/// agreement came from elsewhere since, so that this is no bound; [`mixed_since`] is.
pub fn lasting_ms(
    mut ages: Vec<i64>,
    last_ok: Option<Timestamp>,
    open_since: Option<Timestamp>,
    now: Timestamp,
) -> Option<i64> {
    ages.sort_unstable_by(|a, b| b.cmp(a));
    let by_age = ages.get(1).copied();
    let capped = match (by_age, last_ok) {
        (Some(age), Some(ok)) => Some(age.min(millis_between(ok, now))),
        (age, _) => age,
    };
    capped.max(open_since.map(|open| millis_between(open, now)))
}

/// From when on a mix of variants certainly stood, where it is first seen `now`: since the oldest
/// member of the second variant came (`oldest` holds that of each). What came before the last
/// agreement was elsewhere then, and proves nothing.
pub fn mixed_since(
    mut oldest: Vec<Timestamp>,
    last_ok: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    oldest.sort_unstable();
    let second = oldest.get(1).copied();
    second.filter(|at| *at <= now && last_ok.is_none_or(|ok| *at >= ok)).unwrap_or(now)
}

/// Milliseconds from one time to another, never negative.
pub fn millis_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0)
}

/// How an interval closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// `cured` or `ended`.
    pub how: &'static str,
    /// What ended it, in words; empty for a plain cure.
    pub because: String,
}

impl Closing {
    /// The subject is good again.
    pub fn cured() -> Self {
        Self { how: "cured", because: String::new() }
    }

    /// The subject is over, or its odd side left sight.
    pub fn ended(because: impl Into<String>) -> Self {
        Self { how: "ended", because: because.into() }
    }
}

/// What is said of one subject in one epoch.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Good. Closes an open interval as told.
    Ok(Closing),
    /// Bad.
    Finding(Box<Face>),
    /// Nothing can be said.
    Unknown {
        /// Why.
        reason: Reason,
        /// What hides the answer.
        hides: Vec<Subject>,
        /// Set where what had fired is known to be over although something else is not seen.
        closes: Option<Closing>,
    },
    /// The check does not apply.
    NotApplicable(Option<Closing>),
}

/// What a finding looks like in one epoch.
#[derive(Clone, Debug)]
pub struct Face {
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub summary: String,
    /// The fields whose change is a new chapter of the story.
    pub face: BTreeMap<&'static str, Value>,
    /// All fields of the check.
    pub details: Value,
    /// What it rests on.
    pub evidence: Vec<Fact>,
    /// Whom it concerns; another track closes the interval only if it sees all of them.
    pub members: BTreeSet<SmolStr>,
}

/// Details with lists of rows in them. `json!` would copy every row once more.
pub fn with_rows<const N: usize>(
    mut details: Value,
    lists: [(&'static str, Vec<Value>); N],
) -> Value {
    for (name, rows) in lists {
        details[name] = Value::Array(rows);
    }
    details
}

/// One observed fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Endpoint that told it.
    pub endpoint: String,
    /// Who told it.
    pub source: String,
    /// Path in the reply.
    pub path: String,
}

impl Fact {
    /// A fact from a reply.
    pub fn new(
        name: &'static str,
        value: impl Into<Value>,
        endpoint: impl Into<String>,
        source: impl AsRef<str>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            name,
            value: value.into(),
            endpoint: endpoint.into(),
            source: source.as_ref().to_owned(),
            path: path.into(),
        }
    }
}

/// Collects what one check says about one epoch.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Verdicts, each with those a good one saw, in order.
    pub(crate) verdicts: Vec<(Subject, Verdict, Vec<SmolStr>)>,
    pub(crate) problems: Vec<(&'static str, String)>,
    pub(crate) exceptions: Vec<(&'static str, Subject, String)>,
    pub(crate) names: BTreeMap<SmolStr, SmolStr>,
    pub(crate) unseen: Vec<(&'static str, Subject)>,
    pub(crate) conclusions: BTreeMap<Subject, Value>,
}

impl Judgement {
    /// The subject is good; `members` are those that were seen to be.
    pub fn ok(&mut self, subject: Subject, members: impl IntoIterator<Item = SmolStr>) {
        self.verdicts.push((subject, Verdict::Ok(Closing::cured()), in_order(members)));
    }

    /// The subject is good because its odd side is over, not because it was mended.
    pub fn ok_ended(
        &mut self,
        subject: Subject,
        members: impl IntoIterator<Item = SmolStr>,
        because: String,
    ) {
        self.verdicts.push((subject, Verdict::Ok(Closing::ended(because)), in_order(members)));
    }

    /// The subject is bad.
    pub fn finding(&mut self, subject: Subject, face: Face) {
        self.verdicts.push((subject, Verdict::Finding(Box::new(face)), Vec::new()));
    }

    /// Nothing can be said of the subject.
    pub fn unknown(&mut self, subject: Subject, reason: Reason, hides: Vec<Subject>) {
        let verdict = Verdict::Unknown { reason, hides, closes: None };
        self.verdicts.push((subject, verdict, Vec::new()));
    }

    /// Nothing can be said of the subject as a whole, but what had fired is over.
    pub fn unknown_but_cured(&mut self, subject: Subject, reason: Reason, hides: Vec<Subject>) {
        let verdict = Verdict::Unknown { reason, hides, closes: Some(Closing::cured()) };
        self.verdicts.push((subject, verdict, Vec::new()));
    }

    /// The check does not apply to the subject.
    pub fn not_applicable(&mut self, subject: Subject) {
        self.verdicts.push((subject, Verdict::NotApplicable(None), Vec::new()));
    }

    /// The subject is over.
    pub fn ended(&mut self, subject: Subject, because: impl Into<String>) {
        let verdict = Verdict::NotApplicable(Some(Closing::ended(because)));
        self.verdicts.push((subject, verdict, Vec::new()));
    }

    /// Something odd about the recording or the system that is no verdict.
    pub fn problem(&mut self, kind: &'static str, text: String) {
        self.problems.push((kind, text));
    }

    /// Something the configuration lets pass.
    pub fn exception(&mut self, kind: &'static str, subject: Subject, reason: String) {
        self.exceptions.push((kind, subject, reason));
    }

    /// The display name of an account, which the report shows beside its id.
    pub fn name_account(&mut self, id: &str, name: &str) {
        // An id in place of a name is no name: another epoch or track may know a better one.
        if id != name {
            self.names.insert(id.into(), name.into());
        }
    }

    /// The display name of a user, which the report shows in place of its public key.
    pub fn name_user(&mut self, id: &str, name: &str) {
        self.name_account(id, name);
    }

    /// What the details of the subject's interval are from this epoch on, where it is not judged
    /// bad: once it has closed, if the epoch that closes it is the first to tell all of them, or
    /// while nothing can be said of it, if that alone changes them. Without an interval that was
    /// open this does nothing.
    pub fn conclude(&mut self, subject: Subject, details: Value) {
        self.conclusions.insert(subject, details);
    }

    /// A facet of the subject that was not seen, although a verdict was reached without it, good or
    /// bad.
    pub fn unseen(&mut self, facet: &'static str, subject: Subject) {
        self.unseen.push((facet, subject));
    }
}

fn in_order(members: impl IntoIterator<Item = SmolStr>) -> Vec<SmolStr> {
    let mut members: Vec<SmolStr> = members.into_iter().collect();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_lasts_since_the_younger_side_came() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let day = 86_400_000;
        assert_eq!(lasting_ms(vec![90 * day, 41 * day], None, None, at(0)), Some(41 * day));
        assert_eq!(lasting_ms(vec![90 * day], None, None, at(0)), None);
        // All agreed a minute ago, so it cannot have lasted for days.
        let ok = Some(at(0));
        assert_eq!(lasting_ms(vec![90 * day, 41 * day], ok, None, at(60)), Some(60_000));
        // A restart makes ages small, but the mix was seen before.
        assert_eq!(lasting_ms(vec![9, 5], ok, Some(at(20)), at(60)), Some(40_000));
    }

    #[test]
    fn a_mix_certainly_stands_since_the_second_side_came() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(mixed_since(vec![at(5), at(1)], None, at(60)), at(5));
        assert_eq!(mixed_since(vec![at(5)], None, at(60)), at(60));
        assert_eq!(mixed_since(vec![at(5), at(30)], Some(at(20)), at(60)), at(30));
        // All agreed since, so the second side was elsewhere when it started.
        assert_eq!(mixed_since(vec![at(5), at(6)], Some(at(20)), at(60)), at(60));
        // A clock that is ahead.
        assert_eq!(mixed_since(vec![at(5), at(90)], None, at(60)), at(60));
    }
}
