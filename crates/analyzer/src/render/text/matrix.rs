//! Coverage as matrices: endpoints over epochs, and servers over endpoints.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{COLUMNS, Canvas, Tone};
use super::{timeline, when};
use crate::render::plain;
use crate::report::runs;
use crate::survey::EpochSurvey;

/// Columns before the matrix.
const ENDPOINT: usize = 16;
/// Columns of the name of a server.
const SERVER: usize = 24;
/// Servers listed before the rest is only counted.
const ROWS: usize = 40;

/// One row per endpoint, one character per epoch.
pub(super) fn by_epoch(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
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
        let endpoint = plain::pad(endpoint, ENDPOINT);
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

/// How one server's answers to one endpoint went over all epochs.
#[derive(Default)]
struct Cell {
    good: usize,
    bad: BTreeMap<String, BTreeSet<usize>>,
}

/// One row per server, one letter's column per endpoint, and what did not come in words below.
pub(super) fn by_server(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    let mut servers: BTreeMap<(&str, &str), BTreeMap<&str, Cell>> = BTreeMap::new();
    for epoch in epochs {
        for (id, server) in epoch.servers.iter().chain(&epoch.silent) {
            let name = if server.name.is_empty() { id } else { &server.name };
            let row = servers.entry((&server.cluster, name)).or_default();
            for (endpoint, status) in &server.answers {
                let cell = row.entry(endpoint).or_default();
                match status.as_str() {
                    "ok" => cell.good += 1,
                    other => {
                        let epochs = cell.bad.entry(other.to_owned()).or_default();
                        epochs.insert(epoch.index);
                    }
                }
            }
        }
    }
    let endpoints: BTreeSet<&str> = servers.values().flat_map(|row| row.keys().copied()).collect();
    if endpoints.is_empty() {
        return;
    }
    canvas.heading("Coverage by server: + all, ~ some, ! none, - not supported, . not asked");
    legend(canvas, &endpoints);
    for ((cluster, name), row) in servers.iter().take(ROWS) {
        let marks: String = endpoints.iter().map(|endpoint| letter(row.get(endpoint))).collect();
        let name =
            if cluster.is_empty() { (*name).to_owned() } else { format!("{cluster}/{name}") };
        let name = plain::pad(&name, SERVER - 1) + " ";
        canvas.line(2, &[(Tone::Plain, &name), (Tone::Plain, &marks)]);
        for (what, endpoints) in gaps(row) {
            canvas.labelled(4, "", &format!("{what}: {}", endpoints.join(", ")));
        }
    }
    if servers.len() > ROWS {
        let text = format!("… and {} more in the JSON output", servers.len() - ROWS);
        canvas.line(2, &[(Tone::Faint, &text)]);
    }
}

/// Which letter stands for which endpoint, and the letters above their columns.
fn legend(canvas: &mut Canvas, endpoints: &BTreeSet<&str>) {
    let letters = || ('a'..='z').chain('A'..='Z');
    let names: Vec<String> =
        letters().zip(endpoints).map(|(letter, endpoint)| format!("{letter} {endpoint}")).collect();
    canvas.paragraph(2, &names.join("  "));
    let head: String = letters().take(endpoints.len()).collect();
    canvas.line(2, &[(Tone::Faint, &format!("{}{head}", " ".repeat(SERVER)))]);
}

fn letter(cell: Option<&Cell>) -> char {
    let Some(cell) = cell else { return '.' };
    let unsupported = cell.bad.keys().all(|status| status == "not_supported");
    match (cell.good, cell.bad.is_empty()) {
        (0, true) => '.',
        (_, true) => '+',
        (0, false) if unsupported => '-',
        (0, false) => '!',
        (_, false) => '~',
    }
}

/// What did not come, in words: outcome and epochs, and the endpoints they are the same for.
fn gaps<'a>(row: &BTreeMap<&'a str, Cell>) -> BTreeMap<String, Vec<&'a str>> {
    let mut gaps: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (endpoint, cell) in row {
        for (status, epochs) in cell.bad.iter().filter(|(status, _)| *status != "not_supported") {
            let what = format!("{} in {}", status.replace('_', " "), when::epochs(&runs(epochs)));
            gaps.entry(what).or_default().push(endpoint);
        }
    }
    gaps
}
