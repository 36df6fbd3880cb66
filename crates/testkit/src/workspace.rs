//! Where the kit keeps what it fetched: below `.cache` of the workspace, which git ignores.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Result, io_at};

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of everything fetched or made by the kit.
pub(crate) fn cache() -> PathBuf {
    root().join(".cache")
}

/// Holds a lock of this name until the file is dropped, because several test processes may want
/// to fetch the same thing at the same time.
pub(crate) fn lock(name: &str) -> Result<File> {
    let folder = cache();
    fs::create_dir_all(&folder).map_err(io_at("cannot create", &folder))?;
    let path = folder.join(format!("{name}.lock"));
    let file = File::create(&path).map_err(io_at("cannot create", &path))?;
    file.lock().map_err(io_at("cannot lock", &path))?;
    Ok(file)
}
