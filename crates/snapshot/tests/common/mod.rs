//! Small recordings for the tests of the format.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::allow_attributes, reason = "what is unused differs between the test files")]

use std::sync::Arc;

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::preamble::{Preamble, crc32_hex};
use nats_hindsight_snapshot::format::{
    Damage, Found, FrameAt, Limits, ReplyBody, Scan, Scratch, SnapshotWriter, read_frame, scan,
};
use nats_hindsight_snapshot::lines::{
    AskedLine, CaptureLine, CollectorLine, EpochLine, ExpectsLine, FormatName, FrameLine,
    ReplyLine, RunLine, Status,
};

/// A header with nothing unusual in it.
pub(crate) fn header(uuid: &str, start: &str) -> EpochLine {
    EpochLine {
        format: FormatName {
            name: nats_hindsight_snapshot::format::NAME.to_owned(),
            version: nats_hindsight_snapshot::format::VERSION.to_owned(),
        },
        uuid: uuid.to_owned(),
        system: "prod".to_owned(),
        system_set: true,
        collector: CollectorLine::default(),
        run: RunLine::default(),
        start: start.parse().unwrap(),
        asked: AskedLine::default(),
        connections: Vec::new(),
        expects: ExpectsLine::default(),
    }
}

/// A reply as the collector would hand it over.
pub(crate) fn reply<'a>(endpoint: &Endpoint, body: &'a ReplyBody) -> ReplyLine<'a> {
    let empty = r#"{"endpoint":"VARZ","subject":"$SYS.REQ.SERVER.A.VARZ","source":"A"}"#;
    let mut line: ReplyLine<'a> = serde_json::from_str(empty).unwrap();
    line.endpoint = endpoint.clone();
    line.body = body.json();
    line.body_base64 = body.base64().map(str::to_owned);
    line
}

/// A capture that went well.
pub(crate) fn capture(endpoint: &Endpoint) -> CaptureLine {
    CaptureLine {
        endpoint: endpoint.clone(),
        target: Some("A".to_owned()),
        status: Status::Ok,
        received: 1,
        ..CaptureLine::default()
    }
}

/// A whole epoch of five frames.
pub(crate) fn epoch(uuid: &str, start: &str) -> Vec<u8> {
    let mut writer = SnapshotWriter::start(Vec::new(), &header(uuid, start)).unwrap();
    for (endpoint, count) in [(Endpoint::VARZ, 2), (Endpoint::CONNZ, 3), (Endpoint::ROUTEZ, 1)] {
        for index in 0..count {
            let text = format!(r#"{{"uuid":"{uuid}","index":{index}}}"#);
            let body = ReplyBody::from_bytes(text.as_bytes());
            writer.reply(&reply(&endpoint, &body)).unwrap();
        }
        writer.capture(&capture(&endpoint)).unwrap();
    }
    let end = "2026-11-21T09:00:05Z".parse().unwrap();
    writer.finish(end, false, ExpectsLine::default()).unwrap().1
}

/// Scans bytes with default limits.
pub(crate) fn scan_bytes(bytes: &[u8]) -> (Vec<FrameAt>, Vec<Damage>, Scan) {
    scan_within(bytes, &Limits::default())
}

/// Scans bytes.
pub(crate) fn scan_within(bytes: &[u8], limits: &Limits) -> (Vec<FrameAt>, Vec<Damage>, Scan) {
    let source: Arc<[u8]> = bytes.into();
    let (mut frames, mut damage) = (Vec::new(), Vec::new());
    let scan = scan(&source, limits, &mut |found| match found {
        Found::Frame(frame) => frames.push(frame),
        Found::Damage(stretch) => damage.push(stretch),
    })
    .unwrap();
    (frames, damage, scan)
}

/// The stored bytes of a frame.
pub(crate) fn stored<'a>(bytes: &'a [u8], at: &FrameAt) -> &'a [u8] {
    let from = usize::try_from(at.offset).unwrap();
    &bytes[from..from + usize::try_from(at.stored).unwrap()]
}

/// All lines of the frames found, as text one can compare.
pub(crate) fn lines(bytes: &[u8], frames: &[FrameAt]) -> Vec<String> {
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    for at in frames {
        let frame = read_frame(stored(bytes, at), &Limits::default(), &mut scratch).unwrap();
        assert_eq!(frame.line, at.line);
        out.extend(frame.lines().map(|line| format!("{} {} {line:?}", at.line.epoch, at.line.n)));
    }
    out
}

/// First line of a frame.
pub(crate) fn frame_line(uuid: &str, n: u64, endpoint: &str) -> FrameLine {
    FrameLine {
        epoch: uuid.to_owned(),
        system: "prod".to_owned(),
        start: "2026-11-21T09:00:00Z".parse().unwrap(),
        n,
        endpoint: Endpoint::named(endpoint),
    }
}

/// A zstd frame of any text, with checksum and content size.
pub(crate) fn pack(text: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.include_checksum(true).unwrap();
    compressor.compress(text).unwrap()
}

/// A zstd frame of a first line and other lines.
pub(crate) fn pack_lines(first: &FrameLine, lines: &str) -> Vec<u8> {
    let first = serde_json::to_string(first).unwrap();
    pack(format!("{{\"frame\":{first}}}\n{lines}").as_bytes())
}

/// A preamble that says `said`, and a stored frame behind it.
pub(crate) fn with_preamble(said: &FrameLine, length: u64, stored: &[u8]) -> Vec<u8> {
    let crc32 = crc32_hex(stored);
    let preamble = Preamble { frame: said.clone(), stored: stored.len() as u64, length, crc32 };
    [preamble.encode().unwrap().as_slice(), stored].concat()
}

/// A skippable frame of somebody else.
pub(crate) fn foreign_skippable(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [&0x184D_2A50_u32.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
}
