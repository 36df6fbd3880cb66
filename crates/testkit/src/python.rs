//! The Python environment of the kit: pinned packages in `.cache/venv`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::error::{KitError, Result, io_at};
use crate::process::run;
use crate::workspace::{cache, lock};

/// `nats-py` runs the Python services, `zstandard` the reader in Python that the tests have.
const REQUIREMENTS: &str = include_str!("../python/requirements.txt");

/// The interpreter of the environment, which is made on first use.
pub fn python() -> Result<PathBuf> {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    if let Some(ready) = READY.get() {
        return Ok(ready.clone());
    }
    let ready = python_with("venv", REQUIREMENTS)?;
    Ok(READY.get_or_init(|| ready).clone())
}

/// The interpreter of an environment of another name with other packages, each pinned, one per
/// line.
pub fn python_with(name: &str, requirements: &str) -> Result<PathBuf> {
    let _lock = lock(name)?;
    let folder = cache().join(name);
    let interpreter = folder.join("bin/python");
    // Written last, so that an interrupted installation is made again.
    let stamp = folder.join("requirements.txt");
    if interpreter.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == requirements) {
        return Ok(interpreter);
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    run("python3 -m venv (Python 3 with its venv module is needed)", &mut venv)?;
    let wanted = folder.join("wanted.txt");
    fs::write(&wanted, requirements).map_err(io_at("cannot write", &wanted))?;
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--no-deps", "--requirement"]).arg(&wanted);
    run("pip install of the pinned packages", &mut install)?;
    fs::rename(&wanted, &stamp).map_err(io_at("cannot rename", &wanted))?;
    Ok(interpreter)
}

/// Runs `pip` of the environment.
pub(crate) fn pip(what: &str, arguments: impl FnOnce(&mut Command)) -> Result<String> {
    let mut command = Command::new(python()?);
    command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
    arguments(&mut command);
    run(what, &mut command)
}

/// The version of a pinned package, for provenance.
pub fn pinned_package(name: &str) -> Result<&'static str> {
    REQUIREMENTS
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix("=="))
        .ok_or_else(|| KitError::Plan(format!("{name} is not pinned")))
}
