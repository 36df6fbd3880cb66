//! Lists a tar archive: ustar, with the extensions of pax and GNU for long names.

use std::io;

use nats_hindsight_snapshot::format::ReadAt;
use nats_hindsight_snapshot::format::source::read_up_to;

use super::entry::{Place, Refusal};
use super::listing::{Found, Listing, Room};
use super::pax;
use crate::problem::Problem;

/// What everything in a tar archive is a multiple of.
pub(super) const BLOCK: usize = 512;

/// Whether a block is the header of an entry: its checksum says so.
pub(super) fn is_header(block: &[u8]) -> bool {
    if block.len() < BLOCK || block[0] == 0 {
        return false;
    }
    let spaces = 8 * u64::from(b' ');
    let outside = block[..148].iter().chain(&block[156..BLOCK]);
    let sum = outside.map(|byte| u64::from(*byte)).sum::<u64>() + spaces;
    number(&block[148..156]) == Some(sum)
}

/// Walks over an archive from its first byte on.
pub(super) fn list(source: &dyn ReadAt, size: u64, listing: &mut Listing<'_>) -> io::Result<()> {
    let mut walk = Walk { source, size, at: 0, long: Long::default(), damage: None };
    let mut block = Vec::new();
    while walk.at < size {
        read_up_to(source, walk.at, BLOCK, &mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            // Two such blocks end an archive, and people join archives.
            walk.at += BLOCK as u64;
            continue;
        }
        if !is_header(&block) {
            walk.damage.get_or_insert(walk.at);
            walk.at += BLOCK as u64;
            continue;
        }
        walk.tell_damage(listing);
        if walk.entry(&block, listing)? == Room::None {
            return Ok(());
        }
    }
    walk.tell_damage(listing);
    Ok(())
}

/// What comes before a header and belongs to it.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

struct Walk<'a> {
    source: &'a dyn ReadAt,
    size: u64,
    at: u64,
    long: Long,
    /// Where bytes began that belong to no entry.
    damage: Option<u64>,
}

impl Walk<'_> {
    fn tell_damage(&mut self, listing: &mut Listing<'_>) {
        if let Some(from) = self.damage.take() {
            let text = format!("{} bytes of the archive belong to no entry", self.at - from);
            listing.problem(Problem::new("tar_damaged", text).at(from));
            // What belonged to the entry that was lost does not belong to the next one.
            self.long = Long::default();
        }
    }

    /// Takes the entry whose header this is, and moves behind it.
    fn entry(&mut self, header: &[u8], listing: &mut Listing<'_>) -> io::Result<Room> {
        let data = self.at + BLOCK as u64;
        let Some(own) = number(&header[124..136]) else {
            self.damage = Some(self.at);
            self.at = data;
            return Ok(Room::Some);
        };
        let kind = header[156];
        let length = match kind {
            b'x' | b'g' | b'L' | b'K' => own,
            // Folders, links and devices have no bytes, whatever they declare.
            b'1'..=b'6' => 0,
            _ => self.long.size.unwrap_or(own),
        };
        let padded = length.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX);
        self.at = data.saturating_add(padded).min(self.size.max(data));
        match kind {
            b'x' | b'L' => self.extension(kind, data, length, listing)?,
            b'g' | b'K' => {}
            b'5' => self.long = Long::default(),
            _ => return Ok(self.file(header, kind, data, length, listing)),
        }
        Ok(Room::Some)
    }

    fn file(
        &mut self,
        header: &[u8],
        kind: u8,
        data: u64,
        length: u64,
        listing: &mut Listing<'_>,
    ) -> Room {
        let long = std::mem::take(&mut self.long);
        let name = long.name.unwrap_or_else(|| name(header));
        let regular = matches!(kind, b'0' | 0 | b'7') && !long.sparse;
        if regular && name.ends_with(b"/") {
            return Room::Some;
        }
        let refused = if !regular {
            Some(Refusal::NotAFile)
        } else if data.saturating_add(length) > self.size {
            Some(Refusal::Cut)
        } else {
            None
        };
        listing.add(&Found {
            name: &name,
            length,
            stored: length,
            crc: None,
            place: Place::Data(data),
            deflated: false,
            refused,
        })
    }

    /// Reads what an extension says of the next entry.
    fn extension(
        &mut self,
        kind: u8,
        data: u64,
        length: u64,
        listing: &mut Listing<'_>,
    ) -> io::Result<()> {
        let limit = listing.limits.max_header;
        if length > limit {
            let text = format!(
                "an extension has {length} bytes, limit `max_header` is {limit}; it is passed over"
            );
            listing.problem(Problem::new("limit", text).at(data));
            return Ok(());
        }
        let mut bytes = Vec::new();
        let want = length.min(self.size.saturating_sub(data));
        read_up_to(self.source, data, usize::try_from(want).unwrap_or(0), &mut bytes)?;
        if kind == b'L' {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            bytes.truncate(end);
            self.long.name = Some(bytes);
            return Ok(());
        }
        let Some(records) = pax::parse(&bytes) else {
            let text = "an extension cannot be read; the entry behind it is read without";
            listing.problem(Problem::new("tar_damaged", text).at(data));
            return Ok(());
        };
        self.long.name = records.path.map(<[u8]>::to_vec).or(self.long.name.take());
        self.long.size = records.size.or(self.long.size);
        self.long.sparse |= records.sparse;
        Ok(())
    }
}

/// The name in a header, with the prefix that ustar has for long ones.
fn name(header: &[u8]) -> Vec<u8> {
    let name = text(&header[..100]);
    // GNU tar has other things where ustar has the prefix, and says so.
    let prefix = if &header[257..263] == b"ustar\0" { text(&header[345..500]) } else { &[] };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// Bytes up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// A number in octal digits, or in binary where the highest bit is set, as GNU tar writes what is
/// too large for digits.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if *first == 0x80 {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let low = low.first_chunk::<8>()?;
        return high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low));
    }
    let digits = text(field).trim_ascii();
    if digits.is_empty() {
        return Some(0);
    }
    digits.iter().try_fold(0_u64, |sum, digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
