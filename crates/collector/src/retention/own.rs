//! Whether a file is this collector's, by what stands in it, and taking it away if it is.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use jiff::Timestamp;
use nats_hindsight_snapshot::format::{Limits, PARTIAL, file_name, read_header};

/// Whose files may be deleted.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) system: String,
    pub(super) collector: String,
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// An epoch of this collector.
    Own { start: Timestamp, bytes: u64 },
    /// Anything else, or nothing that could be read.
    Foreign,
}

/// An opened file that is written no more. A `.partial` stays locked as long as this lives.
struct Opened {
    file: File,
    metadata: Metadata,
}

impl Owner {
    /// Looks into a file. Nothing if somebody is still at work on it, so that it has to be asked
    /// again.
    pub(super) fn look(&self, folder: &Path, name: &str) -> Option<Look> {
        match open(&folder.join(name)) {
            Ok(Some(opened)) => Some(self.judge(&opened, name)),
            Ok(None) => None,
            Err(_) => Some(Look::Foreign),
        }
    }

    fn judge(&self, opened: &Opened, name: &str) -> Look {
        let Ok(Some(header)) = read_header(&opened.file, &Limits::default()) else {
            return Look::Foreign;
        };
        let named = name.strip_suffix(PARTIAL).unwrap_or(name);
        let own = header.system == self.system
            && header.collector.id == self.collector
            && file_name(&header.system, header.start, &header.uuid) == named;
        if own {
            Look::Own { start: header.start, bytes: opened.metadata.len() }
        } else {
            Look::Foreign
        }
    }

    /// Deletes a file, if at this moment it still is what it was taken for, and nobody has made it
    /// read-only or is at work on it. Whether it did.
    pub(super) fn delete(
        &self,
        folder: &Path,
        name: &str,
        left: &mut usize,
        delete: fn(&Path) -> io::Result<()>,
    ) -> io::Result<bool> {
        let path = folder.join(name);
        // Who makes a file read-only wants to keep it, though its folder would let it go.
        if fs::symlink_metadata(&path)?.permissions().readonly() {
            return Ok(false);
        }
        *left = left.saturating_sub(1);
        let Some(opened) = open(&path)? else { return Ok(false) };
        if self.judge(&opened, name) == Look::Foreign {
            return Ok(false);
        }
        delete(&path)?;
        Ok(true)
    }
}

/// Opens a plain file, not what a link leads to. Nothing if it is a `.partial` that a collector
/// writes or somebody reads.
fn open(path: &Path) -> io::Result<Option<Opened>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !is_same(&metadata, &fs::symlink_metadata(path)?) {
        return Err(io::Error::other("it is a link, or was exchanged just now"));
    }
    let partial = path.to_string_lossy().ends_with(PARTIAL);
    if partial && file.try_lock().is_err() {
        return Ok(None);
    }
    Ok(Some(Opened { file, metadata }))
}

#[cfg(unix)]
fn is_same(opened: &Metadata, named: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    named.is_file() && (opened.dev(), opened.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, named: &Metadata) -> bool {
    named.is_file()
}
