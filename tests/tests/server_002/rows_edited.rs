//! Rows of the table that no real cluster shows in seconds, at the default thresholds.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::recording::Recording;
use nats_hindsight_tests::recording::servers::{cluster, later_id};
use nats_hindsight_tests::verdicts::judge;

use crate::support::*;

fn three() -> Recording {
    cluster(&[("a1", OLD, days(90)), ("a2", OLD, days(90)), ("a3", OLD, days(90))])
}

#[test]
fn row_40_servers_upgraded_over_two_days_rolls_until_overdue() {
    let names: Vec<String> = (0..40).map(|number| format!("n{number:02}")).collect();
    let servers: Vec<_> = names.iter().map(|name| (name.as_str(), OLD, days(300))).collect();
    let mut recording = cluster(&servers).repeat(4, days(1));
    for (number, name) in names.iter().enumerate() {
        let day = 1 + number / 14;
        for index in day..4 {
            let age = hours(12) + days(1) * i32::try_from(index - day).unwrap();
            upgrade(&mut recording.epochs[index], name, NEW, age);
        }
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), Some((3, "cured"))));
    assert_eq!(chapters(finding), [(1, "info", "rolling"), (2, "warning", "rolling")]);
    assert_eq!(face(finding), ["rolling", "upgrade", "minor", NEW]);
    assert_eq!(counts(finding), [(NEW, 28), (OLD, 12)]);
    assert_eq!(outliers(finding).len(), 12);
    assert!(overdue(finding));
    assert_eq!(lasting(finding), hours(36));
}

#[test]
fn row_first_epoch_in_mid_rollout_is_unknown_in_stage() {
    let young = jiff::SignedDuration::from_mins(5);
    let recording = cluster(&[("a1", OLD, days(9)), ("a2", OLD, days(9)), ("a3", NEW, young)]);
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(face(finding), ["unknown", "undetermined", "minor", OLD]);
    assert_eq!(finding.severity.as_str(), "warning");
    assert_eq!(lasting(finding), young);
}

#[test]
fn row_forgotten_has_lasting_from_ages() {
    let recent = ("a1", NEW, days(3));
    let others = [("a2", NEW, days(3)), ("a3", NEW, days(2)), ("a4", NEW, days(2))];
    let forgotten = ("a5", "2.10.25", days(100));
    let recording =
        cluster(&[recent, others[0], others[1], others[2], forgotten]).repeat(2, hours(1));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(face(finding), ["stalled", "forgotten", "minor", NEW]);
    assert_eq!(outliers(finding), ["a5"]);
    assert_eq!(lasting(finding), days(3) + hours(1));
    assert!(overdue(finding));
}

#[test]
fn row_upgraded_up_to_one_then_a_newer_one_crash_loops_is_stalled() {
    let mut recording = three().repeat(4, hours(2));
    for index in 1..4 {
        let since = i64::try_from(index).unwrap() - 1;
        upgrade(&mut recording.epochs[index], "a1", NEW, hours(1) + hours(2 * since));
        upgrade(&mut recording.epochs[index], "a2", NEW, hours(1) + hours(2 * since));
    }
    // The processes of a1 since then were started seconds before each epoch, at its version.
    recording.epochs[2].restart("a1", 7, jiff::SignedDuration::from_secs(20));
    recording.epochs[3].restart("a1", 8, jiff::SignedDuration::from_secs(20));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), None));
    assert_eq!(chapters(finding), [(1, "info", "rolling"), (2, "warning", "stalled")]);
    assert_eq!(face(finding), ["stalled", "upgrade", "minor", NEW]);
    assert_eq!(outliers(finding), ["a3"]);
}

#[test]
fn row_one_epoch_only_lasts_at_least_since_the_younger_started() {
    let recording = cluster(&[("a1", OLD, days(90)), ("a2", NEW, days(41)), ("a3", NEW, days(41))]);
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    assert_eq!(face(finding), ["stalled", "forgotten", "minor", NEW]);
    assert_eq!(lasting(finding), days(41));
    assert!(overdue(finding));
    assert_eq!(finding.severity.as_str(), "warning");
}

#[test]
fn row_a_300_day_old_server_joins_and_lasts_since_the_last_ok() {
    let all = cluster(&[
        ("a1", NEW, days(50)),
        ("a2", NEW, days(50)),
        ("a3", NEW, days(50)),
        ("staging1", OLD, days(300)),
    ]);
    let recording = all.repeat(3, hours(1)).during([0, 1], |epoch| {
        let id = epoch.id("staging1");
        epoch.kill("staging1");
        epoch.forget_requests(&id);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (2, Some(1), None));
    assert_eq!(face(finding), ["stalled", "joined", "minor", NEW]);
    assert_eq!(outliers(finding), ["staging1"]);
    assert_eq!(lasting(finding), hours(1));
}

#[test]
fn row_a_patch_gap_is_said_so() {
    let recording = three().at(0, |epoch| epoch.set_version("a2", "2.12.7"));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(face(finding), ["stalled", "undetermined", "patch", OLD]);
    assert_eq!(outliers(finding), ["a2"]);
}

#[test]
fn row_blue_green_is_an_upgrade_not_joined() {
    let blue = three();
    let green = |epoch: &mut nats_hindsight_tests::recording::Epoch, number: u8, step: i64| {
        let (old, new) = (format!("a{number}"), format!("g{number}"));
        epoch.clone_server(&old, &new);
        epoch.set_version(&new, NEW);
        epoch.set_age(&new, hours(2 * (step - i64::from(number))) + hours(1) / 2);
        epoch.kill(&old);
    };
    let mut recording = blue.repeat(4, hours(2));
    for step in 1..4_u8 {
        for number in 1..=step {
            green(&mut recording.epochs[usize::from(step)], number, i64::from(step));
        }
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (1, Some(0), Some((3, "cured"))));
    assert_eq!(face(finding), ["rolling", "upgrade", "minor", NEW]);
    assert_eq!(chapters(finding), [(1, "info", "rolling")]);
}

#[test]
fn row_unnamed_servers_restarted_at_the_same_version_are_ok() {
    let mut recording = three()
        .at(0, |epoch| {
            for server in ["a1", "a2", "a3"] {
                epoch.listen_everywhere(server);
                epoch.unname(server);
            }
        })
        .repeat(3, hours(1));
    let ids = recording.epochs[0].servers();
    for index in 1..3 {
        recording.epochs[index].replace(&ids[0], &later_id(&ids[0], 1));
    }
    recording.epochs[2].replace(&ids[1], &later_id(&ids[1], 1));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 3]);
    assert_eq!(judged.findings(CODE, "A").len(), 0);
}

