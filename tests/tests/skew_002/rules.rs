//! What the check owes to all checks: it caps its lists, and what it does not see is not good.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::judge;
use serde_json::json;

use super::{CODE, ORDERS, edited, ids, minutes, odd, of_orders};

#[test]
fn lists_are_capped_and_the_rest_is_counted() {
    let wide = edited(1, 0, |body| {
        let all =
            (0..60).map(|n| json!({ "name": format!("e{n:02}"), "subject": format!("o.{n}") }));
        body["endpoints"] = all.collect();
    });
    let judged = judge(&wide, &[]);
    let finding = judged.finding(CODE, ORDERS);
    let listed = finding.details["differences"].as_array().map(Vec::len);
    // Sixty that are more, and `call`, which is less.
    assert_eq!((listed, &finding.details["omitted"]), (Some(50), &json!(11)));
    assert!(finding.summary.contains("59 more differences"), "{}", finding.summary);
    assert!(finding.evidence.len() <= 50);
}

#[test]
fn many_instances_are_capped_too() {
    let many = minutes(1).each(|epoch| {
        let id = ids(epoch).swap_remove(0);
        for number in 0..120 {
            let copy = format!("copy{number:03}");
            epoch.clone_instance(&id, &copy);
            let group = if number % 2 == 0 { "blue" } else { "green" };
            epoch.set_queue_group(&copy, Some(&json!(group)));
        }
    });
    let judged = judge(&many, &[]);
    let finding = judged.finding(CODE, ORDERS);
    let sides = &finding.details["differences"][0]["sides"];
    assert_eq!(sides[0]["count"], 60);
    assert_eq!(sides[0]["instances"].as_array().map(Vec::len), Some(50));
    assert_eq!(odd(finding).len(), 50);
}

#[test]
fn an_answer_whose_connection_was_lost_leaves_room_for_others() {
    let lost = minutes(1).each(|epoch| {
        for server in ["a1", "a2", "a3"] {
            epoch.drop_reply(server, &Endpoint::CONNZ);
        }
    });
    assert_eq!(of_orders(&lost), ["unknown(connections_incomplete)"]);
    let one = minutes(1).each(|epoch| epoch.drop_reply("a1", &Endpoint::CONNZ));
    assert_eq!(of_orders(&one), ["unknown(connections_incomplete)"], "one of them is on a1");
}

#[test]
fn without_any_connection_the_answers_are_judged_if_nobody_asked_for_more() {
    let blind = minutes(1).each(Epoch::drop_connections);
    assert_eq!(of_orders(&blind), ["ok"]);
}

#[test]
fn another_record_order_says_the_same() {
    let recording = Recording::fixture("contract-drift");
    let turned = recording.clone().each(|epoch| epoch.replies.reverse());
    let (one, other) = (judge(&recording, &[]), judge(&turned, &[]));
    assert_eq!(one.finding(CODE, ORDERS).details, other.finding(CODE, ORDERS).details);
}
