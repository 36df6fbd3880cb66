//! A survey as text: what it is, whether it is whole, what was asked and what came.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{COLUMNS, Canvas, Tone};
use super::table::Table;
use super::when::{clock, count};
use super::{tail, timeline};
use crate::report::Problem;
use crate::report::runs;
use crate::survey::{EpochSurvey, ServerSurvey, Survey};

/// Epochs, servers and files listed before the rest is only counted.
const ROWS: usize = 40;
/// Columns before the matrix.
const ENDPOINT: usize = 16;

/// The whole survey; `style` as in [`super::render`].
pub fn survey(survey: &Survey, style: bool) -> String {
    let mut canvas = Canvas::new(style);
    inputs(&mut canvas, survey);
    epochs(&mut canvas, &survey.epochs);
    servers(&mut canvas, &survey.epochs);
    matrix(&mut canvas, &survey.epochs);
    blind(&mut canvas, survey);
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
        for (id, ServerSurvey { name, cluster, version }) in &epoch.servers {
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

/// One row per endpoint, one character per epoch.
fn matrix(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    let endpoints: BTreeSet<&String> =
        epochs.iter().flat_map(|epoch| epoch.requests.keys()).collect();
    if endpoints.is_empty() {
        return;
    }
    let step = timeline::per_character(epochs.len(), COLUMNS - ENDPOINT - 2);
    let stands_for = if step == 1 {
        "a character per epoch".to_owned()
    } else {
        format!("a character per {step} epochs, the worst of them")
    };
    canvas.heading(&format!("Coverage ({stands_for}): + all, ~ some, ! none, . not asked"));
    for endpoint in endpoints {
        let marks: Vec<(u8, char)> = epochs.iter().map(|epoch| mark(epoch, endpoint)).collect();
        let line: String = marks
            .chunks(step)
            .filter_map(|chunk| chunk.iter().max())
            .map(|(_, mark)| mark)
            .collect();
        let endpoint = crate::render::plain::pad(endpoint, ENDPOINT);
        canvas.line(2, &[(Tone::Plain, &endpoint), (Tone::Plain, &line)]);
    }
}

/// How requests to an endpoint went in an epoch, with a rank: the worst is shown.
fn mark(epoch: &EpochSurvey, endpoint: &str) -> (u8, char) {
    let Some(outcomes) = epoch.requests.get(endpoint) else { return (1, '.') };
    let good =
        |status: &&String| matches!(status.as_str(), "ok" | "no_responders" | "not_supported");
    match (outcomes.keys().filter(good).count(), outcomes.contains_key("partial"), outcomes.len()) {
        (_, false, 0) => (1, '.'),
        (good, _, all) if good == all => (0, '+'),
        (0, false, _) => (3, '!'),
        _ => (2, '~'),
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
