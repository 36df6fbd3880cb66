//! A recording as lines that can be edited.

pub mod connections;
pub mod events;
pub mod prepared;
pub mod servers;
pub mod services;
pub mod settings;
pub mod times;
pub mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_model::intake::{self, Intake, Source};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Line, SnapshotWriter};
use nats_hindsight_snapshot::lines::{
    CaptureLine, EndLine, EpochLine, EventLine, ExpectsLine, ReplyLine,
};
use serde_json::Value;
use serde_json::value::RawValue;

/// Epochs in order.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The epochs.
    pub epochs: Vec<Epoch>,
}

/// One epoch.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// Header.
    pub header: EpochLine,
    /// Replies, in order.
    pub replies: Vec<Reply>,
    /// What servers published by themselves, in order.
    pub events: Vec<Event>,
    /// Captures, in order.
    pub captures: Vec<CaptureLine>,
    /// End; a recording that was cut has none.
    pub end: Option<EndLine>,
}

/// One reply, its body as a value.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The line without its body.
    pub line: ReplyLine<'static>,
    /// The body.
    pub body: Value,
}

/// One event, its body as a value.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it came.
    pub arrival: Timestamp,
    /// Subject it was published on.
    pub subject: String,
    /// Account of the connection that heard it.
    pub account: Option<String>,
    /// Paths of what was scrubbed.
    pub scrubbed: Vec<String>,
    /// The body.
    pub body: Value,
}

/// Thresholds at the scale of the recordings, as arguments: recordings take seconds where rollouts
/// take minutes.
pub const SCALE: [&str; 8] = [
    "--set",
    "SERVER_002.recent=3s",
    "--set",
    "SERVICE_001.recent=8s",
    "--set",
    "SERVICE_002.settle_after=1s",
    "--set",
    "SKEW_001.recent=3s",
];

/// Where the recordings of real clusters are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Every scenario there is, by name: all folders of `fixtures/` that hold snapshots.
///
/// # Panics
/// If the folder cannot be read.
pub fn scenarios() -> Vec<String> {
    let folders = std::fs::read_dir(fixtures()).unwrap_or_else(|error| panic!("{error}"));
    let mut names: Vec<String> = folders
        .filter_map(Result::ok)
        .filter(|folder| folder.path().join("provenance.json").is_file())
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

impl Recording {
    /// Loads a scenario of `fixtures/`.
    ///
    /// # Panics
    /// If it is not there or not whole: a test that rests on it means nothing then.
    pub fn fixture(scenario: &str) -> Self {
        Self::folder(&fixtures().join(scenario))
    }

    /// Loads the snapshots of a folder.
    ///
    /// # Panics
    /// If there are none, or one is damaged.
    pub fn folder(folder: &Path) -> Self {
        let intake = open(&[Source::Path(folder.to_owned())]);
        assert!(!intake.epochs.is_empty(), "no epochs in {}", folder.display());
        let epochs = intake.epochs.iter().map(|index| {
            let mut epoch = Epoch {
                header: index.header(),
                replies: Vec::new(),
                events: Vec::new(),
                captures: Vec::new(),
                end: None,
            };
            let problems = index.read(&|_| true, &mut |line| epoch.take(line));
            assert!(problems.is_empty(), "{}: {problems:?}", folder.display());
            epoch
        });
        Self { epochs: epochs.collect() }
    }

    /// One epoch of a scenario, as a recording of its own.
    pub fn epoch(scenario: &str, index: usize) -> Self {
        let mut all = Self::fixture(scenario);
        Self { epochs: vec![all.epochs.swap_remove(index)] }
    }

    /// The recording as snapshot files in a row.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.epochs.iter().flat_map(Epoch::to_bytes).collect()
    }

    /// Opens the recording with the real reader.
    pub fn open(&self) -> Intake {
        let bytes: Arc<[u8]> = self.to_bytes().into();
        open(&[Source::Held { name: "edited".to_owned(), bytes }])
    }

    /// Applies an edit to every epoch.
    #[must_use]
    pub fn each(mut self, edit: impl Fn(&mut Epoch)) -> Self {
        self.epochs.iter_mut().for_each(edit);
        self
    }

    /// Applies an edit to one epoch.
    #[must_use]
    pub fn at(mut self, index: usize, edit: impl FnOnce(&mut Epoch)) -> Self {
        edit(&mut self.epochs[index]);
        self
    }

    /// Adds the epochs of another recording.
    #[must_use]
    pub fn then(mut self, mut other: Self) -> Self {
        self.epochs.append(&mut other.epochs);
        self
    }
}

fn open(sources: &[Source]) -> Intake {
    match intake::open(sources, &Limits::default(), &|_, _| {}) {
        Ok(intake) => intake,
        Err(error) => panic!("{error}"),
    }
}

