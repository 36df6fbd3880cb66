//! Which files there are to read.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use nats_hindsight_snapshot::format::{EXTENSION, Limits, PARTIAL};

use super::place::{Bytes, Place, hold};
use super::{IntakeError, Problem, Source};

/// Files to read, and files that are not read.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub(super) places: Vec<Place>,
    pub(super) problems: Vec<Problem>,
}

/// Finds the inputs behind what was handed over.
pub(super) fn discover(sources: &[Source], limits: &Limits) -> Result<Discovered, IntakeError> {
    let mut found = Discovered::default();
    for source in sources {
        match source {
            Source::Held { name, bytes } => found.places.push(Place {
                name: name.clone(),
                size: bytes.len() as u64,
                bytes: Bytes::Held(bytes.clone()),
                named: true,
            }),
            Source::Path(path) => named(path, limits, &mut found)?,
        }
        if found.places.len() as u64 > limits.max_files {
            return Err(IntakeError::TooManyFiles { limit: limits.max_files });
        }
    }
    Ok(found)
}

/// A path that somebody named: a mistake in it is an error.
fn named(path: &Path, limits: &Limits, found: &mut Discovered) -> Result<(), IntakeError> {
    let name = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => IntakeError::Missing { path: path.to_owned() },
        _ => IntakeError::Unreadable { name: name.clone(), source },
    })?;
    if metadata.is_dir() {
        return folder(path, limits, found);
    }
    let file = File::open(path)
        .map_err(|source| IntakeError::Unreadable { name: name.clone(), source })?;
    if metadata.is_file() {
        regular(path, metadata.len(), true, found);
    } else {
        // A pipe, for instance of a shell's `<(…)`.
        let bytes = hold(file, &name, limits)?;
        let size = bytes.len() as u64;
        found.places.push(Place { name, size, bytes: Bytes::Held(bytes), named: true });
    }
    Ok(())
}

/// Every file in a folder and its folders, sorted. Links to folders are not followed, so
/// that this ends.
fn folder(top: &Path, limits: &Limits, found: &mut Discovered) -> Result<(), IntakeError> {
    let mut files = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let listed = list(&folder, &mut folders, &mut files);
        if let Err(source) = listed {
            if folder == top {
                let name = top.display().to_string();
                return Err(IntakeError::Unreadable { name, source });
            }
            found.problems.push(unreadable(&folder, &source));
        }
        if files.len() as u64 > limits.max_files {
            return Err(IntakeError::TooManyFiles { limit: limits.max_files });
        }
    }
    files.sort();
    for (path, size) in files {
        // What else is an input shows when it is opened.
        regular(&path, size, is_snapshot_name(&path), found);
    }
    Ok(())
}

fn list(
    folder: &Path,
    folders: &mut Vec<PathBuf>,
    files: &mut Vec<(PathBuf, u64)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folders.push(path);
        } else if let Ok(metadata) = path.metadata()
            && metadata.is_file()
        {
            files.push((path, metadata.len()));
        }
    }
    Ok(())
}

pub(super) fn is_snapshot_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(PARTIAL).unwrap_or(&name).ends_with(EXTENSION)
}

fn regular(path: &Path, size: u64, named: bool, found: &mut Discovered) {
    let name = path.display().to_string();
    if is_being_written(path) {
        found.problems.push(Problem {
            epoch: None,
            kind: "input_locked",
            text: "a collector is still writing this snapshot; it is not read; try again once the \
                   epoch has ended"
                .to_owned(),
            where_: Some(name),
        });
        return;
    }
    found.places.push(Place { name, size, bytes: Bytes::File(path.to_owned()), named });
}

/// A collector holds a lock on what it writes. A `.partial` without one was left behind.
fn is_being_written(path: &Path) -> bool {
    path.to_string_lossy().ends_with(PARTIAL)
        && File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem {
        epoch: None,
        kind: "input_unreadable",
        text: format!("cannot be read: {error}"),
        where_: Some(path.display().to_string()),
    }
}
