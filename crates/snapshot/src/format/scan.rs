//! Finds the frames of an input, whatever happened to it.

use std::io;

use super::damage::{Damage, DamageKind};
use super::frame::{FrameError, Scratch, check_frame, read_frame};
use super::hashing::HashingReader;
use super::limits::Limits;
use super::preamble::{self, Preamble, crc32_hex};
use super::source::{ReadAt, read_up_to};
use super::walk::{self, Walk, walk};
use crate::lines::FrameLine;

/// How much is read at first where it is not known how much there is to read: there may be many
/// small frames.
const LITTLE: usize = 1 << 10;

/// How much is read at once while searching.
const CHUNK: usize = 256 << 10;

/// Where a frame stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameAt {
    /// Offset of the zstd frame.
    pub offset: u64,
    /// Bytes of the zstd frame.
    pub stored: u64,
    /// Bytes of its lines.
    pub length: u64,
    /// Its first line, or the preamble's copy of it, which is yet to be confirmed.
    pub line: FrameLine,
}

/// What a scan comes across, in order of offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A frame whose stored bytes are as they were written.
    Frame(FrameAt),
    /// A stretch that cannot be used.
    Damage(Damage),
}

/// What is known of an input after a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Bytes of the input.
    pub bytes: u64,
    /// `sha256:` and the digest of all of them.
    pub digest: String,
    /// Frames found.
    pub frames: u64,
}

/// Walks over an input and names its frames and its damage.
///
/// Fails only where the source itself cannot be read.
pub fn scan(
    source: &dyn ReadAt,
    limits: &Limits,
    found: &mut dyn FnMut(Found),
) -> io::Result<Scan> {
    let bytes = source.size()?;
    let mut scanner = Scanner {
        reader: HashingReader::new(source, bytes),
        limits,
        found,
        at: 0,
        open: None,
        vain: 0,
        frames: 0,
        unpacked: 0,
        scratch: Scratch::default(),
        stored: Vec::new(),
    };
    scanner.run()?;
    let frames = scanner.frames;
    Ok(Scan { bytes, digest: scanner.reader.digest()?, frames })
}

/// What stands at one offset.
enum Step {
    Frame(FrameAt),
    /// A skippable frame of somebody else, up to this offset.
    Skip(u64),
    /// Lost, but it is known where it ends.
    Lost(Damage),
    /// Lost, and the next frame has to be searched for, from this offset on.
    Search {
        lost: Damage,
        from: u64,
        cost: u64,
    },
}

struct Scanner<'a> {
    reader: HashingReader<'a>,
    limits: &'a Limits,
    found: &'a mut dyn FnMut(Found),
    at: u64,
    /// A stretch of damage whose end is not known yet.
    open: Option<Damage>,
    /// What was read for nothing so far.
    vain: u64,
    frames: u64,
    /// What the frames unpack to, those included that were unpacked for nothing.
    unpacked: u64,
    scratch: Scratch,
    stored: Vec<u8>,
}

