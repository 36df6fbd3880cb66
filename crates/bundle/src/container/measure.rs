//! Finds where an entry of a ZIP archive ends when the archive has no directory.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use memchr::memmem;
use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Limits, ReadAt};

use super::entry::Refusal;
use super::local::{Local, u32_at, u64_at};
use super::zip;

/// What is read at first: most entries are small.
const LITTLE: usize = 4 << 10;

/// What is read at once behind that.
const CHUNK: usize = 64 << 10;

/// What a data descriptor begins with, in most archives.
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

/// Bytes of the longest data descriptor: signature, checksum, two sizes of 64 bits.
const LONGEST: usize = 24;

/// An entry whose end was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) crc: u32,
    pub(super) stored: u64,
    pub(super) length: u64,
    /// Where the next thing begins.
    pub(super) end: u64,
}

/// How far inflating came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Everything that was read is inflated.
    More,
    /// The compressed bytes are at their end.
    Ended,
    /// It wants more than there is.
    Stuck,
    /// These are no compressed bytes.
    Senseless,
}

/// Measures entries, and counts what that cost.
pub(super) struct Measurer<'a> {
    source: &'a dyn ReadAt,
    size: u64,
    limits: &'a Limits,
    inflater: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes read and unpacked so far.
    pub(super) cost: u64,
}

