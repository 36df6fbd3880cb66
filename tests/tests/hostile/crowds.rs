//! Too many of something that is legal.

use serde_json::{Value, json};

use crate::support::{EVIL, Folder, START, epoch, frame, header, reply};

/// An epoch in which so many servers answered under one name.
fn crowd(count: usize) -> Vec<u8> {
    let lines: String = (0..count)
        .map(|n| {
            let body = format!(
                r#"{{"server":{{"id":"N{n:06}","name":"a1","cluster":"A","ver":"2.12.2"}},"data":{{"server_id":"N{n:06}","start":"2026-11-20T00:00:00Z","now":"{START}"}}}}"#
            );
            reply("VARZ", &body)
        })
        .collect();
    epoch(START, &[("VARZ", lines)])
}

#[test]
fn a_hundred_thousand_servers_with_one_name() {
    let said = Folder::new().with("crowd.ndjson.zst", &crowd(100_000)).said();
    let problems = said.problems("crowd.ndjson.zst");
    let [(kind, _, text)] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!(kind, "limit");
    assert!(text.contains("max_servers"), "{text}");
    for check in said.evil().unwrap()["checks"].as_array().unwrap() {
        assert_eq!((&check["ok"], &check["finding"]), (&0.into(), &0.into()), "{check}");
    }
}

#[test]
fn a_hundred_thousand_servers_that_are_expected() {
    let mut head = header(EVIL, START);
    let expected: Vec<Value> = (0..100_000).map(|n| json!({ "id": format!("N{n}") })).collect();
    head["epoch"]["expects"] = json!({ "servers": expected });
    let bytes = frame(0, "epoch", &format!("{head}\n"));
    let said = Folder::new().with("expects.ndjson.zst", &bytes).said();
    let problems = said.problems("expects.ndjson.zst");
    assert!(problems.iter().any(|(kind, _, text)| kind == "limit" && text.contains("max_servers")));
}

#[test]
fn expectations_that_cannot_be_read_cost_nothing_else() {
    let mut head = header(EVIL, START);
    head["epoch"]["expects"] = json!({ "servers": 5 });
    let body = format!(
        r#"{{"server":{{"id":"N1","name":"a1","cluster":"A","ver":"2.12.2"}},"data":{{"server_id":"N1","start":"2026-11-20T00:00:00Z","now":"{START}"}}}}"#
    );
    let end = json!({ "end": { "end": START, "frames": 2, "complete": true } });
    let bytes = [
        frame(0, "epoch", &format!("{head}\n")),
        frame(1, "VARZ", &reply("VARZ", &body)),
        frame(2, "end", &format!("{end}\n")),
    ];
    let said = Folder::new().with("odd.ndjson.zst", &bytes.concat()).said();
    let problems = said.problems("odd.ndjson.zst");
    let [(kind, _, text)] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!(kind, "line_malformed");
    assert!(text.contains("what is expected cannot be read"), "{text}");
    let evil = said.evil().unwrap();
    assert_eq!(evil["epochs"][0]["complete"], false);
    // The rest of the header and the reply are used.
    assert_eq!(evil["epochs"][0]["collector"], "evil");
    let seen = |check: &Value| check["subjects"] == 1;
    assert!(evil["checks"].as_array().unwrap().iter().any(seen), "{evil:#}");
}

#[test]
fn as_many_servers_with_one_name_as_the_limit_allows() {
    let said = Folder::new().with("crowd.ndjson.zst", &crowd(10_000)).said();
    assert_eq!(said.problems("crowd.ndjson.zst"), []);
    let checks = said.evil().unwrap()["checks"].as_array().unwrap();
    let subjects = |check: &Value| check["subjects"].as_u64().unwrap();
    assert_eq!(checks.iter().map(subjects).max(), Some(10_000));
    let problems = said.report["problems"].to_string();
    assert!(problems.contains("two servers of cluster A answer as a1 at once"), "{problems}");
}
