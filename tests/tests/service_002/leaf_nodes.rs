//! Services behind leaf nodes: their absence from connections proves nothing.

use nats_hindsight_snapshot::lines::Status::{NoResponders, Timeout};
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, closed, down, hides, kind, minutes};

/// `orders` runs behind a leaf node that answers no system request, and is gone in the second
/// epoch.
fn behind(edit: impl Fn(&mut Epoch)) -> Recording {
    minutes(2).each(|epoch| epoch.put_behind_leaf("orders", "leaf-west")).at(1, |epoch| {
        epoch.end_service("APP", "orders");
        edit(epoch);
    })
}

fn nobody(epoch: &mut Epoch) {
    epoch.asked("APP", "orders", &[NoResponders, NoResponders]);
}

#[test]
fn row_behind_a_leaf_node_with_time_outs_is_unknown_and_names_the_leaf() {
    let silent = behind(|epoch| epoch.asked("APP", "orders", &[Timeout, Timeout]));
    let judged = judge(&silent, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(behind_leaf_node)"]);
    assert_eq!(hides(&judged), [json!({"kind": "leaf_node", "leaf": "leaf-west"})]);
}

#[test]
fn row_behind_a_leaf_node_with_no_responders_is_gone_if_the_leaf_connection_stands() {
    let judged = judge(&behind(nobody), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    assert_eq!(kind(judged.finding(CODE, ORDERS)), "gone");
}

#[test]
fn row_behind_a_leaf_node_with_no_responders_is_cut_off_if_the_leaf_connection_fell() {
    let fallen = behind(|epoch| {
        nobody(epoch);
        epoch.drop_leafs();
    });
    let judged = judge(&fallen, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["leaf-west"]));
}

#[test]
fn behind_a_leaf_node_whose_connection_nobody_tells_is_unknown() {
    let untold = behind(|epoch| {
        nobody(epoch);
        epoch.drop_leafs();
        epoch.drop_endpoint(&nats_hindsight_snapshot::Endpoint::LEAFZ);
    });
    let judged = judge(&untold, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "unknown(behind_leaf_node)"]);
}

#[test]
fn seen_by_nothing_but_a_leaf_connection_is_unknown_and_names_the_leaf() {
    let bundle = minutes(2).each(|epoch| {
        epoch.without_verbs();
        epoch.put_behind_leaf("orders", "leaf-west");
    });
    let judged = judge(&bundle, &[]);
    let hidden = "unknown(behind_leaf_node)";
    assert_eq!(judged.verdicts(CODE, ORDERS), [hidden, hidden]);
    assert_eq!(hides(&judged), [json!({"kind": "leaf_node", "leaf": "leaf-west"})]);
}

#[test]
fn on_both_sides_of_a_leaf_node_is_cut_off_with_whatever_fell() {
    // One instance at the hub, the others behind the leaf node.
    let both = minutes(2).each(|epoch| {
        let ids = epoch.instances("APP", "orders");
        epoch.clone_instance(&ids[0], "atTheHub");
        for id in &ids {
            epoch.clone_instance(id, &format!("{id}L"));
            epoch.end_instance(id);
            epoch.put_instance_behind_leaf(&format!("{id}L"), "leaf-west");
        }
        epoch.move_connection("atTheHub", "a3");
    });
    let hub_lost = both.at(1, |epoch| {
        down(epoch);
        epoch.kill("a3");
    });
    let judged = judge(&hub_lost, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kind(finding), "cut_off");
    assert_eq!(finding.details["cut_off_with"], json!(["a3"]));
}

#[test]
fn row_a_leaf_server_that_hangs_and_goes_on_as_recorded() {
    let judged = judge(&Recording::fixture("leaf-nodes"), &[]);
    let words = judged.verdicts(CODE, "APP/scan");
    assert_eq!([&words[..2], &words[3..]].concat(), ["ok", "ok", "ok", "finding", "ok"]);
    assert!(words[2].starts_with("unknown("), "{words:?}");
    let finding = judged.finding(CODE, "APP/scan");
    assert_eq!((kind(finding), finding.opened.moment.epoch), ("gone", 4));
    assert_eq!(closed(finding), Some((5, "cured")));
    let unknowns = &judged.report.systems[0].unknowns;
    let hidden = unknowns.iter().filter(|u| u.code == CODE).flat_map(|u| &u.hides);
    let hidden = serde_json::to_string(&hidden.collect::<Vec<_>>()).unwrap_or_default();
    assert!(hidden.contains("leaf-west"), "{hidden}");
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"; 6]);
}
