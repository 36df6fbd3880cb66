//! The skippable frame that stands before every frame and tells what follows.
//!
//! ```text
//! 57 2A 4D 18   magic of a zstd skippable frame, the variant that is ours
//! u32           length of the rest, little endian
//! {"frame":{…},"stored":N,"length":M,"crc32":"…"}   one JSON line
//! \n            and the CRC-32 of that line, 8 lower-case hexadecimal digits
//! ```
//!
//! With it a reader finds its way without unpacking, and knows that the stored bytes are whole.
//! It is a hint: where the first line of the frame says something else, the line is right.

use serde::{Deserialize, Serialize};

use crate::lines::FrameLine;

/// Magic number of our skippable frames, as it stands in the file.
pub const MAGIC: [u8; 4] = 0x184D_2A57_u32.to_le_bytes();

/// What a preamble says of the frame behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preamble {
    /// The first line of the frame.
    pub frame: FrameLine,
    /// Bytes of the zstd frame.
    pub stored: u64,
    /// Bytes of the lines in it.
    pub length: u64,
    /// CRC-32 of the zstd frame, 8 lower-case hexadecimal digits.
    pub crc32: String,
}

/// CRC-32 (IEEE) in the form used everywhere in the format.
pub fn crc32_hex(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

impl Preamble {
    /// The whole skippable frame.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let line = serde_json::to_vec(self)?;
        let check = crc32_hex(&line);
        let length = u32::try_from(line.len() + 1 + check.len()).unwrap_or(u32::MAX);
        let mut out = Vec::with_capacity(line.len() + 17);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&line);
        out.push(b'\n');
        out.extend_from_slice(check.as_bytes());
        Ok(out)
    }

    /// Reads what stands in the skippable frame; nothing if a single bit of it is not as written.
    pub fn decode(content: &[u8]) -> Option<Self> {
        let (line, check) = content.split_at_checked(content.len().checked_sub(9)?)?;
        let check = check.strip_prefix(b"\n")?;
        if check != crc32_hex(line).as_bytes() {
            return None;
        }
        serde_json::from_slice(line).ok()
    }
}
