//! What is not known, and what that does to a window.

use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::*;

const SILENT: &str = "unknown(instance_silent)";

#[test]
fn a_mute_instance_keeps_the_window_open_with_a_gap() {
    let mut rows = rollout();
    rows.insert(2, rows[2].clone());
    let recording = told(&rows).at(2, |epoch| epoch.mute_instance("n"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", SILENT, "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 3, Some((4, "cured"))));
    assert_eq!(finding.gaps.len(), 1);
    // Counted across the gap.
    assert_eq!(served(&finding.details, NEW), four([Some(17), Some(21), Some(3), Some(4)]));
    assert_eq!(lasted(&finding.details), (json!(150), json!(240)));
}

#[test]
fn two_versions_are_a_window_whoever_is_mute() {
    let recording = told(&rollout()).at(2, |epoch| epoch.mute_instance("b"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok"]);
    let details = &judged.finding(CODE, ORDERS).details;
    // b tells one reading, and nothing at the end.
    assert_eq!(served(details, OLD), four([Some(10), None, Some(1), None]));
    assert_eq!(members(details, OLD), [2, 1, 1]);
    assert_eq!(unseen(&judged, ORDERS), [("requests", vec![[2, 2]])]);
}

#[test]
fn a_mute_instance_keeps_it_from_closing() {
    let mut rows = rollout();
    rows[3].push(("m", NEW, 130, Some((0, 0))));
    let recording = told(&rows).at(3, |epoch| epoch.mute_instance("m"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS)[3], SILENT);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, None));
    // It may have gone on until the epoch of which nothing is known.
    assert_eq!(lasted(&finding.details), (json!(90), json!(180)));
}

#[test]
fn where_nobody_answers_what_was_asked_the_version_is_hidden_by_silence() {
    let recording = told(&rollout()).at(1, |epoch| {
        for id in ["a", "b", "n"] {
            epoch.mute_instance(id);
        }
    });
    assert_eq!(judge(&recording, &[]).verdicts(CODE, ORDERS)[1], SILENT);
    // Where the account could not ask, its version was not to be had.
    let recording = told(&rollout()).at(1, Epoch::without_verbs);
    let unseen = "unknown(app_version_unseen)";
    assert_eq!(judge(&recording, &[]).verdicts(CODE, ORDERS)[1], unseen);
}

#[test]
fn an_answer_without_a_version_hides_the_version() {
    let recording = told(&rollout()).at(0, |epoch| {
        for reply in &mut epoch.replies {
            if reply.body["id"] == "a" {
                reply.body["version"] = Value::Null;
            }
        }
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS)[0], "unknown(app_version_unseen)");
}

#[test]
fn connections_that_were_lost_may_hide_an_instance_and_close_all_the_same() {
    let lost = |index: usize| {
        told(&rollout()).at(index, |epoch| {
            let servers = epoch.servers();
            for server in &servers {
                epoch.cut_connections(server);
            }
            epoch.retain(|r| r.line.endpoint != Endpoint::CONNZ, |_| true);
        })
    };
    let hidden = "unknown(connections_incomplete)";
    assert_eq!(judge(&lost(0), &[]).verdicts(CODE, ORDERS)[0], hidden);
    let judged = judge(&lost(3), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", hidden]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, Some((3, "cured"))));
    assert_eq!(served(&finding.details, NEW), four([Some(17), Some(21), Some(3), Some(4)]));
}

#[test]
fn a_service_that_is_not_seen_leaves_the_window_open() {
    let recording = told(&rollout()).at(2, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.lose_account("APP");
        epoch.retain(|r| r.line.endpoint != Endpoint::CONNZ, |_| true);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS)[2], "unknown(account_unreachable)");
    assert_eq!(span(judged.finding(CODE, ORDERS)), (1, 1, Some((3, "cured"))));
}
