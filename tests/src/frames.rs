//! A recording as frames that can be cut, moved and damaged, and as text that can be rewritten.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use nats_hindsight_snapshot::format::writer::frame_bytes;
use nats_hindsight_snapshot::format::{Found, Limits, Scratch, read_frame, scan};
use nats_hindsight_snapshot::lines::FrameLine;

use crate::recording::fixtures;

/// Where one frame of an undamaged recording stands, and what is in it.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its first line.
    pub line: FrameLine,
    /// Its bytes, the preamble included.
    pub bytes: Range<usize>,
    /// Where the zstd frame begins.
    pub frame: usize,
}

/// The files of a scenario, each a whole epoch, in the order of their names, which is that of time.
///
/// # Panics
/// If they are not there.
pub fn files(scenario: &str) -> Vec<Vec<u8>> {
    let folder = fixtures().join(scenario);
    let listed =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zst"));
    paths.sort();
    assert!(!paths.is_empty(), "no recordings in {}", folder.display());
    let read = |path: &PathBuf| std::fs::read(path).unwrap_or_else(|error| panic!("{error}"));
    paths.iter().map(read).collect()
}

/// The frames of an undamaged recording.
///
/// # Panics
/// If it is damaged.
pub fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let size = |number: u64| usize::try_from(number).unwrap_or_else(|error| panic!("{error}"));
    let source: Arc<[u8]> = bytes.into();
    let scanned = scan(&source, &Limits::default(), &mut |found| match found {
        Found::Frame(at) => {
            let from = pieces.last().map_or(0, |before| before.bytes.end);
            let frame = size(at.offset);
            pieces.push(Piece { line: at.line, bytes: from..frame + size(at.stored), frame });
        }
        Found::Damage(damage) => panic!("{damage:?}"),
    });
    scanned.unwrap_or_else(|error| panic!("{error}"));
    pieces
}

/// An undamaged recording with the lines of every frame rewritten, under the label of another
/// system.
///
/// # Panics
/// If it is damaged, or a frame cannot be written.
pub fn rewritten(bytes: &[u8], system: &str, edit: &dyn Fn(&str) -> String) -> Vec<u8> {
    pieces(bytes)
        .into_iter()
        .flat_map(|piece| {
            let stored = &bytes[piece.frame..piece.bytes.end];
            let (_, lines) = text(stored);
            let lines: String = lines.lines().map(|line| edit(line) + "\n").collect();
            let line = FrameLine { system: system.to_owned(), ..piece.line };
            frame_bytes(line, lines.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

/// First line and the other lines of a zstd frame.
fn text(stored: &[u8]) -> (String, String) {
    let mut scratch = Scratch::default();
    let length = read_frame(stored, &Limits::default(), &mut scratch).map(|frame| frame.length());
    let length = length.unwrap_or_else(|error| panic!("{error}"));
    let text = zstd::bulk::decompress(stored, length).unwrap_or_else(|error| panic!("{error}"));
    let text = String::from_utf8(text).unwrap_or_else(|error| panic!("{error}"));
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    (first.to_owned(), rest.to_owned())
}
