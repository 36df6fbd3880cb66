//! The ledger of `SKEW_003`: every window in which two versions coexisted, in one table over the
//! whole sequence. Each window is a finding whose details hold all that is shown.

use serde_json::{Map, Value};

use super::canvas::{COLUMNS, Canvas, Tone, wrap};
use super::finding::seen;
use super::heading;
use super::when::{clock, count, no_less_than, no_more_than};
use crate::render::plain;
use crate::report::Finding;

/// The check whose findings stand here and nowhere else.
const CODE: &str = "SKEW_003";
/// Windows shown; the rest is counted.
const WINDOWS: usize = 100;
/// Sides of a window shown; the rest is counted.
const SIDES: usize = 8;
/// Columns before the rows of a window.
const INDENT: usize = 4;
/// Columns of a point in time, without fractions of a second, and the space behind it.
const TIME: usize = 21;
/// Columns of a duration and the space behind it.
const DURATION: usize = 16;
/// What stands for a number that is not known.
const UNKNOWN: &str = "unknown";
/// Columns of the widest version.
const VERSION: usize = 16;

/// Whether a finding is a window of the ledger.
pub(super) fn holds(finding: &Finding) -> bool {
    finding.code == CODE
}

/// All windows in the order in which they opened.
pub(super) fn draw(canvas: &mut Canvas, mut windows: Vec<&Finding>) {
    if windows.is_empty() {
        return;
    }
    windows.sort_by_key(|window| (window.opened.moment.epoch, &window.subject));
    canvas.heading(&format!("Version exposure ({CODE})"));
    canvas.paragraph(2, "What ran in two versions at once, and what each served meanwhile.");
    let head = ["first seen", "last seen", "lasted at least", "at most"];
    canvas.line(INDENT, &[(Tone::Faint, &row(head))]);
    for window in windows.iter().take(WINDOWS) {
        draw_window(canvas, window);
    }
    if windows.len() > WINDOWS {
        let more = format!("… and {} more in the JSON report", windows.len() - WINDOWS);
        canvas.line(2, &[(Tone::Faint, &more)]);
    }
    canvas.labelled(2, "to do", &format!("hindsight explain {CODE}"));
}

fn row([from, to, least, most]: [&str; 4]) -> String {
    let cells = [(from, TIME), (to, TIME), (least, DURATION), (most, DURATION)];
    cells.iter().map(|(cell, width)| plain::pad(cell, *width)).collect()
}

fn draw_window(canvas: &mut Canvas, window: &Finding) {
    canvas.line(2, &[(Tone::Strong, &heading(&window.subject, COLUMNS - 2))]);
    let from = &window.opened.moment.time;
    let to = window.closed.as_ref().map_or("open", |_| &window.last_seen.time);
    let lasted =
        |key: &str, bound: fn(i64) -> String| match window.details.get(key).and_then(Value::as_i64)
        {
            None => "not known".to_owned(),
            Some(0) => "0 s".to_owned(),
            Some(seconds) => bound(seconds.saturating_mul(1_000)),
        };
    let least = lasted("lasted_at_least_s", no_less_than);
    let most = lasted("lasted_at_most_s", no_more_than);
    canvas.line(INDENT, &[(Tone::Plain, &row([&moment(from), &moment(to), &least, &most]))]);
    sides(canvas, &window.details);
    if !window.gaps.is_empty() {
        canvas.paragraph(INDENT, &format!("seen {}", seen(window)));
    }
    if let Some(closed) = window.closed.as_ref().filter(|closed| !closed.because.is_empty()) {
        canvas.paragraph(INDENT, &format!("{}: {}", closed.how, closed.because));
    }
}

/// What each version served, one after the other.
fn sides(canvas: &mut Canvas, details: &Value) {
    let sides: Vec<&Map<String, Value>> =
        list(details, "sides").iter().filter_map(Value::as_object).collect();
    let version = |side: &Map<String, Value>| {
        side.get("version").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let widest = sides.iter().map(|side| plain::width(&version(side))).max().unwrap_or(0);
    let column = widest.min(VERSION);
    for side in sides.iter().take(SIDES) {
        let text = wrap(&served(side), COLUMNS - INDENT - 4 - column);
        for (i, line) in text.iter().enumerate() {
            let label = if i == 0 { version(side) } else { String::new() };
            let label = format!("{}  ", plain::pad(&label, column));
            canvas.line(INDENT + 2, &[(Tone::Strong, &label), (Tone::Plain, line)]);
        }
    }
    let mut more = Vec::new();
    if sides.len() > SIDES {
        more.push(count(sides.len() - SIDES, "version", "versions"));
    }
    if let Some(left_out) = details.get("left_out").and_then(Value::as_u64) {
        more.push(format!("{} left out of the report", grouped(left_out)));
    }
    if !more.is_empty() {
        canvas.line(INDENT + 2, &[(Tone::Faint, &format!("… and {} more", more.join(", ")))]);
    }
}

/// A point in time without fractions of a second: the bracket of a window is wider than those.
fn moment(time: &str) -> String {
    let time = clock(time);
    time.split_once('.').map_or(time.as_str(), |(whole, _)| whole).to_owned()
}

fn list<'a>(details: &'a Value, key: &str) -> &'a [Value] {
    details.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What the members of one version served, in words.