impl Scanner<'_> {
    fn run(&mut self) -> io::Result<()> {
        if self.reader.bytes == 0 {
            let text = "the input is empty; look at what was to fill it".to_owned();
            self.lost(Damage { offset: 0, length: 0, kind: DamageKind::Empty, text, frame: None });
        }
        while self.at < self.reader.bytes {
            if let Some(stop) = self.beyond_limits() {
                self.close(self.at);
                self.lost(stop);
                return Ok(());
            }
            match self.step()? {
                Step::Frame(frame) => {
                    self.close(self.at);
                    self.at = frame.offset + frame.stored;
                    self.frames += 1;
                    (self.found)(Found::Frame(frame));
                }
                Step::Skip(next) => {
                    self.close(self.at);
                    self.at = next;
                }
                Step::Lost(damage) => {
                    self.close(self.at);
                    self.at = damage.offset + damage.length;
                    self.lost(damage);
                }
                Step::Search { lost, from, cost } => {
                    // The first thing that went wrong names the stretch.
                    self.open.get_or_insert(lost);
                    self.vain = self.vain.saturating_add(cost + LITTLE as u64);
                    self.at = self.search(from)?;
                }
            }
        }
        self.close(self.reader.bytes);
        Ok(())
    }

    fn lost(&mut self, damage: Damage) {
        (self.found)(Found::Damage(damage));
    }

    /// Ends the open stretch of damage.
    fn close(&mut self, end: u64) {
        if let Some(damage) = self.open.take() {
            let length = end.saturating_sub(damage.offset);
            self.lost(Damage { length, ..damage });
        }
    }

    fn beyond_limits(&self) -> Option<Damage> {
        let Limits { max_frames, max_search, min_unpacked, max_ratio, .. } = *self.limits;
        // Many cut snapshots in one large input are worth some work.
        let max_unpacked = min_unpacked.saturating_add(self.reader.bytes.saturating_mul(max_ratio));
        let max_vain = max_search.max(self.reader.bytes.saturating_mul(4));
        let text = if self.frames >= max_frames {
            format!(
                "the input has more frames than limit `max_frames`, {max_frames}; the rest is not read"
            )
        } else if self.vain > max_vain {
            format!(
                "looking for whole frames took more than limit `max_search`, {max_search} bytes; \
                 the rest is not read"
            )
        } else if self.unpacked > max_unpacked {
            format!(
                "the frames unpack to more than limits `min_unpacked` and `max_ratio` allow, \
                 {max_unpacked} bytes; the rest is not read"
            )
        } else {
            return None;
        };
        let length = self.reader.bytes - self.at;
        Some(Damage { offset: self.at, length, kind: DamageKind::Limit, text, frame: None })
    }

    fn step(&mut self) -> io::Result<Step> {
        let mut head = Vec::new();
        self.reader.read(self.at, 8, &mut head)?;
        let Some((magic, size)) = head.split_first_chunk::<4>() else {
            return Ok(self.tail(&head));
        };
        if *magic == walk::MAGIC {
            return self.bare_frame(self.at);
        }
        if magic[1..] != preamble::MAGIC[1..] || magic[0] & 0xF0 != 0x50 {
            return Ok(self.search_on(DamageKind::Garbage, "bytes that belong to no frame"));
        }
        let size = match size.first_chunk::<4>() {
            Some(size) => u64::from(u32::from_le_bytes(*size)),
            None => u64::MAX,
        };
        let ours = *magic == preamble::MAGIC;
        if ours && size != u64::MAX && size > self.limits.max_preamble {
            return Ok(self.search_on(DamageKind::Preamble, "a preamble with an impossible length"));
        }
        let end = (self.at + 8).saturating_add(size);
        if end > self.reader.bytes {
            let text = "the input ends in the middle of a skippable frame";
            return Ok(self.search_on(DamageKind::Truncated, text));
        }
        if ours { self.preamble(end) } else { Ok(Step::Skip(end)) }
    }

    /// Fewer bytes than a magic number has.
    fn tail(&self, head: &[u8]) -> Step {
        if walk::MAGIC.starts_with(head) || preamble::MAGIC.starts_with(head) {
            self.search_on(DamageKind::Truncated, "the input ends in the middle of a magic number")
        } else {
            self.search_on(DamageKind::Garbage, "bytes that belong to no frame")
        }
    }

    fn search_on(&self, kind: DamageKind, text: &str) -> Step {
        self.search_after(kind, text.to_owned(), None, self.at, 0)
    }

    /// Damage from the present offset on; the search goes on behind `tried`.
    fn search_after(
        &self,
        kind: DamageKind,
        text: String,
        frame: Option<FrameLine>,
        tried: u64,
        cost: u64,
    ) -> Step {
        let frame = frame.map(Box::new);
        let lost = Damage { offset: self.at, length: 0, kind, text, frame };
        Step::Search { lost, from: tried + 1, cost }
    }

    /// A preamble stands between the present offset and `start`, where its frame begins.
    fn preamble(&mut self, start: u64) -> io::Result<Step> {
        let mut content = Vec::new();
        let length = usize::try_from(start - self.at - 8).unwrap_or(0);
        self.reader.read(self.at + 8, length, &mut content)?;
        let Some(said) = Preamble::decode(&content) else {
            let text = "a damaged preamble; the frame behind it is judged by itself";
            return Ok(self.search_on(DamageKind::Preamble, text));
        };
        let frame = Some(said.frame.clone());
        let lost = |kind, text: String, cost| self.search_after(kind, text, frame, start - 1, cost);
        let end = start.saturating_add(said.stored);
        if said.stored > self.limits.max_frame_stored {
            let text = format!(
                "the frame has a stored size of {}, limit `max_frame_stored` is {}",
                said.stored, self.limits.max_frame_stored
            );
            return Ok(lost(DamageKind::Limit, text, 0));
        }
        if end > self.reader.bytes {
            return Ok(lost(DamageKind::Truncated, FrameError::Truncated.to_string(), 0));
        }
        let mut stored = std::mem::take(&mut self.stored);
        let length = usize::try_from(said.stored).unwrap_or(0);
        let read = self.reader.read(start, length, &mut stored);
        let step = read.and_then(|()| self.announced(said, start, &stored));
        self.stored = stored;
        step
    }

    /// The bytes that an intact preamble announced.
    fn announced(&mut self, said: Preamble, start: u64, stored: &[u8]) -> io::Result<Step> {
        let end = start + said.stored;
        if crc32_hex(stored) == said.crc32 {
            let checked = check_frame(stored, self.limits);
            let Preamble { frame: line, stored, length, .. } = said;
            if checked.as_ref().is_ok_and(|checked| *checked as u64 == length) {
                self.unpacked = self.unpacked.saturating_add(length);
                return Ok(Step::Frame(FrameAt { offset: start, stored, length, line }));
            }
            if let Err(error @ FrameError::Limit { .. }) = checked {
                let damage = Damage::of(&error, self.at, end - self.at);
                return Ok(Step::Lost(Damage { frame: Some(Box::new(line)), ..damage }));
            }
            let text = "a preamble that does not fit the frame behind it".to_owned();
            return Ok(self.search_after(DamageKind::Preamble, text, None, start - 1, stored));
        }
        let text = "the frame is damaged: its stored bytes do not match their checksum; if the \
                    original is whole, copy it again"
            .to_owned();
        if self.is_boundary(end)? {
            let frame = Some(Box::new(said.frame));
            let (offset, length) = (self.at, end - self.at);
            return Ok(Step::Lost(Damage {
                offset,
                length,
                kind: DamageKind::Corrupt,
                text,
                frame,
            }));
        }
        // Something else stands where the frame should end: it was cut, and what follows may be
        // whole frames of another snapshot.
        let text = FrameError::Truncated.to_string();
        let (kind, frame) = (DamageKind::Truncated, Some(said.frame));
        Ok(self.search_after(kind, text, frame, start - 1, said.stored))
    }

    /// A frame that no intact preamble announces: it is unpacked, and its first line believed.
    fn bare_frame(&mut self, start: u64) -> io::Result<Step> {
        let mut stored = std::mem::take(&mut self.stored);
        let step = self.bare_frame_in(start, &mut stored);
        self.stored = stored;
        step
    }

    fn bare_frame_in(&mut self, start: u64, stored: &mut Vec<u8>) -> io::Result<Step> {
        let loaded = self.load(start, stored)?;
        let whole = loaded.is_ok();
        let error = match loaded.and_then(|()| self.unpack(stored)) {
            Ok((line, length)) => {
                let stored = stored.len() as u64;
                return Ok(Step::Frame(FrameAt { offset: start, stored, length, line }));
            }
            Err(error) => error,
        };
        let end = start + stored.len() as u64;
        if whole && (matches!(error, FrameError::Foreign(_)) || self.is_boundary(end)?) {
            return Ok(Step::Lost(Damage::of(&error, start, stored.len() as u64)));
        }
        let Damage { kind, text, .. } = Damage::of(&error, start, 0);
        let cost = stored.len() as u64;
        Ok(self.search_after(kind, text, None, start, cost))
    }

    /// The first line of a frame, and the length of its lines.
    fn unpack(&mut self, stored: &[u8]) -> Result<(FrameLine, u64), FrameError> {
        let length = check_frame(stored, self.limits)? as u64;
        self.unpacked = self.unpacked.saturating_add(length);
        let frame = read_frame(stored, self.limits, &mut self.scratch)?;
        Ok((frame.line, length))
    }

    /// Reads as much as the frame at `start` has, as its block headers tell.
    fn load(&mut self, start: u64, stored: &mut Vec<u8>) -> io::Result<Result<(), FrameError>> {
        let limit = usize::try_from(self.limits.max_frame_stored).unwrap_or(usize::MAX);
        let mut want = LITTLE;
        loop {
            self.reader.read(start, want.min(limit), stored)?;
            let least = match walk(stored) {
                Walk::Whole(extent) => {
                    stored.truncate(extent.stored);
                    return Ok(Ok(()));
                }
                Walk::Bad(why) => return Ok(Err(FrameError::Corrupt(why.to_owned()))),
                Walk::More(least) => least,
            };
            if least > limit {
                let (name, what) = ("max_frame_stored", "a stored size of at least");
                let (found, limit) = (least as u64, limit as u64);
                return Ok(Err(FrameError::Limit { name, what, found, limit }));
            }
            if stored.len() < want.min(limit) || start + least as u64 > self.reader.bytes {
                return Ok(Err(FrameError::Truncated));
            }
            want = least.max(want.saturating_mul(4));
        }
    }

    /// Whether something starts, or everything ends, at an offset.
    fn is_boundary(&mut self, offset: u64) -> io::Result<bool> {
        let mut head = Vec::new();
        read_up_to(self.reader.source, offset, 4, &mut head)?;
        Ok(offset == self.reader.bytes || head == walk::MAGIC || head == preamble::MAGIC)
    }

    /// The next offset at which a frame or a preamble could start, or the end of the input.
    fn search(&mut self, from: u64) -> io::Result<u64> {
        let mut chunk = Vec::new();
        let mut from = from;
        let mut want = LITTLE;
        while from < self.reader.bytes {
            self.reader.read(from, want, &mut chunk)?;
            let hit =
                chunk.windows(4).position(|four| four == walk::MAGIC || four == preamble::MAGIC);
            if let Some(hit) = hit {
                return Ok(from + hit as u64);
            }
            if chunk.len() < want {
                break;
            }
            // A magic number may stand across the border.
            from += chunk.len() as u64 - 3;
            want = CHUNK;
        }
        Ok(self.reader.bytes)
    }
}
