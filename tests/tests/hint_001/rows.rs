//! The rows of the table.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::Status;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use crate::{CODE, chapters, hourly, hours, span};

#[test]
fn row_killed_and_stays_away_is_lost() {
    let judged = judge(&hourly(4).during([2, 3], |epoch| epoch.kill("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "ok", "finding", "finding"]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(span(finding), (2, Some(1), None));
    assert_eq!(chapters(finding), [(2, "warning", "lost")]);
    assert_eq!(finding.details["kind"], "lost");
    assert_eq!(finding.details["version"], "2.14.6");
    assert_eq!(finding.details["named_by"], json!([]));
    assert_eq!(finding.details["last_seen"], judged.report.systems[0].epochs[1].time);
    assert_eq!(finding.details["replaced_by"], Value::Null);
    assert_eq!(judged.verdicts(CODE, "A/a1"), ["ok"; 4]);
    assert_eq!(judged.verdicts(CODE, "A/a2"), ["ok"; 4]);
    assert_eq!(judged.all_findings(), [(CODE.to_owned(), "A/a3".to_owned())]);
}

#[test]
fn row_comes_back_with_whatever_id_is_cured_as_recorded() {
    let recording = Recording::fixture("server-lost");
    assert_ne!(recording.epochs[0].id("a3"), recording.epochs[4].id("a3"));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "finding", "finding", "ok", "ok"]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(span(finding), (1, Some(0), Some((3, "cured"))));
    assert_eq!(chapters(finding), [(1, "warning", "lost")]);
    assert_eq!(finding.closed.as_ref().unwrap().because, "");
}

#[test]
fn row_comes_back_with_the_same_id_is_cured() {
    // It was cut off, not killed.
    let judged = judge(&hourly(3).at(1, |epoch| epoch.kill("a3")), &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "finding", "ok"]);
    assert_eq!(span(judged.finding(CODE, "A/a3")), (1, Some(0), Some((2, "cured"))));
}

#[test]
fn row_hung_is_unresponsive_then_lost_in_one_interval_as_recorded() {
    let judged = judge(&Recording::fixture("hung-server"), &[]);
    let words = ["ok", "finding", "finding", "finding", "ok", "ok"];
    assert_eq!(judged.verdicts(CODE, "A/a3"), words);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(span(finding), (1, Some(0), Some((4, "cured"))));
    assert_eq!(chapters(finding), [(1, "warning", "unresponsive"), (3, "warning", "lost")]);
    assert_eq!(finding.flaps, 0);
}

#[test]
fn row_lame_duck_is_hung_or_leaving_then_lost() {
    let recording = hourly(3).at(1, |epoch| epoch.hang("a3")).at(2, |epoch| epoch.kill("a3"));
    let leaving = judge(&Recording { epochs: recording.epochs[..2].to_vec() }, &[]);
    let finding = leaving.finding(CODE, "A/a3");
    assert!(finding.summary.ends_with("hung or leaving"), "{}", finding.summary);
    assert_eq!(finding.details["lame_duck"], Value::Null);
    assert_eq!(finding.details["named_by"], json!(["a1", "a2"]));
    assert_eq!(finding.severity.as_str(), "warning");
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(1, "warning", "unresponsive"), (2, "warning", "lost")]);
    assert_eq!(span(finding), (1, Some(0), None));
}

#[test]
fn row_lame_duck_that_its_peers_count_no_more_is_said_so_and_info() {
    let recording = hourly(4)
        .at(1, |epoch| epoch.lame_duck("a3"))
        .at(2, |epoch| epoch.kill("a3"))
        .at(3, |epoch| epoch.restart("a3", 1, hours(1) / 2));
    let leaving = judge(&Recording { epochs: recording.epochs[..2].to_vec() }, &[]);
    let finding = leaving.finding(CODE, "A/a3");
    assert!(finding.summary.contains("lame duck"), "{}", finding.summary);
    assert_eq!(finding.details["lame_duck"], true);
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(1, "info", "unresponsive"), (2, "info", "lost")]);
    assert_eq!(span(finding), (1, Some(0), Some((3, "cured"))));
    // The next loss of the same server is another matter.
    let again = hourly(5)
        .at(1, |epoch| epoch.lame_duck("a3"))
        .at(2, |epoch| epoch.kill("a3"))
        .at(4, |epoch| epoch.kill("a3"));
    let judged = judge(&again, &[]);
    assert_eq!(chapters(judged.findings(CODE, "A/a3")[1]), [(4, "warning", "lost")]);
}

#[test]
fn row_renamed_is_replaced() {
    let recording = hourly(3).during([1, 2], |epoch| {
        epoch.restart("a3", 4, hours(1) / 2);
        epoch.rename("a3", "c3");
        epoch.ask("NBEFORE", Status::NoResponders);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", "finding", "finding"]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(chapters(finding), [(1, "info", "replaced")]);
    assert_eq!(finding.details["replaced_by"], "c3");
    assert_eq!(judged.verdicts(CODE, "A/c3"), ["-", "ok", "ok"]);
}

#[test]
fn row_replaced_under_another_name_pairs_by_address_first() {
    // b9 took the address of a3, b1 that of nobody.
    let recording = hourly(2).at(1, |epoch| {
        epoch.restart("a3", 4, hours(1) / 2);
        epoch.rename("a3", "b9");
        epoch.clone_server("a2", "b1");
    });
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A/a3");
    assert_eq!(finding.details["replaced_by"], "b9");
    assert_eq!(finding.severity.as_str(), "info");
    let recording = hourly(2).at(1, |epoch| {
        epoch.clone_server("a3", "b3");
        epoch.kill("a3");
    });
    assert_eq!(judge(&recording, &[]).finding(CODE, "A/a3").details["replaced_by"], "b3");
}

#[test]
fn row_absent_from_a_single_file_whose_header_expects_it_is_lost() {
    let recording = hourly(1).at(0, |epoch| {
        epoch.expect_server("NEARLIER", "a4", "A", "2.12.8");
        epoch.ask("NEARLIER", Status::NoResponders);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A/a4"), ["finding"]);
    let finding = judged.finding(CODE, "A/a4");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(chapters(finding), [(0, "warning", "lost")]);
    assert_eq!(finding.details["version"], "2.12.8");
}

#[test]
fn row_without_the_route_lists_of_its_peers_it_is_unknown() {
    let recording = hourly(3).each(|epoch| epoch.drop_endpoint(&Endpoint::ROUTEZ));
    let judged = judge(&recording.during([1, 2], |epoch| epoch.kill("a3")), &[]);
    let word = "unknown(membership_unknown)";
    assert_eq!(judged.verdicts(CODE, "A/a3"), ["ok", word, word]);
    assert_eq!(judged.findings(CODE, "A/a3").len(), 0);
}
