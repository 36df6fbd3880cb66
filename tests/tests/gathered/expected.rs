//! Every scenario, by every gatherer, gives what is true of it and nothing that is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nats_hindsight_analyzer::report::{Finding, Subject};
use nats_hindsight_tests::verdicts::{Judged, name};
use serde_json::{Value, json};

use super::{archives, folders, founding, opened, scenarios};

/// The check that says a fact.
fn code(fact: &Value) -> Option<&'static str> {
    match fact["fact"].as_str()? {
        "server_version" => Some("SERVER_002"),
        "service_version" | "service_language" => Some("SERVICE_001"),
        "service_down" => Some("SERVICE_002"),
        _ => None,
    }
}

/// Whether a subject is the one a fact is about; a fact that names nobody is about all.
fn is_about(fact: &Value, subject: &Subject) -> bool {
    let is = |field: &str, text: &str| fact[field].as_str().is_none_or(|told| told == text);
    match subject {
        Subject::Cluster { cluster } => is("cluster", cluster),
        Subject::Service { account, service, .. } => {
            is("account", account) && is("service", service)
        }
        _ => false,
    }
}

/// Whether a finding is of this fact, and not of another one that its check says too.
fn says(finding: &Finding, fact: &Value) -> bool {
    let facet = match fact["fact"].as_str() {
        Some("service_version") => "app_version",
        Some("service_language") => "language",
        _ => return true,
    };
    finding.details["facets"].as_array().unwrap().iter().any(|fired| fired == facet)
}

/// Whether lists of connections do not tell what they listen to, so that nobody can see a service.
fn shows_no_services(judged: &Judged) -> bool {
    let rows = judged.report.systems.iter().flat_map(|system| &system.coverage);
    let mut gaps = rows.filter(|row| row.endpoint == "CONNZ").flat_map(|row| &row.gaps);
    gaps.any(|gap| gap.status == "partial")
}

fn epoch(value: &Value) -> Option<usize> {
    value.as_u64().map(|epoch| usize::try_from(epoch).unwrap())
}

/// The epochs of an interval; the end is open where it is.
fn span(finding: &Finding, epochs: usize) -> std::ops::Range<usize> {
    let end = finding.closed.as_ref().map_or(epochs, |closed| closed.moment.epoch);
    finding.opened.moment.epoch..end
}

fn findings(judged: &Judged) -> impl Iterator<Item = &Finding> {
    judged.report.systems.iter().flat_map(|system| &system.findings)
}

/// An expected fact is there as it is expected; gives the finding that says it.
fn holds<'a>(fact: &Value, judged: &'a Judged, epochs: usize, of: &str) -> Option<&'a Finding> {
    let code = code(fact).unwrap();
    let about = |f: &&Finding| f.code == code && is_about(fact, &f.subject) && says(f, fact);
    let found: Vec<&Finding> = findings(judged).filter(about).collect();
    if code.starts_with("SERVICE_") && shows_no_services(judged) {
        assert!(found.is_empty(), "{of}: {fact}\n{found:#?}");
        let mut rows = judged.log.iter().filter(|row| row.code == code);
        assert!(rows.all(|row| row.verdict == "unknown"), "{of}: {fact}");
        return None;
    }
    let from = epoch(&fact["opened"]).unwrap();
    let to = epoch(&fact["closed"]).unwrap_or(epochs);
    // Versions of services are in `$SRV` replies, and no archive of the gatherer holds one.
    let cannot_be_seen = code == "SERVICE_001" && fact["fact"] == "service_version";
    if fact["certain"] == false || cannot_be_seen {
        assert!(found.is_empty(), "{of}: {fact}\n{found:#?}");
        let unknown = judged.log.iter().filter(|row| {
            row.code == code && is_about(fact, &row.subject) && row.verdict == "unknown"
        });
        let unknown: BTreeSet<usize> = unknown.map(|row| row.epoch).collect();
        assert!((from..to).all(|epoch| unknown.contains(&epoch)), "{of}: {fact}\n{unknown:?}");
        return None;
    }
    let [finding] = found[..] else { panic!("{of}: {fact}\n{found:#?}") };
    assert_eq!(span(finding, epochs), from..to, "{of}: {fact}");
    // Of a service it is never known that it was well before: its own version is not seen.
    let well_before = judged.log.iter().any(|row| {
        let here = row.code == code && is_about(fact, &row.subject);
        here && row.epoch + 1 == from && row.verdict == "ok"
    });
    assert_eq!(finding.opened.at_or_before, !well_before, "{of}: {fact}");
    assert!(well_before || from == 0 || code == "SERVICE_001", "{of}: {fact}");
    words(fact, finding, of);
    Some(finding)
}

