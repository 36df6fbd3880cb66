//! Numbers and times at the end of what can be written, everywhere in a real recording.

use jiff::Timestamp;
use nats_hindsight_tests::frames::{files, rewritten};
use nats_hindsight_tests::targets;

use crate::support::{Folder, epoch, reply};

/// A line with every number, and every text that is a time, replaced. Strings are told apart from
/// what stands between them, so that names with digits stay.
fn replace(line: &str, number: Option<&str>, time: Option<&str>) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (token, replaced) = if from.starts_with('"') {
            let token = string(from);
            let is_time = token.trim_matches('"').parse::<Timestamp>().is_ok();
            (token, time.filter(|_| is_time).map(|time| format!("\"{time}\"")))
        } else {
            let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            (&from[..end.unwrap_or(from.len())], number.map(str::to_owned))
        };
        out.push_str(replaced.as_deref().unwrap_or(token));
        rest = &from[token.len()..];
    }
    out + rest
}

/// A string at the beginning of a text, quotes included.
fn string(text: &str) -> &str {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    &text[..end.map_or(text.len(), |(at, _)| at + 1)]
}

#[test]
fn the_editor_finds_numbers_and_times_and_nothing_else() {
    let line = r#"{"a1":-1.5e3,"b\"2":"2026-11-21T09:00:00Z","c":[7,"x7"]}"#;
    let edited = replace(line, Some("9"), Some("T"));
    assert_eq!(edited, r#"{"a1":9,"b\"2":"T","c":[9,"x7"]}"#);
}

/// Numbers that something may compute with.
const NUMBERS: [&str; 7] = [
    "18446744073709551615",
    "9223372036854775807",
    "-9223372036854775808",
    "-1",
    "1e999",
    "0",
    "1844674407370955161600000000000000000000",
];

/// Times at both ends of what can be written, and just beyond.
const TIMES: [&str; 5] = [
    "9999-12-30T22:00:00.999999999Z",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-02T01:59:59Z",
    "0001-01-01T00:00:00Z",
    "-1",
];

/// A recording of several epochs with one of them everywhere.
fn extreme(scenario: &str, number: Option<&str>, time: Option<&str>) -> Vec<u8> {
    let edit = |line: &str| {
        replace(line, number, time).replace("\"system\":\"prod\"", "\"system\":\"evil\"")
    };
    files(scenario).iter().flat_map(|bytes| rewritten(bytes, "evil", &edit)).collect()
}

fn each(mut run: impl FnMut(Option<&str>, Option<&str>)) {
    for number in NUMBERS {
        run(Some(number), None);
    }
    for time in TIMES {
        run(None, Some(time));
    }
}

#[test]
fn extremes_in_every_field_break_no_check() {
    for scenario in ["rolling-upgrade", "expiring-credentials", "jetstream", "clean-stop"] {
        each(|number, time| targets::file(&extreme(scenario, number, time)));
    }
}

#[test]
fn extremes_in_every_field_cost_nothing_of_others() {
    each(|number, time| {
        let bytes = extreme("service-rollout", number, time);
        let said = Folder::new().with("evil.ndjson.zst", &bytes).said();
        // Every reply and line that cannot be used is told, or it was used.
        let evil = said.evil().unwrap();
        assert!(!evil["epochs"].as_array().unwrap().is_empty(), "{number:?} {time:?}");
        let whole =
            evil["epochs"].as_array().unwrap().iter().all(|epoch| epoch["complete"] == true);
        let told = said.report["problems"].as_array().unwrap();
        assert!(whole || !told.is_empty(), "{number:?} {time:?}");
    });
}

#[test]
fn epochs_at_both_ends_of_time() {
    for start in ["9999-12-30T22:00:00Z", "-009999-01-02T01:59:59Z"] {
        let server = format!(r#"{{"id":"NX","name":"a1","ver":"2.12.2","time":"{start}"}}"#);
        let varz = reply("VARZ", &format!(r#"{{"server":{server},"data":{{}}}}"#));
        let bytes = epoch(start, &[("VARZ", varz)]);
        let said = Folder::new().with("evil.ndjson.zst", &bytes).said();
        let time = said.evil().unwrap()["epochs"][0]["time"].as_str().unwrap();
        assert_eq!(time, start.replace("00Z", "00.000Z").replace("59Z", "59.000Z"));
    }
}
