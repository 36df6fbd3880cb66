//! Clusters of one name: which is which, splits, reunions, new names.

use nats_hindsight_tests::recording::servers::cluster;
use nats_hindsight_tests::recording::{Epoch, Recording};
use nats_hindsight_tests::verdicts::{Judged, judge};

use crate::support::*;

fn minute() -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(1)
}

fn site(version: &str) -> Recording {
    cluster(&[("a1", version, days(9)), ("a2", version, days(9)), ("a3", version, days(9))])
}

/// All servers of a site were restarted a moment ago.
fn restart_all(epoch: &mut Epoch, number: u64) {
    for server in ["a1", "a2", "a3"] {
        epoch.restart(server, number, minute() / 2);
    }
}

/// Two sites, the second mixed; in the second epoch the edits are applied to either.
fn two_sites(first: fn(&mut Epoch), second: fn(&mut Epoch)) -> Judged {
    let mut recording = site(NEW).repeat(3, hours(1));
    for (index, epoch) in recording.epochs.iter_mut().enumerate() {
        epoch.second_site(|site| {
            site.set_version("a3", OLD);
            if index == 1 {
                second(site);
            }
        });
    }
    // The first site is edited alone: what answers under its names is looked up first.
    first(&mut recording.epochs[1]);
    judge(&recording, &[])
}

#[test]
fn a_number_stays_with_its_site() {
    let judged = two_sites(|_| {}, |_| {});
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 3]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["finding"; 3]);
    assert_eq!(outliers(judged.finding(CODE, "A#2")), ["a3"]);
}

#[test]
fn a_number_stays_with_its_site_when_all_of_it_is_restarted() {
    let judged = two_sites(|_| {}, |site| restart_all(site, 5));
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 3]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["finding"; 3]);
    assert_eq!(judged.findings(CODE, "A#2").len(), 1);
}

#[test]
fn a_number_stays_with_its_site_when_all_of_the_other_is_restarted() {
    let judged = two_sites(|site| restart_all(site, 5), |_| {});
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 3]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["finding"; 3]);
}

#[test]
fn the_problem_of_equal_names_is_reported_once() {
    let judged = two_sites(|_| {}, |_| {});
    assert_eq!(judged.problems("unconnected_clusters").len(), 1);
}

#[test]
fn a_cluster_that_falls_apart_stays_one_subject_with_a_problem() {
    let recording = site(NEW).repeat(4, hours(1)).during([1, 2], |epoch| epoch.split(&["a3"]));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 4]);
    let problems = judged.problems("cluster_split");
    assert!(!problems.is_empty());
    assert!(problems[0].text.contains("a3"), "{problems:?}");
    assert_eq!(judged.problems("unconnected_clusters").len(), 0);
}

#[test]
fn two_clean_halves_of_different_versions_are_a_mix() {
    let mut recording = site(OLD).repeat(3, hours(1)).during([1, 2], |epoch| epoch.split(&["a3"]));
    for index in [1, 2] {
        upgrade(&mut recording.epochs[index], "a3", NEW, minute());
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "finding", "finding"]);
    assert_eq!(outliers(judged.finding(CODE, "A")), ["a3"]);
}

#[test]
fn halves_that_were_apart_from_the_beginning_become_one_subject() {
    let all =
        [("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", NEW, days(9)), ("s1", OLD, days(99))];
    let recording = cluster(&all).repeat(4, hours(1)).during([0, 1], |epoch| epoch.split(&["s1"]));
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "A#2"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok", "ok", "finding", "finding"]);
    assert_eq!(judged.verdicts(CODE, "A#2"), ["ok", "ok", "not_applicable", "not_applicable"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(face(finding), ["stalled", "joined", "minor", NEW]);
    assert_eq!(outliers(finding), ["s1"]);
    let of_a = |code: &str| (code.to_owned(), "A".to_owned());
    assert_eq!(judged.all_findings(), [of_a(CODE), of_a("SKEW_003")]);
}

#[test]
fn a_cluster_all_of_whose_seats_answer_under_another_name_is_ended() {
    let mixed = cluster(&[("a1", NEW, days(9)), ("a2", NEW, days(9)), ("a3", OLD, days(90))]);
    let recording = mixed.repeat(3, hours(1)).during([1, 2], |epoch| {
        epoch.rename_cluster("A", "B");
        restart_all(epoch, 3);
    });
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "B"]);
    assert_eq!(judged.verdicts(CODE, "A")[..2], ["finding", "not_applicable"]);
    let finding = judged.finding(CODE, "A");
    assert_eq!(span(finding), (0, None, Some((1, "ended"))));
    assert!(because(finding).contains("cluster B"), "{}", because(finding));
    assert_eq!(judged.verdicts(CODE, "B"), ["-", "finding", "finding"]);
    assert_eq!(judged.subjects("HINT_001").len(), 6);
    let known = [CODE, "SKEW_003"];
    assert!(judged.all_findings().iter().all(|(code, _)| known.contains(&code.as_str())));
}

#[test]
fn different_versions_in_two_clusters_are_clean() {
    let mut recording = site(NEW).repeat(2, hours(1));
    for epoch in &mut recording.epochs {
        epoch.second_site(|site| {
            site.rename_cluster("A", "B");
            for server in ["a1", "a2", "a3"] {
                site.set_version(server, OLD);
            }
        });
    }
    let judged = judge(&recording, &[]);
    assert_eq!(judged.subjects(CODE), ["A", "B"]);
    assert_eq!(judged.verdicts(CODE, "A"), ["ok"; 2]);
    assert_eq!(judged.verdicts(CODE, "B"), ["ok"; 2]);
    assert_eq!(judged.all_findings(), []);
}
