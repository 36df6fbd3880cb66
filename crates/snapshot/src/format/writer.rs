//! Writes one epoch.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::MAX_FRAME_LENGTH;
use super::preamble::{Preamble, crc32_hex};
use crate::Endpoint;
use crate::lines::{
    CaptureLine, EndLine, EpochLine, EventLine, ExpectsLine, FrameLine, OutcomeLine, ReplyLine,
    Status,
};

/// A buffer of this size becomes a frame.
const FULL: usize = 1 << 20;

/// A buffer of this age becomes a frame. Whoever calls [`SnapshotWriter::flush_due`] every half
/// second loses two seconds at most when it is killed.
const OLD: Duration = Duration::from_millis(1_450);

/// Room that is left in a frame for its first line. The preamble repeats it, and has to stay within
/// 4 KiB.
const FIRST_LINE: usize = 3 << 10;

/// zstd level: the default, and fast enough for a collector beside a server.
const LEVEL: i32 = 3;

/// Why a line or frame could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The sink refused the bytes.
    #[error("cannot write the snapshot: {0}; check that the disk has room and the pipe is open")]
    Sink(#[from] io::Error),
    /// A line could not be made.
    #[error("cannot make a line of kind `{kind}`: {source}")]
    Line {
        /// Kind of the line.
        kind: &'static str,
        /// What the encoder says.
        source: serde_json::Error,
    },
    /// A line is larger than a reader would take.
    #[error(
        "a line of kind `{kind}` has {length} bytes, more than a frame can have; record a reply as \
         `too_large`, shorten the label of the system"
    )]
    TooLarge {
        /// Kind of the line.
        kind: &'static str,
        /// Its length.
        length: usize,
    },
}

/// Lines of one endpoint that are not in a frame yet.
struct Buffer {
    text: Vec<u8>,
    since: Instant,
}

/// Writes one epoch, frame by frame, into anything that takes bytes.
pub struct SnapshotWriter<W: Write> {
    sink: W,
    epoch: FrameLine,
    buffers: BTreeMap<Endpoint, Buffer>,
    compressor: zstd::bulk::Compressor<'static>,
    replies: u64,
    captures: u64,
    outcomes: BTreeMap<(Endpoint, Option<String>, Status), u64>,
    whole: bool,
}

impl<W: Write> SnapshotWriter<W> {
    /// Starts an epoch: its header is written and flushed at once.
    pub fn start(sink: W, header: &EpochLine) -> Result<Self, WriteError> {
        let epoch = FrameLine {
            epoch: header.uuid.clone(),
            system: header.system.clone(),
            start: header.start,
            n: 0,
            endpoint: Endpoint::EPOCH,
        };
        let mut writer = Self {
            sink,
            epoch,
            buffers: BTreeMap::new(),
            compressor: compressor()?,
            replies: 0,
            captures: 0,
            outcomes: BTreeMap::new(),
            whole: true,
        };
        let line = line_of("epoch", header)?;
        writer.frame(Endpoint::EPOCH, &line)?;
        Ok(writer)
    }

    /// Adds a reply.
    pub fn reply(&mut self, reply: &ReplyLine<'_>) -> Result<(), WriteError> {
        let line = self.checked("reply", reply)?;
        self.replies += 1;
        self.push(&reply.endpoint, &line)
    }

    /// Adds something a server published by itself.
    pub fn event(&mut self, event: &EventLine<'_>) -> Result<(), WriteError> {
        let line = self.checked("event", event)?;
        self.push(&Endpoint::EVENTS, &line)
    }

    /// Adds how a request went.
    pub fn capture(&mut self, capture: &CaptureLine) -> Result<(), WriteError> {
        let line = self.checked("capture", capture)?;
        self.captures += 1;
        // Only servers are told apart in the totals: requests to services by id are too many, and
        // their captures are always read together.
        let target = capture.service.is_none().then(|| capture.target.clone()).flatten();
        let outcome = (capture.endpoint.clone(), target, capture.status.clone());
        *self.outcomes.entry(outcome).or_default() += 1;
        // Nobody needs events, so one that was missed leaves nothing of the epoch open.
        self.whole &= capture.endpoint == Endpoint::EVENTS || is_whole(capture);
        self.push(&capture.endpoint, &line)
    }

    /// Flushes what is old. To be called every half second.
    pub fn flush_due(&mut self) -> Result<(), WriteError> {
        let due = |buffer: &Buffer| buffer.since.elapsed() >= OLD;
        self.flush_where(due)
    }

    /// Ends the epoch: everything is flushed, the totals are written, the sink is handed back.
    pub fn finish(
        mut self,
        end: Timestamp,
        interrupted: bool,
        remember: ExpectsLine,
    ) -> Result<(EndLine, W), WriteError> {
        self.flush_where(|_| true)?;
        let outcomes = std::mem::take(&mut self.outcomes)
            .into_iter()
            .map(|((endpoint, target, status), count)| OutcomeLine {
                endpoint,
                target,
                status,
                count,
            })
            .collect();
        let line = EndLine {
            end,
            frames: self.epoch.n,
            replies: self.replies,
            captures: self.captures,
            complete: self.whole && !interrupted,
            interrupted,
            outcomes,
            remember,
        };
        let text = line_of("end", &line)?;
        self.frame(Endpoint::END, &text)?;
        Ok((line, self.sink))
    }

