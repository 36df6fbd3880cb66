//! A survey as text: what it is, whether it is whole, what was asked and what came.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{Canvas, Tone};
use super::table::Table;
use super::when::{clock, count};
use super::{matrix, streams, tail};
use crate::report::Problem;
use crate::report::runs;
use crate::survey::{EpochSurvey, ServerSurvey, Survey, SystemUnknown};

/// Epochs, servers and files listed before the rest is only counted.
const ROWS: usize = 40;

/// The whole survey; `style` as in [`super::render`].
pub fn survey(survey: &Survey, style: bool) -> String {
    let mut canvas = Canvas::new(style);
    inputs(&mut canvas, survey);
    epochs(&mut canvas, &survey.epochs);
    servers(&mut canvas, &survey.epochs);
    clocks(&mut canvas, &survey.epochs);
    streams::streams(&mut canvas, &survey.epochs);
    matrix::by_epoch(&mut canvas, &survey.epochs);
    matrix::by_server(&mut canvas, &survey.epochs);
    blind(&mut canvas, survey);
    unknown(&mut canvas, &survey.unknown);
    let problems: Vec<Problem> = survey
        .problems
        .iter()
        .map(|problem| Problem {
            kind: problem.kind.to_owned(),
            text: problem.text.clone(),
            where_: problem.where_.clone(),
            epoch: problem.epoch.clone(),
            system: None,
        })
        .collect();
    tail::problems(&mut canvas, &problems);
    canvas.into_text()
}

fn inputs(canvas: &mut Canvas, survey: &Survey) {
    let damaged = survey.epochs.iter().filter(|epoch| !epoch.whole).count();
    let partial = survey.epochs.iter().filter(|epoch| epoch.whole && !epoch.complete).count();
    let head = format!(
        "{}, {}: {damaged} cut or damaged, {partial} with gaps in the answers.",
        count(survey.inputs.len(), "file", "files"),
        count(survey.epochs.len(), "epoch", "epochs"),
    );
    canvas.paragraph(0, &head);
    canvas.heading("Files");
    let shown = &survey.inputs[..survey.inputs.len().min(ROWS)];
    for input in shown {
        let size = format!("{:>12} bytes  {:<9} ", input.bytes, input.kind);
        canvas.line(2, &[(Tone::Faint, &size), (Tone::Plain, &input.path)]);
    }
    more(canvas, survey.inputs.len());
}

fn epochs(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    if epochs.is_empty() {
        return;
    }
    canvas.heading("Epochs");
    let shown = &epochs[..epochs.len().min(ROWS)];
    let column = |cell: &dyn Fn(&EpochSurvey) -> String| shown.iter().map(cell).collect();
    let mut table = Table::default();
    table.column("epoch", column(&|epoch| epoch.index.to_string()));
    table.column("start (UTC)", column(&|epoch| clock(&epoch.time)));
    table.column("system", column(&|epoch| epoch.system.clone()));
    table.column("is", column(&|epoch| state(epoch).to_owned()));
    table.column("servers", column(&|epoch| epoch.servers.len().to_string()));
    table.column("instances", column(&|epoch| epoch.instances.to_string()));
    table.draw(canvas, 2);
    more(canvas, epochs.len());
}

fn state(epoch: &EpochSurvey) -> &'static str {
    match (epoch.whole, epoch.complete) {
        (false, _) => "damaged",
        (true, false) => "partial",
        (true, true) => "complete",
    }
}

fn servers(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    let mut seen: BTreeMap<(&str, &str, &str, &str), BTreeSet<usize>> = BTreeMap::new();
    for epoch in epochs {
        for (id, ServerSurvey { name, cluster, version, .. }) in &epoch.servers {
            seen.entry((cluster, name, version, id)).or_default().insert(epoch.index);
        }
    }
    if seen.is_empty() {
        return;
    }
    canvas.heading("Servers that answered");
    let rows: Vec<_> = seen.iter().take(ROWS).collect();
    let mut table = Table::default();
    table.column("cluster", rows.iter().map(|((cluster, ..), _)| (*cluster).to_owned()).collect());
    table.column("server", rows.iter().map(|((_, name, ..), _)| (*name).to_owned()).collect());
    table.column(
        "version",
        rows.iter().map(|((_, _, version, _), _)| (*version).to_owned()).collect(),
    );
    table.column("id", rows.iter().map(|((.., id), _)| (*id).to_owned()).collect());
    let epochs = |epochs: &BTreeSet<usize>| super::when::epochs(&runs(epochs));
    table.column("answered in", rows.iter().map(|(_, seen)| epochs(seen)).collect());
    table.draw(canvas, 2);
    more(canvas, seen.len());
}

