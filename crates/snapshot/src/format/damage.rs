//! What is wrong with a stretch of an input.

use super::frame::FrameError;
use crate::lines::FrameLine;

/// A stretch of an input that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// First byte.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// What kind of damage it is.
    pub kind: DamageKind,
    /// One sentence without offsets, so that it is the same wherever the stretch stands.
    pub text: String,
    /// Which frame was lost, where its preamble tells.
    pub frame: Option<Box<FrameLine>>,
}

impl Damage {
    /// A stretch that could not be used because of what is wrong with the frame in it.
    pub(super) fn of(error: &FrameError, offset: u64, length: u64) -> Self {
        let kind = match error {
            FrameError::Truncated => DamageKind::Truncated,
            FrameError::Corrupt(_) => DamageKind::Corrupt,
            FrameError::Foreign(_) => DamageKind::Foreign,
            FrameError::Limit { .. } => DamageKind::Limit,
        };
        Self { offset, length, kind, text: error.to_string(), frame: None }
    }
}

/// Kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DamageKind {
    /// There is not a single byte.
    Empty,
    /// Bytes that belong to no frame.
    Garbage,
    /// The input ends, or is cut, in the middle of something.
    Truncated,
    /// A frame whose bytes are not what was written.
    Corrupt,
    /// A preamble whose bytes are not what was written, or that does not fit its frame.
    Preamble,
    /// A zstd frame that is no frame of a snapshot.
    Foreign,
    /// A frame beyond a limit.
    Limit,
}

impl DamageKind {
    /// A stable name for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "input_empty",
            Self::Garbage => "input_garbage",
            Self::Truncated => "input_truncated",
            Self::Corrupt => "frame_damaged",
            Self::Preamble => "preamble_damaged",
            Self::Foreign => "frame_foreign",
            Self::Limit => "limit",
        }
    }
}
