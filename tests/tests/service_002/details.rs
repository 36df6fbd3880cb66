//! What a finding says.

use jiff::SignedDuration;
use nats_hindsight_analyzer::settings::{Pattern, Retired, Settings};
use nats_hindsight_snapshot::lines::Status::{NoResponders, Timeout};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{judge, judge_with};
use serde_json::json;

use super::{CODE, ORDERS, closed, down, kind, minutes};

#[test]
fn last_instances_are_those_of_the_last_good_epoch() {
    let story = minutes(3).during([1, 2], down);
    let ids = story.epochs[0].instances("APP", "orders");
    let judged = judge(&story, &[]);
    let details = &judged.finding(CODE, ORDERS).details;
    let last = details["last_instances"].as_array().cloned().unwrap_or_default();
    let told: Vec<_> = last.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(told, ids);
    for row in &last {
        assert_eq!((&row["version"], &row["connection"]), (&json!("1.2.0"), &json!("orders")));
        assert!(row["age_s"].is_i64() || row["age_s"].is_u64(), "{row}");
        assert!(["a1", "a2", "a3"].iter().any(|server| row["server"] == *server), "{row}");
    }
    assert_eq!(details["single_instance"], false);
    assert_eq!(details["new_instances"], false);
    assert_eq!(details["nats_healthy"], true);
    assert_eq!(details["replaced_by"], json!(null));
}

#[test]
fn requests_and_the_rate_of_errors_before_are_told() {
    let story = minutes(2).at(1, down).at(0, |epoch| {
        for id in epoch.instances("APP", "orders") {
            epoch.set_served(&id, 200, 5);
        }
    });
    let judged = judge(&story, &[]);
    let requests = &judged.finding(CODE, ORDERS).details["last_requests"];
    assert_eq!(*requests, json!({"requests": 600, "errors": 15, "error_rate": 0.025}));
}

#[test]
fn stops_tell_when_and_why_each_connection_ended_as_recorded() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    let finding = judged.finding(CODE, ORDERS);
    let stops = finding.details["stops"].as_array().cloned().unwrap_or_default();
    assert_eq!(stops.len(), 3, "{}", finding.details);
    for stop in &stops {
        assert_eq!(stop["reason"], "Client Closed");
        assert!(stop["time"].as_str() > Some(finding.opened.last_ok_time()), "{stop}");
        assert!(stop["time"].as_str() < Some(&finding.opened.moment.time), "{stop}");
    }
    let ended = finding.evidence.iter().filter(|fact| fact.name == "connection ended");
    assert_eq!(ended.count(), 3);
}

/// Time of the last good epoch, for comparison.
trait LastOk {
    fn last_ok_time(&self) -> &str;
}

impl LastOk for nats_hindsight_analyzer::report::Opened {
    fn last_ok_time(&self) -> &str {
        self.last_ok.as_ref().map_or("", |moment| &moment.time)
    }
}

#[test]
fn without_closed_connections_no_stop_is_told() {
    let blind = Recording::fixture("service-down")
        .each(|epoch| epoch.drop_endpoint(&nats_hindsight_snapshot::Endpoint::CONNZ_CLOSED));
    let judged = judge(&blind, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["stops"], json!([]));
    assert_eq!(kind(finding), "gone", "they only enrich");
}

#[test]
fn a_single_instance_and_a_failed_deployment_are_told() {
    let story = minutes(3)
        .each(|epoch| {
            let ids = epoch.instances("APP", "orders");
            ids.iter().skip(1).for_each(|id| epoch.end_instance(id));
        })
        // Just before the end another process had taken its place.
        .at(1, |epoch| {
            let id = epoch.instances("APP", "orders").remove(0);
            epoch.restart_instance(&id, "justDeployed");
        })
        .at(2, down);
    let judged = judge(&story, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.opened.moment.epoch, 2);
    assert_eq!(finding.details["single_instance"], true);
    assert_eq!(finding.details["new_instances"], true);
    assert_eq!(finding.details["last_instances"][0]["id"], "justDeployed");
}

#[test]
fn a_server_lost_meanwhile_means_that_nats_is_not_healthy() {
    let judged = judge(
        &minutes(2).at(1, |epoch| {
            down(epoch);
            epoch.kill("a2");
        }),
        &[],
    );
    assert_eq!(judged.finding(CODE, ORDERS).details["nats_healthy"], false);
}

