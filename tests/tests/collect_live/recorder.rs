//! Runs the real binary and reads what it wrote, as anybody could: zstd and JSON lines.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) type Any<T> = Result<T, Box<dyn std::error::Error>>;

/// A folder that snapshots go to, and the collector that puts them there.
pub(crate) struct Recorder {
    pub(crate) folder: TempDir,
}

/// How a run of the collector ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

impl Recorder {
    pub(crate) fn new() -> Any<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// `hindsight collect --out FOLDER` with short waits and more arguments.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Any<Command> {
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        command.arg("collect").arg("--out").arg(self.folder.path());
        command.args(["--timeout", "700ms", "--confirm-after", "300ms"]);
        command.args(args).stdin(Stdio::null());
        for name in ["NATS_USER", "NATS_PASSWORD", "NATS_TOKEN"] {
            command.env_remove(name);
        }
        Ok(command)
    }

    /// `hindsight collect` with these arguments and no others.
    pub(crate) fn bare<S: AsRef<OsStr>>(args: &[S]) -> Any<Command> {
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        command.arg("collect").args(args).stdin(Stdio::null());
        Ok(command)
    }

    pub(crate) fn collect<S: AsRef<OsStr>>(&self, args: &[S]) -> Any<Run> {
        Ok(Run::from(self.command(args)?.output()?))
    }

    /// Files of snapshots, oldest first.
    pub(crate) fn files(&self) -> Any<Vec<PathBuf>> {
        let entries: Vec<PathBuf> = fs::read_dir(self.folder.path())?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
            .collect();
        let mut dated = Vec::new();
        for path in entries {
            let start =
                Epoch::read(&path)?.header()["start"].as_str().unwrap_or_default().to_owned();
            dated.push((start, path));
        }
        dated.sort();
        Ok(dated.into_iter().map(|(_, path)| path).collect())
    }

    /// The newest epoch.
    pub(crate) fn last(&self) -> Any<Epoch> {
        Epoch::read(self.files()?.last().ok_or("no snapshot was written")?)
    }

    /// Every byte that was written, as it stands and unpacked.
    pub(crate) fn all_bytes(&self) -> Any<Vec<u8>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let bytes = fs::read(entry?.path())?;
            all.extend(zstd::stream::decode_all(bytes.as_slice()).unwrap_or_default());
            all.extend(bytes);
        }
        Ok(all)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code(), stderr }
    }
}

/// The lines of one epoch.
pub(crate) struct Epoch {
    lines: Vec<Value>,
}

impl Epoch {
    pub(crate) fn read(path: &Path) -> Any<Self> {
        Self::from_bytes(&fs::read(path)?)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Any<Self> {
        let text = String::from_utf8(zstd::stream::decode_all(bytes)?)?;
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(Self { lines })
    }

    fn of_kind<'a, 'k>(&'a self, kind: &'k str) -> impl Iterator<Item = &'a Value> + use<'a, 'k> {
        self.lines.iter().filter_map(move |line| line.get(kind))
    }

    pub(crate) fn header(&self) -> &Value {
        self.of_kind("epoch").next().unwrap_or(&Value::Null)
    }

    /// The end line; null if the epoch was cut.
    pub(crate) fn end(&self) -> &Value {
        self.of_kind("end").last().unwrap_or(&Value::Null)
    }

    pub(crate) fn replies<'a, 'k>(
        &'a self,
        endpoint: &'k str,
    ) -> impl Iterator<Item = &'a Value> + use<'a, 'k> {
        self.of_kind("reply").filter(move |reply| reply["endpoint"] == endpoint)
    }

    /// The replies of all endpoints.
    pub(crate) fn every_reply(&self) -> impl Iterator<Item = &Value> {
        self.of_kind("reply")
    }

    pub(crate) fn captures<'a, 'k>(
        &'a self,
        endpoint: &'k str,
    ) -> impl Iterator<Item = &'a Value> + use<'a, 'k> {
        self.of_kind("capture").filter(move |capture| capture["endpoint"] == endpoint)
    }

    /// Events on subjects that end so.
    pub(crate) fn events<'a, 'k>(
        &'a self,
        end: &'k str,
    ) -> impl Iterator<Item = &'a Value> + use<'a, 'k> {
        let ends =
            move |event: &&Value| event["subject"].as_str().is_some_and(|s| s.ends_with(end));
        self.of_kind("event").filter(ends)
    }

    /// Statuses of the captures of one endpoint, each once, sorted.
    pub(crate) fn statuses<'a>(&'a self, endpoint: &str) -> Vec<&'a str> {
        let mut statuses: Vec<&str> =
            self.captures(endpoint).filter_map(|capture| capture["status"].as_str()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// The capture of the requests to one service by its name.
    pub(crate) fn asked_by_name(&self, service: &str) -> Option<&Value> {
        self.of_kind("capture")
            .find(|capture| capture["service"] == service && capture["target"].is_null())
    }

    /// What the next epoch is to expect of a service.
    pub(crate) fn remembered(&self, service: &str) -> Option<&Value> {
        self.end()["remember"]["services"].as_array()?.iter().find(|known| known["name"] == service)
    }
}
