//! One input, and how its bytes are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use nats_hindsight_snapshot::format::{Limits, ReadAt};

use super::IntakeError;

/// Where an input stands.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    /// In a file, which is opened when it is read: there may be more snapshots than a process may
    /// have open files.
    File(PathBuf),
    /// In memory.
    Held(Arc<[u8]>),
}

/// One input.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The path as it was named or found.
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) size: u64,
    /// Whether somebody named it, or its name says that it is a snapshot. What merely is in the
    /// same folder need not be anything, unless it begins like an input.
    pub(super) named: bool,
}

impl Place {
    pub(super) fn open(&self) -> io::Result<Box<dyn ReadAt>> {
        Ok(match &self.bytes {
            Bytes::File(path) => Box::new(File::open(path)?),
            Bytes::Held(bytes) => Box::new(Arc::clone(bytes)),
        })
    }

    /// How a problem names a place in this input.
    pub(super) fn at(&self, offset: u64) -> String {
        format!("{}, offset {offset}", self.name)
    }
}

/// Reads something that can be read only once, up to a limit.
pub(super) fn hold(
    source: impl Read,
    name: &str,
    limits: &Limits,
) -> Result<Arc<[u8]>, IntakeError> {
    let limit = limits.stdin_held;
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| IntakeError::Unreadable { name: name.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(IntakeError::TooLarge { name: name.to_owned(), limit });
    }
    Ok(bytes.into())
}
