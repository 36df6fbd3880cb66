//! Containers: lists what a ZIP or tar archive holds and reads it entry by entry, in memory.
//!
//! ```text
//! source ─► open (which container it is) ─► list (zip · salvage · tar · packed) ─► read an entry
//! ```
//!
//! A ZIP archive is listed by its directory, or by walking over its entries where that is lost.
//! An archive that is compressed as a whole is unpacked once and held. No length that is found
//! inside is believed: an entry gives at most as many bytes as were bounded when it was listed, so
//! what all of them give is known before the first is read.

mod entry;
mod listing;
mod local;
mod measure;
mod packed;
mod pax;
mod reader;
mod salvage;
mod tar;
mod zip;

use std::io;
use std::sync::Arc;

use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Limits, ReadAt};

pub use entry::{Entry, Refusal};
pub use reader::Reader;

use crate::problem::Problem;
use listing::Listing;

/// Which container it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A ZIP archive.
    Zip,
    /// A tar archive, also one that is compressed as a whole.
    Tar,
    /// Something else that is compressed as a whole with gzip or zstd: the only entry has no name.
    Packed,
}

/// What a container holds. It can be shared between threads; each reads with a [`Reader`] of its
/// own.
#[derive(Debug)]
pub struct Container {
    kind: Kind,
    salvaged: bool,
    names: String,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    held: Option<Arc<[u8]>>,
}

impl Container {
    /// Lists a container, or gives `None` where the source is none: empty, or of another kind.
    ///
    /// Fails only where the source itself cannot be read. What is wrong inside is among
    /// [`Self::problems`].
    pub fn open(source: &dyn ReadAt, limits: &Limits) -> io::Result<Option<Self>> {
        let size = source.size()?;
        let mut head = Vec::new();
        read_up_to(source, 0, tar::BLOCK, &mut head)?;
        if let Some(packing) = packed::Packing::of(&head) {
            return packed::open(source, size, packing, limits).map(Some);
        }
        let mut listing = Listing::new(limits, size);
        if tar::is_header(&head) {
            tar::list(source, size, &mut listing)?;
            return Ok(Some(listing.finish(Kind::Tar, false, None)));
        }
        let Some(salvaged) = zip::list(source, size, &mut listing)? else { return Ok(None) };
        Ok(Some(listing.finish(Kind::Zip, salvaged, None)))
    }

    /// Which container it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is a ZIP archive whose directory is lost: what was found may not be all.
    pub fn is_salvaged(&self) -> bool {
        self.salvaged
    }

    /// Every entry that is a file, in the order of the archive, those included that are refused.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The name of an entry as the archive has it, empty where there is none of that index. It may
    /// hold anything, and two entries may have the same.
    pub fn name(&self, index: usize) -> &str {
        let range = self.entries.get(index).map(|entry| entry.name.clone());
        range.and_then(|range| self.names.get(range)).unwrap_or("")
    }

    /// The same container with some of its entries alone, in the order they are named in: an
    /// archive of a large system has many that nobody reads, and this takes no memory for them.
    #[must_use]
    pub fn only(&self, entries: &[usize]) -> Self {
        // Neither has more room than it needs: one is held for every archive of a sequence.
        let bytes = entries.iter().map(|index| self.name(*index).len()).sum();
        let (mut names, mut kept) = (String::with_capacity(bytes), Vec::new());
        kept.reserve_exact(entries.len());
        for index in entries {
            let Some(entry) = self.entries.get(*index) else { continue };
            let start = names.len();
            names.push_str(self.name(*index));
            kept.push(Entry { name: start..names.len(), ..entry.clone() });
        }
        let entries = kept;
        let (kind, salvaged, held) = (self.kind, self.salvaged, self.held.clone());
        Self { kind, salvaged, names, entries, problems: Vec::new(), held }
    }

    /// What could not be used, in the order it was met.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
