//! The first lines: what was read, from when to when, what was found, and what is not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{COLUMNS, Canvas, Tone, wrap};
use super::when::{between, clock, count, duration_ms, epochs};
use crate::pace::Pace;
use crate::render::plain;
use crate::report::{EpochRow, Report, Severity, SystemReport, runs};

/// Says that what is not seen did not fit.
const MORE: &str = " ... (more below)";

/// At most five lines; the last ones say what is not seen.
pub(super) fn draw(canvas: &mut Canvas, report: &Report) {
    canvas.line(0, &[(Tone::Plain, &read(report))]);
    canvas.line(0, &[(Tone::Plain, &span(report))]);
    if report.systems.is_empty() {
        return;
    }
    canvas.line(0, &[(Tone::Strong, &found(report))]);
    let blind = format!("Not seen: {}.", not_seen(report).join("; "));
    let mut lines = wrap(&blind, COLUMNS);
    if lines.len() > 2 {
        let mut second = wrap(&lines.swap_remove(1), COLUMNS - MORE.len());
        second.truncate(1);
        lines.truncate(1);
        lines.push(second.concat() + MORE);
    }
    for line in &lines {
        canvas.line(0, &[(Tone::Plain, line)]);
    }
}

fn read(report: &Report) -> String {
    let total: usize = report.systems.iter().map(|system| system.epochs.len()).sum();
    let collectors: BTreeSet<&str> = report
        .systems
        .iter()
        .flat_map(|system| system.epochs.iter().map(|epoch| epoch.collector.as_str()))
        .collect();
    let whose = match report.systems.as_slice() {
        [] => "of no system".to_owned(),
        [only] => format!("of system {}", plain::cut(&only.system, 28)),
        several => format!("of {} systems", several.len()),
    };
    let what = format!(
        "Read {}: {} {whose}, by",
        count(report.inputs.len(), "file", "files"),
        count(total, "epoch", "epochs"),
    );
    match collectors.first() {
        None => format!("{what} no collector."),
        Some(only) if collectors.len() == 1 => {
            let room = COLUMNS.saturating_sub(plain::width(&what) + " collector .".len()).max(12);
            format!("{what} collector {}.", plain::cut(only, room))
        }
        Some(_) => format!("{what} {} collectors.", collectors.len()),
    }
}

fn span(report: &Report) -> String {
    let times = || report.systems.iter().flat_map(|system| &system.epochs).map(|epoch| &epoch.time);
    match (times().min(), times().max()) {
        (Some(from), Some(to)) if from == to => format!("At {} UTC.", clock(from)),
        (Some(from), Some(to)) => {
            let long =
                between(from, to).map_or_else(String::new, |ms| format!(", {}", duration_ms(ms)));
            format!("From {} to {} UTC{long}.", clock(from), clock(to))
        }
        _ => "Nothing to judge.".to_owned(),
    }
}

fn found(report: &Report) -> String {
    let all: Vec<_> = report.systems.iter().flat_map(|system| &system.findings).collect();
    if all.is_empty() {
        return "Found nothing wrong in what could be judged.".to_owned();
    }
    let words: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            (severity, all.iter().filter(|finding| finding.severity == *severity).count())
        })
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{number} {}", severity.as_str()))
        .collect();
    let open = all.iter().filter(|finding| finding.closed.is_none()).count();
    format!("Found {}; {open} open at the end, {} closed.", words.join(", "), all.len() - open)
}

/// What a reader must not conclude from silence.
fn not_seen(report: &Report) -> Vec<String> {
    let mut blind = Vec::new();
    for system in &report.systems {
        let before = blind.len();
        of_system(system, &mut blind);
        if report.systems.len() > 1 {
            for text in &mut blind[before..] {
                *text = format!("{}: {text}", system.system);
            }
        }
    }
    if !report.problems.is_empty() {
        blind.push(format!("{} below", count(report.problems.len(), "problem", "problems")));
    }
    if blind.is_empty() {
        blind.push("nothing that was asked for is missing".to_owned());
    }
    blind
}

fn of_system(system: &SystemReport, blind: &mut Vec<String>) {
    if system.epochs.len() == 1 {
        blind.push("one epoch only, so changes over time cannot be seen".to_owned());
    }
    let cut: BTreeSet<usize> =
        system.epochs.iter().filter(|epoch| !epoch.complete).map(|epoch| epoch.index).collect();
    if !cut.is_empty() {
        blind.push(format!("{} incomplete", epochs(&runs(&cut))));
    }
    let unknown: usize = system.checks.iter().map(|check| check.unknown).sum();
    if unknown > 0 {
        blind.push(format!("{} not known", count(unknown, "verdict", "verdicts")));
    }
    if let Some(text) = step(system) {
        blind.push(text);
    }
    let idle: Vec<&str> =
        system.checks.iter().filter(|check| check.subjects == 0).map(|check| check.code).collect();
    if !idle.is_empty() {
        blind.push(format!("nothing to judge for {}", idle.join(", ")));
    }
}

/// The longest step between two epochs of a collector, where it is out of the ordinary, and how
/// many such steps there are.
fn step(system: &SystemReport) -> Option<String> {
    let mut tracks: BTreeMap<&str, Vec<&EpochRow>> = BTreeMap::new();
    for epoch in &system.epochs {
        tracks.entry(&epoch.collector).or_default().push(epoch);
    }
    let mut gaps: Vec<(i64, usize)> = Vec::new();
    for epochs in tracks.values() {
        let steps: Vec<(i64, usize)> = epochs
            .windows(2)
            .filter_map(|pair| Some((between(&pair[0].time, &pair[1].time)?, pair[0].index)))
            .collect();
        let pace = Pace::of(steps.iter().map(|(step, _)| *step).collect());
        gaps.extend(steps.into_iter().filter(|(step, _)| pace.is_gap(*step)));
    }
    let (longest, after) = *gaps.iter().max()?;
    let of = if gaps.len() > 1 {
        format!(", the longest of {} such gaps", gaps.len())
    } else {
        String::new()
    };
    Some(format!("{} without a recording after epoch {after}{of}", duration_ms(longest)))
}
