//! The child processes behind services and listeners.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;

use serde_json::Value;
use tempfile::TempDir;

use crate::error::{KitError, Result, io, io_at};
use crate::process::{Process, run, tail_of};
use crate::python::python;
use crate::services::Language;
use crate::system::PATIENCE;

const SCRIPT: &str = include_str!("../python/service.py");

/// Starts the child of a language with its plan as the only argument.
pub(crate) fn spawn(name: &str, language: Language, plan: &str) -> Result<(TempDir, Process)> {
    let folder = tempfile::tempdir().map_err(io("no temporary folder"))?;
    let path = folder.path().join("log");
    let log = File::create(&path).map_err(io_at("cannot write", &path))?;
    let mut command = match language {
        Language::Python => {
            let script = folder.path().join("service.py");
            fs::write(&script, SCRIPT).map_err(io_at("cannot write", &script))?;
            let mut command = Command::new(python()?);
            command.arg(script);
            command
        }
        Language::Rust => Command::new(rust_service()?),
    };
    command.arg(plan).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let process = Process::spawn(name, &mut command)?;
    Ok((folder, process))
}

/// Waits for the line with the id that a child prints when it runs.
pub(crate) fn first_line(name: &str, process: &mut Process, folder: &TempDir) -> Result<String> {
    let stdout = process.take_stdout();
    let stdout =
        stdout.ok_or_else(|| KitError::Plan(format!("{name} was started without a pipe")))?;
    // Reading a pipe cannot be bounded in time, so a thread does it. It ends with the child.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(read_line(stdout)));
    let line = receiver.recv_timeout(PATIENCE).ok().flatten().unwrap_or_default();
    let id = serde_json::from_str::<Value>(&line).ok();
    id.and_then(|value| value["id"].as_str().map(str::to_owned)).ok_or_else(|| {
        let log = tail_of(&folder.path().join("log"));
        KitError::Tool { what: format!("starting {name}"), output: log }
    })
}

fn read_line(stdout: ChildStdout) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).ok()?;
    Some(line)
}

/// The binary of the Rust service, built on first use, because only this package's own tests get it
/// from cargo.
fn rust_service() -> Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built.clone());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(crate::workspace::root()).args(["build", "--message-format", "json"]);
    command.args(["-p", "nats-hindsight-testkit", "--bin", "testkit-rust-service"]);
    without_package_variables(&mut command);
    let output = run("cargo build of the Rust service", &mut command)?;
    let built = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| KitError::Protocol("cargo named no executable".to_owned()))?;
    Ok(BUILT.get_or_init(|| built).clone())
}

/// Takes away what cargo tells a test about its package: build scripts that look at these variables
/// would run again, and half of the dependencies with them.
fn without_package_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if package.iter().any(|prefix| text.starts_with(prefix)) || text == "CARGO_PRIMARY_PACKAGE"
        {
            command.env_remove(&name);
        }
    }
}
