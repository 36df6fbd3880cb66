//! The example in the documentation of the format is what the writer makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{frame_line, scan_bytes};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::preamble::Preamble;
use nats_hindsight_snapshot::format::{NAME, ReplyBody, SnapshotWriter, VERSION};
use nats_hindsight_snapshot::lines::{
    AskedLine, AttemptLine, CaptureLine, CollectorLine, ConnectionLine, EpochLine, EventLine,
    ExpectedServer, ExpectedService, ExpectsLine, FormatName, GapLine, ListenedLine, ReplyLine,
    RunLine, Status,
};

const UUID: &str = "0b6f0a2e-6f0e-4b5e-9d53-0a8f4f0c7d11";
const SERVER: &str = "NCUQ6WHRPPVJ2HZBDMHYDTMDKZHVPTHXJKYQC7OJ3GVUHHRZNDXMPRDD";

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/snapshot-format.md");
    std::fs::read_to_string(path).unwrap()
}

fn expects() -> ExpectsLine {
    let seen = Some("2026-11-21T08:59:00Z".parse().unwrap());
    ExpectsLine {
        servers: vec![ExpectedServer {
            id: SERVER.to_owned(),
            name: "a1".to_owned(),
            cluster: Some("A".to_owned()),
            version: Some("2.12.2".to_owned()),
            last_seen: seen,
        }],
        services: vec![ExpectedService {
            account: "APP".to_owned(),
            name: "billing".to_owned(),
            last_seen: seen,
            instances: vec!["xkYq8bIcJZ0Hmf0f9jnpQe".to_owned()],
            servers: vec![SERVER.to_owned()],
            ..ExpectedService::default()
        }],
        services_overflow: 0,
    }
}

fn header() -> EpochLine {
    let connection = |kind: &str, url: &str| ConnectionLine {
        kind: kind.to_owned(),
        url: url.to_owned(),
        state: "connected".to_owned(),
        ..ConnectionLine::default()
    };
    EpochLine {
        format: FormatName { name: NAME.to_owned(), version: VERSION.to_owned() },
        uuid: UUID.to_owned(),
        system: "prod".to_owned(),
        system_set: true,
        collector: CollectorLine { id: "5d1c1f5e".to_owned(), version: "0.1.0".to_owned() },
        run: RunLine { id: "f3a1c0de".to_owned(), sequence: 1, ticks_skipped: 0 },
        start: "2026-11-21T09:00:00Z".parse().unwrap(),
        asked: AskedLine {
            endpoints: vec![Endpoint::VARZ, Endpoint::SRV_PING, Endpoint::EVENTS],
            every_s: Some(60.0),
            confirm_after_ms: 2000,
        },
        connections: vec![
            connection("system", "nats://n1.example:4222"),
            ConnectionLine {
                account: Some("APP".to_owned()),
                ..connection("account", "nats://n1.example:4222")
            },
        ],
        expects: expects(),
    }
}

fn reply<'a>(endpoint: &Endpoint, subject: &str, body: &'a ReplyBody) -> ReplyLine<'a> {
    ReplyLine {
        endpoint: endpoint.clone(),
        subject: subject.to_owned(),
        source: Some(SERVER.to_owned()),
        account: None,
        arrival_us: 12_345,
        rtt_us: 1_234,
        page: None,
        filter: None,
        scrubbed: Vec::new(),
        body: body.json(),
        body_base64: body.base64().map(str::to_owned),
    }
}

fn capture(endpoint: &Endpoint, subject: &str, status: Status) -> CaptureLine {
    CaptureLine {
        endpoint: endpoint.clone(),
        subject: subject.to_owned(),
        attempts: vec![AttemptLine { at_us: 11_111, waited_us: 1_234, status: status.clone() }],
        status,
        ..CaptureLine::default()
    }
}