    /// A line that will be part of the epoch, or the reason why the epoch is not whole without it.
    fn checked<T: Serialize>(
        &mut self,
        kind: &'static str,
        value: &T,
    ) -> Result<Vec<u8>, WriteError> {
        let line = line_of(kind, value);
        self.whole &= line.is_ok();
        line
    }

    fn push(&mut self, endpoint: &Endpoint, line: &[u8]) -> Result<(), WriteError> {
        let full = |buffer: &Buffer| {
            buffer.text.len() + line.len() > FULL || buffer.since.elapsed() >= OLD
        };
        if self.buffers.get(endpoint).is_some_and(full) {
            self.flush(endpoint)?;
        }
        self.buffers
            .entry(endpoint.clone())
            .or_insert_with(|| Buffer { text: Vec::new(), since: Instant::now() })
            .text
            .extend_from_slice(line);
        if self.buffers.get(endpoint).is_some_and(|buffer| buffer.text.len() >= FULL) {
            self.flush(endpoint)?;
        }
        Ok(())
    }

    fn flush_where(&mut self, which: impl Fn(&Buffer) -> bool) -> Result<(), WriteError> {
        let due: Vec<Endpoint> = self
            .buffers
            .iter()
            .filter(|(_, buffer)| which(buffer))
            .map(|(endpoint, _)| endpoint.clone())
            .collect();
        due.iter().try_for_each(|endpoint| self.flush(endpoint))
    }

    fn flush(&mut self, endpoint: &Endpoint) -> Result<(), WriteError> {
        match self.buffers.remove(endpoint) {
            Some(buffer) => self.frame(endpoint.clone(), &buffer.text),
            None => Ok(()),
        }
    }

    fn frame(&mut self, endpoint: Endpoint, lines: &[u8]) -> Result<(), WriteError> {
        let line = FrameLine { endpoint, ..self.epoch.clone() };
        // The number is used up even if writing fails: a reader then sees that a frame is missing,
        // and never two different frames under one number.
        self.epoch.n += 1;
        let written = self.write_frame(line, lines);
        self.whole &= written.is_ok();
        written
    }

    fn write_frame(&mut self, frame: FrameLine, lines: &[u8]) -> Result<(), WriteError> {
        let bytes = pack(&mut self.compressor, frame, lines)?;
        self.sink.write_all(&bytes)?;
        self.sink.flush()?;
        Ok(())
    }
}

/// One frame with its preamble, from its first line and whole lines behind it: for edits of
/// recordings. Whoever records uses [`SnapshotWriter`].
pub fn frame_bytes(first: FrameLine, lines: &[u8]) -> Result<Vec<u8>, WriteError> {
    pack(&mut compressor()?, first, lines)
}

fn compressor() -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    compressor.include_contentsize(true)?;
    Ok(compressor)
}

fn pack(
    compressor: &mut zstd::bulk::Compressor<'static>,
    frame: FrameLine,
    lines: &[u8],
) -> Result<Vec<u8>, WriteError> {
    let mut text = line_of("frame", &frame)?;
    // Readers bound the first line: they keep one per frame in memory.
    if text.len() > FIRST_LINE {
        return Err(WriteError::TooLarge { kind: "frame", length: text.len() });
    }
    text.extend_from_slice(lines);
    let stored = compressor.compress(&text)?;
    let preamble = Preamble {
        frame,
        stored: stored.len() as u64,
        length: text.len() as u64,
        crc32: crc32_hex(&stored),
    };
    let mut bytes =
        preamble.encode().map_err(|source| WriteError::Line { kind: "frame", source })?;
    bytes.extend_from_slice(&stored);
    Ok(bytes)
}

/// One line of a snapshot: an object with one key, the kind.
fn line_of<T: Serialize>(kind: &'static str, value: &T) -> Result<Vec<u8>, WriteError> {
    let mut line = Vec::with_capacity(256);
    line.extend_from_slice(b"{\"");
    line.extend_from_slice(kind.as_bytes());
    line.extend_from_slice(b"\":");
    serde_json::to_writer(&mut line, value).map_err(|source| WriteError::Line { kind, source })?;
    line.extend_from_slice(b"}\n");
    if line.len() > MAX_FRAME_LENGTH - FIRST_LINE {
        return Err(WriteError::TooLarge { kind, length: line.len() });
    }
    Ok(line)
}

/// Whether a capture leaves nothing open.
fn is_whole(capture: &CaptureLine) -> bool {
    match capture.status {
        Status::Ok | Status::NotSupported => true,
        // Nobody was counted on: that there is nobody is the answer.
        Status::NoResponders => capture.expected.unwrap_or(0) == 0,
        _ => false,
    }
}
