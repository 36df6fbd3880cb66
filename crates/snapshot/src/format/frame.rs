//! Unpacks one frame.

use super::Limits;
use super::line::{Line, Lines, first_line};
use super::source::make_room;
use super::walk::{Walk, walk};
use crate::lines::FrameLine;

/// Why a frame is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not all of it is there.
    #[error("the frame is cut")]
    Truncated,
    /// Its bytes are not what was written.
    #[error("the frame is damaged: {0}")]
    Corrupt(String),
    /// It is a zstd frame, but none of a snapshot.
    #[error("{0}")]
    Foreign(&'static str),
    /// It is beyond a limit.
    #[error("the frame has {what} {found}, limit `{name}` is {limit}")]
    Limit {
        /// Which limit, a field of [`Limits`].
        name: &'static str,
        /// What of the frame is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// The limit.
        limit: u64,
    },
}

/// Memory that is used again for the next frame.
#[derive(Default)]
pub struct Scratch {
    unpacker: Option<zstd::bulk::Decompressor<'static>>,
    text: Vec<u8>,
}

impl Scratch {
    /// Bytes of memory that are kept for the next frame.
    pub fn held(&self) -> usize {
        self.text.capacity()
    }
}

/// A frame whose checksum is right and whose first line says where it belongs.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The first line.
    pub line: FrameLine,
    rest: &'a [u8],
    first: usize,
    length: usize,
    max_header: u64,
}

impl<'a> Frame<'a> {
    /// Bytes of all its lines.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The lines behind the first.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        Lines::new(self.rest, self.first, self.max_header)
    }
}

/// Unpacks a frame from its stored bytes, which have to end where the frame does.
pub fn read_frame<'a>(
    stored: &[u8],
    limits: &Limits,
    scratch: &'a mut Scratch,
) -> Result<Frame<'a>, FrameError> {
    let length = check_frame(stored, limits)?;
    unpack(stored, length, scratch)?;
    let text = scratch.text.as_slice();
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    within("max_preamble", "a first line of", end as u64, limits.max_preamble)?;
    let (line, rest) = text.split_at(end);
    let line = first_line(line).ok_or(FrameError::Foreign(
        "a zstd frame that does not begin like a frame of a snapshot",
    ))?;
    let rest = rest.get(1..).unwrap_or(&[]);
    Ok(Frame { line, rest, first: end + 1, length, max_header: limits.max_header })
}

/// Checks everything that can be known of a frame before a byte of it is unpacked, and tells the
/// length of its lines.
pub(super) fn check_frame(stored: &[u8], limits: &Limits) -> Result<usize, FrameError> {
    let extent = match walk(stored) {
        Walk::Whole(extent) if extent.stored == stored.len() => extent,
        Walk::Whole(_) => {
            return Err(FrameError::Corrupt("more bytes stand behind its end".to_owned()));
        }
        Walk::More(_) => return Err(FrameError::Truncated),
        Walk::Bad(why) => return Err(FrameError::Corrupt(why.to_owned())),
    };
    let window = 1_u64.checked_shl(limits.max_window_log).unwrap_or(u64::MAX);
    let stored = extent.stored as u64;
    within("max_window_log", "a window of", extent.window, window)?;
    within("max_frame_stored", "a stored size of", stored, limits.max_frame_stored)?;
    let length = extent.content.filter(|_| extent.checksum).ok_or(FrameError::Foreign(
        "a zstd frame without content size or checksum, which no snapshot has; if a snapshot was \
         unpacked and compressed again, the original is needed",
    ))?;
    within("max_frame_length", "an unpacked size of", length, limits.max_frame_length)?;
    if length > extent.bound {
        return Err(FrameError::Corrupt("it claims more than its blocks can hold".to_owned()));
    }
    usize::try_from(length).map_err(|_| FrameError::Truncated)
}

fn within(
    name: &'static str,
    what: &'static str,
    found: u64,
    limit: u64,
) -> Result<(), FrameError> {
    if found > limit { Err(FrameError::Limit { name, what, found, limit }) } else { Ok(()) }
}

/// Unpacks into the scratch, which has room for `length` bytes and is never made larger here:
/// zstd stops where the room ends, whatever the frame says.
fn unpack(stored: &[u8], length: usize, scratch: &mut Scratch) -> Result<(), FrameError> {
    let corrupt = |error: std::io::Error| FrameError::Corrupt(error.to_string().to_lowercase());
    if scratch.unpacker.is_none() {
        scratch.unpacker = Some(zstd::bulk::Decompressor::new().map_err(corrupt)?);
    }
    make_room(&mut scratch.text, length);
    let Some(unpacker) = scratch.unpacker.as_mut() else { return Err(FrameError::Truncated) };
    let count = unpacker.decompress_to_buffer(stored, &mut scratch.text).map_err(corrupt)?;
    if count == length {
        Ok(())
    } else {
        Err(FrameError::Corrupt("it unpacks to another size than it declares".to_owned()))
    }
}
