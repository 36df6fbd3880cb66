//! Every scenario, by every gatherer, gives what is true of it and nothing that is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nats_hindsight_analyzer::report::{Finding, Subject};
use nats_hindsight_tests::verdicts::{Judged, name};
use serde_json::Value;

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
    let found: Vec<&Finding> =
        findings(judged).filter(|f| f.code == code && is_about(fact, &f.subject)).collect();
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
    assert_eq!(finding.opened.at_or_before, from == 0, "{of}: {fact}");
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
    for change in &finding.changes {
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
    code(fact) == Some(finding.code) && is_about(fact, &finding.subject) && touches
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
        let expected: Value =
            serde_json::from_slice(&fs::read(scenario.join("expected.json")).unwrap()).unwrap();
        facts +=
            expected["expected"].as_array().unwrap().iter().filter(|f| code(f).is_some()).count();
        for folder in folders(&scenario) {
            prove(&folder, &expected);
            folders_seen += 1;
        }
    }
    assert_eq!((folders_seen, facts), (24, 7));
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
