//! A folder with one good epoch and whatever a stranger adds, read by the real binary under the
//! limits of a small machine.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nats_hindsight_snapshot::format::preamble::{Preamble, crc32_hex};
use nats_hindsight_snapshot::format::writer::frame_bytes;
use nats_hindsight_snapshot::lines::FrameLine;
use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::schema;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Address space of the process, in KiB: 512 MiB.
const MEMORY: &str = "524288";

/// Seconds of all processors together that the process may use. The wall clock says less, because
/// it counts what else the machine is doing.
const SECONDS: &str = "10";

/// When a run that uses no processor hangs.
const HANGS: Duration = Duration::from_mins(4);

/// UUID of the epoch of a stranger.
pub(crate) const EVIL: &str = "66666666-6666-4666-8666-666666666666";

/// Start of the epoch of a stranger.
pub(crate) const START: &str = "2026-11-21T09:00:00Z";

/// A folder with one whole epoch of a healthy cluster, and room for more.
pub(crate) struct Folder {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What the tool says of a folder.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    /// Report of `analyze`.
    pub(crate) report: Value,
    /// Survey of `inspect`.
    pub(crate) survey: Value,
}

impl Folder {
    /// The folder with the good epoch in it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(good(), folder.path().join("good.ndjson.zst")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same folder with one file more.
    pub(crate) fn with(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.path().join(name), bytes).unwrap();
        self
    }

    /// Analyzes and inspects the folder, and makes sure that the good epoch did not suffer.
    pub(crate) fn said(&self) -> Said {
        let ran = run(&[&"analyze", &self.path(), &"--format", &"json"]);
        assert!(!ran.stdout.is_empty(), "{} {}", ran.code, ran.stderr);
        let report = schema::parse(schema::REPORT, &ran.stdout);
        let systems = report["systems"].as_array().unwrap();
        let prod = systems.iter().find(|system| system["system"] == "prod");
        assert_eq!(prod, Some(&*HEALTHY), "{}", ran.stderr);
        assert!(!ran.stdout.contains("check_failed"), "{}", ran.stdout);
        let text = run(&[&"analyze", &self.path()]);
        assert_eq!((text.code, text.stdout.is_empty()), (ran.code, false), "{}", text.stderr);
        let looked = run(&[&"inspect", &self.path(), &"--format", &"json"]);
        let survey = schema::parse(schema::INSPECT, &looked.stdout);
        let epochs = survey["epochs"].as_array().unwrap();
        let good = epochs.iter().find(|epoch| epoch["system"] == "prod").unwrap();
        assert_eq!((&good["whole"], looked.code), (&json!(true), 0), "{}", looked.stderr);
        Said { code: ran.code, report, survey }
    }
}

impl Said {
    /// What is told of one file: kind and sentence, with the offset.
    pub(crate) fn problems(&self, file: &str) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let problems = self.report["problems"].as_array().unwrap().iter();
        problems
            .filter(|problem| text(&problem["where"]).contains(file))
            .map(|problem| {
                let at = text(&problem["where"]);
                let at = at.rsplit_once(file).map_or("", |(_, offset)| offset).to_owned();
                (text(&problem["kind"]), at, text(&problem["text"]))
            })
            .collect()
    }

    /// Asserts that a file has a problem of a kind, at an offset, that names something.
    pub(crate) fn tells(&self, file: &str, kind: &str, offset: u64, names: &str) {
        let at = format!(", offset {offset}");
        let problems = self.problems(file);
        let told =
            |(a, b, c): &(String, String, String)| a == kind && *b == at && c.contains(names);
        assert!(problems.iter().any(told), "no {kind} of {names} at {offset}: {problems:#?}");
    }

    /// What is said of the epoch of a stranger.
    pub(crate) fn evil(&self) -> Option<&Value> {
        let systems = self.report["systems"].as_array().unwrap();
        systems.iter().find(|system| system["system"] == "evil")
    }
}

/// The good epoch.
fn good() -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures().join("healthy"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    files.sort();
    files.remove(0)
}

