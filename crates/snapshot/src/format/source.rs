//! Where the bytes of an input come from.

use std::fs::File;
use std::io;
use std::sync::Arc;

/// Bytes that can be read at any offset, by several threads at once.
pub trait ReadAt: Sync {
    /// How many bytes there are.
    fn size(&self) -> io::Result<u64>;

    /// Reads some bytes from an offset on; 0 at the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, into, offset)
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|from| self.get(from..)).unwrap_or(&[]);
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl ReadAt for Arc<[u8]> {
    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }
}

/// Reads `want` bytes from `offset` on into `into`, fewer only where the source ends.
///
/// The caller has bounded `want`.
pub fn read_up_to(
    source: &dyn ReadAt,
    offset: u64,
    want: usize,
    into: &mut Vec<u8>,
) -> io::Result<()> {
    if into.capacity() < want {
        make_room(into, want);
    }
    // What it holds is written over, and need not be cleared before.
    into.truncate(want);
    into.resize(want, 0);
    let mut filled = 0;
    while filled < want {
        match source.read_at(offset + filled as u64, &mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    into.truncate(filled);
    Ok(())
}

/// Empties a buffer that is to hold so many bytes. Where it is too small, its memory is given back
/// before more is taken, and no more than is needed: a frame may be a good part of all there is.
pub(super) fn make_room(buffer: &mut Vec<u8>, length: usize) {
    buffer.clear();
    if buffer.capacity() < length {
        *buffer = Vec::new();
        buffer.reserve_exact(length);
    }
}
