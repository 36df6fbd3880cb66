//! The header of a snapshot by itself, without reading what stands behind it.

use std::io;

use super::preamble::{MAGIC, Preamble};
use super::source::read_up_to;
use super::{Limits, Line, ReadAt, Scratch, read_frame};
use crate::Endpoint;
use crate::lines::EpochLine;

/// Magic number and length of a skippable frame.
const SKIPPABLE: usize = 8;

/// The header of the epoch that a source begins with.
///
/// Nothing where it begins with anything else, where a byte of the header is not as it was
/// written, or where it is of a format that this build cannot read. Fails only where the source
/// itself cannot be read.
pub fn read_header(source: &dyn ReadAt, limits: &Limits) -> io::Result<Option<EpochLine>> {
    let mut bytes = Vec::new();
    read_up_to(source, 0, SKIPPABLE, &mut bytes)?;
    let Some((magic, length)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let Some(length) = length.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length);
    if *magic != MAGIC || u64::from(length) > limits.max_preamble {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    read_up_to(source, SKIPPABLE as u64, length, &mut bytes)?;
    let Some(said) = Preamble::decode(&bytes) else { return Ok(None) };
    // A header is one line that readers take up to `max_header`; what zstd makes of it is smaller.
    if said.frame.endpoint != Endpoint::EPOCH || said.stored > limits.max_header {
        return Ok(None);
    }
    let stored = usize::try_from(said.stored).unwrap_or(usize::MAX);
    read_up_to(source, (SKIPPABLE + length) as u64, stored, &mut bytes)?;
    let mut scratch = Scratch::default();
    let Ok(frame) = read_frame(&bytes, limits, &mut scratch) else { return Ok(None) };
    Ok(frame.lines().find_map(|line| match line {
        Line::Epoch(header) if frame.line == said.frame => header.whole().ok(),
        _ => None,
    }))
}