#[test]
fn a_server_lost_meanwhile_is_not_forgotten_when_it_is_back() {
    let story = minutes(4).during([1, 2], down).at(1, |epoch| epoch.kill("a2"));
    let judged = judge(&story, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((finding.last_seen.epoch, &finding.details["nats_healthy"]), (2, &json!(false)));
    // One that was lost before the service was last there has nothing to do with it.
    let before = minutes(4).at(0, |epoch| epoch.kill("a2")).at(3, down);
    let judged = judge(&before, &[]);
    assert_eq!(judged.finding(CODE, ORDERS).details["nats_healthy"], true);
}

fn both_down(epoch: &mut Epoch) {
    epoch.down("APP", "orders");
    epoch.down("APP", "billing");
}

#[test]
fn a_group_names_who_went_together_and_what_they_have_in_common() {
    let account = judge(&minutes(2).at(1, both_down), &[]);
    let group = &account.finding(CODE, ORDERS).details["group"];
    assert_eq!(*group, json!({"services": ["billing", "orders"], "cause": "account"}));
    assert_eq!(account.finding(CODE, "APP/billing").details["group"], *group);

    // A third service of the account stays: a deployment took the two away.
    let stays = |epoch: &mut Epoch| {
        let id = epoch.instances("APP", "orders").remove(0);
        epoch.clone_instance(&id, "ofMailer");
        epoch.rename_instance("ofMailer", "orders", "mailer");
    };
    let deployment = judge(&minutes(2).each(stays).at(1, both_down), &[]);
    let group = &deployment.finding(CODE, ORDERS).details["group"];
    assert_eq!(group["cause"], "deployment");
    assert_eq!(deployment.verdicts(CODE, "APP/mailer"), ["ok", "ok"]);

    // All ran on one server, which was killed.
    let on_a3 = |epoch: &mut Epoch| {
        for service in ["orders", "billing"] {
            for id in epoch.instances("APP", service) {
                epoch.move_connection(&id, "a3");
            }
        }
    };
    let server = judge(
        &minutes(2).each(stays).each(on_a3).at(1, |epoch| {
            both_down(epoch);
            epoch.kill("a3");
        }),
        &[],
    );
    assert_eq!(server.finding(CODE, ORDERS).details["group"]["cause"], "server");
}

#[test]
fn who_went_at_another_time_is_in_no_group() {
    let story = minutes(3).at(1, down).at(2, both_down);
    let judged = judge(&story, &[]);
    assert_eq!(judged.finding(CODE, ORDERS).details["group"], json!(null));
    assert_eq!(judged.finding(CODE, "APP/billing").details["group"], json!(null));
}

#[test]
fn retired_ends_the_interval_and_is_not_applicable_from_then_on() {
    let story = minutes(4).during([1, 2, 3], down);
    let mut settings = Settings::default();
    settings.exceptions.retired.push(Retired {
        service: Pattern {
            account: None,
            service: "orders".to_owned(),
            reason: "moved to the shop".to_owned(),
        },
        from: story.epochs[2].start(),
    });
    let judged = judge_with(&story, settings);
    let gone = "not_applicable";
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", gone, gone]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(closed(finding), Some((2, "ended")));
    let exceptions = &judged.report.systems[0].exceptions;
    let mine: Vec<_> = exceptions.iter().filter(|e| e.code == CODE).collect();
    assert_eq!(mine.len(), 1);
    assert_eq!((mine[0].kind, mine[0].reason.as_str()), ("retired", "moved to the shop"));
    assert_eq!(mine[0].epochs, [[2, 3]]);
}

#[test]
fn may_be_zero_covers_proven_zero_only() {
    let mut settings = Settings::default();
    settings.exceptions.may_be_zero.push(Pattern {
        account: None,
        service: "orders".to_owned(),
        reason: "scaled to zero at night".to_owned(),
    });
    let silent = minutes(3)
        .at(1, |epoch| {
            epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
            epoch.asked("APP", "orders", &[Timeout, Timeout]);
        })
        .at(2, |epoch| {
            epoch.end_service("APP", "orders");
            epoch.asked("APP", "orders", &[NoResponders]);
            epoch.drop_connections();
        });
    let judged = judge_with(&silent, settings);
    let words = judged.verdicts(CODE, ORDERS);
    assert_eq!(words, ["ok", "finding", "unknown(connections_incomplete)"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "silent");
    assert!(judged.report.systems[0].exceptions.is_empty());
}

#[test]
fn a_service_that_took_no_subjects_over_replaces_nothing() {
    let story = minutes(3).during([1, 2], |epoch| {
        let id = epoch.instances("APP", "billing").remove(0);
        epoch.clone_instance(&id, "ofOther");
        epoch.rename_instance("ofOther", "billing", "other");
        down(epoch);
    });
    let judged = judge(&story, &[]);
    assert_eq!(judged.verdicts(CODE, "APP/other"), ["-", "ok", "ok"]);
    assert_eq!(judged.finding(CODE, ORDERS).details["replaced_by"], json!(null));
}

#[test]
fn evidence_tells_each_answer_and_through_whom_it_came() {
    let hourly = Recording::epoch("service-down", 0).repeat(2, SignedDuration::from_hours(1));
    let judged = judge(&hourly.at(1, down), &[]);
    let finding = judged.finding(CODE, ORDERS);
    let answers: Vec<_> = finding.evidence.iter().filter(|fact| fact.name == "answer").collect();
    assert_eq!(answers.len(), 2, "{:?}", finding.evidence);
    for fact in answers {
        assert_eq!((fact.endpoint.as_str(), fact.source.as_str()), ("SRV_PING", "a1"));
        assert!(fact.value.as_str().is_some_and(|v| v.starts_with("no_responders")));
    }
}
