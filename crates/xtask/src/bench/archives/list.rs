//! Recorded lists, cut in front of each row, so that there can be more rows of the same kind.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

type Any<T> = Result<T, Box<dyn std::error::Error>>;

/// A document with a list in it, in the words of the server.
#[derive(Clone, Debug)]
pub(super) struct List {
    head: String,
    pub(super) rows: Vec<String>,
    between: String,
    tail: String,
}

impl List {
    /// Cuts the list that stands under these keys, which must have a row.
    pub(super) fn cut(text: &str, path: &[&str]) -> Any<Self> {
        let mut value: &RawValue = serde_json::from_str(text)?;
        for key in path {
            let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(value.get())?;
            value = fields.remove(*key).ok_or_else(|| format!("no `{key}` was recorded"))?;
        }
        let rows: Vec<&RawValue> = serde_json::from_str(value.get())?;
        let within = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        let (first, last) = (rows.first(), rows.last());
        let (first, last) = first.zip(last).ok_or("a list without rows was recorded")?;
        let (start, end) = (within(first.get()), within(last.get()) + last.get().len());
        let indent = text[..start].rsplit_once('\n').map_or("", |(_, indent)| indent);
        Ok(Self {
            head: text[..start].to_owned(),
            between: format!(",\n{indent}"),
            tail: text[end..].to_owned(),
            rows: rows.into_iter().map(|row| row.get().to_owned()).collect(),
        })
    }

    /// The document with other rows, none if there are none.
    pub(super) fn with(&self, rows: &[String]) -> String {
        [&*self.head, &*rows.join(&self.between), &*self.tail].concat()
    }

    /// Sets numbers that stand in front of the list.
    pub(super) fn set(&mut self, numbers: &[(&str, usize)]) {
        for (key, number) in numbers {
            let key = format!("\"{key}\": ");
            let Some(at) = self.head.find(&key).map(|at| at + key.len()) else { continue };
            let rest = self.head[at..].trim_start_matches(|digit: char| digit.is_ascii_digit());
            self.head = format!("{}{number}{rest}", &self.head[..at]);
        }
    }

    /// The documents of a list of many rows, in pages as the gatherer asks for them.
    pub(super) fn pages(mut self, rows: &[String], count: &str) -> Vec<String> {
        let pages = rows.chunks(PAGE).enumerate().map(|(at, of_page)| {
            let offset = at * PAGE;
            self.set(&[(count, of_page.len()), ("total", rows.len()), ("offset", offset)]);
            self.with(of_page)
        });
        let pages: Vec<String> = pages.collect();
        if pages.is_empty() {
            self.set(&[(count, 0), ("total", 0)]);
            return vec![self.with(&[])];
        }
        pages
    }
}

/// Rows of a page.
const PAGE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::{List, PAGE};

    #[test]
    fn a_list_has_other_rows_and_what_is_around_stays() {
        let text = "{\n  \"count\": 2,\n  \"total\": 2,\n  \"offset\": 0,\n  \"rows\": [\n    1,\n    2\n  ]\n}";
        let list = List::cut(text, &["rows"]).unwrap();
        assert_eq!(list.with(&list.rows), text);
        let rows: Vec<String> = (0..=PAGE).map(|row| row.to_string()).collect();
        let pages = list.pages(&rows, "count");
        assert_eq!(
            pages[1],
            format!(
                "{{\n  \"count\": 1,\n  \"total\": 1025,\n  \"offset\": {PAGE},\n  \"rows\": [\n    {PAGE}\n  ]\n}}"
            )
        );
        assert_eq!(pages.len(), 2);
    }
}
