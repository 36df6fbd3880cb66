//! What stands below the findings: what is not known and why, exceptions, denominators, coverage
//! and problems.

use super::canvas::{Canvas, Tone};
use super::name;
use super::when::{count, epochs, some};
use crate::render::plain;
use crate::report::{
    CheckTotals, CoverageGap, CoverageRow, Exception, Problem, Subject, Unknown, Unseen,
};

/// Names listed before the rest is only counted.
const NAMES: usize = 6;
/// Problems listed before the rest is only counted.
const PROBLEMS: usize = 20;
/// Groups of unknowns listed before the rest is only counted.
const GROUPS: usize = 20;

pub(super) fn unknowns(canvas: &mut Canvas, unknowns: &[Unknown]) {
    if unknowns.is_empty() {
        return;
    }
    canvas.heading("Not known");
    for unknown in unknowns.iter().take(GROUPS) {
        let what = format!(
            " {}, {}, {}",
            unknown.reason.replace('_', " "),
            count(unknown.count, "subject", "subjects"),
            epochs(&unknown.epochs)
        );
        canvas.line(2, &[(Tone::Strong, unknown.code), (Tone::Plain, &what)]);
        canvas.labelled(4, "why", &unknown.text);
        if !unknown.hides.is_empty() {
            let names: Vec<String> = unknown.hides.iter().map(name).collect();
            canvas.labelled(4, "hidden by", &some(&names, NAMES));
        }
        about(canvas, &unknown.subjects, unknown.count);
        if !unknown.cure.is_empty() {
            canvas.labelled(4, "cure", &unknown.cure);
        }
    }
    rest(canvas, unknowns.len(), GROUPS);
}

/// Facets without which a verdict was reached: what they would show is not in it.
pub(super) fn unseen(canvas: &mut Canvas, unseen: &[Unseen]) {
    if unseen.is_empty() {
        return;
    }
    canvas.heading("Judged without");
    for facet in unseen {
        let what = format!(
            " {}, {}, {}",
            facet.facet.replace('_', " "),
            count(facet.count, "subject", "subjects"),
            epochs(&facet.epochs)
        );
        canvas.line(2, &[(Tone::Strong, facet.code), (Tone::Plain, &what)]);
        about(canvas, &facet.subjects, facet.count);
    }
}

/// The first few subjects, and how many more there are.
fn about(canvas: &mut Canvas, subjects: &[Subject], count: usize) {
    let names: Vec<String> = subjects.iter().take(NAMES).map(name).collect();
    let more = count.saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    canvas.labelled(4, "about", &format!("{}{more}", names.join(", ")));
}

pub(super) fn exceptions(canvas: &mut Canvas, exceptions: &[Exception]) {
    if exceptions.is_empty() {
        return;
    }
    canvas.heading("Let pass by configuration");
    for exception in exceptions {
        let what = format!(
            " {}: {}, {}",
            exception.kind.replace('_', " "),
            name(&exception.subject),
            epochs(&exception.epochs)
        );
        canvas.line(2, &[(Tone::Strong, exception.code), (Tone::Plain, &what)]);
        canvas.labelled(4, "reason", &exception.reason);
    }
}

/// Denominators: without them "no finding" says nothing.
pub(super) fn totals(canvas: &mut Canvas, checks: &[CheckTotals]) {
    if checks.is_empty() {
        return;
    }
    canvas.heading("Checked (one subject in one epoch counts once)");
    let head = format!(
        "{} {:>8} {:>8} {:>8} {:>8} {:>8}",
        plain::pad("check", 14),
        "subjects",
        "ok",
        "finding",
        "unknown",
        "n/a"
    );
    canvas.line(2, &[(Tone::Faint, &head)]);
    for check in checks {
        let row = format!(
            "{} {:>8} {:>8} {:>8} {:>8} {:>8}",
            plain::pad(check.code, 14),
            check.subjects,
            check.ok,
            check.finding,
            check.unknown,
            check.not_applicable
        );
        canvas.line(2, &[(Tone::Plain, &row)]);
    }
}

/// Endpoints with gaps one by one, the others in one row.
pub(super) fn coverage(canvas: &mut Canvas, rows: &[CoverageRow]) {
    if rows.is_empty() {
        return;
    }
    canvas.heading("Coverage (requests)");
    let lacking = || rows.iter().filter(|row| !row.gaps.is_empty());
    let widest = lacking().map(|row| plain::width(&row.endpoint)).max().unwrap_or(0);
    for row in lacking() {
        let what = format!("{} asked, {} complete", row.asked, row.ok);
        let name = plain::pad(&row.endpoint, widest.clamp(13, 23) + 1);
        canvas.line(2, &[(Tone::Strong, &name), (Tone::Plain, &what)]);
        for gap in &row.gaps {
            canvas.labelled(6, "", &gap_in_words(gap));
        }
    }
    let whole: Vec<String> = rows
        .iter()
        .filter(|row| row.gaps.is_empty())
        .map(|row| format!("{} {}", row.endpoint, row.asked))
        .collect();
    if !whole.is_empty() {
        canvas.paragraph(2, &format!("complete: {}", whole.join(", ")));
    }
}

fn gap_in_words(gap: &CoverageGap) -> String {
    let mut text =
        format!("{} {}, {}", gap.count, gap.status.replace('_', " "), epochs(&gap.epochs));
    if !gap.targets.is_empty() {
        let names: Vec<String> = gap.targets.iter().map(|target| plain::cut(target, 24)).collect();
        text.push_str(": ");
        text.push_str(&some(&names, NAMES));
    }
    text
}

pub(super) fn problems(canvas: &mut Canvas, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    canvas.heading("Problems");
    for problem in problems.iter().take(PROBLEMS) {
        let kind = problem.kind.replace('_', " ");
        let system = problem.system.iter().map(|system| format!(" in {system}"));
        let epoch = problem.epoch.iter().map(|uuid| {
            // The start of a UUID is enough to find it among the epochs of the JSON report.
            format!(" (epoch {}…)", uuid.get(..8).unwrap_or(uuid))
        });
        let about: String = system.chain(epoch).collect();
        canvas.line(2, &[(Tone::Strong, &kind), (Tone::Plain, &about)]);
        canvas.paragraph(4, &problem.text);
        if let Some(place) = &problem.where_ {
            canvas.labelled(4, "at", place);
        }
    }
    rest(canvas, problems.len(), PROBLEMS);
}

fn rest(canvas: &mut Canvas, total: usize, shown: usize) {
    if total > shown {
        let more = format!("… and {} more in the JSON report", total - shown);
        canvas.line(2, &[(Tone::Faint, &more)]);
    }
}