/// The word for each epoch in which it changed, and who is odd in the last.
fn words(fact: &Value, finding: &Finding, of: &str) {
    let all: BTreeSet<&str> = fact["words"]
        .as_object()
        .into_iter()
        .flat_map(|words| words.values())
        .flat_map(|words| words.as_array().unwrap())
        .chain([&fact["word"]])
        .filter_map(Value::as_str)
        .collect();
    // Where nothing is said of the stage, any will do.
    for change in finding.changes.iter().filter(|_| !all.is_empty()) {
        let Some(stage) = change.face.get("stage").and_then(Value::as_str) else { continue };
        let told = &fact["words"][change.moment.epoch.to_string()];
        let fits = told
            .as_array()
            .map_or(all.contains(stage), |words| words.iter().any(|word| word == stage));
        assert!(fits, "{of}: `{stage}` in epoch {}\n{fact}", change.moment.epoch);
    }
    let Some(odd) = fact["odd"].as_object() else { return };
    let last = finding.last_seen.epoch.to_string();
    let Some(odd) = odd.get(&last).and_then(Value::as_array) else { return };
    let told = finding.details["outliers"].as_array().unwrap();
    let told: Vec<&Value> = told.iter().map(|outlier| &outlier["server"]).collect();
    assert_eq!(told, odd.iter().collect::<Vec<_>>(), "{of}");
}

fn is_forbidden(fact: &Value, finding: &Finding, epochs: usize) -> bool {
    let touches = match fact["epochs"].as_array() {
        None => true,
        Some(forbidden) => {
            forbidden.iter().filter_map(epoch).any(|epoch| span(finding, epochs).contains(&epoch))
        }
    };
    let same = code(fact) == Some(finding.code) && is_about(fact, &finding.subject);
    same && says(finding, fact) && touches
}

fn prove(folder: &Path, expected: &Value) {
    let of = folder.display().to_string();
    let intake = opened(&archives(folder));
    let epochs = expected["epochs"].as_array().unwrap().len();
    assert_eq!(intake.epochs.len(), epochs, "{of}: {:#?}", intake.problems);
    assert_eq!(intake.problems, [], "{of}");
    let judged = founding(&intake);
    assert_eq!(judged.report.systems.len(), 1, "{of}");
    let facts = expected["expected"].as_array().unwrap().iter();
    let said: Vec<&Finding> = facts
        .filter(|fact| code(fact).is_some())
        .filter_map(|fact| holds(fact, &judged, epochs, &of))
        .collect();
    for finding in findings(&judged) {
        let known = said.iter().any(|said| said.id == finding.id);
        assert!(known, "{of}: nobody expects {} {}", finding.code, name(&finding.subject));
        for fact in expected["forbidden"].as_array().unwrap() {
            assert!(!is_forbidden(fact, finding, epochs), "{of}: {fact}");
        }
    }
}

#[test]
fn every_scenario_gives_what_is_true_of_it_and_nothing_else() {
    let (mut folders_seen, mut facts) = (0, 0);
    for scenario in scenarios() {
        for folder in folders(&scenario) {
            // Archives that were gathered beside each other are of the same epochs.
            let own = folder.join("expected.json");
            let path = if own.is_file() { own } else { scenario.join("expected.json") };
            let expected: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let all = expected["expected"].as_array().unwrap().iter();
            facts += all.filter(|fact| code(fact).is_some()).count();
            prove(&folder, &expected);
            folders_seen += 1;
        }
    }
    assert_eq!((folders_seen, facts), (31, 17));
}

