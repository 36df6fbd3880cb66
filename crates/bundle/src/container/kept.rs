//! Entries of a container that are read later, put away in little room.

use std::io;
use std::sync::Arc;

use super::entry::{Entry, Place, Refusal};
use super::local::{u32_at, u64_at};
use super::{Container, Kind};

/// Names of a capture repeat each other, which any level of zstd sees; this one takes no time.
const LEVEL: i32 = 1;

/// Bytes that tell of one entry: length, stored, offset, checksum, bytes of its name, flags.
const ROW: usize = 33;

const LOSSY_NAME: u8 = 1;
const DEFLATED: u8 = 2;
const HAS_CRC: u8 = 4;
const LOCAL: u8 = 8;

/// Some entries of a container. A sequence has many archives of many entries and reads one after the
/// other, so those that wait are held compressed: a tenth of what they take while they are read.
#[derive(Clone, Debug)]
pub struct Kept {
    kind: Kind,
    salvaged: bool,
    held: Option<Arc<[u8]>>,
    count: usize,
    /// A row for each entry, and all names.
    packed: Box<[u8]>,
    /// Bytes that this unpacks to.
    length: usize,
    /// Entries that cannot be read, by their index: there are few.
    refused: Box<[(u32, Refusal)]>,
}

impl Kept {
    /// Puts away some entries, in the order they are named in. What is wrong with the container is
    /// not kept.
    pub(super) fn of(container: &Container, indexes: &[usize]) -> io::Result<Self> {
        let entries = || indexes.iter().map(|index| (*index, container.entries.get(*index)));
        let kept = || entries().filter_map(|(index, entry)| Some((container.name(index), entry?)));
        let names: usize = kept().map(|(name, _)| name.len()).sum();
        let mut plain = Vec::with_capacity(indexes.len() * ROW + names);
        kept().for_each(|(name, entry)| put(entry, name, &mut plain));
        kept().for_each(|(name, _)| plain.extend_from_slice(name.as_bytes()));
        let refused = (0..).zip(kept()).filter_map(|(at, (_, entry))| Some((at, entry.refused?)));
        Ok(Self {
            kind: container.kind,
            salvaged: container.salvaged,
            held: container.held.clone(),
            count: kept().count(),
            packed: zstd::bulk::compress(&plain, LEVEL)?.into_boxed_slice(),
            length: plain.len(),
            refused: refused.collect(),
        })
    }

    /// The entries as a container that can be read: its indexes are places in the order in which
    /// they were put away.
    pub fn open(&self) -> io::Result<Container> {
        let mut plain = zstd::bulk::decompress(&self.packed, self.length)?;
        let names = plain.split_off((self.count * ROW).min(plain.len()));
        let names = String::from_utf8(names).map_err(io::Error::other)?;
        let mut start = 0;
        let rows = plain.chunks_exact(ROW);
        let mut entries: Vec<Entry> = rows.map(|row| take(row, &mut start)).collect();
        for (at, refusal) in &self.refused {
            if let Some(entry) = entries.get_mut(*at as usize) {
                entry.refused = Some(*refusal);
            }
        }
        let (kind, salvaged, held) = (self.kind, self.salvaged, self.held.clone());
        Ok(Container { kind, salvaged, names, entries, problems: Vec::new(), held })
    }
}

fn put(entry: &Entry, name: &str, into: &mut Vec<u8>) {
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let flags = flag(entry.lossy_name, LOSSY_NAME)
        | flag(entry.deflated, DEFLATED)
        | flag(entry.crc.is_some(), HAS_CRC)
        | flag(matches!(entry.place, Place::Local(_)), LOCAL);
    into.extend_from_slice(&entry.length.to_le_bytes());
    into.extend_from_slice(&entry.stored.to_le_bytes());
    into.extend_from_slice(&entry.place.offset().to_le_bytes());
    into.extend_from_slice(&entry.crc.unwrap_or(0).to_le_bytes());
    // No limit lets a name be that long.
    into.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.push(flags);
}

/// The entry of a row, whose name begins at `start`, which is moved to the end of it.
fn take(row: &[u8], start: &mut usize) -> Entry {
    let flags = row.last().copied().unwrap_or(0);
    let offset = u64_at(row, 16);
    let name = *start..start.saturating_add(u32_at(row, 28) as usize);
    *start = name.end;
    Entry {
        length: u64_at(row, 0),
        stored: u64_at(row, 8),
        crc: (flags & HAS_CRC != 0).then(|| u32_at(row, 24)),
        lossy_name: flags & LOSSY_NAME != 0,
        refused: None,
        name,
        place: if flags & LOCAL != 0 { Place::Local(offset) } else { Place::Data(offset) },
        deflated: flags & DEFLATED != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Place, Refusal};
    use super::super::{Container, Kind};

    fn container() -> Container {
        let (mut names, mut entries) = (String::new(), Vec::new());
        for (at, name) in (0_u32..).zip(["capture/ä", "", "capture/b\u{fffd}", "capture/c"]) {
            let start = names.len();
            names.push_str(name);
            entries.push(Entry {
                length: u64::from(at) << 40,
                stored: u64::from(at) + 1,
                crc: (at > 1).then_some(at << 20),
                lossy_name: at == 2,
                refused: (at == 3).then_some(Refusal::TooLong(7)),
                name: start..names.len(),
                place: if at == 0 { Place::Data(9) } else { Place::Local(u64::MAX) },
                deflated: at == 1,
            });
        }
        let (kind, salvaged, problems, held) = (Kind::Zip, true, Vec::new(), None);
        Container { kind, salvaged, names, entries, problems, held }
    }

    #[test]
    fn what_was_put_away_comes_back_as_it_was() {
        let container = container();
        let back = container.keep(&[0, 1, 2, 3]).unwrap().open().unwrap();
        assert_eq!(back.entries(), container.entries());
        assert_eq!((back.kind(), back.is_salvaged()), (Kind::Zip, true));
        assert_eq!([0, 1, 2, 3].map(|at| back.name(at)), [0, 1, 2, 3].map(|at| container.name(at)));
    }

    #[test]
    fn some_entries_come_back_in_the_order_they_were_named_in() {
        let back = container().keep(&[3, 0, 9]).unwrap().open().unwrap();
        assert_eq!(back.entries().len(), 2);
        assert_eq!([0, 1].map(|at| back.name(at)), ["capture/c", "capture/ä"]);
        assert_eq!(back.entries()[0].refused, Some(Refusal::TooLong(7)));
    }
}
