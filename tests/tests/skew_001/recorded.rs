//! What real clusters show.

use nats_hindsight_tests::recording::{Recording, fixtures};
use nats_hindsight_tests::verdicts::judge;

use crate::support::*;

#[test]
fn a_server_with_settings_of_its_own_is_named_until_it_reloads() {
    let judged = judge(&Recording::fixture("settings-skew"), SECONDS);
    let words = ["finding", "finding", "ok", "finding", "finding", "ok"];
    assert_eq!(judged.verdicts(CODE, "A"), words);
    let findings = judged.findings(CODE, "A");
    let standing = findings[0];
    assert_eq!(span(standing), (0, None, Some((2, "cured"))));
    assert_eq!((stage(standing), standing.severity.as_str()), ("standing", "warning"));
    assert_eq!(
        differing(standing),
        [
            ("max_payload".to_owned(), vec!["1 MiB: a1 a2".to_owned(), "8 MiB: a3".to_owned()]),
            ("ping_interval".to_owned(), vec!["2m: a1 a2".to_owned(), "20s: a3".to_owned()]),
        ]
    );
    assert_eq!(outliers(standing), ["a3 max_payload", "a3 ping_interval"]);
    let fact = &standing.evidence[0];
    assert_eq!((fact.endpoint.as_str(), fact.source.as_str()), ("VARZ", "a3"));
    assert_eq!((fact.path.as_str(), &fact.value), ("data.max_payload", &8_388_608.into()));
    // The file was read before the recording began, so it lasts for longer than it was seen.
    assert!(standing.details["lasting_s"].as_i64().unwrap() > 5);
    let rolling = findings[1];
    assert_eq!(span(rolling), (3, Some(2), Some((5, "cured"))));
    assert_eq!((stage(rolling), rolling.worst_severity.as_str()), ("rolling", "info"));
    // First a1 is the odd one, then a3, in one and the same chapter.
    assert_eq!(rolling.changes.len(), 1);
    assert_eq!(outliers(rolling), ["a3 write_deadline"]);
}

#[test]
fn nothing_else_recorded_differs_in_its_settings() {
    let mut judged_ok = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let folder = entry.unwrap().path();
        let scenario = folder.file_name().unwrap().to_str().unwrap();
        let differing = ["settings-skew", "hostile-names"].contains(&scenario);
        if differing || !folder.join("provenance.json").is_file() {
            continue;
        }
        let judged = judge(&Recording::fixture(scenario), &[]);
        let rows = judged.log.iter().filter(|row| row.code == CODE);
        for row in rows {
            assert_ne!(
                row.verdict, "finding",
                "{scenario}, epoch {}: {:?}",
                row.epoch, row.subject
            );
            judged_ok += usize::from(row.verdict == "ok");
        }
    }
    assert!(judged_ok > 60, "only {judged_ok} times ok");
}

#[test]
fn a_single_server_is_not_judged() {
    let judged = judge(&Recording::fixture("leaf-nodes"), &[]);
    assert_eq!(judged.subjects(CODE), ["hub", "leaf-east", "leaf-west"]);
    assert_eq!(judged.verdicts(CODE, "leaf-east"), ["not_applicable"; 6]);
    assert_eq!(judged.verdicts(CODE, "hub"), ["ok"; 6]);
}

#[test]
fn a_hung_server_leaves_it_unknown_and_is_named() {
    let judged = judge(&Recording::fixture("hung-server"), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", SILENT, SILENT, "ok", "ok", "ok"]);
    assert_eq!(hidden(&judged, 1), ["A/a3"]);
}
