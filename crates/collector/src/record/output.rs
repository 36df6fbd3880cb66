//! Where snapshots go: a folder or standard output.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nats_hindsight_snapshot::format::{
    FileError, SnapshotFile, WriteError, file_name, prepare_folder,
};

/// File in the output folder that keeps the collector's id.
const ID_FILE: &str = ".hindsight-collector-id";

/// Why an epoch could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The id of the collector.
    #[error("cannot keep the collector's id in {path}: {source}; put that right, or give an id with --collector-id", path = path.display())]
    Id {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The thread that writes is gone.
    #[error("the writer stopped before the epoch was finished")]
    Stopped,
}

/// Where snapshots go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// One file per epoch in this folder.
    Folder(PathBuf),
    /// All epochs one after the other on standard output, which is a valid bundle.
    Stdout,
}

impl Output {
    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Stdout => None,
        }
    }

    /// Opens the place for one epoch.
    pub(crate) fn open(
        &self,
        system: &str,
        start: Timestamp,
        uuid: &str,
    ) -> Result<Sink, FileError> {
        match self {
            Self::Folder(folder) => {
                SnapshotFile::create(folder, &file_name(system, start, uuid)).map(Sink::File)
            }
            Self::Stdout => Ok(Sink::Stdout(io::stdout())),
        }
    }

    /// The id that tells this collector's epochs from those of others: kept beside the snapshots,
    /// so that a restart goes on with the same track.
    pub(crate) fn collector_id(&self) -> Result<String, OutputError> {
        let Some(folder) = self.folder() else { return Ok(fresh_id()) };
        prepare_folder(folder)?;
        let path = folder.join(ID_FILE);
        let failed = |source| OutputError::Id { path: path.clone(), source };
        if let Some(text) = read_own(&path).map_err(failed)?
            && !text.trim().is_empty()
        {
            return Ok(text.trim().chars().take(64).collect());
        }
        let id = fresh_id();
        write_private(&path, &id).map_err(failed)?;
        Ok(id)
    }
}

fn fresh_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Keeps the id in a file of its own that only its owner can read. An empty one is what a collector
/// left that was killed here, and is replaced.
fn write_private(path: &Path, id: &str) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    let mut options = fs::File::options();
    // Fails for a link that somebody puts there in this moment, wherever it leads.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{id}")
}

/// What the file with the id holds, if there is one. A link is refused: nobody but somebody who
/// wants to read or write elsewhere puts one there.
fn read_own(path: &Path) -> io::Result<Option<String>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_file() => fs::read_to_string(path).map(Some),
        Ok(_) => Err(io::Error::other("it is a link or no plain file")),
    }
}

/// One opened place.
pub(crate) enum Sink {
    File(SnapshotFile),
    Stdout(io::Stdout),
}

impl Sink {
    /// Makes what was written final, and says where it stands.
    pub(crate) fn commit(self) -> Result<String, FileError> {
        match self {
            Self::File(file) => file.commit().map(|path| path.display().to_string()),
            Self::Stdout(_) => Ok("standard output".to_owned()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_kept_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::Folder(folder.path().join("new"));
        let id = output.collector_id().unwrap();
        assert_eq!(output.collector_id().unwrap(), id);
        fs::write(folder.path().join("new").join(ID_FILE), "\n").unwrap();
        assert_ne!(output.collector_id().unwrap(), id, "an empty one is replaced");
        fs::write(folder.path().join("new").join(ID_FILE), "mine\n").unwrap();
        assert_eq!(output.collector_id().unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_neither_read_nor_written() {
        for exists in [true, false] {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let target = elsewhere.path().join("target");
            if exists {
                fs::write(&target, "precious").unwrap();
            }
            std::os::unix::fs::symlink(&target, folder.path().join(ID_FILE)).unwrap();
            let output = Output::Folder(folder.path().to_owned());
            let error = output.collector_id().err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains("--collector-id")));
            assert_eq!(fs::read(&target).ok(), exists.then(|| b"precious".to_vec()));
        }
    }
}
