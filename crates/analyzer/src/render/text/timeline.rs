//! One character per epoch: what was known about one finding along the sequence.

use crate::report::{Finding, Gap, Severity, SystemReport};

/// What the characters of a timeline mean.
pub(super) const LEGEND: &str =
    "C critical, W warning, i info, ? not known, x another time, . good or nothing to judge";

/// The line of one finding in at most `columns`; none if there is but one epoch.
///
/// With more epochs than columns a character stands for several, and shows the worst of them.
pub(super) fn line(system: &SystemReport, finding: &Finding, columns: usize) -> Option<String> {
    if system.epochs.len() < 2 || columns == 0 {
        return None;
    }
    let step = per_character(system.epochs.len(), columns);
    let marks: Vec<Mark> =
        system.epochs.iter().map(|epoch| mark(system, finding, epoch.index)).collect();
    let worst = marks.chunks(step).filter_map(|chunk| chunk.iter().max());
    Some(worst.map(|mark| mark.character()).collect())
}

/// How many epochs one character stands for.
pub(super) fn per_character(epochs: usize, columns: usize) -> usize {
    epochs.div_ceil(columns.max(1)).max(1)
}

/// What is known about one epoch, least important first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Nothing,
    Another,
    Unknown,
    Bad(Severity),
}

impl Mark {
    fn character(self) -> char {
        match self {
            Self::Nothing => '.',
            Self::Another => 'x',
            Self::Unknown => '?',
            Self::Bad(Severity::Info) => 'i',
            Self::Bad(Severity::Warning) => 'W',
            Self::Bad(Severity::Critical) => 'C',
        }
    }
}

fn mark(system: &SystemReport, finding: &Finding, epoch: usize) -> Mark {
    if covers(finding, epoch) {
        return if in_gap(finding, epoch) {
            Mark::Unknown
        } else {
            Mark::Bad(severity_at(finding, epoch))
        };
    }
    let mut others = system
        .findings
        .iter()
        .filter(|other| other.fingerprint == finding.fingerprint && covers(other, epoch));
    if let Some(other) = others.next() {
        return if in_gap(other, epoch) { Mark::Unknown } else { Mark::Another };
    }
    let unknown = system.unknowns.iter().any(|unknown| {
        unknown.code == finding.code
            && unknown.epochs.iter().any(|[from, to]| (*from..=*to).contains(&epoch))
            && unknown.subjects.contains(&finding.subject)
    });
    if unknown { Mark::Unknown } else { Mark::Nothing }
}

/// Whether nothing could be said in an epoch.
pub(super) fn in_gap(finding: &Finding, epoch: usize) -> bool {
    let within = |gap: &&Gap| (gap.from..=gap.to).contains(&epoch);
    finding.gaps.iter().filter(within).any(|gap| !is_step(gap))
}

/// Whether a gap is a step in which nothing was recorded: it lies between epochs and takes away
/// none of them.
pub(super) fn is_step(gap: &Gap) -> bool {
    gap.reason.replace('_', " ") == "not recorded"
}

/// Whether an interval reaches over an epoch. What came after the last time it was seen and
/// before it closed could not be judged, and is found among the unknowns or the gaps. A step in
/// which nothing was recorded may end at the very epoch that closes the interval.
fn covers(finding: &Finding, epoch: usize) -> bool {
    let last_gap = finding.gaps.iter().rfind(|gap| !is_step(gap)).map_or(0, |gap| gap.to);
    let end = finding.last_seen.epoch.max(last_gap);
    (finding.opened.moment.epoch..=end).contains(&epoch)
}

fn severity_at(finding: &Finding, epoch: usize) -> Severity {
    finding
        .changes
        .iter()
        .rev()
        .find(|change| change.moment.epoch <= epoch)
        .map_or(finding.severity, |change| change.severity)
}
