//! What is a difference and what is not: the libraries write the same thing in several ways.

use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::{CODE, ORDERS, edited, ids, kinds, minutes, of_orders, sides, unseen};

#[test]
fn a_queue_group_that_is_left_out_is_not_announced_and_named_so() {
    for group in [None, Some(json!(null)), Some(json!(["q"]))] {
        let left_out = minutes(1).each(|epoch| {
            let id = ids(epoch).swap_remove(0);
            epoch.set_queue_group(&id, group.as_ref());
        });
        let judged = judge(&left_out, &[]);
        assert_eq!(judged.verdicts(CODE, ORDERS), ["ok"], "{group:?}");
        assert_eq!(unseen(&judged), ["queue_group"], "{group:?}");
        let differing = left_out.each(|epoch| {
            let id = ids(epoch).swap_remove(1);
            epoch.set_queue_group(&id, Some(&json!("blue")));
        });
        let judged = judge(&differing, &[]);
        let finding = judged.finding(CODE, ORDERS);
        assert_eq!(sides(finding), [(json!("blue"), 1), (json!("q"), 1)], "{group:?}");
    }
    assert_eq!(unseen(&judge(&minutes(1), &[])), [""; 0]);
}

#[test]
fn a_queue_group_that_is_switched_off_is_another_answer_than_q() {
    let off = |numbers: &[usize]| {
        minutes(1).each(|epoch| {
            let all = ids(epoch);
            for number in numbers {
                epoch.set_queue_group(&all[*number], Some(&json!("")));
            }
        })
    };
    let judged = judge(&off(&[0]), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(sides(finding), [(json!(""), 1), (json!("q"), 2)]);
    assert_eq!(finding.details["differences"][0]["times_served"], 2);
    assert!(finding.summary.contains("2 × q, 1 × none"), "{}", finding.summary);
    let judged = judge(&off(&[0, 1]), &[]);
    let served = &judged.finding(CODE, ORDERS).details["differences"][0]["times_served"];
    assert_eq!(*served, 3, "each without a group serves all, and the group serves all");
    assert_eq!(of_orders(&off(&[0, 1, 2])), ["ok"], "all of them agree");
}

#[test]
fn another_subject_under_one_name_is_of_kind_subject_alone() {
    let moved = edited(1, 0, |body| {
        body["endpoints"][0]["subject"] = json!("orders.v2.call");
        body["endpoints"][0]["queue_group"] = json!("blue");
    });
    let judged = judge(&moved, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kinds(finding), ["subject"], "groups on two subjects serve nothing twice");
    assert_eq!(sides(finding), [(json!("orders.call"), 2), (json!("orders.v2.call"), 1)]);
    let untold = edited(1, 0, |body| body["endpoints"][0]["subject"] = Value::Null);
    assert_eq!(of_orders(&untold), ["ok"], "a subject that is left out is not another one");
}

#[test]
fn two_endpoints_of_one_name_are_told_apart_by_subject_in_any_order() {
    let both = |flipped: bool| {
        move |body: &mut Value| {
            let mut all = vec![
                json!({ "name": "call", "subject": "v1.call", "queue_group": "q" }),
                json!({ "name": "call", "subject": "v2.call", "queue_group": "q" }),
            ];
            if flipped {
                all.reverse();
            }
            body["endpoints"] = Value::Array(all);
        }
    };
    let same = minutes(1).each(|epoch| {
        for (number, id) in ids(epoch).iter().enumerate() {
            epoch.edit_info(id, both(number == 1));
        }
    });
    assert_eq!(of_orders(&same), ["ok"]);
    let lacking = same.each(|epoch| {
        let id = ids(epoch).swap_remove(2);
        epoch.edit_info(&id, |body| body["endpoints"][1]["subject"] = json!("v3.call"));
    });
    let judged = judge(&lacking, &[]);
    let finding = judged.finding(CODE, ORDERS);
    let differences = finding.details["differences"].as_array().into_iter().flatten();
    let told: Vec<(&Value, &Value)> = differences.map(|d| (&d["kind"], &d["subject"])).collect();
    let endpoint = json!("endpoint");
    assert_eq!(told, [(&endpoint, &json!("v2.call")), (&endpoint, &json!("v3.call"))]);
}

#[test]
fn a_group_on_the_same_subject_counts_whatever_the_endpoint_is_called() {
    let renamed = edited(1, 0, |body| {
        body["endpoints"][0]["name"] = json!("place");
        body["endpoints"][0]["queue_group"] = json!("blue");
    });
    let judged = judge(&renamed, &[]);
    assert_eq!(kinds(judged.finding(CODE, ORDERS)), ["queue_group", "endpoint"]);
}

#[test]
fn metadata_is_compared_by_its_keys() {
    let values = [json!({ "region": "eu", "host": "a" }), json!({ "host": "b", "region": "us" })];
    let metadata = |all: &[Value]| {
        minutes(1).each(|epoch| {
            for (id, value) in ids(epoch).iter().zip(all.iter().cycle()) {
                epoch.edit_info(id, |body| body["metadata"] = value.clone());
            }
        })
    };
    assert_eq!(of_orders(&metadata(&values)), ["ok"]);
    assert_eq!(of_orders(&metadata(&[json!({}), json!(null)])), ["ok"]);
    let absent = edited(1, 0, |body| drop(body.as_object_mut().unwrap().remove("metadata")));
    assert_eq!(of_orders(&absent), ["ok"]);
    let differing = metadata(&[json!({ "region": "eu" }), json!({}), json!(null)]);
    let judged = judge(&differing, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(
        (kinds(finding), sides(finding)),
        (vec!["metadata_keys"], vec![(json!([]), 2), (json!(["region"]), 1)])
    );
    assert_eq!(finding.details["differences"][0]["endpoint"], Value::Null);
}

#[test]
fn metadata_of_endpoints_is_compared_by_its_keys() {
    let empty = edited(1, 0, |body| body["endpoints"][0]["metadata"] = json!({}));
    assert_eq!(of_orders(&empty), ["ok"]);
    let null = edited(1, 0, |body| body["endpoints"][0]["metadata"] = json!(null));
    assert_eq!(of_orders(&null), ["ok"]);
    let set = edited(1, 0, |body| body["endpoints"][0]["metadata"] = json!({ "schema": "1" }));
    let judged = judge(&set, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(kinds(finding), ["metadata_keys"]);
    assert_eq!(finding.details["differences"][0]["endpoint"], "call");
}

#[test]
fn a_field_that_cannot_be_read_is_no_agreement() {
    let odd = edited(1, 0, |body| body["endpoints"] = json!("orders.call"));
    let judged = judge(&odd, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["unknown(contract_unseen)"]);
    let told = judged.report.problems.iter().any(|problem| problem.text.contains("`endpoints`"));
    assert!(told, "{:#?}", judged.report.problems);
    assert_eq!(judged.verdicts("SERVICE_001", ORDERS), ["ok"], "its version is read all the same");
    let odd = edited(1, 0, |body| body["metadata"] = json!([1]));
    let judged = judge(&odd, &[]);
    assert_eq!(
        (judged.verdicts(CODE, ORDERS), unseen(&judged)),
        (vec!["ok".to_owned()], vec!["metadata_keys"])
    );
}
