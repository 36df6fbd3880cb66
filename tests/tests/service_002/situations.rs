//! The table of situations.

use nats_hindsight_analyzer::report::Severity;
use nats_hindsight_analyzer::settings::{Pattern, Settings};
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{judge, judge_with};

use super::{CODE, ORDERS, closed, down, hides, kind, kinds, minutes, of_orders};

#[test]
fn row_three_zero_zero_three_is_one_interval() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.opened.moment.epoch, 1);
    assert_eq!(finding.opened.last_ok.as_ref().map(|ok| ok.epoch), Some(0));
    assert!(!finding.opened.at_or_before);
    assert_eq!(closed(finding), Some((3, "cured")));
    assert_eq!((kind(finding), finding.flaps), ("gone", 0));
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.details["asked_through"], "a1");
}

#[test]
fn row_three_zero_zero_three_is_one_interval_also_without_connz() {
    let blind = Recording::fixture("service-down").each(Epoch::drop_connections);
    let judged = judge(&blind, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((finding.opened.moment.epoch, closed(finding)), (1, Some((3, "cured"))));
    assert_eq!(kind(finding), "gone");
    assert!(finding.summary.contains("may also be cut off"), "{}", finding.summary);
}

#[test]
fn row_three_to_one_is_ok() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    assert_eq!(judged.verdicts(CODE, "APP/billing"), ["ok"; 5]);
}

#[test]
fn row_a_service_that_appears_for_the_first_time_is_ok() {
    let judged = judge(&Recording::fixture("service-down"), &[]);
    assert_eq!(judged.verdicts(CODE, "APP/mailer"), ["-", "-", "ok", "ok", "ok"]);
}

#[test]
fn row_never_seen_and_not_remembered_is_no_subject() {
    let asked = minutes(2).each(|epoch| {
        epoch.asked("APP", "ghost", &[Status::NoResponders, Status::NoResponders]);
    });
    assert_eq!(judge(&asked, &[]).subjects(CODE), ["APP/billing", "APP/orders"]);
}

#[test]
fn row_same_name_in_two_accounts_one_goes() {
    let judged = judge(&Recording::fixture("two-accounts"), &[]);
    assert_eq!(judged.verdicts(CODE, "APP2/orders"), ["ok", "ok", "finding", "finding"]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 4]);
    let finding = judged.finding(CODE, "APP2/orders");
    assert_eq!((kind(finding), finding.opened.moment.epoch), ("gone", 2));
    assert!(finding.closed.is_none());
}

#[test]
fn row_its_only_server_hung_then_dropped_is_unknown_then_cut_off() {
    let judged = judge(&Recording::fixture("hung-server"), &[]);
    let unknown = "unknown(server_silent)";
    let expected = ["ok", unknown, unknown, "finding", "ok", "ok"];
    assert_eq!(judged.verdicts(CODE, "APP/billing"), expected);
    let finding = judged.finding(CODE, "APP/billing");
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], serde_json::json!(["a3"]));
    assert_eq!(finding.opened.moment.epoch, 3);
    assert!(finding.opened.at_or_before, "the epoch before was unknown");
    assert_eq!(closed(finding), Some((4, "cured")));
    assert_eq!(judged.findings("HINT_001", "A/a3").len(), 1);
}

#[test]
fn row_its_only_server_hung_is_unknown_and_names_it() {
    let hung = minutes(2).each(on_a3).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.hang("a3");
        epoch.asked("APP", "orders", &[Status::Timeout, Status::Timeout]);
    });
    let judged = judge(&hung, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(server_silent)"]);
    assert_eq!(hides(&judged)[0]["server"], "a3");
}

/// All instances of `orders` are connected to a3.
fn on_a3(epoch: &mut Epoch) {
    for id in epoch.instances("APP", "orders") {
        epoch.move_connection(&id, "a3");
    }
}

#[test]
fn row_its_server_killed_and_the_client_reconnects_is_ok() {
    let judged = judge(&Recording::fixture("server-lost"), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 5]);
    assert_eq!(judged.findings(CODE, ORDERS).len(), 0);
}

#[test]
fn row_its_server_killed_and_nothing_reconnects_is_cut_off_until_the_server_is_back() {
    let judged = judge(&Recording::fixture("server-lost"), &[]);
    let expected = ["ok", "finding", "finding", "finding", "ok"];
    assert_eq!(judged.verdicts(CODE, "APP/billing"), expected);
    let finding = judged.finding(CODE, "APP/billing");
    assert_eq!(kinds(finding), ["cut_off", "gone"]);
    assert_eq!(finding.opened.moment.epoch, 1);
    assert_eq!(closed(finding), Some((4, "cured")));
}

#[test]
fn row_its_server_killed_in_a_stock_bundle_is_cut_off() {
    let bundle = minutes(3).each(on_a3).each(Epoch::without_verbs);
    let bundle = bundle.during([1, 2], |epoch| epoch.kill("a3"));
    let judged = judge(&bundle, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], serde_json::json!(["a3"]));
    assert_eq!(finding.opened.last_ok.as_ref().map(|ok| ok.epoch), Some(0));
}

#[test]
fn row_all_instances_stopped_but_connected_is_silent_until_one_answers() {
    let judged = judge(&Recording::fixture("service-silent"), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kinds(finding), ["silent"]);
    assert_eq!(closed(finding), Some((3, "cured")));
    let listed = finding.evidence.iter().filter(|fact| fact.name == "listed").count();
    assert_eq!(listed, 2, "its connections are named: {:?}", finding.evidence);
    assert_eq!(judged.verdicts(CODE, "APP/billing"), ["ok"; 4]);
}

