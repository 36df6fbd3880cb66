//! What a report means for a gate.

use nats_hindsight_analyzer::report::{Report, Severity, SystemReport};

use crate::sources;

/// The outcome of an analysis, in the order in which one hides the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing could be evaluated.
    Nothing(String),
    /// Something at or above the wanted severity.
    Found,
    /// Coverage was required and is missing.
    Uncovered(String),
    /// None of these.
    Clean,
}

impl Outcome {
    /// Looks at a report; `severity` is what counts as found, if anything does.
    pub(super) fn of(
        report: &Report,
        severity: Option<Severity>,
        open_only: bool,
        require_coverage: bool,
    ) -> Self {
        if let Some(why) = nothing(report) {
            return Self::Nothing(why);
        }
        if severity.is_some_and(|severity| found(report, severity, open_only)) {
            return Self::Found;
        }
        match report.systems.iter().find_map(uncovered) {
            Some(why) if require_coverage => Self::Uncovered(why),
            _ => Self::Clean,
        }
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Nothing(_) => 3,
            Self::Uncovered(_) => 4,
        }
    }

    /// What to tell beside the report, which speaks for itself where there are findings.
    pub(super) fn why(&self) -> Option<&str> {
        match self {
            Self::Nothing(why) | Self::Uncovered(why) => Some(why),
            Self::Found | Self::Clean => None,
        }
    }
}

fn nothing(report: &Report) -> Option<String> {
    if report.systems.iter().all(|system| system.epochs.is_empty()) {
        let problems = report.problems.len();
        return Some(sources::no_epoch(report.inputs.len() + problems).to_owned());
    }
    let evaluated = report
        .systems
        .iter()
        .flat_map(|system| &system.checks)
        .any(|check| check.ok + check.finding + check.not_applicable > 0);
    (!evaluated).then(|| {
        "no check could be evaluated; the report says what is missing and how to record it".into()
    })
}

fn found(report: &Report, severity: Severity, open_only: bool) -> bool {
    report.systems.iter().flat_map(|system| &system.findings).any(|finding| {
        if open_only {
            finding.closed.is_none() && finding.severity >= severity
        } else {
            finding.worst_severity >= severity
        }
    })
}

fn uncovered(system: &SystemReport) -> Option<String> {
    if let Some(epoch) = system.epochs.iter().find(|epoch| !epoch.complete) {
        return Some(format!(
            "coverage required: epoch {} of {} is incomplete",
            epoch.index, system.system
        ));
    }
    let last = system.epochs.last()?.index;
    let blind = system
        .unknowns
        .iter()
        .find(|unknown| unknown.epochs.iter().any(|[from, to]| (*from..=*to).contains(&last)))?;
    Some(format!(
        "coverage required: {} cannot judge the last epoch of {}: {}",
        blind.code, system.system, blind.text
    ))
}
