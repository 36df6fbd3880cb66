//! What is compressed as a whole: unpacked once, and held.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use nats_hindsight_snapshot::format::{Limits, ReadAt};

use super::entry::Place;
use super::listing::{Found, Listing, Room};
use super::{Container, Kind, tar};
use crate::problem::Problem;

/// Bytes that anything compressed as a whole may unpack to, however small it is.
const LEAST: u64 = 32 << 20;

/// What is unpacked at once.
const CHUNK: usize = 256 << 10;

/// How something is compressed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x1f\x8b\x08") {
            Some(Self::Gzip)
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

/// Unpacks a source and lists what is in it: a tar archive, or one entry without a name.
pub(super) fn open(
    source: &dyn ReadAt,
    size: u64,
    packing: Packing,
    limits: &Limits,
) -> io::Result<Container> {
    let (held, problem) = unpack(source, size, packing, limits)?;
    let length = held.len() as u64;
    let mut listing = Listing::new(limits, size);
    if let Some(problem) = problem {
        listing.problem(problem);
    }
    if tar::is_header(held.get(..tar::BLOCK).unwrap_or(&[])) {
        tar::list(&Held(&held), length, &mut listing)?;
        return Ok(listing.finish(Kind::Tar, false, Some(held)));
    }
    let place = Place::Data(0);
    let whole = Found {
        name: b"",
        length,
        stored: length,
        crc: None,
        place,
        deflated: false,
        refused: None,
    };
    // One entry is refused only where nobody wants any.
    let (Room::Some | Room::None) = listing.add(&whole);
    Ok(listing.finish(Kind::Packed, false, Some(held)))
}

/// Unpacks as much as there is, and says why it may not be all.
fn unpack(
    source: &dyn ReadAt,
    size: u64,
    packing: Packing,
    limits: &Limits,
) -> io::Result<(Vec<u8>, Option<Problem>)> {
    let stored = Stored { source, at: 0, failed: None };
    match packing {
        Packing::Gzip => {
            let mut reader = MultiGzDecoder::new(stored);
            let (held, problem) = collect(&mut reader, size, limits);
            let failed = reader.get_mut().failed.take();
            failed.map_or(Ok((held, problem)), Err)
        }
        Packing::Zstd => {
            let mut reader = zstd::stream::read::Decoder::new(stored)?;
            reader.window_log_max(limits.max_window_log)?;
            let (held, problem) = collect(&mut reader, size, limits);
            let failed = reader.get_mut().get_mut().failed.take();
            failed.map_or(Ok((held, problem)), Err)
        }
    }
}

fn collect(reader: &mut dyn Read, size: u64, limits: &Limits) -> (Vec<u8>, Option<Problem>) {
    let Limits { max_held, min_unpacked, max_ratio, .. } = *limits;
    // It is held as a whole, so what is small may not become large.
    let budget = min_unpacked.min(LEAST).saturating_add(size.saturating_mul(max_ratio / 10));
    let (mut held, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    loop {
        let count = match reader.read(&mut chunk) {
            Ok(0) => return (held, None),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let problem = unfinished(&error).at(held.len() as u64);
                return (held, Some(problem));
            }
        };
        let room = max_held.min(budget).saturating_sub(held.len() as u64);
        if count as u64 > room {
            held.extend_from_slice(&chunk[..usize::try_from(room).unwrap_or(0)]);
            let text = format!(
                "it unpacks to more than limits `max_held` ({max_held}) and `max_ratio` \
                 ({budget} for its size) allow; the rest is not read"
            );
            let problem = Problem::new("limit", text).at(held.len() as u64);
            return (held, Some(problem));
        }
        held.extend_from_slice(&chunk[..count]);
    }
}

fn unfinished(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let text = "what is compressed ends in the middle; what comes before is used";
        return Problem::new("packed_cut", text);
    }
    let text = format!(
        "what is compressed is damaged ({}); what comes before is used, and its last part may not \
         be what was written",
        error.to_string().to_lowercase()
    );
    Problem::new("packed_damaged", text)
}

/// What is held, as a source.
struct Held<'a>(&'a [u8]);

impl ReadAt for Held<'_> {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, into)
    }
}

/// A source from its first byte on. It remembers why it could not be read, which is no damage.
struct Stored<'a> {
    source: &'a dyn ReadAt,
    at: u64,
    failed: Option<io::Error>,
}

impl Read for Stored<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.source.read_at(self.at, into) {
            Ok(count) => {
                self.at += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = Some(error);
                Err(io::Error::other("the source cannot be read"))
            }
        }
    }
}
