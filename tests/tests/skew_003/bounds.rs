//! What is counted: by whom, between which epochs, and what is said not to be known.

use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_tests::verdicts::judge;
use serde_json::{Value, json};

use super::*;

#[test]
fn a_side_is_counted_between_the_epochs_of_the_window_and_a_new_process_from_its_start() {
    let details = window(&told(&rollout()));
    // a 15 to 25, b 25 to 30; how many until they ended nobody saw.
    assert_eq!(served(&details, OLD), four([Some(15), None, Some(1), None]));
    assert_eq!(members(&details, OLD), [2, 0, 2]);
    // All that n served until the last epoch of the window, and until the first one after it.
    assert_eq!(served(&details, NEW), four([Some(17), Some(21), Some(3), Some(4)]));
    assert_eq!(members(&details, NEW), [1, 0, 0]);
    assert_eq!(side(&details, OLD)["errors_per_million"], 66_666);
    assert_eq!(side(&details, NEW)["errors_per_million"], 176_470);
}

#[test]
fn it_lasted_from_where_both_were_there_and_at_most_between_the_good_epochs_around() {
    // n started half a minute after the first epoch; the second minute was the last of both.
    assert_eq!(lasted(&window(&told(&rollout()))), (json!(90), json!(180)));
}

#[test]
fn those_that_stay_are_bounded_on_both_sides() {
    let mut rows = rollout();
    // Taken back: n is the one that goes.
    rows[3] = vec![("a", OLD, -3600, Some((30, 2))), ("b", OLD, -3600, Some((33, 1)))];
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD), four([Some(15), Some(33), Some(1), Some(3)]));
    assert_eq!(members(&details, OLD), [2, 0, 0]);
    assert_eq!(served(&details, NEW), four([Some(17), None, Some(3), None]));
    assert_eq!(members(&details, NEW), [1, 0, 1]);
}

#[test]
fn a_window_of_one_epoch_knows_no_more_than_an_upper_bound() {
    let mut rows = rollout();
    rows.remove(2);
    rows[2] = vec![("a", OLD, -3600, Some((40, 2))), ("b", OLD, -3600, Some((50, 1)))];
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD), four([None, Some(60), None, Some(3)]));
    assert_eq!(side(&details, OLD)["errors_per_million"], 50_000, "of what is known at all");
    assert_eq!(lasted(&details), (json!(30), json!(120)));
}

#[test]
fn a_single_epoch_tells_what_started_in_it_and_nothing_of_the_others() {
    let rows = vec![rollout().remove(1)];
    let mut recording = told(&rows);
    for id in ["a", "b"] {
        recording.epochs[0].set_begun(id, SignedDuration::from_secs(600));
    }
    recording.epochs[0].set_begun("n", SignedDuration::from_secs(90) + MOMENT);
    let details = window(&recording);
    assert_eq!(served(&details, OLD), four([None; 4]));
    assert_eq!(members(&details, OLD), [2, 2, 0]);
    assert_eq!(served(&details, NEW), four([Some(7), Some(7), Some(1), Some(1)]));
    assert_eq!(lasted(&details), (json!(90), Value::Null), "nothing is before it");
    assert_eq!(side(&details, OLD)["errors_per_million"], Value::Null);
}

#[test]
fn a_counter_that_shrank_is_no_difference_and_counts_from_there_on() {
    let mut rows = rollout();
    rows[2][0].3 = Some((3, 0));
    rows.insert(3, rows[2].clone());
    rows[3][0].3 = Some((8, 0));
    let details = window(&told(&rows));
    // b 25 to 30, and a 3 to 8.
    assert_eq!(served(&details, OLD), four([Some(10), None, Some(0), None]));
    rows[4] = vec![("a", OLD, -3600, Some((9, 0))), ("b", OLD, -3600, Some((30, 1)))];
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD)[1], Value::Null, "what was served before is lost");
}

#[test]
fn an_instance_that_restarts_in_the_window_is_another_process() {
    let mut rows = rollout();
    rows[2][0] = ("a", OLD, 100, Some((4, 1)));
    let details = window(&told(&rows));
    // The first process of a tells one reading only, its second 4 since its start, and b 5.
    assert_eq!(served(&details, OLD), four([Some(9), None, Some(1), None]));
    assert_eq!(members(&details, OLD), [3, 1, 2]);
}

#[test]
fn a_restart_with_a_larger_counter_is_no_difference_either() {
    let mut rows = rollout();
    rows[2][0] = ("a", OLD, 100, Some((400, 0)));
    assert_eq!(served(&window(&told(&rows)), OLD)[0], json!(405));
    // Started before the window, but not the process that was there: nothing is known of it.
    rows[2][0] = ("a", OLD, -7200, Some((400, 0)));
    assert_eq!(served(&window(&told(&rows)), OLD)[0], json!(5));
}

#[test]
fn an_instance_that_went_within_the_window_counts_up_to_its_last_epoch() {
    let mut rows = rollout();
    rows.insert(3, rows[2].clone());
    rows[3].remove(0);
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD), four([Some(15), None, Some(1), None]));
    assert_eq!(members(&details, OLD), [2, 0, 2]);
}

#[test]
fn an_instance_that_is_away_for_an_epoch_is_counted_across_it() {
    let mut rows = rollout();
    rows.insert(3, rows[2].clone());
    rows[2].remove(0);
    rows[3][0].3 = Some((40, 2));
    rows[4] = vec![("a", OLD, -3600, Some((41, 2))), ("b", OLD, -3600, Some((30, 1)))];
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD), four([Some(30), Some(41), Some(1), Some(3)]));
    assert_eq!(members(&details, OLD), [2, 0, 0]);
}

