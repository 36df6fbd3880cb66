//! Single bits that are not what was written.

use crate::support::{Expected, SCENARIOS, Whole, whole};

/// The recording with one bit flipped.
fn flipped(whole: &Whole, at: usize, bit: usize) -> Vec<u8> {
    let mut bytes = whole.bytes.clone();
    bytes[at] ^= 1 << (bit % 8);
    bytes
}

fn without(whole: &Whole, lost: usize) -> Expected {
    let mut kept = whole.all();
    kept.remove(&lost);
    let named = std::iter::once(whole.pieces[lost].bytes.clone()).collect();
    Expected { kept, named }
}

#[test]
fn a_bit_of_a_frame_costs_that_frame() {
    for whole in SCENARIOS.map(whole) {
        for (at, piece) in whole.pieces.iter().enumerate() {
            let length = piece.bytes.end - piece.frame;
            // In the magic number, in its header, in its blocks, in its checksum.
            for (bit, offset) in [0, 5, length / 2, length - 1].into_iter().enumerate() {
                let bytes = flipped(&whole, piece.frame + offset, at + bit);
                let what = format!("frame {at} flipped at {offset}");
                // What is left is the same four times, and so are its verdicts.
                if at % 4 == bit {
                    whole.check(&what, &bytes, &without(&whole, at));
                } else {
                    whole.look(&what, &bytes, &without(&whole, at));
                }
            }
        }
    }
}

#[test]
fn a_bit_of_a_preamble_costs_nothing() {
    for whole in SCENARIOS.map(whole) {
        for (at, piece) in whole.pieces.iter().enumerate() {
            let length = piece.frame - piece.bytes.start;
            // In its magic number, its length, its line, and its checksum.
            for (bit, offset) in [1, 5, 8 + length / 2, length - 1].into_iter().enumerate() {
                let bytes = flipped(&whole, piece.bytes.start + offset, at + bit);
                let named = std::iter::once(piece.bytes.start..piece.frame).collect();
                let what = format!("preamble {at} flipped at {offset}");
                let expected = Expected { kept: whole.all(), named };
                if at % 16 == bit {
                    whole.check(&what, &bytes, &expected);
                } else {
                    whole.look(&what, &bytes, &expected);
                }
            }
        }
    }
}

#[test]
fn the_header_of_the_second_of_three_epochs() {
    for whole in SCENARIOS.map(whole) {
        let headers: Vec<usize> =
            (0..whole.pieces.len()).filter(|at| whole.pieces[*at].line.n == 0).collect();
        let [_, second, _] = headers.as_slice() else { panic!("{} has no three", whole.name) };
        let piece = &whole.pieces[*second];
        let mut bytes = whole.bytes.clone();
        // Preamble and frame are gone, not a byte of them is left.
        bytes[piece.bytes.clone()].fill(0xA5);
        whole.check("without its second header", &bytes, &without(&whole, *second));
    }
}
