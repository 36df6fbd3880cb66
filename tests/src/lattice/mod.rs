//! The moves that verdicts may make when data is taken away.
//!
//! Missing data is never good news, and never news of something bad either. So, per check, subject
//! and epoch:
//!
//! | before | after |
//! |---|---|
//! | `ok` | `ok`, `unknown`; where captures say that it was waited in vain also `HINT_001` `unresponsive` and `SERVICE_002` `silent`, in the epochs concerned |
//! | `finding` | `finding`, `unknown` |
//! | `unknown` | `unknown` |
//! | `not_applicable` | `not_applicable`, `unknown` |
//! | nothing | nothing, `unknown` |
//! | anything | nothing, if everything that named the subject is gone |
//!
//! And every move is explained: what is said of coverage, of the unknown or of problems names
//! what was lost.

mod explained;
mod lost;
mod naming;

use std::collections::BTreeMap;

use nats_hindsight_analyzer::check::Check;
use nats_hindsight_analyzer::engine::VerdictRow;
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::report::{Report, Subject};

pub use lost::{Loss, Lost, Told, told};

use crate::recording::Recording;
use crate::verdicts::{Judged, name};
use naming::Naming;

/// Checks whose claim is silence itself, with the kind of finding that makes it.
const SILENCES: [(&str, &str); 2] = [("HINT_001", "unresponsive"), ("SERVICE_002", "silent")];

/// Code, subject and uuid of the epoch: labels of systems and places of epochs may move when an
/// epoch is lost.
type Key = (&'static str, Subject, String);

/// A recording that was judged whole, to hold judgements of less against.
pub struct Lattice {
    uuids: Vec<String>,
    rows: BTreeMap<Key, VerdictRow>,
    naming: Naming,
}

impl Lattice {
    /// From the whole recording and what is said of it.
    pub fn of(whole: &Recording, judged: &Judged) -> Self {
        let naming = Naming::of(whole);
        let mut first = BTreeMap::new();
        for (key, mut rows) in rows(judged, &naming) {
            first.extend(rows.pop().map(|row| (key, row)));
        }
        Self {
            uuids: whole.epochs.iter().map(|epoch| epoch.header.uuid.clone()).collect(),
            rows: first,
            naming,
        }
    }

    /// Every wrong move, one sentence each; none if all moves are allowed and explained.
    ///
    /// `after` is what is said of the recording without what was lost.
    pub fn wrong(&self, after: &Judged, lost: &Lost) -> Vec<String> {
        let after_rows = rows(after, &self.naming);
        let mut wrong = Vec::new();
        for (key, before) in &self.rows {
            let step = |now| Step { lattice: self, lost, report: &after.report, before, now, key };
            match after_rows.get(key) {
                Some(rows) => wrong.extend(rows.iter().filter_map(|row| step(Some(row)).wrong())),
                None => wrong.extend(step(None).wrong()),
            }
        }
        for ((code, subject, uuid), rows) in &after_rows {
            let new = !self.rows.contains_key(&(code, subject.clone(), uuid.clone()));
            for now in rows.iter().filter(|now| new && now.verdict != "unknown") {
                let epoch =
                    self.place(uuid).map_or("of no recording".to_owned(), |e| e.to_string());
                let verdict = now.verdict;
                let subject = name(subject);
                wrong.push(format!(
                    "{code} on {subject} in epoch {epoch}: nothing became {verdict}"
                ));
            }
        }
        wrong
    }

    fn place(&self, uuid: &str) -> Option<usize> {
        self.uuids.iter().position(|known| known == uuid)
    }
}

/// Verdicts by what they are about. Two may be about one, where a server goes by its address and
/// an earlier process of it by its id.
fn rows(judged: &Judged, naming: &Naming) -> BTreeMap<Key, Vec<VerdictRow>> {
    let uuids: BTreeMap<(&str, usize), &str> = judged
        .report
        .systems
        .iter()
        .flat_map(|system| {
            let label = system.system.as_str();
            system.epochs.iter().map(move |row| ((label, row.index), row.uuid.as_str()))
        })
        .collect();
    let uuid = |row: &VerdictRow| uuids.get(&(row.system.as_str(), row.epoch)).copied();
    let mut all: BTreeMap<Key, Vec<VerdictRow>> = BTreeMap::new();
    for row in &judged.log {
        let subject = naming.whole_name(&row.subject);
        let key = (row.code, subject, uuid(row).unwrap_or_default().to_owned());
        all.entry(key).or_default().push(row.clone());
    }
    all
}

/// One move.
struct Step<'a> {
    lattice: &'a Lattice,
    lost: &'a Lost,
    report: &'a Report,
    key: &'a Key,
    before: &'a VerdictRow,
    now: Option<&'a VerdictRow>,
}

