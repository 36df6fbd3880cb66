//! From verdicts in order to intervals: opened, persists, closed, flaps.
//!
//! A check never opens or closes anything; it says a verdict per subject, and this is the only
//! place where verdicts become a story.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use crate::check::Check;
use crate::registry::hex;
use crate::report::{
    Change, Closed, Evidence, Finding, Gap, Moment, Opened, Severity, Subject, rfc3339,
};
use crate::verdict::{Closing, Face, Reason, Verdict};

/// Most pieces of evidence in one finding.
const MAX_EVIDENCE: usize = 50;

/// Reason of a gap that is a step between two epochs, not a run of epochs.
pub(super) const NOT_RECORDED: &str = "not_recorded";

/// One verdict with its place in the timeline.
pub(super) struct Said<'a> {
    /// Index of the epoch.
    pub(super) epoch: usize,
    /// Its start.
    pub(super) time: Timestamp,
    /// Track it comes from.
    pub(super) track: usize,
    /// Those a good verdict saw, in order.
    pub(super) members: &'a [SmolStr],
    /// Severity from the configuration, if it sets one.
    pub(super) severity: Option<Severity>,
    /// The details of an open interval that this verdict closes or leaves open without judging it
    /// bad, if the check has more to say of it.
    pub(super) conclusion: Option<&'a Value>,
}

/// The story of one subject under one check.
#[derive(Default)]
pub(super) struct Story {
    open: Option<Open>,
    closed: Vec<Done>,
    last: Last,
    /// The last epoch in which anything was said.
    spoken: Option<usize>,
}

/// An epoch and its start, in words only where a report wants them: most verdicts say `ok` again.
type At = (usize, Timestamp);

fn moment((epoch, time): At) -> Moment {
    Moment { epoch, time: rfc3339(time) }
}

/// The verdict before.
#[derive(Default)]
enum Last {
    #[default]
    Nothing,
    Ok(At),
    Bad(At),
    Other,
}

struct Open {
    opened: Opened,
    last_seen: Moment,
    gaps: Vec<Gap>,
    changes: Vec<Change>,
    worst: Severity,
    severity: Severity,
    face: Face,
    evidence_epoch: usize,
    tracks: BTreeSet<usize>,
}

struct Done {
    open: Open,
    closed: Option<Closed>,
}

impl Story {
    /// Whether an interval is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether something was said in an epoch, of those that were told so far the last.
    pub(super) fn spoke_in(&self, epoch: usize) -> bool {
        self.spoken == Some(epoch)
    }

    /// Takes the next verdict.
    pub(super) fn take(&mut self, said: &Said<'_>, verdict: Verdict) {
        let at = (said.epoch, said.time);
        self.spoken = Some(said.epoch);
        match verdict {
            Verdict::Finding(face) => {
                self.bad(said, *face, &moment(at));
                self.last = Last::Bad(at);
            }
            Verdict::Ok(closing) => {
                if self.close(said, closing) {
                    self.last = Last::Ok(at);
                } else {
                    self.last = Last::Other;
                }
            }
            Verdict::Unknown { reason, closes, .. } => {
                if let Some(closing) = closes {
                    self.close(said, closing);
                }
                self.renew(said);
                self.gap(said.epoch, said.epoch, reason.name());
                self.last = Last::Other;
            }
            Verdict::NotApplicable(closes) => {
                if let Some(closing) = closes {
                    self.close(said, closing);
                }
                self.last = Last::Other;
            }
        }
    }

    /// Nothing was said of a subject with an open interval.
    pub(super) fn nothing_said(&mut self, epoch: usize, reason: Reason) {
        self.gap(epoch, epoch, reason.name());
        self.last = Last::Other;
    }

    /// Notes a stretch of an open interval in which nothing was said.
    pub(super) fn gap(&mut self, from: usize, to: usize, reason: &str) {
        let Some(open) = &mut self.open else { return };
        match open.gaps.last_mut() {
            // Two steps that were not recorded stay two: the epoch between them was.
            Some(gap) if gap.reason == reason && reason != NOT_RECORDED && gap.to + 1 >= from => {
                gap.to = gap.to.max(to);
            }
            _ => open.gaps.push(Gap { from, to, reason: reason.to_owned() }),
        }
    }

