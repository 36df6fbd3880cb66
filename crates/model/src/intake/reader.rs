//! Reads single frames of whatever was handed over.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nats_hindsight_snapshot::format::source::read_up_to;
use nats_hindsight_snapshot::format::{Frame, Limits, ReadAt, Scratch, read_frame};
use nats_hindsight_snapshot::lines::FrameLine;

use super::index::FrameRef;
use super::place::Place;

/// Memory of one reader that is kept at most; a larger frame gives its memory back.
const MOST_KEPT: usize = 16 << 20;

/// Everything that was handed over, as its epochs read it.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) places: Vec<Place>,
    pub(super) limits: Limits,
    /// Memory of readers that are done: there are never more than read at the same time.
    idle: Mutex<Vec<Memory>>,
}

/// Memory that is used again for the next frame.
#[derive(Default)]
struct Memory {
    stored: Vec<u8>,
    scratch: Scratch,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Files {
    pub(super) fn new(places: Vec<Place>, limits: Limits) -> Self {
        Self { places, limits, idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads frames, with memory and the open file kept from one to the next.
pub(super) struct FrameReader<'a> {
    files: &'a Files,
    open: Option<(usize, Box<dyn ReadAt>)>,
    memory: Memory,
}

impl Drop for FrameReader<'_> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        if memory.stored.capacity() + memory.scratch.held() <= MOST_KEPT {
            self.files.idle().push(memory);
        }
    }
}

impl<'a> FrameReader<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        let memory = files.idle().pop().unwrap_or_default();
        Self { files, open: None, memory }
    }

    /// The bytes of a frame as they are stored.
    pub(super) fn stored(&mut self, at: &FrameRef) -> io::Result<&[u8]> {
        let source = match &mut self.open {
            Some((place, source)) if *place == at.place => source,
            open => {
                let place = self.files.places.get(at.place).ok_or(io::ErrorKind::NotFound)?;
                &mut open.insert((at.place, place.open()?)).1
            }
        };
        // The scan has held the size against the limits.
        let length = usize::try_from(at.stored).map_err(|_| io::ErrorKind::OutOfMemory)?;
        read_up_to(source.as_ref(), at.offset, length, &mut self.memory.stored)?;
        if self.memory.stored.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(&self.memory.stored)
    }

    /// Unpacks a frame, and holds it against what the scan believed of it.
    pub(super) fn frame(
        &mut self,
        at: &FrameRef,
        uuid: &str,
    ) -> Result<Frame<'_>, (&'static str, String)> {
        if let Err(error) = self.stored(at) {
            return Err(("frame_unreadable", format!("cannot be read: {error}")));
        }
        let frame = read_frame(&self.memory.stored, &self.files.limits, &mut self.memory.scratch)
            .map_err(|error| ("frame_damaged", error.to_string()))?;
        let FrameLine { epoch, n, endpoint, .. } = &frame.line;
        if epoch != uuid || *n != at.n || *endpoint != at.endpoint {
            let why = "its first line says something else than its preamble; it is not used";
            return Err(("frame_contradicts", why.to_owned()));
        }
        Ok(frame)
    }
}
