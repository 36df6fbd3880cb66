//! From paths to epochs: finds the files, finds their frames, unites frames into epochs.
//!
//! ```text
//! sources ─► discover (which files) ─► gather (frames and damage of each) ─► unite (epochs)
//! ```
//!
//! Nothing is unpacked here but the headers and ends of epochs. An [`EpochIndex`] knows where its
//! frames stand and reads those that somebody wants. Files are read by offset and are not kept
//! open; only what can be read once (standard input, pipes) is held, as it is stored.

mod capture;
mod discover;
mod foreign;
mod gather;
mod index;
mod look;
mod parallel;
mod place;
mod reader;
mod room;
#[cfg(test)]
mod tests;
mod unite;

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use nats_hindsight_snapshot::format::Limits;
use schemars::JsonSchema;
use serde::Serialize;

pub use index::{EpochIndex, FrameRef, Met};

/// Something somebody handed over.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a folder whose snapshots are taken, in all its folders.
    Path(PathBuf),
    /// Bytes that could be read only once, such as standard input.
    Held {
        /// What to call them.
        name: String,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
}

impl Source {
    /// A source by what stands on a command line: a path, or `-` for standard input.
    pub fn from_argument(argument: &OsStr, limits: &Limits) -> Result<Self, IntakeError> {
        if argument == "-" { Self::stdin(limits) } else { Ok(Self::Path(argument.into())) }
    }

    /// Reads standard input to its end.
    pub fn stdin(limits: &Limits) -> Result<Self, IntakeError> {
        let name = "standard input".to_owned();
        let bytes = place::hold(io::stdin().lock(), &name, limits)?;
        Ok(Self::Held { name, bytes })
    }
}

/// Why nothing could be opened. What is wrong *inside* an input is a [`Problem`] instead.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// A path leads nowhere.
    #[error(
        "no such file or folder: {path}; check the spelling, and that the shell expanded any `*`",
        path = path.display()
    )]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A path that was named cannot be read.
    #[error("cannot read {name}: {source}")]
    Unreadable {
        /// The path, or the name of the input.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// An input that has to be held is too large.
    #[error(
        "{name} has more than {limit} bytes, limit `stdin_held`; write it to a file and name that"
    )]
    TooLarge {
        /// Name of the input.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// There are too many files.
    #[error("more than {limit} snapshots, limit `max_files`; name fewer folders")]
    TooManyFiles {
        /// The limit.
        limit: u64,
    },
}

/// One input that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Input {
    /// The path as it was named or found.
    pub path: String,
    /// `sha256:` and the digest of its bytes.
    pub digest: String,
    /// `snapshot`, `archive` (of `nats audit gather`), `bundle` (an archive of other inputs), `replies`
    /// (saved by hand), `empty` or `foreign`.
    pub kind: &'static str,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Something that could not be used, or was not as it should be.
///
/// Everything but `where_` depends on the records alone, not on files, names and order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// UUID of the epoch it is about, where that is known.
    pub epoch: Option<String>,
    /// A stable code.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
    /// File and offset.
    #[serde(rename = "where")]
    pub where_: Option<String>,
}

/// All that was handed over, put in order.
#[derive(Debug)]
pub struct Intake {
    /// The inputs, by digest and path.
    pub inputs: Vec<Input>,
    /// The epochs, by start, place in their run, and uuid.
    pub epochs: Vec<EpochIndex>,
    /// Problems of inputs and of epochs that could not be used at all. Those of an epoch in
    /// `epochs` stand there.
    pub problems: Vec<Problem>,
}

/// Opens what was handed over.
///
/// `progress` is told how many of how many bytes are done, from several threads.
pub fn open(
    sources: &[Source],
    limits: &Limits,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Intake, IntakeError> {
    let discovered = discover::discover(sources, limits)?;
    let gathered = gather::gather(discovered, limits, progress);
    let mut inputs = gathered.inputs.clone();
    inputs.sort_by(|a, b| (&a.digest, &a.path).cmp(&(&b.digest, &b.path)));
    let (epochs, mut problems) = unite::unite(gathered, limits);
    problems.sort();
    Ok(Intake { inputs, epochs, problems })
}
