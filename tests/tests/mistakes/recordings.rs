//! What is handed over as a recording and is none, or not a whole one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use nats_hindsight_snapshot::format::SnapshotWriter;
use nats_hindsight_snapshot::lines::{EpochLine, ExpectsLine};
use serde_json::json;

use crate::book::{Any, Book, Mistake};

/// A recording of a real cluster.
fn recorded() -> Any<Vec<u8>> {
    let folder = nats_hindsight_testkit::workspace_root().join("fixtures/healthy");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".ndjson.zst"))
        .collect();
    files.sort();
    Ok(fs::read(files.first().ok_or("the fixture has no snapshot")?)?)
}

/// An epoch of a format of the future.
fn future() -> Any<Vec<u8>> {
    let header: EpochLine = serde_json::from_value(json!({
        "format": { "name": "nats-hindsight-snapshot", "version": "2.0" },
        "uuid": "00000000-0000-4000-8000-000000000001", "system": "prod",
        "collector": { "id": "c", "version": "3.1.0" }, "start": "2026-11-21T09:00:00Z",
    }))?;
    let end = "2026-11-21T09:00:01Z".parse()?;
    let writer = SnapshotWriter::start(Vec::new(), &header)?;
    Ok(writer.finish(end, false, ExpectsLine::default())?.1)
}

/// The beginning of a ZIP archive as `nats audit gather` writes it: local header, stored name.
fn audit_archive() -> Vec<u8> {
    let name = b"capture/clusters/C1/S1/health/0001.json";
    let length = u8::try_from(name.len()).unwrap_or(0);
    let mut bytes = b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0".to_vec();
    bytes.extend([0; 12]);
    bytes.extend([length, 0, 0, 0]);
    bytes.extend(name);
    bytes
}

pub(crate) fn make(book: &mut Book) -> Any<()> {
    book.chapter("Recordings");
    foreign(book)?;
    damaged(book)?;
    standard_input(book)?;
    outputs(book)
}

fn foreign(book: &mut Book) -> Any<()> {
    book.add("a path that leads nowhere", &["analyze", "DIR/epohcs"], 3)?;
    fs::create_dir(book.path("empty"))?;
    book.add("an empty folder", &["analyze", "DIR/empty"], 3)?;
    book.add("an empty folder, inspected", &["inspect", "DIR/empty"], 3)?;
    book.write("nats.log", "[1] 2026/11/21 09:00:00.000000 [INF] Starting nats-server\n")?;
    book.add("a log file", &["analyze", "DIR/nats.log"], 3)?;
    book.add("a log file, inspected", &["inspect", "DIR/nats.log"], 3)?;
    book.write("varz.json", "{\n  \"server_id\": \"NABC\"\n}\n")?;
    book.add("the answer of a monitoring port", &["analyze", "DIR/varz.json"], 3)?;
    book.write("epochs.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03")?;
    book.add("a compressed archive", &["analyze", "DIR/epochs.tar.gz"], 3)?;
    book.write("audit.zip", audit_archive())?;
    book.add("an archive of `nats audit gather`", &["analyze", "DIR/audit.zip"], 3)?;
    let unpacked = zstd::stream::decode_all(recorded()?.as_slice())?;
    book.write("epoch.ndjson", &unpacked)?;
    book.add("a snapshot that somebody unpacked", &["analyze", "DIR/epoch.ndjson"], 3)?;
    book.write("again.ndjson.zst", zstd::stream::encode_all(unpacked.as_slice(), 3)?)?;
    book.add("a snapshot unpacked and packed again", &["analyze", "DIR/again.ndjson.zst"], 3)
}

fn damaged(book: &mut Book) -> Any<()> {
    let whole = recorded()?;
    book.write("half.ndjson.zst", &whole[..whole.len() / 2])?;
    book.add("a file that was copied by half", &["analyze", "DIR/half.ndjson.zst"], 0)?;
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    book.write("flipped.ndjson.zst", bytes)?;
    book.add("a file with damaged bytes", &["analyze", "DIR/flipped.ndjson.zst"], 0)?;
    book.write("future.ndjson.zst", future()?)?;
    book.add("a snapshot of a future version", &["analyze", "DIR/future.ndjson.zst"], 3)?;
    book.write("empty.ndjson.zst", "")?;
    book.add("an empty file", &["analyze", "DIR/empty.ndjson.zst"], 3)?;
    let partial = "now.ndjson.zst.partial";
    book.write(partial, &whole)?;
    let writing = File::options().write(true).open(book.path(partial))?;
    writing.lock()?;
    book.add("a file that a collector is writing", &["analyze", "DIR/now.ndjson.zst.partial"], 3)
}

fn standard_input(book: &mut Book) -> Any<()> {
    book.add("nothing on standard input", &["analyze", "-"], 3)?;
    book.add("standard input twice", &["analyze", "-", "-"], 2)?;
    let mut text = tempfile::tempfile()?;
    text.write_all(b"error: connection refused\n")?;
    std::io::Seek::rewind(&mut text)?;
    let mistake = Mistake {
        title: "a message instead of a snapshot on standard input",
        args: &["inspect", "-"],
        code: 3,
    };
    book.add_with(&mistake, |command| {
        command.stdin(Stdio::from(text));
    })
}

fn outputs(book: &mut Book) -> Any<()> {
    book.write("good.ndjson.zst", recorded()?)?;
    let good = "DIR/good.ndjson.zst";
    book.add(
        "a report into a folder that does not exist",
        &["analyze", good, "--report", "json=DIR/reports/report.json"],
        2,
    )?;
    book.add("a report without a format", &["analyze", good, "--report", "report.json"], 2)?;
    book.add("a report onto a full disk", &["analyze", good, "--report", "json=/dev/full"], 2)
}
