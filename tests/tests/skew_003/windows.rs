//! When a window opens and closes, and what it is called then.

use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::*;

#[test]
fn a_window_opens_with_the_second_version_and_closes_with_the_last() {
    let judged = judge(&told(&rollout()), &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, Some((3, "cured"))));
    assert_eq!(finding.severity.as_str(), "info");
    assert_eq!(finding.summary, "2 instances on 1.2.0, 1 instance on 1.3.0 at the same time");
    assert_eq!(finding.evidence.len(), 3);
    assert_eq!(finding.evidence[0].value, json!(OLD));
}

#[test]
fn a_window_open_at_the_end_is_told_so_far() {
    let judged = judge(&told(&rollout()[..3]), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, None));
    assert_eq!(lasted(&finding.details), (json!(90), json!(120)));
    let details = &finding.details;
    assert_eq!(served(details, OLD), four([Some(15), Some(25), Some(1), Some(3)]));
    assert_eq!(served(details, NEW), four([Some(17), Some(17), Some(3), Some(3)]));
}

#[test]
fn every_window_of_a_subject_has_numbers_of_its_own() {
    let mut rows = rollout();
    rows.push(vec![("n", NEW, 30, Some((30, 5))), ("z", "1.4.0", 210, Some((2, 0)))]);
    rows.push(vec![("n", NEW, 30, Some((36, 6))), ("z", "1.4.0", 210, Some((9, 9)))]);
    let judged = judge(&told(&rows), &[]);
    let windows = judged.findings(CODE, ORDERS);
    let spans: Vec<_> = windows.iter().map(|finding| span(finding)).collect();
    assert_eq!(spans, [(1, 2, Some((3, "cured"))), (4, 5, None)]);
    assert_eq!(windows.iter().map(|finding| finding.flaps).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(served(&windows[0].details, OLD)[0], json!(15));
    let second = &windows[1].details;
    assert_eq!(served(second, NEW), four([Some(6), Some(15), Some(1), Some(2)]));
    assert_eq!(served(second, "1.4.0"), four([Some(9), Some(9), Some(9), Some(9)]));
    assert_eq!(second["sides"].as_array().map(Vec::len), Some(2), "1.2.0 is of the first");
    assert_eq!(lasted(second), (json!(90), json!(120)));
}

#[test]
fn three_versions_are_three_sides_oldest_first_and_a_chapter_each() {
    let mut rows = rollout();
    rows[2].push(("z", "1.10.0", 70, Some((4, 0))));
    rows[3].push(("z", "1.10.0", 70, Some((8, 0))));
    let judged = judge(&told(&rows), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 3, None), "two are left");
    let sides = finding.details["sides"].as_array().unwrap();
    let versions: Vec<&Value> = sides.iter().map(|side| &side["version"]).collect();
    assert_eq!(versions, [OLD, NEW, "1.10.0"]);
    assert_eq!(served(&finding.details, "1.10.0")[0], json!(8));
    assert_eq!(served(&finding.details, OLD)[0], json!(15), "those that went stay counted");
    let chapters: Vec<(usize, &Value)> =
        finding.changes.iter().map(|c| (c.moment.epoch, &c.face["versions"])).collect();
    let expected =
        [(1, json!([OLD, NEW])), (2, json!([OLD, NEW, "1.10.0"])), (3, json!([NEW, "1.10.0"]))];
    assert_eq!(chapters, expected.each_ref().map(|(epoch, face)| (*epoch, face)));
}

#[test]
fn a_window_ends_with_the_service() {
    let recording = told(&[&rollout()[..3], &rollout()[2..3]].concat())
        .at(3, |epoch| epoch.down("APP", "orders"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, ORDERS)[3], "not_applicable");
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, Some((3, "ended"))));
    let closed = finding.closed.as_ref().unwrap();
    assert_eq!(closed.because, "the service has no instance any more");
    assert_eq!(lasted(&finding.details), (json!(90), json!(180)), "final numbers");
    assert_eq!(served(&finding.details, NEW), four([Some(17), None, Some(3), None]));
}

#[test]
fn after_a_service_was_down_a_window_is_bounded_by_that() {
    let mut rows: Vec<Vec<Row<'_>>> = vec![rollout().remove(0), rollout().remove(0)];
    rows.push(vec![("c", OLD, 70, Some((5, 0))), ("d", NEW, 80, Some((6, 1)))]);
    rows.push(vec![("c", OLD, 70, Some((8, 0))), ("d", NEW, 80, Some((9, 1)))]);
    let recording = told(&rows).at(1, |epoch| epoch.down("APP", "orders"));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(lasted(&finding.details), (json!(100), json!(120)));
    // c started before d, and nobody counted what it had served when d came.
    assert_eq!(served(&finding.details, OLD), four([Some(3), Some(8), Some(0), Some(0)]));
    assert_eq!(served(&finding.details, NEW), four([Some(9), Some(9), Some(1), Some(1)]));
}

