//! What the writer makes, and how it is kept on disk.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::io::Write;

use common::{capture, header, lines, reply, scan_bytes, stored};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{
    FileError, Limits, Line, ReplyBody, Scratch, SnapshotFile, SnapshotWriter, file_name,
    read_frame,
};
use nats_hindsight_snapshot::lines::{CaptureLine, EndLine, ExpectsLine, Status};

const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";
const START: &str = "2026-11-21T09:00:00Z";

fn writer() -> SnapshotWriter<Vec<u8>> {
    SnapshotWriter::start(Vec::new(), &header(A, START)).unwrap()
}

fn finish(writer: SnapshotWriter<Vec<u8>>) -> (EndLine, Vec<u8>) {
    writer.finish("2026-11-21T09:00:05Z".parse().unwrap(), false, ExpectsLine::default()).unwrap()
}

#[test]
fn what_goes_in_comes_out() {
    let mut writer = writer();
    let bodies = [&b"{\"a\":\n1}"[..], b"null", b"not json", b"", b"\xff\0"];
    for bytes in bodies {
        let body = ReplyBody::from_bytes(bytes);
        writer.reply(&reply(&Endpoint::VARZ, &body)).unwrap();
    }
    writer.capture(&capture(&Endpoint::VARZ)).unwrap();
    let (end, bytes) = finish(writer);
    assert_eq!((end.frames, end.replies, end.captures, end.complete), (2, 5, 1, true));
    let (frames, damage, _) = scan_bytes(&bytes);
    assert_eq!((frames.len(), damage), (3, vec![]));
    let mut scratch = Scratch::default();
    let at = &frames[1];
    let frame = read_frame(stored(&bytes, at), &Limits::default(), &mut scratch).unwrap();
    let seen: Vec<_> = frame
        .lines()
        .filter_map(|line| match line {
            Line::Reply(reply) => Some((
                reply.body.map(|body| body.text().unwrap().to_owned()),
                reply.line().body_base64,
            )),
            _ => None,
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (text("{\"a\": 1}"), None),
        (None, None),
        (None, text("bm90IGpzb24=")),
        (None, text("")),
        (None, text("/wA=")),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_header_is_there_before_anything_else() {
    let folder = private_folder();
    let file = SnapshotFile::create(folder.path(), "x.ndjson.zst").unwrap();
    let partial = file.partial_path().to_owned();
    let writer = SnapshotWriter::start(file, &header(A, START)).unwrap();
    let bytes = fs::read(partial).unwrap();
    assert_eq!(scan_bytes(&bytes).0[0].line.endpoint, Endpoint::EPOCH);
    drop(writer);
}

#[test]
fn frames_hold_one_endpoint_and_about_a_mebibyte() {
    let mut writer = writer();
    let filler = "x".repeat(100_000);
    for index in 0..30 {
        let body = ReplyBody::from_bytes(format!("\"{index}{filler}\"").as_bytes());
        writer.reply(&reply(&Endpoint::VARZ, &body)).unwrap();
        writer.reply(&reply(&Endpoint::CONNZ, &body)).unwrap();
    }
    let large = ReplyBody::from_bytes(format!("\"{}\"", "y".repeat(5 << 20)).as_bytes());
    writer.reply(&reply(&Endpoint::VARZ, &large)).unwrap();
    let (end, bytes) = finish(writer);
    let (frames, damage, _) = scan_bytes(&bytes);
    assert_eq!(damage, []);
    assert_eq!(end.frames, frames.len() as u64 - 1);
    let mut numbers: Vec<u64> = frames.iter().map(|frame| frame.line.n).collect();
    numbers.dedup();
    assert_eq!(numbers, (0..=end.frames).collect::<Vec<_>>());
    // 3 MB of VARZ and of CONNZ in frames of at most 1 MiB, and the large reply alone.
    let of = |name| frames.iter().filter(|at| at.line.endpoint == name).count();
    assert_eq!((of(Endpoint::VARZ), of(Endpoint::CONNZ)), (4, 3));
    assert_eq!(lines(&bytes, &frames).len(), 63);
}

#[test]
fn a_label_that_no_reader_would_hold_is_refused() {
    let mut header = header(A, START);
    header.system = "x".repeat(4_000);
    assert!(SnapshotWriter::start(Vec::new(), &header).is_err());
    header.system = "x".repeat(2_800);
    let (_, bytes) = finish(SnapshotWriter::start(Vec::new(), &header).unwrap());
    assert_eq!(scan_bytes(&bytes).0.len(), 2);
}

#[test]
fn any_zstd_reader_gets_the_lines() {
    let (_, bytes) = finish(writer());
    let text = zstd::stream::decode_all(bytes.as_slice()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let kinds: Vec<&str> = text.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["frame", "epoch", "frame", "end"]);
}

#[test]
fn an_epoch_is_complete_if_nothing_is_open() {
    let cases = [
        (Status::Ok, None, true),
        (Status::NotSupported, None, true),
        (Status::NoResponders, None, true),
        (Status::NoResponders, Some(3), false),
        (Status::Partial, None, false),
        (Status::Timeout, None, false),
        (Status::Skipped, None, false),
    ];
    for (status, expected, complete) in cases {
        let mut writer = writer();
        let line = CaptureLine { status: status.clone(), expected, ..capture(&Endpoint::VARZ) };
        writer.capture(&line).unwrap();
        assert_eq!(finish(writer).0.complete, complete, "{status}");
    }
}

#[test]
fn outcomes_are_counted_per_server_and_not_per_service() {
    let mut writer = writer();
    writer.capture(&capture(&Endpoint::VARZ)).unwrap();
    writer.capture(&capture(&Endpoint::VARZ)).unwrap();
    for instance in ["one", "two"] {
        let line = CaptureLine {
            service: Some("billing".to_owned()),
            target: Some(instance.to_owned()),
            ..capture(&Endpoint::SRV_STATS)
        };
        writer.capture(&line).unwrap();
    }
    let (end, _) = finish(writer);
    let found: Vec<_> =
        end.outcomes.iter().map(|line| (line.target.as_deref(), line.count)).collect();
    assert_eq!(found, [(None, 2), (Some("A"), 2)]);
}

#[test]
fn a_sink_that_fails_is_an_error_and_no_panic() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            let count = bytes.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(SnapshotWriter::start(Full(10), &header(A, START)).is_err());
    let mut writer = SnapshotWriter::start(Full(2_000), &header(A, START)).unwrap();
    writer.capture(&capture(&Endpoint::VARZ)).unwrap();
    let end = "2026-11-21T09:00:05Z".parse().unwrap();
    let _ = writer.finish(end, false, ExpectsLine::default());
}

/// A folder as the collector makes it: temporary folders may be open to others.
fn private_folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_finished_file_has_its_name_and_its_permissions() {
    let folder = private_folder();
    let inside = folder.path().join("a/b");
    let mut file = SnapshotFile::create(&inside, "x.ndjson.zst").unwrap();
    file.write_all(b"bytes").unwrap();
    file.flush().unwrap();
    let path = file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"bytes");
    assert_eq!(fs::read_dir(&inside).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&inside)), (0o600, 0o700));
    }
}

