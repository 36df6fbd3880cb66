//! Recorded text with holes where every copy of it has something of its own.

#[derive(Clone, Debug)]
enum Part<Hole> {
    Text(String),
    Hole(Hole),
}

/// A text that can be copied.
#[derive(Clone, Debug)]
pub struct Template<Hole> {
    parts: Vec<Part<Hole>>,
    length: usize,
}

impl<Hole: Copy> Template<Hole> {
    /// Makes a hole wherever one of the words stands; of two that begin at one place the first in
    /// the list counts.
    pub fn new<Word: AsRef<str>>(text: &str, words: &[(Word, Hole)]) -> Self {
        let mut template = Self { parts: Vec::new(), length: text.len() };
        let (mut piece, mut rest) = (String::new(), text);
        while let Some(first) = rest.chars().next() {
            let at = |word: &&(Word, Hole)| {
                !word.0.as_ref().is_empty() && rest.starts_with(word.0.as_ref())
            };
            if let Some((word, hole)) = words.iter().find(at) {
                template.parts.push(Part::Text(std::mem::take(&mut piece)));
                template.parts.push(Part::Hole(*hole));
                rest = &rest[word.as_ref().len()..];
            } else {
                piece.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        template.parts.push(Part::Text(piece));
        template
    }

    /// A copy.
    pub fn fill(&self, mut fill: impl FnMut(Hole, &mut String)) -> String {
        let mut text = String::with_capacity(self.length + 256);
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Hole(hole) => fill(*hole, &mut text),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn copies_differ_where_the_holes_are() {
        let body = r#"{"id":"NX","name":"a1","peer":"a11"}"#;
        let copy = Template::new(body, &[("NX", 'x'), (r#""a1""#, 'y'), ("", 'z')])
            .fill(|hole, out| out.push_str(if hole == 'x' { "NY" } else { r#""b1""# }));
        assert_eq!(copy, r#"{"id":"NY","name":"b1","peer":"a11"}"#);
    }

    #[test]
    fn every_word_is_replaced_wherever_it_stands() {
        let template = Template::new("a1 says a2, a1", &[("a1", 'x'), ("a2", 'y')]);
        let filled =
            template.fill(|hole, out| out.push_str(if hole == 'x' { "first" } else { "" }));
        assert_eq!(filled, "first says , first");
    }
}