#[test]
fn row_a_finding_stays_open_across_a_hung_server() {
    let mixed = cluster(&[("a1", NEW, days(2)), ("a2", NEW, days(2)), ("a3", OLD, days(90))]);
    let recording = mixed.repeat(4, hours(1)).during([1, 2], |epoch| epoch.hang("a3"));
    let judged = judge(&recording, &[]);
    let hung = "unknown(server_silent)";
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", hung, hung, "finding"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, None));
    let gaps: Vec<_> = finding.gaps.iter().map(|g| (g.from, g.to, g.reason.as_str())).collect();
    assert_eq!(gaps, [(1, 2, "server_silent")]);
    assert_eq!(finding.last_seen.epoch, 3);
}

#[test]
fn row_two_old_servers_cut_off_and_dropped_end_it_and_are_named() {
    let recording = cluster(&[
        ("a1", NEW, days(2)),
        ("a2", NEW, days(2)),
        ("a3", NEW, days(2)),
        ("a4", OLD, days(90)),
        ("a5", OLD, days(90)),
    ])
    .repeat(3, hours(1))
    .at(1, |epoch| {
        epoch.hang("a4");
        epoch.hang("a5");
    })
    .at(2, |epoch| {
        epoch.kill("a4");
        epoch.kill("a5");
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding", "unknown(server_silent)", "ok"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, Some((2, "ended"))));
    assert_eq!(because(finding), "cut off: a4, a5");
    for server in ["A/a4", "A/a5"] {
        let lost = judged.finding("HINT_001", server);
        assert_eq!(lost.details["kind"], "lost");
        assert!(lost.closed.is_none());
    }
}

#[test]
fn row_two_sites_of_the_same_names_are_ok_for_both_with_a_problem() {
    let recording = three().repeat(2, hours(1)).each(|epoch| {
        epoch.second_site(|site| ["a1", "a2", "a3"].iter().for_each(|a| site.set_version(a, NEW)));
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 2]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["ok"; 2]);
    let problems = judged.problems("unconnected_clusters");
    assert!(!problems.is_empty());
    assert!(problems[0].text.contains("A#2"), "{}", problems[0].text);
}

#[test]
fn row_varz_missing_is_judged_by_the_envelope_of_other_replies() {
    let mixed = cluster(&[("a1", NEW, days(2)), ("a2", NEW, days(2)), ("a3", OLD, days(90))]);
    let recording = mixed.at(0, |epoch| epoch.drop_reply("a3", &Endpoint::VARZ));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(outliers(finding), ["a3"]);
    assert_eq!(face(finding), ["stalled", "forgotten", "minor", NEW]);
    let fact = finding.evidence.iter().find(|fact| fact.source == "a3").unwrap();
    assert_eq!((fact.endpoint.as_str(), fact.path.as_str()), ("STATSZ", "server.ver"));
    assert_eq!(fact.value, OLD);
    let fact = finding.evidence.iter().find(|fact| fact.source == "a1").unwrap();
    assert_eq!(fact.endpoint, "VARZ");

    let uniform = three().at(0, |epoch| epoch.drop_reply("a3", &Endpoint::VARZ));
    assert_eq!(judge(&uniform, &[]).verdicts(CODE, "A"), ["ok"]);
}

#[test]
fn row_two_servers_of_one_name_are_both_counted_with_a_problem() {
    let all =
        [("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", NEW, days(9)), ("a4", OLD, days(9))];
    let recording = cluster(&all).at(0, |epoch| epoch.rename("a4", "a3")).repeat(2, hours(1));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["finding"; 2]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(counts(finding), [(NEW, 3), (OLD, 1)]);
    assert_eq!(outliers(finding), ["a3"]);
    assert_eq!(detail(finding, "stage"), "stalled");
    let problems = judged.problems("shared_seat");
    assert!(problems[0].text.contains("a3"), "{problems:?}");
}

#[test]
fn row_restarted_at_the_same_version_with_a_new_id_is_ok() {
    let minute = jiff::SignedDuration::from_mins(1);
    let recording = three().repeat(2, hours(1)).at(1, |epoch| epoch.restart("a2", 1, minute));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 2]);
    assert_eq!(judged.all_findings(), []);
}
