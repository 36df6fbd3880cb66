//! Small recordings for the tests of the format.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::allow_attributes, reason = "what is unused differs between the test files")]

use std::sync::{Arc, Mutex};

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::{
    Damage, Found, FrameAt, Limits, ReplyBody, Scan, Scratch, SnapshotWriter, read_frame, scan,
};
use nats_hindsight_snapshot::lines::{
    CaptureLine, EpochLine, ExpectsLine, FormatName, ReplyLine, Status,
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
        collector: Default::default(),
        run: Default::default(),
        start: start.parse().unwrap(),
        asked: Default::default(),
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

/// All lines of the frames found, as text one can compare.
pub(crate) fn lines(bytes: &[u8], frames: &[FrameAt]) -> Vec<String> {
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    for at in frames {
        let from = usize::try_from(at.offset).unwrap();
        let to = from + usize::try_from(at.stored).unwrap();
        let frame = read_frame(&bytes[from..to], &Limits::default(), &mut scratch).unwrap();
        assert_eq!(frame.line, at.line);
        out.extend(frame.lines().map(|line| format!("{} {} {line:?}", at.line.epoch, at.line.n)));
    }
    out
}

/// A sink that can be looked at while it is written to.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