/// Two instances in Python, for two epochs one in Rust beside them. Their own versions are in `$SRV`
/// replies, which no gatherer asks for, so that without the language nothing would be known.
#[test]
fn a_mix_of_languages_is_seen_and_so_is_its_end() {
    let scenario = super::bundles().join("language_mix");
    let mut seen = 0;
    for folder in folders(&scenario) {
        let judged = founding(&opened(&archives(&folder)));
        if shows_no_services(&judged) {
            continue;
        }
        let of = folder.display();
        let rows = judged.log.iter().filter(|row| row.code == "SERVICE_001");
        let verdicts: Vec<&str> = rows.map(|row| row.verdict).collect();
        assert_eq!(verdicts, ["unknown", "finding", "finding", "unknown"], "{of}");
        let all: Vec<&Finding> = findings(&judged).collect();
        let [finding] = all[..] else { panic!("{of}: {all:#?}") };
        assert_eq!(finding.closed.as_ref().unwrap().how, "cured", "{of}");
        assert_eq!(finding.details["facets"], json!(["language"]), "{of}");
        assert_eq!(finding.details["unseen"], json!(["app_version"]), "{of}");
        let outlier = &finding.details["outliers"][0];
        assert_eq!(finding.details["majority"], "python", "{of}: {outlier}");
        let unknowns = &judged.report.systems[0].unknowns;
        let of_service = unknowns.iter().filter(|unknown| unknown.code == "SERVICE_001");
        let epochs: Vec<_> = of_service.map(|unknown| &unknown.epochs[..]).collect();
        assert_eq!(epochs, [&[[0, 0], [3, 3]][..]], "{of}: the application's version is not seen");
        seen += 1;
    }
    assert_eq!(seen, 4, "the oldest gatherer does not show services");
}

/// Nobody measured when a reply came, and no permission would cure that.
#[test]
fn of_clocks_it_is_said_that_nothing_was_timed() {
    let mut unknown = 0;
    for scenario in scenarios() {
        for folder in folders(&scenario) {
            let judged = super::judged_by(&["HINT_003"], &opened(&archives(&folder)));
            for row in judged.log.iter().filter(|row| row.reason != Some("server_silent")) {
                let said = (row.verdict, row.reason);
                assert_eq!(said, ("unknown", Some("clock_untimed")), "{}", folder.display());
                unknown += 1;
            }
            let told = judged.report.systems[0].unknowns.iter();
            for row in told.filter(|row| row.reason == "clock_untimed") {
                assert!(row.cure.contains("hindsight collect"), "{}", row.cure);
            }
        }
    }
    assert!(unknown > 300, "{unknown}");
}

#[test]
fn a_server_that_the_gatherer_dropped_is_named() {
    let folder = super::bundles().join("service_behind_hung_server");
    let intake = opened(&archives(&folder));
    let said = |epoch: usize| {
        let told = intake.epochs[epoch].problems.iter();
        told.map(|problem| (problem.kind, problem.text.clone())).collect::<Vec<_>>()
    };
    assert_eq!(said(1), []);
    let text = "of server a3, which others tell of, nothing is in the archive; its log does not say \
                why";
    assert_eq!(said(2), [("server_not_gathered", text.to_owned())]);
    let judged = founding(&intake);
    let system = &judged.report.systems[0];
    let complete: Vec<bool> = system.epochs.iter().map(|epoch| epoch.complete).collect();
    assert_eq!(complete, [true, true, false, true, true]);
    let varz = system.coverage.iter().find(|row| row.endpoint == "VARZ").unwrap();
    let gap = &varz.gaps[0];
    assert_eq!(
        (gap.status.as_str(), &gap.targets[..], &gap.epochs[..]),
        ("timeout", &["a3".to_owned()][..], &[[2, 2]][..])
    );
}
