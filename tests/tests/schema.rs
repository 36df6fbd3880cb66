//! The schemas in `docs/`: current, and what they refuse and let pass.
//!
//! That every report holds to its schema is tested wherever a test makes one: the recordings
//! (`replay`, `determinism`), the cases, and the command line (`cli_commands`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use nats_hindsight_analyzer::engine::{Options, analyze};
use nats_hindsight_analyzer::{listing, registry, render, schema};
use nats_hindsight_model::intake::{Source, open};
use nats_hindsight_snapshot::format::Limits;
use nats_hindsight_tests::recording::fixtures;
use nats_hindsight_tests::schema::{CHECKS, REPORT, errors, parse, published};
use serde_json::{Value, json};

/// A report with a finding that closed, gaps, unknowns and coverage that lacks something.
fn report() -> Value {
    let source = Source::Path(fixtures().join("hung-server"));
    let intake = open(&[source], &Limits::default(), &|_, _| {}).unwrap();
    let report = analyze(&intake, &Options::default(), &|_, _| {}).unwrap();
    parse(REPORT, &render::json::render(&report))
}

/// The report with one place altered; what the schema says of it.
fn altered(alter: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut report = report();
    alter(&mut report);
    errors(REPORT, &report)
}

fn remove(value: &mut Value, key: &str) {
    assert!(value.as_object_mut().unwrap().remove(key).is_some(), "there is no {key}");
}

#[test]
fn what_is_published_is_what_the_types_say() {
    for (name, made) in schema::all() {
        assert_eq!(published(name), made, "docs/{name} is not current: run cargo xtask docs");
    }
}

#[test]
fn the_list_of_checks_holds_to_its_schema() {
    let rows = json!(listing::rows(&registry::all()));
    assert_eq!(errors(CHECKS, &rows), [""; 0]);
    let mut broken = rows;
    remove(&mut broken[0], "slug");
    assert_eq!(errors(CHECKS, &broken).len(), 1);
}

/// Every field that is always written is required, at every depth.
#[test]
fn a_field_less_is_noticed() {
    let places = [
        ("", "report inputs systems problems parameters"),
        ("/systems/0", "epochs findings unknowns checks coverage"),
        ("/systems/0/epochs/0", "uuid time complete"),
        ("/systems/0/findings/0", "code subject opened closed changes details evidence id"),
        ("/systems/0/findings/0/opened", "epoch last_ok at_or_before"),
        ("/systems/0/findings/0/closed", "epoch how"),
        ("/systems/0/findings/0/subject", "kind account"),
        ("/systems/0/findings/0/evidence/0", "endpoint source path"),
        ("/systems/0/unknowns/0", "reason hides epochs count"),
        ("/systems/0/checks/0", "unknown"),
        ("/systems/0/coverage/0", "asked gaps"),
    ];
    for (place, keys) in places {
        for key in keys.split(' ') {
            let said = altered(|report| remove(report.pointer_mut(place).unwrap(), key));
            assert!(!said.is_empty(), "{place} without {key} was let pass");
        }
    }
}

#[test]
fn a_value_of_another_type_is_noticed() {
    let cases = [
        ("/report", json!("something-else")),
        ("/version", json!("2.0")),
        ("/systems", json!({})),
        ("/systems/0/epochs/0/index", json!("0")),
        ("/systems/0/epochs/0/index", json!(-1)),
        ("/systems/0/epochs/0/complete", json!("yes")),
        ("/systems/0/findings/0/severity", json!("fatal")),
        ("/systems/0/findings/0/details", json!([])),
        ("/systems/0/findings/0/opened/epoch", Value::Null),
        ("/systems/0/findings/0/subject/kind", json!(7)),
        ("/systems/0/unknowns/0/epochs", json!([[0]])),
        ("/systems/0/unknowns/0/epochs", json!([[0, 1, 2]])),
        ("/parameters", json!({ "SERVER_002.recent": 5 })),
    ];
    for (place, value) in cases {
        let said = altered(|report| *report.pointer_mut(place).unwrap() = value.clone());
        assert!(!said.is_empty(), "{place}: {value} was let pass");
    }
}

/// The report changes by addition, so a reader with the schema of today takes a report of tomorrow.
#[test]
fn what_is_added_later_is_let_pass() {
    let places = ["", "/systems/0", "/systems/0/findings/0", "/systems/0/findings/0/subject"];
    for place in places {
        let said =
            altered(|report| report.pointer_mut(place).unwrap()["of_tomorrow"] = json!([1, null]));
        assert_eq!(said, [""; 0], "a new field at {place}");
    }
    let kind = json!({ "kind": "of_tomorrow", "name": "x" });
    let said = altered(|report| report["systems"][0]["findings"][0]["subject"] = kind);
    assert_eq!(said, [""; 0], "a new kind of subject");
    let said = altered(|report| report["version"] = json!("1.17"));
    assert_eq!(said, [""; 0], "a later minor version");
}

/// A reader of the schema alone knows what each field is.
#[test]
fn every_field_is_described() {
    for (name, schema) in schema::all() {
        let mut bare = Vec::new();
        undescribed(&schema, name, &mut bare);
        assert!(bare.is_empty(), "without a description: {bare:#?}");
    }
}

fn undescribed(schema: &Value, place: &str, bare: &mut Vec<String>) {
    for (key, field) in schema["properties"].as_object().into_iter().flatten() {
        let tag = key == "kind" && field.get("type") == Some(&json!("string"));
        if field.get("description").is_none() && !tag {
            bare.push(format!("{place}.{key}"));
        }
    }
    for branch in schema["oneOf"].as_array().into_iter().flatten() {
        undescribed(branch, place, bare);
    }
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        undescribed(definition, name, bare);
    }
}
