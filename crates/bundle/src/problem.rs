//! What is wrong with a part of an archive.

/// Problems of one archive that are told one by one.
const TOLD: usize = 200;

/// Characters of a name that a problem repeats.
const NAME: usize = 200;

/// Something that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// A stable name for reports.
    pub kind: &'static str,
    /// One sentence, without the name of the entry.
    pub text: String,
    /// The name of the entry, cut where it is long. It is as the archive has it, not escaped.
    pub entry: Option<String>,
    /// Where in the archive, in bytes. In one that is compressed as a whole, where in what it
    /// unpacks to.
    pub offset: Option<u64>,
}

impl Problem {
    /// A problem of no particular place.
    pub(crate) fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), entry: None, offset: None }
    }

    /// The same, of an entry.
    pub(crate) fn of(self, entry: &str) -> Self {
        Self { entry: Some(shortened(entry)), ..self }
    }

    /// The same, at an offset.
    pub(crate) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }
}

/// A name that fits a message.
pub(crate) fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Collects problems in the order they are met, and counts those beyond what is worth telling.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    told: Vec<Problem>,
    untold: u64,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: Problem) {
        if self.told.len() < TOLD {
            self.told.push(problem);
        } else {
            self.untold += 1;
        }
    }

    /// Adds those of a part.
    pub(crate) fn join(&mut self, part: Self) {
        part.told.into_iter().for_each(|problem| self.add(problem));
        self.untold += part.untold;
    }

    pub(crate) fn finish(mut self) -> Vec<Problem> {
        if self.untold > 0 {
            let text = format!("{} more problems of this archive", self.untold);
            self.told.push(Problem::new("more_problems", text));
        }
        self.told
    }
}
