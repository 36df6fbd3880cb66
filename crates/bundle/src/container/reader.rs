//! Reads entries of a container, one after the other.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use nats_hindsight_snapshot::format::ReadAt;

use super::Container;
use super::entry::{Entry, Place};
use super::local::{Local, Missing};
use crate::problem::Problem;

/// What is read beyond an entry where entries are read in the order of the archive.
const AHEAD: u64 = 64 << 10;

/// How far behind the last one an entry may begin to count as the next: a data descriptor and a
/// little more.
const GAP: u64 = 256;

/// What local headers have at most beyond name and data, as far as is guessed.
const EXTRA: u64 = 64;

/// Buffers beyond this are given back before the next entry is read.
const KEPT: usize = 8 << 20;

/// Reads entries of one container. It keeps its buffers, so that one serves many entries; each
/// thread has its own.
pub struct Reader<'a> {
    container: &'a Container,
    source: &'a dyn ReadAt,
    inflater: Decompress,
    window: Window,
    unpacked: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// A reader of a container. The source is the one it was opened with.
    pub fn new(container: &'a Container, source: &'a dyn ReadAt) -> Self {
        let (window, unpacked) = (Window::default(), Vec::new());
        Self { container, source, inflater: Decompress::new(false), window, unpacked }
    }

    /// The container that is read.
    pub fn container(&self) -> &'a Container {
        self.container
    }

    /// Reads one entry and holds its length and checksum against what the container says.
    ///
    /// Fails for this entry alone, with the name of it.
    pub fn read(&mut self, index: usize) -> Result<&[u8], Problem> {
        let Some(entry) = self.container.entries().get(index) else {
            return Err(Problem::new("entry_missing", format!("there is no entry {index}")));
        };
        let container = self.container;
        let place = |problem: Problem| problem.of(container.name(index)).at(entry.place.offset());
        if let Some(refusal) = entry.refused {
            return Err(place(refusal.problem()));
        }
        self.fetch(index, entry).map_err(place)
    }

    /// CRC-32 of what an entry unpacks to: as the container tells it, unchecked, else of its bytes.
    /// `None` where it tells none and the entry cannot be read.
    pub fn checksum(&mut self, index: usize) -> Option<u32> {
        let told = self.container.entries().get(index)?.crc;
        told.or_else(|| self.read(index).ok().map(crc32fast::hash))
    }

    /// Reads one entry and gives its bytes away, for an archive inside this one.
    pub fn take(&mut self, index: usize) -> Result<Vec<u8>, Problem> {
        let length = self.read(index)?.len();
        let inflated = self.container.entries().get(index).is_some_and(|entry| entry.deflated);
        if inflated {
            let mut taken = std::mem::take(&mut self.unpacked);
            taken.truncate(length);
            return Ok(taken);
        }
        self.read(index).map(<[u8]>::to_vec)
    }

    /// The bytes of an entry as they are stored, and what inflates them.
    pub(super) fn stored(
        &mut self,
        index: usize,
        entry: &Entry,
    ) -> Result<(&[u8], &mut Decompress), Problem> {
        let stored = stored(self.container, self.source, &mut self.window, index, entry)?;
        Ok((stored, &mut self.inflater))
    }

    fn fetch(&mut self, index: usize, entry: &Entry) -> Result<&[u8], Problem> {
        let stored = stored(self.container, self.source, &mut self.window, index, entry)?;
        let bytes = if entry.deflated {
            inflate(&mut self.inflater, stored, entry, &mut self.unpacked)?
        } else {
            stored
        };
        if bytes.len() as u64 != entry.length {
            return Err(lie(entry));
        }
        if entry.crc.is_some_and(|crc| crc32fast::hash(bytes) != crc) {
            return Err(Problem::new(
                "entry_damaged",
                "is damaged: its checksum is not the one that was written",
            ));
        }
        Ok(bytes)
    }
}

/// The bytes of an entry as they are stored.
fn stored<'w>(
    container: &'w Container,
    source: &dyn ReadAt,
    window: &'w mut Window,
    index: usize,
    entry: &Entry,
) -> Result<&'w [u8], Problem> {
    match &container.held {
        Some(held) => slice(held, entry),
        None => window.load(source, entry, container.name(index)),
    }
}

/// An entry of what is held.
fn slice<'a>(held: &'a [u8], entry: &Entry) -> Result<&'a [u8], Problem> {
    let start = usize::try_from(entry.place.offset()).unwrap_or(usize::MAX);
    let stored = usize::try_from(entry.stored).unwrap_or(usize::MAX);
    held.get(start..).and_then(|rest| rest.get(..stored)).ok_or_else(cut)
}

