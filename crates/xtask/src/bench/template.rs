//! Recorded text in which some words can be replaced, again and again.

/// A text cut at the words to replace.
#[derive(Clone, Debug)]
pub(super) struct Template<Slot> {
    pieces: Vec<(String, Option<Slot>)>,
}

impl<Slot: Copy> Template<Slot> {
    /// Cuts a text at every word; of two that begin at one place the first in the list counts.
    pub(super) fn new(text: &str, words: &[(&str, Slot)]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((at, word, slot)) = next(rest, words) {
            pieces.push((rest[..at].to_owned(), Some(slot)));
            rest = &rest[at + word.len()..];
        }
        pieces.push((rest.to_owned(), None));
        Self { pieces }
    }

    /// The text with its words replaced.
    pub(super) fn fill<'a>(&self, word: impl Fn(Slot) -> &'a str) -> String {
        let mut text = String::with_capacity(self.pieces.iter().map(|piece| piece.0.len()).sum());
        for (piece, slot) in &self.pieces {
            text.push_str(piece);
            if let Some(slot) = slot {
                text.push_str(word(*slot));
            }
        }
        text
    }
}

fn next<'a, Slot: Copy>(text: &str, words: &[(&'a str, Slot)]) -> Option<(usize, &'a str, Slot)> {
    words
        .iter()
        .filter(|(word, _)| !word.is_empty())
        .filter_map(|(word, slot)| Some((text.find(word)?, *word, *slot)))
        .min_by_key(|(at, _, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn every_word_is_replaced_wherever_it_stands() {
        let template = Template::new("a1 says a2, a1", &[("a1", 'x'), ("a2", 'y')]);
        let filled = template.fill(|slot| if slot == 'x' { "first" } else { "" });
        assert_eq!(filled, "first says , first");
    }
}