#[test]
fn a_file_that_stands_there_is_never_overwritten() {
    let folder = private_folder();
    let path = folder.path().join("x.ndjson.zst");
    let file = SnapshotFile::create(folder.path(), "x.ndjson.zst").unwrap();
    // Appears while the snapshot is written.
    fs::write(&path, "precious").unwrap();
    let error = file.commit().unwrap_err();
    assert!(matches!(error, FileError::Finish { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let partial = folder.path().join("x.ndjson.zst.partial");
    assert!(error.to_string().contains(&partial.display().to_string()));
    assert!(partial.exists(), "what was recorded stays");
    fs::remove_file(partial).unwrap();
    assert!(SnapshotFile::create(folder.path(), "x.ndjson.zst").is_err());
}

#[test]
fn a_file_that_is_written_is_locked_and_not_shared() {
    let folder = private_folder();
    let file = SnapshotFile::create(folder.path(), "x.ndjson.zst").unwrap();
    let other = fs::File::open(file.partial_path()).unwrap();
    assert!(other.try_lock_shared().is_err());
    assert!(SnapshotFile::create(folder.path(), "x.ndjson.zst").is_err());
    drop(file);
    assert!(other.try_lock_shared().is_ok());
}

#[cfg(unix)]
#[test]
fn links_and_shared_folders_are_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = private_folder();
    let target = folder.path().join("target");
    for name in ["x.ndjson.zst", "x.ndjson.zst.partial"] {
        // Dangling: following it would create a file of somebody else's choice.
        symlink(&target, folder.path().join(name)).unwrap();
        let error = SnapshotFile::create(folder.path(), "x.ndjson.zst").unwrap_err();
        assert!(matches!(error, FileError::Create { .. }), "{error}");
        assert!(!target.exists());
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    for mode in [0o720, 0o702, 0o1777] {
        let shared = folder.path().join(format!("{mode:o}"));
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
        let error = SnapshotFile::create(&shared, "x.ndjson.zst").unwrap_err();
        assert!(matches!(error, FileError::SharedFolder { .. }), "{error}");
    }
}

#[test]
fn names_are_plain_and_bounded() {
    let start = START.parse().unwrap();
    let name = |system: &str| file_name(system, start, A);
    assert_eq!(name("prod"), "prod.20261121T090000Z.aaaaaaaa.ndjson.zst");
    assert_eq!(name("../a b"), "%2E.%2Fa%20b.20261121T090000Z.aaaaaaaa.ndjson.zst");
    assert_eq!(name(""), "_.20261121T090000Z.aaaaaaaa.ndjson.zst");
    assert!(name(&"\u{1f30a}".repeat(100)).len() < 120);
}
