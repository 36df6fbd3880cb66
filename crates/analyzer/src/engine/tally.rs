//! Gathers what the checks say of one system into its part of the report.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use smol_str::SmolStr;

use super::Options;
use super::interval::{NOT_RECORDED, Said, Stories, Story};
use crate::check::Check;
use crate::report::{
    CheckTotals, CoverageRow, EpochRow, Exception, Finding, Subject, SystemReport, Unknown, Unseen,
    rfc3339, runs,
};
use crate::verdict::{Judgement, Reason, Step, Verdict};

/// Most subjects listed in one group of unknowns.
const MAX_SUBJECTS: usize = 20;

/// One verdict, as a rule author wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerdictRow {
    /// Label of the system.
    pub system: String,
    /// Index of the epoch.
    pub epoch: usize,
    /// Code of the check.
    pub code: &'static str,
    /// What it is about; accounts by id.
    pub subject: Subject,
    /// `ok`, `finding`, `unknown` or `not_applicable`.
    pub verdict: &'static str,
    /// Why it is unknown.
    pub reason: Option<&'static str>,
}

type Excuse = (&'static str, Subject, String);
type Epochs = BTreeSet<usize>;
type Hidden = (usize, Reason, Vec<Subject>);

/// The part of a report that grows from verdicts.
pub(super) struct Tally<'a> {
    checks: &'a [&'static Check],
    options: &'a Options,
    /// By check.
    stories: Vec<Stories>,
    totals: Vec<CheckTotals>,
    unknowns: BTreeMap<Hidden, BTreeMap<Subject, Epochs>>,
    exceptions: BTreeMap<(usize, Excuse), Epochs>,
    /// Names of accounts and users, by id.
    names: BTreeMap<SmolStr, SmolStr>,
    unseen: BTreeMap<(usize, &'static str), (Epochs, BTreeSet<Subject>)>,
    log: Vec<VerdictRow>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(checks: &'a [&'static Check], options: &'a Options) -> Self {
        let totals = checks
            .iter()
            .map(|check| CheckTotals {
                code: check.code,
                subjects: 0,
                ok: 0,
                finding: 0,
                unknown: 0,
                not_applicable: 0,
            })
            .collect();
        Self {
            checks,
            options,
            stories: checks.iter().map(|_| Stories::new()).collect(),
            totals,
            unknowns: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            names: BTreeMap::new(),
            unseen: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// Takes what one check says of one epoch.
    pub(super) fn take(&mut self, at: usize, track: usize, step: &Step, said: Judgement) {
        let severity = self.options.settings.severities.get(self.checks[at].code).copied();
        for (subject, verdict, members) in said.verdicts {
            self.count(at, step.epoch, &subject, &verdict);
            let place = Said {
                epoch: step.epoch,
                time: step.time,
                track,
                members: &members,
                severity,
                conclusion: said.conclusions.get(&subject),
            };
            if let Some(story) = self.stories[at].get_mut(&subject) {
                story.take(&place, verdict);
            } else {
                let mut story = Story::default();
                story.take(&place, verdict);
                self.stories[at].insert(subject, story);
            }
        }
        self.names.extend(said.names);
        for excuse in said.exceptions {
            self.exceptions.entry((at, excuse)).or_default().insert(step.epoch);
        }
        for (facet, subject) in said.unseen {
            let (epochs, subjects) = self.unseen.entry((at, facet)).or_default();
            epochs.insert(step.epoch);
            subjects.insert(subject);
        }
        self.silent(at, step.epoch, Reason::NotSeen);
    }

    /// Nothing a check could say of this epoch counts: it failed, or the epoch is out of order.
    pub(super) fn out_of_order(&mut self, at: usize, step: &Step, in_order: bool) {
        let reason = if in_order { Reason::CheckFailed } else { Reason::OutOfOrder };
        self.silent(at, step.epoch, reason);
        let closed = self.subjects(at, |story| !story.is_open());
        for subject in closed {
            self.unknown(at, step.epoch, &subject, reason, Vec::new());
        }
    }

    /// The subjects of a check whose stories are of a kind.
    fn subjects(&self, at: usize, which: impl Fn(&Story) -> bool) -> Vec<Subject> {
        let stories = self.stories[at].iter().filter(|(_, story)| which(story));
        stories.map(|(subject, _)| subject.clone()).collect()
    }

    /// Subjects with an open interval of which nothing was said.
    fn silent(&mut self, at: usize, epoch: usize, reason: Reason) {
        for subject in self.subjects(at, |story| story.is_open() && !story.spoke_in(epoch)) {
            self.unknown(at, epoch, &subject, reason, Vec::new());
            if let Some(story) = self.stories[at].get_mut(&subject) {
                story.nothing_said(epoch, reason);
            }
        }
    }

    /// A stretch of time that was not recorded.
    pub(super) fn not_recorded(&mut self, from: usize, to: usize) {
        for story in self.stories.iter_mut().flat_map(BTreeMap::values_mut) {
            story.gap(from, to, NOT_RECORDED);
        }
    }

    fn count(&mut self, at: usize, epoch: usize, subject: &Subject, verdict: &Verdict) {
        let (total, word) = match verdict {
            Verdict::Ok(_) => (&mut self.totals[at].ok, "ok"),
            Verdict::Finding(_) => (&mut self.totals[at].finding, "finding"),
            Verdict::NotApplicable(_) => (&mut self.totals[at].not_applicable, "not_applicable"),
            Verdict::Unknown { reason, hides, .. } => {
                return self.unknown(at, epoch, subject, *reason, hides.clone());
            }
        };
        *total += 1;
        self.note(at, epoch, subject, word, None);
    }

    fn note(
        &mut self,
        at: usize,
        epoch: usize,
        subject: &Subject,
        verdict: &'static str,
        reason: Option<&'static str>,
    ) {
        if self.options.keep_verdicts {
            let (system, code) = (String::new(), self.checks[at].code);
            let subject = subject.clone();
            self.log.push(VerdictRow { system, epoch, code, subject, verdict, reason });
        }
    }

    /// The verdicts one by one, if they were kept.
    pub(super) fn take_log(&mut self) -> Vec<VerdictRow> {
        std::mem::take(&mut self.log)
    }

    fn unknown(
        &mut self,
        at: usize,
        epoch: usize,
        subject: &Subject,
        reason: Reason,
        mut hides: Vec<Subject>,
    ) {
        hides.sort();
        hides.dedup();
        self.totals[at].unknown += 1;
        self.note(at, epoch, subject, "unknown", Some(reason.name()));
        self.unknowns
            .entry((at, reason, hides))
            .or_default()
            .entry(subject.clone())
            .or_default()
            .insert(epoch);
    }

    pub(super) fn report(
        mut self,
        system: String,
        epochs: Vec<EpochRow>,
        uuids: &[String],
        coverage: Vec<CoverageRow>,
    ) -> SystemReport {
        for (totals, stories) in self.totals.iter_mut().zip(&self.stories) {
            totals.subjects = stories.len();
        }
        let range = Range::of(self.options, &epochs);
        let checks = self.checks;
        let stories = std::mem::take(&mut self.stories);
        let mut findings: Vec<Finding> = stories
            .into_iter()
            .zip(checks)
            .flat_map(|(stories, check)| stories.into_iter().map(move |story| (check, story)))
            .flat_map(|(check, (subject, story))| story.findings(check, &subject, uuids))
            .filter(|finding| range.touches(finding))
            .collect();
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut report = SystemReport {
            system,
            findings,
            unknowns: self.unknowns(&range),
            exceptions: self.exceptions(&range),
            unseen: self.unseen(&range),
            checks: self.totals,
            coverage,
            epochs,
        };
        name_by_id(&mut report, &self.names);
        report
    }

    /// Groups unknowns by code, reason, what hides the answer, and epochs.
    fn unknowns(&self, range: &Range) -> Vec<Unknown> {
        let mut all = Vec::new();
        for ((at, reason, hides), subjects) in &self.unknowns {
            let mut groups: BTreeMap<Vec<[usize; 2]>, Vec<&Subject>> = BTreeMap::new();
            for (subject, epochs) in subjects {
                let epochs: BTreeSet<usize> =
                    epochs.iter().copied().filter(|epoch| range.holds(*epoch)).collect();
                if !epochs.is_empty() {
                    groups.entry(runs(&epochs)).or_default().push(subject);
                }
            }
            for (epochs, subjects) in groups {
                all.push(Unknown {
                    code: self.checks[*at].code,
                    reason: reason.name(),
                    hides: hides.clone(),
                    text: reason.text().to_owned(),
                    cure: reason.cure().to_owned(),
                    epochs,
                    count: subjects.len(),
                    subjects: subjects.into_iter().take(MAX_SUBJECTS).cloned().collect(),
                });
            }
        }
        all
    }

    fn exceptions(&self, range: &Range) -> Vec<Exception> {
        let mut all: Vec<Exception> = self
            .exceptions
            .iter()
            .map(|((at, (kind, subject, reason)), epochs)| Exception {
                kind,
                code: self.checks[*at].code,
                subject: subject.clone(),
                reason: reason.clone(),
                epochs: runs(&epochs.iter().copied().filter(|e| range.holds(*e)).collect()),
            })
            .filter(|exception| !exception.epochs.is_empty())
            .collect();
        all.sort();
        all
    }

    fn unseen(&self, range: &Range) -> Vec<Unseen> {
        self.unseen
            .iter()
            .map(|((at, facet), (epochs, subjects))| Unseen {
                code: self.checks[*at].code,
                facet,
                epochs: runs(&epochs.iter().copied().filter(|e| range.holds(*e)).collect()),
                count: subjects.len(),
                subjects: subjects.iter().take(MAX_SUBJECTS).cloned().collect(),
            })
            .filter(|unseen| !unseen.epochs.is_empty())
            .collect()
    }
}

/// Shows accounts and users by name where one is known. Subjects are told apart by id, because a name may be
/// seen in one epoch and not in the next.
fn name_by_id(report: &mut SystemReport, names: &BTreeMap<SmolStr, SmolStr>) {
    let findings = report.findings.iter_mut().map(|finding| &mut finding.subject);
    let unknowns = report
        .unknowns
        .iter_mut()
        .flat_map(|unknown| unknown.subjects.iter_mut().chain(&mut unknown.hides));
    let exceptions = report.exceptions.iter_mut().map(|exception| &mut exception.subject);
    let unseen = report.unseen.iter_mut().flat_map(|unseen| &mut unseen.subjects);
    for subject in findings.chain(unknowns).chain(exceptions).chain(unseen) {
        let shown: &mut [(&mut SmolStr, &SmolStr)] = match subject {
            Subject::Service { account, account_id, .. } => &mut [(account, account_id)],
            Subject::User { account, account_id, user, user_id } => {
                &mut [(account, account_id), (user, user_id)]
            }
            _ => &mut [],
        };
        for (shown, id) in shown {
            if let Some(name) = names.get(*id) {
                shown.clone_from(name);
            }
        }
    }
}

/// Worst first; among equals open before closed, newer before older, then by code and subject.
fn order(finding: &Finding) -> impl Ord + '_ {
    (
        std::cmp::Reverse(finding.worst_severity),
        finding.closed.is_some(),
        std::cmp::Reverse(finding.opened.moment.epoch),
        finding.code,
        &finding.subject,
    )
}

