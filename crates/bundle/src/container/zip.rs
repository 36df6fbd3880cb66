//! Lists a ZIP archive by its directory.

use std::io;

use nats_hindsight_snapshot::format::ReadAt;
use nats_hindsight_snapshot::format::source::read_up_to;
use rawzip::{ErrorKind, ReaderAt, ZipArchive, ZipLocator};

use super::entry::{Place, Refusal};
use super::listing::{Found, Listing, Room};
use super::{local, salvage};
use crate::problem::Problem;

/// How far from the end the directory may end: people append things, and transfers pad.
const TAIL: u64 = 1 << 20;

/// How often the signature of the end is followed before it counts as chance.
const TRIES: usize = 8;

/// How an archive begins that was to be split and was not.
const SPANNED: &[u8; 4] = b"PK00";

/// Bytes of a record of the directory without name and extra fields.
const RECORD: u64 = 46;

const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// Lists an archive, and says whether its entries had to be salvaged; `None` where it is no ZIP
/// archive.
pub(super) fn list(
    source: &dyn ReadAt,
    size: u64,
    listing: &mut Listing<'_>,
) -> io::Result<Option<bool>> {
    let mut head = Vec::new();
    read_up_to(source, 0, 4, &mut head)?;
    let start = if head == SPANNED { 4 } else { 0 };
    let begins = head == local::MAGIC || head == SPANNED;
    let mut buffer = vec![0; rawzip::MAX_CENTRAL_DIRECTORY_RECORD_SIZE.max(64 << 10)];
    let lost = match locate(At { source, size }, size, &mut buffer)? {
        Some(archive) => match walk(&archive, &mut buffer, begins.then_some(start), listing)? {
            Walked::Listed(0) if !begins && head != *b"PK\x05\x06" => return Ok(None),
            Walked::Listed(_) => return Ok(Some(false)),
            Walked::Lost(problem) => problem,
        },
        None if begins => Problem::new(
            "zip_cut",
            "the archive has no directory, so it was cut or is still being written; what is whole \
             of it is used",
        ),
        None => return Ok(None),
    };
    if !begins {
        return Ok(None);
    }
    listing.entries.clear();
    listing.problem(lost.at(size));
    salvage::salvage(source, size, listing)?;
    Ok(Some(true))
}

/// What came of walking over a directory.
enum Walked {
    /// So many records, also of folders.
    Listed(u64),
    /// It is not the directory of this archive, or not whole.
    Lost(Problem),
}

fn walk(
    archive: &ZipArchive<At<'_>>,
    buffer: &mut [u8],
    start: Option<u64>,
    listing: &mut Listing<'_>,
) -> io::Result<Walked> {
    let directory = archive.eocd_offset().saturating_sub(archive.directory_offset());
    let records = archive.entries_hint().min(directory / RECORD);
    listing.expect(records, directory - records * RECORD);
    let mut records = archive.entries(buffer);
    let (mut count, mut first) = (0, u64::MAX);
    let mut room = Room::Some;
    while room == Room::Some {
        let record = match records.next_entry() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => return damaged(error).map(Walked::Lost),
        };
        count += 1;
        first = first.min(record.local_header_offset());
        let path = record.file_path();
        let name: &[u8] = path.as_ref();
        if !name.ends_with(b"/") {
            room = listing.add(&found(&record, name));
        }
    }
    // The rest of a cut archive can end in the whole archive of somebody else, packed into it.
    if start.is_some_and(|start| first > start) && room == Room::Some {
        let text = "the directory at the end is not of the whole file, so the file was cut or \
                    joined of several; what is whole of it is used";
        return Ok(Walked::Lost(Problem::new("zip_directory_foreign", text)));
    }
    let told = archive.entries_hint();
    if told != count && room == Room::Some {
        let text = format!("the directory says it has {told} records, and has {count}");
        listing.problem(Problem::new("zip_directory_damaged", text));
    }
    listing.refuse_overlaps(archive.directory_offset());
    Ok(Walked::Listed(count))
}

fn found<'a>(record: &rawzip::ZipFileHeaderRecord<'_>, name: &'a [u8]) -> Found<'a> {
    let method = record.compression_method().as_u16();
    let refused = if record.flags().is_encrypted() {
        Some(Refusal::Encrypted)
    } else if record.mode().is_symlink() {
        Some(Refusal::NotAFile)
    } else {
        unknown(method)
    };
    Found {
        name,
        length: record.uncompressed_size_hint(),
        stored: record.compressed_size_hint(),
        crc: Some(record.crc32()),
        place: Place::Local(record.local_header_offset()),
        deflated: method == DEFLATED,
        refused,
    }
}

/// Refuses a method that is not known.
pub(super) fn unknown(method: u16) -> Option<Refusal> {
    (method != STORED && method != DEFLATED).then_some(Refusal::Method(method))
}

/// Finds the end of the directory.
fn locate<'a>(at: At<'a>, size: u64, buffer: &mut [u8]) -> io::Result<Option<ZipArchive<At<'a>>>> {
    let (mut end, lowest) = (size, size.saturating_sub(TAIL));
    for _ in 0..TRIES {
        let locator = ZipLocator::new().max_search_space(end.saturating_sub(lowest));
        let error = match locator.locate_in_reader(at, buffer, end) {
            Ok(archive) => return Ok(Some(archive)),
            Err((_, error)) => error,
        };
        match error.eocd_offset() {
            Some(offset) if offset < end && offset > lowest => end = offset,
            _ => return damaged(error).map(|_| None),
        }
    }
    Ok(None)
}

/// Tells a source that cannot be read from bytes that make no sense.
fn damaged(error: rawzip::Error) -> io::Result<Problem> {
    match error.into_kind() {
        ErrorKind::IO(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        kind => {
            let text = format!(
                "the directory cannot be read ({}); what is whole of the archive is used",
                kind.to_string().to_lowercase()
            );
            Ok(Problem::new("zip_directory_damaged", text))
        }
    }
}

/// A source as the directory's reader wants it.
#[derive(Clone, Copy)]
struct At<'a> {
    source: &'a dyn ReadAt,
    size: u64,
}

impl ReaderAt for At<'_> {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        // An offset out of a damaged record may be more than a file can have.
        if offset >= self.size {
            return Ok(0);
        }
        loop {
            match self.source.read_at(offset, into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}