fn events(writer: &mut SnapshotWriter<Vec<u8>>) {
    let text =
        format!("{{\"name\":\"a2\",\"id\":\"{SERVER}\",\"cluster\":\"A\",\"ver\":\"2.12.2\"}}");
    let body = ReplyBody::from_bytes(text.as_bytes());
    let event = EventLine {
        arrival: "2026-11-21T08:59:31.5Z".parse().unwrap(),
        subject: format!("$SYS.SERVER.{SERVER}.SHUTDOWN"),
        account: None,
        scrubbed: Vec::new(),
        body: body.json(),
        body_base64: None,
    };
    writer.event(&event).unwrap();
    let listened = CaptureLine {
        endpoint: Endpoint::EVENTS,
        subject: "$SYS.SERVER.*.SHUTDOWN".to_owned(),
        through: Some(SERVER.to_owned()),
        status: Status::Partial,
        received: 1,
        listened: Some(ListenedLine {
            since: "2026-11-21T08:59:02.1Z".parse().unwrap(),
            until: "2026-11-21T09:00:02.4Z".parse().unwrap(),
            gaps: vec![GapLine {
                from: "2026-11-21T08:59:40Z".parse().unwrap(),
                to: "2026-11-21T08:59:43Z".parse().unwrap(),
            }],
            dropped: 2,
        }),
        ..CaptureLine::default()
    };
    writer.capture(&listened).unwrap();
}

fn example() -> Vec<u8> {
    let mut writer = SnapshotWriter::start(Vec::new(), &header()).unwrap();
    let subject = format!("$SYS.REQ.SERVER.{SERVER}.VARZ");
    let text = format!(
        "{{\"server\":{{\"name\":\"a1\",\"id\":\"{SERVER}\",\"cluster\":\"A\",\"ver\":\"2.12.2\"}},\
         \n\"data\":{{\"connections\":3}}}}"
    );
    let body = ReplyBody::from_bytes(text.as_bytes());
    writer.reply(&reply(&Endpoint::VARZ, &subject, &body)).unwrap();
    let whole = CaptureLine {
        target: Some(SERVER.to_owned()),
        expected: Some(1),
        received: 1,
        ..capture(&Endpoint::VARZ, &subject, Status::Ok)
    };
    writer.capture(&whole).unwrap();
    let odd = ReplyBody::from_bytes(b"pong");
    let pong = ReplyLine {
        source: None,
        account: Some("APP".to_owned()),
        ..reply(&Endpoint::SRV_PING, "$SRV.PING", &odd)
    };
    writer.reply(&pong).unwrap();
    let malformed = CaptureLine {
        account: Some("APP".to_owned()),
        through: Some(SERVER.to_owned()),
        received: 1,
        note: Some("1 reply is not JSON".to_owned()),
        ..capture(&Endpoint::SRV_PING, "$SRV.PING", Status::Malformed)
    };
    writer.capture(&malformed).unwrap();
    events(&mut writer);
    let end = "2026-11-21T09:00:02.5Z".parse().unwrap();
    writer.finish(end, false, expects()).unwrap().1
}

#[test]
fn the_example_is_what_the_writer_makes() {
    let lines = zstd::stream::decode_all(example().as_slice()).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(page().contains(&format!("```json\n{lines}```\n")), "the example is now:\n{lines}");
}

#[test]
fn the_preamble_has_the_form_that_is_documented() {
    let frame = frame_line(UUID, 1, "VARZ");
    let preamble = Preamble { frame, stored: 411, length: 560, crc32: "3f9c10aa".to_owned() };
    let bytes = preamble.encode().unwrap();
    let shown = String::from_utf8_lossy(&bytes[8..]).into_owned();
    assert!(page().contains(&format!("```text\n{shown}\n```\n")), "it is now:\n{shown}");
    assert_eq!(scan_bytes(&example()).0.len(), 5);
}

/// Every field that a line can have stands on the page by its name.
#[test]
fn every_field_of_the_example_is_documented() {
    fn names(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    out.push(name.clone());
                    if name != "body" {
                        names(value, out);
                    }
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|value| names(value, out)),
            _ => {}
        }
    }
    let page = page();
    let lines = zstd::stream::decode_all(example().as_slice()).unwrap();
    let mut all = Vec::new();
    for line in String::from_utf8(lines).unwrap().lines() {
        names(&serde_json::from_str(line).unwrap(), &mut all);
    }
    all.extend(
        ["context", "account_name", "service", "page", "filter", "scrubbed"].map(Into::into),
    );
    for name in all {
        assert!(page.contains(&format!("`{name}`")), "`{name}` is not documented");
    }
}
