//! What the fuzz targets begin with: real recordings and their parts.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::frames::{files, pieces};
use crate::recording::fixtures;
use crate::recording::scenarios;

/// Seeds larger than this make every step slow, and have nothing that smaller ones lack.
const LARGEST: usize = 24 << 10;

/// The seeds of every target, by its name.
pub fn all() -> [(&'static str, Vec<Vec<u8>>); 4] {
    [("frame", frames()), ("record", records()), ("wire", replies()), ("file", recordings())]
}

/// Files: one epoch of every scenario as it is stored, and unpacked.
pub fn recordings() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for scenario in scenarios() {
        let files = files(&scenario);
        all.extend(files.iter().take(1).cloned());
        all.extend(files.last().map(|file| unpacked(file)));
    }
    all
}

/// Stored frames: each endpoint of every scenario once.
pub fn frames() -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    for scenario in scenarios() {
        let file = &files(&scenario)[0];
        all.extend(pieces(file).iter().map(|piece| file[piece.frame..piece.bytes.end].to_vec()));
    }
    small(all)
}

/// Lines: some of each kind of every scenario.
pub fn records() -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    for scenario in scenarios() {
        let text = unpacked(&files(&scenario)[0]);
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        all.extend(lines.step_by(7).map(<[u8]>::to_vec));
    }
    small(all)
}

/// Bodies of replies: what every release of the server answers to every endpoint.
pub fn replies() -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    gather(&fixtures().join("replies"), &mut all);
    for record in records() {
        let Ok(line) = serde_json::from_slice::<Value>(&record) else { continue };
        all.insert(line["reply"]["body"].to_string().into_bytes());
    }
    small(all)
}

fn small(all: BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
    all.into_iter().filter(|seed| seed.len() <= LARGEST).collect()
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    zstd::stream::decode_all(file).unwrap_or_else(|error| panic!("{error}"))
}

/// All JSON below a folder.
fn gather(folder: &Path, into: &mut BTreeSet<Vec<u8>>) {
    let listed =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in listed.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            gather(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "zst") {
            let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
            into.insert(unpacked(&packed));
        }
    }
}