#[test]
fn without_stats_in_one_epoch_the_difference_spans_it_and_the_facet_is_named() {
    let mut rows = rollout();
    rows.insert(2, rows[2].clone());
    rows[2][1].3 = None;
    let recording = told(&rows);
    assert_eq!(served(&window(&recording), OLD), four([Some(15), None, Some(1), None]));
    assert_eq!(unseen(&judge(&recording, &[]), ORDERS), [("requests", vec![[2, 2]])]);
}

#[test]
fn without_stats_at_the_edges_the_bounds_are_wider_and_never_zero() {
    let mut rows = rollout();
    rows[3] = vec![("a", OLD, -3600, Some((30, 2))), ("b", OLD, -3600, Some((33, 1)))];
    let mut before = rows.clone();
    before[0][0].3 = None;
    assert_eq!(served(&window(&told(&before)), OLD), four([Some(15), None, Some(1), None]));
    let mut first = rows.clone();
    first[1][0].3 = None;
    // Of a only the time around the window is known.
    assert_eq!(served(&window(&told(&first)), OLD), four([Some(5), Some(33), Some(0), Some(3)]));
    let mut after = rows;
    after[3][0].3 = None;
    assert_eq!(served(&window(&told(&after)), OLD), four([Some(15), None, Some(1), None]));
}

#[test]
fn without_any_stats_the_window_stands_and_nothing_is_counted() {
    let recording = told(&rollout()).each(|epoch| epoch.drop_endpoint(&Endpoint::SRV_STATS));
    let judged = judge(&recording, &[]);
    let finding = judged.finding(CODE, ORDERS);
    assert_eq!(span(finding), (1, 2, Some((3, "cured"))));
    for version in [OLD, NEW] {
        assert_eq!(served(&finding.details, version), four([None; 4]));
        assert_eq!(side(&finding.details, version)["errors_per_million"], Value::Null);
    }
    assert_eq!(members(&finding.details, OLD), [2, 2, 0]);
    assert_eq!(unseen(&judged, ORDERS), [("requests", vec![[1, 2]])]);
    assert_eq!(lasted(&finding.details), (json!(90), json!(180)), "its connection tells");
}

#[test]
fn a_reply_that_lacks_a_start_or_a_counter_counts_nothing() {
    for path in ["/started", "/endpoints/0/num_requests", "/endpoints/0/num_errors"] {
        let recording = told(&rollout()[..3]).each(|epoch| {
            *stats(epoch, "b").pointer_mut(path).unwrap() = Value::Null;
        });
        let details = window(&recording);
        assert_eq!(served(&details, OLD), four([Some(10), None, Some(1), None]), "{path}");
        assert_eq!(members(&details, OLD), [2, 1, 0], "{path}");
        let unseen = unseen(&judge(&recording, &[]), ORDERS);
        assert_eq!(unseen, [("requests", vec![[1, 2]])], "{path}");
    }
}

#[test]
fn endpoints_are_summed_and_a_sum_too_large_is_none() {
    let second = |requests: u64| {
        told(&rollout()[..3]).each(move |epoch| {
            let endpoints = stats(epoch, "b")["endpoints"].as_array_mut().unwrap();
            let mut more = endpoints[0].clone();
            more["num_requests"] = requests.into();
            endpoints.push(more);
        })
    };
    assert_eq!(served(&window(&second(1_000)), OLD)[0], json!(15));
    assert_eq!(served(&window(&second(u64::MAX)), OLD)[0], json!(10), "only a is left");
}

#[test]
fn counters_near_the_largest_number_neither_wrap_nor_stop() {
    let mut rows = rollout();
    rows[1][0].3 = Some((u64::MAX - 5, 0));
    rows[2][0].3 = Some((u64::MAX, 0));
    rows[2][2].3 = Some((u64::MAX, u64::MAX));
    rows[2].push(("m", NEW, 40, Some((u64::MAX, 0))));
    rows[3] = rows[2][2..].to_vec();
    let details = window(&told(&rows));
    assert_eq!(served(&details, OLD), four([Some(10), None, Some(0), None]));
    // No upper bound fits; what is certain is at least the largest number there is.
    assert_eq!(served(&details, NEW), four([Some(u64::MAX), None, Some(u64::MAX), None]));
    assert_eq!(side(&details, NEW)["errors_per_million"], 1_000_000);
}

#[test]
fn more_errors_than_requests_are_told_as_they_are() {
    let mut rows = rollout();
    rows[2][2].3 = Some((10, 25));
    rows[3][0].3 = Some((10, 25));
    let details = window(&told(&rows));
    assert_eq!(side(&details, NEW)["errors_per_million"], 2_500_000);
}

#[test]
fn a_start_told_by_a_clock_that_is_ahead_does_not_count_what_was_before() {
    let mut recording = told(&rollout()[1..3]);
    // Its own word is half an hour from now; its connection is older than the window.
    let started = recording.epochs[0].start() + SignedDuration::from_mins(30);
    for epoch in &mut recording.epochs {
        stats(epoch, "a")["started"] = started.to_string().into();
    }
    assert_eq!(served(&window(&recording), OLD)[0], json!(15));
    // Without connections there is only its word, which cannot be.
    let blind = recording.each(|epoch| epoch.drop_endpoint(&Endpoint::CONNZ));
    assert_eq!(served(&window(&blind), OLD)[0], json!(15));
}
