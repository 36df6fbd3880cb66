//! Lists a ZIP archive without a directory, by the headers before its entries.

use std::io;

use memchr::memmem;
use nats_hindsight_snapshot::format::ReadAt;
use nats_hindsight_snapshot::format::source::read_up_to;

use super::entry::{Place, Refusal};
use super::listing::{Found, Listing, Room};
use super::local::{self, Local, Missing};
use super::measure::{Extent, Measurer};
use super::zip;
use crate::problem::Problem;

/// What is read at once while searching.
const CHUNK: usize = 256 << 10;

/// Walks over an archive from its first byte on and adds every entry that is whole. One that is not
/// is added as refused, and the next one is searched for right behind its header.
pub(super) fn salvage(source: &dyn ReadAt, size: u64, listing: &mut Listing<'_>) -> io::Result<()> {
    let limits = listing.limits;
    let max_vain = limits.max_search.max(size.saturating_mul(4));
    let max_cost = listing.budget.saturating_add(max_vain);
    let mut measurer = Measurer::new(source, size, limits);
    let (mut at, mut vain, mut header) = (0_u64, 0_u64, Vec::new());
    while let Some(offset) = next(source, size, at, &mut vain)? {
        if vain > max_vain || measurer.cost > max_cost {
            let text = "looking for whole entries took more than limits `max_search`, \
                        `min_unpacked` and `max_ratio` allow; the rest is not read";
            listing.problem(Problem::new("limit", text).at(offset));
            return Ok(());
        }
        let local = match load(source, offset, &mut header)? {
            Ok(local) => local,
            Err(after) => {
                vain = vain.saturating_add(header.len() as u64);
                at = after;
                continue;
            }
        };
        let data = offset + local.header as u64;
        let before = measurer.cost;
        let measured = measurer.measure(&local, data)?;
        at = match measured {
            Ok(extent) => extent.end,
            Err(_) => offset + 4,
        };
        if measured.is_err() {
            vain = vain.saturating_add(measurer.cost - before + local.header as u64);
        }
        if !local.name.ends_with(b"/") && add(listing, &local, data, measured) == Room::None {
            return Ok(());
        }
    }
    Ok(())
}

fn add(
    listing: &mut Listing<'_>,
    local: &Local<'_>,
    data: u64,
    measured: Result<Extent, Refusal>,
) -> Room {
    let lost = Extent { crc: local.crc, stored: 0, length: 0, end: data };
    let (extent, refused) = match measured {
        Ok(extent) => (extent, None),
        Err(refusal) => (lost, Some(refusal)),
    };
    listing.add(&Found {
        name: local.name,
        length: extent.length,
        stored: extent.stored,
        crc: Some(extent.crc),
        place: Place::Data(data),
        deflated: local.method == zip::DEFLATED,
        refused,
    })
}

/// The local header at an offset, or where to search on.
fn load<'a>(
    source: &dyn ReadAt,
    offset: u64,
    header: &'a mut Vec<u8>,
) -> io::Result<Result<Local<'a>, u64>> {
    let mut want = 512;
    for _ in 0..2 {
        read_up_to(source, offset, want, header)?;
        match Local::parse(header) {
            Err(Missing::Bytes(more)) if more > want => want = more,
            _ => break,
        }
    }
    Ok(Local::parse(header).map_err(|_| offset + 4))
}

/// The offset of the next local header. What is read to find it is counted as vain, but for the
/// bytes where it usually stands.
fn next(source: &dyn ReadAt, size: u64, from: u64, vain: &mut u64) -> io::Result<Option<u64>> {
    let (mut from, mut want, mut chunk) = (from, 4, Vec::new());
    while from < size {
        read_up_to(source, from, want, &mut chunk)?;
        if let Some(hit) = memmem::find(&chunk, local::MAGIC) {
            return Ok(Some(from + hit as u64));
        }
        *vain = vain.saturating_add(chunk.len() as u64);
        if chunk.len() < want {
            break;
        }
        // The signature may stand across the border.
        from += chunk.len() as u64 - 3;
        want = (want * 8).min(CHUNK);
    }
    Ok(None)
}
