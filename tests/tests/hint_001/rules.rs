//! What the rows rest on.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::recording::servers::{cluster, later_id};
use nats_hindsight_tests::verdicts::judge;

use crate::{CODE, chapters, hourly, hours, span};

const NOT_ASKED: &str = "unknown(not_asked)";

#[test]
fn a_healthy_cluster_has_no_hint() {
    let judged = judge(&Recording::fixture("healthy"), &[]);
    assert_eq!(judged.subjects(CODE), ["A/a1", "A/a2", "A/a3"]);
    for server in judged.subjects(CODE) {
        assert_eq!(judged.verdicts(CODE, &server), ["ok"; 4]);
    }
}

#[test]
fn a_restart_is_no_loss() {
    let judged = judge(&Recording::fixture("restart-same-version"), &[]);
    assert_eq!(judged.subjects(CODE).len(), 3);
    for server in judged.subjects(CODE) {
        assert_eq!(judged.verdicts(CODE, &server), ["ok"; 4], "{server}");
    }
}

#[test]
fn without_a_request_to_it_nothing_is_known() {
    let recording = hourly(2).at(1, |epoch| {
        let id = epoch.id("a3");
        epoch.kill("a3");
        epoch.forget_requests(&id);
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A/a3"), ["ok", NOT_ASKED]);
    let recording = hourly(2).at(1, |epoch| {
        let id = epoch.id("a3");
        epoch.hang("a3");
        epoch.forget_requests(&id);
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A/a3"), ["ok", NOT_ASKED]);
}

#[test]
fn a_request_that_was_refused_proves_nothing() {
    let recording = hourly(2).at(1, |epoch| {
        let id = epoch.id("a3");
        epoch.kill("a3");
        epoch.forget_requests(&id);
        epoch.ask(&id, Status::Denied);
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A/a3"), ["ok", NOT_ASKED]);
}

#[test]
fn a_time_out_counts_where_no_peer_names_it_any_more() {
    let recording = hourly(2).at(1, |epoch| {
        let id = epoch.id("a3");
        epoch.kill("a3");
        epoch.forget_requests(&id);
        epoch.ask(&id, Status::Timeout);
    });
    assert_eq!(judge(&recording, &[]).finding(CODE, "A/a3").details["kind"], "lost");
}

#[test]
fn nobody_listens_and_still_a_peer_names_it_is_a_contradiction() {
    let recording = hourly(2).at(1, |epoch| {
        let id = epoch.id("a3");
        epoch.hang("a3");
        epoch.forget_requests(&id);
        epoch.ask(&id, Status::NoResponders);
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, "A/a3"), ["ok", "unknown(contradiction)"]);
}

#[test]
fn one_missing_route_list_of_a_peer_is_enough_doubt() {
    let recording = hourly(2).at(1, |epoch| {
        epoch.kill("a3");
        epoch.drop_reply("a2", &Endpoint::ROUTEZ);
        epoch.drop_reply("a2", &Endpoint::VARZ);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "unknown(membership_unknown)"]);
}

#[test]
fn one_peer_that_names_it_is_enough() {
    let recording = hourly(2).at(1, |epoch| {
        epoch.split(&["a2"]);
        epoch.hang("a3");
    });
    let finding = judge(&recording, &[]);
    let finding = finding.finding(CODE, "A/a3");
    assert_eq!(finding.details["kind"], "unresponsive");
    assert_eq!(finding.details["named_by"], serde_json::json!(["a1"]));
}

#[test]
fn gone_for_longer_than_a_day_is_only_worth_knowing() {
    let recording = hourly(1).repeat(4, hours(12)).during([1, 2, 3], |epoch| epoch.kill("a3"));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(1, "warning", "lost"), (3, "info", "lost")]);
    assert_eq!(finding.severity.as_str(), "info");
    assert_eq!(finding.worst_severity.as_str(), "warning");
    assert_eq!(span(finding), (1, Some(0), None));
    let judged = judge(&recording, &[("HINT_001.long_gone", 3_600_000)]);
    assert_eq!(chapters(judged.finding(CODE, "A/a3")), [(1, "info", "lost")]);
}

#[test]
fn each_newcomer_takes_one_place() {
    let recording = hourly(2).at(1, |epoch| {
        epoch.clone_server("a1", "b1");
        epoch.kill("a2");
        epoch.kill("a3");
    });
    let judged = judge(&recording, &[]);
    let kinds = ["A/a2", "A/a3"].map(|server| {
        let finding = judged.finding(CODE, server);
        (finding.details["kind"].clone(), finding.severity.as_str())
    });
    assert_eq!(kinds, [("replaced".into(), "info"), ("lost".into(), "warning")]);
}

#[test]
fn a_newcomer_of_another_epoch_replaces_nobody() {
    let recording = hourly(3).at(1, |epoch| epoch.kill("a3")).at(2, |epoch| {
        epoch.clone_server("a1", "b1");
        epoch.kill("a3");
    });
    let judged = judge(&recording, &[]);
    assert_eq!(chapters(judged.finding(CODE, "A/a3")), [(1, "warning", "lost")]);
}

#[test]
fn twice_lost_are_two_findings() {
    let judged = judge(&hourly(5).during([1, 3], |epoch| epoch.kill("a3")), &[]);
    let findings = judged.findings(CODE, "A/a3");
    let spans: Vec<_> = findings.iter().map(|finding| span(finding)).collect();
    assert_eq!(spans, [(1, Some(0), Some((2, "cured"))), (3, Some(2), Some((4, "cured")))]);
    assert_eq!(findings[1].flaps, 1);
}

#[test]
fn a_seat_that_answers_in_another_cluster_is_not_lost() {
    let recording = hourly(3).during([1, 2], |epoch| {
        epoch.rename_cluster("A", "B");
        for server in ["a1", "a2", "a3"] {
            epoch.restart(server, 2, hours(1) / 2);
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3")[..2], ["ok", "not_applicable"]);
    assert_eq!(judged.verdicts(CODE, "B/a3"), ["-", "ok", "ok"]);
    assert_eq!(judged.findings(CODE, "A/a3").len(), 0);
    assert_eq!(judged.all_findings(), []);
}

#[test]
fn an_unnamed_server_is_followed_by_its_address() {
    let unnamed = hourly(1).at(0, |epoch| {
        epoch.unname("a3");
        epoch.expect_server("NELSE", "a1", "A", "2.14.6");
    });
    let id = unnamed.epochs[0].servers().into_iter().find(|name| name.starts_with('N')).unwrap();
    let recording =
        unnamed.repeat(3, hours(1)).during([1, 2], |e| e.replace(&id, &later_id(&id, 3)));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE).len(), 3);
    assert_eq!(judged.all_findings(), []);
    // In an epoch without its VARZ the address is not told, and its id says who it is.
    let recording = recording.at(2, |epoch| epoch.drop_reply(&later_id(&id, 3), &Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE).len(), 3);
    assert_eq!(judged.all_findings(), []);
}

#[test]
fn an_unnamed_process_of_the_header_may_have_been_restarted() {
    let recording = hourly(1).at(0, |epoch| {
        epoch.unname("a3");
        epoch.expect_server("NEARLIER", "NEARLIER", "A", "2.14.6");
        epoch.ask("NEARLIER", Status::NoResponders);
    });
    assert_eq!(judge(&recording, &[]).all_findings(), []);
    let recording = hourly(1).at(0, |epoch| {
        epoch.expect_server("NEARLIER", "NEARLIER", "A", "2.14.6");
        epoch.ask("NEARLIER", Status::NoResponders);
    });
    let all = judge(&recording, &[]).all_findings();
    assert_eq!(all, [(CODE.to_owned(), "A/NEARLIER".to_owned())]);
}

#[test]
fn a_peer_that_never_answered_is_no_earlier_member() {
    let judged = judge(&hourly(1).at(0, |epoch| epoch.hang("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["unknown(server_silent)"]);
    // From the second epoch on it is one that was known.
    let judged = judge(&hourly(2).each(|epoch| epoch.hang("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["unknown(server_silent)", "finding"]);
    assert_eq!(judged.finding(CODE, "A/a3").details["kind"], "unresponsive");
}

#[test]
fn the_second_server_of_one_name_is_followed_only_while_it_is_seen() {
    let age = hours(90);
    let four = [("a1", "2.14.6", age), ("a2", "2.14.6", age), ("a3", "2.14.6", age)];
    let recording = cluster(&four)
        .at(0, |epoch| {
            epoch.clone_server("a3", "b3");
        })
        .repeat(3, hours(1));
    let mut recording = recording;
    for index in 0..3 {
        if index > 0 {
            recording.epochs[index].kill("b3");
        } else {
            recording.epochs[index].rename("b3", "a3");
        }
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.all_findings(), []);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok"; 3]);
}

#[test]
fn evidence_names_the_request_and_who_names_it() {
    let judged = judge(&hourly(2).at(1, |epoch| epoch.hang("a3")), &[]);
    let finding = judged.finding(CODE, "A/a3");
    let facts: Vec<_> = finding
        .evidence
        .iter()
        .filter(|fact| fact.name != "active_servers")
        .map(|fact| (fact.name.as_str(), fact.source.as_str(), fact.value.to_string()))
        .collect();
    let request = ("request", "a3", "\"timeout\"".to_owned());
    let named = |by| ("named", by, "true".to_owned());
    assert_eq!(facts, [request, named("a1"), named("a2")]);
    assert_eq!(finding.evidence[0].epoch, 1);
}

#[test]
fn a_server_that_was_lost_and_answers_in_another_cluster_is_ended_there() {
    let recording = hourly(3).at(1, |epoch| epoch.kill("a3")).at(2, |epoch| {
        epoch.rename_cluster("A", "B");
        for server in ["a1", "a2", "a3"] {
            epoch.restart(server, 2, hours(1) / 2);
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "finding", "not_applicable"]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(span(finding), (1, Some(0), Some((2, "ended"))));
    let because = &finding.closed.as_ref().unwrap().because;
    assert!(because.contains("a3 answers in"), "{because}");
}

#[test]
fn a_newcomer_that_is_not_counted_yet_makes_no_lame_duck() {
    let recording = hourly(2).at(1, |epoch| {
        epoch.lame_duck("a3");
        epoch.clone_server("a1", "b1");
    });
    let judged = judge(&recording, &[]);
    assert_eq!(chapters(judged.finding(CODE, "A/a3")), [(1, "warning", "unresponsive")]);
}
