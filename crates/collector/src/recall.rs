//! The memory of an earlier run, from a snapshot it left.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{
    EXTENSION, Found, FrameAt, Limits, Line, PARTIAL, ReadAt, Scratch, name_prefix, read_frame,
    scan,
};
use nats_hindsight_snapshot::lines::ExpectsLine;

/// Files that are tried, from the newest on. Damaged ones are passed over.
const TRIED: usize = 20;

/// Why the snapshot given to start from cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; check the path given with --expect-from", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds no epoch.
    #[error("{path} holds no epoch of a snapshot to take expectations from; `hindsight inspect` says more", path = path.display())]
    NoEpoch {
        /// The file.
        path: PathBuf,
    },
}

/// What one epoch of a file says about the next.
struct Recalled {
    start: Timestamp,
    system: String,
    expects: ExpectsLine,
}

/// The memory of a snapshot somebody named, whatever its system.
pub(crate) fn from_file(path: &Path) -> Result<ExpectsLine, RecallError> {
    let source = |source| RecallError::Read { path: path.to_owned(), source };
    let found = newest_epoch(path, None).map_err(source)?;
    found.map(|found| found.expects).ok_or_else(|| RecallError::NoEpoch { path: path.to_owned() })
}

/// The memory of the newest snapshot of a system in a folder. Nothing if there is none: then
/// everything is new.
pub(crate) fn from_folder(folder: &Path, system: &str) -> Option<ExpectsLine> {
    let mut names = candidates(folder, system);
    names.sort_unstable_by(|a, b| b.cmp(a));
    names
        .into_iter()
        .take(TRIED)
        .filter_map(|name| newest_epoch(&folder.join(name), Some(system)).ok().flatten())
        .max_by(|a, b| a.start.cmp(&b.start).then_with(|| a.system.cmp(&b.system)))
        .map(|found| found.expects)
}

/// Names that a snapshot of this system could have. Names are a hint; the header decides.
fn candidates(folder: &Path, system: &str) -> Vec<String> {
    let prefix = name_prefix(system);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix))
        .filter(|name| name.strip_suffix(PARTIAL).unwrap_or(name).ends_with(EXTENSION))
        .collect()
}

/// The newest epoch of a file: what its end line remembers, else what its header expects.
fn newest_epoch(path: &Path, system: Option<&str>) -> io::Result<Option<Recalled>> {
    let file = File::open(path)?;
    let limits = Limits::default();
    let mut frames: Vec<FrameAt> = Vec::new();
    scan(&file, &limits, &mut |found| {
        if let Found::Frame(frame) = found
            && [Endpoint::EPOCH, Endpoint::END].contains(&frame.line.endpoint)
            && system.is_none_or(|system| system == frame.line.system)
        {
            frames.push(frame);
        }
    })?;
    let Some(start) = frames.iter().map(|frame| frame.line.start).max() else { return Ok(None) };
    frames.retain(|frame| frame.line.start == start);
    frames.sort_by_key(|frame| frame.line.endpoint == Endpoint::END);
    let mut found = None;
    for frame in &frames {
        let expects = expects_in(&file, frame, &limits)?;
        found = expects.or(found);
    }
    let system = frames.first().map(|frame| frame.line.system.clone()).unwrap_or_default();
    Ok(found.map(|expects| Recalled { start, system, expects }))
}

fn expects_in(file: &File, at: &FrameAt, limits: &Limits) -> io::Result<Option<ExpectsLine>> {
    let mut stored = vec![0; usize::try_from(at.stored).unwrap_or(0)];
    let mut read = 0;
    while read < stored.len() {
        let count = ReadAt::read_at(file, at.offset + read as u64, &mut stored[read..])?;
        if count == 0 {
            return Ok(None);
        }
        read += count;
    }
    let mut scratch = Scratch::default();
    let Ok(frame) = read_frame(&stored, limits, &mut scratch) else { return Ok(None) };
    let mut expects = None;
    for line in frame.lines() {
        match line {
            Line::Epoch(epoch) => expects = epoch.expects.read().ok().or(expects),
            Line::End(end) => expects = end.whole().ok().map(|end| end.remember).or(expects),
            _ => {}
        }
    }
    Ok(expects)
}