fn served(side: &Map<String, Value>) -> String {
    let number = |key: &str| side.get(key).and_then(Value::as_u64);
    let mut parts = Vec::new();
    for (key, one, many) in
        [("instances", "instance", "instances"), ("servers", "server", "servers")]
    {
        if let Some(members) = number(key) {
            let noun = if members == 1 { one } else { many };
            parts.push(format!("{} {noun}{}", grouped(members), blind(side, key)));
        }
    }
    parts.extend(bounds(side, "requests").map(|requests| requests.of("requests")));
    if let Some(errors) = bounds(side, "errors") {
        let rate = number("errors_per_million").map(|rate| format!(" ({})", percent(rate)));
        parts.push(errors.of("errors") + &rate.unwrap_or_default());
    }
    parts.extend(bounds(side, "in_msgs").map(|received| received.of("messages in")));
    parts.extend(bounds(side, "out_msgs").map(|sent| sent.of("messages out")));
    if side.contains_key("connections") {
        let shown = |key: &str| number(key).map_or(UNKNOWN.to_owned(), grouped);
        let (last, peak) = (shown("connections"), shown("connections_peak"));
        let connections = if last == "1" { "connection" } else { "connections" };
        parts.push(format!("{last} {connections} at the end, {peak} at the peak"));
    }
    parts.join("; ")
}

/// A number of which one bound, or both, may not be known.
struct Bounds(Option<u64>, Option<u64>);

fn bounds(side: &Map<String, Value>, key: &str) -> Option<Bounds> {
    let at_least = side.get(&format!("{key}_at_least"))?.as_u64();
    let at_most = side.get(&format!("{key}_at_most"))?.as_u64();
    Some(Bounds(at_least, at_most))
}

impl Bounds {
    fn of(&self, what: &str) -> String {
        match (self.0, self.1) {
            (Some(least), Some(most)) if least == most => format!("{} {what}", grouped(least)),
            (Some(least), Some(most)) => format!("{} to {} {what}", grouped(least), grouped(most)),
            (Some(least), None) => format!("at least {} {what}", grouped(least)),
            (None, Some(most)) => format!("at most {} {what}", grouped(most)),
            (None, None) => format!("{what} unknown"),
        }
    }
}

/// Of how many members the numbers are not, or not wholly, known.
fn blind(side: &Map<String, Value>, members: &str) -> String {
    let of = |suffix: &str| {
        side.get(&format!("{members}_{suffix}")).and_then(Value::as_u64).unwrap_or(0)
    };
    match (of("unknown"), of("partly_known")) {
        (0, 0) => String::new(),
        (0, partly) => format!(" ({} known in part)", grouped(partly)),
        (unknown, 0) => format!(" ({} not known)", grouped(unknown)),
        (unknown, partly) => {
            format!(" ({} not known, {} in part)", grouped(unknown), grouped(partly))
        }
    }
}

/// A share in parts per million as a percentage, cut after two decimals.
fn percent(per_million: u64) -> String {
    format!("{}.{:02} %", per_million / 10_000, per_million % 10_000 / 100)
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_in_thousands_and_rates_in_percent() {
        assert_eq!(["0", "999"], [grouped(0), grouped(999)].each_ref().map(String::as_str));
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(percent(0), "0.00 %");
        assert_eq!(percent(231_578), "23.15 %");
        assert_eq!(percent(1_000_000), "100.00 %");
    }

    #[test]
    fn a_bound_that_is_not_known_is_said_not_to_be() {
        let side = |least: Value, most: Value| {
            let row = serde_json::json!({ "requests_at_least": least, "requests_at_most": most });
            bounds(row.as_object().unwrap(), "requests").unwrap().of("requests")
        };
        assert_eq!(side(7.into(), 7.into()), "7 requests");
        assert_eq!(side(7.into(), 1_234.into()), "7 to 1,234 requests");
        assert_eq!(side(7.into(), Value::Null), "at least 7 requests");
        assert_eq!(side(Value::Null, 0.into()), "at most 0 requests");
        assert_eq!(side(Value::Null, Value::Null), "requests unknown");
    }
}