fn inflate<'a>(
    inflater: &mut Decompress,
    stored: &[u8],
    entry: &Entry,
    unpacked: &'a mut Vec<u8>,
) -> Result<&'a [u8], Problem> {
    // One byte of room beyond shows where there is more than was declared.
    let room = usize::try_from(entry.length).unwrap_or(usize::MAX).saturating_add(1);
    if unpacked.capacity() > KEPT && room < KEPT {
        *unpacked = Vec::new();
    }
    if unpacked.len() < room {
        unpacked.resize(room, 0);
    }
    inflater.reset(false);
    let status = inflater.decompress(stored, &mut unpacked[..room], FlushDecompress::Finish);
    let count = inflater.total_out();
    match status {
        Ok(_) if count > entry.length => Err(lie(entry)),
        Ok(Status::StreamEnd) => {
            Ok(usize::try_from(count).ok().and_then(|count| unpacked.get(..count)).unwrap_or(&[]))
        }
        Ok(Status::Ok | Status::BufError) => {
            Err(Problem::new("entry_damaged", "is damaged: its compressed bytes end too early"))
        }
        Err(_) => {
            Err(Problem::new("entry_damaged", "is damaged: its compressed bytes make no sense"))
        }
    }
}

fn lie(entry: &Entry) -> Problem {
    let text = format!("unpacks to another size than the {} bytes it declares", entry.length);
    Problem::new("entry_sizes_lie", text)
}

fn cut() -> Problem {
    Problem::new("entry_cut", "the archive ends before this entry does")
}

/// The last stretch that was read of a source.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    filled: usize,
    at: u64,
}

impl Window {
    /// The stored bytes of an entry.
    fn load(&mut self, source: &dyn ReadAt, entry: &Entry, name: &str) -> Result<&[u8], Problem> {
        let offset = entry.place.offset();
        let guess = match entry.place {
            Place::Local(_) => super::local::FIXED as u64 + name.len() as u64 + EXTRA,
            Place::Data(_) => 0,
        };
        self.cover(source, offset, guess.saturating_add(entry.stored))?;
        let header = match entry.place {
            Place::Local(_) => self.header(source, offset, entry, name)?,
            Place::Data(_) => 0,
        };
        self.cover(source, offset, (header as u64).saturating_add(entry.stored))?;
        let from = self.from(offset) + header;
        let stored = usize::try_from(entry.stored).unwrap_or(usize::MAX);
        let covered = &self.bytes[..self.filled];
        covered.get(from..).and_then(|rest| rest.get(..stored)).ok_or_else(cut)
    }

    /// Bytes of the local header at an offset that is covered, if it is the header of this entry.
    fn header(
        &mut self,
        source: &dyn ReadAt,
        offset: u64,
        entry: &Entry,
        name: &str,
    ) -> Result<usize, Problem> {
        let from = self.from(offset);
        if let Err(Missing::Bytes(more)) = Local::parse(&self.bytes[from..self.filled]) {
            self.cover(source, offset, more as u64)?;
        }
        let from = self.from(offset);
        match Local::parse(&self.bytes[from..self.filled]) {
            Ok(local) if String::from_utf8_lossy(local.name) != name => Err(Problem::new(
                "entry_damaged",
                "is damaged: the directory and the entry itself have different names",
            )),
            Ok(local) if (local.method == super::zip::DEFLATED) != entry.deflated => {
                Err(Problem::new(
                    "entry_damaged",
                    "is damaged: the directory and the entry itself have different methods",
                ))
            }
            Ok(local) => Ok(local.header),
            Err(Missing::Bytes(_)) => Err(cut()),
            Err(Missing::Header) => Err(Problem::new(
                "entry_damaged",
                "is damaged: no entry stands where the directory says",
            )),
        }
    }

    /// Where an offset that is covered is in the window.
    fn from(&self, offset: u64) -> usize {
        let from = offset.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
        from.unwrap_or(usize::MAX).min(self.filled)
    }

    /// Makes the window hold `count` bytes from an offset on, fewer only where the source ends.
    fn cover(&mut self, source: &dyn ReadAt, offset: u64, count: u64) -> Result<(), Problem> {
        let end = self.at + self.filled as u64;
        if offset >= self.at && offset.saturating_add(count) <= end {
            return Ok(());
        }
        let next = self.filled > 0 && offset >= self.at && offset <= end.saturating_add(GAP);
        let want = if next { count.max(AHEAD) } else { count };
        // Whoever lists bounds what an entry has, so that this is no more than two limits say.
        let want = usize::try_from(want).unwrap_or(usize::MAX);
        if self.bytes.capacity() > KEPT && want < KEPT {
            self.bytes = Vec::new();
        }
        if self.bytes.len() < want {
            self.bytes.resize(want, 0);
        }
        (self.at, self.filled) = (offset, 0);
        while self.filled < want {
            match source.read_at(offset + self.filled as u64, &mut self.bytes[self.filled..want]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let text = format!("cannot be read: {error}");
                    return Err(Problem::new("input_unreadable", text));
                }
            }
        }
        Ok(())
    }
}
