//! How frames of lines are written, found again and checked.
//!
//! A snapshot is a row of pairs: a zstd *skippable* frame with a checked [`preamble`], then a zstd
//! frame of whole JSON lines. [`writer`] makes them, [`file`] keeps them on disk, [`scan`] finds
//! them again in whatever people send, [`frame`] unpacks one, [`line`] reads its lines, [`reply`] those with replies, and
//! [`limits`] says how much of anything a reader takes. `docs/snapshot-format.md` says the
//! same for authors of other readers.

pub mod body;
pub mod damage;
pub mod file;
pub mod frame;
mod hashing;
mod header;
pub mod limits;
pub mod line;
pub mod preamble;
pub mod reply;
pub mod scan;
pub mod source;
mod walk;
pub mod writer;

pub use body::ReplyBody;
pub use damage::{Damage, DamageKind};
pub use file::{FileError, SnapshotFile, file_name, name_prefix, prepare_folder};
pub use frame::{Frame, FrameError, Scratch, read_frame};
pub use header::read_header;
pub use limits::Limits;
pub use line::Line;
pub use reply::{Body, Further, Reply, UNTIMED};
pub use scan::{Found, FrameAt, Scan, scan};
pub use source::ReadAt;
pub use writer::{SnapshotWriter, WriteError};

/// Name of the format, as it stands in the header of every epoch.
pub const NAME: &str = "nats-hindsight-snapshot";

/// Version of the format this build writes, `major.minor`.
///
/// A minor version only adds: line kinds, fields, endpoints, statuses. A reader passes over what it
/// does not know and counts it. A major version may change anything; a reader skips its epochs.
///
/// Changelog:
///
/// - `1.0`: line kinds `frame`, `epoch`, `reply`, `capture`, `end`; one endpoint per frame;
///   preamble in a skippable frame of magic `0x184D2A57`.
/// - `1.1`: line kind `event`, in frames of the endpoint `EVENTS`; field `listened` of `capture`.
pub const VERSION: &str = "1.1";

/// Major part of [`VERSION`].
pub const MAJOR: u32 = 1;

/// Minor part of [`VERSION`].
pub const MINOR: u32 = 1;

/// Extension of a finished snapshot.
pub const EXTENSION: &str = ".ndjson.zst";

/// What is appended to the name of a snapshot while it is being written.
pub const PARTIAL: &str = ".partial";

/// Bytes that the lines of one frame may have before compression.
///
/// A reply may have 64 MiB; one that is no JSON grows by a third in base64. The writer refuses
/// more, so that nothing is written which a reader with default limits would refuse.
pub const MAX_FRAME_LENGTH: usize = 96 << 20;
