//! Lines of later versions, and lines that are none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{frame_line, header, pack_lines};
use nats_hindsight_snapshot::format::{Limits, Line, Scratch, read_frame};
use nats_hindsight_snapshot::lines::Status;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";

/// Reads one frame and hands its lines to a test.
fn with_lines(lines: &str, limits: &Limits, test: impl FnOnce(Vec<Line<'_>>)) {
    let stored = pack_lines(&frame_line(A, 1, "VARZ"), lines);
    let mut scratch = Scratch::default();
    test(read_frame(&stored, limits, &mut scratch).unwrap().lines().collect());
}

fn one(line: &str, test: impl FnOnce(Line<'_>)) {
    with_lines(line, &Limits::default(), |mut lines| {
        assert_eq!(lines.len(), 1);
        test(lines.remove(0));
    });
}

#[test]
fn unknown_kinds_are_counted_by_name() {
    one(r#"{"weather":{"rain":true}}"#, |line| {
        assert!(matches!(line, Line::Unknown { kind } if kind == "weather"));
    });
    one(r#"{"wea\u0074her":1}"#, |line| {
        assert!(matches!(line, Line::Unknown { kind } if kind == "weather"));
    });
}

#[test]
fn unknown_fields_statuses_and_endpoints_are_kept_or_passed_over() {
    let text = r#"{"capture":{"endpoint":"AURAZ","status":"postponed","mood":[1,{}]},"beside":1}"#;
    one(text, |line| {
        let Line::Capture(capture) = line else { panic!("{line:?}") };
        assert_eq!(capture.status, Status::Other("postponed".to_owned()));
        assert_eq!(capture.endpoint.as_str(), "AURAZ");
        assert!(!capture.endpoint.is_known());
    });
}

#[test]
fn the_three_states_of_an_optional_field() {
    for (text, source) in [
        (r#"{"reply":{"endpoint":"VARZ","body":{}}}"#, None),
        (r#"{"reply":{"endpoint":"VARZ","source":null,"body":{}}}"#, None),
        (r#"{"reply":{"endpoint":"VARZ","source":"A","body":{}}}"#, Some("A")),
    ] {
        one(text, |line| {
            let Line::Reply(reply) = line else { panic!("{line:?}") };
            assert_eq!(reply.source.as_deref(), source);
        });
    }
}

#[test]
fn a_body_is_handed_over_verbatim() {
    one(r#"{"reply":{"endpoint":"VARZ","body":{"a" : 1e999,"a":[[]]}}}"#, |line| {
        let Line::Reply(reply) = line else { panic!("{line:?}") };
        assert_eq!(reply.body.unwrap().text().unwrap(), r#"{"a" : 1e999,"a":[[]]}"#);
    });
}

#[test]
fn malformed_lines_cost_only_themselves() {
    let lines = "nonsense\n{}\n[]\n{\"capture\":7}\n\n{\"frame\":{}}\n{\"capture\":{\"endpoint\":\"VARZ\",\"status\":\"ok\"}}\n";
    with_lines(lines, &Limits::default(), |lines| {
        let (last, bad) = lines.split_last().unwrap();
        assert!(matches!(last, Line::Capture(_)));
        assert_eq!(bad.len(), 6);
        assert!(bad.iter().all(|line| matches!(line, Line::Malformed { .. })), "{bad:?}");
    });
}

#[test]
fn deep_nesting_is_malformed_and_no_stack_overflow() {
    let deep =
        format!(r#"{{"capture":{{"endpoint":"VARZ","status":"ok","x":{}}}}}"#, "[".repeat(100_000));
    one(&deep, |line| assert!(matches!(line, Line::Malformed { .. })));
}

#[test]
fn a_long_line_that_is_no_reply_is_refused_by_name() {
    let limits = Limits { max_header: 40, ..Limits::default() };
    let capture = r#"{"capture":{"endpoint":"VARZ","status":"ok","note":"long"}}"#;
    with_lines(capture, &limits, |lines| {
        assert!(matches!(&lines[0], Line::Malformed { why, .. } if why.contains("max_header")));
    });
}

#[test]
fn a_newer_minor_version_is_read_and_a_newer_major_is_named() {
    let mut newer = header(A, "2026-11-21T09:00:00Z");
    newer.format.version = "1.9".to_owned();
    one(&format!(r#"{{"epoch":{}}}"#, serde_json::to_string(&newer).unwrap()), |line| {
        assert!(matches!(line, Line::Epoch(header) if header.format.version == "1.9"));
    });
    let other = r#"{"epoch":{"format":{"version":"2.1"},"collector":{"id":"x","version":"3.0.0"},"uuid":{"new":1}}}"#;
    one(other, |line| {
        assert!(matches!(line, Line::OtherMajor { version, collector }
            if version == "2.1" && collector == "3.0.0"));
    });
}

#[test]
fn an_event_is_handed_over_verbatim_and_asks_only_for_its_time() {
    let text = r#"{"event":{"arrival":"2026-11-21T08:59:31Z","mood":1,"subject":"$SYS.A","body":{"a" : 1}}}"#;
    one(text, |line| {
        let Line::Event(event) = line else { panic!("{line:?}") };
        assert_eq!(event.subject, "$SYS.A");
        assert_eq!(event.body.unwrap().get(), r#"{"a" : 1}"#);
    });
    one(r#"{"event":{"arrival":"2026-11-21T08:59:31Z","account":null}}"#, |line| {
        assert!(matches!(line, Line::Event(event) if event.account.is_none()));
    });
    one(r#"{"event":{"subject":"$SYS.A"}}"#, |line| {
        assert!(matches!(line, Line::Malformed { .. }));
    });
}
