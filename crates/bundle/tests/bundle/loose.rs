//! Replies that somebody saved by hand.

use std::fs;
use std::path::Path;

use nats_hindsight_bundle::document::{loose, recognise, split};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::format::Limits;

use crate::support::{Bytes, archive, gathers, open};

/// Recorded replies of real servers: the file, and what it holds.
fn replies() -> Vec<(String, Vec<u8>)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/replies");
    let mut found = Vec::new();
    for version in fs::read_dir(top).unwrap() {
        let version = version.unwrap().path();
        for folder in [version.clone(), version.join("http")] {
            for file in fs::read_dir(folder).into_iter().flatten() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let Some(name) = name.strip_suffix(".json.zst") else { continue };
                let bytes = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
                found.push((name.to_owned(), bytes));
            }
        }
    }
    found.sort();
    found
}

fn found(text: &[u8]) -> loose::Found<'_> {
    loose::find(text, &Limits::default())
}

#[test]
fn replies_of_six_versions_are_recognised_by_content() {
    let (mut named, mut refused, mut nothing) = (0, 0, 0);
    for (name, bytes) in replies() {
        let found = found(&bytes);
        assert_eq!(found.problems, [], "{name}");
        let [reply] = found.replies.as_slice() else {
            // A server without any group or queue answers `{}`, which can be of any endpoint.
            assert!(name.starts_with("RAFTZ") || name.starts_with("IPQUEUESZ"), "{name}");
            nothing += 1;
            continue;
        };
        let Some(endpoint) = &reply.endpoint else {
            assert!(reply.error.is_some(), "{name}");
            refused += 1;
            continue;
        };
        let expected = Endpoint::KNOWN
            .iter()
            .filter(|known| name.starts_with(known.as_str()))
            .max_by_key(|known| known.as_str().len());
        assert_eq!(Some(endpoint), expected, "{name}");
        // Over HTTP these have no clock, SUBSZ not before 2.12.8.
        let timeless =
            ["HEALTHZ", "EXPVARZ", "RAFTZ", "IPQUEUESZ", "SUBSZ"].contains(&endpoint.as_str());
        assert!(reply.time.is_some() || (timeless && reply.server.is_none()), "{name}");
        named += 1;
    }
    assert!(named > 190 && refused > 10 && nothing < 20, "{named} {refused} {nothing}");
}

#[test]
fn replies_between_lines_of_a_terminal() {
    let text = br#"09:00:01 Sending request on "$SYS.REQ.SERVER.PING.VARZ"
09:00:01 Received with rtt 1.2ms
{"server":{"name":"a1","id":"NA","ver":"2.12.8","time":"2026-11-21T09:00:01.5Z"},"data":{"server_id":"NA","version":"2.12.8","start":"2026-11-21T08:00:00Z","mem":1,"in_msgs":2,"now":"2026-11-21T09:00:01Z"}}

09:00:01 Received with rtt 1.4ms
{"server":{"name":"a2","id":"NB","ver":"2.12.8","time":"2026-11-21T09:00:02Z"},"data":{"status":"ok","status_code":200}}
{"server":{"name":"a3","id":"NC"},"error":{"code":400,"description":"bad request"}}
"#;
    let found = found(text);
    assert_eq!((found.lines, found.others, found.problems.len()), (3, 0, 0));
    let told: Vec<_> = found
        .replies
        .iter()
        .map(|reply| {
            let endpoint = reply.endpoint.as_ref().map(Endpoint::as_str);
            let time = reply.time.map(|time| time.to_string());
            (endpoint, reply.server_id.as_deref(), time, reply.error.is_some())
        })
        .collect();
    let time = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (Some("VARZ"), Some("NA"), time("2026-11-21T09:00:01Z"), false),
            (Some("HEALTHZ"), Some("NB"), time("2026-11-21T09:00:02Z"), false),
            (None, Some("NC"), None, true),
        ]
    );
    assert_eq!(text[usize::try_from(found.replies[1].offset).unwrap()], b'{');
}

