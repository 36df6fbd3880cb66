//! A copy of the workspace in which sources may be changed and built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::built::cargo;
use crate::error::{KitError, Result, io, io_at};
use crate::process::run;
use crate::workspace::root;

/// A copy of the work tree, gone when it is dropped.
///
/// It is built in the target folder of the work tree, so that dependencies are there already. Cargo
/// tells packages apart by their place in the workspace and their version; the copy has another
/// version, or the work tree would take what was built from the copy for its own.
#[derive(Debug)]
pub struct Checkout {
    folder: TempDir,
}

impl Checkout {
    /// Copies what git knows or would add, as it is now.
    pub fn new() -> Result<Checkout> {
        let folder = tempfile::tempdir().map_err(io("no temporary folder"))?;
        let mut git = Command::new("git");
        git.current_dir(root());
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = run("git ls-files", &mut git)?;
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (root().join(name), folder.path().join(name));
            // What was deleted and not yet committed is still listed.
            if from.is_file() {
                let parent = to.parent().unwrap_or(folder.path());
                fs::create_dir_all(parent).map_err(io_at("cannot create", parent))?;
                fs::copy(&from, &to).map_err(io_at("cannot copy", &from))?;
            }
        }
        let checkout = Checkout { folder };
        checkout.take_another_version()?;
        Ok(checkout)
    }

    /// Its root folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Cargo at its root.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(self.root()).env("CARGO_TARGET_DIR", target());
        command
    }

    fn take_another_version(&self) -> Result<()> {
        let path = self.root().join("Cargo.toml");
        let text = fs::read_to_string(&path).map_err(io_at("cannot read", &path))?;
        let version = env!("CARGO_PKG_VERSION");
        let own = format!("\nversion = \"{version}\"\n");
        // Compatible with what the packages ask of each other.
        let other = format!("\nversion = \"{version}+copy\"\n");
        if !text.contains(&own) {
            return Err(KitError::Plan(format!("{} has no version {version}", path.display())));
        }
        fs::write(&path, text.replacen(&own, &other, 1)).map_err(io_at("cannot write", &path))
    }
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path))
}
