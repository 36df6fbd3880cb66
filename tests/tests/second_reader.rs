//! A reader in Python, written from the documentation of the format alone, agrees with ours.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{Limits, Line, ReplyBody, SnapshotWriter};
use nats_hindsight_snapshot::lines::{CaptureLine, EpochLine, ExpectsLine, ReplyLine, Status};
use serde_json::{Value, json};

/// What the reader in Python counts in a folder.
fn theirs(folder: &Path) -> Value {
    let script = nats_hindsight_testkit::workspace_root().join("tests/python/read_snapshots.py");
    let python = nats_hindsight_testkit::python().unwrap();
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What our reader counts in a folder.
fn ours(folder: &Path) -> Value {
    let source = Source::Path(folder.to_owned());
    let intake = open(&[source], &Limits::default(), &|_, _| {}).unwrap();
    let mut epochs = BTreeMap::new();
    for epoch in &intake.epochs {
        let mut endpoints: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
        epoch.read(&|_| true, &mut |line| {
            let (endpoint, kind) = match &line {
                Line::Reply(reply) => (&reply.endpoint, "reply"),
                Line::Capture(capture) => (&capture.endpoint, "capture"),
                _ => return,
            };
            let counts = endpoints.entry(endpoint.to_string()).or_default();
            *counts.entry(kind).or_default() += 1;
        });
        let complete = epoch.totals.as_ref().is_some_and(|end| end.complete);
        epochs.insert(&epoch.uuid, json!({ "complete": complete, "endpoints": endpoints }));
    }
    json!(epochs)
}

#[test]
fn both_readers_agree_on_every_recording() {
    let fixtures = nats_hindsight_testkit::workspace_root().join("fixtures");
    let mut scenarios: Vec<PathBuf> =
        fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    scenarios.sort();
    for scenario in scenarios.iter().filter(|path| path.join("provenance.json").is_file()) {
        let ours = ours(scenario);
        assert_eq!(theirs(scenario), ours, "{}", scenario.display());
        assert_ne!(ours, json!({}), "{}: no epoch at all", scenario.display());
    }
}

/// An epoch with several frames of one endpoint.
fn epoch(uuid: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"format":{{"name":"nats-hindsight-snapshot","version":"1.0"}},"uuid":"{uuid}",
            "system":"prod","collector":{{"id":"c"}},"start":"2026-11-21T09:00:00Z"}}"#
    );
    let header: EpochLine = serde_json::from_str(&header).unwrap();
    let mut writer = SnapshotWriter::start(Vec::new(), &header).unwrap();
    let noise: Vec<String> = (0..120_000_u64).map(|n| (n * 2_654_435_761).to_string()).collect();
    let noise = noise.concat();
    for text in [r#"{"a":1}"#, "not json", "", &format!("\"{noise}\""), &format!("\"{noise}\"")] {
        let body = ReplyBody::from_bytes(text.as_bytes());
        let mut reply: ReplyLine<'_> = serde_json::from_str(r#"{"endpoint":"VARZ"}"#).unwrap();
        reply.body = body.json();
        reply.body_base64 = body.base64().map(str::to_owned);
        writer.reply(&reply).unwrap();
    }
    for endpoint in [Endpoint::VARZ, Endpoint::CONNZ] {
        let capture = CaptureLine { endpoint, status: Status::Ok, ..CaptureLine::default() };
        writer.capture(&capture).unwrap();
    }
    writer.finish(header.start, false, ExpectsLine::default()).unwrap().1
}

#[test]
fn both_readers_agree_on_damage() {
    let (a, b) = (epoch("aaaaaaaa"), epoch("bbbbbbbb"));
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8], epochs: usize| {
        let inside = folder.path().join(name);
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("x.ndjson.zst"), bytes).unwrap();
        let ours = ours(&inside);
        assert_eq!(theirs(&inside), ours, "{name}");
        assert_eq!(ours.as_object().unwrap().len(), epochs, "{name}");
    };
    check("whole", &a, 1);
    check("bundle", &[&b[..], &a, &b].concat(), 2);
    check("garbage", &[b"rubbish", &a[..], b"rubbish \x57\x2a\x4d\x18", &b].concat(), 2);
    check("cut", &a[..a.len() * 2 / 3], 1);
    check("cut_bundle", &[&a[..a.len() * 2 / 3], &b].concat(), 2);
    let mut flipped = a.clone();
    flipped[a.len() / 2] ^= 1;
    check("flipped", &flipped, 1);
}
