//! Rows of the table that real clusters show.

use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;

use crate::support::*;

#[test]
fn row_3_servers_one_version_4_epochs_is_ok() {
    let judged = judge(&Recording::fixture("healthy"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 4]);
    assert_eq!(judged.subjects(CODE), ["A"]);
    assert_eq!(judged.findings(CODE, "A").len(), 0);
}

#[test]
fn row_one_server_per_epoch_completed_is_one_rolling_interval() {
    let judged = judge(&Recording::fixture("rolling-upgrade"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "ok", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), Some((3, "cured"))));
    assert_eq!(chapters(finding), [(1, "info", "rolling")]);
    assert_eq!(face(finding), ["rolling", "upgrade", "minor", NEW]);
    assert_eq!(outliers(finding), ["a1"]);
    assert_eq!(finding.worst_severity.as_str(), "info");
    assert_eq!(finding.closed.as_ref().unwrap().last_bad.as_ref().unwrap().epoch, 2);
    assert_eq!(finding.flaps, 0);
    assert!(!overdue(finding));
}

#[test]
fn row_forgotten_server_is_stalled_and_named() {
    let judged = judge(&Recording::fixture("forgotten-server"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"; 3]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(chapters(finding), [(0, "warning", "stalled")]);
    assert_eq!(face(finding), ["stalled", "forgotten", "minor", NEW]);
    assert_eq!(outliers(finding), ["a5"]);
    assert_eq!(counts(finding).iter().map(|(_, count)| *count).collect::<Vec<_>>(), [4, 1]);
    // The four have been up for longer than the recording lasts.
    let recorded = judged.report.systems[0].epochs.iter().map(|epoch| epoch.time.parse());
    let times: Vec<jiff::Timestamp> = recorded.map(Result::unwrap).collect();
    assert!(lasting(finding) > times[2].duration_since(times[0]));
}

#[test]
fn row_two_against_two_has_no_majority() {
    let judged = judge(&Recording::fixture("tie"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"; 3]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(face(finding), ["stalled", "undetermined", "minor", "-"]);
    assert_eq!(outliers(finding), ["a1", "a2", "a3", "a4"]);
    assert_eq!(counts(finding).iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(finding.severity.as_str(), "warning");
}

#[test]
fn row_an_older_server_that_comes_and_goes_is_joined_and_ended() {
    let judged = judge(&Recording::fixture("staging-joined"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (2, Some(1), Some((4, "ended"))));
    assert_eq!(face(finding), ["stalled", "joined", "minor", NEW]);
    assert_eq!(outliers(finding), ["staging1"]);
    assert!(because(finding).contains("staging1"), "{}", because(finding));
    assert_eq!(finding.severity.as_str(), "warning");
}

#[test]
fn row_rolled_back_is_two_findings_the_second_a_rollback() {
    let judged = judge(&Recording::fixture("rollback"), SECONDS);
    let words = ["ok", "finding", "ok", "finding", "finding", "finding"];
    assert_eq!(judged.verdicts(CODE, "A"), words);
    let findings = judged.findings(CODE, "A");
    assert_eq!(findings.len(), 2);
    assert_eq!(span(findings[0]), (1, Some(0), Some((2, "cured"))));
    assert_eq!(face(findings[0])[..2], ["rolling", "upgrade"]);
    assert_eq!(findings[0].flaps, 0);
    assert_eq!(span(findings[1]), (3, Some(2), None));
    assert_eq!(face(findings[1])[..3], ["stalled", "rollback", "minor"]);
    assert_eq!(outliers(findings[1]), ["a2"]);
    assert_eq!(findings[1].flaps, 1);
    assert_eq!(findings[1].severity.as_str(), "warning");
}

#[test]
fn row_a_restart_at_the_same_version_is_ok_named_or_not() {
    let recording = Recording::fixture("restart-same-version");
    let unnamed = |index: usize| {
        let epoch = &recording.epochs[index];
        epoch.servers().into_iter().find(|name| epoch.id(name) == *name).unwrap()
    };
    assert_ne!(unnamed(0), unnamed(3), "the recording restarts the unnamed server");
    let judged = judge(&recording, SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 4]);
    assert_eq!(judged.all_findings(), []);
}

#[test]
fn row_one_of_3_hung_is_unknown_and_named() {
    let judged = judge(&Recording::fixture("hung-server"), SECONDS);
    let hung = "unknown(server_silent)";
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", hung, hung, "ok", "ok", "ok"]);
    assert_eq!(hidden(&judged, 1), ["A/a3"]);
    assert_eq!(hidden(&judged, 2), ["A/a3"]);
}

#[test]
fn row_one_killed_and_gone_is_ok_for_the_rest() {
    let judged = judge(&Recording::fixture("server-lost"), SECONDS);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 5]);
    assert_eq!(judged.findings("HINT_001", "A/a3").len(), 1);
}

#[test]
fn row_a_supercluster_uniform_inside_each_cluster_is_ok_for_both() {
    let judged = judge(&Recording::fixture("supercluster"), SECONDS);
    assert_eq!(judged.subjects(CODE), ["A", "B"]);
    let epochs = judged.report.systems[0].epochs.len();
    assert_eq!(judged.verdicts(CODE, "A"), vec!["ok"; epochs]);
    assert_eq!(judged.verdicts(CODE, "B"), vec!["ok"; epochs]);
}

#[test]
fn row_leaf_servers_of_other_versions_are_ok() {
    let judged = judge(&Recording::fixture("leaf-nodes"), SECONDS);
    let epochs = judged.report.systems[0].epochs.len();
    assert_eq!(judged.subjects(CODE), ["hub", "leaf-east", "leaf-west"]);
    assert_eq!(judged.verdicts(CODE, "hub"), vec!["ok"; epochs]);
    assert_eq!(judged.verdicts(CODE, "leaf-east"), vec!["ok"; epochs]);
    assert_eq!(judged.verdicts(CODE, "leaf-west")[0], "ok");
    assert_eq!(judged.findings(CODE, "leaf-west").len(), 0);
}
