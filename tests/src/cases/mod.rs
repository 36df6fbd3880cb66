//! Cases of checks as files: a recording, a few edits by name, and what is to be said.
//!
//! A case is `tests/cases/<CODE>/<kind>_<what>.toml`, its kind being `fires`, `quiet` or `unknown`.
//! It is found by its name; nothing lists it. A case shows one thing a reader of the check wants to
//! see; the tables of the rules are tests in code.

mod endpoints;
mod events;
mod servers;
mod services;
mod users;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::recording::{Epoch, Recording};
use crate::schema;
use crate::verdicts::{Judged, judge};

/// The kinds every check has cases of.
pub const KINDS: [&str; 3] = ["fires", "quiet", "unknown"];

/// One file.
#[derive(Debug)]
pub struct Case {
    /// Code of the check.
    pub code: String,
    /// `fires`, `quiet` or `unknown`.
    pub kind: String,
    /// Where it stands.
    pub path: PathBuf,
    text: String,
}

/// What stands in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    /// What it shows, in one sentence.
    about: String,
    /// Scenario of `fixtures/`.
    fixture: String,
    /// Only this epoch of it.
    epoch: Option<usize>,
    /// That many epochs are made from the first one.
    repeat: Option<usize>,
    /// The time between them.
    step: Option<String>,
    /// Thresholds that are not the default, as `CODE.key`.
    #[serde(default)]
    thresholds: BTreeMap<String, String>,
    #[serde(default, rename = "edit")]
    edits: Vec<Edit>,
    #[serde(rename = "expect")]
    expected: Vec<Expected>,
}

/// One edit of some epochs.
#[derive(Debug, Deserialize)]
pub(crate) struct Edit {
    /// Name of the edit.
    #[serde(rename = "do")]
    name: String,
    /// Epochs it is applied to; all where absent.
    epochs: Option<Vec<usize>>,
    /// What the edit needs to know.
    #[serde(flatten)]
    with: BTreeMap<String, toml::Value>,
}

/// What is said of one subject.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// As the tests write it; `user NAME` where keys differ from recording to recording.
    subject: String,
    /// One word per epoch.
    verdicts: Vec<String>,
    /// Severity of the last finding.
    severity: Option<String>,
    /// How the last finding closed: `cured`, `ended` or `open`.
    closed: Option<String>,
    /// Fields of its details.
    #[serde(default)]
    details: BTreeMap<String, Value>,
}

/// All cases there are, by path.
///
/// # Panics
/// If a file cannot be read, or its name tells no kind.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = Vec::new();
    for folder in entries(&root) {
        let code = file_name(&folder);
        for path in entries(&folder) {
            let name = file_name(&path);
            let kind = KINDS.iter().find(|kind| name.starts_with(&format!("{kind}_")));
            let Some(kind) = kind else { panic!("{} tells no kind", path.display()) };
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
            cases.push(Case { code: code.clone(), kind: (*kind).to_owned(), path, text });
        }
    }
    cases
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{error}"));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Case {
    /// Runs the case; every sentence is something that is not as it should be.
    ///
    /// # Panics
    /// If the file is no case, or an edit cannot be applied.
    pub fn run(&self) -> Vec<String> {
        let script: Script = toml::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let mut wrong = Vec::new();
        if script.about.starts_with("TODO") {
            wrong.push(script.about.clone());
        } else if !script.about.ends_with('.') {
            wrong.push("`about` is no sentence".to_owned());
        }
        let thresholds: Vec<(&str, i64)> =
            script.thresholds.iter().map(|(name, text)| (name.as_str(), millis(text))).collect();
        let judged = judge(&script.recording(), &thresholds);
        for expected in &script.expected {
            let subject = script.subject(&expected.subject);
            wrong.extend(expected.hold(&self.code, &subject, &judged));
        }
        wrong.extend(self.kind_is_told_by(&script));
        wrong.extend(schema::errors(schema::REPORT, &json!(judged.report)));
        wrong
    }

    /// A case that fires has a finding, a quiet one nothing but `ok`, an unknown one an unknown.
    fn kind_is_told_by(&self, script: &Script) -> Option<String> {
        let words: Vec<&str> =
            script.expected.iter().flat_map(|e| e.verdicts.iter().map(String::as_str)).collect();
        let fits = match self.kind.as_str() {
            "fires" => words.contains(&"finding"),
            "quiet" => !words.iter().any(|w| *w == "finding" || w.starts_with("unknown")),
            _ => words.iter().any(|word| word.starts_with("unknown")),
        };
        (!fits || words.is_empty()).then(|| format!("what is expected is not {}", self.kind))
    }
}

