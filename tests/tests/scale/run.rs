//! Runs the collector against a fleet and reads what it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use nats_hindsight_testkit::{System, wait_until};
use serde_json::Value;

/// How a run of the collector ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    /// The most memory it held.
    pub(crate) memory: u64,
    /// Seconds of CPU it used.
    pub(crate) cpu: f64,
    /// The longest that one of its threads waited for a processor that others had.
    pub(crate) starved: Duration,
    /// All files in the folder, oldest first.
    pub(crate) files: Vec<PathBuf>,
}

/// One epoch into a folder, with default waits and everything that is asked by default.
pub(crate) fn collect(system: &System, folder: &Path, args: &[&str]) -> Run {
    let mut child = Command::new(nats_hindsight_testkit::hindsight().unwrap())
        .args(["collect", "--system", "fleet", "--out"])
        .arg(folder)
        .args(["--server", &system.url("real", "SYS").unwrap()])
        .args(["--account-server", &system.url("real", "APP").unwrap()])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut said = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        said.read_to_string(&mut text).map(|_| text)
    });
    let (mut memory, mut cpu, mut starved) = (0, 0.0_f64, Duration::ZERO);
    let code = wait_until("the collector has ended", Duration::from_mins(3), || {
        memory = memory.max(most_memory(&status));
        cpu = cpu.max(cpu_seconds(&status.with_file_name("stat")));
        starved = starved.max(waited_for_cpu(&status.with_file_name("task")));
        let ended = child.try_wait().map_err(|error| error.to_string())?;
        ended.ok_or_else(|| "it runs".to_owned())
    });
    let _ = child.kill();
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
        .collect();
    files.sort();
    let stderr = reader.join().unwrap().unwrap();
    Run { code: code.unwrap().code(), stderr, memory, cpu, starved, files }
}

/// The peak of a process so far; nothing of one that has ended.
fn most_memory(status: &Path) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) << 10
}

/// CPU of a process so far, of the kernel too: ticks of a hundredth of a second.
pub(crate) fn cpu_seconds(stat: &Path) -> f64 {
    let text = fs::read_to_string(stat).unwrap_or_default();
    let fields = text.rsplit(") ").next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The longest that a thread of a process stood in line for a processor. Where the system does not
/// count it, none.
fn waited_for_cpu(tasks: &Path) -> Duration {
    let tasks = fs::read_dir(tasks).into_iter().flatten().filter_map(Result::ok);
    let waits = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    Duration::from_nanos(waits.max().unwrap_or(0))
}

/// What is in one file.
pub(crate) struct Epoch {
    pub(crate) header: Value,
    pub(crate) end: Value,
    pub(crate) took: Duration,
    pub(crate) replies: usize,
    pub(crate) captures: Vec<Value>,
    /// Endpoints with the account they were asked for, by the server that answered.
    pub(crate) by_server: BTreeMap<String, BTreeSet<(String, Option<String>)>>,
    /// Verbs by service and instance.
    pub(crate) by_instance: BTreeMap<(String, String), BTreeSet<String>>,
    /// First and last arrival by endpoint.
    arrivals: BTreeMap<String, (u64, u64)>,
}

impl Epoch {
    pub(crate) fn read(path: &Path) -> Self {
        let mut epoch = Self {
            header: Value::Null,
            end: Value::Null,
            took: Duration::ZERO,
            replies: 0,
            captures: Vec::new(),
            by_server: BTreeMap::new(),
            by_instance: BTreeMap::new(),
            arrivals: BTreeMap::new(),
        };
        let lines = zstd::stream::Decoder::new(fs::File::open(path).unwrap()).unwrap();
        for line in BufReader::new(lines).lines() {
            epoch.take(serde_json::from_str(&line.unwrap()).unwrap());
        }
        let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
        let took = time(&epoch.end["end"]).duration_since(time(&epoch.header["start"]));
        epoch.took = took.try_into().unwrap();
        epoch
    }

    fn take(&mut self, mut line: Value) {
        if line["reply"].is_object() {
            self.reply(&line["reply"]);
        } else if line["capture"].is_object() {
            self.captures.push(line["capture"].take());
        } else if line["epoch"].is_object() {
            self.header = line["epoch"].take();
        } else if line["end"].is_object() {
            self.end = line["end"].take();
        }
    }

    fn reply(&mut self, reply: &Value) {
        self.replies += 1;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let endpoint = text(&reply["endpoint"]);
        let arrival = reply["arrival_us"].as_u64().unwrap();
        let known = self.arrivals.entry(endpoint.clone()).or_insert((arrival, arrival));
        *known = (known.0.min(arrival), known.1.max(arrival));
        let source = text(&reply["source"]);
        if endpoint.starts_with("SRV_") {
            let key = (text(&reply["body"]["name"]), source);
            self.by_instance.entry(key).or_default().insert(endpoint);
        } else if reply["account"].is_null() {
            let account = reply["filter"]["account"].as_str().map(str::to_owned);
            self.by_server.entry(source).or_default().insert((endpoint, account));
        }
    }

    /// When the first and the last reply of each endpoint came, in the order of the first.
    pub(crate) fn timeline(&self) -> String {
        let mut rows: Vec<_> = self.arrivals.iter().map(|(name, span)| (span, name)).collect();
        rows.sort();
        let row = |((first, last), name): (&(u64, u64), &String)| {
            format!("  {name:<16} {:>6} to {:>6} ms\n", first / 1000, last / 1000)
        };
        rows.into_iter().map(row).collect()
    }
}