/// The part of the timeline that is reported.
struct Range {
    from: Option<String>,
    to: Option<String>,
    epochs: Vec<usize>,
}

impl Range {
    fn of(options: &Options, epochs: &[EpochRow]) -> Self {
        let text = |time: Option<Timestamp>| time.map(rfc3339);
        let (mut from, mut to) = (text(options.from), text(options.to));
        if let Some(at) = text(options.at) {
            // The epoch in force at that time; before the first there is none.
            let last = epochs.iter().rfind(|row| row.time <= at).map(|row| row.time.clone());
            from = Some(last.clone().unwrap_or_else(|| at.clone()));
            to = Some(last.unwrap_or(at));
        }
        let inside = |row: &&EpochRow| {
            from.as_ref().is_none_or(|from| row.time >= *from)
                && to.as_ref().is_none_or(|to| row.time <= *to)
        };
        let held = epochs.iter().filter(inside).map(|row| row.index).collect();
        Self { from, to, epochs: held }
    }

    fn holds(&self, epoch: usize) -> bool {
        self.epochs.binary_search(&epoch).is_ok()
    }

    /// Whether an interval touches the range: "down since 08:00" survives `--from 09:00`.
    fn touches(&self, finding: &Finding) -> bool {
        let starts = self.to.as_ref().is_none_or(|to| finding.opened.moment.time <= *to);
        let ends = finding.closed.as_ref().map(|closed| &closed.moment.time);
        let lasts = match (&self.from, ends) {
            (Some(from), Some(end)) => end >= from,
            _ => true,
        };
        starts && lasts
    }
}
