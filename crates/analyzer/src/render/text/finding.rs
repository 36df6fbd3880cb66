//! One finding: what, since when, how sure, and why.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canvas::{Canvas, Tone};
use super::when::{at_least, at_most, began, between, clock, count, ended, epochs};
use super::{details, timeline, timeline_columns, when};
use crate::render::plain;
use crate::report::{Evidence, Finding, SystemReport};

/// Columns before the rows of a finding.
pub(super) const INDENT: usize = 4;

/// Seconds that a finding has lasted for certain, in the details of checks that know of a time
/// before its first epoch.
const AT_LEAST: &str = "lasting_at_least_s";
/// Pieces of evidence shown; the rest is counted.
const EVIDENCE: usize = 4;
/// Columns of the name of who told something.
const SOURCE: usize = 24;
/// Chapters of the story shown; the rest is counted.
const CHANGES: usize = 6;

pub(super) fn draw(
    canvas: &mut Canvas,
    system: &SystemReport,
    finding: &Finding,
    parameters: &BTreeMap<String, String>,
) {
    title(canvas, finding);
    canvas.paragraph(INDENT, &finding.summary);
    time(canvas, system, finding);
    changes(canvas, finding);
    if let Value::Object(fields) = &finding.details {
        // The duration stands above, beside the bracket.
        let mut fields = fields.clone();
        fields.remove("lasting_s");
        fields.remove(AT_LEAST);
        details::draw(canvas, INDENT, &fields);
    }
    evidence(canvas, finding);
    limits(canvas, finding, parameters);
    canvas.labelled(INDENT, "to do", &format!("hindsight explain {}", finding.code));
}

/// A finding of an event that was told at length under another subject.
pub(super) fn draw_with(canvas: &mut Canvas, finding: &Finding, first: &str) {
    draw_short(canvas, finding);
    canvas.labelled(INDENT, "together", &format!("with {first}, see there"));
}

/// What, since when, and no more.
pub(super) fn draw_short(canvas: &mut Canvas, finding: &Finding) {
    title(canvas, finding);
    canvas.paragraph(INDENT, &finding.summary);
    canvas.labelled(INDENT, "began", &began(&finding.opened));
    if let Some(closed) = &finding.closed {
        canvas.labelled(INDENT, "ended", &ended(closed, &finding.last_seen));
    }
}

fn title(canvas: &mut Canvas, finding: &Finding) {
    let word = finding.severity.as_str().to_ascii_uppercase();
    let check = format!(" {} {}", finding.code, finding.slug);
    let state = if finding.closed.is_some() { "closed" } else { "open" };
    let worst = if finding.worst_severity == finding.severity {
        String::new()
    } else {
        format!(", was {}", finding.worst_severity.as_str())
    };
    let tone = Tone::Of(finding.severity);
    canvas.line(
        2,
        &[(tone, &word), (Tone::Strong, &check), (Tone::Plain, &format!("  {state}{worst}"))],
    );
}

fn time(canvas: &mut Canvas, system: &SystemReport, finding: &Finding) {
    canvas.labelled(INDENT, "began", &began(&finding.opened));
    match &finding.closed {
        Some(closed) => canvas.labelled(INDENT, "ended", &ended(closed, &finding.last_seen)),
        None => canvas.labelled(INDENT, "now", &still_open(finding)),
    }
    if let Some(lasting) = lasting(system, finding) {
        canvas.labelled(INDENT, "lasting", &lasting);
    }
    canvas.labelled(INDENT, "seen", &seen(finding));
    if finding.flaps > 0 {
        let before = count(finding.flaps, "earlier time", "earlier times");
        canvas.labelled(INDENT, "before", &format!("{before} in this recording"));
    }
    if let Some(line) = timeline::line(system, finding, timeline_columns()) {
        canvas.labelled(INDENT, "timeline", &line);
    }
}

fn still_open(finding: &Finding) -> String {
    let last = &finding.last_seen;
    format!("open, last seen {} (epoch {})", clock(&last.time), last.epoch)
}

