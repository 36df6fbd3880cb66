//! Runs the collector and looks for secrets in everything that comes out of it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Arguments of a run, and what else it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) words: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// One run to be made.
pub(crate) struct Case {
    arguments: Arguments,
    more: Vec<String>,
}

/// Everything that came out of a run.
pub(crate) struct Outcome {
    code: i32,
    /// Standard output and standard error.
    pub(crate) said: String,
    pub(crate) bytes_recorded: usize,
    /// What was written, as it stands and unpacked, by file.
    written: Vec<(PathBuf, Vec<u8>)>,
}

impl Case {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        Self { arguments: arguments.clone(), more: Vec::new() }
    }

    pub(crate) fn and(mut self, word: &str) -> Self {
        self.more.push(word.to_owned());
        self
    }

    pub(crate) fn run(self) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(nats_hindsight_testkit::hindsight().unwrap());
        command.args(["collect", "--timeout", "700ms", "--confirm-after", "300ms", "--out"]);
        command.arg(folder.path()).args(&self.arguments.words).args(&self.more);
        command.stdin(Stdio::null());
        for name in ["NATS_USER", "NATS_PASSWORD", "NATS_TOKEN"] {
            command.env_remove(name);
        }
        // Whatever can be made to talk is made to.
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.envs(self.arguments.environment);
        let output = command.output().unwrap();
        let mut outcome = Outcome {
            code: output.status.code().unwrap(),
            said: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            bytes_recorded: 0,
            written: Vec::new(),
        };
        assert!(!outcome.said.contains("panicked"), "{outcome}");
        outcome.read(folder.path());
        outcome
    }
}

impl Outcome {
    pub(crate) fn ended(&self, codes: &[i32]) -> bool {
        codes.contains(&self.code)
    }

    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            if path.to_string_lossy().ends_with(".ndjson.zst") {
                let unpacked = zstd::stream::decode_all(bytes.as_slice()).unwrap();
                self.bytes_recorded += unpacked.len();
                self.written.push((path.clone(), unpacked));
            }
            self.written.push((path, bytes));
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}: {}", self.code, self.said)
    }
}

/// Where a mark is, in any form in which something could be logged in with it.
pub(crate) fn leaks(run: &Outcome, marks: &[String]) -> Vec<String> {
    let mut places: Vec<(String, &[u8])> = vec![("output".to_owned(), run.said.as_bytes())];
    for (path, bytes) in &run.written {
        places.push((path.display().to_string(), bytes));
        places.push(("a file name".to_owned(), path.as_os_str().as_encoded_bytes()));
    }
    let mut found = Vec::new();
    for mark in marks {
        for form in forms(mark) {
            let hits = places.iter().filter(|(_, bytes)| contains(bytes, form.as_bytes()));
            found.extend(hits.map(|(place, _)| format!("{form} in {place}")));
        }
    }
    found
}

fn forms(mark: &str) -> Vec<String> {
    let mut forms = vec![mark.to_owned()];
    // Cut so that whatever stands before or behind it changes nothing.
    for shift in 0..3 {
        let inner = mark.get(shift..).unwrap_or_default();
        let whole = inner.len() / 3 * 3;
        let inner = inner.get(..whole).unwrap_or_default();
        forms.extend([STANDARD_NO_PAD.encode(inner), URL_SAFE_NO_PAD.encode(inner)]);
    }
    forms.push(STANDARD.encode(mark));
    forms.retain(|form| form.len() >= 8);
    forms.dedup();
    // A form that holds another would only be told twice.
    let all = forms.clone();
    forms.retain(|form| !all.iter().any(|other| other != form && form.starts_with(other.as_str())));
    forms
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
