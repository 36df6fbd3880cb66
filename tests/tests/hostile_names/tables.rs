//! Tables of a text, and the texts of a JSON document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::terminal::slice;

/// Fails if a cell of a table with this head does not begin in the column of its word, behind
/// nothing but space; gives how many such tables there are.
pub(crate) fn aligned(text: &str, heads: &[&str]) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = 0;
    for (number, line) in lines.iter().enumerate() {
        let Some(starts) = starts_of(line, heads) else { continue };
        found += 1;
        let rows = lines[number + 1..].iter().take_while(|row| is_row(row, starts[0]));
        let mut count = 0;
        for row in rows {
            count += 1;
            for start in &starts {
                let (before, first) =
                    (slice(row, start - 2, *start), slice(row, *start, start + 1));
                assert_eq!(before, "  ", "column {start} of {row:?} under {line:?}");
                assert_ne!(first, " ", "column {start} of {row:?} under {line:?}");
            }
        }
        assert!(count > 0, "no row under {line:?}");
    }
    found
}

/// Where the words of a head begin, if a line is this head.
fn starts_of(line: &str, heads: &[&str]) -> Option<Vec<usize>> {
    let mut from = 0;
    let mut starts = Vec::new();
    for head in heads {
        let at = line[from..].find(head)? + from;
        if !line[from..at].trim().is_empty() {
            return None;
        }
        starts.push(at);
        from = at + head.len();
    }
    line[from..].trim().is_empty().then_some(starts)
}

/// A row of a table is indented as its head is, and neither empty nor a word on further rows.
fn is_row(row: &str, start: usize) -> bool {
    let text = row.trim_start();
    row.len() - text.len() == start && !text.trim_end().ends_with(':') && !text.starts_with('…')
}

/// Every text in a document.
pub(crate) fn take_texts(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Array(all) => all.iter().for_each(|value| take_texts(value, texts)),
        Value::Object(all) => {
            for (key, value) in all {
                texts.insert(key.clone());
                take_texts(value, texts);
            }
        }
        _ => {}
    }
}