    fn bad(&mut self, said: &Said<'_>, face: Face, moment: &Moment) {
        let severity = said.severity.unwrap_or(face.severity);
        let Some(open) = &mut self.open else {
            self.open = Some(Open::new(said, face, severity, moment, &self.last));
            return;
        };
        if open.severity != severity || open.face.face != face.face {
            open.changes.push(Change { moment: moment.clone(), severity, face: face.face.clone() });
        }
        open.worst = open.worst.max(severity);
        open.severity = severity;
        open.face = face;
        open.evidence_epoch = moment.epoch;
        open.last_seen = moment.clone();
        open.tracks.insert(said.track);
    }

    /// Takes what a check that cannot judge the open interval has to say of it nevertheless. Another
    /// track may be in another interval of its own.
    fn renew(&mut self, said: &Said<'_>) {
        if let (Some(open), Some(details)) = (&mut self.open, said.conclusion)
            && open.tracks.contains(&said.track)
        {
            open.face.details.clone_from(details);
        }
    }

    /// Closes the open interval, if whoever speaks may: a track that had seen it bad, or one that
    /// sees everybody concerned. Returns false if an interval stays open.
    fn close(&mut self, said: &Said<'_>, closing: Closing) -> bool {
        let Some(mut open) = self.open.take() else { return true };
        let seen = |member: &SmolStr| said.members.binary_search(member).is_ok();
        if !open.tracks.contains(&said.track) && !open.face.members.iter().all(seen) {
            self.open = Some(open);
            return false;
        }
        if let Some(details) = said.conclusion {
            open.face.details.clone_from(details);
        }
        let last_bad = match &self.last {
            Last::Bad(at) => Some(moment(*at)),
            _ => None,
        };
        let moment = moment((said.epoch, said.time));
        let closed = Closed { moment, how: closing.how, last_bad, because: closing.because };
        self.closed.push(Done { open, closed: Some(closed) });
        true
    }

    /// All intervals as findings.
    pub(super) fn findings(
        self,
        check: &'static Check,
        subject: &Subject,
        uuids: &[String],
    ) -> Vec<Finding> {
        let mut done = self.closed;
        done.extend(self.open.map(|open| Done { open, closed: None }));
        done.into_iter()
            .enumerate()
            .map(|(flaps, done)| done.finding(check, subject, flaps, uuids))
            .collect()
    }
}

impl Open {
    fn new(said: &Said<'_>, face: Face, severity: Severity, moment: &Moment, last: &Last) -> Self {
        let last_ok = match last {
            Last::Ok(at) => Some(self::moment(*at)),
            _ => None,
        };
        let opened = Opened { moment: moment.clone(), at_or_before: last_ok.is_none(), last_ok };
        let first = Change { moment: moment.clone(), severity, face: face.face.clone() };
        Self {
            opened,
            last_seen: moment.clone(),
            gaps: Vec::new(),
            changes: vec![first],
            worst: severity,
            severity,
            face,
            evidence_epoch: moment.epoch,
            tracks: BTreeSet::from([said.track]),
        }
    }
}

impl Done {
    fn finding(
        self,
        check: &'static Check,
        subject: &Subject,
        flaps: usize,
        uuids: &[String],
    ) -> Finding {
        let open = self.open;
        let fingerprint = fingerprint(check.code, subject);
        let opening = uuids.get(open.opened.moment.epoch).map_or("", String::as_str);
        let id = digest(&[&fingerprint, opening]);
        let omitted = open.face.evidence.len().saturating_sub(MAX_EVIDENCE);
        let epoch = open.evidence_epoch;
        let evidence = open
            .face
            .evidence
            .into_iter()
            .take(MAX_EVIDENCE)
            .map(|fact| Evidence {
                name: fact.name.to_owned(),
                value: fact.value,
                epoch,
                endpoint: fact.endpoint,
                source: fact.source,
                path: fact.path,
            })
            .collect();
        Finding {
            code: check.code,
            slug: check.slug,
            severity: open.severity,
            category: check.category,
            subject: subject.clone(),
            title: check.title,
            summary: open.face.summary,
            opened: open.opened,
            last_seen: open.last_seen,
            closed: self.closed,
            gaps: open.gaps,
            flaps,
            changes: open.changes,
            details: open.face.details,
            evidence,
            omitted,
            worst_severity: open.worst,
            fingerprint,
            id,
        }
    }
}

/// Digest of code and subject: the same finding in another recording has the same.
pub fn fingerprint(code: &str, subject: &Subject) -> String {
    let subject = serde_json::to_string(subject).unwrap_or_default();
    digest(&[code, &subject])
}

fn digest(parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..8])
}

/// The stories of one check, by subject.
pub(super) type Stories = BTreeMap<Subject, Story>;