impl Epoch {
    fn take(&mut self, line: Line<'_>) {
        match line {
            Line::Reply(reply) => {
                let text = reply.body.map(|body| body.text().unwrap_or("no JSON"));
                self.replies
                    .push(Reply { line: reply.line(), body: text.map_or(Value::Null, value) });
            }
            Line::Event(event) => self.events.push(Event::of(&event)),
            Line::Capture(capture) => self.captures.push(*capture),
            Line::End(end) => self.end = end.whole().ok(),
            _ => {}
        }
    }

    /// The epoch as a snapshot.
    ///
    /// # Panics
    /// If it cannot be written, which would be a defect of the writer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Ok(mut writer) = SnapshotWriter::start(&mut bytes, &self.header) else {
            panic!("the header cannot be written")
        };
        for reply in &self.replies {
            let body = raw(&reply.body);
            let line = ReplyLine { body: Some(&body), ..reply.line.clone() };
            writer.reply(&line).unwrap_or_else(|error| panic!("{error}"));
        }
        for event in &self.events {
            event.write(&mut writer);
        }
        for capture in &self.captures {
            writer.capture(capture).unwrap_or_else(|error| panic!("{error}"));
        }
        self.write_end(writer);
        bytes
    }

    fn write_end(&self, writer: SnapshotWriter<&mut Vec<u8>>) {
        let done = match &self.end {
            Some(end) => writer.finish(end.end, end.interrupted, end.remember.clone()),
            None => writer.finish(self.header.start, true, ExpectsLine::default()),
        };
        done.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Keeps only the replies and captures that are wanted.
    pub fn retain(
        &mut self,
        reply: impl Fn(&Reply) -> bool,
        capture: impl Fn(&CaptureLine) -> bool,
    ) {
        self.replies.retain(|line| reply(line));
        self.captures.retain(|line| capture(line));
    }

    /// Removes an endpoint as if it had never been asked.
    pub fn drop_endpoint(&mut self, endpoint: &Endpoint) {
        self.retain(|r| r.line.endpoint != *endpoint, |c| c.endpoint != *endpoint);
        self.events.retain(|_| *endpoint != Endpoint::EVENTS);
        self.header.asked.endpoints.retain(|asked| asked != endpoint);
    }

    /// Replaces a text everywhere: ids, names, accounts.
    ///
    /// # Panics
    /// If the result is not an epoch any more.
    pub fn replace(&mut self, from: &str, to: &str) {
        fn through<T: serde_like::Line>(line: &T, from: &str, to: &str) -> T {
            T::from_text(&line.to_text().replace(from, to))
        }
        self.header = through(&self.header, from, to);
        self.end = self.end.as_ref().map(|end| through(end, from, to));
        for capture in &mut self.captures {
            *capture = through(capture, from, to);
        }
        for reply in &mut self.replies {
            let text = serde_json::to_string(&reply.line).unwrap_or_default().replace(from, to);
            let line: ReplyLine<'_> =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
            reply.line = owned(&line);
            reply.body = value(&reply.body.to_string().replace(from, to));
        }
        for event in &mut self.events {
            event.subject = event.subject.replace(from, to);
            event.body = value(&event.body.to_string().replace(from, to));
        }
    }
}

impl Event {
    fn of(line: &EventLine<'_>) -> Self {
        Self {
            arrival: line.arrival,
            subject: line.subject.clone(),
            account: line.account.clone(),
            scrubbed: line.scrubbed.clone(),
            body: line.body.map_or(Value::Null, |raw| value(raw.get())),
        }
    }

    fn write(&self, writer: &mut SnapshotWriter<&mut Vec<u8>>) {
        let body = raw(&self.body);
        let line = EventLine {
            arrival: self.arrival,
            subject: self.subject.clone(),
            account: self.account.clone(),
            scrubbed: self.scrubbed.clone(),
            body: Some(&body),
            body_base64: None,
        };
        writer.event(&line).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Lines that can go through text and back.
mod serde_like {
    use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, EpochLine};

    pub(super) trait Line: Sized {
        fn to_text(&self) -> String;
        fn from_text(text: &str) -> Self;
    }

    macro_rules! line {
        ($($of:ty),*) => {$(
            impl Line for $of {
                fn to_text(&self) -> String {
                    serde_json::to_string(self).unwrap_or_else(|error| panic!("{error}"))
                }
                fn from_text(text: &str) -> Self {
                    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
                }
            }
        )*};
    }
    line!(CaptureLine, EndLine, EpochLine);
}

fn raw(body: &Value) -> Box<RawValue> {
    RawValue::from_string(body.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A reply line without its body, which borrows from nobody.
fn owned(line: &ReplyLine<'_>) -> ReplyLine<'static> {
    ReplyLine {
        endpoint: line.endpoint.clone(),
        subject: line.subject.clone(),
        source: line.source.clone(),
        account: line.account.clone(),
        arrival_us: line.arrival_us,
        rtt_us: line.rtt_us,
        page: line.page,
        filter: line.filter.clone(),
        scrubbed: line.scrubbed.clone(),
        body: None,
        body_base64: line.body_base64.clone(),
    }
}