/// What is said of the good epoch where it is alone.
static HEALTHY: LazyLock<Value> = LazyLock::new(|| {
    let ran = run(&[&"analyze", &good(), &"--format", &"json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut report = schema::parse(schema::REPORT, &ran.stdout);
    report["systems"][0].take()
});

/// Runs the binary with little memory and little time.
pub(crate) fn run(args: &[&dyn AsRef<std::ffi::OsStr>]) -> Ran {
    let mut command = Command::new("bash");
    let script = format!("ulimit -v {MEMORY}; ulimit -t {SECONDS}; exec \"$@\"");
    command.args(["-c", &script, "bash"]).arg(nats_hindsight_testkit::hindsight().unwrap());
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = drain(child.stdout.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let Ok(stdout) = stdout.recv_timeout(HANGS) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it hangs");
    };
    let stderr = stderr.recv_timeout(HANGS).unwrap();
    let status = child.wait().unwrap();
    let Some(code) = status.code() else { panic!("it was killed: {status}\n{stderr}") };
    assert!(!stderr.contains("panicked"), "{stderr}");
    Ran { code, stdout, stderr }
}

fn drain(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        from.read_to_end(&mut text).unwrap();
        sender.send(String::from_utf8(text).unwrap())
    });
    receiver
}

/// First line of a frame of a stranger's epoch.
pub(crate) fn line(n: u64, endpoint: &str) -> FrameLine {
    line_of(EVIL, START, n, endpoint)
}

/// First line of a frame.
pub(crate) fn line_of(uuid: &str, start: &str, n: u64, endpoint: &str) -> FrameLine {
    serde_json::from_value(json!({
        "epoch": uuid, "system": "evil", "start": start, "n": n, "endpoint": endpoint,
    }))
    .unwrap()
}

/// A frame with its preamble.
pub(crate) fn frame(n: u64, endpoint: &str, lines: &str) -> Vec<u8> {
    frame_bytes(line(n, endpoint), lines.as_bytes()).unwrap()
}

/// A header of a stranger's epoch.
pub(crate) fn header(uuid: &str, start: &str) -> Value {
    json!({ "epoch": {
        "format": { "name": "nats-hindsight-snapshot", "version": "1.1" },
        "uuid": uuid, "system": "evil", "system_set": true,
        "collector": { "id": "evil", "version": "0.1.0" },
        "run": { "id": "r", "sequence": 0 }, "start": start,
    }})
}

/// A whole epoch of a stranger: header, one frame per endpoint, end.
pub(crate) fn epoch(start: &str, frames: &[(&str, String)]) -> Vec<u8> {
    let put = |n: usize, endpoint: &str, lines: &str| {
        frame_bytes(line_of(EVIL, start, n as u64, endpoint), lines.as_bytes()).unwrap()
    };
    let mut bytes = put(0, "epoch", &format!("{}\n", header(EVIL, start)));
    for (n, (endpoint, lines)) in frames.iter().enumerate() {
        bytes.extend(put(n + 1, endpoint, lines));
    }
    let count = frames.len() + 1;
    let end = json!({ "end": { "end": start, "frames": count, "complete": true } });
    bytes.extend(put(count, "end", &format!("{end}\n")));
    bytes
}

/// A preamble that says of a zstd frame what is true, with a first line.
pub(crate) fn announced(line: FrameLine, length: u64, stored: &[u8]) -> Vec<u8> {
    let crc32 = crc32_hex(stored);
    let preamble = Preamble { frame: line, stored: stored.len() as u64, length, crc32 };
    [preamble.encode().unwrap().as_slice(), stored].concat()
}

/// A skippable frame with a length of its own choice.
pub(crate) fn skippable(magic: u8, claims: u32, content: &[u8]) -> Vec<u8> {
    [&[magic, 0x2A, 0x4D, 0x18], claims.to_le_bytes().as_slice(), content].concat()
}

/// Reply lines of an endpoint, each with its body.
pub(crate) fn reply(endpoint: &str, body: &str) -> String {
    format!("{{\"reply\":{{\"endpoint\":\"{endpoint}\",\"arrival_us\":1,\"body\":{body}}}}}\n")
}

/// Packs many frames without a preamble, quickly.
pub(crate) struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> Self {
        let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
        compressor.include_checksum(true).unwrap();
        // Larger windows than this one are refused.
        compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(20)).unwrap();
        Self(compressor)
    }

    /// One frame.
    pub(crate) fn frame(&mut self, line: &FrameLine, lines: &str) -> Vec<u8> {
        let first = serde_json::to_string(line).unwrap();
        self.0.compress(format!("{{\"frame\":{first}}}\n{lines}").as_bytes()).unwrap()
    }
}
