//! Unpacks a long entry piece by piece.

use flate2::{FlushDecompress, Status};

use super::reader::Reader;

/// Bytes that are unpacked at a time.
const PIECE: usize = 512 << 10;

/// Bytes of a piece that nothing can be taken of, until more is unpacked: more are not waited for.
const MOST: usize = 8 << 20;

impl Reader<'_> {
    /// Unpacks an entry piece by piece, so that a long one is not held as a whole. `take` is handed
    /// what was not taken so far and whether that is the rest, and says how many bytes of it it took,
    /// or that it gives up.
    ///
    /// Gives whether all of the entry is as the container says and was taken. Where it is not, or is
    /// not deflated, [`Self::read`] may still read it, and says what is wrong.
    pub fn read_pieces(
        &mut self,
        index: usize,
        take: &mut dyn FnMut(&[u8], bool) -> Option<usize>,
    ) -> bool {
        self.pieces(index, take).unwrap_or(false)
    }

    fn pieces(
        &mut self,
        index: usize,
        take: &mut dyn FnMut(&[u8], bool) -> Option<usize>,
    ) -> Option<bool> {
        let entry = self.container().entries().get(index)?;
        if entry.refused.is_some() || !entry.deflated {
            return None;
        }
        let (mut rest, inflater) = self.stored(index, entry).ok()?;
        inflater.reset(false);
        let (mut piece, mut filled) = (vec![0; PIECE], 0);
        let mut hasher = crc32fast::Hasher::new();
        loop {
            if filled == piece.len() {
                piece.resize((filled < MOST).then_some(filled * 2)?, 0);
            }
            let (read, written) = (inflater.total_in(), inflater.total_out());
            let room = &mut piece[filled..];
            let status = inflater.decompress(rest, room, FlushDecompress::None).ok()?;
            let read = usize::try_from(inflater.total_in() - read).ok()?;
            let written = usize::try_from(inflater.total_out() - written).ok()?;
            let last = status == Status::StreamEnd;
            if inflater.total_out() > entry.length || (read == 0 && written == 0 && !last) {
                return None;
            }
            rest = rest.get(read..)?;
            hasher.update(piece.get(filled..filled + written)?);
            filled += written;
            let taken = take(piece.get(..filled)?, last)?.min(filled);
            piece.copy_within(taken..filled, 0);
            filled -= taken;
            if last {
                let whole = filled == 0 && inflater.total_out() == entry.length;
                return Some(whole && entry.crc.is_none_or(|crc| crc == hasher.finalize()));
            }
        }
    }
}
