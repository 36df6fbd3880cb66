//! How much of anything a reader takes, all in one place.

use super::{MAX_FRAME_LENGTH, MAX_FRAME_LENGTH as MAX_FRAME_STORED};

/// Bounds of a reader. Every length found in a file is held against one of them before it is
/// believed; the message that says so names the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame as it is stored.
    pub max_frame_stored: u64,
    /// Bytes of one frame unpacked.
    pub max_frame_length: u64,
    /// Bytes that the frames of one input may unpack to in any case.
    pub min_unpacked: u64,
    /// How many times larger than the input its unpacked frames may be together, beyond that.
    pub max_ratio: u64,
    /// Logarithm of the window a frame may ask for: 23 is 8 MiB, what RFC 9659 allows on the web.
    pub max_window_log: u32,
    /// Bytes of one preamble, and of the first line of a frame: one is held for every frame.
    pub max_preamble: u64,
    /// Bytes of an `epoch`, `capture` or `end` line: parsed, they take many times their length.
    pub max_header: u64,
    /// Frames of one input.
    pub max_frames: u64,
    /// Bytes read in vain, while looking for the next frame in a damaged input.
    pub max_search: u64,
    /// Bytes held of an input that can be read only once, such as standard input.
    pub stdin_held: u64,
    /// Files of one run.
    pub max_files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_stored: MAX_FRAME_STORED as u64,
            max_frame_length: MAX_FRAME_LENGTH as u64,
            min_unpacked: 1 << 30,
            max_ratio: 200,
            max_window_log: 23,
            max_preamble: 4 << 10,
            max_header: 8 << 20,
            max_frames: 2_000_000,
            max_search: 1 << 30,
            stdin_held: 1 << 30,
            max_files: 1_000_000,
        }
    }
}
