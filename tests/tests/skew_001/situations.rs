//! Who is in the cluster, who is odd, and what is not known.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use crate::support::*;

fn odd() -> Recording {
    three().at(0, |epoch| epoch.set_setting("a3", "max_payload", &json!(8_388_608)))
}

#[test]
fn three_that_agree_are_ok() {
    let judged = judge(&three().repeat(2, hours(1)), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok"]);
    assert_eq!(judged.all_findings(), []);
}

#[test]
fn the_odd_one_is_named_with_the_setting_and_since_when() {
    let judged = judge(&odd(), &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!((finding.severity.as_str(), stage(finding)), ("warning", "standing"));
    assert_eq!(finding.summary, "max_payload is 1 MiB on 2, 8 MiB on 1 (a3)");
    assert_eq!(finding.details["settings"][0]["majority"], 1_048_576);
    assert_eq!(finding.details["settings"][0]["unit"], "bytes");
    assert_eq!(finding.details["outliers"][0]["config_age_s"], 9 * 86_400);
    assert_eq!(finding.details["lasting_s"], 9 * 86_400);
    assert!(finding.opened.at_or_before);
}

#[test]
fn a_tie_has_no_majority_and_nobody_is_odd() {
    let four = [("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.14.6"), ("a4", "2.14.6")];
    let recording = servers(&four).at(0, |epoch| {
        epoch.set_setting("a3", "ping_max", &json!(5));
        epoch.set_setting("a4", "ping_max", &json!(5));
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(only(finding).1, ["2: a1 a2", "5: a3 a4"]);
    assert!(finding.details["settings"][0]["majority"].is_null());
    assert!(outliers(finding).is_empty());
    assert_eq!(finding.summary, "ping_max is 2 on 2 (a1, a2), 5 on 2 (a3, a4)");
}

#[test]
fn three_values_have_no_majority_either() {
    let recording = odd().at(0, |epoch| epoch.set_setting("a2", "max_payload", &json!(4096)));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(only(finding).1, ["1 MiB: a1", "4 KiB: a2", "8 MiB: a3"]);
    assert!(outliers(finding).is_empty());
}

#[test]
fn a_silent_server_leaves_agreement_unknown_and_a_difference_a_finding() {
    let recording = three().repeat(2, hours(1)).at(1, |epoch| epoch.hang("a2"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", SILENT]);
    assert_eq!(hidden(&judged, 1), ["A/a2"]);
    let recording = odd().repeat(2, hours(1)).at(1, |epoch| epoch.hang("a2"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(finding.details["silent"], json!(["a2"]));
    assert!(finding.summary.ends_with("; 1 did not answer"), "{}", finding.summary);
}

#[test]
fn a_server_without_varz_is_unknown_and_named_in_a_finding() {
    let recording = three().at(0, |epoch| epoch.drop_reply("a2", &Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [UNSEEN]);
    assert_eq!(hidden(&judged, 0), ["A/a2"]);
    let recording = odd().at(0, |epoch| epoch.drop_reply("a2", &Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.finding(CODE, "A").details["unseen"], json!(["a2"]));
    // Where nobody answered VARZ, nothing was compared.
    let recording = odd().each(|epoch| epoch.drop_endpoint(&Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [UNSEEN]);
    assert_eq!(hidden(&judged, 0), ["A/a1", "A/a2", "A/a3"]);
}

#[test]
fn uncertain_membership_leaves_agreement_unknown() {
    let recording = three().at(0, |epoch| {
        epoch.drop_reply("a3", &Endpoint::ROUTEZ);
        epoch.set_setting("a3", "remotes", &json!(5));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["unknown(membership_unknown)"]);
    assert_eq!(hidden(&judged, 0), ["A/a3"]);
}

#[test]
fn two_clusters_are_not_compared() {
    let recording = three().at(0, |epoch| {
        epoch.second_site(|site| {
            site.rename_cluster("A", "B");
            for server in ["a1", "a2", "a3"] {
                site.set_setting(server, "max_payload", &json!(4096));
            }
        });
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "B"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"]);
    assert_eq!(judged.verdicts(CODE, "B"), ["ok"]);
}

#[test]
fn two_sites_of_one_name_are_told_apart_and_that_is_a_problem() {
    let recording = three().at(0, |epoch| {
        epoch.second_site(|site| site.set_setting("a3", "max_payload", &json!(4096)));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"]);
    assert_eq!(outliers(judged.finding(CODE, "A#2")), ["a3 max_payload"]);
    assert_eq!(judged.problems("unconnected_clusters").len(), 1);
}

#[test]
fn two_servers_of_one_name_are_both_compared() {
    let four = [("a1", "2.14.6"), ("a2", "2.14.6"), ("a3", "2.14.6"), ("a4", "2.14.6")];
    let recording = servers(&four).at(0, |epoch| {
        epoch.set_setting("a4", "max_payload", &json!(4096));
        epoch.rename("a4", "a3");
    });
    let judged = judge(&recording.repeat(2, hours(1)), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(only(finding).1, ["1 MiB: a1 a2 a3", "4 KiB: a3"]);
    assert_eq!(stage(finding), "standing");
}
