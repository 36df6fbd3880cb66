//! Recordings that end too early.

use crate::support::{Expected, SCENARIOS, Whole, whole};

/// What is left of a recording of which only so many bytes are.
fn cut_to(whole: &Whole, length: usize) -> Expected {
    let kept = whole.pieces.iter().take_while(|piece| piece.bytes.end <= length).count();
    let begun = whole.pieces.get(kept).map(|piece| piece.bytes.start);
    let named = begun.filter(|start| *start < length).map(|start| start..length);
    Expected { kept: (0..kept).collect(), named: named.into_iter().collect() }
}

#[test]
fn at_every_edge_of_a_frame_and_beside_it() {
    for whole in SCENARIOS.map(whole) {
        for (at, piece) in whole.pieces.iter().enumerate() {
            let lengths = [piece.bytes.start, piece.frame, piece.bytes.end - 1];
            for (edge, length) in lengths.into_iter().enumerate() {
                let (what, bytes) = (format!("cut to {length}"), &whole.bytes[..length]);
                // The verdicts are those of the frames that are left, whatever else is.
                if at % 3 == edge {
                    whole.check(&what, bytes, &cut_to(&whole, length));
                } else {
                    whole.look(&what, bytes, &cut_to(&whole, length));
                }
            }
        }
    }
}

#[test]
fn at_bytes_all_over_the_file() {
    for whole in SCENARIOS.map(whole) {
        // Not a divisor of anything, so that no kind of field is missed for long.
        for length in (0..whole.bytes.len()).step_by(whole.bytes.len() / 97 + 1) {
            let (what, bytes) = (format!("cut to {length}"), &whole.bytes[..length]);
            whole.look(&what, bytes, &cut_to(&whole, length));
        }
    }
}

#[test]
fn a_cut_epoch_costs_nothing_of_those_appended_to_it() {
    for whole in SCENARIOS.map(whole) {
        let second =
            whole.pieces.iter().position(|piece| piece.line.n == 0 && piece.bytes.start > 0);
        let second = second.unwrap();
        let start = whole.pieces[second].bytes.start;
        for at in 1..second {
            let piece = &whole.pieces[at];
            let length = usize::midpoint(piece.bytes.start, piece.bytes.end);
            let bytes = [&whole.bytes[..length], &whole.bytes[start..]].concat();
            let kept = (0..at).chain(second..whole.pieces.len()).collect();
            let named = std::iter::once(piece.bytes.start..length).collect();
            whole.check(&format!("cut in frame {at}"), &bytes, &Expected { kept, named });
        }
    }
}
