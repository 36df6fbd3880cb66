//! What a fuzzer calls, and what must hold whatever bytes it brings.
//!
//! Each target is one function from bytes to nothing that panics where something is wrong. The
//! property tests call it with mutations of recordings (`tests/tests/mutations.rs`), libFuzzer with
//! whatever reaches new code (`fuzz/`).

pub mod seeds;
mod structs;

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use nats_hindsight_analyzer::engine::{self, Options, VerdictRow};
use nats_hindsight_analyzer::render::{json, text};
use nats_hindsight_analyzer::{registry, survey};
use nats_hindsight_model::decode;
use nats_hindsight_model::epoch::Epoch;
use nats_hindsight_model::intake::{self, Intake, Source};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::writer::frame_bytes;
use nats_hindsight_snapshot::format::{Limits, Line, Reply, Scratch, read_frame};
use nats_hindsight_snapshot::lines::{EpochLine, FrameLine, ReplyLine};

pub use structs::wire;

/// Limits small enough that a target that gets past them is noticed by the memory it takes.
fn limits() -> Limits {
    Limits {
        max_frame_stored: 1 << 20,
        max_frame_length: 4 << 20,
        min_unpacked: 16 << 20,
        max_header: 1 << 20,
        max_frames: 10_000,
        max_search: 16 << 20,
        ..Limits::default()
    }
}

/// The stored bytes of one frame. What is believed of them is the same twice, and within limits.
///
/// # Panics
/// If something is wrong with the reader.
pub fn frame(stored: &[u8]) {
    let (limits, mut scratch) = (limits(), Scratch::default());
    let mut told = || match read_frame(stored, &limits, &mut scratch) {
        Ok(frame) => {
            assert!(frame.length() as u64 <= limits.max_frame_length);
            let lines: Vec<String> = frame.lines().map(|line| format!("{line:?}")).collect();
            format!("{:?} {lines:?}", frame.line)
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(told(), told());
}

/// One line of a frame, as text. What is read of it says the same when it is written again.
///
/// # Panics
/// If something is wrong with the reader.
pub fn record(line: &[u8]) {
    // A line ends where the next begins.
    let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'\n').collect();
    let first = first_line(0);
    let Ok(packed) = frame_bytes(first.clone(), &[&line, b"\n".as_slice()].concat()) else {
        return;
    };
    let Some((once, again)) = read_one(&packed, &first) else { return };
    if let Some(again) = again {
        let packed = frame_bytes(first.clone(), again.as_bytes());
        let packed = packed.unwrap_or_else(|error| panic!("{error}: {again}"));
        let twice = read_one(&packed, &first);
        let twice = twice.unwrap_or_else(|| panic!("it cannot be read again: {again}"));
        assert_eq!(once, twice.0, "{again}");
        assert_eq!(Some(again), twice.1);
    }
}

fn first_line(n: u64) -> FrameLine {
    FrameLine {
        epoch: "00000000-0000-4000-8000-000000000000".to_owned(),
        system: "prod".to_owned(),
        start: Timestamp::UNIX_EPOCH,
        n,
        endpoint: Endpoint::VARZ,
    }
}

/// The only line behind the first: as it is understood, and as it is written again.
fn read_one(packed: &[u8], first: &FrameLine) -> Option<(String, Option<String>)> {
    let stored = &packed[8 + preamble_length(packed)..];
    let mut scratch = Scratch::default();
    let frame = read_frame(stored, &Limits::default(), &mut scratch);
    let frame = frame.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(frame.line, *first);
    let mut lines = frame.lines();
    let line = lines.next()?;
    assert!(lines.next().is_none());
    if let Line::Reply(reply) = &line {
        understand(reply);
    }
    let understood = match &line {
        Line::Epoch(header) => format!("{:?}", header.clone().whole().ok()),
        Line::End(end) => format!("{:?}", end.clone().whole().ok()),
        line => format!("{line:?}"),
    };
    Some((understood, written(&line)))
}

fn preamble_length(packed: &[u8]) -> usize {
    let length = packed.get(4..8).and_then(|length| length.try_into().ok());
    length.map_or(0, u32::from_le_bytes) as usize
}

/// A line as it is written; none for what is not written again.
fn written(line: &Line<'_>) -> Option<String> {
    let (kind, value) = match line {
        Line::Epoch(line) => ("epoch", serde_json::to_string(&line.clone().whole().ok()?)),
        Line::Reply(reply) => {
            let body = match reply.body {
                Some(body) => Some(serde_json::from_str(body.text()?).ok()?),
                None => None,
            };
            ("reply", serde_json::to_string(&ReplyLine { body, ..reply.line() }))
        }
        Line::Event(line) => ("event", serde_json::to_string(line)),
        Line::Capture(line) => ("capture", serde_json::to_string(line)),
        Line::End(line) => ("end", serde_json::to_string(&line.clone().whole().ok()?)),
        Line::OtherMajor { .. } | Line::Unknown { .. } | Line::Malformed { .. } => return None,
    };
    let value = value.unwrap_or_else(|error| panic!("{kind}: {error}"));
    Some(format!("{{\"{kind}\":{value}}}\n"))
}

/// Puts a reply into the tables of an epoch, under every endpoint.
fn understand(reply: &Reply<'_>) {
    let head = r#"{"format":{"name":"","version":"1.1"},"uuid":"","system":"",
        "collector":{"id":""},"start":"1970-01-01T00:00:00Z"}"#;
    let head: EpochLine = serde_json::from_str(head).unwrap_or_else(|error| panic!("{error}"));
    let mut epoch = Epoch::empty(head.expecting(Arc::default()));
    for endpoint in Endpoint::KNOWN {
        let reply = Reply { endpoint: endpoint.clone(), ..reply.clone() };
        decode::reply(&mut epoch, &reply, &Limits::default(), &decode::Memo::default());
    }
}

