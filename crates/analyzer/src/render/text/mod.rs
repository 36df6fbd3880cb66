//! The report as text for a responder: 80 columns, the worst first, readable without colour.

mod canvas;
mod details;
mod exposure;
mod finding;
mod head;
mod matrix;
mod streams;
mod survey;
mod table;
mod tail;
mod timeline;
mod when;

use std::collections::BTreeMap;

pub use survey::survey;

use crate::render::plain;
use crate::report::{Finding, Report, Severity, Subject, SystemReport};
use canvas::{COLUMNS, Canvas, LABEL};

/// The whole report; `style` adds bold and colour, which the caller strips where none is wanted.
pub fn render(report: &Report, style: bool) -> String {
    let mut canvas = Canvas::new(style);
    head::draw(&mut canvas, report);
    for system in &report.systems {
        draw_system(&mut canvas, system, report);
    }
    tail::problems(&mut canvas, &report.problems);
    canvas.into_text()
}

fn draw_system(canvas: &mut Canvas, system: &SystemReport, report: &Report) {
    if report.systems.len() > 1 {
        canvas.blank();
        canvas.heading(&format!("=== System {} ===", system.system));
    }
    let (windows, findings): (Vec<&Finding>, Vec<&Finding>) =
        system.findings.iter().partition(|finding| exposure::holds(finding));
    legend(canvas, system, &findings);
    let mut told: BTreeMap<String, &Subject> = BTreeMap::new();
    for (subject, findings) in by_subject(findings) {
        canvas.heading(&heading(subject, COLUMNS));
        for finding in findings {
            let first = group(finding).map(|key| *told.entry(key).or_insert(subject));
            match first.filter(|first| *first != subject) {
                Some(first) => finding::draw_with(canvas, finding, &name(first)),
                None if long_gone(finding) => finding::draw_short(canvas, finding),
                None => finding::draw(canvas, system, finding, &report.parameters),
            }
        }
    }
    exposure::draw(canvas, windows);
    tail::unknowns(canvas, &system.unknowns);
    tail::unseen(canvas, &system.unseen);
    tail::exceptions(canvas, &system.exceptions);
    tail::totals(canvas, &system.checks);
    tail::coverage(canvas, &system.coverage);
}

/// What findings have in common that are of one event: they are told once, at length.
fn group(finding: &Finding) -> Option<String> {
    let group = finding.details.get("group").filter(|group| group.is_object())?;
    Some(format!("{} {} {group}", finding.code, finding.opened.moment.epoch))
}

/// Still open, was worse, and is only worth knowing by now.
fn long_gone(finding: &Finding) -> bool {
    finding.closed.is_none()
        && finding.severity == Severity::Info
        && finding.worst_severity > Severity::Info
}

/// Explains the timelines once, where there are any.
fn legend(canvas: &mut Canvas, system: &SystemReport, findings: &[&Finding]) {
    if findings.is_empty() || system.epochs.len() < 2 {
        return;
    }
    let step = timeline::per_character(system.epochs.len(), timeline_columns());
    let stands_for = if step == 1 {
        "one character per epoch".to_owned()
    } else {
        format!("one character stands for {step} epochs and shows the worst of them")
    };
    canvas.blank();
    canvas.paragraph(0, &format!("Timelines: {stands_for}. {}.", timeline::LEGEND));
}

/// Columns left for a timeline beside its label.
fn timeline_columns() -> usize {
    COLUMNS - finding::INDENT - LABEL
}

/// Findings by subject, in the order in which the report first names the subject: worst first.
fn by_subject(findings: Vec<&Finding>) -> Vec<(&Subject, Vec<&Finding>)> {
    let mut groups: Vec<(&Subject, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|(subject, _)| *subject == &finding.subject) {
            Some((_, group)) => group.push(finding),
            None => groups.push((&finding.subject, vec![finding])),
        }
    }
    groups
}

/// A subject in words.
fn name(subject: &Subject) -> String {
    words(subject).concat()
}

/// A subject in one line of so many columns: names that are too long lose their middles, and what they are names of
/// stays.
fn heading(subject: &Subject, columns: usize) -> String {
    let words = words(subject);
    let [one, other] = [1, 3].map(|at| plain::width(words[at]));
    let room = columns.saturating_sub(plain::width(words[0]) + plain::width(words[2]));
    // A name that needs less than its half leaves the rest to the other.
    let for_other = other.min(room - one.min(room.div_ceil(2)));
    let for_one = room - for_other;
    let [one, other] = [(1, for_one), (3, for_other)].map(|(at, room)| plain::cut(words[at], room));
    [words[0], &one, words[2], &other].concat()
}

/// What a subject is, its name, what it is of, and the name of that.
fn words(subject: &Subject) -> [&str; 4] {
    match subject {
        Subject::Cluster { cluster } => ["cluster ", cluster, "", ""],
        Subject::Server { cluster, server } if cluster.is_empty() => ["server ", server, "", ""],
        Subject::Server { cluster, server } => ["server ", server, " of cluster ", cluster],
        Subject::LeafNode { leaf } => ["leaf node ", leaf, "", ""],
        Subject::Service { account, service, .. } => ["service ", service, " of account ", account],
        Subject::User { account, user, .. } => ["user ", user, " of account ", account],
    }
}

#[cfg(test)]
mod tests;
