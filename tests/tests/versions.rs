//! Recordings of formats of the future: of the same major version they are used and what is not
//! known is counted; of another major version they are passed over and named.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use assert_cmd::Command;
use nats_hindsight_analyzer::engine::Options;
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::writer::frame_bytes;
use nats_hindsight_snapshot::lines::FrameLine;
use nats_hindsight_tests::recording::prepared::open_bytes;
use nats_hindsight_tests::recording::{Epoch, Recording, scenarios};
use nats_hindsight_tests::schema;
use nats_hindsight_tests::verdicts::{Judged, judge_opened};
use nats_hindsight_tests::workers::on_all_cores;
use serde_json::{Value, json};

/// Lines of a kind that nobody knows, in each of these endpoints of each epoch.
const HOLOGRAMS: usize = 3;

/// An epoch as another collector might have written it: frame by frame, each line a value.
struct Future {
    frames: Vec<(FrameLine, Vec<Value>)>,
}

impl Future {
    fn of(epoch: &Epoch) -> Self {
        let text = zstd::decode_all(epoch.to_bytes().as_slice()).unwrap();
        let mut frames: Vec<(FrameLine, Vec<Value>)> = Vec::new();
        for line in String::from_utf8(text).unwrap().lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            match line.get_mut("frame") {
                Some(frame) => {
                    frames.push((serde_json::from_value(frame.take()).unwrap(), Vec::new()));
                }
                None => frames.last_mut().unwrap().1.push(line),
            }
        }
        Self { frames }
    }

    fn line(&mut self, kind: &str) -> &mut Value {
        let mut lines = self.frames.iter_mut().flat_map(|(_, lines)| lines);
        lines.find_map(|line| line.get_mut(kind)).unwrap()
    }

    fn set_version(&mut self, version: &str) {
        self.line("epoch")["format"]["version"] = version.into();
    }

    /// Every line has a field more, at every level that is ours.
    fn add_fields(&mut self) {
        let future = || json!({ "deep": [[{}], null, 1e300] });
        for line in self.frames.iter_mut().flat_map(|(_, lines)| lines) {
            let Some((_, said)) = line.as_object_mut().unwrap().iter_mut().next() else { continue };
            for name in ["asked", "collector", "run", "format", "expects", "filter", "page"] {
                if let Some(Value::Object(inner)) = said.get_mut(name) {
                    inner.insert("from_the_future".to_owned(), future());
                }
            }
            for attempt in said["attempts"].as_array_mut().into_iter().flatten() {
                attempt["from_the_future"] = future();
            }
            if said["attempts"].is_null() {
                said.as_object_mut().unwrap().remove("attempts");
            }
            said["from_the_future"] = future();
        }
    }

    /// Lines of an unknown kind beside the others.
    fn add_kinds(&mut self) {
        for (frame, lines) in &mut self.frames {
            if frame.endpoint == Endpoint::STATSZ {
                let hologram = |n| json!({ "hologram": { "n": n, "endpoint": "STATSZ" } });
                lines.extend((0..HOLOGRAMS).map(hologram));
            }
        }
    }

    /// An unknown endpoint that was asked and answered, and a request that ended in an unknown way.
    fn add_endpoint_and_status(&mut self) {
        let (end, _) = self.frames.last().unwrap();
        let first = FrameLine { endpoint: Endpoint::named("FUTUREZ"), ..end.clone() };
        let capture = |endpoint: &str, status: &str| {
            json!({ "capture": { "endpoint": endpoint, "subject": "$SYS.REQ.SERVER.PING.X",
                                 "status": status, "attempts": [], "received": 1 } })
        };
        let reply = json!({ "reply": { "endpoint": "FUTUREZ", "subject": "$SYS.REQ.SERVER.PING.X",
                                       "source": "N", "body": { "data": { "x": [1] } } } });
        let at = self.frames.len() - 1;
        self.frames.insert(at, (first, vec![reply, capture("FUTUREZ", "ok")]));
        let statsz = self.frames.iter_mut().find(|(f, _)| f.endpoint == Endpoint::STATSZ);
        statsz.unwrap().1.push(capture("STATSZ", "deferred"));
        self.line("epoch")["asked"]["endpoints"].as_array_mut().unwrap().push("FUTUREZ".into());
        let outcome = json!({ "endpoint": "FUTUREZ", "status": "ok", "count": 1 });
        self.line("end")["outcomes"].as_array_mut().unwrap().push(outcome);
    }

    fn to_bytes(&self) -> Vec<u8> {
        let frames = self.frames.iter().zip(0..).flat_map(|((first, lines), n)| {
            let text: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
            frame_bytes(FrameLine { n, ..first.clone() }, text.concat().as_bytes()).unwrap()
        });
        frames.collect()
    }
}

/// A recording in format 1.9, with everything in it that 1.9 may have and we do not know.
fn newer(recording: &Recording) -> Vec<u8> {
    let newer = |epoch: &Epoch| {
        let mut future = Future::of(epoch);
        future.set_version("1.9");
        future.add_endpoint_and_status();
        future.add_kinds();
        future.add_fields();
        future.to_bytes()
    };
    recording.epochs.iter().flat_map(newer).collect()
}

fn judge(bytes: Vec<u8>) -> Judged {
    judge_opened(&open_bytes(bytes), Options::default())
}