/// How long it lasted at least, and at most where the epoch before was good. One that is open may
/// last until the last epoch, whether that could be judged or not.
fn lasting(system: &SystemReport, finding: &Finding) -> Option<String> {
    let start = &finding.opened.moment.time;
    let seen = between(start, &finding.last_seen.time)?;
    let told = finding.details.get(AT_LEAST).and_then(Value::as_i64).unwrap_or(0);
    let least = seen.max(told.saturating_mul(1_000));
    let end = match &finding.closed {
        Some(closed) => &closed.moment.time,
        None => system.epochs.last().map_or(&finding.last_seen.time, |epoch| &epoch.time),
    };
    let most = finding.opened.last_ok.as_ref().and_then(|ok| between(&ok.time, end));
    Some(match (least, most) {
        (0, Some(most)) => at_most(most),
        (0, None) => return None,
        (least, Some(most)) if most > least => format!("{}, {}", at_least(least), at_most(most)),
        (least, _) => at_least(least),
    })
}

/// In how many epochs, and where nothing could be said.
pub(super) fn seen(finding: &Finding) -> String {
    let (from, to) = (finding.opened.moment.epoch, finding.last_seen.epoch);
    let hidden = (from..=to).filter(|epoch| timeline::in_gap(finding, *epoch)).count();
    let seen = count((to + 1).saturating_sub(from + hidden), "epoch", "epochs");
    let mut parts = vec![format!("in {seen}")];
    parts.extend(finding.gaps.iter().map(|gap| {
        if timeline::is_step(gap) {
            format!("nothing recorded for long between epochs {} and {}", gap.from, gap.to)
        } else {
            let epochs = epochs(&[[gap.from, gap.to]]);
            format!("not known in {epochs}: {}", gap.reason.replace('_', " "))
        }
    }));
    parts.join("; ")
}

/// The story, where there is more than its first face.
fn changes(canvas: &mut Canvas, finding: &Finding) {
    if finding.changes.len() < 2 {
        return;
    }
    let left_out = finding.changes.len().saturating_sub(CHANGES);
    for (i, change) in finding.changes.iter().skip(left_out).enumerate() {
        let face: Vec<String> = change
            .face
            .iter()
            .map(|(key, value)| {
                format!("{} {}", key.replace('_', " "), details::scalar(key, value))
            })
            .collect();
        let label = match (i, left_out) {
            (0, 0) => "story".to_owned(),
            (0, left_out) => format!("story +{left_out}"),
            _ => String::new(),
        };
        let text = format!(
            "epoch {}, {}: {}; {}",
            change.moment.epoch,
            clock(&change.moment.time),
            change.severity.as_str(),
            face.join(", ")
        );
        canvas.labelled(INDENT, &label, &text);
    }
}

fn evidence(canvas: &mut Canvas, finding: &Finding) {
    let total = finding.evidence.len() + finding.omitted;
    for (i, fact) in finding.evidence.iter().take(EVIDENCE).enumerate() {
        canvas.labelled(INDENT, if i == 0 { "evidence" } else { "" }, &fact_in_words(fact));
    }
    if total > EVIDENCE {
        let rest = format!("and {} more in the JSON report", total - EVIDENCE);
        canvas.labelled(INDENT, "", &rest);
    }
}

fn fact_in_words(fact: &Evidence) -> String {
    format!(
        "{} {} ({} of {}, epoch {}{}{})",
        fact.name.replace('_', " "),
        details::scalar(&fact.name, &fact.value),
        fact.endpoint,
        plain::cut(&fact.source, SOURCE),
        fact.epoch,
        if fact.path.is_empty() { "" } else { ": " },
        fact.path
    )
}

/// Thresholds the verdict was reached with.
fn limits(canvas: &mut Canvas, finding: &Finding, parameters: &BTreeMap<String, String>) {
    let own: Vec<String> = parameters
        .iter()
        .filter_map(|(key, value)| {
            let key = key.strip_prefix(finding.code)?.strip_prefix('.')?;
            Some(format!("{key} = {}", when::setting(value)))
        })
        .collect();
    if !own.is_empty() {
        canvas.labelled(INDENT, "limits", &own.join(", "));
    }
}
