//! Replies of real servers of every pinned version, read as checks read them.
//!
//! `fixtures/replies/<version>/asked.json` says what was asked; `cargo xtask record-replies` records
//! them again. Every version answered the same questions about the same streams and consumers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod connections;
mod jetstream;
mod raft;
mod states;
mod tolerance;

use std::fs;
use std::path::{Path, PathBuf};

use nats_hindsight_snapshot::wire::{Envelope, ServerInfo};
use serde::Deserialize;

/// Versions with recorded replies, oldest first.
pub(crate) const VERSIONS: [&str; 6] =
    ["2.10.25", "2.10.26", "2.11.11", "2.12.8", "2.14.6", "2.15.1"];

/// Versions from this one on.
pub(crate) fn since(version: &str) -> &'static [&'static str] {
    let first = VERSIONS.iter().position(|known| *known == version).unwrap();
    &VERSIONS[first..]
}

/// Whether this version is this one or a later one.
pub(crate) fn is_since(version: &str, first: &str) -> bool {
    since(first).contains(&version)
}

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/replies").join(version)
}

/// The text of a reply as it came, such as `JSZ` or `http/JSZ`.
///
/// Kept until the test ends, so that what is borrowed from it needs no lifetime.
pub(crate) fn reply(version: &str, name: &str) -> &'static str {
    let path = folder(version).join(format!("{name}.json.zst"));
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = zstd::decode_all(packed.as_slice()).unwrap();
    Box::leak(String::from_utf8(text).unwrap().into_boxed_str())
}

/// Who answered, and the reply itself.
pub(crate) fn read<T: Deserialize<'static>>(version: &str, name: &str) -> (ServerInfo<'static>, T) {
    let envelope: Envelope<'static> = serde_json::from_str(reply(version, name)).unwrap();
    let server = envelope.server.unwrap();
    assert_eq!(server.ver.as_deref(), Some(version), "{name}");
    assert!(envelope.error.is_none(), "{version} {name}: {:?}", envelope.error);
    let data = envelope.data.unwrap();
    (server, serde_json::from_str(data.get()).unwrap())
}

/// A reply over HTTP, which has no envelope.
pub(crate) fn read_http<T: Deserialize<'static>>(version: &str, name: &str) -> T {
    serde_json::from_str(reply(version, &format!("http/{name}"))).unwrap()
}

#[test]
fn what_was_asked_is_what_is_there() {
    let mut versions: Vec<String> = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    versions.sort();
    assert_eq!(versions, VERSIONS);
    for version in VERSIONS {
        let asked = fs::read(folder(version).join("asked.json")).unwrap();
        let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
        assert_eq!(asked["version"], version);
        let replies = asked["replies"].as_array().unwrap();
        assert!(replies.len() >= 50, "{version}: {}", replies.len());
        for row in replies {
            let Some(file) = row["file"].as_str() else {
                assert!(row["status"] == 503 || row["status"] == 404, "{row}");
                continue;
            };
            let text = reply(version, file.strip_suffix(".json.zst").unwrap());
            assert_eq!(row["bytes"], text.len(), "{version} {file}");
        }
    }
}

/// An endpoint that a server does not know is *no responders*, which leaves nothing to read.
#[test]
fn what_a_version_does_not_know_was_not_answered() {
    for version in VERSIONS {
        let asked = fs::read_to_string(folder(version).join("asked.json")).unwrap();
        let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
        let silent = |part: &str| {
            let rows = asked["replies"].as_array().unwrap().iter();
            rows.filter(|row| row["asked"].as_str().unwrap().contains(part))
                .all(|row| row["file"].is_null())
        };
        assert_eq!(silent(".RAFTZ"), version == "2.10.25", "{version}");
        assert_eq!(silent(".IPQUEUESZ"), version == "2.10.25", "{version}");
        assert_eq!(silent("/debug/vars"), !is_since(version, "2.11.11"), "{version}");
        assert!(silent("/expvarz") && !silent("/raftz") && !silent(".EXPVARZ"), "{version}");
    }
}