/// What a judgement says of a system, but for what it says of its epochs' bytes and of coverage.
fn said(judged: &Judged) -> (Value, Vec<String>) {
    let systems = judged.report.systems.iter();
    let said: Vec<Value> = systems
        .map(|system| json!([system.findings, system.unknowns, system.checks, system.unseen]))
        .collect();
    (json!(said), judged.log.iter().map(|row| format!("{row:?}")).collect())
}

#[test]
fn a_newer_minor_version_is_used_and_the_unknown_counted() {
    on_all_cores(&scenarios(), |scenario| {
        let recording = Recording::fixture(scenario);
        let before = judge(recording.to_bytes());
        let after = judge(newer(&recording));
        assert_eq!(said(&before), said(&after), "{scenario}");
        let epochs = recording.epochs.len();
        let of_kind = |kind| after.problems(kind).len();
        assert_eq!((of_kind("newer_minor"), of_kind("line_unknown")), (epochs, epochs));
        for problem in after.problems("line_unknown") {
            let counted = format!("{HOLOGRAMS} lines of the unknown kind hologram");
            assert!(problem.text.contains(&counted), "{problem:?}");
        }
        let old: BTreeSet<&str> = before.report.problems.iter().map(|p| p.kind.as_str()).collect();
        let new = after.report.problems.iter().map(|p| p.kind.as_str());
        let new: BTreeSet<&str> = new.filter(|kind| !old.contains(kind)).collect();
        assert_eq!(new, BTreeSet::from(["line_unknown", "newer_minor"]), "{scenario}");
        let coverage = &after.report.systems[0].coverage;
        let row = |name: &str| coverage.iter().find(|row| row.endpoint == name).unwrap();
        assert_eq!((row("FUTUREZ").asked, row("FUTUREZ").ok), (epochs as u64, epochs as u64));
        let deferred = row("STATSZ").gaps.iter().find(|gap| gap.status == "deferred").unwrap();
        assert_eq!(deferred.count, epochs as u64, "{scenario}");
    });
}

/// A recording whose epoch at this place is in format 2.0, of which nothing but a header is known.
fn with_other_major(recording: &Recording, at: usize) -> Vec<u8> {
    let epochs = recording.epochs.iter().enumerate().map(|(index, epoch)| {
        if index != at {
            return epoch.to_bytes();
        }
        let mut future = Future::of(epoch);
        future.set_version("2.0");
        future.line("epoch")["collector"]["version"] = "3.1.0".into();
        future.add_fields();
        future.to_bytes()
    });
    epochs.flatten().collect()
}

#[test]
fn another_major_version_is_passed_over_and_named() {
    on_all_cores(&scenarios(), |scenario| {
        let recording = Recording::fixture(scenario);
        let at = recording.epochs.len() / 2;
        let after = judge(with_other_major(&recording, at));
        let mut less = recording.clone();
        let gone = less.epochs.remove(at);
        assert_eq!(said(&judge(less.to_bytes())), said(&after), "{scenario}");
        let named = after.report.problems.iter().filter(|problem| {
            problem.epoch.as_deref() == Some(&*gone.header.uuid)
                && ["2.0", "3.1.0"].iter().all(|version| problem.text.contains(version))
        });
        assert_eq!(named.count(), 1, "{scenario}: {:?}", after.report.problems);
    });
}

fn hindsight(arguments: &[&str], bytes: Vec<u8>) -> (i32, String) {
    let mut command = Command::new(nats_hindsight_testkit::hindsight().unwrap());
    let output = command.args(arguments).arg("-").write_stdin(bytes).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_binary_uses_a_newer_minor_version_and_says_what_it_does_not_know() {
    let recording = Recording::fixture("two-accounts");
    let (before, _) = hindsight(&["analyze"], recording.to_bytes());
    let (code, text) = hindsight(&["analyze"], newer(&recording));
    assert_eq!(code, before, "{text}");
    for wanted in ["format 1.9", "unknown kind hologram", "FUTUREZ", "deferred"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let (code, text) = hindsight(&["inspect"], newer(&recording));
    assert_eq!(code, 0, "{text}");
    for wanted in ["format 1.9", "unknown kind hologram", "FUTUREZ is an endpoint"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let (_, json) = hindsight(&["inspect", "--format", "json"], newer(&recording));
    let survey = schema::parse(schema::INSPECT, &json);
    for epoch in survey["epochs"].as_array().unwrap() {
        assert_eq!((&epoch["format"], &epoch["whole"]), (&json!("1.9"), &json!(true)));
        assert_eq!(epoch["requests"]["FUTUREZ"], json!({ "ok": 1 }));
        assert_eq!(epoch["requests"]["STATSZ"]["deferred"], 1);
    }
}

#[test]
fn the_binary_names_what_it_cannot_read() {
    let recording = Recording::fixture("healthy");
    let (code, text) = hindsight(&["analyze"], with_other_major(&recording, 1));
    assert_eq!(code, 0, "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("format 2.0 by collector 3.1.0"), "{text}");
    let (code, text) = hindsight(&["inspect"], with_other_major(&recording, 1));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && words.contains("format 2.0 by collector 3.1.0"), "{text}");
    let alone = Recording { epochs: vec![recording.epochs[0].clone()] };
    let (code, text) = hindsight(&["analyze"], with_other_major(&alone, 0));
    assert!(code == 3, "{text}");
}