#[test]
fn an_array_and_several_values_are_the_same() {
    let one = r#"{"server_id":"NA","now":"2026-11-21T09:00:01Z","num_routes":0,"routes":[]}"#;
    for text in [
        format!("[{one},{one}]"),
        format!("{one}{one}"),
        format!("{one}\n\n{one}\n"),
        format!("\u{feff}[\n  {one},\n  7, {{}},\n  {one}\n]"),
    ] {
        let text = loose::text(text.as_bytes());
        let found = found(&text);
        let endpoints: Vec<_> = found.replies.iter().map(|reply| reply.endpoint.clone()).collect();
        assert_eq!(endpoints, [Some(Endpoint::ROUTEZ), Some(Endpoint::ROUTEZ)]);
        assert_eq!(found.problems, []);
    }
}

#[test]
fn what_windows_saves_is_read() {
    let one = r#"{"server_id":"NÄ","now":"2026-11-21T09:00:01Z","num_routes":0,"routes":[]}"#;
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain(one.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let text = loose::text(&wide);
    assert_eq!(found(&text).replies[0].server_id.as_deref(), Some("NÄ"));
}

#[test]
fn replies_of_services() {
    for (kind, endpoint) in
        [("ping", Endpoint::SRV_PING), ("info", Endpoint::SRV_INFO), ("stats", Endpoint::SRV_STATS)]
    {
        let text =
            format!(r#"{{"type":"io.nats.micro.v1.{kind}_response","name":"orders","id":"x"}}"#);
        assert_eq!(found(text.as_bytes()).replies[0].endpoint, Some(endpoint));
    }
    let closed = r#"{"num_connections":1,"connections":[{"cid":1,"stop":"2026-11-21T09:00:01Z"}]}"#;
    assert_eq!(recognise(closed).unwrap().endpoint, Some(Endpoint::CONNZ_CLOSED));
}

#[test]
fn damage_costs_the_document_it_is_in() {
    let good = r#"{"status":"ok"}"#;
    let deep = format!("{{\"status\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (bad, problems) in [
        (r#"{"status":"ok","status":"error"}"#.to_owned(), 1),
        (r#"{"server":{"id":"A"},"data":{},"data":{}}"#.to_owned(), 1),
        (r#"{"server":{"id":"A"},"data":{"status":"ok","status":"error"}}"#.to_owned(), 1),
        (r#"{"status":"#.to_owned(), 1),
        ("{\"status\":\"\u{1}\"}".to_owned(), 1),
        (deep, 0),
    ] {
        let text = format!("{bad}\n{good}\n");
        let found = found(text.as_bytes());
        assert_eq!(found.problems.len(), problems, "{bad:.60}");
        let last = found.replies.last().unwrap();
        assert_eq!(last.body, Some(good), "{bad:.60}");
    }
    assert!(split(b"{\"a\":1,\"a\":2}").is_err());
    assert!(split(b"{\"a\":1} 2").is_err());
    assert!(split(b"").is_err());
    assert!(split(b"\xff\xfe\x00").is_err());
}

#[test]
fn unclosed_brackets_do_not_take_for_ever() {
    let text = "[\n".repeat(200_000);
    let limits = Limits { max_search: 10 << 20, ..Limits::default() };
    let found = loose::find(text.as_bytes(), &limits);
    assert_eq!(found.replies.len(), 0);
    assert!(found.problems.iter().any(|problem| problem.kind == "limit"));
}

#[test]
fn pages_of_every_release_are_split() {
    for (name, enveloped) in
        [("healthy/epoch-000.zip", true), ("healthy/natscli-v0.1.6/epoch-000.zip", false)]
    {
        let bytes = archive(name);
        let container = open(&bytes).unwrap();
        let source = Bytes(&bytes);
        let mut reader = nats_hindsight_bundle::Reader::new(&container, &source);
        for artifact in &gathers(&container, &bytes)[0].artifacts {
            let Some(endpoint) = artifact.kind.endpoint() else { continue };
            let document = split(reader.read(artifact.pages[0]).unwrap()).unwrap();
            assert_eq!(document.server.is_some(), enveloped, "{:?}", artifact.kind);
            let body = document.body.unwrap();
            let told = recognise(body).unwrap().endpoint;
            // Empty groups and queues, and accounts as early releases wrote them, are of none.
            assert!(told.is_none() || told == Some(endpoint.clone()), "{told:?} {endpoint}");
            if !artifact.kind.as_str().starts_with("account_") {
                assert_eq!(told, Some(endpoint));
            }
        }
    }
}
