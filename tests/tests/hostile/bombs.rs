//! Little that unpacks to much, lengths that lie, and frames without number.

use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_snapshot::lines::FrameLine;

use crate::support::{Folder, Packer, START, announced, epoch, frame, line, line_of, skippable};

/// A frame of `length` zeros in blocks of one repeated byte: what zstd itself makes of them.
fn zeros(length: u32, window: Option<u8>) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let mut frame = b"\x28\xb5\x2f\xfd".to_vec();
    // Content size in four bytes, checksum; a window of its own, or one as large as the content.
    frame.extend(window.map_or(vec![0xa4], |window| vec![0x84, window]));
    frame.extend_from_slice(&length.to_le_bytes());
    for block in 0..length / BLOCK {
        let header = BLOCK << 3 | 1 << 1 | u32::from(block + 1 == length / BLOCK);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame.extend_from_slice(&[0; 4]);
    frame
}

#[test]
fn a_gigabyte_of_zeros_is_refused_by_the_limit_it_breaks() {
    let wide = zeros(1 << 30, None);
    assert!(wide.len() < 34_000, "{}", wide.len());
    // A window of 8 MiB is taken, so that the length has to give it away.
    let narrow = zeros(1 << 30, Some(13 << 3));
    let behind = announced(line(1, "VARZ"), 1 << 30, &wide);
    let said = Folder::new()
        .with("wide.ndjson.zst", &wide)
        .with("narrow.ndjson.zst", &narrow)
        .with("behind.ndjson.zst", &behind)
        .said();
    said.tells("wide.ndjson.zst", "limit", 0, "max_window_log");
    said.tells("narrow.ndjson.zst", "limit", 0, "max_frame_length");
    said.tells("behind.ndjson.zst", "limit", 0, "max_window_log");
    assert_eq!((said.code, said.evil()), (0, None));
}

#[test]
fn zeros_within_the_limit_of_a_frame_are_taken_up_to_the_limit_of_an_input() {
    // One line of 95 MiB that is no JSON, over and over: each frame is within its limits.
    let zeros = "\0".repeat(95 << 20);
    let mut packer = Packer::new();
    let frames: Vec<Vec<u8>> = (0..13).map(|n| packer.frame(&line(n, "VARZ"), &zeros)).collect();
    let bytes = frames.concat();
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let said = Folder::new().with("zeros.ndjson.zst", &bytes).said();
    let offset = frames.iter().take(11).map(Vec::len).sum::<usize>() as u64;
    said.tells("zeros.ndjson.zst", "limit", offset, "max_ratio");
}

#[test]
fn a_window_of_two_terabytes_is_refused() {
    // Window descriptor 0xF8: 2^41 bytes. One empty last block behind it.
    let bomb = b"\x28\xb5\x2f\xfd\x84\xf8\x05\0\0\0\x01\0\0\0\0\0\0";
    let said = Folder::new().with("window.ndjson.zst", bomb).said();
    said.tells("window.ndjson.zst", "limit", 0, "2199023255552");
    assert_eq!(said.code, 0);
}

#[test]
fn skippable_frames_that_lie_hide_nothing_that_can_be_found() {
    let whole = epoch("2026-11-21T09:00:00Z", &[("VARZ", String::new())]);
    let endless = skippable(0x50, u32::MAX, &whole);
    let short = [skippable(0x50, 3, b"0123456789").as_slice(), &whole].concat();
    let ours = [skippable(0x57, u32::MAX, b"{}").as_slice(), &whole].concat();
    let into = [skippable(0x5A, 60, b"").as_slice(), &whole].concat();
    for (what, bytes, kind, offset) in [
        ("endless", &endless, "input_truncated", 0),
        ("short", &short, "input_garbage", 11),
        ("ours", &ours, "preamble_damaged", 0),
        ("into", &into, "input_garbage", 68),
    ] {
        let file = format!("{what}.ndjson.zst");
        let said = Folder::new().with(&file, bytes).said();
        said.tells(&file, kind, offset, "");
        let evil = said.evil().unwrap_or_else(|| panic!("{what} hid an epoch"));
        assert_eq!(evil["epochs"][0]["complete"], true, "{what}");
    }
}

#[test]
fn a_skippable_frame_that_never_comes_is_named() {
    let cut = skippable(0x53, 1 << 20, b"nothing");
    let whole = frame(1, "VARZ", "");
    let said = Folder::new().with("cut.ndjson.zst", &[whole.as_slice(), &cut].concat()).said();
    said.tells("cut.ndjson.zst", "input_truncated", whole.len() as u64, "skippable");
}

/// Frames of a million first lines, and where the one of a number begins.
fn tiny(number: u64, first: impl Fn(u64) -> FrameLine) -> (Vec<u8>, u64) {
    let mut packer = Packer::new();
    let (mut bytes, mut offset) = (Vec::new(), 0);
    for n in 0..1_000_000 {
        if n == number {
            offset = bytes.len() as u64;
        }
        bytes.extend(packer.frame(&first(n), ""));
    }
    (bytes, offset)
}

#[test]
fn a_million_tiny_frames_of_one_epoch() {
    let limits = Limits::default();
    let (bytes, offset) = tiny(limits.max_frames, |n| line(n, "VARZ"));
    let said = Folder::new().with("tiny.ndjson.zst", &bytes).said();
    said.tells("tiny.ndjson.zst", "limit", offset, "max_frames");
    let epochs = said.survey["epochs"].as_array().unwrap();
    assert!(epochs.iter().any(|epoch| epoch["frames"] == limits.max_frames));
}

#[test]
fn a_million_tiny_frames_of_as_many_epochs() {
    let limits = Limits::default();
    let (bytes, offset) = tiny(limits.max_epochs, |n| {
        line_of(&format!("66666666-6666-4666-8666-{n:012}"), START, n, "VARZ")
    });
    let said = Folder::new().with("tiny.ndjson.zst", &bytes).said();
    said.tells("tiny.ndjson.zst", "limit", offset, "max_epochs");
    let epochs = said.evil().unwrap()["epochs"].as_array().unwrap();
    assert_eq!(epochs.len() as u64, limits.max_epochs);
}
