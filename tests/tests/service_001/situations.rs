//! The table of situations.

use jiff::SignedDuration;
use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{
    CODE, ORDERS, SCALED, age, closed, facets, ids, list, minutes, of_orders, outliers, rollout,
    sides, stages, unseen,
};

#[test]
fn row_three_instances_of_one_version_and_language_are_ok() {
    assert_eq!(of_orders(&minutes(3)), ["ok"; 3]);
    let recorded = judge(&Recording::fixture("healthy"), &[]);
    assert_eq!(recorded.verdicts(CODE, ORDERS), ["ok"; 4]);
    assert_eq!(recorded.findings(CODE, ORDERS).len(), 0);
}

#[test]
fn row_a_rollout_that_completes_is_one_interval_as_recorded() {
    let judged = judge(&Recording::fixture("service-rollout"), SCALED);
    let mixed = "finding";
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", mixed, mixed, mixed, mixed, "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(1, "rolling")], "new before old, and a pause of one epoch");
    assert_eq!((finding.severity, finding.worst_severity), (Severity::Info, Severity::Info));
    assert_eq!(finding.opened.last_ok.as_ref().map(|ok| ok.epoch), Some(0));
    assert_eq!(closed(finding), Some((5, "cured")));
    assert_eq!(facets(finding), ["app_version"]);
}

#[test]
fn row_a_rollout_that_completes_is_one_interval_at_any_step() {
    let steps: [&[(usize, usize)]; 3] = [
        &[(3, 0), (2, 1), (1, 2), (0, 3)],
        // New ones are added before old ones go.
        &[(3, 0), (3, 1), (2, 1), (2, 2), (1, 2), (1, 3), (0, 3)],
        // A pause of one epoch.
        &[(3, 0), (3, 1), (2, 1), (2, 1), (1, 2), (1, 2), (0, 3)],
    ];
    for minutes in [1, 10, 1440] {
        for counts in steps {
            let judged = judge(&rollout(SignedDuration::from_mins(minutes), counts), &[]);
            let finding = judged.finding(CODE, ORDERS);
            let stage = stages(finding);
            assert!(stage.iter().all(|(_, s)| *s == "rolling"), "{minutes} {counts:?}: {stage:?}");
            assert_eq!(finding.opened.moment.epoch, 1);
            assert_eq!(closed(finding), Some((counts.len() - 1, "cured")));
            if minutes == 1 {
                assert_eq!(finding.worst_severity, Severity::Info);
            }
        }
    }
}

#[test]
fn row_a_rollout_that_stops_at_three_of_four_names_the_old_instance() {
    let recording = Recording::fixture("stalled-rollout");
    let judged = judge(&recording, SCALED);
    let mixed = "finding";
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", mixed, mixed, mixed, mixed]);
    let finding = judged.finding(CODE, ORDERS);
    // The epoch after the last change is recent, however long the step.
    assert_eq!(stages(finding), [(1, "rolling"), (4, "stalled")]);
    assert_eq!(finding.details["shape"], "stalled_rollout");
    assert_eq!(finding.details["majority"], "1.3.0");
    assert_eq!(sides(finding), [("1.2.0", 1), ("1.3.0", 3)]);
    let left = outliers(finding);
    assert_eq!(left.len(), 1);
    assert!(
        ids(&recording.epochs[0]).iter().any(|id| id == left[0]),
        "it was there from the start"
    );
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(closed(finding), None);
}

#[test]
fn row_one_of_four_newer_and_staying_is_a_canary() {
    let judged = judge(&Recording::fixture("canary"), SCALED);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(1, "rolling"), (3, "stalled")]);
    assert_eq!(finding.details["shape"], "canary");
    assert_eq!(sides(finding), [("1.2.0", 3), ("1.3.0", 1)]);
    assert_eq!(finding.severity, Severity::Warning);
    let contract = &finding.details["contract"];
    let expected = json!([{
        "version": "1.3.0", "endpoint": "refund", "subject": "orders.refund", "queue_group": "q"
    }]);
    assert_eq!(*contract, expected, "it announces one endpoint more");
}

/// Every instance has crashed and runs anew under another id.
fn crash(epoch: &mut Epoch, round: usize) {
    for id in ids(epoch) {
        let new = format!("{id}R{round}");
        epoch.restart_instance(&id, &new);
        age(epoch, &new, 2);
    }
}

