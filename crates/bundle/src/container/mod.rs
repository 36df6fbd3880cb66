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
mod kept;
mod listing;
mod local;
mod measure;
mod packed;
mod pax;
mod pieces;
mod reader;
mod salvage;
mod tar;
mod zip;

use std::io;
use std::sync::Arc;

use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Limits, ReadAt};

pub use entry::{Entry, Refusal};
pub use kept::Kept;
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

    /// Some of its entries, in the order they are named in, put away in little room until they are
    /// read: an archive of a large system has many that nobody reads, and this takes no memory for
    /// them.
    pub fn keep(&self, entries: &[usize]) -> io::Result<Kept> {
        Kept::of(self, entries)
    }

    /// What could not be used, in the order it was met.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