/// How far the clocks of servers are off, each seat over all epochs.
fn clocks(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    let mut clocks: BTreeMap<(&str, &str), (i64, i64, i64)> = BTreeMap::new();
    for server in epochs.iter().flat_map(|epoch| epoch.servers.values()) {
        let Some(clock) = server.clock else { continue };
        let (offset, off) = (clock.offset_us, clock.uncertainty_us);
        let known = clocks.entry((&server.cluster, &server.name)).or_insert((offset, offset, off));
        *known = (known.0.min(offset), known.1.max(offset), known.2.max(off));
    }
    if clocks.is_empty() {
        return;
    }
    canvas.heading("Clocks of servers against the collector's (ahead is positive)");
    let rows: Vec<_> = clocks.iter().take(ROWS).collect();
    let mut table = Table::default();
    table.column("cluster", rows.iter().map(|((cluster, _), _)| (*cluster).to_owned()).collect());
    table.column("server", rows.iter().map(|((_, name), _)| (*name).to_owned()).collect());
    table.column("least", rows.iter().map(|(_, clock)| millis(clock.0)).collect());
    table.column("most", rows.iter().map(|(_, clock)| millis(clock.1)).collect());
    table.column("known to", rows.iter().map(|(_, clock)| within(clock.2)).collect());
    table.draw(canvas, 2);
    more(canvas, clocks.len());
}

/// Microseconds as signed milliseconds with one decimal, without going through a float.
fn millis(us: i64) -> String {
    let tenths = us.unsigned_abs() / 100;
    let sign = match (tenths, us < 0) {
        (0, _) => "",
        (_, true) => "-",
        (_, false) => "+",
    };
    format!("{sign}{}.{} ms", tenths / 10, tenths % 10)
}

/// How well it is known, at least a tenth of a millisecond.
fn within(us: i64) -> String {
    let tenths = us.unsigned_abs().div_ceil(100);
    format!("within {}.{} ms", tenths / 10, tenths % 10)
}

/// What the checks cannot say, as `analyze` does.
fn unknown(canvas: &mut Canvas, systems: &[SystemUnknown]) {
    for system in systems {
        if systems.len() > 1 {
            canvas.heading(&format!("System {}", system.system));
        }
        tail::unknowns(canvas, &system.unknowns);
    }
}

fn blind(canvas: &mut Canvas, survey: &Survey) {
    canvas.heading("Checks that are blind");
    if survey.epochs.is_empty() {
        canvas.line(2, &[(Tone::Plain, "all: there is no epoch to judge")]);
    } else if survey.blind.is_empty() {
        canvas.line(2, &[(Tone::Plain, "none, as far as endpoints go")]);
    }
    for blind in &survey.blind {
        let epochs: BTreeSet<usize> = blind.epochs.iter().copied().collect();
        let check = format!("{} {}", blind.code, blind.slug);
        let epochs = format!("  {}", super::when::epochs(&runs(&epochs)));
        canvas.line(2, &[(Tone::Strong, &check), (Tone::Plain, &epochs)]);
        canvas.labelled(4, "needs", &blind.needs.join(" or "));
        canvas.labelled(4, "but", &blind.why);
        canvas.labelled(4, "cure", &blind.cure);
    }
    if survey.epochs.len() == 1 {
        canvas.paragraph(2, "With one epoch only, checks cannot see changes over time.");
    }
}

fn more(canvas: &mut Canvas, total: usize) {
    if total > ROWS {
        let text = format!("… and {} more in the JSON output", total - ROWS);
        canvas.line(2, &[(Tone::Faint, &text)]);
    }
}
