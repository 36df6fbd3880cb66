//! Reads an input and takes its digest on the way.

use std::io;

use sha2::{Digest, Sha256};

use super::source::{ReadAt, read_up_to};

/// How much is read at once of what nobody looked at.
const CHUNK: usize = 256 << 10;

/// Reads a source, and hashes every byte of it exactly once on the way.
pub(super) struct HashingReader<'a> {
    pub(super) source: &'a dyn ReadAt,
    pub(super) bytes: u64,
    hashed: u64,
    hasher: Sha256,
    chunk: Vec<u8>,
}

impl<'a> HashingReader<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, bytes: u64) -> Self {
        Self { source, bytes, hashed: 0, hasher: Sha256::new(), chunk: Vec::new() }
    }

    /// Reads up to `want` bytes, fewer only where the source ends.
    pub(super) fn read(&mut self, offset: u64, want: usize, into: &mut Vec<u8>) -> io::Result<()> {
        self.hash_up_to(offset)?;
        let rest = self.bytes.saturating_sub(offset);
        let want = usize::try_from(rest).unwrap_or(usize::MAX).min(want);
        read_up_to(self.source, offset, want, into)?;
        let known = usize::try_from(self.hashed.saturating_sub(offset)).unwrap_or(usize::MAX);
        if let Some(new) = into.get(known..) {
            self.hasher.update(new);
            self.hashed += new.len() as u64;
        }
        Ok(())
    }

    fn hash_up_to(&mut self, offset: u64) -> io::Result<()> {
        while self.hashed < offset.min(self.bytes) {
            let rest = usize::try_from(offset - self.hashed).unwrap_or(CHUNK).min(CHUNK);
            read_up_to(self.source, self.hashed, rest, &mut self.chunk)?;
            if self.chunk.is_empty() {
                break;
            }
            self.hasher.update(&self.chunk);
            self.hashed += self.chunk.len() as u64;
        }
        Ok(())
    }

    /// The digest of the whole source; what was passed over is read now.
    pub(super) fn digest(mut self) -> io::Result<String> {
        self.hash_up_to(self.bytes)?;
        Ok(format!("sha256:{:x}", self.hasher.finalize()))
    }
}
