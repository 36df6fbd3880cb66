//! Whether a report says what was lost.

use std::collections::BTreeSet;

use nats_hindsight_analyzer::report::{Report, Subject, SystemReport};

use super::Step;
use super::lost::Lost;

/// Whether a move is explained: coverage of an epoch from which something was lost, the unknown
/// itself, or a problem names it.
///
/// What nothing left in its epochs knows of cannot be missed there: it goes without a word.
pub(super) fn is_explained(report: &Report, lost: &Lost, step: &Step<'_>) -> bool {
    if !step.lattice.naming.know(lost) {
        return true;
    }
    let uuids: BTreeSet<&str> =
        lost.epochs.iter().map(|epoch| step.lattice.uuids[*epoch].as_str()).collect();
    let in_problems = report.problems.iter().any(|problem| {
        problem.epoch.as_deref().is_none_or(|epoch| uuids.contains(epoch))
            && lost.names.iter().any(|name| problem.text.contains(name))
    });
    in_problems
        || report.systems.iter().any(|system| {
            is_in_coverage(system, lost, &uuids) || is_in_unknowns(system, lost, step)
        })
}

fn is_in_coverage(system: &SystemReport, lost: &Lost, uuids: &BTreeSet<&str>) -> bool {
    let lost_here: Vec<usize> = system
        .epochs
        .iter()
        .filter(|row| uuids.contains(row.uuid.as_str()))
        .map(|row| row.index)
        .collect();
    system.coverage.iter().any(|row| {
        row.gaps.iter().any(|gap| {
            let in_time = gap
                .epochs
                .iter()
                .any(|[from, to]| lost_here.iter().any(|epoch| (from..=to).contains(&epoch)));
            let named = |name: &String| *name == row.endpoint || gap.targets.contains(name);
            in_time && lost.names.iter().any(named)
        })
    })
}

fn is_in_unknowns(system: &SystemReport, lost: &Lost, step: &Step<'_>) -> bool {
    let Some(now) = step.now.filter(|now| now.verdict == "unknown") else { return false };
    system.unknowns.iter().any(|unknown| {
        let covers = unknown.code == now.code
            && Some(unknown.reason) == now.reason
            && unknown.epochs.iter().any(|[from, to]| (from..=to).contains(&&now.epoch));
        covers
            && lost.names.iter().any(|name| {
                unknown.text.contains(name)
                    || unknown.cure.contains(name)
                    || unknown.hides.iter().any(|subject| names(subject, name))
                    || names(&now.subject, name)
            })
    })
}

/// Whether a subject is, or is of, what has this name.
fn names(subject: &Subject, name: &str) -> bool {
    match subject {
        Subject::Cluster { cluster } => cluster == name,
        Subject::Server { server, .. } => server == name,
        Subject::LeafNode { leaf } => leaf == name,
        Subject::Service { account, account_id, service } => {
            [account, account_id, service].into_iter().any(|part| part == name)
        }
        Subject::User { account, account_id, user_id, .. } => {
            [account, account_id, user_id].into_iter().any(|part| part == name)
        }
    }
}