#[test]
fn a_window_in_the_first_epoch_began_at_or_before() {
    let judged = judge(&told(&rollout()[1..]), &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert!(finding.opened.at_or_before);
    assert_eq!(lasted(&finding.details).1, Value::Null);
    assert_eq!(served(&finding.details, OLD), four([Some(15), None, Some(1), None]));
    assert_eq!(served(&finding.details, NEW)[0], json!(17));
}

#[test]
fn nobody_is_counted_across_two_collectors() {
    let mut rows = rollout();
    rows.insert(2, rows[2].clone());
    rows[2][0].3 = Some((20, 1));
    rows.insert(4, rows[3].clone());
    rows[4][0].3 = Some((26, 2));
    rows.truncate(5);
    let mut recording = told(&rows);
    for index in [1, 3] {
        "another".clone_into(&mut recording.epochs[index].header.collector.id);
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.report.systems.len(), 1);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 4, None));
    // The last word is that of the first collector: 20 to 26 and 30 to 30, since the good epoch.
    assert_eq!(served(&finding.details, OLD), four([Some(6 + 5 - 5), Some(26), Some(1), Some(3)]));
    assert_eq!(lasted(&finding.details), (json!(210), json!(240)));
}

#[test]
fn the_other_collector_alone_closes_what_it_sees_as_a_whole() {
    let mut rows = rollout();
    rows[3] = vec![
        ("a", NEW, 150, Some((0, 0))),
        ("b", NEW, 150, Some((0, 0))),
        ("n", NEW, 30, Some((21, 4))),
    ];
    let recording = told(&rows).at(3, |epoch| {
        "another".clone_into(&mut epoch.header.collector.id);
    });
    let finding = judge(&recording, &[]).finding(CODE, ORDERS).clone();
    assert_eq!(span(&finding), (1, 2, Some((3, "cured"))));
    // It knows nothing of the window, whose numbers stay those of the collector that saw it.
    assert_eq!(lasted(&finding.details), (json!(90), json!(120)));
    assert_eq!(served(&finding.details, NEW), four([Some(17), Some(17), Some(3), Some(3)]));
}

#[test]
fn epochs_out_of_order_are_a_gap_and_counted_across() {
    let mut rows = rollout();
    rows.insert(2, rows[2].clone());
    rows[2][0].3 = Some((9_000, 0));
    let recording = told(&rows).at(2, |epoch| {
        // The servers' clocks of an hour ago.
        let uuid = epoch.header.uuid.clone();
        let start = epoch.header.start;
        let sequence = epoch.header.run.sequence;
        epoch.later(SignedDuration::from_hours(-1), 0);
        epoch.header.uuid = uuid;
        epoch.header.start = start;
        epoch.header.run.sequence = sequence;
    });
    let judged = judge(&recording, &[]);
    let words = ["ok", "finding", "unknown(out_of_order)", "finding", "ok"];
    assert_eq!(judged.verdicts(CODE, ORDERS), words);
    let details = &judged.finding(CODE, ORDERS).details;
    assert_eq!(served(details, OLD)[0], json!(15), "what is out of order is not read");
    assert_eq!(lasted(details), (json!(150), json!(240)));
}

#[test]
fn those_that_come_and_go_are_kept_as_sums() {
    let ids: Vec<String> = (0..600).map(|number| format!("n{number:03}")).collect();
    let half = |from: usize, to: usize| {
        ids[from..to]
            .iter()
            .map(|id| (id.as_str(), NEW, 40, Some((2, 1))))
            .collect::<Vec<Row<'_>>>()
    };
    let a = |served: u64| vec![("a", OLD, -3600, Some((served, 0)))];
    let rows =
        [a(1), [a(2), half(0, 300)].concat(), [a(3), half(300, 600)].concat(), [a(9)].concat()];
    let rows: Vec<&[Row<'_>]> = rows.iter().map(Vec::as_slice).collect();
    let details = window(&story(&rows));
    assert_eq!(members(&details, NEW), [600, 0, 600]);
    assert_eq!(served(&details, NEW), four([Some(1_200), None, Some(600), None]));
    assert_eq!(served(&details, OLD), four([Some(1), Some(8), Some(0), Some(0)]));
    assert_eq!(details.get("left_out"), None);
}

#[test]
fn a_name_in_two_accounts_is_two_services() {
    let judged = judge(&Recording::fixture("two-accounts"), &[]);
    assert_eq!(judged.findings(CODE, "APP/orders").len(), 0);
    assert_eq!(judged.findings(CODE, "APP2/orders").len(), 0);
    assert_eq!(judged.verdicts(CODE, "APP2/orders")[..2], ["ok", "ok"]);
}

#[test]
fn a_service_asked_in_vain_is_as_unknown_as_it_is_elsewhere() {
    let mut recording = told(&[rollout().remove(0), rollout().remove(0)]);
    recording.epochs[1].end_service("APP", "orders");
    recording.epochs[1].asked("APP", "orders", &[Status::NoResponders]);
    recording.epochs[1].drop_connections();
    let judged = judge(&recording, &[]);
    assert!(judged.verdicts(CODE, ORDERS)[1].starts_with("unknown("));
}
