//! Frames that are not where they were written.

use std::collections::BTreeSet;

use nats_hindsight_tests::recording::scenarios;

use crate::support::{Expected, SCENARIOS, Whole, whole};

/// The recording with its frames in this order.
fn arranged(whole: &Whole, order: &[usize]) -> Vec<u8> {
    order.iter().flat_map(|at| &whole.bytes[whole.pieces[*at].bytes.clone()]).copied().collect()
}

fn all_of(whole: &Whole) -> Expected {
    Expected { kept: whole.all(), named: Vec::new() }
}

/// Everything is seen, whatever moved; what is said of it is held against the whole now and then.
fn nothing_is_lost(whole: &Whole, at: usize, what: &str, bytes: &[u8]) {
    if at.is_multiple_of(5) {
        whole.check(what, bytes, &all_of(whole));
    } else {
        whole.look(what, bytes, &all_of(whole));
    }
}

#[test]
fn frames_swapped_within_an_epoch_and_across() {
    for whole in SCENARIOS.map(whole) {
        let count = whole.pieces.len();
        for at in 0..count {
            // With its neighbour, or with one of another epoch.
            let other = (at + if at % 2 == 0 { 1 } else { count / 2 }) % count;
            let mut order: Vec<usize> = (0..count).collect();
            order.swap(at, other);
            let what = format!("frames {at} and {other} swapped");
            let bytes = arranged(&whole, &order);
            nothing_is_lost(&whole, at, &what, &bytes);
        }
    }
}

#[test]
fn frames_repeated() {
    for whole in SCENARIOS.map(whole) {
        let count = whole.pieces.len();
        for at in 0..count {
            let mut order: Vec<usize> = (0..count).collect();
            order.insert((at + count / 3) % count, at);
            let (what, bytes) = (format!("frame {at} repeated"), arranged(&whole, &order));
            nothing_is_lost(&whole, at, &what, &bytes);
        }
    }
}

/// Without one of its frames.
fn one_dropped(whole: &Whole, at: usize) {
    let kept: BTreeSet<usize> = (0..whole.pieces.len()).filter(|other| *other != at).collect();
    let order: Vec<usize> = kept.iter().copied().collect();
    let expected = Expected { kept, named: Vec::new() };
    whole.check(&format!("frame {at} dropped"), &arranged(whole, &order), &expected);
}

#[test]
fn frames_dropped() {
    for whole in SCENARIOS.map(whole) {
        (0..whole.pieces.len()).for_each(|at| one_dropped(&whole, at));
    }
}

#[test]
fn frames_dropped_of_every_other_recording() {
    let others = scenarios().into_iter().filter(|name| !SCENARIOS.contains(&name.as_str()));
    for (number, name) in others.enumerate() {
        let whole = whole(&name);
        // Each recording another third of its frames, so that every endpoint goes somewhere.
        (number % 3..whole.pieces.len()).step_by(3).for_each(|at| one_dropped(&whole, at));
    }
}
