//! JSON that is legal, or nearly, and made to hurt.

use serde_json::Value;

use crate::support::{Folder, Packer, START, epoch, line, reply};

/// A reply of a server, its VARZ as given.
fn varz(name: &str, data: &str) -> String {
    reply(
        "VARZ",
        &format!(r#"{{"server":{{"id":"NX","name":{name},"ver":"2.12.2"}},"data":{data}}}"#),
    )
}

/// What is told of a frame with such lines: each problem as kind and sentence.
fn told(lines: String) -> Vec<(String, String)> {
    let bytes = epoch(START, &[("VARZ", lines)]);
    let said = Folder::new().with("evil.ndjson.zst", &bytes).said();
    assert_eq!(said.code, 0);
    assert_eq!(said.evil().unwrap()["epochs"].as_array().unwrap().len(), 1);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problems = said.report["problems"].as_array().unwrap().iter();
    problems.map(|problem| (text(&problem["kind"]), text(&problem["text"]))).collect()
}

/// Asserts that lines cost themselves and nothing else, by kind and word of the only problem.
fn costs(lines: String, kind: &str, word: &str) {
    let start: String = lines.chars().take(80).collect();
    let problems = told(lines);
    let found = |(a, b): &(String, String)| a == kind && b.contains(word) && b.len() < 600;
    assert!(problems.iter().any(found), "{start}: no {kind} of {word} in {problems:#?}");
}

#[test]
fn json_ten_thousand_deep() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let field = format!(r#"{{"cluster":{deep},"jetstream":{deep},"x":{deep}}}"#);
    let capture = format!("{{\"capture\":{{\"endpoint\":\"VARZ\",\"attempts\":{deep}}}}}\n");
    costs(varz("\"a1\"", &deep), "reply_unreadable", "sequence");
    costs(varz(&deep, "{}"), "reply_unreadable", "sequence");
    // A field of another type is not read; the reply is.
    costs(varz("\"a1\"", &field), "reply_unreadable", "");
    costs(reply("VARZ", &deep), "reply_unreadable", "sequence");
    costs(reply("VARZ", &"[".repeat(10_000)), "reply_unreadable", "VARZ");
    costs(format!("{deep}\n"), "line_malformed", "sequence");
    costs(capture, "line_malformed", "sequence");
    costs(format!("{{\"future\":{deep}}}\n"), "line_unknown", "future");
}

#[test]
fn a_string_of_a_hundred_megabytes() {
    let long = format!("\"{}\"", "x".repeat(100_000_000));
    let capture = format!("{{\"capture\":{{\"endpoint\":\"VARZ\",\"note\":{long}}}}}\n");
    costs(varz(&long, "{}"), "reply_unreadable", "max_text");
    costs(varz("\"a1\"", &format!("{{{long}:1}}")), "reply_unreadable", "max_text");
    costs(varz("\"a1\"", &format!(r#"{{"git_commit":{long}}}"#)), "reply_unreadable", "max_text");
    costs(capture, "line_malformed", "max_header");
    costs(format!("{{{long}:1}}\n"), "line_malformed", "max_header");
}

#[test]
fn a_first_line_of_a_megabyte() {
    let mut line = line(1, "VARZ");
    line.system = "x".repeat(1 << 20);
    let bytes = Packer::new().frame(&line, "");
    let said = Folder::new().with("label.ndjson.zst", &bytes).said();
    said.tells("label.ndjson.zst", "limit", 0, "max_preamble");
}

#[test]
fn duplicate_keys() {
    let server = r#"{"server":{"id":"A"},"server":{"id":"B"},"data":{}}"#;
    let capture = "{\"capture\":{\"endpoint\":\"VARZ\",\"endpoint\":\"CONNZ\"}}\n";
    let varz_twice = varz("\"a1\"", r#"{"connections":1,"connections":2}"#);
    costs(varz_twice, "reply_unreadable", "duplicate");
    costs(varz("\"a1\",\"name\":\"a2\"", "{}"), "reply_unreadable", "duplicate");
    costs(reply("VARZ", server), "reply_unreadable", "duplicate");
    costs(capture.to_owned(), "line_malformed", "duplicate");
}
