//! The child processes behind services and listeners.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;

use serde_json::Value;
use tempfile::TempDir;

use crate::built::binary;
use crate::error::{KitError, Result, io, io_at};
use crate::process::{Process, tail_of};
use crate::python::python;
use crate::services::Language;
use crate::system::PATIENCE;

const SCRIPT: &str = include_str!("../python/service.py");

/// Fetches or builds what children of a language need.
pub(crate) fn prepare(language: Language) -> Result<()> {
    match language {
        Language::Python => python().map(drop),
        Language::Rust => rust_service().map(drop),
    }
}

fn rust_service() -> Result<PathBuf> {
    binary("nats-hindsight-testkit", "testkit-rust-service")
}

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
