//! Binaries of this workspace, built on first use: cargo builds the binaries of other packages for no
//! test, and a stale one would be tested in silence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::error::{KitError, Result};
use crate::process::run;

static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// The `hindsight` of this workspace as it is now.
pub fn hindsight() -> Result<PathBuf> {
    binary("nats-hindsight", "hindsight")
}

/// A binary of a package of this workspace.
pub(crate) fn binary(package: &str, name: &str) -> Result<PathBuf> {
    // Tests run side by side; the first one builds, the others wait.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = built.get(name) {
        return Ok(path.clone());
    }
    let mut command = cargo();
    command.args(["build", "--message-format", "json-render-diagnostics"]);
    command.args(["-p", package, "--bin", name]);
    let output = run(&format!("cargo build of {name}"), &mut command)?;
    let path = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| KitError::Protocol("cargo named no executable".to_owned()))?;
    built.insert(name.to_owned(), path.clone());
    Ok(path)
}

/// The cargo that runs us, at the root of the workspace.
///
/// What cargo tells a test or a task about its package is taken away: build scripts that look at
/// these variables would run again, and half of the dependencies with them.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace::root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if package.iter().any(|prefix| text.starts_with(prefix)) || text == "CARGO_PRIMARY_PACKAGE"
        {
            command.env_remove(&name);
        }
    }
    command
}