#[test]
fn row_silent_and_later_dropped_by_the_server_is_the_same_interval() {
    let story = minutes(5)
        .at(1, |epoch| {
            epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
            epoch.asked("APP", "orders", &[Status::Timeout, Status::Timeout]);
        })
        .at(2, down)
        // Listed again without a word: only an answer closes what was silent.
        .at(3, |epoch| {
            epoch.instances("APP", "orders").iter().for_each(|id| epoch.mute_instance(id));
        });
    let judged = judge(&story, &[]);
    let expected = ["ok", "finding", "finding", "unknown(instance_silent)", "ok"];
    assert_eq!(judged.verdicts(CODE, ORDERS), expected);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kinds(finding), ["silent", "gone"]);
    assert_eq!(closed(finding), Some((4, "cured")));
}

#[test]
fn row_somebody_listens_to_everything_and_connections_are_complete_is_gone() {
    let judged = judge(&Recording::fixture("sniffer"), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "gone");
    assert_eq!(closed(finding), Some((3, "cured")));
    assert_eq!(judged.subjects(CODE), [ORDERS], "the listener is no instance of anything");
}

#[test]
fn row_somebody_listens_to_everything_and_there_is_no_connz_is_unknown() {
    let blind = Recording::fixture("sniffer").each(Epoch::drop_connections);
    let unknown = "unknown(zero_unproven)";
    assert_eq!(of_orders(&blind), ["ok", unknown, unknown, "ok"]);
}

#[test]
fn row_a_stream_acknowledges_the_ping() {
    let acknowledged = minutes(2).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.acknowledge("APP", "orders");
        epoch.asked("APP", "orders", &[Status::Timeout, Status::Timeout]);
    });
    let judged = judge(&acknowledged, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
    assert_eq!(judged.subjects(CODE), ["APP/billing", ORDERS], "SRV is no service");
    let blind = acknowledged.at(1, Epoch::drop_connections);
    assert_eq!(of_orders(&blind)[1], "unknown(connections_incomplete)");
}

#[test]
fn a_service_whose_name_cannot_stand_in_a_subject_cannot_be_proven_to_be_gone() {
    let judged = judge(&Recording::fixture("hostile-names"), &[]);
    let subjects = judged.subjects(CODE);
    let script = subjects.iter().find(|subject| subject.contains("<script>")).unwrap();
    let word = "unknown(unaskable)";
    assert_eq!(judged.verdicts(CODE, script), ["ok", "ok", "ok", word, word]);
}

#[test]
fn row_credentials_fail_for_one_epoch() {
    let failed = minutes(3).at(1, |epoch| epoch.lose_account("APP"));
    assert_eq!(of_orders(&failed), ["ok"; 3], "listed, and nobody asked by name");
    let gone = minutes(3).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.lose_account("APP");
    });
    let judged = judge(&gone, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "ok"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
    let blind = failed.at(1, Epoch::drop_connections);
    assert_eq!(of_orders(&blind), ["ok", "unknown(account_unreachable)", "ok"]);
    let lost = minutes(3).at(1, |epoch| {
        epoch.lose_account_meanwhile("APP");
        epoch.drop_connections();
    });
    assert_eq!(of_orders(&lost), ["ok", "unknown(account_unreachable)", "ok"]);
}

#[test]
fn row_three_zero_three_zero_is_two_findings() {
    let judged = judge(&minutes(4).during([1, 3], down), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "ok", "finding"]);
    let findings = judged.findings(CODE, ORDERS);
    let told: Vec<_> =
        findings.iter().map(|f| (f.opened.moment.epoch, f.flaps, closed(f))).collect();
    assert_eq!(told, [(1, 0, Some((2, "cured"))), (3, 1, None)]);
}

#[test]
fn row_renamed_is_a_finding_with_replaced_by() {
    let renamed = minutes(3).during([1, 2], |epoch| {
        epoch.rename_service("APP", "orders", "orders-v2");
        epoch.asked("APP", "orders", &[Status::NoResponders, Status::NoResponders]);
    });
    let judged = judge(&renamed, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding"]);
    assert_eq!(judged.verdicts(CODE, "APP/orders-v2"), ["-", "ok", "ok"]);
    assert_eq!(judged.finding(CODE, ORDERS).details["replaced_by"], "orders-v2");
}

#[test]
fn row_scaled_to_zero_every_night_is_ok_and_listed_as_an_exception() {
    let mut settings = Settings::default();
    settings.exceptions.may_be_zero.push(Pattern {
        account: Some("APP".to_owned()),
        service: "ord*".to_owned(),
        reason: "scaled to zero at night".to_owned(),
    });
    let judged = judge_with(&minutes(4).during([1, 2], down), settings);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 4]);
    assert_eq!(judged.findings(CODE, ORDERS).len(), 0);
    let exceptions = &judged.report.systems[0].exceptions;
    assert_eq!(exceptions.len(), 1, "{exceptions:?}");
    assert_eq!(exceptions[0].kind, "may_be_zero");
    assert_eq!(exceptions[0].reason, "scaled to zero at night");
    assert_eq!(exceptions[0].epochs, [[1, 2]]);
}
