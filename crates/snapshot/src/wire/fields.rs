//! An object whose fields are read one by one, so that what is wrong with one costs that one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of an object by name, each as it was sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, &'a RawValue>);

/// What an object says under a path.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// There is no such field, nor the object it would stand in.
    Missing,
    /// What should hold it is no object.
    Unreadable,
    /// The field, `null` included.
    Sent(&'a RawValue),
}

impl<'a> Fields<'a> {
    /// A field by its path, such as `cluster.tls_required`. Names hold no dot.
    pub fn get(&self, path: &str) -> Field<'a> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.0.get(name) {
            None => Field::Missing,
            Some(raw) if rest.is_empty() => Field::Sent(raw),
            Some(raw) if raw.get() == "null" => Field::Missing,
            Some(raw) => match serde_json::from_str::<Fields<'a>>(raw.get()) {
                Ok(inner) => inner.get(rest),
                Err(_) => Field::Unreadable,
            },
        }
    }

    /// Names and fields, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (name.as_ref(), *raw))
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Fields};

    #[test]
    fn a_field_that_is_odd_costs_that_field() {
        let text = r#"{"a": 1, "b": {"c": true, "d": null}, "e": "x", "f": null, "g\u0041": 2}"#;
        let fields: Fields<'_> = serde_json::from_str(text).unwrap();
        let sent = |path| match fields.get(path) {
            Field::Sent(raw) => raw.get(),
            Field::Missing => "missing",
            Field::Unreadable => "unreadable",
        };
        assert_eq!([sent("a"), sent("b.c"), sent("b.d"), sent("gA")], ["1", "true", "null", "2"]);
        assert_eq!(
            [sent("f"), sent("f.x"), sent("z"), sent("z.x")],
            ["null", "missing", "missing", "missing"]
        );
        assert_eq!([sent("e.x"), sent("a.x"), sent("b.c.x")], ["unreadable"; 3]);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "e", "f", "gA"]);
    }
}
