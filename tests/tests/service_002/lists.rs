//! What counts as an instance, as a reply, as listed, and as a complete list of connections.

use nats_hindsight_snapshot::lines::Status::{NoResponders, Timeout};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, down, hides, kind, minutes, of_orders};

/// `orders` is gone in the second epoch, and asking by name ended in time-outs.
fn gone_in_silence(edit: impl Fn(&mut Epoch)) -> Recording {
    minutes(2).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.asked("APP", "orders", &[Timeout, Timeout]);
        edit(epoch);
    })
}

#[test]
fn more_than_one_page_of_connections_is_one_list() {
    let paged = gone_in_silence(|_| ()).each(|epoch| epoch.page_connections(0));
    let judged = judge(&paged, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["servers"], json!(["a1", "a2", "a3"]), "all pages are read");
}

#[test]
fn totals_that_moved_between_pages_leave_a_doubt() {
    let moved = gone_in_silence(|epoch| epoch.page_connections(1));
    assert_eq!(of_orders(&moved), ["ok", "unknown(connections_incomplete)"]);
}

#[test]
fn a_server_whose_last_page_is_missing_is_named() {
    let cut = gone_in_silence(|epoch| epoch.cut_connections("a3"));
    let judged = judge(&cut, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(connections_incomplete)"]);
    assert_eq!(hides(&judged), [json!({"kind": "server", "cluster": "A", "server": "a3"})]);
}

#[test]
fn a_server_that_gave_no_list_is_named() {
    let lacking = gone_in_silence(|epoch| {
        epoch.drop_reply("a2", &nats_hindsight_snapshot::Endpoint::CONNZ);
    });
    let judged = judge(&lacking, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(connections_incomplete)"]);
    assert_eq!(hides(&judged)[0]["server"], "a2");
}

#[test]
fn a_row_of_this_service_whose_account_is_not_known_leaves_a_doubt() {
    let stock = minutes(2).each(|epoch| {
        epoch.without_verbs();
        epoch.unfilter_connections();
    });
    // Somewhere orders is listed, but nobody says in which account.
    let doubtful = stock.clone().at(1, |epoch| {
        epoch.forget_accounts("orders");
    });
    assert_eq!(of_orders(&doubtful), ["ok", "unknown(connections_incomplete)"]);
    // A row of another service hides nothing.
    let other = stock.at(1, |epoch| {
        epoch.unlist_service("orders");
        epoch.forget_accounts("billing");
    });
    let judged = judge(&other, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(judged.verdicts(CODE, "APP/billing"), ["ok", "unknown(connections_incomplete)"]);
}

#[test]
fn an_answer_that_is_not_of_a_service_counts_for_nothing() {
    let foreign = minutes(2).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.acknowledge("APP", "orders");
        epoch.asked("APP", "orders", &[NoResponders, NoResponders]);
    });
    let judged = judge(&foreign, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
}

#[test]
fn a_wildcard_subscriber_is_no_instance() {
    let judged = judge(&Recording::fixture("sniffer"), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(finding.details["instances_before"], 2);
    let servers = finding.details["servers"].as_array().map(Vec::len);
    assert!(servers <= Some(2), "{}", finding.details);
}

#[test]
fn an_id_that_answers_in_two_accounts_belongs_to_the_one_whose_connection_holds_it() {
    let imported = minutes(3).each(|epoch| epoch.import("orders", "APP", "OTHER")).at(2, |epoch| {
        epoch.end_service("APP", "orders");
        epoch.asked("APP", "orders", &[NoResponders, NoResponders]);
        epoch.asked("OTHER", "orders", &[NoResponders, NoResponders]);
    });
    let judged = judge(&imported, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok", "finding"]);
    assert_eq!(judged.subjects(CODE), ["APP/billing", ORDERS]);
}

#[test]
fn an_imported_service_that_the_header_expects_goes_down_once() {
    let before = minutes(1).epochs.remove(0);
    let outage = minutes(2).at(1, |epoch| {
        epoch.expect_service("APP", "orders", &before);
        epoch.expect_service("APP", "orders", &before);
        if let Some(imported) = epoch.header.expects.services.last_mut() {
            imported.account = "OTHER".to_owned();
            imported.servers.clear();
        }
        down(epoch);
        epoch.asked("OTHER", "orders", &[NoResponders, NoResponders]);
    });
    let last = Recording { epochs: outage.epochs[1..].to_vec() };
    let judged = judge(&last, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["finding"]);
    assert_eq!(judged.verdicts(CODE, "OTHER/orders"), ["-"]);
}

#[test]
fn accounts_are_told_apart_by_id_and_shown_by_name() {
    let id = "ADTESTACCOUNTID";
    let subject = format!("{id}/orders");
    let named = |epoch: &mut Epoch| epoch.set_account_id("APP", id, Some("Shop"));
    // The name is missing in the last epoch, as where one server has not loaded the account yet.
    let operator = minutes(3)
        .at(1, down)
        .at(2, down)
        .during([0, 1], named)
        .at(2, |epoch| epoch.set_account_id("APP", id, None));
    let judged = judge(&operator, &[]);
    assert_eq!(judged.verdicts(CODE, &subject), ["ok", "finding", "finding"]);
    assert_eq!(judged.findings(CODE, &subject).len(), 1);
    let shown = serde_json::to_value(&judged.finding(CODE, &subject).subject).unwrap_or_default();
    assert_eq!(shown["account"], "Shop");
    assert_eq!(shown["account_id"], id);
}

#[test]
fn services_can_be_judged_without_the_system_account() {
    let blind = Recording::fixture("service-down").each(Epoch::without_system);
    let judged = judge(&blind, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok", "ok"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
    assert_eq!(judged.verdicts(CODE, "APP/billing"), ["ok"; 5]);
}

#[test]
fn an_instance_that_no_list_shows_for_an_epoch_is_where_it_was() {
    // The lists of a3 are missing in the last good epoch; then a3 is killed.
    let story = minutes(3)
        .at(1, |epoch| epoch.drop_reply("a3", &nats_hindsight_snapshot::Endpoint::CONNZ))
        .at(2, |epoch| {
            down(epoch);
            epoch.kill("a3");
        });
    let judged = judge(&story, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!((kind(finding), &finding.details["cut_off_with"]), ("cut_off", &json!(["a3"])));
}

#[test]
fn replies_that_were_lost_and_came_when_asked_again_by_id_are_no_news() {
    let lost = minutes(2).at(1, |epoch| {
        let id = epoch.instances("APP", "orders").remove(0);
        epoch.answer_by_id_only(&id);
    });
    let judged = judge(&lost, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "ok"]);
    assert_eq!(judged.verdicts("SERVICE_001", ORDERS), ["ok", "ok"]);
}