impl<'a> Measurer<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, size: u64, limits: &'a Limits) -> Self {
        let (input, output) = (Vec::new(), vec![0; CHUNK]);
        let inflater = Decompress::new(false);
        Self { source, size, limits, inflater, input, output, cost: 0 }
    }

    /// Where the entry ends whose data begins at an offset, or why it is lost.
    pub(super) fn measure(
        &mut self,
        local: &Local<'_>,
        data: u64,
    ) -> io::Result<Result<Extent, Refusal>> {
        if local.is_encrypted() {
            return Ok(Err(Refusal::Encrypted));
        }
        if let Some(refusal) = zip::unknown(local.method) {
            return Ok(Err(refusal));
        }
        match (local.has_descriptor(), local.method) {
            (false, _) => self.declared(local, data),
            (true, zip::DEFLATED) => self.inflated(data),
            (true, _) => self.searched(data),
        }
    }

    /// The header says where it ends, which is believed where something follows there.
    fn declared(&mut self, local: &Local<'_>, data: u64) -> io::Result<Result<Extent, Refusal>> {
        let end = data.saturating_add(local.stored);
        if end > self.size {
            return Ok(Err(Refusal::Cut));
        }
        let mut next = Vec::new();
        read_up_to(self.source, end, 4, &mut next)?;
        let boundary = next.len() < 4 || next.starts_with(b"PK");
        let Local { crc, stored, length, .. } = *local;
        Ok(if boundary { Ok(Extent { crc, stored, length, end }) } else { Err(Refusal::Damaged) })
    }

    /// Inflates to see where it ends, and keeps nothing.
    fn inflated(&mut self, data: u64) -> io::Result<Result<Extent, Refusal>> {
        self.inflater.reset(false);
        let (mut at, mut hasher, mut want) = (data, crc32fast::Hasher::new(), LITTLE);
        loop {
            read_up_to(self.source, at, want, &mut self.input)?;
            let last = self.input.len() < want;
            want = CHUNK;
            let step = self.inflate_input(last, &mut hasher);
            let (stored, length) = (self.inflater.total_in(), self.inflater.total_out());
            at = data + stored;
            match step {
                Step::Ended => {
                    let extent = Extent { crc: hasher.finalize(), stored, length, end: at };
                    return self.described(extent);
                }
                Step::Senseless => return Ok(Err(Refusal::Damaged)),
                _ if length > self.limits.max_entry_length => {
                    return Ok(Err(Refusal::TooLong(self.limits.max_entry_length)));
                }
                _ if last => return Ok(Err(Refusal::Cut)),
                Step::Stuck => return Ok(Err(Refusal::Damaged)),
                Step::More => {}
            }
        }
    }

    /// Inflates what was read, as far as it goes.
    fn inflate_input(&mut self, last: bool, hasher: &mut crc32fast::Hasher) -> Step {
        let mut rest = self.input.as_slice();
        while !rest.is_empty() || last {
            let (read, written) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self.inflater.decompress(rest, &mut self.output, FlushDecompress::None);
            let read = self.inflater.total_in() - read;
            let written = self.inflater.total_out() - written;
            self.cost = self.cost.saturating_add(read + written);
            rest = usize::try_from(read).ok().and_then(|read| rest.get(read..)).unwrap_or(&[]);
            hasher.update(&self.output[..usize::try_from(written).unwrap_or(0)]);
            match status {
                Err(_) => return Step::Senseless,
                Ok(Status::StreamEnd) => return Step::Ended,
                Ok(_) if read == 0 && written == 0 => return Step::Stuck,
                Ok(_) => {}
            }
        }
        Step::More
    }

    /// Looks for a data descriptor that fits everything before it.
    fn searched(&mut self, data: u64) -> io::Result<Result<Extent, Refusal>> {
        let (mut at, mut hasher, mut want) = (data, crc32fast::Hasher::new(), LITTLE);
        loop {
            read_up_to(self.source, at, want, &mut self.input)?;
            let last = self.input.len() < want;
            // One that stands across the border is whole in the next chunk.
            let whole = if last { self.input.len() } else { want - LONGEST };
            let mut hashed = 0;
            for found in memmem::find_iter(&self.input, DESCRIPTOR) {
                if found > whole {
                    break;
                }
                let stored = at + found as u64 - data;
                hasher.update(&self.input[hashed..found]);
                hashed = found;
                let crc = hasher.clone().finalize();
                let extent = Extent { crc, stored, length: stored, end: data + stored };
                if let Some(length) = descriptor(&self.input[found..], &extent) {
                    self.cost = self.cost.saturating_add(found as u64);
                    return Ok(Ok(Extent { end: extent.end + length as u64, ..extent }));
                }
            }
            hasher.update(self.input.get(hashed..whole).unwrap_or(&[]));
            at += whole as u64;
            self.cost = self.cost.saturating_add(whole as u64);
            if last {
                return Ok(Err(Refusal::Cut));
            }
            if at - data > self.limits.max_entry_length {
                return Ok(Err(Refusal::TooLong(self.limits.max_entry_length)));
            }
            want = CHUNK;
        }
    }

    /// Takes what was measured if the data descriptor behind it says the same.
    fn described(&mut self, extent: Extent) -> io::Result<Result<Extent, Refusal>> {
        let mut tail = Vec::new();
        read_up_to(self.source, extent.end, LONGEST, &mut tail)?;
        Ok(match descriptor(&tail, &extent) {
            Some(length) => Ok(Extent { end: extent.end + length as u64, ..extent }),
            None if tail.len() < LONGEST => Err(Refusal::Cut),
            None => Err(Refusal::Damaged),
        })
    }
}

/// Bytes of the data descriptor at the beginning of `tail`, if it says what was measured. It may
/// have a signature or not, and sizes of 32 or of 64 bits.
fn descriptor(tail: &[u8], extent: &Extent) -> Option<usize> {
    let starts: &[usize] = if tail.starts_with(DESCRIPTOR) { &[4, 0] } else { &[0] };
    for start in starts {
        let fields = tail.get(*start..)?;
        if u32_at(fields, 0) != extent.crc {
            continue;
        }
        let narrow = (u64::from(u32_at(fields, 4)), u64::from(u32_at(fields, 8)));
        let wide = (u64_at(fields, 4), u64_at(fields, 12));
        // Sizes of 64 bits first: those of a short entry look like 32 bits and a zero.
        for (length, sizes) in [(20, wide), (12, narrow)] {
            if fields.len() >= length && sizes == (extent.stored, extent.length) {
                return Some(start + length);
            }
        }
    }
    None
}