#[test]
fn row_a_stalled_mix_whose_instances_crash_loop_is_still_stalled() {
    let counts = [(4, 0), (1, 3), (1, 3), (1, 3), (1, 3), (1, 3)];
    let mut looping = rollout(SignedDuration::from_mins(4), &counts);
    for (round, epoch) in looping.epochs.iter_mut().enumerate().skip(2) {
        crash(epoch, round);
    }
    let judged = judge(&looping, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(stages(finding), [(1, "rolling"), (3, "stalled")]);
    assert_eq!(finding.details["shape"], "stalled_rollout");
    // Caught between two lives, one of them is missing for an epoch.
    let caught = looping.at(4, |epoch| {
        let id = ids(epoch).into_iter().find(|id| id.starts_with("new")).unwrap_or_default();
        epoch.end_instance(&id);
    });
    let judged = judge(&caught, &[]);
    assert_eq!(stages(judged.finding(CODE, ORDERS)), [(1, "rolling"), (3, "stalled")]);
}

#[test]
fn row_same_version_in_python_and_in_rust_is_a_finding_of_language() {
    let judged = judge(&Recording::fixture("language-mix"), SCALED);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(facets(finding), ["language"]);
    assert_eq!(finding.details["side"], "language");
    assert_eq!(sides(finding), [("python", 2), ("rust", 1)]);
    assert_eq!(closed(finding), Some((3, "cured")));
    assert!(finding.evidence.iter().any(|fact| fact.name == "language" && fact.value == "rust"));
}

#[test]
fn row_same_version_in_python_and_in_rust_is_a_warning_once_it_stays() {
    let mixed = minutes(8).during(1..8, |epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_language(&id, "rust");
    });
    let judged = judge(&mixed, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(facets(finding), ["language"], "its library is another language's");
    assert_eq!(stages(finding), [(1, "rolling"), (7, "stalled")]);
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn row_same_version_and_language_but_another_library_is_info() {
    let mixed = minutes(2).each(|epoch| {
        let all = ids(epoch);
        epoch.set_library(&all[0], "2.15.0");
    });
    let judged = judge(&mixed, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(facets(finding), ["library_version"]);
    assert_eq!((finding.severity, finding.worst_severity), (Severity::Info, Severity::Info));
    assert_eq!(finding.details["shape"], "stalled_rollout", "the one that is left is older");
    assert_eq!(finding.details["overdue"], true, "and overdue changes nothing");
}

#[test]
fn row_same_name_and_different_versions_in_two_accounts_are_ok() {
    let judged = judge(&Recording::fixture("two-accounts"), SCALED);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 4]);
    assert_eq!(judged.verdicts(CODE, "APP2/orders")[..2], ["ok", "ok"]);
    assert_eq!(judged.findings(CODE, ORDERS).len() + judged.findings(CODE, "APP2/orders").len(), 0);
}

#[test]
fn row_one_instance_mute_and_the_rest_agree_is_unknown() {
    let mute = minutes(2).at(1, |epoch| {
        let id = ids(epoch).remove(0);
        epoch.mute_instance(&id);
        epoch.asked_by_id("APP", "orders", &id, &Status::Timeout);
    });
    assert_eq!(of_orders(&mute), ["ok", "unknown(instance_silent)"]);
}

#[test]
fn row_one_instance_mute_and_the_rest_disagree_is_a_finding_with_the_mute_one_listed() {
    let story = minutes(2);
    let all = ids(&story.epochs[0]);
    let judged = judge(
        &story.at(1, |epoch| {
            epoch.mute_instance(&all[0]);
            epoch.set_app_version(&all[1], "1.3.0");
        }),
        &[],
    );
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(list(&finding.details["silent"]), [all[0].as_str()]);
    assert_eq!(list(&finding.details["unseen"]), ["app_version"], "not seen on all");
    assert!(finding.summary.contains("1 did not answer"), "{}", finding.summary);
}

#[test]
fn row_instances_behind_a_leaf_node_of_the_same_version_are_ok() {
    let judged = judge(&Recording::fixture("leaf-nodes"), SCALED);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 6]);
    assert_eq!(judged.findings(CODE, ORDERS).len(), 0);
    // The same where the leaf server is out of reach: its row carries the server's version.
    let hidden = minutes(2).each(|epoch| {
        let id = ids(epoch).remove(0);
        epoch.put_instance_behind_leaf(&id, "leaf-west");
    });
    let judged = judge(&hidden, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok"]);
    let named: Vec<&str> = unseen(&judged).into_iter().map(|(facet, _)| facet).collect();
    assert_eq!(named, ["language", "library_version"], "of the one behind it they are not seen");
}

#[test]
fn row_stock_bundle_of_two_languages_and_later_one() {
    let bundle = Recording::fixture("language-mix").each(Epoch::without_verbs);
    let judged = judge(&bundle, SCALED);
    let blind = "unknown(app_version_unseen)";
    assert_eq!(judged.verdicts(CODE, ORDERS), [blind, "finding", "finding", blind]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(facets(finding), ["language"]);
    assert_eq!(list(&finding.details["unseen"]), ["app_version"]);
    assert_eq!(closed(finding), Some((3, "cured")));
    assert!(finding.opened.at_or_before, "the verdict before was unknown");
}

#[test]
fn row_metadata_null_absent_or_empty_changes_nothing() {
    let values = [Some(json!(null)), None, Some(json!({})), Some(json!({ "region": "eu" }))];
    for value in values {
        let edited = minutes(2).each(|epoch| {
            let id = ids(epoch).remove(0);
            epoch.set_metadata(&id, value.as_ref());
        });
        assert_eq!(of_orders(&edited), ["ok", "ok"], "{value:?}");
    }
}

#[test]
fn row_no_connz_in_the_recording_is_judged_on_what_is_there() {
    let blind = minutes(2).each(Epoch::drop_connections);
    let judged = judge(&blind, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok"]);
    let whole = vec![[0, 1]];
    assert_eq!(unseen(&judged), [("language", whole.clone()), ("library_version", whole)]);
    let mixed = blind.at(1, |epoch| {
        let id = ids(epoch).remove(0);
        epoch.set_app_version(&id, "1.3.0");
    });
    let judged = judge(&mixed, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(list(&finding.details["unseen"]), ["language", "library_version"]);
}

#[test]
fn row_the_service_goes_away_while_mixed_closes_ended() {
    let counts = [(3, 0), (2, 1), (2, 1), (2, 1)];
    let story = rollout(SignedDuration::from_mins(1), &counts)
        .during([2, 3], |epoch| epoch.down("APP", "orders"));
    let judged = judge(&story, &[]);
    let gone = "not_applicable";
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", gone, gone]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(closed(finding), Some((2, "ended")));
    assert_eq!(judged.verdicts("SERVICE_002", ORDERS), ["ok", "ok", "finding", "finding"]);
}
