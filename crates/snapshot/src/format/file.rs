//! A snapshot on disk, from its first byte to its final name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{EXTENSION, PARTIAL};

/// Characters of the system's label that go into a file name.
const LABEL: usize = 64;

/// Why a snapshot could not be put on disk.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder cannot be made or looked at.
    #[error("cannot use the folder {folder}: {source}; take another one, or check who may write there", folder = folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others could plant files in the folder.
    #[error(
        "the folder {folder} can be written by other users; take a folder of your own, or \
         `chmod go-w` it", folder = folder.display()
    )]
    SharedFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// Somebody else leads us to the folder.
    #[error(
        "{folder} is a link that belongs neither to root nor to the owner of the folder it leads \
         to; name that folder itself", folder = folder.display()
    )]
    ForeignLink {
        /// The link.
        folder: PathBuf,
    },
    /// The file cannot be made, or stands there already.
    #[error("cannot create {path}: {source}; nothing was overwritten", path = path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be given its final name.
    #[error(
        "cannot finish {path}: {source}; what was recorded stands in {partial}",
        path = path.display(), partial = partial.display()
    )]
    Finish {
        /// The final name.
        path: PathBuf,
        /// Where the recording stands.
        partial: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A snapshot being written: `<name>.partial`, locked, readable by its owner only.
///
/// It is synced when it is flushed for the first time, which is after the header of the epoch, so
/// that a machine that loses power leaves at least a trace of the epoch. If it is dropped without
/// [`commit`](Self::commit), the `.partial` stays and readers take it as a cut epoch.
#[derive(Debug)]
pub struct SnapshotFile {
    file: File,
    folder: PathBuf,
    partial: PathBuf,
    path: PathBuf,
    synced: bool,
}

impl SnapshotFile {
    /// Makes the file (and the folder, if it is missing). Never opens what stands there already.
    pub fn create(folder: &Path, name: &str) -> Result<Self, FileError> {
        prepare_folder(folder)?;
        let path = folder.join(name);
        let partial = folder.join(format!("{name}{PARTIAL}"));
        // Looked at now so that an hour of recording is not lost for a name that is taken; the
        // link in `commit` is what makes sure.
        if path.symlink_metadata().is_ok() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(FileError::Create { path, source });
        }
        let failed = |source| FileError::Create { path: partial.clone(), source };
        let file = create_new(&partial).map_err(failed)?;
        file.try_lock().map_err(|error| failed(error.into()))?;
        Ok(Self { file, folder: folder.to_owned(), partial, path, synced: false })
    }

    /// Name of the file while it is written.
    pub fn partial_path(&self) -> &Path {
        &self.partial
    }

    /// Name of the file once it is finished.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file and gives it its final name, without ever replacing another file.
    pub fn commit(self) -> Result<PathBuf, FileError> {
        match self.rename() {
            Ok(()) => Ok(self.path),
            Err(source) => {
                Err(FileError::Finish { path: self.path, partial: self.partial, source })
            }
        }
    }

    fn rename(&self) -> io::Result<()> {
        self.file.sync_all()?;
        // `rename` would replace a file that appeared meanwhile; making a link never does.
        match fs::hard_link(&self.partial, &self.path) {
            Ok(()) => fs::remove_file(&self.partial)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no links: the name is taken first by an empty file that
            // certainly is ours, and that one is replaced.
            Err(_) => {
                create_new(&self.path)?;
                fs::rename(&self.partial, &self.path)?;
            }
        }
        sync_folder(&self.folder)
    }
}

impl Write for SnapshotFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.synced {
            self.file.sync_all()?;
            sync_folder(&self.folder)?;
            self.synced = true;
        }
        Ok(())
    }
}

/// Name of the snapshot of one epoch: `<system>.<start>.<uuid, 8 characters>.ndjson.zst`.
pub fn file_name(system: &str, start: Timestamp, uuid: &str) -> String {
    let start = start.strftime("%Y%m%dT%H%M%SZ");
    let uuid: String = uuid.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{}{start}.{uuid}{EXTENSION}", name_prefix(system))
}

/// What the names of all snapshots of a system begin with, dot included. Long labels are cut, so
/// that other systems may have the same.
pub fn name_prefix(system: &str) -> String {
    format!("{}.", escape(system))
}

/// A label as part of a file name: ASCII letters, digits, `-`, `_`, and `.` but not in front;
/// every other byte as `%` and two digits.
fn escape(label: &str) -> String {
    let mut out = String::new();
    for &byte in label.as_bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && !out.is_empty());
        let part = if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        if out.len() + part.len() > LABEL {
            break;
        }
        out.push_str(&part);
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

/// Makes a folder for snapshots, readable by its owner only, or looks whether the one that is there
/// is safe to write to.
pub fn prepare_folder(folder: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::Folder { folder: folder.to_owned(), source };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    let metadata = fs::metadata(folder).map_err(failed)?;
    let link = fs::symlink_metadata(folder).map_err(failed)?;
    if link.is_symlink() && !is_trusted(&link, &metadata) {
        return Err(FileError::ForeignLink { folder: folder.to_owned() });
    }
    if is_shared(&metadata) {
        return Err(FileError::SharedFolder { folder: folder.to_owned() });
    }
    Ok(())
}

/// Whether a link was made by root, or by whoever owns the folder it leads to. Anybody can put a
/// link to somebody else's folder into `/tmp`.
#[cfg(unix)]
fn is_trusted(link: &fs::Metadata, target: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    link.uid() == 0 || link.uid() == target.uid()
}

#[cfg(not(unix))]
fn is_trusted(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn is_shared(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn is_shared(_: &fs::Metadata) -> bool {
    false
}

/// Creates a file that only its owner can read. Fails for everything that stands there already,
/// symbolic links included, wherever they lead.
fn create_new(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
