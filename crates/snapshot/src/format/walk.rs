//! Finds the end of a zstd frame without unpacking it (RFC 8878, section 3.1.1).

/// Magic number of a zstd frame, as it stands in the file.
pub(super) const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// What no block can exceed when unpacked.
const BLOCK: u64 = 128 << 10;

/// What the header and the block headers of a frame tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes from the magic number to the end.
    pub(super) stored: usize,
    /// Declared length of the content.
    pub(super) content: Option<u64>,
    /// Window the frame asks for.
    pub(super) window: u64,
    /// Whether the content is checksummed.
    pub(super) checksum: bool,
    /// Most bytes its blocks can unpack to.
    pub(super) bound: u64,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// At the end of the frame.
    Whole(Extent),
    /// At the end of the bytes: the frame has at least this many.
    More(usize),
    /// At something that no frame has.
    Bad(&'static str),
}

/// Walks over the frame that starts at the first byte.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    match header(bytes) {
        Ok(header) => blocks(bytes, &header),
        Err(end) => end,
    }
}

struct Header {
    length: usize,
    content: Option<u64>,
    window: u64,
    checksum: bool,
}

fn header(bytes: &[u8]) -> Result<Header, Walk> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else { return Err(Walk::More(4)) };
    if *magic != MAGIC {
        return Err(Walk::Bad("no zstd magic number"));
    }
    let Some(&descriptor) = rest.first() else { return Err(Walk::More(5)) };
    if descriptor & 0b1000 != 0 {
        return Err(Walk::Bad("a reserved bit of the frame header is set"));
    }
    if descriptor & 0b11 != 0 {
        return Err(Walk::Bad("the frame needs a dictionary"));
    }
    let single = descriptor & 0b10_0000 != 0;
    let size = match descriptor >> 6 {
        0 => usize::from(single),
        flag => 1 << flag,
    };
    let at = 5 + usize::from(!single);
    let Some(field) = bytes.get(at..at + size) else { return Err(Walk::More(at + size)) };
    let content = (size > 0).then(|| little(field) + if size == 2 { 256 } else { 0 });
    let window = match content {
        Some(content) if single => content,
        _ => window(bytes[5]),
    };
    Ok(Header { length: at + size, content, window, checksum: descriptor & 0b100 != 0 })
}

fn window(descriptor: u8) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

fn blocks(bytes: &[u8], header: &Header) -> Walk {
    let mut at = header.length;
    let mut bound = 0_u64;
    loop {
        let Some(field) = bytes.get(at..at + 3) else { return Walk::More(at + 3) };
        let field = little(field);
        let size = field >> 3;
        if size > BLOCK {
            return Walk::Bad("a block is larger than a block can be");
        }
        // No overflow: a block has at most 128 KiB.
        let stored = match field >> 1 & 3 {
            0 | 2 => usize::try_from(size).unwrap_or(usize::MAX),
            1 => 1,
            _ => return Walk::Bad("a block has a reserved type"),
        };
        bound += if field >> 1 & 3 == 2 { BLOCK } else { size };
        at += 3 + stored;
        if field & 1 == 1 {
            break;
        }
    }
    let stored = at + if header.checksum { 4 } else { 0 };
    if bytes.len() < stored {
        return Walk::More(stored);
    }
    let Header { content, window, checksum, .. } = *header;
    Walk::Whole(Extent { stored, content, window, checksum, bound })
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(length);
        let mut state = 1_u32;
        for _ in 0..length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push(b'a' + u8::try_from(state >> 28).unwrap());
        }
        let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
        compressor.include_checksum(true).unwrap();
        compressor.compress(&text).unwrap()
    }

    #[test]
    fn finds_the_end_that_zstd_finds() {
        for length in [0, 1, 255, 256, 70_000, 300_000, 3_000_000] {
            let frame = packed(length);
            let Walk::Whole(extent) = walk(&frame) else { panic!("{length}: not whole") };
            assert_eq!(extent.stored, frame.len(), "{length}");
            assert_eq!(extent.content, Some(length as u64));
            assert!(extent.checksum && extent.bound >= length as u64);
        }
    }

    #[test]
    fn asks_for_more_until_the_last_byte() {
        let frame = packed(200_000);
        for cut in 0..frame.len() {
            let Walk::More(least) = walk(&frame[..cut]) else { panic!("cut at {cut}") };
            assert!(least > cut && least <= frame.len());
        }
    }
}
