//! A recorded body with holes where every copy of it has something of its own.

/// What goes into a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole {
    /// Id of a member of the cluster.
    Id(usize),
    /// Name of a member, with its quotation marks.
    Name(usize),
    /// Name of the cluster, with its quotation marks.
    Cluster,
    /// Version of the server that answers, with its quotation marks.
    Version,
    /// The time at which it answers.
    Now,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Hole(Hole),
}

/// A body that can be copied.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    length: usize,
}

/// Texts before the time of an answer.
const TIMES: [&str; 2] = [r#""time":""#, r#""now":""#];

impl Template {
    /// Makes a hole wherever one of the texts stands, and where the time of the answer does.
    pub(super) fn new(body: &str, holes: &[(String, Hole)]) -> Self {
        let mut template = Self { parts: Vec::new(), length: body.len() };
        let mut text = String::new();
        let mut rest = body;
        while let Some(first) = rest.chars().next() {
            let found = holes.iter().find(|(needle, _)| rest.starts_with(needle));
            if let Some((needle, hole)) = found {
                template.hole(&mut text, *hole);
                rest = &rest[needle.len()..];
            } else if let Some(time) = TIMES.into_iter().find(|time| rest.starts_with(time)) {
                text.push_str(time);
                template.hole(&mut text, Hole::Now);
                let after = &rest[time.len()..];
                rest = after.find('"').map_or("", |end| &after[end..]);
            } else {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        template.parts.push(Part::Text(text));
        template
    }

    fn hole(&mut self, text: &mut String, hole: Hole) {
        self.parts.push(Part::Text(std::mem::take(text)));
        self.parts.push(Part::Hole(hole));
    }

    /// A copy.
    pub(super) fn fill(&self, mut fill: impl FnMut(Hole, &mut String)) -> String {
        let mut body = String::with_capacity(self.length + 256);
        for part in &self.parts {
            match part {
                Part::Text(text) => body.push_str(text),
                Part::Hole(hole) => fill(*hole, &mut body),
            }
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_where_the_holes_are() {
        let holes = [("NX".to_owned(), Hole::Id(0)), (r#""a1""#.to_owned(), Hole::Name(0))];
        let body = r#"{"id":"NX","name":"a1","time":"2026-11-21T12:00:00Z","peer":"a11"}"#;
        let copy = Template::new(body, &holes).fill(|hole, out| {
            out.push_str(match hole {
                Hole::Id(_) => "NY",
                Hole::Name(_) => r#""b1""#,
                _ => "later",
            });
        });
        assert_eq!(copy, r#"{"id":"NY","name":"b1","time":"later","peer":"a11"}"#);
    }
}
