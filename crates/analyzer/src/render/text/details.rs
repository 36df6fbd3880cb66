//! The typed details of a finding, laid out by their shape alone: scalars as rows, lists of
//! objects as tables. A new check needs no line here.

use serde_json::{Map, Value};

use super::canvas::{COLUMNS, Canvas, LABEL, Tone, wrap};
use super::table::Table;
use super::when::{clock, duration_ms, some};
use crate::render::plain;

/// Rows of a table before the rest is only counted.
const ROWS: usize = 8;
/// Entries of a list before the rest is only counted.
const ENTRIES: usize = 12;
/// Columns of the widest label.
const LABELS: usize = 22;
/// Levels of objects in objects; deeper ones stay in the JSON report.
const DEPTH: usize = 3;

/// Columns that come first, because they say what a row is about.
const FIRST: &[&str] = &[
    "version",
    "app_version",
    "name",
    "server",
    "service",
    "instance",
    "cluster",
    "account",
    "id",
    "time",
    "reason",
    "count",
];

/// Lays out the fields of an object.
pub(super) fn draw(canvas: &mut Canvas, indent: usize, fields: &Map<String, Value>) {
    level(canvas, indent, fields, DEPTH);
}

fn level(canvas: &mut Canvas, indent: usize, fields: &Map<String, Value>, depth: usize) {
    let (short, long): (Vec<_>, Vec<_>) =
        in_order(fields).into_iter().partition(|(_, value)| is_inline(value));
    let widest = short.iter().map(|(key, _)| plain::width(&label(key))).max().unwrap_or(0);
    let column = (widest + 2).clamp(LABEL, LABELS);
    for (key, value) in short {
        row(canvas, indent, column, &label(key), &scalar(key, value));
    }
    for (key, value) in long.into_iter().filter(|(_, value)| !is_empty(value)) {
        canvas.line(indent, &[(Tone::Faint, &format!("{}:", label(key)))]);
        match value {
            Value::Object(inner) if depth > 1 => level(canvas, indent + 2, inner, depth - 1),
            Value::Array(rows) => list(canvas, indent + 2, rows, depth),
            _ => canvas.line(indent + 2, &[(Tone::Faint, "(see the JSON report)")]),
        }
    }
}

/// One scalar behind its label, wrapped beside it.
fn row(canvas: &mut Canvas, indent: usize, column: usize, label: &str, text: &str) {
    let room = COLUMNS.saturating_sub(indent + column);
    for (i, line) in wrap(text, room).iter().enumerate() {
        let label = format!("{} ", plain::pad(if i == 0 { label } else { "" }, column - 1));
        canvas.line(indent, &[(Tone::Faint, &label), (Tone::Plain, line)]);
    }
}

/// A list whose entries are objects: those that hold lists of their own as blocks, others as a
/// table.
fn list(canvas: &mut Canvas, indent: usize, entries: &[Value], depth: usize) {
    let objects: Vec<&Map<String, Value>> = entries.iter().filter_map(Value::as_object).collect();
    let nested = objects
        .iter()
        .any(|object| object.values().any(|value| !is_inline(value) && !is_empty(value)));
    if nested && depth > 1 {
        for object in objects.iter().take(ROWS) {
            block(canvas, indent, object, depth - 1);
        }
    } else {
        table(&objects[..objects.len().min(ROWS)]).draw(canvas, indent);
    }
    if objects.len() > ROWS {
        let more = format!("… and {} more", objects.len() - ROWS);
        canvas.line(indent, &[(Tone::Faint, &more)]);
    }
}

/// An object of a list: what it is about in one line, its own lists below.
fn block(canvas: &mut Canvas, indent: usize, object: &Map<String, Value>, depth: usize) {
    let (short, long): (Vec<_>, Vec<_>) =
        in_order(object).into_iter().partition(|(_, value)| is_inline(value));
    let mut words = Vec::new();
    for (i, (key, value)) in short.iter().enumerate() {
        let text = scalar(key, value);
        words.push(if i == 0 { text } else { format!("{} {text}", label(key)) });
    }
    for line in wrap(&words.join(", "), COLUMNS.saturating_sub(indent)) {
        canvas.line(indent, &[(Tone::Strong, &line)]);
    }
    for (key, value) in long.into_iter().filter(|(_, value)| !is_empty(value)) {
        match value {
            Value::Array(rows) => list(canvas, indent + 2, rows, depth),
            Value::Object(inner) if depth > 1 => {
                canvas.line(indent + 2, &[(Tone::Faint, &format!("{}:", label(key)))]);
                level(canvas, indent + 4, inner, depth - 1);
            }
            _ => {}
        }
    }
}

/// Rows with the columns in which at least one of them says something.
fn table(objects: &[&Map<String, Value>]) -> Table {
    let mut table = Table::default();
    for key in keys(objects) {
        let cells: Vec<String> = objects
            .iter()
            .map(|object| object.get(key).map_or_else(String::new, |value| cell(key, value)))
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            table.column(&label(key), cells);
        }
    }
    table
}

/// Keys of all rows: those that name a row first, the rest by name.
fn keys<'a>(objects: &[&'a Map<String, Value>]) -> Vec<&'a str> {
    let mut keys: Vec<&str> =
        objects.iter().flat_map(|object| object.keys().map(String::as_str)).collect();
    keys.sort_by_key(|key| rank(key));
    keys.dedup();
    keys
}

/// Fields in the order in which they are shown, without those that say nothing. That there is no
/// majority does say something.
fn in_order(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<(&str, &Value)> = fields
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .filter(|(key, value)| !value.is_null() || *key == "majority")
        .collect();
    fields.sort_by_key(|(key, _)| rank(key));
    fields
}

fn rank(key: &str) -> (usize, &str) {
    (FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len()), key)
}

/// A key without the unit in its name, in words.
fn label(key: &str) -> String {
    let bare = ["_us", "_ms", "_s"].iter().find_map(|unit| key.strip_suffix(unit)).unwrap_or(key);
    bare.replace('_', " ")
}

/// Whether a value fits beside its label: scalars and lists of scalars.
fn is_inline(value: &Value) -> bool {
    match value {
        Value::Array(entries) => {
            !entries.is_empty()
                && entries.iter().all(|entry| !entry.is_object() && !entry.is_array())
        }
        Value::Object(_) => false,
        _ => true,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(entries) => entries.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Text of a scalar; the unit is in the name of its key.
pub(super) fn scalar(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => time(text),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.to_string(), |n| in_unit(key, n))
        }
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| scalar(key, entry)).collect();
            some(&entries, ENTRIES)
        }
        Value::Object(_) => value.to_string(),
    }
}

/// A time as times are shown here, any other text as it is.
fn time(text: &str) -> String {
    let is_time = text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok();
    if is_time { clock(text) } else { text.to_owned() }
}

fn in_unit(key: &str, number: i64) -> String {
    if key.ends_with("_us") {
        format!("{number} µs")
    } else if key.ends_with("_ms") {
        duration_ms(number)
    } else if key.ends_with("_s") && number == 0 {
        "0 s".to_owned()
    } else if key.ends_with("_s") {
        duration_ms(number.saturating_mul(1_000))
    } else {
        number.to_string()
    }
}

fn cell(key: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(fields) => {
            let words: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key}={}", scalar(key, value))).collect();
            words.join(" ")
        }
        other => scalar(key, other),
    }
}
