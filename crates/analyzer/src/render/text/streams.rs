//! The streams of a survey as a table.

use std::collections::{BTreeMap, BTreeSet};

use super::canvas::{Canvas, Tone};
use super::table::Table;
use super::when::{clock, count};
use crate::survey::{EpochSurvey, StreamSurvey, StreamsSurvey};

/// Streams and epochs listed before the rest is only counted.
const ROWS: usize = 20;

/// The streams of the last epoch of each system that tells of any, and which epochs lack replicas.
pub(super) fn streams(canvas: &mut Canvas, epochs: &[EpochSurvey]) {
    let mut systems: BTreeMap<&str, Vec<(&EpochSurvey, &StreamsSurvey)>> = BTreeMap::new();
    for epoch in epochs {
        if let Some(streams) = &epoch.streams {
            systems.entry(&epoch.system).or_default().push((epoch, streams));
        }
    }
    let several = systems.len() > 1;
    for (system, mut epochs) in systems {
        epochs.retain(|(_, streams)| **streams != StreamsSurvey::default());
        // Where all of the last ones could not be read, the last that says why.
        let tells = epochs.iter().rposition(|(_, streams)| streams.streams > 0);
        let Some(last) = tells.or(epochs.len().checked_sub(1)) else { continue };
        let (last, streams) = epochs.remove(last);
        let system = if several { format!(" of system {system}") } else { String::new() };
        let (index, time) = (last.index, clock(&last.time));
        canvas.heading(&format!("Streams{system} in epoch {index}, {time}"));
        canvas.paragraph(2, &denominators(streams));
        table(canvas, &streams.rows);
        others(canvas, &epochs);
    }
}

/// How many there are, and how many of them nothing is known of.
fn denominators(streams: &StreamsSurvey) -> String {
    if streams.beyond > 0 {
        return format!(
            "Nothing is known of streams: servers tell {} times of one, more than limit \
             `max_streams`.",
            streams.beyond
        );
    }
    let unlisted = match streams.unlisted {
        0 => String::new(),
        unlisted => format!(", {unlisted} listed by nobody"),
    };
    format!(
        "{}, {} told, {} silent{unlisted}, {} not joined.",
        count(len(streams.streams), "stream", "streams"),
        count(len(streams.replicas), "replica", "replicas"),
        streams.silent,
        streams.not_joined,
    )
}

fn len(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The streams with something amiss first: of hundreds the first few must be those that matter.
fn table(canvas: &mut Canvas, rows: &[StreamSurvey]) {
    if rows.is_empty() {
        return;
    }
    let mut order: Vec<&StreamSurvey> = rows.iter().collect();
    order.sort_by_key(|row| row.silent.is_empty() && row.unlisted == 0 && !row.differs);
    let shown = &order[..order.len().min(ROWS)];
    let column =
        |cell: &dyn Fn(&StreamSurvey) -> String| shown.iter().map(|row| cell(row)).collect();
    let mut table = Table::default();
    table.column(
        "account",
        column(&|row| row.account_name.as_ref().unwrap_or(&row.account).clone()),
    );
    table.column("stream", column(&|row| row.stream.clone()));
    if rows.iter().any(|row| row.domain.as_deref() != Some("")) {
        table.column("domain", column(&|row| row.domain.clone().unwrap_or_else(|| "?".to_owned())));
    }
    table.column("cluster", column(&|row| row.cluster.clone().unwrap_or_default()));
    table.column("told", column(&told));
    table.column("leader", column(&leader));
    table.column("silent", column(&silent));
    table.column("last seq", column(&last_seq));
    table.draw(canvas, 2);
    more(canvas, rows.len(), "in the JSON output");
}

/// How many replicas told of how many that there should be.
fn told(row: &StreamSurvey) -> String {
    let wanted: BTreeSet<u64> = row.replicas.iter().filter_map(|r| r.configured).collect();
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let wanted = if wanted.is_empty() { "?".to_owned() } else { wanted.join(" or ") };
    format!("{} of {wanted}", row.replicas.len())
}

fn leader(row: &StreamSurvey) -> String {
    let leaders: BTreeSet<&str> =
        row.replicas.iter().map(|r| r.leader.as_deref().unwrap_or("none")).collect();
    leaders.into_iter().collect::<Vec<_>>().join(" or ")
}

fn silent(row: &StreamSurvey) -> String {
    let names = row.silent.iter().map(|silent| silent.name.clone());
    let unlisted = (row.unlisted > 0).then(|| format!("{} unlisted", row.unlisted));
    names.chain(unlisted).collect::<Vec<_>>().join(", ")
}

/// The last sequence, from the least to the largest that a replica tells.
fn last_seq(row: &StreamSurvey) -> String {
    let seqs: BTreeSet<u64> = row.replicas.iter().filter_map(|r| r.last_seq).collect();
    match (seqs.first(), seqs.last()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(seq), _) => seq.to_string(),
        _ => "?".to_owned(),
    }
}

/// The other epochs in which something is not known.
fn others(canvas: &mut Canvas, epochs: &[(&EpochSurvey, &StreamsSurvey)]) {
    let lacks = |streams: &StreamsSurvey| {
        streams.silent > 0 || streams.unlisted > 0 || streams.not_joined > 0 || streams.beyond > 0
    };
    let lacking: Vec<_> = epochs.iter().filter(|(_, streams)| lacks(streams)).collect();
    for (epoch, streams) in lacking.iter().take(ROWS) {
        let text = format!("epoch {}: {}", epoch.index, denominators(streams));
        canvas.paragraph(2, &format!("{text}{}", silent_servers(&streams.rows)));
    }
    more(canvas, lacking.len(), "epochs that lack replicas, in the JSON output");
}

/// The servers whose replicas are silent, the first of them.
fn silent_servers(rows: &[StreamSurvey]) -> String {
    const SHOWN: usize = 5;
    let names: BTreeSet<&str> =
        rows.iter().flat_map(|row| &row.silent).map(|silent| silent.name.as_str()).collect();
    let shown: Vec<&str> = names.iter().copied().take(SHOWN).collect();
    match names.len().saturating_sub(SHOWN) {
        _ if names.is_empty() => String::new(),
        0 => format!(" Silent: {}.", shown.join(", ")),
        more => format!(" Silent: {} and {more} more.", shown.join(", ")),
    }
}

fn more(canvas: &mut Canvas, total: usize, where_: &str) {
    if total > ROWS {
        let text = format!("… and {} more {where_}", total - ROWS);
        canvas.line(2, &[(Tone::Faint, &text)]);
    }
}
