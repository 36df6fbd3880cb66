//! Names that are held once, however often a manifest repeats them.

use std::collections::HashMap;
use std::sync::Arc;

/// A text among [`Texts`], or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(u32);

/// Texts by number: a large capture names a few thousand a million times.
#[derive(Debug, Default)]
pub(super) struct Texts {
    ids: HashMap<Arc<str>, Id>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    /// The number of a text.
    pub(super) fn id(&mut self, text: &str) -> Id {
        if let Some(known) = self.ids.get(text) {
            return *known;
        }
        let new: Arc<str> = text.into();
        self.texts.push(new.clone());
        // A manifest with more texts than that has more bytes than any limit allows.
        let id = Id(u32::try_from(self.texts.len()).unwrap_or(0));
        self.ids.insert(new, id);
        id
    }

    /// The number of the name of a cluster: the two ways to say that there is none are one.
    pub(super) fn cluster(&mut self, name: &str) -> Id {
        if name.is_empty() || name == "unclustered" { Id::default() } else { self.id(name) }
    }

    /// The text of a number.
    pub(super) fn get(&self, id: Id) -> Option<&Arc<str>> {
        self.texts.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    /// For each number where its text is in alphabetical order; none is before all.
    pub(super) fn ranks(&self) -> Ranks {
        let mut order: Vec<u32> = (1..=u32::try_from(self.texts.len()).unwrap_or(0)).collect();
        order.sort_by(|a, b| self.get(Id(*a)).cmp(&self.get(Id(*b))));
        let mut ranks = vec![0; order.len() + 1];
        for (rank, id) in (1..).zip(order) {
            if let Some(place) = ranks.get_mut(id as usize) {
                *place = rank;
            }
        }
        Ranks(ranks)
    }
}

/// The alphabetical order of texts.
pub(super) struct Ranks(Vec<u32>);

impl Ranks {
    pub(super) fn of(&self, id: Id) -> u32 {
        self.0.get(id.0 as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Texts};

    #[test]
    fn a_text_has_one_number_and_its_rank() {
        let mut texts = Texts::default();
        let ids = ["b", "a", "c", "b"].map(|text| texts.id(text));
        assert_eq!(ids[0], ids[3]);
        assert_eq!(texts.get(ids[1]).map(AsRef::as_ref), Some("a"));
        assert_eq!(texts.get(Id::default()), None);
        let ranks = texts.ranks();
        assert_eq!(ids.map(|id| ranks.of(id)), [2, 1, 3, 2]);
        assert_eq!(ranks.of(Id::default()), 0);
        assert_eq!([texts.cluster(""), texts.cluster("unclustered")], [Id::default(); 2]);
    }
}