/// A whole file: bytes as they are, or, where they are text, lines that are packed into frames with
/// right checksums first, so that what is behind the checksums is reached, too.
///
/// A report and a survey are always there, they are the same for any number of threads, and no
/// check fails.
///
/// # Panics
/// If something is wrong with anything between the bytes and the page.
pub fn file(bytes: &[u8]) {
    let packed = std::str::from_utf8(bytes).ok().and_then(pack);
    let intake = open(packed.as_deref().unwrap_or(bytes));
    let again = open(packed.as_deref().unwrap_or(bytes));
    assert_eq!(report(&intake, 1), report(&again, 2));
    let survey = survey::survey(&intake, &registry::all(), &|_, _| {});
    let survey = survey.unwrap_or_else(|error| panic!("{error}"));
    assert!(!json::render(&survey).is_empty() && !text::survey(&survey, false).is_empty());
}

fn open(bytes: &[u8]) -> Intake {
    let source = Source::Held { name: "fuzz".to_owned(), bytes: Arc::from(bytes) };
    let opened = intake::open(&[source], &limits(), &|_, _| {});
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// Everything that is said of a recording.
fn report(intake: &Intake, threads: usize) -> String {
    let options = Options { threads: Some(threads), ..Options::default() };
    let (report, log) = engine::verdicts(intake, options).unwrap_or_else(|error| panic!("{error}"));
    let failed: Vec<&VerdictRow> =
        log.iter().filter(|row| row.reason == Some("check_failed")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let mut all = json::render(&report);
    let _ = write!(all, "{}{log:?}", text::render(&report, false));
    all
}

/// Lines of an unpacked recording as frames; nothing where they do not begin like one.
fn pack(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for frame in text.strip_prefix("{\"frame\":")?.split("\n{\"frame\":") {
        let (first, lines) = frame.split_once('\n').unwrap_or((frame, ""));
        let first = first.strip_suffix('}').unwrap_or(first);
        // A first line that cannot be read makes a frame of somebody else.
        let line = serde_json::from_str(first).unwrap_or_else(|_| first_line(9));
        let lines = if lines.is_empty() { String::new() } else { format!("{lines}\n") };
        bytes.extend(frame_bytes(line, lines.as_bytes()).ok()?);
    }
    Some(bytes)
}
