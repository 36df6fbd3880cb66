//! Who is expected, and what is said when somebody may be missing.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::servers::cluster;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;

use crate::support::*;

const SILENT: &str = "unknown(server_silent)";
const DOUBT: &str = "unknown(membership_unknown)";

fn uniform() -> Recording {
    cluster(&[("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", NEW, days(9))])
}

fn mixed() -> Recording {
    cluster(&[("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", OLD, days(90))])
}

fn set_remotes(epoch: &mut Epoch, server: &str, count: u64) {
    let id = epoch.id(server);
    for reply in &mut epoch.replies {
        if reply.line.endpoint == Endpoint::VARZ && reply.body["server"]["id"] == *id {
            reply.body["data"]["remotes"] = count.into();
        }
    }
}

#[test]
fn without_route_lists_counts_of_peers_prove_membership() {
    let recording = uniform().each(|epoch| epoch.drop_endpoint(&Endpoint::ROUTEZ));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok"]);
    let recording = recording.each(|epoch| set_remotes(epoch, "a2", 3));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [DOUBT]);
    assert_eq!(hidden(&judged, 0), ["A/a2"]);
}

#[test]
fn a_mix_is_a_finding_although_membership_is_in_doubt_which_it_states() {
    let recording = mixed().each(|epoch| {
        epoch.drop_endpoint(&Endpoint::ROUTEZ);
        set_remotes(epoch, "a2", 3);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"]);
    let doubts = judged.finding(CODE, "A").details["doubts"].as_array().unwrap();
    assert!(doubts[0].as_str().unwrap().starts_with("a2 "), "{doubts:?}");
}

#[test]
fn one_missing_route_list_is_made_up_for_by_its_count_of_peers() {
    let recording = uniform().each(|epoch| epoch.drop_reply("a2", &Endpoint::ROUTEZ));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok"]);
    let recording = recording.each(|epoch| epoch.drop_reply("a2", &Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [DOUBT]);
    assert_eq!(hidden(&judged, 0), ["A/a2"]);
}

#[test]
fn a_server_that_counts_other_peers_and_that_nobody_names_leaves_a_doubt() {
    let recording = uniform().each(|epoch| {
        epoch.split(&["a3"]);
        epoch.drop_reply("a3", &Endpoint::ROUTEZ);
        set_remotes(epoch, "a3", 2);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A"]);
    assert_eq!(judged.verdicts(CODE, "A"), [DOUBT]);
    assert_eq!(hidden(&judged, 0), ["A/a3"]);
}

#[test]
fn a_server_whose_version_no_reply_tells_is_named() {
    let unseen = |epoch: &mut Epoch| {
        let id = epoch.id("a3");
        for reply in epoch.replies.iter_mut().filter(|r| r.body["server"]["id"] == *id) {
            reply.body["server"].as_object_mut().unwrap().remove("ver");
            if reply.line.endpoint == Endpoint::VARZ {
                reply.body["data"].as_object_mut().unwrap().remove("version");
            }
        }
    };
    let judged = judge(&uniform().each(unseen), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["unknown(version_unseen)"]);
    assert_eq!(hidden(&judged, 0), ["A/a3"]);
    let judged = judge(&mixed().each(|e| e.set_version("a2", OLD)).each(unseen), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"]);
    assert_eq!(counts(judged.finding(CODE, "A")), [(NEW, 1), (OLD, 1)]);
}

#[test]
fn a_silent_peer_is_expected_even_in_a_single_epoch() {
    let judged = judge(&uniform().each(|epoch| epoch.hang("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [SILENT]);
    assert_eq!(hidden(&judged, 0), ["A/a3"]);
}

#[test]
fn a_mix_names_the_silent_too() {
    let all =
        [("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", OLD, days(90)), ("a4", NEW, days(9))];
    let judged = judge(&cluster(&all).each(|epoch| epoch.hang("a4")), &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(finding.details["silent"], serde_json::json!(["a4"]));
    assert_eq!(face(finding), ["stalled", "forgotten", "minor", NEW]);
    assert_eq!(counts(finding), [(NEW, 2), (OLD, 1)]);
}

#[test]
fn one_that_the_header_expects_is_silent_unless_every_route_list_lacks_it() {
    let expect = |epoch: &mut Epoch| epoch.expect_server("NGONE", "a9", "A", NEW);
    let judged = judge(&uniform().each(expect), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"]);
    let judged = judge(&uniform().each(expect).each(|e| e.drop_endpoint(&Endpoint::ROUTEZ)), &[]);
    assert_eq!(judged.verdicts(CODE, "A"), [SILENT]);
    assert_eq!(hidden(&judged, 0), ["A/a9"]);
}

#[test]
fn one_known_member_is_ok() {
    let recording = cluster(&[("a1", NEW, days(9))]).repeat(2, hours(1));
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A"), ["ok"; 2]);
}

#[test]
fn an_epoch_in_which_nobody_answers_is_unknown_and_cures_nothing() {
    let recording = mixed().repeat(3, hours(1)).at(1, |epoch| {
        for server in ["a1", "a2", "a3"] {
            epoch.hang(server);
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", SILENT, "finding"]);
    assert_eq!(hidden(&judged, 1), ["A/a1", "A/a2", "A/a3"]);
    assert_eq!(span(judged.finding(CODE, "A")), (0, None, None));
}

#[test]
fn a_member_seen_only_in_an_epoch_that_is_not_here_is_expected() {
    let recording = uniform().repeat(2, hours(2)).at(1, |epoch| {
        epoch.header.expects.servers.clear();
        epoch.expect_server("NEARLIER", "a4", "A", NEW);
        epoch.ask("NEARLIER", Status::NoResponders);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 2]);
    let lost = judged.finding("HINT_001", "A/a4");
    assert_eq!(lost.details["kind"], "lost");
    assert_eq!(lost.opened.moment.epoch, 1);
}

#[test]
fn a_leaf_server_out_of_the_system_accounts_reach_is_ok_alone() {
    let recording = Recording::fixture("leaf-nodes");
    let judged = judge(&recording, SECONDS);
    for (index, epoch) in recording.epochs.iter().enumerate() {
        let there = epoch.servers().iter().any(|name| name == "leaf-west");
        let word = if there { "ok" } else { SILENT };
        assert_eq!(judged.verdicts(CODE, "leaf-west")[index], word, "epoch {index}");
    }
}