impl Script {
    fn recording(&self) -> Recording {
        let mut recording = match self.epoch {
            Some(index) => Recording::epoch(&self.fixture, index),
            None => Recording::fixture(&self.fixture),
        };
        if let Some(count) = self.repeat {
            let step = self.step.as_deref().map_or(3_600_000, millis);
            recording = recording.repeat(count, SignedDuration::from_millis(step));
        }
        for edit in &self.edits {
            let all = (0..recording.epochs.len()).collect();
            for index in edit.epochs.as_ref().unwrap_or(&all) {
                edit.apply(&mut recording.epochs[*index]);
            }
        }
        recording
    }
}

impl Script {
    /// A subject as verdicts name it: users go by keys that nobody can remember.
    fn subject(&self, written: &str) -> String {
        match written.strip_prefix("user ") {
            Some(name) => Recording::fixture(&self.fixture).user(name),
            None => written.to_owned(),
        }
    }
}

impl Edit {
    /// One family of edits after the other is asked whether it knows the name.
    fn apply(&self, epoch: &mut Epoch) {
        let known = endpoints::apply(epoch, self)
            || events::apply(epoch, self)
            || servers::apply(epoch, self)
            || services::apply(epoch, self)
            || users::apply(epoch, self);
        assert!(known, "there is no edit named {}", self.name);
    }

    /// A text the edit needs.
    pub(crate) fn text(&self, key: &str) -> &str {
        match self.with.get(key).and_then(toml::Value::as_str) {
            Some(text) => text,
            None => panic!("edit {} needs `{key}`", self.name),
        }
    }

    /// A number the edit needs, or 0.
    pub(crate) fn number(&self, key: &str) -> u64 {
        let value = self.with.get(key).and_then(toml::Value::as_integer);
        value.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
    }

    /// A value of any kind the edit needs.
    pub(crate) fn value(&self, key: &str) -> Value {
        let value = self.with.get(key).and_then(|value| serde_json::to_value(value).ok());
        value.unwrap_or_else(|| panic!("edit {} needs `{key}`", self.name))
    }

    /// A duration the edit needs.
    pub(crate) fn duration(&self, key: &str) -> SignedDuration {
        SignedDuration::from_millis(millis(self.text(key)))
    }
}

impl Expected {
    fn hold(&self, code: &str, subject: &str, judged: &Judged) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut differ = |what: &str, wanted: &Value, found: &Value| {
            if wanted != found {
                wrong.push(format!("{}: {what} is {found}, not {wanted}", self.subject));
            }
        };
        let verdicts = judged.verdicts(code, subject);
        differ("verdicts", &self.verdicts.clone().into(), &verdicts.into());
        let findings = judged.findings(code, subject);
        let last = findings.last();
        if let Some(severity) = &self.severity {
            let found = last.map_or("", |finding| finding.severity.as_str());
            differ("severity", &severity.as_str().into(), &found.into());
        }
        if let Some(closed) = &self.closed {
            let how = last.map_or("", |f| f.closed.as_ref().map_or("open", |closed| closed.how));
            differ("closed", &closed.as_str().into(), &how.into());
        }
        for (key, wanted) in &self.details {
            differ(key, wanted, last.map_or(&Value::Null, |finding| &finding.details[key]));
        }
        wrong
    }
}

/// Milliseconds of `90d`, `12h`, `5m`, `3s`, `500ms`.
fn millis(text: &str) -> i64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "d" => 86_400_000,
        "h" => 3_600_000,
        "m" => 60_000,
        "s" => 1000,
        "ms" => 1,
        other => panic!("{text}: {other:?} is no unit"),
    };
    digits.parse::<i64>().unwrap_or_else(|error| panic!("{text}: {error}")) * unit
}