impl Step<'_> {
    fn wrong(&self) -> Option<String> {
        let why = if !self.is_allowed() {
            "may not become"
        } else if self.is_move() && !explained::is_explained(self.report, self.lost, self) {
            "became, with no word of what was lost,"
        } else {
            return None;
        };
        let (code, subject, uuid) = self.key;
        let epoch = self.lattice.place(uuid).unwrap_or_default();
        let now = self.now.map_or("nothing".to_owned(), |row| match row.reason {
            Some(reason) => format!("{} ({reason})", row.verdict),
            None => match self.kind() {
                Some(kind) => format!("{} ({kind})", row.verdict),
                None => row.verdict.to_owned(),
            },
        });
        let (subject, before) = (name(subject), self.before.verdict);
        Some(format!("{code} on {subject} in epoch {epoch}: {before} {why} {now}"))
    }

    fn is_move(&self) -> bool {
        self.now.is_none_or(|now| now.verdict != self.before.verdict)
    }

    fn is_allowed(&self) -> bool {
        let Some(now) = self.now else { return self.may_vanish() };
        match (self.before.verdict, now.verdict) {
            (_, "unknown") => true,
            ("ok", "finding") => self.is_silence(),
            (before, now) => before == now,
        }
    }

    /// Whether nothing is left that names the subject, or nothing of its epoch.
    fn may_vanish(&self) -> bool {
        let (code, subject, uuid) = self.key;
        let (Some(check), Some(epoch)) = (check(code), self.lattice.place(uuid)) else {
            return false;
        };
        if self.lost.whole_epochs.contains(&epoch) {
            let mut rows = self.report.systems.iter().flat_map(|system| &system.epochs);
            return !rows.any(|row| row.uuid == *uuid);
        }
        !self.lattice.naming.is_left(check, subject, epoch, self.lost)
    }

    /// Whether the finding says no more than that it was waited in vain, where it was.
    fn is_silence(&self) -> bool {
        let epoch = self.lattice.place(&self.key.2);
        self.lost.loss == Loss::TimedOut
            && epoch.is_some_and(|epoch| self.lost.epochs.contains(&epoch))
            && self.kind().is_some_and(|kind| SILENCES.contains(&(self.key.0, &*kind)))
    }

    /// What kind of finding it is now.
    fn kind(&self) -> Option<String> {
        let now = self.now.filter(|now| now.verdict == "finding")?;
        let systems = self.report.systems.iter().filter(|system| system.system == now.system);
        let findings = systems.flat_map(|system| &system.findings);
        let here = findings.filter(|finding| {
            finding.code == now.code
                && name(&finding.subject) == name(&now.subject)
                && finding.opened.moment.epoch <= now.epoch
                && finding.last_seen.epoch >= now.epoch
        });
        let mut faces = here.flat_map(|finding| &finding.changes);
        let face = faces.rfind(|change| change.moment.epoch <= now.epoch)?;
        Some(face.face.get("kind")?.as_str()?.to_owned())
    }
}

fn check(code: &str) -> Option<&'static Check> {
    registry::all().into_iter().find(|check| check.code == code)
}
