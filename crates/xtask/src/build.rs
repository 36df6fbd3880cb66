//! Building the tool that a task is about to run.

use std::path::PathBuf;
use std::process::Stdio;

use nats_hindsight_testkit::cargo;

/// How the tool is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As it is released.
    Release,
    /// As tests use it: slower, and sooner there.
    Dev,
}

/// Builds `hindsight` while cargo shows how far it is, and says where it stands.
pub(crate) fn hindsight(profile: Profile) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let mut command = cargo();
    command.args(["build", "-p", "nats-hindsight"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    command.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = command.output()?;
    if !output.status.success() {
        return Err("hindsight could not be built".into());
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo named no executable".into())
}
